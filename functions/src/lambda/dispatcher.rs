//! The dispatcher as a Lambda: woken by the queue and by schedules, it starts executions and ends. A double wake is
//! harmless, because executions are named by workflow, lane and moment, and each claims its rows by condition.

use std::process::ExitCode;
use std::sync::Arc;

use clients::Clock;
use domain::{Settings, Side};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use orchestration::recovery_manager::Halt;
use orchestration::task_scheduler::{Next, TaskScheduler};
use orchestration::{EngineError, Failure, Start, StepFailure, StepFunctionsEngine, WorkflowOrchestrator};
use serde_json::{Value as Json, json};
use statemachines::TicketSyncWorkflow;
use stores::configuration::Configuration;
use stores::switches::SwitchName;
use stores::{Lane, StoreError};

use crate::lambda::context::{Base, NoContext};
use crate::lambda::environment::Environment;
use crate::lambda::logs::{self, Metric};
use crate::lambda::{Stillborn, WallClock, live, wake};
use crate::local::{self, ConnectError};
use crate::sync::compare;
use crate::{Context, SyncError, access, names};

/// Starts of one lane within this time are one start.
const TOGETHER_MS: i64 = 500;

/// What is due later is found by the schedule.
const SOON_MS: i64 = 60_000;

/// How often the poll is started, and so how its executions are named.
const POLL_EVERY_MS: i64 = 60_000;

/// A poll is over after so many rounds: its executions have five minutes.
const POLL_ROUNDS: i64 = 5;

/// Runs the dispatcher as a Lambda.
pub fn main() -> ExitCode {
    live(serve())
}

async fn serve() -> Result<(), Stillborn> {
    logs::begin();
    let base = Base::new(Environment::read(), true)?;
    base.environment.queue_url()?;
    let machines = base.environment.machines()?;
    let clock = Arc::new(WallClock);
    let engine = StepFunctionsEngine::new(
        base.session.step_functions(),
        base.store.clone(),
        clock,
        base.seed,
        machines,
    );
    let dispatcher = Dispatcher {
        base,
        orchestrator: WorkflowOrchestrator::new(engine),
        workflow: TicketSyncWorkflow::new(),
    };
    if let Err(error) = dispatcher.base.context().await {
        tracing::warn!(%error, "not ready yet");
    }
    let dispatcher = &dispatcher;
    let handler =
        service_fn(|event: LambdaEvent<Json>| async move { dispatcher.answer(&event.payload).await });
    lambda_runtime::run(handler).await.map_err(|error| Stillborn::Runtime(error.to_string()))
}

/// What an event asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    /// Messages of the queue; they all say the same.
    Wake(Vec<String>),
    /// Start what is due, and say how things stand.
    Due,
    /// Ask both services what changed.
    Poll,
    /// Compare all linked pairs.
    Sweep,
    /// Read both accounts again.
    Refresh,
}

impl Asked {
    fn read(event: &Json) -> Option<Self> {
        if let Some(records) = event["Records"].as_array() {
            let id = |record: &Json| record["messageId"].as_str().map(ToOwned::to_owned);
            return Some(Self::Wake(records.iter().filter_map(id).collect()));
        }
        match event["schedule"].as_str()? {
            "due" => Some(Self::Due),
            "poll" => Some(Self::Poll),
            "sweep" => Some(Self::Sweep),
            "refresh" => Some(Self::Refresh),
            _ => None,
        }
    }
}

/// Why a wake led to nothing.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    NoContext(#[from] NoContext),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Accounts(#[from] ConnectError),
    #[error(transparent)]
    Sync(#[from] SyncError),
}

struct Dispatcher {
    base: Base,
    orchestrator: WorkflowOrchestrator<StepFunctionsEngine>,
    workflow: TicketSyncWorkflow,
}

