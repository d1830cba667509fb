//! The way from a ticket to its task for people in Zendesk: an option of the mapping, off by default, because a
//! write to every ticket wakes triggers. An effect of its own, so that a lost reply is looked up and not repeated.

use std::collections::BTreeMap;

use domain::{LinkBack, Side, Task, Ticket};
use orchestration::ExecutionContext;
use stores::effects::EffectKind;
use stores::leases::Lease;
use stores::links::Link;
use stores::work::Hint;
use stores::{Lane, WorkKey};

use crate::sync::{effect, wants};
use crate::{Context, SyncError};

/// Asks for the mark of a ticket that just got its task, where the mapping wants one.
pub async fn ask(cx: &Context, link: &Link) -> Result<(), SyncError> {
    if cx.mapping.settings().link_back == LinkBack::None {
        return Ok(());
    }
    let hint = Hint { lane: Lane::Reconcile, delay_ms: 0, wants: &[wants::LINK_BACK], event_ms: 0 };
    cx.store.work().hint(&WorkKey::Ticket(link.ticket), hint).await?;
    Ok(())
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
    let row = effect::send(cx, run, lease, Side::Zendesk, EffectKind::LinkBack, BTreeMap::new()).await?;
    // The stamp guards the tag set, which this replaces as a whole.
    match cx.zendesk(run).update_ticket(ticket.id, &patch, &row.id, Some(&ticket.updated_stamp)).await {
        Ok(_) => {
            cx.store.effects().done(&row, 200, None, None).await?;
            Ok(1)
        }
        Err(error) => {
            effect::failed(cx, lease, &mut link.clone(), &row, &error).await?;
            Err(error.into())
        }
    }
}
