//! `deskup run`: one pass of a workflow over real accounts, to its end or until Ctrl-C.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use clients::ErrorKind;
use functions::SyncError;
use functions::local::Local;
use functions::plan::file::PlanFile;
use functions::run::{self, Report, RunError, UNCONFIRMED_WRITES_MAX};
use serde_json::json;

use crate::failure::Failed;
use crate::installation::{Folder, Installation};
use crate::progress::Bar;
use crate::{invoke, machine, plan, signals, stack, terminal};

/// A process that was told twice to stop ends with this code, as the shell's own do.
const ABORTED: i32 = 130;

/// Options of `run`.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::help::RUN)]
pub struct RunArgs {
    /// Which workflow
    #[arg(value_enum)]
    pub workflow: Workflow,
    /// Make exactly the changes of this plan (from `deskup plan --out FILE`)
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Where it runs: in this process, or on the stack that the folder belongs to
    #[arg(long, value_enum)]
    pub engine: Option<EngineName>,
    /// Call each step as a Lambda at this address, on a demo that is kept running (local testing)
    #[arg(long, value_name = "URL", conflicts_with_all = ["plan", "engine"])]
    pub invoke: Option<String>,
    /// Which installation
    #[command(flatten)]
    pub folder: Folder,
    /// Print one JSON object at the end
    #[arg(long)]
    pub json: bool,
}

/// What executes a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// This process
    Embedded,
    /// Step Functions
    Aws,
}

/// The workflows that can be run by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Workflow {
    /// Tickets of the scope get their tasks, and linked pairs are brought in step
    TicketSync,
    /// All linked pairs are compared with both services, and brought in step where they differ
    Sweep,
}

/// Runs `deskup run`.
pub fn run(args: &RunArgs) -> anyhow::Result<()> {
    let installation = Installation::locate(&args.folder);
    if args.workflow == Workflow::Sweep && (args.plan.is_some() || args.invoke.is_some()) {
        return Err(Failed::usage(
            "a sweep has no plan, and its steps are not called over HTTP: both are for ticket-sync",
        ));
    }
    if let Some(url) = &args.invoke {
        return machine::runtime()?.block_on(invoke::run(&installation, url, args.json));
    }
    installation.refuse_demo()?;
    match (installation.link()?, args.engine) {
        (Some(link), None | Some(EngineName::Aws)) => {
            if args.plan.is_some() {
                return Err(Failed::usage(
                    "a stack does not carry out plans yet: begin with a pilot ([scope] limit in deskup.toml), which `deskup push` brings there",
                ));
            }
            let (_, settings) = installation.settings()?;
            return machine::runtime()?.block_on(async {
                match args.workflow {
                    Workflow::TicketSync => stack::backfill(&link, &settings, args.json).await,
                    Workflow::Sweep => stack::sweep(&link, args.json).await,
                }
            });
        }
        (Some(_), Some(EngineName::Embedded)) => {
            installation.refuse_stack("its state is the stack's table; --engine aws runs it there")?;
        }
        (None, Some(EngineName::Aws)) => {
            return Err(Failed::usage(
                "this folder belongs to no stack: `deskup init --aws STACK` connects it to one",
            ));
        }
        (None, _) => {}
    }
    let file = args.plan.as_deref().map(read).transpose()?;
    machine::runtime()?.block_on(async {
        // Settings first: a folder without any gets no state.
        installation.settings()?;
        let store = installation.store().await?;
        // Other commands look at the state while this one runs.
        #[cfg(unix)]
        let _lending = store.lend().ok();
        // No webhook comes in a run, so no write waits for one.
        let local = machine::connect_with(&installation, store, |options| {
            (options.confirm_within_ms, options.alone) = (0, true);
        })
        .await?;
        let bar = Arc::new(Bar::new(args.json));
        listen(&local, &bar);
        let work = async {
            match (&file, args.workflow) {
                (Some(file), _) => run::planned(&local, file, bar.as_ref()).await,
                (None, Workflow::TicketSync) => run::unplanned(&local, bar.as_ref()).await,
                (None, Workflow::Sweep) => run::swept(&local, bar.as_ref()).await,
            }
        };
        let result = bar.beside(&local.cx, work).await;
        bar.clear();
        let report = result.map_err(|error| refused(args, error))?;
        finish(args, &report)
    })
}

/// The first Ctrl-C finishes what is in flight; the second one ends the process where it stands. Either way the
/// same command goes on from there.
fn listen(local: &Local, bar: &Arc<Bar>) {
    let (cx, bar) = (local.cx.clone(), bar.clone());
    tokio::spawn(async move {
        if signals::stopped().await.is_err() {
            return;
        }
        cx.halt.ask();
        cx.resources.wait_no_longer();
        bar.say("stopping: what is in flight is finished first; Ctrl-C again ends at once");
        if signals::stopped().await.is_ok() {
            bar.clear();
            terminal::talk("deskup: ended at once; the same command goes on from there");
            std::process::exit(ABORTED);
        }
    });
}

