//! What can be asked for.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::installation::{DEMO_DIR, Folder};
use crate::simulate::SimulateArgs;

/// Keeps Zendesk tickets and ClickUp tasks in step.
#[derive(Debug, Parser)]
#[command(name = "deskup", version, about, arg_required_else_help = true)]
pub struct Args {
    /// Tell more on stderr; twice for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the whole sync on two simulated services, in this process, in virtual time
    Demo(DemoArgs),
    /// Show executions, cursors, budgets, conflicts and what is set aside
    Status(StateArgs),
    /// Show why each field of a ticket and its task has its value
    Explain(ExplainArgs),
    /// Write the Step Functions definitions of all workflows
    Compile(CompileArgs),
    /// Serve a simulated Zendesk and a simulated ClickUp on ports, to try the commands for real accounts on
    Simulate(SimulateArgs),
}

/// A ClickUp plan: how many requests a minute a token has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Plan {
    /// 100 requests a minute (Free Forever, Unlimited and Business alike)
    Business,
    /// 1,000 requests a minute
    BusinessPlus,
    /// 10,000 requests a minute
    Enterprise,
}

impl Plan {
    /// Requests a minute.
    pub fn per_minute(self) -> u32 {
        match self {
            Plan::Business => 100,
            Plan::BusinessPlus => 1_000,
            Plan::Enterprise => 10_000,
        }
    }

    /// The plan's name as ClickUp writes it.
    pub fn name(self) -> &'static str {
        match self {
            Plan::Business => "Business",
            Plan::BusinessPlus => "Business Plus",
            Plan::Enterprise => "Enterprise",
        }
    }
}

/// Options of `demo`.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Tickets to fill Zendesk with
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub tickets: u32,
    /// Edits that simulated people make on both sides afterwards
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub edits: u32,
    /// The same seed gives the same world and the same edits
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// A CSV of ticket texts; a small set that ships with deskup otherwise
    #[arg(long, env = "DESKUP_TICKETS", value_name = "FILE")]
    pub tickets_file: Option<PathBuf>,
    /// Under which ClickUp limits the backfill runs
    #[arg(long, value_enum, default_value_t = Plan::Business)]
    pub plan: Plan,
    /// No artificial limits at all, to measure deskup itself
    #[arg(long)]
    pub unlimited: bool,
    /// Where everything is kept
    #[arg(long, default_value = DEMO_DIR, value_name = "DIR")]
    pub dir: PathBuf,
    /// Forget an earlier demo in that folder and start over
    #[arg(long)]
    pub fresh: bool,
    /// Leave everything running in real time afterwards, the simulated services on ports
    #[arg(long)]
    pub keep: bool,
    /// First of the two ports for --keep; Zendesk there, ClickUp on the next, webhooks on the one after
    #[arg(long, default_value_t = 8801, value_name = "PORT")]
    pub port: u16,
    /// Also list every edit that a class exempts, and why
    #[arg(long)]
    pub exempt: bool,
    /// People copy, archive and move tasks too
    #[arg(long)]
    pub mischief: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Options of commands that only read the state.
#[derive(Debug, clap::Args)]
pub struct StateArgs {
    /// Where the state is
    #[command(flatten)]
    pub folder: Folder,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Options of `explain`.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// The ticket's number, or the task's id
    pub record: String,
    /// Only this field, such as `status` or `custom.Severity`
    pub field: Option<String>,
    /// Which installation, and how to print
    #[command(flatten)]
    pub state: StateArgs,
}

/// Options of `compile`.
#[derive(Debug, clap::Args)]
pub struct CompileArgs {
    /// The folder to write the definitions to
    #[arg(long, default_value = "statemachines/asl", value_name = "DIR")]
    pub out: PathBuf,
    /// Write nothing; fail if a file there differs
    #[arg(long)]
    pub check: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}
