//! Finishes what was left open: writes that no webhook confirmed in time are looked at again, and some linked
//! tasks are asked for comments that no webhook told of.

use std::sync::Arc;

use domain::Side;
use futures::FutureExt;
use futures::future::BoxFuture;
use orchestration::{ExecutionContext, Failure, StepExecutor, StepFailure};
use statemachines::steps::{SETTLE_EFFECTS, SettleEffectsInput, SettleEffectsOutput};
use stores::effects::{Effect, EffectState};
use stores::work::Hint;
use stores::{Lane, WorkKey};

use crate::sync::{sweep, wants};
use crate::{Context, SyncError};

/// Effects one run looks at.
const EFFECTS_MAX: usize = 50;

/// The step.
pub struct SettleEffects(pub Arc<Context>);

impl StepExecutor for SettleEffects {
    type Input = SettleEffectsInput;
    type Output = SettleEffectsOutput;
    const NAME: &'static str = SETTLE_EFFECTS.name();

    fn run<'a>(
        &'a self,
        _input: SettleEffectsInput,
        run: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<SettleEffectsOutput, StepFailure>> {
        settle(&self.0, run).map(|result| result.map_err(StepFailure::from)).boxed()
    }
}

async fn settle(cx: &Context, run: &ExecutionContext) -> Result<SettleEffectsOutput, SyncError> {
    let mut output = SettleEffectsOutput { settled: 0, left: 0 };
    for effect in cx.store.effects().due_unconfirmed(EFFECTS_MAX).await? {
        look_again(cx, &effect).await?;
        output.settled += 1;
    }
    match sweep::comments(cx, run).await {
        // The round waits for its turn: live work comes first, and so does another process's sweep.
        Err(error) if error.failure() == Failure::BudgetEmpty => {}
        Err(SyncError::Store(error)) if error.is_stale() => {}
        result => output.settled += result?,
    }
    Ok(output)
}

/// Reads the record again, and stops waiting: what the write overwrote can no longer be known.
async fn look_again(cx: &Context, effect: &Effect) -> Result<(), SyncError> {
    if effect.state == EffectState::Done && effect.target == Side::Clickup {
        tracing::warn!(ticket = %effect.ticket, effect = %effect.id, "no webhook confirmed a write in time");
        cx.store.pulses().unconfirmed(effect.target).await?;
    }
    let hint = Hint {
        lane: Lane::Reconcile,
        delay_ms: 0,
        wants: &[wants::ZENDESK, wants::CLICKUP],
        event_ms: 0,
        queue: None,
    };
    cx.store.work().hint(&WorkKey::Ticket(effect.ticket), hint).await?;
    cx.store.effects().confirm(effect).await?;
    Ok(())
}
