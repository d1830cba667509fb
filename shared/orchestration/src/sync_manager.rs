//! Sync now: one record is brought in step at once, and whoever asks waits for the result or a clear failure. One sync
//! at a time per record: who asks while one runs gets the answer of that one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use asl::CompiledWorkflow;
use clients::Lane;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use serde_json::json;
use stores::WorkKey;

use crate::engine::{Engine, EngineError, Outcome, Start};
use crate::orchestrator::WorkflowOrchestrator;

/// What came of a sync that was waited for.
#[derive(Clone, Debug, PartialEq)]
pub enum Synced {
    /// The record was served by this execution.
    Done {
        /// Its id.
        execution: String,
    },
    /// There was nothing to serve: nothing is known to have changed, the lane is paused, or another execution has the
    /// record in work.
    Nothing {
        /// The execution that looked.
        execution: String,
    },
}

/// Why a record was not brought in step in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSynced {
    /// It takes longer than the caller waits; it goes on by itself.
    #[error("{record} was not brought in step within {within_ms} ms; the work goes on by itself")]
    Late {
        /// The record.
        record: String,
        /// How long it was waited for.
        within_ms: u64,
    },
    /// The execution failed.
    #[error("{record} was not brought in step: execution {execution} ended as {status} ({error})")]
    Failed {
        /// The record.
        record: String,
        /// The execution.
        execution: String,
        /// As the engine says.
        status: String,
        /// The failure's name.
        error: String,
    },
    /// The execution could not be started.
    #[error("{record} was not brought in step: {why}")]
    NotStarted {
        /// The record.
        record: String,
        /// Why, without text of tickets.
        why: String,
    },
}

type Answer = Result<Synced, NotSynced>;
type Running = Shared<BoxFuture<'static, Answer>>;

/// Runs and waits, once per record at a time.
pub struct SyncManager<E: Engine + 'static> {
    orchestrator: Arc<WorkflowOrchestrator<E>>,
    workflow: CompiledWorkflow,
    running: Arc<Mutex<BTreeMap<WorkKey, Running>>>,
}

impl<E: Engine + 'static> SyncManager<E> {
    /// A manager over this engine. The workflow takes a lane, a limit and a record, and tells how many rows it claimed:
    /// `ticket-sync-live`. On Step Functions it is Express, so that one request starts it and waits for its end.
    pub fn new(orchestrator: WorkflowOrchestrator<E>, workflow: CompiledWorkflow) -> Self {
        Self { orchestrator: Arc::new(orchestrator), workflow, running: Arc::default() }
    }

    /// Brings one record in step and waits for it, at most so long. A second call for the same record while the first
    /// runs starts nothing and has the same answer; another process is kept out by the claim of the record's row.
    pub async fn sync_now(&self, record: &WorkKey, actor: &str, within: Duration) -> Answer {
        let running = self.join(record, actor);
        // By itself: it goes on when nobody waits any longer.
        let waited = tokio::spawn(running);
        match tokio::time::timeout(within, waited).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(NotSynced::NotStarted {
                record: record.to_string(),
                why: "the process broke off".to_owned(),
            }),
            Err(_) => Err(NotSynced::Late {
                record: record.to_string(),
                within_ms: u64::try_from(within.as_millis()).unwrap_or(u64::MAX),
            }),
        }
    }

    /// Records in work.
    pub fn in_work(&self) -> Vec<WorkKey> {
        lock(&self.running).keys().cloned().collect()
    }

    fn join(&self, record: &WorkKey, actor: &str) -> Running {
        let mut running = lock(&self.running);
        if let Some(other) = running.get(record) {
            return other.clone();
        }
        let (orchestrator, workflow) = (self.orchestrator.clone(), self.workflow.clone());
        let (all, record, actor) = (self.running.clone(), record.clone(), actor.to_owned());
        let key = record.clone();
        let run = async move {
            let answer = run(&orchestrator, &workflow, &record, actor).await;
            lock(&all).remove(&record);
            answer
        };
        let run = run.boxed().shared();
        running.insert(key, run.clone());
        run
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // Entries are put in and taken out whole, so a panic in between leaves a valid map.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn run<E: Engine>(
    orchestrator: &WorkflowOrchestrator<E>,
    workflow: &CompiledWorkflow,
    record: &WorkKey,
    actor: String,
) -> Answer {
    let start = Start { name: None, trigger: "person".to_owned(), actor, lane: Lane::Urgent };
    let input = json!({ "lane": Lane::Urgent.name(), "limit": 1, "record": record.to_string() });
    match orchestrator.execute(workflow, input, start).await {
        Ok(outcome) => answer(record, outcome),
        Err(error) => Err(NotSynced::NotStarted { record: record.to_string(), why: told(&error) }),
    }
}

fn answer(record: &WorkKey, outcome: Outcome) -> Answer {
    if !outcome.succeeded() {
        return Err(NotSynced::Failed {
            record: record.to_string(),
            execution: outcome.execution,
            status: outcome.status,
            error: outcome.error.unwrap_or_else(|| "no failure's name".to_owned()),
        });
    }
    let claimed = outcome.output.as_ref().and_then(|output| output["claimed"].as_u64()).unwrap_or_default();
    Ok(match claimed {
        0 => Synced::Nothing { execution: outcome.execution },
        _ => Synced::Done { execution: outcome.execution },
    })
}

/// The error with what is behind it.
fn told(error: &EngineError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
