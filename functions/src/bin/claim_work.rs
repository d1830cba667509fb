//! The Lambda of the step `ClaimWork`.

use std::process::ExitCode;

use functions::steps::claim_work::ClaimWork;

fn main() -> ExitCode {
    functions::lambda::step::main(ClaimWork)
}