fn read(path: &Path) -> anyhow::Result<PlanFile> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failed::usage(format!("the plan {} cannot be read: {error}", path.display())))?;
    PlanFile::read(&text).map_err(|error| {
        Failed::usage(format!("{}: {error}; make one with `deskup plan --out FILE`", path.display()))
    })
}

/// Why a run did not begin or broke off, with what to do.
fn refused(args: &RunArgs, error: RunError) -> anyhow::Error {
    match error {
        RunError::Unconfirmed { writes } => Failed::usage(format!(
            "this run would make {} changes, and nobody has confirmed them under these settings \
             (up to {UNCONFIRMED_WRITES_MAX} need no plan). Look at them first:\n\
             \x20 deskup plan --out plan.json\n\
             \x20 deskup run ticket-sync --plan plan.json",
            terminal::number(writes)
        )),
        RunError::NeverRun => Failed::usage(
            "nothing has been brought over under these settings yet: `deskup run ticket-sync` comes first",
        ),
        RunError::Unfit(why) => {
            let file = args.plan.as_deref().unwrap_or(Path::new("plan.json")).display();
            Failed::usage(format!("{file}: {why}. Make a new plan: deskup plan --out {file}"))
        }
        RunError::Sync(SyncError::Paused(why)) => {
            Failed::result(format!("deskup is paused: {why}; `deskup status` tells more"))
        }
        RunError::Sync(SyncError::Api(error)) if error.kind == ErrorKind::Auth => {
            Failed::usage(format!("the credentials are no longer accepted: {error}"))
        }
        RunError::Sync(SyncError::Store(error)) => Failed::store(&error),
        other => other.into(),
    }
}

/// Says what came of it; a result that is not good is an error with its exit code.
fn finish(args: &RunArgs, report: &Report) -> anyhow::Result<()> {
    let next = match (&report.next, &args.plan) {
        (Some(next), Some(path)) => {
            let path = next_to(path);
            plan::write(&path, next)?;
            Some(path)
        }
        _ => None,
    };
    if args.json {
        terminal::data(&facts(report, next.as_deref()).to_string());
    } else {
        terminal::data(&words(report, next.as_deref()));
    }
    if report.stopped {
        return Err(Failed::result("stopped before the end; the same command goes on from here"));
    }
    if let (false, Some(next)) = (report.left.is_empty(), next) {
        let next = next.display();
        return Err(Failed::result(format!(
            "{} of the plan changed meanwhile and were left out; look at {next} and run\n\
             \x20 deskup run ticket-sync --plan {next}",
            tickets(report.left.len())
        )));
    }
    if report.set_aside > 0 {
        return Err(Failed::result(format!(
            "{} records are set aside; `deskup status` tells why",
            report.set_aside
        )));
    }
    Ok(())
}

/// `plan.json` is followed by `plan.next.json`.
fn next_to(path: &Path) -> PathBuf {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = stem.strip_suffix(".next").unwrap_or(&stem);
    path.with_file_name(format!("{stem}.next.json"))
}

fn tickets(count: usize) -> String {
    if count == 1 { "1 ticket".to_owned() } else { format!("{count} tickets") }
}

fn facts(report: &Report, next: Option<&Path>) -> serde_json::Value {
    let left: Vec<_> =
        report.left.iter().map(|(ticket, why)| json!({ "ticket": ticket, "why": why })).collect();
    json!({
        "changes": report.writes,
        "linked": report.linked,
        "left_out": left,
        "not_in_plan": report.unplanned,
        "set_aside": report.set_aside,
        "stopped": report.stopped,
        "next_plan": next.map(|path| path.display().to_string()),
    })
}

fn words(report: &Report, next: Option<&Path>) -> String {
    let mut text = format!(
        "{} changes made; {} linked.",
        terminal::number(report.writes),
        tickets(usize::try_from(report.linked).unwrap_or(usize::MAX))
    );
    if !report.left.is_empty() {
        text.push_str("\n\nLeft out:\n");
        let rows: Vec<Vec<String>> =
            report.left.iter().map(|(ticket, why)| vec![ticket.to_string(), why.clone()]).collect();
        text.push_str(&terminal::table(&["ticket", "why"], &rows));
    }
    if let Some(next) = next {
        text.push_str(&format!("\n\nWhat is still to be done is planned in {}.", next.display()));
    }
    if report.unplanned > 0 {
        text.push_str(&format!("\n{} more are not in the plan.", tickets_of(report.unplanned)));
    }
    text
}

fn tickets_of(count: u64) -> String {
    tickets(usize::try_from(count).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_plan_lies_beside_the_one_before() {
        assert_eq!(next_to(Path::new("a/plan.json")), Path::new("a/plan.next.json"));
        assert_eq!(next_to(Path::new("plan.next.json")), Path::new("plan.next.json"));
        assert_eq!(next_to(Path::new("monday")), Path::new("monday.next.json"));
    }
}
