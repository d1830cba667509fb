//! Task: schedules, waits for the answer or the clock, and tells the history.

use std::time::Duration;

use asl::model::{Quantity, Task};
use asl::{QueryLanguage, State};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::resource::{Resource, Scheduled};
use crate::context::Context;
use crate::data::{Left, Sight, leave};
use crate::fault::Fault;
use crate::flow::{Frame, Step, Stopped, next};
use crate::history::Full;
use crate::run::{Run, failure};
use crate::tasks::{Heartbeat, TaskReply, TaskRequest};
use crate::texts;

/// Nothing lasts longer than an execution may: one year.
const LONGEST_S: u64 = 31_536_000;

/// What is known of a task before it is scheduled.
struct Prepared {
    arguments: Value,
    timeout_s: Option<u64>,
    heartbeat_s: Option<u64>,
    credentials: Option<Value>,
}

/// How waiting for a task ended.
enum Outcome {
    Reply(TaskReply),
    TimedOut,
}

pub(super) async fn attempt(
    run: &Run<'_>,
    state: &State,
    task: &Task,
    frame: &mut Frame,
) -> Result<Step, Stopped> {
    let resource = Resource::of(task);
    // Drawn from the execution's randomness, so that a seed replays it.
    let token = resource.waits_for_token().then(|| run.random.uuid());
    let prepared = prepare(run, state, task, frame, token.as_deref())?;
    frame.last = frame.recorder.add(frame.last, || {
        let scheduled = Scheduled {
            arguments: &prepared.arguments,
            region: run.options.region(),
            timeout_s: prepared.timeout_s,
            heartbeat_s: prepared.heartbeat_s,
            credentials: prepared.credentials.as_ref(),
        };
        (resource.event("Scheduled"), Some(resource.scheduled(&scheduled)))
    })?;
    add(frame, resource, "Started", || json!({}))?;
    let result = wait(run, state, task, frame, prepared, token.clone()).await?;
    let left = finish(run, state, frame, token.as_deref(), result)?;
    Ok(Step { left, next: next(state) })
}

fn add(
    frame: &mut Frame,
    resource: Resource<'_>,
    what: &str,
    members: impl FnOnce() -> Value,
) -> Result<(), Full> {
    frame.last = frame.recorder.add(frame.last, || (resource.event(what), resource.details(members())))?;
    Ok(())
}

/// Everything that is evaluated before the task is scheduled: if it fails, nothing was.
fn prepare(
    run: &Run<'_>,
    state: &State,
    task: &Task,
    frame: &Frame,
    token: Option<&str>,
) -> Result<Prepared, Fault> {
    let context = Context::new(run, frame, state, token);
    let raw = frame.sight(run, state, &context);
    let effective = match raw.language {
        QueryLanguage::Jsonata => raw.input.clone(),
        QueryLanguage::JsonPath => raw.filter(&state.input_path)?,
    };
    let sight = raw.of(&effective);
    let template = match raw.language {
        QueryLanguage::Jsonata => state.arguments.as_ref().map(|template| (template, "Arguments")),
        QueryLanguage::JsonPath => state.parameters.as_ref().map(|template| (template, "Parameters")),
    };
    let arguments = template.map(|(template, field)| sight.template(template, field)).transpose()?;
    let timeout_s = seconds(sight, task.timeout.as_ref(), "TimeoutSeconds")?;
    let heartbeat_s = seconds(sight, task.heartbeat.as_ref(), "HeartbeatSeconds")?;
    let credentials = task.credentials.as_ref();
    let credentials = credentials.map(|template| sight.template(template, "Credentials")).transpose()?;
    Ok(Prepared { arguments: arguments.unwrap_or(effective), timeout_s, heartbeat_s, credentials })
}

fn seconds(sight: Sight<'_>, quantity: Option<&Quantity>, field: &str) -> Result<Option<u64>, Fault> {
    let Some(quantity) = quantity else { return Ok(None) };
    let value = sight.quantity(quantity, field)?;
    match value.as_f64().filter(|seconds| *seconds > 0.0) {
        Some(seconds) => Ok(Some(seconds as u64)),
        None => Err(Fault::runtime(texts::not_positive(field, &value))),
    }
}

