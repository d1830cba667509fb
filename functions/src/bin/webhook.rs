//! The Lambda behind the function URL to which both services deliver.

use std::process::ExitCode;

fn main() -> ExitCode {
    functions::lambda::webhook::main()
}
