//! The steps that an engine can call, by name.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use stores::operations;

use crate::checkpoint_manager::{CheckpointManager, StepKey};
use crate::context::ExecutionContext;
use crate::step::{StepExecutor, StepFailure};

/// A step with its types erased to JSON: one of this process, or whatever leads to one elsewhere.
pub trait AnyStep: Send + Sync {
    /// Does the work once.
    fn call<'a>(
        &'a self,
        input: Value,
        context: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<Value, StepFailure>>;

    /// The version of its answers' form, if they are kept; see [`StepExecutor::KEEPS`]. One that is elsewhere keeps
    /// its own.
    fn keeps(&self) -> Option<u32> {
        None
    }
}

struct Erased<S>(S);

impl<S: StepExecutor> AnyStep for Erased<S> {
    fn call<'a>(
        &'a self,
        input: Value,
        context: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<Value, StepFailure>> {
        async move {
            // serde's message may quote the value, so it is not passed on.
            let input = serde_json::from_value::<S::Input>(input).map_err(|_| {
                StepFailure::bug(format!("step {}: its input has not the declared shape", S::NAME))
            })?;
            let output = self.0.run(input, context).await?;
            serde_json::to_value(output)
                .map_err(|_| StepFailure::bug(format!("step {}: its output is not JSON", S::NAME)))
        }
        .boxed()
    }

    fn keeps(&self) -> Option<u32> {
        S::KEEPS
    }
}

/// Steps by name.
#[derive(Clone, Default)]
pub struct Registry {
    steps: BTreeMap<&'static str, Arc<dyn AnyStep>>,
    checkpoints: Option<CheckpointManager>,
}

impl Registry {
    /// No steps yet.
    pub fn new() -> Registry {
        Registry::default()
    }

    /// Adds a step; a later step of the same name replaces an earlier one.
    pub fn with<S: StepExecutor + 'static>(mut self, step: S) -> Registry {
        self.steps.insert(S::NAME, Arc::new(Erased(step)));
        self
    }

    /// Keeps the answers of steps that say so, and answers from them in redrives: in a process and in a Lambda alike,
    /// because both call their steps through a registry.
    pub fn keeping(mut self, checkpoints: CheckpointManager) -> Registry {
        self.checkpoints = Some(checkpoints);
        self
    }

    /// Adds whatever does the work of the step of this name.
    pub fn with_any(mut self, name: &'static str, step: Arc<dyn AnyStep>) -> Registry {
        self.steps.insert(name, step);
        self
    }

    /// The names of all steps, in order.
    pub fn names(&self) -> Vec<&'static str> {
        self.steps.keys().copied().collect()
    }

    /// Whether a step of this name can be called.
    pub fn contains(&self, name: &str) -> bool {
        self.steps.contains_key(name)
    }

    /// Calls a step. A panic in it becomes the failure `Bug`: one broken step must not end the process.
    pub async fn call(
        &self,
        name: &str,
        input: Value,
        context: &ExecutionContext,
    ) -> Result<Value, StepFailure> {
        let Some((name, step)) = self.steps.get_key_value(name) else {
            return Err(StepFailure::bug(format!("no step named {name} is registered")));
        };
        let kept = match (&self.checkpoints, step.keeps()) {
            (Some(checkpoints), Some(schema)) => Some((checkpoints, StepKey::of(name, schema, &input))),
            _ => None,
        };
        if let Some((checkpoints, key)) = &kept
            && let Some(answer) = checkpoints.stands(&context.answers_from, key).await.map_err(|error| {
                StepFailure::transient(format!(
                    "step {name}: what it answered before cannot be read: {error}"
                ))
            })?
        {
            return Ok(answer);
        }
        let result = self.run(name, step.as_ref(), input, context).await;
        if let (Some((checkpoints, key)), Ok(answer)) = (&kept, &result)
            && let Err(error) = checkpoints.keep(&context.execution, key, answer).await
        {
            // The work is done; without its checkpoint a redrive does it once more.
            tracing::warn!(step = name, %error, "an answer was not kept");
        }
        result
    }

    async fn run(
        &self,
        name: &'static str,
        step: &dyn AnyStep,
        input: Value,
        context: &ExecutionContext,
    ) -> Result<Value, StepFailure> {
        match AssertUnwindSafe(operations::by(name, step.call(input, context))).catch_unwind().await {
            Ok(result) => result,
            // The panic's message may quote data, and the panic hook has printed it already.
            Err(_) => Err(StepFailure::bug(format!("step {name} panicked"))),
        }
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("Registry").field(&self.names()).finish()
    }
}
