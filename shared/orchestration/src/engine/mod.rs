//! What runs executions: the embedded engine and Step Functions, behind one face.

mod continuing;
mod embedded;
mod step_functions;
mod steps;

use asl::CompiledWorkflow;
use clients::Lane;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stores::StoreError;
use stores::executions::ExecutionRow;

pub use embedded::EmbeddedEngine;
pub use step_functions::StepFunctionsEngine;

/// Why an engine could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The execution's row could not be written or read.
    #[error("the progress of execution {execution} could not be kept")]
    Store {
        /// Which execution.
        execution: String,
        /// Why.
        source: StoreError,
    },
    /// The name belongs to another execution, which may be over.
    #[error("an execution named {0} exists already")]
    NameTaken(String),
    /// The execution was dropped before it ended.
    #[error("execution {0} was dropped before it ended")]
    Dropped(String),
    /// Nothing is known of the execution.
    #[error("there is no execution {0}")]
    Unknown(String),
    /// The stack has no state machine for the workflow.
    #[error("no state machine of the stack runs {0}")]
    NoMachine(String),
    /// This engine, or this kind of execution, has no such thing.
    #[error("{0}")]
    NotOffered(&'static str),
    /// Step Functions refused or did not answer.
    #[error("Step Functions could not {action} execution {execution}: {reason}")]
    Service {
        /// Which execution.
        execution: String,
        /// What was asked.
        action: &'static str,
        /// The service's code, or why there was no answer.
        reason: String,
    },
}

/// Who starts an execution, and why.
#[derive(Clone, Debug)]
pub struct Start {
    /// A name that makes a double start one start; made up if absent.
    pub name: Option<String>,
    /// `webhook`, `schedule`, `person`, …
    pub trigger: String,
    /// On whose behalf.
    pub actor: String,
    /// The priority lane of its calls.
    pub lane: Lane,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Its id.
    pub execution: String,
    /// `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`.
    pub status: String,
    /// The output, if it succeeded.
    pub output: Option<Value>,
    /// The failure's name.
    pub error: Option<String>,
    /// The failure's cause.
    pub cause: Option<String>,
    /// States entered, retries included.
    pub transitions: u64,
}

impl Outcome {
    /// What a row says.
    pub fn of(row: ExecutionRow) -> Self {
        Self {
            output: row.output.as_deref().and_then(|output| serde_json::from_str(output).ok()),
            execution: row.id,
            status: row.status,
            error: row.error,
            cause: row.cause,
            transitions: row.transitions,
        }
    }

    /// Whether it reached its end.
    pub fn succeeded(&self) -> bool {
        self.status == "SUCCEEDED"
    }
}

/// One event of an execution's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// When, in unix milliseconds.
    pub at_ms: i64,
    /// As the service calls it: `TaskStateEntered`, `LambdaFunctionFailed`, …
    pub kind: String,
    /// The state, where the event is of one.
    pub state: Option<String>,
}

/// Executions and transitions of one workflow so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Whether they are Express executions, which are billed by time rather than by transition.
    pub express: bool,
    /// Executions started.
    pub executions: u64,
    /// States entered, retries included.
    pub transitions: u64,
    /// Time that executions ran, in milliseconds.
    pub ran_ms: u64,
    /// Calls of steps.
    pub calls: u64,
    /// Time in them, in milliseconds; those of one execution that ran beside each other count each.
    pub calls_ms: u64,
}

/// Runs executions of compiled workflows.
pub trait Engine: Send + Sync {
    /// Starts an execution and comes back at once with its id.
    fn start<'a>(
        &'a self,
        workflow: &'a CompiledWorkflow,
        input: Value,
        start: Start,
    ) -> BoxFuture<'a, Result<String, EngineError>>;

    /// Starts an execution by this definition, which may be a newer one, in place of one that failed: steps that kept
    /// their answers there do not run again.
    fn start_again<'a>(
        &'a self,
        workflow: &'a CompiledWorkflow,
        input: Value,
        start: Start,
        of: &'a ExecutionRow,
    ) -> BoxFuture<'a, Result<String, EngineError>>;

    /// Waits for the end of an execution.
    fn wait<'a>(&'a self, execution: &'a str) -> BoxFuture<'a, Result<Outcome, EngineError>>;

    /// Runs an execution and waits for its end. Dropping the future drops the execution where it stands.
    fn run<'a>(
        &'a self,
        workflow: &'a CompiledWorkflow,
        input: Value,
        start: Start,
    ) -> BoxFuture<'a, Result<Outcome, EngineError>>;

    /// What is known of an execution.
    fn describe<'a>(&'a self, execution: &'a str)
    -> BoxFuture<'a, Result<Option<ExecutionRow>, EngineError>>;

    /// The newest executions, newest first.
    fn list(&self, limit: usize) -> BoxFuture<'_, Result<Vec<ExecutionRow>, EngineError>>;

    /// Asks an execution to end; false if it does not run.
    fn stop<'a>(&'a self, execution: &'a str) -> BoxFuture<'a, Result<bool, EngineError>>;

    /// What happened in an execution, in order, without its data.
    fn history<'a>(&'a self, execution: &'a str) -> BoxFuture<'a, Result<Vec<Event>, EngineError>>;

    /// Runs what failed of an execution again, by the same definition.
    fn redrive<'a>(&'a self, execution: &'a str) -> BoxFuture<'a, Result<(), EngineError>>;
}

/// The store failed on behalf of an execution.
fn store(execution: &str) -> impl FnOnce(StoreError) -> EngineError {
    let execution = execution.to_owned();
    |source| EngineError::Store { execution, source }
}

/// What an engine cannot do, and what helps instead.
fn not_offered<'a, T: Send + 'a>(why: &'static str) -> BoxFuture<'a, Result<T, EngineError>> {
    std::future::ready(Err(EngineError::NotOffered(why))).boxed()
}
