//! The Lambda of the step `PollComments`.

use std::process::ExitCode;

use functions::steps::poll_comments::PollComments;

fn main() -> ExitCode {
    functions::lambda::step::main(PollComments)
}
