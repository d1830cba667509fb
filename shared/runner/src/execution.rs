//! What is left of an execution when it has ended.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How an execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// It reached an end.
    Succeeded,
    /// Nobody caught an error.
    Failed,
    /// The machine's own TimeoutSeconds, or the longest Express execution.
    TimedOut,
    /// Somebody stopped it.
    Aborted,
}

impl Status {
    /// The service's word.
    pub fn name(self) -> &'static str {
        match self {
            Status::Succeeded => "SUCCEEDED",
            Status::Failed => "FAILED",
            Status::TimedOut => "TIMED_OUT",
            Status::Aborted => "ABORTED",
        }
    }
}

/// An execution that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    /// How it ended.
    pub status: Status,
    /// The output, if it succeeded.
    pub output: Option<Value>,
    /// The error, if it failed with one.
    pub error: Option<String>,
    /// The cause, if it failed with one.
    pub cause: Option<String>,
    /// What happened, if it was kept.
    pub history: Vec<Event>,
    /// How many events there were, kept or not.
    pub events: u64,
    /// States entered plus retries, which is what Standard executions are billed by.
    pub transitions: u64,
    /// When it started, in Unix milliseconds.
    pub started_ms: i64,
    /// When it ended.
    pub ended_ms: i64,
}

/// One event of a history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// From 1, without gaps.
    pub id: u64,
    /// The event before it in its own branch; 0 for none.
    pub previous: u64,
    /// When, in Unix milliseconds.
    pub at_ms: i64,
    /// The service's name for the type, as `PassStateEntered`.
    pub kind: String,
    /// The content of the event's details member, JSON texts parsed.
    pub details: Option<Value>,
}
