//! Hands the backfill's place over to the polls, so that nothing falls between the two.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use orchestration::{ExecutionContext, StepExecutor, StepFailure};
use statemachines::steps::{FINISH_BACKFILL, FinishBackfillInput, FinishBackfillOutput};

use crate::backfill::Place;
use crate::steps::poll_tickets;
use crate::{Context, SyncError};

/// The step.
pub struct FinishBackfill(pub Arc<Context>);

impl StepExecutor for FinishBackfill {
    type Input = FinishBackfillInput;
    type Output = FinishBackfillOutput;
    const NAME: &'static str = FINISH_BACKFILL.name();

    fn run<'a>(
        &'a self,
        input: FinishBackfillInput,
        run: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<FinishBackfillOutput, StepFailure>> {
        finish(&self.0, input, run).map(|result| result.map_err(StepFailure::from)).boxed()
    }
}

async fn finish(
    cx: &Context,
    input: FinishBackfillInput,
    run: &ExecutionContext,
) -> Result<FinishBackfillOutput, SyncError> {
    let (place, _) = Place::load(cx, input.generation, run.now_ms()).await?;
    let cursors = &cx.checkpoints;
    if let Some(cursor) = &place.cursor
        && cursors.cursor(poll_tickets::STREAM).await?.is_none()
    {
        cursors.advance(poll_tickets::STREAM, None, cursor).await?;
    }
    place.begin_polls(cx).await?;
    Ok(FinishBackfillOutput { linked: place.seen })
}
