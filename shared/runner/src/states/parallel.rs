//! Parallel: all branches at once, results in the order of the branches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use asl::model::Parallel;
use asl::{QueryLanguage, State};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use serde_json::Value;

use crate::context::Context;
use crate::data::{Left, leave};
use crate::fault::Fault;
use crate::flow::{self, Ended, Frame, Step, Stopped, next};
use crate::run::Run;

/// One branch's end: index, newest event, outcome.
type End = (usize, u64, Result<Value, Ended>);

pub(super) async fn attempt<'a>(
    run: &'a Run<'a>,
    state: &'a State,
    parallel: &'a Parallel,
    frame: &mut Frame,
) -> Result<Step, Stopped> {
    let input = input(run, state, frame)?;
    frame.add("ParallelStateStarted", || None)?;
    let started = frame.last;
    let mut tasks: Vec<Arc<AtomicBool>> = Vec::new();
    let mut branches: FuturesUnordered<BoxFuture<'a, End>> = FuturesUnordered::new();
    for (index, branch) in parallel.branches.iter().enumerate() {
        let mut inner = frame.inner(input.clone(), started);
        tasks.push(Arc::clone(&inner.in_task));
        branches.push(Box::pin(async move {
            let ended = flow::run(run, branch, &mut inner).await;
            (index, inner.last, ended)
        }));
    }
    let mut results = vec![Value::Null; parallel.branches.len()];
    let mut last = started;
    while let Some((index, branch_last, ended)) = branches.next().await {
        last = branch_last;
        match ended {
            Ok(output) => results[index] = output,
            Err(Ended::Failed(fault)) => {
                // What is left of the other branches goes with them.
                drop(branches);
                frame.last = last;
                abort(frame, &tasks)?;
                return Err(fault.into());
            }
            Err(ended) => return Err(ended.into()),
        }
    }
    drop(branches);
    frame.last = last;
    let result = Value::Array(results);
    // Both this event and the Exited one follow the last event of the branches.
    frame.recorder.add(last, || ("ParallelStateSucceeded".into(), None))?;
    Ok(Step { left: finish(run, state, frame, result)?, next: next(state) })
}

/// Every task that was open when a branch failed, the failed one too, is told to be aborted.
fn abort(frame: &Frame, tasks: &[Arc<AtomicBool>]) -> Result<(), Ended> {
    for _ in tasks.iter().filter(|in_task| in_task.load(Ordering::Relaxed)) {
        frame.recorder.add(frame.last, || ("TaskStateAborted".into(), None))?;
    }
    Ok(())
}

fn input(run: &Run<'_>, state: &State, frame: &Frame) -> Result<Value, Fault> {
    let context = Context::new(run, frame, state, None);
    let sight = frame.sight(run, state, &context);
    match sight.language {
        QueryLanguage::Jsonata => match &state.arguments {
            Some(arguments) => sight.template(arguments, "Arguments"),
            None => Ok(sight.input.clone()),
        },
        QueryLanguage::JsonPath => {
            let effective = sight.filter(&state.input_path)?;
            match &state.parameters {
                Some(parameters) => sight.of(&effective).template(parameters, "Parameters"),
                None => Ok(effective),
            }
        }
    }
}

fn finish(run: &Run<'_>, state: &State, frame: &Frame, result: Value) -> Result<Left, Fault> {
    let context = Context::new(run, frame, state, None);
    leave(state, frame.sight(run, state, &context), result, &run.options.limits)
}
