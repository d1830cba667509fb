//! Executions in this process: the runner executes the compiled definition, and each Task state calls its step
//! directly. Progress is written to the store, at most once a second per execution.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use asl::{CompiledWorkflow, Kind};
use clients::Clock;
use futures::FutureExt;
use futures::future::{AbortHandle, Abortable, BoxFuture};
use runner::{Options, Stop};
use serde_json::Value;
use stores::executions::{ABANDONED, ExecutionRow};
use stores::{Store, StoreError};
use tokio::task::JoinHandle;

use crate::context::Random;
use crate::engine::continuing::{Continuing, Part, continued_in};
use crate::engine::steps::Steps;
use crate::engine::{Engine, EngineError, Event, Outcome, Start, Totals, not_offered, store};
use crate::registry::Registry;
use crate::workflow_state::WorkflowState;

/// How often the last word on an execution is written before it is given up.
const LAST_WORD_ATTEMPTS: u32 = 5;

/// How many rows are looked at for executions that a killed process left behind.
const ABANDONED_LOOK: usize = 100;

/// Runs executions in this process.
pub struct EmbeddedEngine(Arc<Shared>);

/// What executions share. A spawned execution holds it by itself.
pub(super) struct Shared {
    registry: Registry,
    store: Store,
    clock: Arc<dyn Clock>,
    random: Random,
    incarnation: u64,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    started: u64,
    running: BTreeMap<String, Running>,
    spawned: BTreeMap<String, JoinHandle<Result<Outcome, EngineError>>>,
    totals: BTreeMap<String, Totals>,
}

/// An execution that runs now.
#[derive(Clone)]
pub(super) struct Running {
    stop: Stop,
    abort: AbortHandle,
}

/// Takes an execution off the list of running ones, also when its future is dropped in the middle.
pub(super) struct Admitted {
    shared: Arc<Shared>,
    id: String,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.shared.lock().running.remove(&self.id);
    }
}

