//! The Task states of one execution: from the runner's request to the step in the registry, and back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use asl::compile::step_of;
use clients::Clock;
use futures::FutureExt;
use futures::future::BoxFuture;
use runner::{TaskReply, TaskRequest, Tasks, lambda_result};
use serde_json::Value;
use stores::Store;

use crate::context::{ExecutionContext, Random};
use crate::engine::Start;
use crate::engine::continuing::Continuing;
use crate::registry::Registry;
use crate::step::Failure;
use crate::workflow_state::WorkflowState;

/// A Task without its own timeout gets this; the compiler asks every Task for one.
const STEP_TIMEOUT_MS: u64 = 60_000;

/// The steps as one execution calls them.
pub(super) struct Steps<'a> {
    pub registry: &'a Registry,
    pub store: &'a Store,
    pub clock: &'a Arc<dyn Clock>,
    pub random: Random,
    pub workflow: &'a str,
    pub start: &'a Start,
    pub state: &'a WorkflowState,
    /// Where it may go on.
    pub continuing: &'a Continuing<'a>,
    /// Where kept answers are looked for, in a redrive.
    pub answers_from: &'a [String],
    /// Express executions are over before anybody looks: only their start and end are written.
    pub keeps_progress: bool,
    /// Calls so far, and the time in them: what is billed.
    pub calls: AtomicU64,
    pub calls_ms: AtomicU64,
}

impl Steps<'_> {
    async fn invoke(&self, request: TaskRequest) -> TaskReply {
        let function = request.arguments.get("FunctionName").and_then(Value::as_str).unwrap_or_default();
        if request.resource == asl::names::START_EXECUTION {
            return self.continuing.begin(&request).await;
        }
        if request.resource != asl::names::LAMBDA_INVOKE {
            let cause = format!("state {}: {} is not served here", request.state, request.resource);
            return TaskReply::error(Failure::Bug.name(), cause);
        }
        let step = step_of(function).unwrap_or(function);
        // The payload also tells a Lambda its execution and attempt; here the context does.
        let input = request.arguments.pointer("/Payload/input").cloned().unwrap_or(Value::Null);
        let began_ms = self.clock.now_ms();
        let result = self.registry.call(step, input, &self.context(&request)).await;
        let took_ms = u64::try_from(self.clock.now_ms() - began_ms).unwrap_or(0);
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.calls_ms.fetch_add(took_ms, Ordering::Relaxed);
        let reply = match result {
            Ok(output) => TaskReply::Result(lambda_result(output)),
            Err(failure) => {
                self.state.failed(failure.failure.name());
                TaskReply::error(failure.failure.name(), failure.message)
            }
        };
        self.save().await;
        reply
    }

    fn context(&self, request: &TaskRequest) -> ExecutionContext {
        let timeout_ms = i64::try_from(request.timeout_ms.unwrap_or(STEP_TIMEOUT_MS)).unwrap_or(i64::MAX);
        ExecutionContext {
            execution: request.execution.clone(),
            workflow: self.workflow.to_owned(),
            trigger: self.start.trigger.clone(),
            actor: self.start.actor.clone(),
            lane: self.start.lane,
            deadline_ms: self.clock.now_ms().saturating_add(timeout_ms),
            attempt: u32::try_from(request.attempt).unwrap_or(u32::MAX),
            trace_id: request.execution.clone(),
            answers_from: self.answers_from.to_vec(),
            clock: self.clock.clone(),
            random: self.random.fork(),
        }
    }

    /// Keeps progress readable from outside. It is no part of the work: if it fails, the work goes on.
    async fn save(&self) {
        if !self.keeps_progress || !self.state.is_worth_saving(self.clock.now_ms()) {
            return;
        }
        if let Err(error) = self.store.executions().update(&self.state.row()).await {
            tracing::debug!(%error, "progress was not written");
        }
    }
}

impl Tasks for Steps<'_> {
    fn call(&self, request: TaskRequest) -> BoxFuture<'_, TaskReply> {
        self.invoke(request).boxed()
    }
}
