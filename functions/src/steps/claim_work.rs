//! Takes due rows from the work queue and cuts them into batches that one step can serve in time.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use orchestration::task_scheduler::Claimed;
use orchestration::{ExecutionContext, StepExecutor, StepFailure};
use statemachines::steps::{CLAIM_WORK, ClaimWorkInput, ClaimWorkOutput, Claimed as Taken};
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
    let Claimed { claims, more } = match &input.record {
        Some(record) => of_record(cx, record).await?,
        None => {
            let lane: Lane = input.lane.parse().unwrap_or(Lane::Live);
            cx.scheduler.claim(lane, limit, VISIBILITY_MS).await?
        }
    };
    let claims: Vec<Taken> =
        claims.into_iter().map(|claim| Taken { key: claim.key.to_string(), token: claim.token }).collect();
    let claimed = u32::try_from(claims.len()).unwrap_or(u32::MAX);
    let batches = claims.chunks(BATCH).map(<[Taken]>::to_vec).collect();
    Ok(ClaimWorkOutput { batches, claimed, more })
}

/// The row of one record, whenever it is due.
async fn of_record(cx: &Context, record: &str) -> Result<Claimed, SyncError> {
    let key: WorkKey = record.parse().map_err(|_| SyncError::Poison {
        cause: "bad_key",
        detail: "a person asked for no record".to_owned(),
    })?;
    let claims = cx.scheduler.claim_one(&key, VISIBILITY_MS).await?.into_iter().collect();
    Ok(Claimed { claims, more: false })
}