impl EmbeddedEngine {
    /// An engine over these steps. The seed and the incarnation make every execution's randomness its own.
    pub fn new(
        registry: Registry,
        store: Store,
        clock: Arc<dyn Clock>,
        seed: u64,
        incarnation: u64,
    ) -> Arc<Self> {
        let random = Random::seeded(seed ^ incarnation.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let inner = Mutex::default();
        Arc::new(Self(Arc::new(Shared { registry, store, clock, random, incarnation, inner })))
    }

    /// Executions that run now.
    pub fn running(&self) -> usize {
        self.0.lock().running.len()
    }

    /// Totals by workflow since this engine began.
    pub fn totals(&self) -> BTreeMap<String, Totals> {
        self.0.lock().totals.clone()
    }

    /// Drops every execution where it stands and writes nothing: what `kill -9` would do to them.
    pub fn abort_all(&self) {
        // Handles are taken out first: a dropped execution takes itself off the list, under the same lock.
        let (running, spawned) = {
            let mut inner = self.0.lock();
            (std::mem::take(&mut inner.running), std::mem::take(&mut inner.spawned))
        };
        running.values().for_each(|running| running.abort.abort());
        spawned.values().for_each(JoinHandle::abort);
    }

    /// Closes the rows of executions that an earlier process left behind as running. Gives their ids: whoever
    /// calls this decides what to start again.
    pub async fn close_abandoned(&self) -> Result<Vec<ExecutionRow>, EngineError> {
        let executions = self.0.store.executions();
        let kept = |execution: &str| {
            let execution = execution.to_owned();
            move |source| EngineError::Store { execution, source }
        };
        let mut closed = Vec::new();
        for mut row in executions.list(ABANDONED_LOOK).await.map_err(kept("list"))? {
            if row.status != "RUNNING" || self.0.lock().running.contains_key(&row.id) {
                continue;
            }
            "ABORTED".clone_into(&mut row.status);
            row.error = Some(ABANDONED.to_owned());
            row.cause = Some("the process ended before the execution did".to_owned());
            row.ended_ms = Some(self.0.clock.now_ms());
            executions.update(&row).await.map_err(kept(&row.id))?;
            closed.push(row);
        }
        Ok(closed)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic between two field writes leaves counts that are off by one, no broken structure.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of an execution that is about to start. Its place is taken as soon as this returns.
    fn admit(
        self: &Arc<Self>,
        workflow: &CompiledWorkflow,
        name: Option<&str>,
        running: Running,
    ) -> Result<Admitted, EngineError> {
        let mut inner = self.lock();
        inner.started += 1;
        let number = inner.started;
        let made_up = || format!("{}-{}-{number}", workflow.name, self.incarnation);
        let id = name.map_or_else(made_up, str::to_owned);
        if inner.running.contains_key(&id) {
            return Err(EngineError::NameTaken(id));
        }
        inner.running.insert(id.clone(), running);
        Ok(Admitted { shared: Arc::clone(self), id })
    }

    /// Takes the place of the execution that follows a running one; none if the name is taken.
    pub(super) fn admit_next(self: &Arc<Self>, after: &str, name: &str) -> Option<Admitted> {
        let mut inner = self.lock();
        let running = inner.running.get(after)?.clone();
        if inner.running.contains_key(name) {
            return None;
        }
        inner.running.insert(name.to_owned(), running);
        Some(Admitted { shared: Arc::clone(self), id: name.to_owned() })
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Writes the row of a new execution; `Stale` if the name is taken.
    pub(super) async fn put(&self, state: &WorkflowState) -> Result<(), StoreError> {
        self.store.executions().put(&state.row()).await
    }

    fn count(&self, workflow: &CompiledWorkflow, add: impl FnOnce(&mut Totals)) {
        let mut inner = self.lock();
        let totals = inner.totals.entry(workflow.name.clone()).or_default();
        totals.express = workflow.kind == Kind::Express;
        add(totals);
    }

    /// Admits an execution, then runs it where the future is polled.
    async fn run(
        self: Arc<Self>,
        workflow: &CompiledWorkflow,
        input: Value,
        start: Start,
    ) -> Result<Outcome, EngineError> {
        let (abort, registration) = AbortHandle::new_pair();
        let stop = Stop::default();
        let admitted = self.admit(workflow, start.name.as_deref(), Running { stop: stop.clone(), abort })?;
        let id = admitted.id.clone();
        let run = self.drive(workflow, input, start, None, admitted, stop);
        Abortable::new(run, registration).await.unwrap_or(Err(EngineError::Dropped(id)))
    }

    /// Admits an execution and lets it run by itself.
    fn spawn(
        self: &Arc<Self>,
        workflow: &CompiledWorkflow,
        input: Value,
        start: Start,
        of: Option<&ExecutionRow>,
    ) -> Result<String, EngineError> {
        let (abort, registration) = AbortHandle::new_pair();
        let stop = Stop::default();
        let shared = Arc::clone(self);
        let admitted =
            shared.admit(workflow, start.name.as_deref(), Running { stop: stop.clone(), abort })?;
        let id = admitted.id.clone();
        let (workflow, dropped, of) = (workflow.clone(), id.clone(), of.cloned());
        let spawned = tokio::spawn(async move {
            let run = shared.drive(&workflow, input, start, of.as_ref(), admitted, stop);
            Abortable::new(run, registration).await.unwrap_or(Err(EngineError::Dropped(dropped)))
        });
        let mut inner = self.lock();
        // Nobody has to wait: what is over is read from its row.
        inner.spawned.retain(|_, spawned| !spawned.is_finished());
        inner.spawned.insert(id.clone(), spawned);
        drop(inner);
        Ok(id)
    }

    async fn drive(
        &self,
        workflow: &CompiledWorkflow,
        input: Value,
        start: Start,
        of: Option<&ExecutionRow>,
        admitted: Admitted,
        stop: Stop,
    ) -> Result<Outcome, EngineError> {
        let first = admitted.id.clone();
        let state = WorkflowState::begin(&first, workflow, &input, &start, self.clock.now_ms()).again(of);
        let state = Arc::new(state);
        self.put(&state).await.map_err(|source| match source {
            StoreError::Stale { .. } => EngineError::NameTaken(first.clone()),
            source => EngineError::Store { execution: first, source },
        })?;
        // The first one's place is kept until the last one ends: by its name all of them are stopped.
        let shared = Arc::clone(&admitted.shared);
        let (mut part, mut earlier) = (Part { admitted, state, input }, Vec::new());
        let mut before = 0;
        loop {
            let continuing = Continuing::new(Arc::clone(&shared), workflow, &start);
            let mut outcome = self.drive_part(&part, &stop, &continuing).await;
            outcome.transitions += before;
            match continuing.take() {
                Some(next) if outcome.succeeded() => {
                    before = outcome.transitions;
                    earlier.push(std::mem::replace(&mut part, next).admitted);
                    earlier.truncate(1);
                }
                // One that was asked for by an execution that then failed is left to whoever looks at rows.
                _ => return Ok(outcome),
            }
        }
    }

    /// Runs one of the executions that follow each other.
    async fn drive_part(&self, part: &Part, stop: &Stop, continuing: &Continuing<'_>) -> Outcome {
        let (id, state, input) = (part.admitted.id.clone(), &part.state, part.input.clone());
        let answers_from = state.row().answers_from;
        let (workflow, start) = (continuing.workflow, continuing.start);
        self.count(workflow, |totals| totals.executions += 1);
        let clock = self.clock.clone();
        let mut options = Options::new(workflow.kind, &workflow.name, &id, Arc::new(move || clock.now_ms()));
        options.seed = self.random.next_u64();
        options.history = false;
        options.stop = stop.clone();
        options.observer = Some(state.clone());
        let tasks = Steps {
            registry: &self.registry,
            store: &self.store,
            clock: &self.clock,
            random: self.random.fork(),
            workflow: &workflow.name,
            start,
            state,
            continuing,
            answers_from: &answers_from,
            keeps_progress: workflow.kind == Kind::Standard,
            calls: AtomicU64::new(0),
            calls_ms: AtomicU64::new(0),
        };
        let end = runner::run(&workflow.typed, input, options, &tasks).await;
        self.count(workflow, |totals| {
            totals.transitions += end.transitions;
            totals.ran_ms += u64::try_from(end.ended_ms - end.started_ms).unwrap_or(0);
            totals.calls += tasks.calls.load(Ordering::Relaxed);
            totals.calls_ms += tasks.calls_ms.load(Ordering::Relaxed);
        });
        state.end(&end);
        self.last_word(&state.row()).await;
        Outcome {
            execution: id,
            status: end.status.name().to_owned(),
            output: end.output,
            error: end.error,
            cause: end.cause,
            transitions: end.transitions,
        }
    }

    /// Writes how an execution ended. The work is done either way, so a store in trouble does not turn its
    /// outcome into an error: the row then reads as abandoned.
    async fn last_word(&self, row: &ExecutionRow) {
        for attempt in 1..=LAST_WORD_ATTEMPTS {
            match self.store.executions().update(row).await {
                Ok(_) => return,
                Err(error) => {
                    tracing::debug!(execution = %row.id, attempt, %error, "the end was not written")
                }
            }
            tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 100)).await;
        }
        tracing::warn!(execution = %row.id, "its row still reads as running");
    }
}

impl Engine for EmbeddedEngine {
    fn start<'a>(
        &'a self,
        workflow: &'a CompiledWorkflow,
        input: Value,
        start: Start,
    ) -> BoxFuture<'a, Result<String, EngineError>> {
        std::future::ready(self.0.spawn(workflow, input, start, None)).boxed()
    }

    fn start_again<'a>(
        &'a self,
        workflow: &'a CompiledWorkflow,
        input: Value,
        start: Start,
        of: &'a ExecutionRow,
    ) -> BoxFuture<'a, Result<String, EngineError>> {
        std::future::ready(self.0.spawn(workflow, input, start, Some(of))).boxed()
    }

    fn wait<'a>(&'a self, execution: &'a str) -> BoxFuture<'a, Result<Outcome, EngineError>> {
        async move {
            let spawned = self.0.lock().spawned.remove(execution);
            if let Some(spawned) = spawned {
                return spawned.await.unwrap_or(Err(EngineError::Dropped(execution.to_owned())));
            }
            match self.describe(execution).await? {
                None => Err(EngineError::Unknown(execution.to_owned())),
                Some(row) if row.status == "RUNNING" => Err(EngineError::Dropped(row.id)),
                Some(row) if continued_in(&row).is_some() => {
                    self.wait(&continued_in(&row).unwrap_or_default()).await
                }
                Some(row) => Ok(Outcome::of(row)),
            }
        }
        .boxed()
    }

    fn run<'a>(
        &'a self,
        workflow: &'a CompiledWorkflow,
        input: Value,
        start: Start,
    ) -> BoxFuture<'a, Result<Outcome, EngineError>> {
        Arc::clone(&self.0).run(workflow, input, start).boxed()
    }

    fn describe<'a>(
        &'a self,
        execution: &'a str,
    ) -> BoxFuture<'a, Result<Option<ExecutionRow>, EngineError>> {
        async move { self.0.store.executions().get(execution).await.map_err(store(execution)) }.boxed()
    }

    fn list(&self, limit: usize) -> BoxFuture<'_, Result<Vec<ExecutionRow>, EngineError>> {
        async move { self.0.store.executions().list(limit).await.map_err(store("list")) }.boxed()
    }

    fn stop<'a>(&'a self, execution: &'a str) -> BoxFuture<'a, Result<bool, EngineError>> {
        let inner = self.0.lock();
        let running = inner.running.get(execution);
        let stopped = running.inspect(|running| running.stop.stop(None, None)).is_some();
        std::future::ready(Ok(stopped)).boxed()
    }

    fn history<'a>(&'a self, _execution: &'a str) -> BoxFuture<'a, Result<Vec<Event>, EngineError>> {
        not_offered("the embedded engine keeps no history; `deskup status` and the logs tell")
    }

    fn redrive<'a>(&'a self, _execution: &'a str) -> BoxFuture<'a, Result<(), EngineError>> {
        not_offered("start the workflow again: it goes on where its cursors are")
    }
}
