//! `deskup run` on a stack: starts the backfill there, shows how it goes, and tells what came of it. Ctrl-C leaves it
//! running.

use std::time::Duration;

use clients::Lane;
use domain::Settings;
use functions::run::generation;
use functions::steps::backfill_page::{self, Place};
use orchestration::{EngineError, Start, WorkflowOrchestrator};
use serde_json::json;
use statemachines::TicketSyncWorkflow;
use stores::Store;

use super::link::Link;
use crate::failure::Failed;
use crate::{signals, terminal};

/// Executions that are brought up to date before somebody looks at them.
const NEWEST: usize = 40;

/// How often progress is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// Starts the backfill on the stack, or joins the one that runs, and waits for its end.
pub async fn backfill(link: &Link, settings: &Settings, as_json: bool) -> anyhow::Result<()> {
    let store = link.store().await?;
    if store.configuration().get().await.map_err(|error| Failed::store(&error))?.is_none() {
        return Err(Failed::usage(format!(
            "the stack {} has no settings yet: run `deskup push`",
            link.stack
        )));
    }
    let orchestrator = WorkflowOrchestrator::new(link.engine(&store).await?);
    let workflow = TicketSyncWorkflow::new();
    let generation = generation(&store, &settings.digest()).await.map_err(|error| Failed::store(&error))?;
    // A run that ended before the export did goes on under another name.
    let attempt = store.cursors().get(backfill_page::STREAM).await?.map_or(0, |cursor| cursor.ver);
    let name = format!("{}-{generation}-{attempt}", workflow.backfill().name);
    let start = Start {
        name: Some(name.clone()),
        trigger: "person".to_owned(),
        actor: "deskup".to_owned(),
        lane: Lane::Backfill,
    };
    let started = orchestrator.start(workflow.backfill(), json!({ "generation": generation }), start).await;
    match started {
        Ok(_) => {}
        Err(EngineError::NameTaken(_)) if !as_json => {
            terminal::talk("this backfill runs already; joining it")
        }
        Err(EngineError::NameTaken(_)) => {}
        Err(error) => return Err(Failed::result(error.to_string())),
    }
    let outcome = tokio::select! {
        biased;
        stopped = signals::stopped() => {
            stopped?;
            return Err(Failed::result(format!(
                "no longer watched; execution {name} goes on in the stack, `deskup status` tells how it goes"
            )));
        }
        outcome = watched(&orchestrator, &store, &name, as_json) => outcome?,
    };
    let seen = seen(&store).await?;
    if as_json {
        let view = json!({ "execution": name, "status": outcome, "tickets": seen });
        terminal::data(&view.to_string());
    } else {
        terminal::data(&format!("{outcome}: {seen} tickets looked at."));
    }
    if outcome == "SUCCEEDED" {
        Ok(())
    } else {
        Err(Failed::result(format!("execution {name} ended as {outcome}")))
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
    let cursor = store.cursors().get(backfill_page::STREAM).await.map_err(|error| Failed::store(&error))?;
    let place = cursor.and_then(|cursor| serde_json::from_str::<Place>(&cursor.text).ok());
    Ok(place.map_or(0, |place| place.seen))
}

async fn watched(
    orchestrator: &WorkflowOrchestrator<orchestration::StepFunctionsEngine>,
    store: &Store,
    name: &str,
    as_json: bool,
) -> anyhow::Result<String> {
    let mut told = String::new();
    loop {
        let row = orchestrator.describe(name).await.map_err(|error| Failed::result(error.to_string()))?;
        let Some(row) = row else { return Err(Failed::result(format!("execution {name} is gone"))) };
        if row.status != "RUNNING" {
            return Ok(row.status);
        }
        if !as_json {
            let line = format!("{} tickets looked at", seen(store).await?);
            if line != told {
                terminal::talk(&line);
                told = line;
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
