//! An execution that asks for the next one, in which its loop goes on: `startExecution` of its own workflow, here.
//!
//! The row of the next execution is written when it is asked for, under the name that it asks for, so that a repeated
//! start finds the name taken. It runs when the one that asked has ended; whoever waits for that one waits for both.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use asl::CompiledWorkflow;
use asl::names::{CONTINUED, EXECUTION_EXISTS, TRANSIENT};
use runner::{TaskReply, TaskRequest};
use serde_json::{Value, json};
use stores::executions::ExecutionRow;
use stores::{Store, StoreError};

use super::embedded::{Admitted, Shared};
use super::{EngineError, Start};
use crate::step::Failure;
use crate::workflow_state::WorkflowState;

/// The name of the execution in which this one goes on, where it ended for that.
pub(super) fn continued_in(row: &ExecutionRow) -> Option<String> {
    let output: Value = serde_json::from_str(row.output.as_deref()?).ok()?;
    output.get(CONTINUED)?.as_str().map(str::to_owned)
}

/// Writes the row of the execution in which this one goes on, as it is when it starts. On AWS the state machine starts
/// it, so its row is written by whoever sees the end of this one.
pub(super) async fn tell_follower(store: &Store, row: &ExecutionRow) -> Result<(), EngineError> {
    let Some(id) = continued_in(row) else { return Ok(()) };
    let next = ExecutionRow {
        id,
        status: "RUNNING".to_owned(),
        started_ms: row.ended_ms.unwrap_or(row.updated_ms),
        ended_ms: None,
        output: None,
        percent: None,
        transitions: 0,
        step: String::new(),
        counts: BTreeMap::new(),
        failures: BTreeMap::new(),
        ..row.clone()
    };
    match store.executions().put(&next).await {
        // Somebody else saw the same end.
        Ok(()) | Err(StoreError::Stale { .. }) => Ok(()),
        Err(source) => Err(EngineError::Store { execution: next.id, source }),
    }
}

/// One of the executions that follow each other: admitted, and with a row.
pub(super) struct Part {
    pub admitted: Admitted,
    pub state: Arc<WorkflowState>,
    pub input: Value,
}

/// Where an execution leaves the one that is to follow it.
pub(super) struct Continuing<'a> {
    pub shared: Arc<Shared>,
    pub workflow: &'a CompiledWorkflow,
    pub start: &'a Start,
    next: Mutex<Option<Part>>,
}

impl<'a> Continuing<'a> {
    /// Nothing follows yet.
    pub fn new(shared: Arc<Shared>, workflow: &'a CompiledWorkflow, start: &'a Start) -> Continuing<'a> {
        Continuing { shared, workflow, start, next: Mutex::default() }
    }

    /// Answers `startExecution`. Only an execution's own workflow can be started.
    pub async fn begin(&self, request: &TaskRequest) -> TaskReply {
        let argument = |name: &str| request.arguments.get(name);
        let (name, input) = (argument("Name").and_then(Value::as_str), argument("Input"));
        let machine =
            argument("StateMachineArn").and_then(Value::as_str).and_then(|arn| arn.rsplit(':').next());
        let (Some(name), Some(input), true) = (name, input, machine == Some(self.workflow.name.as_str()))
        else {
            let cause = format!(
                "state {}: only the next execution of the same workflow is started here",
                request.state
            );
            return TaskReply::error(Failure::Bug.name(), cause);
        };
        let exists =
            || TaskReply::error(EXECUTION_EXISTS, format!("an execution named {name} exists already"));
        let Some(admitted) = self.shared.admit_next(&request.execution, name) else { return exists() };
        let state = WorkflowState::begin(name, self.workflow, input, self.start, self.shared.now_ms());
        match self.shared.put(&state).await {
            Ok(()) => {}
            Err(StoreError::Stale { .. }) => return exists(),
            Err(error) => {
                return TaskReply::error(TRANSIENT, format!("the row of {name} was not written: {error}"));
            }
        }
        let part = Part { admitted, state: Arc::new(state), input: input.clone() };
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(part);
        TaskReply::Result(json!({ "ExecutionArn": name, "StartDate": self.shared.now_ms() }))
    }

    /// The execution that follows, if one was asked for.
    pub fn take(self) -> Option<Part> {
        self.next.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
