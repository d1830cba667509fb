//! The command line of deskup: what a person asks for, answered on a terminal or as JSON. Data goes to
//! stdout, talk and errors to stderr, and the exit code means something.

mod args;
mod check;
mod checkpoints;
mod compile;
mod completions;
mod conflicts;
mod credentials;
mod demo;
mod expiry;
mod explain;
mod export;
mod failure;
mod hands;
mod help;
mod holders;
mod init;
mod installation;
mod invoke;
#[cfg(test)]
mod looks;
mod machine;
mod pause;
mod plan;
mod progress;
mod quarantine;
mod query;
mod redrive;
mod run;
mod serve;
mod signals;
mod simulate;
mod stack;
mod status;
mod terminal;
mod webhooks;
mod width;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};
use crate::failure::Failed;

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let args = Args::parse();
    start_log(args.verbose);
    let result = match &args.command {
        Command::Init(options) => init::run(options),
        Command::Check(options) => check::run(options),
        Command::Demo(options) => demo::run(options),
        Command::Status(options) => status::run(options),
        Command::Explain(options) => explain::run(options),
        Command::Compile(options) => compile::run(options),
        Command::Conflicts(options) => conflicts::run(options),
        Command::Quarantine(options) => quarantine::run(options),
        Command::Redrive(options) => redrive::run(options),
        Command::Checkpoints(options) => checkpoints::run(options),
        Command::Pause(options) => pause::pause(options),
        Command::Resume(options) => pause::resume(options),
        Command::Release(options) => pause::release(options),
        Command::Holders(options) => holders::run(options),
        Command::Export(options) => export::run(options),
        Command::Simulate(options) => simulate::run(options),
        Command::Plan(options) => plan::run(options),
        Command::Run(options) => run::run(options),
        Command::Push(options) => stack::push(options),
        Command::Completions(options) => completions::run(options),
        Command::Serve(options) => serve::run(options),
        Command::Webhooks(options) => webhooks::run(options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = error.downcast_ref::<Failed>().map_or(failure::FAILED, Failed::code);
            terminal::error(&error);
            ExitCode::from(code)
        }
    }
}

/// Log lines go to stderr; `DESKUP_LOG` chooses what, `-v` is short for `info`.
fn start_log(verbose: u8) {
    let default = match verbose {
        // The SDK misses a connection to close at every error of a store in this process; a world says at its
        // end what its services could not do.
        0 => "error,aws_smithy_runtime=off,world=off",
        1 => "info",
        _ => "debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("DESKUP_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    // A second start in one process (tests) keeps the first.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
