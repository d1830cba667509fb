//! One unit of work: typed input to typed output or a named failure. The same async function runs in a Lambda, in
//! the embedded engine and in a test.

use asl::names;
use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::ExecutionContext;

/// Why a step failed, as a fixed name: `Retry`, `Catch`, the engine and the alarms match on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// Worth another try: a timeout, a throttled table, a service in trouble.
    Transient,
    /// Trying again cannot help: the record is gone, the list is archived.
    Rejected,
    /// Our own mistake. Never retried, always alarms.
    Bug,
    /// The budget of a service is used up for now.
    BudgetEmpty,
    /// A person or the brake has paused this lane.
    Paused,
}

impl Failure {
    /// Every failure, for tests and tables.
    pub const ALL: [Failure; 5] =
        [Failure::Transient, Failure::Rejected, Failure::Bug, Failure::BudgetEmpty, Failure::Paused];

    /// The error name in definitions, logs and alarms.
    pub fn name(self) -> &'static str {
        match self {
            Failure::Transient => asl::names::TRANSIENT,
            Failure::Rejected => names::REJECTED,
            Failure::Bug => names::BUG,
            Failure::BudgetEmpty => names::BUDGET_EMPTY,
            Failure::Paused => names::PAUSED,
        }
    }

    /// The failure of this name.
    pub fn from_name(name: &str) -> Option<Failure> {
        Failure::ALL.into_iter().find(|failure| failure.name() == name)
    }
}

/// A failure with a message for people. The message never holds ticket text, tokens or secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", failure.name())]
pub struct StepFailure {
    /// The name that definitions match on.
    pub failure: Failure,
    /// What was attempted, on what.
    pub message: String,
}

impl StepFailure {
    /// A failure of this name.
    pub fn new(failure: Failure, message: impl Into<String>) -> StepFailure {
        StepFailure { failure, message: message.into() }
    }

    /// Worth another try.
    pub fn transient(message: impl Into<String>) -> StepFailure {
        StepFailure::new(Failure::Transient, message)
    }

    /// Trying again cannot help.
    pub fn rejected(message: impl Into<String>) -> StepFailure {
        StepFailure::new(Failure::Rejected, message)
    }

    /// Our own mistake.
    pub fn bug(message: impl Into<String>) -> StepFailure {
        StepFailure::new(Failure::Bug, message)
    }
}

/// A step.
pub trait StepExecutor: Send + Sync {
    /// What it takes.
    type Input: DeserializeOwned + Send;
    /// What it gives.
    type Output: Serialize + Send;
    /// The name under which definitions call it.
    const NAME: &'static str;
    /// The version of its output's form, if its answers are kept as checkpoints: a redrive then takes the kept answer
    /// instead of calling it again. Each kept answer costs a write and is worth it where a call is dear. Only for a
    /// step that may answer the same input alike for as long as an execution and its redrives last (in a loop the
    /// input says the round). Without it the step runs again, and finds for itself what it has done.
    const KEEPS: Option<u32> = None;

    /// Does the work once. It may be called again with the same input after any failure.
    fn run<'a>(
        &'a self,
        input: Self::Input,
        context: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<Self::Output, StepFailure>>;
}