impl Dispatcher {
    async fn answer(&self, event: &Json) -> Result<Json, Diagnostic> {
        let Some(asked) = Asked::read(event) else {
            let unknown = StepFailure::bug("neither messages nor a schedule's name");
            logs::bug(self.base.environment.stack());
            return Err(Diagnostic {
                error_type: unknown.failure.name().to_owned(),
                error_message: unknown.message,
            });
        };
        match (self.serve(&asked).await, asked) {
            (Ok(()), Asked::Wake(_)) => Ok(json!({ "batchItemFailures": [] })),
            (Ok(()), _) => Ok(Json::Null),
            (Err(error), Asked::Wake(messages)) => {
                tracing::warn!(%error, "the queue's messages come again");
                let failures: Vec<Json> =
                    messages.into_iter().map(|id| json!({ "itemIdentifier": id })).collect();
                Ok(json!({ "batchItemFailures": failures }))
            }
            (Err(error), _) => {
                tracing::warn!(%error, "a schedule led to nothing");
                Err(Diagnostic {
                    error_type: Failure::Transient.name().to_owned(),
                    error_message: error.to_string(),
                })
            }
        }
    }

    async fn serve(&self, asked: &Asked) -> Result<(), Trouble> {
        if *asked == Asked::Refresh {
            return self.refresh().await;
        }
        let cx = self.base.context().await?;
        match asked {
            Asked::Poll => self.poll(&cx).await,
            Asked::Sweep => self.sweep(&cx).await,
            Asked::Wake(_) => self.start_due(&cx, &TaskScheduler::SERVED).await,
            Asked::Due => {
                let closed = cx.store.switches().all().await?;
                if closed.keys().any(|name| matches!(name, SwitchName::Access(_))) {
                    // A look tells whether the account is open again.
                    if let Err(error) = self.refresh().await {
                        tracing::warn!(%error, "an account is still closed");
                    }
                }
                self.start_due(&cx, &Lane::ALL).await?;
                self.tell(&cx).await
            }
            Asked::Refresh => Ok(()),
        }
    }

    /// Starts an execution per lane that has due rows, and asks to be woken for the next ones.
    async fn start_due(&self, cx: &Context, served: &[Lane]) -> Result<(), Trouble> {
        let now_ms = cx.now_ms();
        let mut next_ms: Option<i64> = None;
        for lane in served.iter().copied() {
            let limit = match cx.scheduler.next(lane).await? {
                // A pause that ends is found by the schedule.
                Next::Nothing | Next::Paused => continue,
                Next::At(at_ms) => {
                    next_ms = Some(next_ms.map_or(at_ms, |earlier| earlier.min(at_ms)));
                    continue;
                }
                Next::Start(limit) => limit,
            };
            let name = format!("ticket-sync-live-{}-{}", lane.name(), now_ms.div_euclid(TOGETHER_MS));
            let input = json!({ "lane": lane.name(), "limit": limit, "record": null });
            self.start(self.workflow.live(), input, named(name, "webhook", lane)).await?;
        }
        self.wake_for(cx, next_ms.filter(|at_ms| at_ms - now_ms < SOON_MS)).await
    }

    async fn wake_for(&self, cx: &Context, at_ms: Option<i64>) -> Result<(), Trouble> {
        let (Some(at_ms), Ok(queue)) = (at_ms, self.base.environment.queue_url()) else { return Ok(()) };
        if cx.store.wakes().book(at_ms).await? {
            wake::send(&self.base.session, queue, at_ms - cx.now_ms()).await;
        }
        Ok(())
    }

    async fn poll(&self, cx: &Context) -> Result<(), Trouble> {
        if is_paused(cx, Lane::Reconcile).await? {
            return Ok(());
        }
        let poll = self.workflow.poll();
        let round = cx.now_ms().div_euclid(POLL_EVERY_MS);
        let name = |round: i64| format!("{}-{round}", poll.name);
        for earlier in 1..POLL_ROUNDS {
            if self.is_running(&name(round - earlier)).await? {
                return Ok(());
            }
        }
        self.start(poll, json!({}), named(name(round), "schedule", Lane::Reconcile)).await
    }

    /// Two sweeps at once would only share a budget.
    async fn sweep(&self, cx: &Context) -> Result<(), Trouble> {
        if is_paused(cx, Lane::Reconcile).await? {
            return Ok(());
        }
        let sweep = self.workflow.sweep();
        let name = |round: u64| format!("{}-{round}", sweep.name);
        if let Some(round) = compare::round(&cx.store).await?
            && self.is_running(&name(round)).await?
        {
            return Ok(());
        }
        let round = compare::begin(&cx.store).await?;
        let input = json!({ "segments": compare::segments(&cx.store, round).await? });
        self.start(sweep, input, named(name(round), "schedule", Lane::Reconcile)).await
    }

