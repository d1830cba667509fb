//! Runs one execution from start to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use asl::{Kind, Machine};
use serde_json::{Map, Value, json};

use crate::execution::{Execution, Status};
use crate::fault::Fault;
use crate::flow::{self, Ended, Frame};
use crate::history::Recorder;
use crate::options::Options;
use crate::random::Random;
use crate::stop::Reason;
use crate::tasks::Tasks;
use crate::texts;

/// What all parts of one execution share.
pub(crate) struct Run<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) options: &'a Options,
    pub(crate) tasks: &'a dyn Tasks,
    pub(crate) input: &'a Value,
    pub(crate) random: Random,
    pub(crate) started_ms: i64,
    pub(crate) transitions: AtomicU64,
}

impl Run<'_> {
    /// The time of day.
    pub(crate) fn now_ms(&self) -> i64 {
        (self.options.clock)()
    }

    /// Counts what the service bills.
    pub(crate) fn count_transition(&self) {
        self.transitions.fetch_add(1, Ordering::Relaxed);
    }
}

/// How the outermost flow ended.
enum End {
    Output(Value),
    Ended(Ended),
    TimedOut,
    Stopped(Reason),
}

/// Runs a machine on an input until it ends. Waits are tokio's; everything else is given.
pub async fn run(machine: &Machine, input: Value, options: Options, tasks: &dyn Tasks) -> Execution {
    let started_ms = (options.clock)();
    // Express executions have no history events to run out of.
    let limit = (options.kind == Kind::Standard).then_some(options.limits.history_events);
    let recorder = Arc::new(Recorder::new(options.history, limit, Arc::clone(&options.clock)));
    let run = Run {
        machine,
        options: &options,
        tasks,
        input: &input,
        random: Random::new(options.seed),
        started_ms,
        transitions: AtomicU64::new(0),
    };
    let start = || ("ExecutionStarted".into(), Some(json!({ "input": input })));
    let mut frame = Frame::new(input.clone(), Arc::clone(&recorder));
    let end = match recorder.add(0, start) {
        Err(_) => End::Ended(Ended::Full),
        Ok(_) if !options.limits.admit(&input) => {
            let fault = Fault::named(texts::DATA_LIMIT, texts::too_large(&options.machine_name));
            End::Ended(Ended::Fatal { fault, last: 0 })
        }
        Ok(_) => drive(&run, &mut frame).await,
    };
    let transitions = run.transitions.load(Ordering::Relaxed);
    conclude(end, &frame, &recorder, &options, (started_ms, transitions))
}

/// Runs the outermost flow against the clock and whoever may stop it.
async fn drive(run: &Run<'_>, frame: &mut Frame) -> End {
    let longest = (run.options.kind == Kind::Express).then_some(run.options.limits.express_s);
    let seconds = run.machine.timeout_seconds.into_iter().chain(longest).min();
    let timeout = async {
        match seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            // No timer at all: a paused clock would jump to it whenever all else is idle.
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        outcome = flow::run(run, &run.machine.flow, frame) => match outcome {
            Ok(output) => End::Output(output),
            Err(ended) => End::Ended(ended),
        },
        reason = run.options.stop.asked() => End::Stopped(reason),
        () = timeout => End::TimedOut,
    }
}

/// Writes the last event and says how the execution ended.
fn conclude(
    end: End,
    frame: &Frame,
    recorder: &Recorder,
    options: &Options,
    (started_ms, transitions): (i64, u64),
) -> Execution {
    let (status, previous, output, fault) = match end {
        End::Output(output) => (Status::Succeeded, frame.last, Some(output), None),
        End::Ended(Ended::Failed(fault)) => (Status::Failed, frame.last, None, Some(fault)),
        End::Ended(Ended::Fatal { fault, last }) => (Status::Failed, last, None, Some(fault)),
        End::Ended(Ended::Full) => {
            let cause = texts::history_full(options.limits.history_events);
            (Status::Failed, frame.last, None, Some(Fault::runtime(cause)))
        }
        End::TimedOut => (Status::TimedOut, 0, None, None),
        End::Stopped((error, cause)) => (Status::Aborted, 0, None, Some(Fault::work(error, cause))),
    };
    let (error, cause) = fault.map(|fault| (fault.error, fault.cause)).unwrap_or_default();
    recorder.add_last(previous, || {
        let (kind, details) = match status {
            Status::Succeeded => ("ExecutionSucceeded", json!({ "output": output })),
            Status::Failed => ("ExecutionFailed", failure(error.as_deref(), cause.as_deref())),
            Status::TimedOut => ("ExecutionTimedOut", json!({ "error": texts::TIMEOUT })),
            Status::Aborted => ("ExecutionAborted", failure(error.as_deref(), cause.as_deref())),
        };
        (kind.into(), Some(details))
    });
    let (history, events) = recorder.take();
    let ended_ms = (options.clock)();
    Execution { status, output, error, cause, history, events, transitions, started_ms, ended_ms }
}

/// Error and cause as events have them: a member is left out rather than null.
pub(crate) fn failure(error: Option<&str>, cause: Option<&str>) -> Value {
    let members = [("error", error), ("cause", cause)];
    let members = members.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into())));
    Value::Object(members.collect::<Map<_, _>>())
}
