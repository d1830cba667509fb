//! Map: one flow per item, so many at once, results in the order of the items.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use asl::State;
use asl::model::Map;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};

use super::map_plan::{self, Plan, Tolerance};
use crate::context::Context;
use crate::data::{Left, leave};
use crate::fault::Fault;
use crate::flow::{self, Ended, Frame, Item, Step, Stopped, next};
use crate::history::Recorder;
use crate::run::Run;
use crate::texts;

/// One iteration's end: index, newest event, outcome.
type End = (usize, u64, Result<Value, Ended>);

/// The end of one item of a distributed Map.
type ChildEnd = (usize, Result<Value, Ended>);

/// An iteration that has started and not ended.
struct Open {
    index: usize,
    in_task: Arc<AtomicBool>,
}

pub(super) async fn attempt<'a>(
    run: &'a Run<'a>,
    state: &'a State,
    map: &'a Map,
    frame: &mut Frame,
) -> Result<Step, Stopped> {
    let plan = map_plan::plan(run, state, map, frame)?;
    let length = plan.items.len();
    frame.add("MapStateStarted", || Some(json!({ "length": length })))?;
    let tolerance = map_plan::tolerance(run, state, map, frame)?;
    let results = if map.processor.is_distributed() {
        distributed(run, state, map, frame, &plan, tolerance).await?
    } else {
        inline(run, state, map, frame, &plan).await?
    };
    Ok(Step { left: finish(run, state, frame, Value::Array(results))?, next: next(state) })
}

fn finish(run: &Run<'_>, state: &State, frame: &Frame, result: Value) -> Result<Left, Fault> {
    let context = Context::new(run, frame, state, None);
    leave(state, frame.sight(run, state, &context), result, &run.options.limits)
}

fn iteration(state: &State, index: usize) -> Option<Value> {
    Some(json!({ "name": state.name, "index": index }))
}

/// Runs the iterations inside the execution. `frame.last` ends at the end of the last one.
async fn inline<'a>(
    run: &'a Run<'a>,
    state: &'a State,
    map: &'a Map,
    frame: &mut Frame,
    plan: &Plan,
) -> Result<Vec<Value>, Stopped> {
    let mut results = vec![Value::Null; plan.items.len()];
    let mut newest_end = frame.last;
    let mut waiting = plan.items.iter();
    let mut open: Vec<Open> = Vec::new();
    let mut running: FuturesUnordered<BoxFuture<'a, End>> = FuturesUnordered::new();
    loop {
        while running.len() < plan.concurrency {
            let Some(item) = waiting.next() else { break };
            // Each iteration starts after the event whose iteration made room for it.
            let index = item.index;
            let previous = frame.last;
            let started =
                frame.recorder.add(previous, || ("MapIterationStarted".into(), iteration(state, index)))?;
            let input = map_plan::input(run, state, map, frame, plan, item)?;
            let mut inner = frame.inner(input, started);
            inner.items.push(item.clone());
            open.push(Open { index, in_task: Arc::clone(&inner.in_task) });
            running.push(Box::pin(async move {
                let ended = flow::run(run, &map.processor.flow, &mut inner).await;
                (index, inner.last, ended)
            }));
        }
        let Some((index, last, ended)) = running.next().await else {
            // Both this event and the Exited one follow the end of the last iteration.
            frame.last = newest_end;
            frame.recorder.add(frame.last, || ("MapStateSucceeded".into(), None))?;
            return Ok(results);
        };
        open.retain(|other| other.index != index);
        match ended {
            Ok(output) => {
                results[index] = output;
                frame.last = last;
                let details = || ("MapIterationSucceeded".into(), iteration(state, index));
                newest_end = frame.recorder.add(last, details)?;
            }
            Err(Ended::Failed(fault)) => {
                // What is left of the other iterations goes with them.
                drop(running);
                frame.last = last;
                frame.recorder.add(last, || ("MapIterationFailed".into(), iteration(state, index)))?;
                abort(state, frame, &open)?;
                return Err(fault.into());
            }
            Err(ended) => return Err(ended.into()),
        }
    }
}

fn abort(state: &State, frame: &Frame, open: &[Open]) -> Result<(), Ended> {
    for other in open {
        if other.in_task.load(Ordering::Relaxed) {
            frame.recorder.add(frame.last, || ("TaskStateAborted".into(), None))?;
        }
        let details = || ("MapIterationAborted".into(), iteration(state, other.index));
        frame.recorder.add(frame.last, details)?;
    }
    Ok(())
}

/// Runs each item as an execution of its own: no shared history, no shared variables.
async fn distributed<'a>(
    run: &'a Run<'a>,
    state: &'a State,
    map: &'a Map,
    frame: &mut Frame,
    plan: &Plan,
    tolerance: Tolerance,
) -> Result<Vec<Value>, Stopped> {
    let (label, id) = (map.label.clone().unwrap_or_else(|| run.random.uuid()), run.random.uuid());
    frame.add("MapRunStarted", || {
        let run_arn = run.options.machine_arn.replacen(":stateMachine:", ":mapRun:", 1);
        Some(json!({ "mapRunArn": format!("{run_arn}/{label}:{id}") }))
    })?;
    let mut inputs = Vec::with_capacity(plan.items.len());
    for item in &plan.items {
        inputs.push((item.clone(), map_plan::input(run, state, map, frame, plan, item)?));
    }
    let mut inputs = inputs.into_iter();
    let mut running: FuturesUnordered<BoxFuture<'a, ChildEnd>> = FuturesUnordered::new();
    running.extend(inputs.by_ref().take(plan.concurrency).map(|(item, input)| child(run, map, item, input)));
    let mut results: Vec<Option<Value>> = vec![None; plan.items.len()];
    let mut failed = 0;
    while let Some((index, ended)) = running.next().await {
        match ended {
            Ok(output) => results[index] = Some(output),
            Err(_) => failed += 1,
        }
        if tolerance.exceeded(failed, plan.items.len()) {
            drop(running);
            let (error, cause) = (texts::TOO_MANY_FAILURES, texts::TOO_MANY_FAILURES_CAUSE);
            frame.add("MapRunFailed", || Some(json!({ "error": error, "cause": cause })))?;
            return Err(Fault::work(Some(error.into()), Some(cause.into())).into());
        }
        running.extend(inputs.next().map(|(item, input)| child(run, map, item, input)));
    }
    drop(running);
    // The Exited event follows the start of the run, not its end.
    let succeeded = frame.recorder.add(frame.last, || ("MapRunSucceeded".into(), None))?;
    frame.recorder.add(succeeded, || ("MapStateSucceeded".into(), None))?;
    Ok(results.into_iter().flatten().collect())
}

fn child<'a>(run: &'a Run<'a>, map: &'a Map, item: Item, input: Value) -> BoxFuture<'a, ChildEnd> {
    let recorder = Arc::new(Recorder::new(false, None, Arc::clone(&run.options.clock)));
    // The child counts its own events, from its own start.
    recorder.add_last(0, || ("ExecutionStarted".into(), None));
    Box::pin(async move {
        let mut inner = Frame::new(input, recorder);
        let index = item.index;
        inner.items.push(item);
        (index, flow::run(run, &map.processor.flow, &mut inner).await)
    })
}
