//! The Lambda that starts executions for due work.

use std::process::ExitCode;

fn main() -> ExitCode {
    functions::lambda::dispatcher::main()
}
