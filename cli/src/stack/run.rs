//! `deskup run` on a stack: starts the backfill or a sweep there, shows how it goes, and tells what came of it. Ctrl-C leaves it
//! running.

use std::time::Duration;

use asl::CompiledWorkflow;
use clients::Lane;
use domain::Settings;
use functions::backfill::{self, Place};
use functions::run::generation;
use functions::sync::compare;
use orchestration::{EngineError, Start, StepFunctionsEngine, WorkflowOrchestrator};
use serde_json::{Value as Json, json};
use statemachines::TicketSyncWorkflow;
use statemachines::steps::COMPARE_LINKS;
use stores::Store;

use super::link::Link;
use crate::failure::Failed;
use crate::{signals, terminal};

/// Executions that are brought up to date before somebody looks at them.
const NEWEST: usize = 40;

/// How often progress is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(3);

type Orchestrator = WorkflowOrchestrator<StepFunctionsEngine>;

/// Starts the backfill on the stack, or joins the one that runs, and waits for its end.
pub async fn backfill(link: &Link, settings: &Settings, as_json: bool) -> anyhow::Result<()> {
    let store = ready(link).await?;
    let orchestrator = WorkflowOrchestrator::new(link.engine(&store).await?);
    let workflow = TicketSyncWorkflow::new();
    let generation = generation(&store, &settings.digest()).await.map_err(|error| Failed::store(&error))?;
    // A run that ended before the export did goes on under another name.
    let attempt = store.cursors().get(backfill::STREAM).await?.map_or(0, |cursor| cursor.ver);
    let name = format!("{}-{generation}-{attempt}", workflow.backfill().name);
    let input = json!({ "generation": generation });
    begin(&orchestrator, workflow.backfill(), input, &name, Lane::Backfill, as_json).await?;
    watched(&orchestrator, &name, as_json, async || seen(&store).await).await
}

/// Compares all linked pairs on the stack, or joins the sweep that does, and waits for its end.
pub async fn sweep(link: &Link, as_json: bool) -> anyhow::Result<()> {
    let store = ready(link).await?;
    let orchestrator = WorkflowOrchestrator::new(link.engine(&store).await?);
    let workflow = TicketSyncWorkflow::new();
    let name = |round: u64| format!("{}-{round}", workflow.sweep().name);
    let last = compare::round(&store).await.map_err(|error| Failed::store(&error))?.map(name);
    let running = match &last {
        Some(last) => orchestrator.describe(last).await.map_err(|error| Failed::result(error.to_string()))?,
        None => None,
    };
    let name = match running {
        Some(row) if row.status == "RUNNING" => {
            if !as_json {
                terminal::talk("a sweep runs already; joining it");
            }
            row.id
        }
        _ => {
            let round = compare::begin(&store).await.map_err(|error| Failed::store(&error))?;
            let segments = compare::segments(&store, round).await.map_err(|error| Failed::store(&error))?;
            let name = name(round);
            let input = json!({ "segments": segments });
            begin(&orchestrator, workflow.sweep(), input, &name, Lane::Reconcile, as_json).await?;
            name
        }
    };
    let executions = store.executions();
    let calls = async || {
        let row = executions.get(&name).await.map_err(|error| Failed::store(&error))?;
        Ok(row.and_then(|row| row.counts.get(COMPARE_LINKS.name()).copied()).unwrap_or_default())
    };
    watched(&orchestrator, &name, as_json, calls).await
}

/// The stack's table, once it has settings.
async fn ready(link: &Link) -> anyhow::Result<Store> {
    let store = link.store().await?;
    match store.configuration().get().await.map_err(|error| Failed::store(&error))? {
        Some(_) => Ok(store),
        None => {
            Err(Failed::usage(format!("the stack {} has no settings yet: run `deskup push`", link.stack)))
        }
    }
}

async fn begin(
    orchestrator: &Orchestrator,
    workflow: &CompiledWorkflow,
    input: Json,
    name: &str,
    lane: Lane,
    as_json: bool,
) -> anyhow::Result<()> {
    let start =
        Start { name: Some(name.to_owned()), trigger: "person".to_owned(), actor: "deskup".to_owned(), lane };
    match orchestrator.start(workflow, input, start).await {
        Ok(_) => Ok(()),
        Err(EngineError::NameTaken(_)) => {
            if !as_json {
                terminal::talk("this execution runs already; joining it");
            }
            Ok(())
        }
        Err(error) => Err(Failed::result(error.to_string())),
    }
}

/// Executions of a stack end without anybody here: their rows are brought up to date.
pub async fn catch_up(link: &Link, store: &Store) -> anyhow::Result<()> {
    let orchestrator = WorkflowOrchestrator::new(link.engine(store).await?);
    orchestrator.list(NEWEST).await.map_err(|error| Failed::result(error.to_string()))?;
    Ok(())
}

/// Tickets that the backfill has looked at.
async fn seen(store: &Store) -> anyhow::Result<u64> {
    let cursor = store.cursors().get(backfill::STREAM).await.map_err(|error| Failed::store(&error))?;
    let place = cursor.and_then(|cursor| serde_json::from_str::<Place>(&cursor.text).ok());
    Ok(place.map_or(0, |place| place.seen))
}

/// Waits for the end of an execution and says what came of it; what is counted is told on the way.
async fn watched(
    orchestrator: &Orchestrator,
    name: &str,
    as_json: bool,
    count: impl AsyncFn() -> anyhow::Result<u64>,
) -> anyhow::Result<()> {
    let outcome = tokio::select! {
        biased;
        stopped = signals::stopped() => {
            stopped?;
            return Err(Failed::result(format!(
                "no longer watched; execution {name} goes on in the stack, `deskup status` tells how it goes"
            )));
        }
        outcome = ended(orchestrator, name, as_json, &count) => outcome?,
    };
    let (what, count) = (counted(name), count().await?);
    if as_json {
        let mut view = json!({ "execution": name, "status": outcome });
        view[what.0] = count.into();
        terminal::data(&view.to_string());
    } else {
        terminal::data(&format!("{outcome}: {count} {}.", what.1));
    }
    if outcome == "SUCCEEDED" {
        Ok(())
    } else {
        Err(Failed::result(format!("execution {name} ended as {outcome}")))
    }
}

/// What is counted of an execution: for machines and for people.
fn counted(name: &str) -> (&'static str, &'static str) {
    if name.starts_with("ticket-sync-sweep") {
        ("calls", "calls that compared links")
    } else {
        ("tickets", "tickets looked at")
    }
}

async fn ended(
    orchestrator: &Orchestrator,
    name: &str,
    as_json: bool,
    count: &impl AsyncFn() -> anyhow::Result<u64>,
) -> anyhow::Result<String> {
    let mut told = String::new();
    loop {
        let row = orchestrator.describe(name).await.map_err(|error| Failed::result(error.to_string()))?;
        let Some(row) = row else { return Err(Failed::result(format!("execution {name} is gone"))) };
        if row.status != "RUNNING" {
            return Ok(row.status);
        }
        if !as_json {
            let line = format!("{} {}", count().await?, counted(name).1);
            if line != told {
                terminal::talk(&line);
                told = line;
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
