//! Takes due rows from the work queue and cuts them into batches that one step can serve in time.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use orchestration::{ExecutionContext, StepExecutor, StepFailure};
use statemachines::steps::{CLAIM_WORK, ClaimWorkInput, ClaimWorkOutput, Claimed};
use stores::work::Due;
use stores::{Lane, WorkKey};

use crate::{Context, SyncError};

/// How long a claim lasts: a little longer than a batch may take.
pub const VISIBILITY_MS: i64 = 180_000;

/// Records per batch.
const BATCH: usize = 5;

/// The step.
pub struct ClaimWork(pub Arc<Context>);

impl StepExecutor for ClaimWork {
    type Input = ClaimWorkInput;
    type Output = ClaimWorkOutput;
    const NAME: &'static str = CLAIM_WORK.name();

    fn run<'a>(
        &'a self,
        input: ClaimWorkInput,
        run: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<ClaimWorkOutput, StepFailure>> {
        claim(&self.0, input, run).map(|result| result.map_err(StepFailure::from)).boxed()
    }
}

async fn claim(
    cx: &Context,
    input: ClaimWorkInput,
    run: &ExecutionContext,
) -> Result<ClaimWorkOutput, SyncError> {
    let none = ClaimWorkOutput { batches: Vec::new(), claimed: 0, more: false };
    if cx.check_paused(run.lane).await.is_err() {
        return Ok(none);
    }
    let limit = input.limit.max(1) as usize;
    let due = match &input.record {
        Some(record) => of_record(cx, record).await?,
        None => {
            let lane: Lane = input.lane.parse().unwrap_or(Lane::Live);
            cx.store.work().due(lane, limit + 1).await?
        }
    };
    let more = due.len() > limit;
    let mut claims = Vec::new();
    for row in due.iter().take(limit) {
        if let Some(claim) = cx.store.work().claim(row, VISIBILITY_MS).await? {
            claims.push(Claimed { key: claim.key.to_string(), token: claim.token });
        }
    }
    let claimed = u32::try_from(claims.len()).unwrap_or(u32::MAX);
    let batches = claims.chunks(BATCH).map(<[Claimed]>::to_vec).collect();
    Ok(ClaimWorkOutput { batches, claimed, more })
}

/// The row of one record, whenever it is due.
async fn of_record(cx: &Context, record: &str) -> Result<Vec<Due>, SyncError> {
    let key: WorkKey = record.parse().map_err(|_| SyncError::Poison {
        cause: "bad_key",
        detail: "a person asked for no record".to_owned(),
    })?;
    Ok(cx.store.work().due_of(&key).await?.into_iter().collect())
}
