//! The Lambda of the step `FinishBackfill`.

use std::process::ExitCode;

use functions::steps::finish_backfill::FinishBackfill;

fn main() -> ExitCode {
    functions::lambda::step::main(FinishBackfill)
}
