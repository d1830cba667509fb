//! A step as a Lambda: the payload that the definitions send, the step, and its output or the fixed name of its
//! failure, which their `Retry` and `Catch` match.

use std::process::ExitCode;
use std::sync::Arc;

use clients::{Clock, Lane};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use orchestration::{ExecutionContext, Failure, Random, Registry, StepExecutor, StepFailure};
use serde::Deserialize;
use serde_json::Value as Json;
use statemachines::steps::{CLAIM_WORK, FINISH_BACKFILL, SETTLE_EFFECTS, SYNC_RECORDS};
use stores::executions::Part;

use crate::Context;
use crate::lambda::context::{Base, NoContext};
use crate::lambda::environment::Environment;
use crate::lambda::logs;
use crate::lambda::{Stillborn, WallClock, live, wake};

/// What is kept back of an invocation's time to end in order.
const MARGIN_MS: i64 = 2_000;

/// Where an invocation does not say how long it may take, or says something that cannot be.
const USUAL_MS: i64 = 60_000;

/// No invocation is longer.
const LONGEST_MS: i64 = 15 * 60_000;

/// What the definitions send.
#[derive(Debug, Deserialize)]
struct Payload {
    execution: String,
    #[serde(default)]
    attempt: u32,
    input: Json,
}

/// Runs one step as a Lambda.
pub fn main<S: StepExecutor + 'static>(make: fn(Arc<Context>) -> S) -> ExitCode {
    live(serve(make))
}

async fn serve<S: StepExecutor + 'static>(make: fn(Arc<Context>) -> S) -> Result<(), Stillborn> {
    logs::begin();
    let base = Base::new(Environment::read(), true)?;
    // What is asked before the first invocation is not waited for by it. What fails now is tried again then.
    match base.context().await {
        Ok(cx) if calls_services(S::NAME) => base.open_connections(&cx).await,
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "not ready yet"),
    }
    let base = &base;
    let handler = service_fn(|event: LambdaEvent<Json>| async move {
        let LambdaEvent { payload, context } = event;
        let deadline_ms = deadline(context.deadline, WallClock.now_ms());
        invoke(base, make, payload, deadline_ms, context.xray_trace_id).await.map_err(diagnostic)
    });
    lambda_runtime::run(handler).await.map_err(|error| Stillborn::Runtime(error.to_string()))
}

fn calls_services(step: &str) -> bool {
    ![CLAIM_WORK.name(), FINISH_BACKFILL.name()].contains(&step)
}

/// Runs of some local tools say when an invocation ends in a unit of their own.
fn deadline(told_ms: u64, now_ms: i64) -> i64 {
    let told_ms = i64::try_from(told_ms).unwrap_or(i64::MAX);
    if (now_ms..=now_ms + LONGEST_MS).contains(&told_ms) {
        (told_ms - MARGIN_MS).max(now_ms)
    } else {
        now_ms + USUAL_MS
    }
}

fn diagnostic(failure: StepFailure) -> Diagnostic {
    Diagnostic { error_type: failure.failure.name().to_owned(), error_message: failure.message }
}

async fn invoke<S: StepExecutor + 'static>(
    base: &Base,
    make: fn(Arc<Context>) -> S,
    payload: Json,
    deadline_ms: i64,
    trace: Option<String>,
) -> Result<Json, StepFailure> {
    // Nothing at all is how a person asks whether a function runs.
    let called = !payload.is_null();
    let payload: Payload = serde_json::from_value(payload).map_err(|_| {
        if called {
            logs::bug(base.environment.stack());
        }
        StepFailure::bug("the payload is not what a definition sends")
    })?;
    let began_ms = WallClock.now_ms();
    let execution = Execution::parse(&payload.execution);
    let result = run(base, make, &payload, &execution, deadline_ms, trace.as_deref()).await;
    let failure = result.as_ref().err().map(|failure| failure.failure);
    report::<S>(base, &payload, &execution, failure, WallClock.now_ms() - began_ms, trace);
    result
}

async fn run<S: StepExecutor + 'static>(
    base: &Base,
    make: fn(Arc<Context>) -> S,
    payload: &Payload,
    execution: &Execution,
    deadline_ms: i64,
    trace: Option<&str>,
) -> Result<Json, StepFailure> {
    let cx = base.context().await.map_err(no_context)?;
    let row = cx.store.executions().get(&execution.name).await.unwrap_or_default();
    if row.as_ref().is_some_and(|row| row.stopping) {
        return Err(StepFailure::new(Failure::Rejected, "a person has stopped this execution"));
    }
    let context = ExecutionContext {
        execution: execution.name.clone(),
        workflow: execution.workflow.clone(),
        trigger: row.as_ref().map_or_else(|| "unknown".to_owned(), |row| row.trigger.clone()),
        actor: row.as_ref().map_or_else(|| "deskup".to_owned(), |row| row.actor.clone()),
        lane: row.as_ref().and_then(|row| lane(&row.lane)).unwrap_or(execution.lane()),
        deadline_ms,
        attempt: payload.attempt + 1,
        trace_id: trace.unwrap_or(&execution.name).to_owned(),
        answers_from: row.as_ref().map(|row| row.answers_from.clone()).unwrap_or_default(),
        clock: Arc::new(WallClock),
        random: Random::seeded(fastrand::u64(..)),
    };
    let registry = Registry::new().with(make(cx.clone())).keeping((*cx.checkpoints).clone());
    let result = registry.call(S::NAME, payload.input.clone(), &context).await;
    let part = part::<S>(payload, &result);
    let failure = result.as_ref().err().map(|failure| failure.failure.name());
    // Progress is no part of the work, and of rows that were claimed and go to one batch the batch itself tells.
    let is_told_later = S::NAME == CLAIM_WORK.name() && failure.is_none() && part.is_none();
    if !is_told_later
        && let Err(error) = cx.store.executions().note(&execution.name, S::NAME, failure, part.as_ref()).await
    {
        tracing::debug!(%error, "progress was not written");
    }
    if let (Ok(output), Ok(queue)) = (&result, base.environment.queue_url())
        && S::NAME == CLAIM_WORK.name()
        && output["more"] == true
    {
        wake::send(&base.session, queue, 0).await;
    }
    result
}

