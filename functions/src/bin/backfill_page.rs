//! The Lambda of the step `BackfillPage`.

use std::process::ExitCode;

use functions::steps::backfill_page::BackfillPage;

fn main() -> ExitCode {
    functions::lambda::step::main(BackfillPage)
}
