//! Progress of one execution: readable while it runs, and the truth for both kinds of executions afterwards.

use std::sync::{Mutex, MutexGuard, PoisonError};

use asl::{CompiledWorkflow, Kind};
use domain::field::sha256_hex;
use runner::{Execution, Observer};
use serde_json::Value;
use stores::executions::{ExecutionRow, Executions};

use crate::engine::Start;

/// Outputs longer than this are not kept in the row; of inputs the store takes care.
const TEXT_BYTES_MAX: usize = 2_048;

/// The progress of one execution.
#[derive(Debug)]
pub struct WorkflowState(Mutex<ExecutionRow>);

impl WorkflowState {
    /// An execution that begins now.
    pub fn begin(id: &str, workflow: &CompiledWorkflow, input: &Value, start: &Start, now_ms: i64) -> Self {
        Self(Mutex::new(ExecutionRow {
            id: id.to_owned(),
            workflow: workflow.name.clone(),
            kind: match workflow.kind {
                Kind::Standard => "Standard".to_owned(),
                Kind::Express => "Express".to_owned(),
            },
            definition: sha256_hex(workflow.text().as_bytes())[..16].to_owned(),
            trigger: start.trigger.clone(),
            actor: start.actor.clone(),
            lane: start.lane.name().to_owned(),
            status: "RUNNING".to_owned(),
            input: input.to_string(),
            started_ms: now_ms,
            updated_ms: now_ms,
            ..ExecutionRow::default()
        }))
    }

    /// The same for an execution that redrives another: its steps answer from what that one, and those before it, kept.
    pub fn again(self, of: Option<&ExecutionRow>) -> Self {
        if let Some(of) = of {
            let mut row = self.lock();
            row.redrive_of = Some(of.id.clone());
            row.answers_from = std::iter::once(&of.id).chain(&of.answers_from).cloned().collect();
        }
        self
    }

    /// The row as it is now.
    pub fn row(&self) -> ExecutionRow {
        self.lock().clone()
    }

    /// Whether enough time has passed since it was last written; notes that it is written now.
    pub fn is_worth_saving(&self, now_ms: i64) -> bool {
        let mut row = self.lock();
        let due = now_ms - row.updated_ms >= Executions::UPDATE_EVERY_MS;
        if due {
            row.updated_ms = now_ms;
        }
        due
    }

    /// Counts a failure of a step.
    pub fn failed(&self, name: &str) {
        *self.lock().failures.entry(name.to_owned()).or_default() += 1;
    }

    /// Takes over how it ended.
    pub fn end(&self, end: &Execution) {
        let mut row = self.lock();
        end.status.name().clone_into(&mut row.status);
        row.transitions = end.transitions;
        row.ended_ms = Some(end.ended_ms);
        row.updated_ms = end.ended_ms;
        row.error.clone_from(&end.error);
        row.cause.clone_from(&end.cause);
        row.output = end.output.as_ref().map(short);
        row.percent = (row.status == "SUCCEEDED").then_some(100.0);
    }

    fn lock(&self) -> MutexGuard<'_, ExecutionRow> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for WorkflowState {
    fn entered(&self, state: &str, _input: &Value) {
        let mut row = self.lock();
        state.clone_into(&mut row.step);
        row.transitions += 1;
        *row.counts.entry(state.to_owned()).or_default() += 1;
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.len() <= TEXT_BYTES_MAX { text } else { format!("\"{} bytes\"", text.len()) }
}
