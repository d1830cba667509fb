//! What a person asked for: a kept value on both sides after all. It is written by the same step as any other
//! change, under the same lease, after the pair was brought in step.

use domain::{Chosen, apply};
use orchestration::ExecutionContext;
use stores::conflicts::{ConflictRow, ConflictState, Settled};
use stores::leases::Lease;
use stores::links::Link;

use crate::sync::pair::{self, Fields, Pair, Written};
use crate::{Context, SyncError};

/// How often one application may start over because a side moved under it.
const ROUNDS_MAX: usize = 4;

/// Applies every conflict of the pair that a person asked for, the earliest first.
pub async fn asked(
    cx: &Context,
    run: &ExecutionContext,
    lease: &Lease,
    fields: Fields,
) -> Result<Fields, SyncError> {
    let mut fields = fields;
    let mut rows = cx.store.conflicts().list(fields.link.ticket).await?;
    rows.retain(|row| row.state == ConflictState::Open && row.ask.is_some());
    rows.sort_by_key(|row| row.ask.as_ref().map(|ask| ask.at_ms));
    for row in &rows {
        let Some(pair) = fields.pair.take() else {
            cx.store.conflicts().answer(row, "one side is not visible at present").await?;
            continue;
        };
        let (link, pair, writes) = one(cx, run, lease, fields.link, pair, row).await?;
        fields = Fields { link, pair, writes: fields.writes + writes };
    }
    Ok(fields)
}

async fn one(
    cx: &Context,
    run: &ExecutionContext,
    lease: &Lease,
    link: Link,
    pair: Pair,
    row: &ConflictRow,
) -> Result<(Link, Option<Pair>, u32), SyncError> {
    let Some(ask) = &row.ask else { return Ok((link, Some(pair), 0)) };
    let (mut link, mut pair) = (link, pair);
    for _ in 0..ROUNDS_MAX {
        let chosen = Chosen {
            conflict: &row.conflict,
            side: ask.side,
            seen: (ask.seen.0.as_str(), ask.seen.1.as_str()),
            placed: link.list.as_ref(),
        };
        let decision = match apply(&chosen, &link.fields, &pair.ticket, &pair.task, &cx.mapping) {
            Ok(decision) => decision,
            Err(why) => {
                cx.store.conflicts().answer(row, &why).await?;
                return Ok((link, Some(pair), 0));
            }
        };
        match pair::carry_out(cx, run, lease, &mut link, &decision, pair).await? {
            Written::All(after, writes) => {
                // The write comes first: who dies in between finds both sides as they should be, and settles it.
                let settled = Settled { by: ask.by.clone(), at_ms: cx.store.now_ms(), side: Some(ask.side) };
                cx.store.conflicts().settle_by(row.ticket, &row.id, ConflictState::Applied, &settled).await?;
                return Ok((link, Some(*after), writes));
            }
            Written::Refused(after) => {
                let why = "a service refused the value: a conflict of its own says which";
                cx.store.conflicts().answer(row, why).await?;
                return Ok((link, Some(*after), 0));
            }
            Written::Again => match pair::fetch(cx, run, &link).await? {
                Some(again) => pair = again,
                None => {
                    cx.store.conflicts().answer(row, "one side is not visible at present").await?;
                    return Ok((link, None, 0));
                }
            },
        }
    }
    Err(SyncError::Later("both sides keep moving"))
}
