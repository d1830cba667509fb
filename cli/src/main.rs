//! `deskup`: the command a person runs.

use std::process::ExitCode;

fn main() -> ExitCode {
    deskup::run()
}