/// An Express execution is not described by anybody: its steps say how far it is.
fn part<S: StepExecutor>(payload: &Payload, result: &Result<Json, StepFailure>) -> Option<Part> {
    if S::NAME == SETTLE_EFFECTS.name() {
        // The last step of a poll, which goes on without what a budget or a pause kept from it.
        let left = |failure: &StepFailure| matches!(failure.failure, Failure::BudgetEmpty | Failure::Paused);
        return (result.is_ok() || result.as_ref().is_err_and(left)).then_some(Part::Last);
    }
    let output = result.as_ref().ok()?;
    if S::NAME == CLAIM_WORK.name() {
        return match output["batches"].as_array().map_or(0, Vec::len) {
            // What an execution is taken to have need not be written.
            1 => None,
            batches => Some(Part::Of(batches)),
        };
    }
    let first = payload.input["claims"][0]["token"].as_str();
    first.filter(|_| S::NAME == SYNC_RECORDS.name()).map(|token| Part::Done(token.to_owned()))
}

fn no_context(error: NoContext) -> StepFailure {
    let failure = match &error {
        NoContext::Store(store) if !store.is_transient() => Failure::Bug,
        NoContext::Store(_) | NoContext::Locked(_) => Failure::Transient,
        NoContext::NoSettings | NoContext::Unfit(_) => Failure::Rejected,
    };
    StepFailure::new(failure, error.to_string())
}

fn report<S: StepExecutor>(
    base: &Base,
    payload: &Payload,
    execution: &Execution,
    failure: Option<Failure>,
    took_ms: i64,
    trace: Option<String>,
) {
    let claims = payload.input["claims"].as_array().map(Vec::as_slice).unwrap_or_default();
    let records: Vec<Json> = claims.iter().map(|claim| claim["key"].clone()).collect();
    let outcome = failure.map_or("done", Failure::name);
    let level = match failure {
        None | Some(Failure::BudgetEmpty | Failure::Paused) => "INFO",
        Some(Failure::Transient | Failure::Rejected) => "WARN",
        Some(Failure::Bug) => "ERROR",
    };
    let fields = [
        ("execution", Json::from(execution.name.clone())),
        ("workflow", execution.workflow.clone().into()),
        ("step", S::NAME.into()),
        ("attempt", (payload.attempt + 1).into()),
        ("records", records.into()),
        ("outcome", outcome.into()),
        ("ms", took_ms.into()),
        ("trace", trace.into()),
    ];
    logs::line(level, "step", &fields);
    // Lambda itself counts and times calls; a metric for each step would cost more than the steps.
    if failure == Some(Failure::Bug) {
        logs::bug(base.environment.stack());
    }
}

/// What an execution's ARN says: `arn:aws:states:REGION:ACCOUNT:execution:MACHINE:NAME`, and for Express ones
/// `…:express:MACHINE:NAME:UUID`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Execution {
    name: String,
    workflow: String,
}

impl Execution {
    fn parse(arn: &str) -> Self {
        let parts: Vec<&str> = arn.split(':').collect();
        let name = parts.get(7).copied().unwrap_or(arn).to_owned();
        let machine = parts.get(6).copied().unwrap_or_default();
        // The stack's name stands before it.
        let known = ["ticket-sync-live", "ticket-sync-poll", "ticket-sync-backfill", "ticket-sync-sweep"];
        let workflow = known.into_iter().find(|workflow| machine.ends_with(workflow)).unwrap_or(machine);
        Self { name, workflow: workflow.to_owned() }
    }

    fn lane(&self) -> Lane {
        match self.workflow.as_str() {
            "ticket-sync-backfill" => Lane::Backfill,
            "ticket-sync-poll" | "ticket-sync-sweep" => Lane::Reconcile,
            _ => Lane::Live,
        }
    }
}

fn lane(name: &str) -> Option<Lane> {
    [Lane::Live, Lane::Reconcile, Lane::Backfill].into_iter().find(|lane| lane.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_is_known_by_its_name_whatever_its_kind() {
        let express = "arn:aws:states:eu-west-1:1:express:d-ticket-sync-live:live-7:0a1b";
        let standard = "arn:aws:states:eu-west-1:1:execution:d-ticket-sync-backfill:b-1";
        let express = Execution::parse(express);
        assert_eq!((express.name.as_str(), express.lane()), ("live-7", Lane::Live));
        let standard = Execution::parse(standard);
        assert_eq!(standard.workflow, "ticket-sync-backfill");
        assert_eq!((standard.name.as_str(), standard.lane()), ("b-1", Lane::Backfill));
        assert_eq!(Execution::parse("by-hand").name, "by-hand");
    }

    #[test]
    fn a_deadline_that_cannot_be_is_not_believed() {
        assert_eq!(deadline(100_000, 40_000), 98_000);
        assert_eq!(deadline(41_000, 40_000), 40_000, "never in the past");
        assert_eq!(deadline(0, 40_000), 100_000);
        assert_eq!(deadline(u64::MAX, 40_000), 100_000);
    }
}
