//! What can be asked for.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::check::CheckArgs;
use crate::checkpoints::CheckpointsArgs;
use crate::completions::CompletionsArgs;
use crate::conflicts::ConflictsArgs;
use crate::explain::ExplainArgs;
use crate::export::ExportArgs;
use crate::help;
use crate::holders::HoldersArgs;
use crate::init::InitArgs;
use crate::installation::{DEMO_DIR, Folder};
use crate::pause::{PauseArgs, ReleaseArgs, ResumeArgs};
use crate::plan::PlanArgs;
use crate::quarantine::QuarantineArgs;
use crate::redrive::RedriveArgs;
use crate::run::RunArgs;
use crate::serve::ServeArgs;
use crate::simulate::SimulateArgs;
use crate::stack::PushArgs;
use crate::status::StatusArgs;
use crate::terminal;
use crate::webhooks::WebhooksArgs;

/// Keeps Zendesk tickets and ClickUp tasks in step.
#[derive(Debug, Parser)]
#[command(name = "deskup", version, about, arg_required_else_help = true, after_help = help::ALL)]
#[command(term_width = terminal::help_columns())]
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
    /// Connect a Zendesk and a ClickUp account: check both, propose a mapping, write deskup.toml
    Init(InitArgs),
    /// Compare deskup.toml with both accounts
    Check(CheckArgs),
    /// Show the whole sync on two simulated services, in this process, in virtual time
    Demo(DemoArgs),
    /// Show whether all is well: alarms, convergence, cursors, budgets, executions; exit code 1 with an alarm
    Status(StatusArgs),
    /// Show why each field of a ticket and its task has its value
    Explain(ExplainArgs),
    /// List values that did not win, show both, apply one of them or dismiss the conflict
    Conflicts(ConflictsArgs),
    /// List records that are set aside, by cause, and put them back
    Quarantine(QuarantineArgs),
    /// Start executions that failed again, by the definitions of this version
    Redrive(RedriveArgs),
    /// Show how far each stream was read, its earlier versions, and go back to one
    Checkpoints(CheckpointsArgs),
    /// Stop writing, for one lane of work or for all; or leave one service alone
    Pause(PauseArgs),
    /// Let what is paused go on
    Resume(ResumeArgs),
    /// Show who holds what: records in work, requests booked, by process
    Holders(HoldersArgs),
    /// Show what waits behind the brake, and release it
    Release(ReleaseArgs),
    /// Write out which ticket belongs to which task, and the mapping
    Export(ExportArgs),
    /// Write the Step Functions definitions of all workflows
    Compile(CompileArgs),
    /// Serve a simulated Zendesk and a simulated ClickUp on ports, to try the commands for real accounts on
    Simulate(SimulateArgs),
    /// Show every change that a run would make, side by side, and change nothing
    Plan(PlanArgs),
    /// Carry a workflow out once: bring the scope over, settle linked pairs, end when nothing is left
    Run(RunArgs),
    /// Bring deskup.toml and the credentials to the stack that the folder belongs to
    Push(PushArgs),
    /// Print the completion script of a shell
    Completions(CompletionsArgs),
    /// Keep both accounts in step until stopped
    Serve(ServeArgs),
    /// Set up, look at, check, renew and remove the webhooks of both accounts
    Webhooks(WebhooksArgs),
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
#[command(after_help = help::DEMO)]
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
    /// First of the three ports for --keep: Zendesk there, ClickUp on the next, on the one after what Lambdas of a
    /// checkout take for AWS; 0 takes any three
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

/// Options of commands that look at the state or change single rows of it.
#[derive(Debug, clap::Args)]
pub struct StateArgs {
    /// Where the state is
    #[command(flatten)]
    pub folder: Folder,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Options of `compile`.
#[derive(Debug, clap::Args)]
#[command(after_help = help::COMPILE)]
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
