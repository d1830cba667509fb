//! Starts executions: for due work rows, for the polls, for a backfill. On one machine it is a loop; a double
//! start is harmless, because every execution claims its rows by condition.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use orchestration::task_scheduler::{Next, TaskScheduler};
use orchestration::{EmbeddedEngine, EngineError, Halt, Outcome, Start, WorkflowOrchestrator};
use serde_json::json;
use statemachines::ticket_sync::TicketSyncWorkflow;
use stores::{Lane, StoreError, WorkKey};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::Context;
use crate::sync::compare;

/// Executions of a lane at once. Each lane has its own, so that none waits for another's to end.
fn running_max(lane: Lane) -> usize {
    match lane {
        Lane::Urgent | Lane::Live => 3,
        Lane::Reconcile => 2,
        Lane::Backfill | Lane::Report => 1,
    }
}

/// How long a lane is left alone that is paused or cannot be read.
const PAUSE_MS: i64 = 5_000;

/// How often the lanes are looked at whose rows nobody waits for.
const RARE_EVERY_MS: i64 = 10 * 60_000;

/// The loop looks at most this often, so that one burst starts one execution.
const TICK_MS: u64 = 250;

/// How often the polls run.
pub const POLL_EVERY_MS: i64 = 60_000;

/// How often all pairs are compared.
pub const SWEEP_EVERY_MS: i64 = 7 * 24 * 3_600_000;

