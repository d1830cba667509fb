//! A pilot takes a number of tickets and no more (`scope.limit`), however many are at work at once.

use std::collections::BTreeSet;

use domain::TicketId;
use stores::links::LinkState;
use tokio::sync::OnceCell;

use crate::{Context, SyncError};

/// Why a ticket is left out when the pilot is full.
pub const FULL: &str = "the pilot is full (scope.limit)";

/// Whether this process has noted who is linked already: links may be older than the limit.
#[derive(Debug, Default)]
pub struct Pilot(OnceCell<()>);

/// Which of these tickets may get a task; they take their seats in this order.
pub async fn admit(cx: &Context, tickets: &[TicketId]) -> Result<BTreeSet<TicketId>, SyncError> {
    let Some(limit) = limit(cx) else { return Ok(tickets.iter().copied().collect()) };
    cx.pilot.0.get_or_try_init(|| note_linked(cx)).await?;
    Ok(cx.store.seats().take(tickets, limit).await?)
}

/// Which tickets have a seat or a task, and how many may; `None` where everybody may. Changes nothing.
pub async fn seats(cx: &Context) -> Result<Option<(BTreeSet<TicketId>, usize)>, SyncError> {
    let Some(limit) = limit(cx) else { return Ok(None) };
    let mut taken = cx.store.seats().taken().await?;
    taken.extend(linked(cx).await?);
    Ok(Some((taken, limit)))
}

fn limit(cx: &Context) -> Option<usize> {
    cx.mapping.settings().scope.limit.map(|limit| limit as usize)
}

async fn note_linked(cx: &Context) -> Result<(), SyncError> {
    Ok(cx.store.seats().note(&linked(cx).await?).await?)
}

async fn linked(cx: &Context) -> Result<Vec<TicketId>, SyncError> {
    let mut tickets = Vec::new();
    let mut from = None;
    loop {
        let page = cx.store.links().scan(from.as_ref()).await?;
        let present = page.links.iter().filter(|link| link.state != LinkState::Unlinked);
        tickets.extend(present.map(|link| link.ticket));
        from = page.next;
        if from.is_none() {
            return Ok(tickets);
        }
    }
}
