//! The Lambda of the step `SyncRecords`.

use std::process::ExitCode;

use functions::steps::sync_records::SyncRecords;

fn main() -> ExitCode {
    functions::lambda::step::main(SyncRecords)
}