    async fn is_running(&self, execution: &str) -> Result<bool, Trouble> {
        let row = self.orchestrator.describe(execution).await?;
        Ok(row.is_some_and(|row| row.status == "RUNNING"))
    }

    async fn start(
        &self,
        workflow: &asl::CompiledWorkflow,
        input: Json,
        start: Start,
    ) -> Result<(), Trouble> {
        match self.orchestrator.start(workflow, input, start).await {
            Ok(execution) => {
                let fields = [("execution", execution.into()), ("workflow", workflow.name.clone().into())];
                logs::line("INFO", "started", &fields);
                Ok(())
            }
            Err(EngineError::NameTaken(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads people, statuses and fields of both accounts again. That they let us in ends the pause that one which did
    /// not had caused.
    async fn refresh(&self) -> Result<(), Trouble> {
        let store = &self.base.store;
        let now = store.configuration().get().await?.ok_or(NoContext::NoSettings)?;
        let settings = Settings::parse(&now.settings).map_err(ConnectError::Settings)?;
        let connection = self.base.connection(&settings, &now.settings).await?;
        let directory = local::read_directory(&connection, &settings).await?;
        access::lift(store).await?;
        names::keep(store, &directory).await?;
        let directory = json!(directory).to_string();
        if directory == now.directory {
            return Ok(());
        }
        let next = Configuration { directory, read_ms: WallClock.now_ms(), ..now };
        match store.configuration().put(&next).await {
            // Somebody pushed other settings meanwhile; the next refresh takes those.
            Err(StoreError::Stale { .. }) => Ok(()),
            put => Ok(put?),
        }
    }

    /// Numbers for the alarms.
    async fn tell(&self, cx: &Context) -> Result<(), Trouble> {
        let (now_ms, stack) = (cx.now_ms(), self.base.environment.stack());
        let mut lag_ms = 0;
        for lane in Lane::ALL {
            if let Some(due_ms) = cx.store.work().next_due_ms(lane).await? {
                lag_ms = lag_ms.max(now_ms - due_ms);
            }
        }
        let brake = cx.store.switches().get(SwitchName::Brake).await?.is_some();
        let quarantined = cx.store.quarantine().list(1_000).await?.len();
        let metrics = [
            Metric { name: "ConvergenceLagSeconds", unit: "Seconds", value: lag_ms as f64 / 1_000.0 },
            Metric { name: "Brake", unit: "Count", value: f64::from(u8::from(brake)) },
            Metric { name: "Quarantined", unit: "Count", value: quarantined as f64 },
        ];
        logs::metrics(stack, None, &metrics);
        for side in [Side::Zendesk, Side::Clickup] {
            let pulse = cx.store.pulses().get(side).await?;
            // Silence alone is a calm night; silence while the cursors find news is not.
            let silent_ms = pulse.found_since_ms.map_or(0, |since_ms| now_ms - since_ms);
            let silence =
                Metric { name: "WebhookSilenceMinutes", unit: "Count", value: silent_ms as f64 / 60_000.0 };
            logs::metrics(stack, Some(("side", logs::dimension(side))), &[silence]);
        }
        Ok(())
    }
}

async fn is_paused(cx: &Context, lane: Lane) -> Result<bool, Trouble> {
    match cx.recovery.check(lane).await {
        Ok(()) => Ok(false),
        Err(Halt::Paused(_)) => Ok(true),
        Err(Halt::Store(error)) => Err(error.into()),
    }
}

fn named(name: String, trigger: &str, lane: Lane) -> Start {
    Start { name: Some(name), trigger: trigger.to_owned(), actor: "deskup".to_owned(), lane }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_wake_or_a_schedule_and_nothing_else() {
        let wake = json!({ "Records": [{ "messageId": "a", "body": "{}" }, { "messageId": "b" }] });
        assert_eq!(Asked::read(&wake), Some(Asked::Wake(vec!["a".to_owned(), "b".to_owned()])));
        assert_eq!(Asked::read(&json!({ "schedule": "poll", "at": "x" })), Some(Asked::Poll));
        assert_eq!(Asked::read(&json!({ "schedule": "dance" })), None);
        assert_eq!(Asked::read(&json!([])), None);
    }
}
