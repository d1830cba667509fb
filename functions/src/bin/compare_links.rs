//! The Lambda of the step `CompareLinks`.

use std::process::ExitCode;

use functions::steps::compare_links::CompareLinks;

fn main() -> ExitCode {
    functions::lambda::step::main(CompareLinks)
}
