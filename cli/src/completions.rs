//! Prints what a shell needs to complete commands and options.

use clap::{CommandFactory, ValueEnum};

use crate::args::Args;
use crate::{help, terminal};

/// Options of `completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = help::COMPLETIONS)]
pub struct CompletionsArgs {
    /// For which shell
    pub shell: Shell,
}

/// A shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// Bash
    Bash,
    /// Zsh
    Zsh,
    /// Fish
    Fish,
}

/// Runs `deskup completions`.
pub fn run(args: &CompletionsArgs) -> anyhow::Result<()> {
    let shell = match args.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "deskup", &mut script);
    terminal::data(&String::from_utf8_lossy(&script));
    Ok(())
}
