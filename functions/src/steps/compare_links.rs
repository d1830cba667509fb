//! Compares the linked pairs of one segment with both services, and hints those that differ from what their links know.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use orchestration::{ExecutionContext, StepExecutor, StepFailure};
use statemachines::steps::{COMPARE_LINKS, CompareLinksInput, CompareLinksOutput};

use crate::sync::compare;
use crate::{Context, SyncError};

/// The step.
pub struct CompareLinks(pub Arc<Context>);

impl StepExecutor for CompareLinks {
    type Input = CompareLinksInput;
    type Output = CompareLinksOutput;
    const NAME: &'static str = COMPARE_LINKS.name();
    /// A segment costs hundreds of requests, a checkpoint one write.
    const KEEPS: Option<u32> = Some(1);

    fn run<'a>(
        &'a self,
        input: CompareLinksInput,
        run: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<CompareLinksOutput, StepFailure>> {
        compare(&self.0, input, run).map(|result| result.map_err(StepFailure::from)).boxed()
    }
}

async fn compare(
    cx: &Context,
    input: CompareLinksInput,
    run: &ExecutionContext,
) -> Result<CompareLinksOutput, SyncError> {
    let compared = compare::segment(cx, run, &input.segment).await?;
    Ok(CompareLinksOutput { compared: compared.links, hinted: compared.differ })
}
