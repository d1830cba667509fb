//! Runs a compiled workflow with steps that take their time and note what they were given.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use asl::{CompiledWorkflow, Step};
use futures::FutureExt;
use futures::future::BoxFuture;
use runner::{Execution, Options, TaskReply, TaskRequest, Tasks, lambda_result, tokio_clock};
use serde_json::Value;
use tokio::time::Instant;

/// A step that takes and gives anything: the state's name says which use of it is meant.
pub const WORK: Step<Value, Value> = Step::new("Work");

/// One call of a step.
#[derive(Clone, Debug)]
pub struct Called {
    /// The state.
    pub state: String,
    /// The step's own input.
    pub input: Value,
    /// Seconds from the start of the execution.
    pub from_s: f64,
    /// Seconds at the end of the call.
    pub to_s: f64,
}

/// What a step answers: a result, or the name of a failure.
pub type Answer = Box<dyn Fn(&TaskRequest, &Value) -> Result<Value, String> + Send + Sync>;

/// Steps for tests.
pub struct Bench {
    start: Instant,
    seconds: BTreeMap<String, f64>,
    answer: Answer,
    calls: Mutex<Vec<Called>>,
}

impl Bench {
    /// Steps that take these seconds (nothing, if not listed) and answer this.
    pub fn new(seconds: BTreeMap<String, f64>, answer: Answer) -> Bench {
        Bench { start: Instant::now(), seconds, answer, calls: Mutex::default() }
    }

    /// Every call in the order in which they ended.
    pub fn calls(&self) -> Vec<Called> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn work(&self, request: TaskRequest) -> TaskReply {
        let from_s = self.start.elapsed().as_secs_f64();
        let seconds = self.seconds.get(&request.state).copied().unwrap_or_default();
        if seconds > 0.0 {
            tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        }
        let input = request.arguments["Payload"]["input"].clone();
        let answer = (self.answer)(&request, &input);
        let to_s = self.start.elapsed().as_secs_f64();
        let call = Called { state: request.state, input, from_s, to_s };
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        match answer {
            Ok(value) => TaskReply::Result(lambda_result(value)),
            Err(name) => TaskReply::error(name, "for the test"),
        }
    }
}

impl Tasks for Bench {
    fn call(&self, request: TaskRequest) -> BoxFuture<'_, TaskReply> {
        self.work(request).boxed()
    }
}

/// Runs the workflow; also tells how many virtual seconds it took.
pub async fn run(workflow: &CompiledWorkflow, input: Value, bench: &Bench) -> (Execution, f64) {
    let start = Instant::now();
    let options = Options::new(workflow.kind, &workflow.name, "test", tokio_clock(1_700_000_000_000));
    let execution = runner::run(&workflow.typed, input, options, bench).await;
    (execution, start.elapsed().as_secs_f64())
}
