//! The Lambda of the step `PollTasks`.

use std::process::ExitCode;

use functions::steps::poll_tasks::PollTasks;

fn main() -> ExitCode {
    functions::lambda::step::main(PollTasks)
}
