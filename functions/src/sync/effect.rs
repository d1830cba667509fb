//! The row that exists before a write is sent, and what is known of it afterwards.

use std::collections::BTreeMap;

use clients::{ApiError, ErrorKind};
use domain::{FieldKey, Side, TicketId, Value};
use orchestration::ExecutionContext;
use stores::effects::{Change, Effect, EffectKind, EffectState};
use stores::leases::Lease;
use stores::links::{Link, OwnValue};

use crate::{Context, SyncError};

/// After this an effect of unknown outcome can no longer land.
pub const LATE_MS: i64 = 10 * 60_000;

/// No request is sent when less of the lease is left than it may take, and some.
const LEASE_MARGIN_MS: i64 = 20_000;

/// Why a write is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cause<'a> {
    /// Who wanted it, where that was a person.
    pub rule: &'a str,
    /// When the other record had last moved, ms.
    pub source_ms: i64,
}

/// Puts the row of a write that follows at once, unless the lane was paused meanwhile.
pub async fn send(
    cx: &Context,
    run: &ExecutionContext,
    lease: &Lease,
    target: Side,
    kind: EffectKind,
    (fields, cause): (BTreeMap<FieldKey, Change>, Cause<'_>),
) -> Result<Effect, SyncError> {
    cx.check_paused(run.lane).await?;
    let now_ms = run.now_ms();
    if lease.until_ms - now_ms < LEASE_MARGIN_MS {
        return Err(SyncError::Later("too little of the lease is left"));
    }
    let planned = planned(cx, run, lease.ticket, lease.fence, target, kind, fields);
    Ok(cx
        .store
        .effects()
        .send(&Effect { rule: cause.rule.to_owned(), source_ms: cause.source_ms, ..planned })
        .await?)
}

/// The row of a write.
pub fn planned(
    cx: &Context,
    run: &ExecutionContext,
    ticket: TicketId,
    fence: u64,
    target: Side,
    kind: EffectKind,
    fields: BTreeMap<FieldKey, Change>,
) -> Effect {
    let now_ms = run.now_ms();
    Effect {
        id: cx.nonce(run),
        ticket,
        at_ms: now_ms,
        target,
        kind,
        fields,
        state: EffectState::Sent,
        cause: run.execution.clone(),
        rule: String::new(),
        mapping_version: cx.mapping.version().to_owned(),
        fence,
        source_ms: 0,
        sent_ms: now_ms,
        late_ms: now_ms + LATE_MS,
        status: None,
        request_id: None,
    }
}

/// Notes how a write failed. A value that may still land joins the link's own values, so that it is
/// recognised when it turns up.
pub async fn failed(
    cx: &Context,
    lease: &Lease,
    link: &mut Link,
    effect: &Effect,
    error: &ApiError,
) -> Result<(), SyncError> {
    if error.kind != ErrorKind::Unknown && error.kind != ErrorKind::Unexpected {
        cx.store.effects().refused(effect, error.status, error.request_id.as_deref()).await?;
        return Ok(());
    }
    cx.store.effects().unknown(effect).await?;
    for (field, change) in &effect.fields {
        link.own.push(OwnValue {
            side: effect.target,
            field: field.clone(),
            value: change.after.to_stored(),
            effect: effect.id.clone(),
            until_ms: effect.late_ms,
        });
    }
    let excess = link.own.len().saturating_sub(Link::OWN_MAX);
    link.own.drain(..excess);
    *link = cx.store.links().update(link, lease.fence).await?;
    Ok(())
}

/// The changes of one side in a decision.
pub fn changes(
    writes: &BTreeMap<(Side, FieldKey), Value>,
    side: Side,
    before: impl Fn(&FieldKey) -> Option<Value>,
) -> BTreeMap<FieldKey, Change> {
    writes
        .iter()
        .filter(|((at, _), _)| *at == side)
        .map(|((_, field), after)| {
            (
                field.clone(),
                Change { before: before(field).unwrap_or_default().to_stored(), after: after.to_stored() },
            )
        })
        .collect()
}
