//! The Lambda of the step `SettleEffects`.

use std::process::ExitCode;

use functions::steps::settle_effects::SettleEffects;

fn main() -> ExitCode {
    functions::lambda::step::main(SettleEffects)
}
