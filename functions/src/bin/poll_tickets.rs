//! The Lambda of the step `PollTickets`.

use std::process::ExitCode;

use functions::steps::poll_tickets::PollTickets;

fn main() -> ExitCode {
    functions::lambda::step::main(PollTickets)
}
