//! Goes from state to state on one level: a machine, a branch, an iteration.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use asl::model::{Catcher, Flow, Transition};
use asl::{QueryLanguage, State, StateKind};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::context::Context;
use crate::data::{Left, Sight, combine};
use crate::fault::{Fault, Origin};
use crate::history::{Full, Recorder};
use crate::retry::{self, Counters};
use crate::run::Run;
use crate::scope::Scope;
use crate::states;
use crate::tasks::Iteration;
use crate::texts;

/// Where one flow is: all that must be known to go on with it.
pub(crate) struct Frame {
    /// The raw input of the current state.
    pub(crate) input: Value,
    pub(crate) scope: Scope,
    /// The iterations around this flow, outermost first.
    pub(crate) items: Vec<Item>,
    /// Retries during this visit to the current state.
    pub(crate) retries: Counters,
    /// The newest event of this flow.
    pub(crate) last: u64,
    /// The Entered event of the current state, and the event before it.
    pub(crate) entered: u64,
    pub(crate) before: u64,
    pub(crate) entered_ms: i64,
    /// Whether the current state is a Task; read by whoever aborts this flow.
    pub(crate) in_task: Arc<AtomicBool>,
    pub(crate) recorder: Arc<Recorder>,
}

/// The item of one iteration.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) map: String,
    pub(crate) index: usize,
    pub(crate) key: Option<String>,
    pub(crate) value: Arc<Value>,
}

/// Why a flow ended without output.
#[derive(Clone, Debug)]
pub(crate) enum Ended {
    /// A state failed; the state around it may retry or catch.
    Failed(Fault),
    /// The execution ends, whatever is around; with its newest event.
    Fatal { fault: Fault, last: u64 },
    /// The history is full.
    Full,
}

impl From<Full> for Ended {
    fn from(_: Full) -> Ended {
        Ended::Full
    }
}

/// Why one attempt of a state ended without result.
pub(crate) enum Stopped {
    Fault(Fault),
    Ended(Ended),
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Stopped {
        Stopped::Fault(fault)
    }
}

impl From<Ended> for Stopped {
    fn from(ended: Ended) -> Stopped {
        Stopped::Ended(ended)
    }
}

impl From<Full> for Stopped {
    fn from(_: Full) -> Stopped {
        Stopped::Ended(Ended::Full)
    }
}

/// What a state leaves, and where the flow goes; nowhere if it ends here.
pub(crate) struct Step {
    pub(crate) left: Left,
    pub(crate) next: Option<String>,
}

impl Frame {
    pub(crate) fn new(input: Value, recorder: Arc<Recorder>) -> Frame {
        Frame {
            input,
            scope: Scope::default(),
            items: Vec::new(),
            retries: Counters::default(),
            last: 0,
            entered: 0,
            before: 0,
            entered_ms: 0,
            in_task: Arc::default(),
            recorder,
        }
    }

    /// The frame of a branch or iteration that starts after the event `last`.
    pub(crate) fn inner(&self, input: Value, last: u64) -> Frame {
        Frame {
            scope: self.scope.inner(),
            items: self.items.clone(),
            last,
            ..Frame::new(input, Arc::clone(&self.recorder))
        }
    }

    /// Adds an event to this flow.
    pub(crate) fn add(&mut self, kind: &str, details: impl FnOnce() -> Option<Value>) -> Result<(), Full> {
        self.last = self.recorder.add(self.last, || (kind.to_owned(), details()))?;
        Ok(())
    }

    /// The path of iterations, as tasks are told.
    pub(crate) fn iteration(&self) -> Vec<Iteration> {
        self.items.iter().map(|item| Iteration { map: item.map.clone(), index: item.index }).collect()
    }

    /// What the state sees; its `$` is the raw input.
    pub(crate) fn sight<'a>(
        &'a self,
        run: &'a Run<'_>,
        state: &State,
        context: &'a Context<'a>,
    ) -> Sight<'a> {
        Sight {
            language: run.machine.language_of(state),
            input: &self.input,
            result: None,
            error_output: None,
            context,
            scope: &self.scope,
            now_ms: run.now_ms(),
            random: &run.random,
        }
    }
}

/// Runs a flow to its end.
pub(crate) fn run<'a>(
    run: &'a Run<'a>,
    flow: &'a Flow,
    frame: &'a mut Frame,
) -> BoxFuture<'a, Result<Value, Ended>> {
    Box::pin(async move {
        let mut name = flow.start_at.clone();
        loop {
            let Some(state) = flow.state(&name) else {
                let fault = Fault::runtime(texts::no_such_state(&name));
                return Err(Ended::Fatal { fault, last: frame.last });
            };
            // A machine that loops without waiting must not hold up everybody else.
            tokio::task::consume_budget().await;
            enter(run, state, frame)?;
            let step = visit(run, state, frame).await?;
            exit(state, frame, step.left)?;
            match step.next {
                None => return Ok(std::mem::take(&mut frame.input)),
                Some(next) => name = next,
            }
        }
    })
}

fn enter(run: &Run<'_>, state: &State, frame: &mut Frame) -> Result<(), Ended> {
    run.count_transition();
    if let Some(observer) = &run.options.observer {
        observer.entered(&state.name, &frame.input);
    }
    frame.retries = Counters::default();
    frame.before = frame.last;
    frame.entered_ms = run.now_ms();
    frame.in_task.store(matches!(state.kind, StateKind::Task(_)), Ordering::Relaxed);
    frame.entered = frame.recorder.add(frame.last, || {
        let details = json!({ "name": state.name, "input": frame.input });
        (format!("{}StateEntered", state.kind.type_name()), Some(details))
    })?;
    frame.last = frame.entered;
    Ok(())
}