/// Why no sweep could be started.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The links could not be read.
    #[error(transparent)]
    Links(#[from] StoreError),
    /// The execution could not be started.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Starts executions on one machine.
pub struct Dispatcher {
    cx: Arc<Context>,
    orchestrator: WorkflowOrchestrator<EmbeddedEngine>,
    workflow: TicketSyncWorkflow,
    wake: Notify,
    stopping: AtomicBool,
    running: AtomicUsize,
    /// Executions that serve rows, by lane.
    serving: [AtomicUsize; Lane::ALL.len()],
}

impl Dispatcher {
    /// A dispatcher over an engine whose registry holds the steps of the same context.
    pub fn new(cx: Arc<Context>, engine: Arc<EmbeddedEngine>) -> Arc<Self> {
        Arc::new(Self {
            cx,
            orchestrator: WorkflowOrchestrator::new(engine),
            workflow: TicketSyncWorkflow::new(),
            wake: Notify::new(),
            stopping: AtomicBool::new(false),
            running: AtomicUsize::new(0),
            serving: Default::default(),
        })
    }

    /// Looks for due rows soon: something was hinted.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Ends the loop in order: what runs is finished, nothing new is started.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// Whether an execution other than the loop itself runs.
    pub fn is_running(&self) -> bool {
        self.running.load(Ordering::SeqCst) > 0
    }

    /// Brings every ticket over.
    pub async fn backfill(&self, generation: u64) -> Result<Outcome, EngineError> {
        let start = Start {
            name: None,
            trigger: "person".to_owned(),
            actor: "deskup".to_owned(),
            lane: Lane::Backfill,
        };
        let input = json!({ "generation": generation });
        self.orchestrator.execute(self.workflow.backfill(), input, start).await
    }

    /// As [`Dispatcher::backfill`], but when a person asks for a stop, what is in flight is finished and the rest
    /// is left for the next time: then there is no outcome.
    pub async fn backfill_until_halted(&self, generation: u64) -> Result<Option<Outcome>, EngineError> {
        let start = Start {
            name: None,
            trigger: "person".to_owned(),
            actor: "deskup".to_owned(),
            lane: Lane::Backfill,
        };
        let input = json!({ "generation": generation });
        let id = self.orchestrator.start(self.workflow.backfill(), input, start).await?;
        let outcome = self.orchestrator.wait(&id);
        tokio::pin!(outcome);
        tokio::select! {
            biased;
            outcome = &mut outcome => return outcome.map(Some),
            () = self.cx.halt.quiet() => {}
        }
        self.orchestrator.stop(&id).await?;
        outcome.await.map(|_| None)
    }

    /// Runs every poll once.
    pub async fn poll(&self) -> Result<Outcome, EngineError> {
        self.poll_as(None).await
    }

    async fn poll_as(&self, name: Option<String>) -> Result<Outcome, EngineError> {
        let start =
            Start { name, trigger: "schedule".to_owned(), actor: "deskup".to_owned(), lane: Lane::Reconcile };
        self.running.fetch_add(1, Ordering::SeqCst);
        let outcome = self.orchestrator.execute(self.workflow.poll(), json!({}), start).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        outcome
    }

    /// Compares all linked pairs.
    pub async fn sweep(&self, trigger: &str) -> Result<Outcome, SweepError> {
        let round = compare::begin(&self.cx.store).await?;
        let start = Start {
            name: None,
            trigger: trigger.to_owned(),
            actor: "deskup".to_owned(),
            lane: Lane::Reconcile,
        };
        let input = json!({ "segments": compare::segments(&self.cx.store, round).await? });
        self.running.fetch_add(1, Ordering::SeqCst);
        let outcome = self.orchestrator.execute(self.workflow.sweep(), input, start).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        Ok(outcome?)
    }

    /// Serves one batch of due rows of a lane.
    async fn live(&self, lane: Lane, limit: u32) -> Result<Outcome, EngineError> {
        let start = Start { name: None, trigger: "webhook".to_owned(), actor: "deskup".to_owned(), lane };
        let input = json!({ "lane": lane.name(), "limit": limit, "record": null });
        self.orchestrator.execute(self.workflow.live(), input, start).await
    }

    /// Serves the row of one record and nothing else: a person asked for it while nothing is running.
    pub async fn one(&self, record: &WorkKey, actor: &str) -> Result<Outcome, EngineError> {
        let start =
            Start { name: None, trigger: "person".to_owned(), actor: actor.to_owned(), lane: Lane::Urgent };
        let input = json!({ "lane": Lane::Urgent.name(), "limit": 1, "record": record.to_string() });
        self.orchestrator.execute(self.workflow.live(), input, start).await
    }

    /// Serves due rows and polls until [`Dispatcher::stop`]; what runs then is finished first.
    pub async fn run(self: Arc<Self>) {
        let mut lanes: JoinSet<()> = JoinSet::new();
        let every_ms = self.cx.options.poll_every_ms;
        let mut next_poll_ms = self.cx.now_ms() + every_ms;
        let mut next_sweep_ms = self.cx.now_ms();
        // When each lane is looked at again; whoever wakes the loop does not say why.
        let mut looks_ms = [self.cx.now_ms(); Lane::ALL.len()];
        while !self.stopping.load(Ordering::SeqCst) {
            while lanes.try_join_next().is_some() {}
            let now_ms = self.cx.now_ms();
            // What a poll finds is not in a confirmed plan; its cursors stay for whoever comes after it.
            if now_ms >= next_poll_ms && self.cx.gate().is_none() {
                next_poll_ms = now_ms + every_ms;
                if matches!(self.cx.recovery.check(Lane::Reconcile).await, Err(Halt::Paused(_))) {
                    continue;
                }
                let this = self.clone();
                lanes.spawn(async move {
                    // Whoever shares the table polls at the same time; the first start is the one.
                    let round = now_ms.div_euclid(every_ms);
                    let name = format!("{}-{round}", this.workflow.poll().name);
                    match this.poll_as(Some(name)).await {
                        Ok(_) | Err(EngineError::NameTaken(_)) => {}
                        Err(error) => tracing::warn!(error = %error, "a poll could not be started"),
                    }
                });
            }
            if now_ms >= next_sweep_ms && self.cx.gate().is_none() {
                next_sweep_ms = self.sweep_if_due(&mut lanes, now_ms).await;
            }
            let mut wake_ms = next_poll_ms.min(now_ms + self.cx.options.nap_ms);
            for lane in Lane::ALL {
                let look_ms = &mut looks_ms[usize::from(lane.rank())];
                if now_ms >= *look_ms {
                    *look_ms = self.start_due(&mut lanes, lane, now_ms).await.unwrap_or_else(|error| {
                        tracing::warn!(%error, "the work queue could not be read");
                        now_ms + PAUSE_MS
                    });
                }
                wake_ms = wake_ms.min(*look_ms);
            }
            tokio::time::sleep(Duration::from_millis(TICK_MS)).await;
            let nap = u64::try_from(wake_ms - self.cx.now_ms()).unwrap_or(0);
            tokio::select! {
                biased;
                () = self.wake.notified() => {
                    TaskScheduler::SERVED.iter().for_each(|lane| looks_ms[usize::from(lane.rank())] = now_ms);
                }
                () = tokio::time::sleep(Duration::from_millis(nap)) => {}
            }
        }
        while lanes.join_next().await.is_some() {}
    }

    /// Starts a sweep if it is time; when to look again.
    async fn sweep_if_due(self: &Arc<Self>, lanes: &mut JoinSet<()>, now_ms: i64) -> i64 {
        match compare::due_ms(&self.cx.store, SWEEP_EVERY_MS).await {
            Ok(due_ms) if due_ms > now_ms => return due_ms,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "when the next sweep is due could not be read");
                return now_ms + POLL_EVERY_MS;
            }
        }
        let this = self.clone();
        lanes.spawn(async move {
            if let Err(error) = this.sweep("schedule").await {
                tracing::warn!(%error, "a sweep could not be started");
            }
        });
        now_ms + POLL_EVERY_MS
    }

    /// Starts an execution for the due rows of a lane; tells when to look at it again.
    async fn start_due(
        self: &Arc<Self>,
        lanes: &mut JoinSet<()>,
        lane: Lane,
        now_ms: i64,
    ) -> Result<i64, StoreError> {
        let is_served = TaskScheduler::SERVED.contains(&lane);
        let later_ms = now_ms + if is_served { self.cx.options.nap_ms } else { RARE_EVERY_MS };
        let serving = &self.serving[usize::from(lane.rank())];
        Ok(match self.cx.scheduler.next(lane).await? {
            Next::Nothing => later_ms,
            Next::At(at_ms) => at_ms.min(later_ms),
            Next::Paused => now_ms + PAUSE_MS,
            // Its end wakes the loop.
            Next::Start(_) if serving.load(Ordering::SeqCst) >= running_max(lane) => later_ms,
            Next::Start(limit) => {
                self.running.fetch_add(1, Ordering::SeqCst);
                serving.fetch_add(1, Ordering::SeqCst);
                let this = self.clone();
                lanes.spawn(async move {
                    if let Err(error) = this.live(lane, limit).await {
                        tracing::warn!(error = %error, "an execution could not be started");
                    }
                    this.serving[usize::from(lane.rank())].fetch_sub(1, Ordering::SeqCst);
                    this.running.fetch_sub(1, Ordering::SeqCst);
                    this.wake.notify_one();
                });
                now_ms
            }
        })
    }
}