/// Waits for the task's end and writes it down.
async fn wait(
    run: &Run<'_>,
    state: &State,
    task: &Task,
    frame: &mut Frame,
    prepared: Prepared,
    token: Option<String>,
) -> Result<Value, Stopped> {
    let resource = Resource::of(task);
    let heartbeat = Heartbeat::default();
    let started = Instant::now();
    let deadline = prepared.timeout_s.map(|seconds| started + Duration::from_secs(seconds));
    let heartbeat_every = prepared.heartbeat_s.map(Duration::from_secs);
    let mut reply: BoxFuture<'_, TaskReply> = run.tasks.call(TaskRequest {
        resource: task.resource.clone(),
        arguments: prepared.arguments,
        state: state.name.clone(),
        attempt: frame.retries.total() + 1,
        execution: run.options.name.clone(),
        execution_arn: run.options.arn.clone(),
        iteration: frame.iteration(),
        token,
        timeout_ms: prepared.timeout_s.map(|seconds| seconds.saturating_mul(1000)),
        heartbeat: heartbeat.clone(),
    });
    loop {
        return match outcome(reply, deadline, heartbeat_every, &heartbeat).await {
            Outcome::Reply(TaskReply::Submitted { response, rest }) => {
                add(frame, resource, "Submitted", || json!({ "output": response }))?;
                reply = rest;
                continue;
            }
            Outcome::Reply(TaskReply::Result(result)) if run.options.limits.admit(&result) => {
                add(frame, resource, "Succeeded", || json!({ "output": result }))?;
                Ok(result)
            }
            Outcome::Reply(TaskReply::Result(_)) => {
                let cause = texts::too_large(resource.label());
                failed(frame, resource, Some(texts::DATA_LIMIT.into()), Some(cause))
            }
            Outcome::Reply(TaskReply::Error { error, cause }) => failed(frame, resource, error, cause),
            Outcome::Reply(TaskReply::Never) | Outcome::TimedOut => {
                add(frame, resource, "TimedOut", || json!({ "error": texts::TIMEOUT }))?;
                Err(Fault::work(Some(texts::TIMEOUT.into()), None).into())
            }
        };
    }
}

fn failed(
    frame: &mut Frame,
    resource: Resource<'_>,
    error: Option<String>,
    cause: Option<String>,
) -> Result<Value, Stopped> {
    add(frame, resource, "Failed", || failure(error.as_deref(), cause.as_deref()))?;
    Err(Fault::work(error, cause).into())
}

/// The reply, unless the timeout or a missed heartbeat comes first.
async fn outcome(
    mut reply: BoxFuture<'_, TaskReply>,
    deadline: Option<Instant>,
    heartbeat_every: Option<Duration>,
    heartbeat: &Heartbeat,
) -> Outcome {
    let mut beaten = Instant::now();
    loop {
        let missed = heartbeat_every.map(|every| beaten + every);
        let end = deadline.into_iter().chain(missed).min();
        tokio::select! {
            biased;
            reply = &mut reply => match reply {
                // Only the clock ends such a task.
                TaskReply::Never => {
                    let end = end.unwrap_or_else(|| Instant::now() + Duration::from_secs(LONGEST_S));
                    tokio::time::sleep_until(end).await;
                    return Outcome::TimedOut;
                }
                reply => return Outcome::Reply(reply),
            },
            () = heartbeat.beaten(), if heartbeat_every.is_some() => beaten = Instant::now(),
            () = sleep_until(end) => return Outcome::TimedOut,
        }
    }
}

/// Sleeps until then; without an end it never wakes and sets no timer.
async fn sleep_until(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

fn finish(
    run: &Run<'_>,
    state: &State,
    frame: &Frame,
    token: Option<&str>,
    result: Value,
) -> Result<Left, Fault> {
    let context = Context::new(run, frame, state, token);
    leave(state, frame.sight(run, state, &context), result, &run.options.limits)
}
