//! Brings the records of one batch in step. One bad record stops nobody: each is finished, sent back with a
//! delay, or set aside with its cause, on its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use orchestration::recovery_manager::{AfterFailure, after_failure, fingerprint};
use orchestration::{ExecutionContext, Failure, StepExecutor, StepFailure};
use statemachines::steps::{Claimed, SYNC_RECORDS, SyncRecordsInput, SyncRecordsOutput};
use stores::work::Claim;

use crate::sync::{self, Synced};
use crate::{Context, SyncError, access};

/// Why a row went back that no confirmed plan has.
pub const UNPLANNED: &str = "Unplanned";

/// Such a row waits this long: until the plan is carried out, and some.
const UNPLANNED_WAIT_MS: i64 = 15 * 60_000;

/// The step.
pub struct SyncRecords(pub Arc<Context>);

impl StepExecutor for SyncRecords {
    type Input = SyncRecordsInput;
    type Output = SyncRecordsOutput;
    const NAME: &'static str = SYNC_RECORDS.name();

    fn run<'a>(
        &'a self,
        input: SyncRecordsInput,
        run: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<SyncRecordsOutput, StepFailure>> {
        batch(&self.0, input, run).map(|result| result.map_err(StepFailure::from)).boxed()
    }
}

enum End {
    Synced(u32),
    Requeued,
    Quarantined,
    Lost,
}

async fn batch(
    cx: &Context,
    input: SyncRecordsInput,
    run: &ExecutionContext,
) -> Result<SyncRecordsOutput, SyncError> {
    let ends = join_all(input.claims.iter().map(|claimed| one(cx, run, claimed))).await;
    let mut output = SyncRecordsOutput { synced: 0, written: 0, requeued: 0, quarantined: 0 };
    for end in ends {
        match end? {
            End::Synced(writes) => {
                output.synced += 1;
                output.written += writes;
            }
            End::Requeued => output.requeued += 1,
            End::Quarantined => output.quarantined += 1,
            End::Lost => {}
        }
    }
    for (count, n) in [
        (&cx.activity.synced, output.synced),
        (&cx.activity.written, output.written),
        (&cx.activity.requeued, output.requeued),
        (&cx.activity.quarantined, output.quarantined),
    ] {
        count.fetch_add(n.into(), Ordering::Relaxed);
    }
    Ok(output)
}

async fn one(cx: &Context, run: &ExecutionContext, claimed: &Claimed) -> Result<End, SyncError> {
    let Ok(key) = claimed.key.parse() else {
        return Err(SyncError::Poison { cause: "bad_key", detail: "a claim names no record".to_owned() });
    };
    // The claim may be over: then another execution has the row.
    let Some(claim) = cx.store.work().get_claim(&key, &claimed.token).await? else { return Ok(End::Lost) };
    match sync::record(cx, run, &claim).await {
        Ok(Synced { writes, again_ms: None }) => {
            cx.store.work().done(&claim).await?;
            Ok(End::Synced(writes))
        }
        Ok(Synced { again_ms: Some(at_ms), .. }) => {
            cx.store.work().postpone(&claim, (at_ms - run.now_ms()).max(1_000), "probe").await?;
            Ok(End::Requeued)
        }
        Err(error) => failed(cx, run, &claim, &error).await,
    }
}

async fn failed(
    cx: &Context,
    run: &ExecutionContext,
    claim: &Claim,
    error: &SyncError,
) -> Result<End, SyncError> {
    tracing::debug!(record = %claim.key, %error, "a record could not be brought in step");
    if let SyncError::Store(store) = error
        && store.is_stale()
    {
        cx.store.work().retry(claim, 1_000, "Stale").await?;
        return Ok(End::Requeued);
    }
    if matches!(error, SyncError::Unplanned) {
        // Not forgotten: whoever comes after the plan looks at it.
        cx.store.work().postpone(claim, UNPLANNED_WAIT_MS, UNPLANNED).await?;
        return Ok(End::Requeued);
    }
    let failure = match access::is_of_one_record(cx, error).await? {
        true => Failure::Transient,
        false => error.failure(),
    };
    match after_failure(claim.attempts, failure, &run.random) {
        AfterFailure::Retry { delay_ms } => {
            cx.store.work().retry(claim, delay_ms, failure.name()).await?;
            Ok(End::Requeued)
        }
        AfterFailure::Postpone { delay_ms } => {
            let until_ms = error.until_ms().map_or(delay_ms, |until| until - run.now_ms());
            cx.store.work().postpone(claim, until_ms.max(1_000), failure.name()).await?;
            Ok(End::Requeued)
        }
        AfterFailure::Quarantine { cause } => {
            let fingerprint = fingerprint(cause, error.code(), &error.endpoint());
            let cause = error.cause();
            tracing::warn!(record = %claim.key, %cause, "the record is set aside");
            cx.store.work().quarantine(claim, &cause, &fingerprint).await?;
            // Method, endpoint, ids, code and names of fields: none of them is text of the ticket.
            cx.store.quarantine().tell(&claim.key, &error.to_string()).await?;
            Ok(End::Quarantined)
        }
    }
}
