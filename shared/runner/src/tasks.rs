//! The one way out of an execution: what a Task state asks for, and the answers.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::Notify;

/// Carries out tasks. The runner knows nothing of what is behind a resource.
pub trait Tasks: Send + Sync {
    /// Carries out one attempt of a task.
    fn call(&self, request: TaskRequest) -> BoxFuture<'_, TaskReply>;
}

/// One attempt of a Task state.
#[derive(Clone, Debug)]
pub struct TaskRequest {
    /// The ARN in the state's Resource.
    pub resource: String,
    /// The effective input: Arguments, Parameters, or the state's input.
    pub arguments: Value,
    /// The state's name.
    pub state: String,
    /// 1 for the first attempt of a visit.
    pub attempt: u64,
    /// The execution's name.
    pub execution: String,
    /// The execution's ARN.
    pub execution_arn: String,
    /// The Map iterations around the task, outermost first.
    pub iteration: Vec<Iteration>,
    /// The token of a `.waitForTaskToken` task; another one per attempt.
    pub token: Option<String>,
    /// TimeoutSeconds, if the state has one.
    pub timeout_ms: Option<u64>,
    /// A sign of life that HeartbeatSeconds waits for.
    pub heartbeat: Heartbeat,
}

/// One iteration of a Map state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Iteration {
    /// The Map state's name.
    pub map: String,
    /// The item's index.
    pub index: usize,
}

/// How a task ended.
pub enum TaskReply {
    /// It succeeded.
    Result(Value),
    /// It failed. A callback may fail without name and cause.
    Error {
        /// The name that retriers and catchers match.
        error: Option<String>,
        /// More for people.
        cause: Option<String>,
    },
    /// Nobody will answer: the state's own timeout has to end it.
    Never,
    /// The API accepted the request (`.sync`, `.waitForTaskToken`); the end comes later.
    Submitted {
        /// What the API answered at once.
        response: Value,
        /// The end.
        rest: BoxFuture<'static, TaskReply>,
    },
}

impl TaskReply {
    /// A failure with a name and a cause.
    pub fn error(error: impl Into<String>, cause: impl Into<String>) -> TaskReply {
        TaskReply::Error { error: Some(error.into()), cause: Some(cause.into()) }
    }
}

impl fmt::Debug for TaskReply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Results hold what people wrote, which logs must not show.
        formatter.write_str(match self {
            TaskReply::Result(_) => "Result",
            TaskReply::Error { .. } => "Error",
            TaskReply::Never => "Never",
            TaskReply::Submitted { .. } => "Submitted",
        })
    }
}

/// Lets a running task say that it is alive.
#[derive(Clone, Debug, Default)]
pub struct Heartbeat(Arc<Notify>);

impl Heartbeat {
    /// Sets the heartbeat clock back to zero.
    pub fn beat(&self) {
        self.0.notify_one();
    }

    pub(crate) async fn beaten(&self) {
        self.0.notified().await;
    }
}

/// What `arn:aws:states:::lambda:invoke` answers when a function returned `payload`.
pub fn lambda_result(payload: Value) -> Value {
    json!({ "ExecutedVersion": "$LATEST", "Payload": payload, "StatusCode": 200 })
}
