//! The face of the engines: compile once, execute anywhere.

use std::sync::Arc;

use asl::CompiledWorkflow;
use serde_json::Value;
use stores::executions::ExecutionRow;

use crate::engine::{Engine, EngineError, Event, Outcome, Start};

/// Starts workflows on an engine, waits for them, stops them and tells how they are.
pub struct WorkflowOrchestrator<E: Engine> {
    engine: Arc<E>,
}

impl<E: Engine> WorkflowOrchestrator<E> {
    /// An orchestrator on an engine.
    pub fn new(engine: Arc<E>) -> Self {
        Self { engine }
    }

    /// Runs a workflow to its end.
    pub async fn execute(
        &self,
        workflow: &CompiledWorkflow,
        input: Value,
        start: Start,
    ) -> Result<Outcome, EngineError> {
        self.engine.run(workflow, input, start).await
    }

    /// Starts a workflow and comes back with the execution's id.
    pub async fn start(
        &self,
        workflow: &CompiledWorkflow,
        input: Value,
        start: Start,
    ) -> Result<String, EngineError> {
        self.engine.start(workflow, input, start).await
    }

    /// Starts a workflow in place of an execution that failed; see [`Engine::start_again`].
    pub async fn start_again(
        &self,
        workflow: &CompiledWorkflow,
        input: Value,
        start: Start,
        of: &ExecutionRow,
    ) -> Result<String, EngineError> {
        self.engine.start_again(workflow, input, start, of).await
    }

    /// Waits for an execution that was started.
    pub async fn wait(&self, execution: &str) -> Result<Outcome, EngineError> {
        self.engine.wait(execution).await
    }

    /// What is known of an execution.
    pub async fn describe(&self, execution: &str) -> Result<Option<ExecutionRow>, EngineError> {
        self.engine.describe(execution).await
    }

    /// The newest executions, newest first.
    pub async fn list(&self, limit: usize) -> Result<Vec<ExecutionRow>, EngineError> {
        self.engine.list(limit).await
    }

    /// Asks an execution to end; false if it does not run.
    pub async fn stop(&self, execution: &str) -> Result<bool, EngineError> {
        self.engine.stop(execution).await
    }

    /// What happened in an execution, in order.
    pub async fn history(&self, execution: &str) -> Result<Vec<Event>, EngineError> {
        self.engine.history(execution).await
    }

    /// Runs what failed of an execution again.
    pub async fn redrive(&self, execution: &str) -> Result<(), EngineError> {
        self.engine.redrive(execution).await
    }

    /// The engine itself.
    pub fn engine(&self) -> &Arc<E> {
        &self.engine
    }
}
