//! The way from a ticket to its task for people in Zendesk: an option of the mapping, off by default, because a
//! write to every ticket wakes triggers. An effect of its own, so that a lost reply is looked up and not repeated.

pub mod batch;

use std::collections::BTreeMap;

use clients::ErrorKind;
use domain::plan::Write;
use domain::{LinkBack, Side, Task, Ticket, TicketId};
use orchestration::ExecutionContext;
use stores::effects::EffectKind;
use stores::jobs::Marked;
use stores::leases::Lease;
use stores::links::Link;
use stores::work::Hint;
use stores::{Lane, WorkKey};

use crate::sync::{effect, wants};
use crate::{Context, SyncError};

/// Whether the mapping wants marks.
pub fn is_wanted(cx: &Context) -> bool {
    cx.mapping.settings().link_back != LinkBack::None
}

/// Asks for the mark of a ticket that just got its task, where the mapping wants one. A backfill sends many at
/// once instead.
pub async fn ask(cx: &Context, run: &ExecutionContext, link: &Link) -> Result<(), SyncError> {
    if is_wanted(cx) && !goes_by_batch(cx, run) {
        alone(cx, link.ticket).await?;
    }
    Ok(())
}

/// A backfill sends marks by the hundred. With a confirmed plan each call is looked up before it is sent, so there
/// they go one by one.
fn goes_by_batch(cx: &Context, run: &ExecutionContext) -> bool {
    run.lane == clients::Lane::Backfill && cx.gate().is_none()
}

/// Asks for the mark of one ticket.
pub async fn alone(cx: &Context, ticket: TicketId) -> Result<(), SyncError> {
    let hint =
        Hint { lane: Lane::Reconcile, delay_ms: 0, wants: &[wants::LINK_BACK], event_ms: 0, queue: None };
    cx.store.work().hint(&WorkKey::Ticket(ticket), hint).await?;
    Ok(())
}

/// The mark of a ticket that a backfill brought over.
pub fn mark(cx: &Context, run: &ExecutionContext, ticket: &Ticket, task: &Task) -> Option<Marked> {
    if !goes_by_batch(cx, run) {
        return None;
    }
    cx.mapping.link_back(ticket, &task.id, &task.url)?;
    Some(Marked { ticket: ticket.id, task: task.id.clone(), url: task.url.clone() })
}

/// The mark that an exported ticket lacks, where its task was made by a run that may have ended before it was noted.
pub async fn missing(
    cx: &Context,
    ticket: &Ticket,
    link: Option<&Link>,
) -> Result<Option<Marked>, SyncError> {
    let Some(task) = link.and_then(|link| link.task.as_ref()) else { return Ok(None) };
    if cx.gate().is_some() {
        return Ok(None);
    }
    if matches!(cx.mapping.settings().link_back, LinkBack::Field(_)) {
        // The link does not know the task's page, which the field should name.
        alone(cx, ticket.id).await?;
        return Ok(None);
    }
    let url = String::new();
    let patch = cx.mapping.link_back(ticket, task, &url);
    Ok(patch.map(|_| Marked { ticket: ticket.id, task: task.clone(), url }))
}

/// Writes the mark that the mapping wants, unless it is there. Returns the calls that changed something.
pub async fn write(
    cx: &Context,
    run: &ExecutionContext,
    lease: &Lease,
    link: &Link,
    ticket: &Ticket,
    task: &Task,
) -> Result<u32, SyncError> {
    let Some(patch) = cx.mapping.link_back(ticket, &task.id, &task.url) else { return Ok(0) };
    let pass = cx.permit(ticket.id, &Write::LinkBack)?;
    let row = effect::send(
        cx,
        run,
        lease,
        Side::Zendesk,
        EffectKind::LinkBack,
        (BTreeMap::new(), effect::Cause::default()),
    )
    .await?;
    // The stamp guards the tag set, which this replaces as a whole.
    match cx.zendesk(run).update_ticket(ticket.id, &patch, &row.id, Some(&ticket.updated_stamp)).await {
        Ok(_) => {
            pass.used();
            cx.store.effects().done(&row, 200, None, None).await?;
            Ok(1)
        }
        Err(error) => {
            effect::failed(cx, lease, &mut link.clone(), &row, &error).await?;
            let is_refused = error.kind == ErrorKind::Refused;
            if is_refused && cx.zendesk(run).ticket(ticket.id).await?.is_none_or(|now| now.is_closed()) {
                // Closed since it was read: it takes nothing any more.
                return Ok(0);
            }
            Err(error.into())
        }
    }
}