fn exit(state: &State, frame: &mut Frame, left: Left) -> Result<(), Ended> {
    let Left { output, assigned } = left;
    frame.in_task.store(false, Ordering::Relaxed);
    frame.last = frame.recorder.add(frame.last, || {
        let mut details = json!({ "name": state.name, "output": output });
        if !assigned.is_empty() {
            details["assignedVariables"] = Value::Object(assigned.clone());
        }
        (format!("{}StateExited", state.kind.type_name()), Some(details))
    })?;
    frame.input = output;
    frame.scope.assign(assigned).map_err(|name| Ended::Fatal {
        fault: Fault::runtime(texts::outer_variable(&name)),
        last: frame.last,
    })
}

/// One visit to a state: attempts until one succeeds, is caught, or ends the flow.
async fn visit<'a>(run: &'a Run<'a>, state: &'a State, frame: &mut Frame) -> Result<Step, Ended> {
    loop {
        let mut fault = match states::attempt(run, state, frame).await {
            Ok(step) if run.options.limits.admit(&step.left.output) => return Ok(step),
            Ok(_) => Fault::named(texts::DATA_LIMIT, texts::too_large(&state.name)),
            Err(Stopped::Fault(fault)) => fault,
            Err(Stopped::Ended(ended)) => return Err(ended),
        };
        tell(state, frame, &mut fault)?;
        if fault.is_fatal() {
            return Err(Ended::Fatal { fault, last: frame.last });
        }
        let delay = retry::decide(&state.retry, &mut frame.retries, &fault, || run.random.fraction());
        if let Some(seconds) = delay {
            run.count_transition();
            tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
            continue;
        }
        states::give_up(state, frame)?;
        let caught = state.catch.iter().enumerate();
        let caught = caught.into_iter().find(|(_, catcher)| retry::matches(&catcher.error_equals, &fault));
        let Some((index, catcher)) = caught else { return Err(failed(fault)) };
        match catch(run, state, frame, (index, catcher), &fault) {
            Ok(left) => return Ok(Step { left, next: Some(catcher.next.clone()) }),
            Err(mut fault) => {
                tell(state, frame, &mut fault)?;
                return Err(match fault.is_fatal() {
                    true => Ended::Fatal { fault, last: frame.last },
                    false => failed(fault),
                });
            }
        }
    }
}

/// A fault on its way out: what is around has nothing to add to its words.
fn failed(fault: Fault) -> Ended {
    Ended::Failed(Fault { origin: Origin::Work, ..fault })
}

/// Names the state in the interpreter's own causes, and writes the event of a failed evaluation.
fn tell(state: &State, frame: &mut Frame, fault: &mut Fault) -> Result<(), Ended> {
    if fault.origin == Origin::Work {
        return Ok(());
    }
    let cause = fault.cause.take().unwrap_or_default();
    fault.cause = Some(texts::executing(&state.name, frame.entered, &cause));
    let Origin::Query(field) = &fault.origin else { return Ok(()) };
    // An evaluation before any work hangs on the event before the state; only Wait differs.
    let waits = matches!(state.kind, StateKind::Wait(_));
    let previous = if frame.last == frame.entered && !waits { frame.before } else { frame.last };
    frame.last = frame.recorder.add(previous, || {
        let mut details = json!({ "error": fault.error, "cause": fault.cause, "state": state.name });
        if let Some(field) = field {
            details["location"] = json!(field);
        }
        ("EvaluationFailed".into(), Some(details))
    })?;
    Ok(())
}

/// What a catcher makes of the error.
fn catch(
    run: &Run<'_>,
    state: &State,
    frame: &Frame,
    (index, catcher): (usize, &Catcher),
    fault: &Fault,
) -> Result<Left, Fault> {
    // A timeout has no cause anywhere else, but an empty one here.
    let timeout = fault.error.as_deref() == Some(texts::TIMEOUT);
    let cause = fault.cause.clone().or(timeout.then(String::new));
    let error_output = json!({ "Error": fault.error, "Cause": cause });
    let context = Context::new(run, frame, state, None);
    let sight = Sight { error_output: Some(&error_output), ..frame.sight(run, state, &context) };
    let limits = &run.options.limits;
    match sight.language {
        QueryLanguage::Jsonata => {
            let output = catcher.output.as_ref();
            let output =
                output.map(|output| sight.template(output, &format!("Catch[{index}]/Output"))).transpose()?;
            let field = format!("Catch[{index}]/Assign");
            let assigned = sight.assigned(catcher.assign.as_ref(), &field, limits)?;
            Ok(Left { output: output.unwrap_or_else(|| error_output.clone()), assigned })
        }
        QueryLanguage::JsonPath => {
            let assigned = sight.of(&error_output).assigned(catcher.assign.as_ref(), "Assign", limits)?;
            let output = combine(&catcher.result_path, &frame.input, error_output.clone())?;
            Ok(Left { output, assigned })
        }
    }
}

/// Where a state goes that neither chooses nor ends by its type.
pub(crate) fn next(state: &State) -> Option<String> {
    match &state.transition {
        Some(Transition::Next(next)) => Some(next.clone()),
        Some(Transition::End) | None => None,
    }
}
