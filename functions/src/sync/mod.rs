//! Bringing one record in step: find its pair, hold its lease, make what is missing, decide, write.

pub mod apply;
pub(crate) mod broken;
pub mod compare;
pub mod conversation;
pub mod copying;
pub mod create;
pub mod effect;
pub mod evidence;
pub mod files;
pub mod link_back;
pub mod masked;
pub mod misfit;
mod overwritten;
pub mod pair;
pub mod pilot;
pub mod probe;
pub mod recognised;
pub mod sweep;
pub mod to_clickup;
pub mod to_zendesk;
pub mod twins;

use domain::{Ticket, TicketId};
use orchestration::ExecutionContext;
use stores::leases::Lease;
use stores::links::{Link, LinkState};
use stores::work::{Claim, Hint};
use stores::{Lane, StoreError, WorkKey};

use crate::plan::gate::Entered;
use crate::sync::create::{Made, ensure_task};
use crate::sync::evidence::Known;
use crate::sync::pair::Pair;
use crate::sync::probe::{Probed, probe};
use crate::{Context, SyncError};

/// How long a record's lease is held at most.
const LEASE_MS: i64 = 120_000;

/// What a hint may ask for. Hints of one row add up.
pub mod wants {
    /// The ticket's fields moved.
    pub const ZENDESK: &str = "z";
    /// The ticket has new comments or files.
    pub const ZENDESK_COMMENTS: &str = "zc";
    /// The task's fields moved.
    pub const CLICKUP: &str = "c";
    /// The task has new comments.
    pub const CLICKUP_COMMENTS: &str = "cc";
    /// A write of ours was announced: compare what it overwrote.
    pub const OWN: &str = "own";
    /// The ticket should tell where its task is.
    pub const LINK_BACK: &str = "lb";
    /// A task of ours was announced that has no pointer yet.
    pub const TWIN: &str = "twin";
    /// A person wants a kept value of a conflict on both sides.
    pub const APPLY: &str = "apply";
}

/// What became of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    /// Calls that changed something.
    pub writes: u32,
    /// When to look again, if it is not finished.
    pub again_ms: Option<i64>,
}

impl Synced {
    fn again_at(at_ms: i64) -> Self {
        Self { writes: 0, again_ms: Some(at_ms) }
    }
}

/// Notes that everything of both sides should be looked at, a moment later.
async fn look_at_both(cx: &Context, ticket: TicketId) -> Result<(), StoreError> {
    let hint = Hint {
        lane: Lane::Reconcile,
        delay_ms: cx.options.debounce_ms,
        wants: &[wants::ZENDESK, wants::ZENDESK_COMMENTS, wants::CLICKUP, wants::CLICKUP_COMMENTS],
        event_ms: 0,
        queue: None,
    };
    cx.store.work().hint(&WorkKey::Ticket(ticket), hint).await.map(drop)
}

/// Brings the record of a claim in step.
pub async fn record(cx: &Context, run: &ExecutionContext, claim: &Claim) -> Result<Synced, SyncError> {
    cx.check_paused(run.lane).await?;
    let ticket = match &claim.key {
        WorkKey::Ticket(ticket) => *ticket,
        WorkKey::Task(task) => match cx.store.links().pointer(task).await? {
            Some(pointer) => pointer.ticket,
            None => return twins::unknown_task(cx, run, task, claim).await,
        },
    };
    let holder = format!("{}/{}", run.execution, claim.token);
    let Some(lease) = cx.store.leases().acquire(ticket, &holder, LEASE_MS).await? else {
        return Err(SyncError::Later("another execution works on the record"));
    };
    let result = under_lease(cx, run, claim, &lease, ticket).await;
    cx.store.leases().release(&lease).await?;
    result
}

async fn under_lease(
    cx: &Context,
    run: &ExecutionContext,
    claim: &Claim,
    lease: &Lease,
    ticket: TicketId,
) -> Result<Synced, SyncError> {
    let link = cx.store.links().get(ticket).await?;
    if let Some(gate) = cx.gate()
        && matches!(gate.enter(cx, run, ticket, link.as_ref()).await?, Entered::Out)
    {
        return Err(SyncError::Unplanned);
    }
    match link {
        Some(link) if matches!(link.state, LinkState::Linked | LinkState::Suspended | LinkState::Closed) => {
            linked(cx, run, claim, lease, link).await
        }
        Some(link) if link.state == LinkState::Unlinked => Ok(Synced::default()),
        other => unlinked(cx, run, lease, ticket, other).await,
    }
}

/// A pair that is linked: its fields, then what is said about it.
async fn linked(
    cx: &Context,
    run: &ExecutionContext,
    claim: &Claim,
    lease: &Lease,
    link: Link,
) -> Result<Synced, SyncError> {
    // While a link is suspended nothing is copied, and who adopted a task may have died before its comments.
    let all = link.state == LinkState::Suspended || claim.wants.contains(wants::TWIN);
    let asked = |want: &str| all || claim.wants.contains(want);
    let mut known = Known::load(cx, run, &link).await?;
    let told = [wants::OWN, wants::CLICKUP].iter().any(|want| claim.wants.contains(*want));
    if told && overwritten::keep(cx, run, &known, &link).await? > 0 {
        tracing::warn!(ticket = %link.ticket, "a write of ours overwrote a newer value; it is kept as a conflict");
    }
    if claim.wants.iter().all(|want| want == wants::OWN) && !known.landed_late(&link) {
        return Ok(Synced::default());
    }
    let mut fields = pair::sync_fields(cx, run, lease, link, &mut known).await?;
    if claim.wants.contains(wants::APPLY) {
        fields = apply::asked(cx, run, lease, fields).await?;
    }
    let mut writes = fields.writes;
    let Some(Pair { ticket, task }) = &fields.pair else { return Ok(Synced::default()) };
    if ticket.updated.ms() + 1_000 < known.newest_zendesk_ms() && claim.attempts < 5 {
        // Zendesk told of a change that its own read does not show yet.
        return Err(SyncError::Later("the ticket read is older than its event"));
    }
    if asked(wants::ZENDESK_COMMENTS) {
        writes += conversation::to_clickup(cx, run, &fields.link, ticket, task).await?;
    }
    if asked(wants::CLICKUP_COMMENTS) {
        writes += conversation::to_zendesk(cx, run, &fields.link, ticket, task).await?;
    }
    writes += files::to_zendesk(cx, run, ticket, task).await?;
    if asked(wants::LINK_BACK) {
        writes += link_back::write(cx, run, lease, &fields.link, ticket, task).await?;
    }
    Ok(Synced { writes, again_ms: None })
}

/// A ticket without a task: make one, or find out whether there is one.
async fn unlinked(
    cx: &Context,
    run: &ExecutionContext,
    lease: &Lease,
    ticket: TicketId,
    link: Option<Link>,
) -> Result<Synced, SyncError> {
    let Some(ticket) = cx.zendesk(run).ticket(ticket).await? else { return Ok(Synced::default()) };
    if ticket.is_deleted() {
        return Ok(Synced::default());
    }
    let made = ensure_task(cx, run, &ticket, link, lease.fence).await?;
    after_making(cx, run, &ticket, made).await
}

/// Goes on after a task was asked for: its comments, or its probe.
pub async fn after_making(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    made: Made,
) -> Result<Synced, SyncError> {
    match made {
        Made::Filtered(_) => Ok(Synced::default()),
        Made::Linked(_) => Ok(Synced::default()),
        Made::Created(link, task, comments) => {
            let copied = conversation::copy_all(cx, run, &link, ticket, &task, comments).await?;
            Ok(Synced { writes: 1 + copied, again_ms: None })
        }
        Made::Probe(link) => match probe(cx, run, ticket, *link).await? {
            Probed::TooEarly(at_ms) => Ok(Synced::again_at(at_ms)),
            Probed::Adopted(link, task, others) => {
                for twin in others {
                    twins::put_away(cx, run, &link, &twin).await?;
                }
                let copied = conversation::to_clickup(cx, run, &link, ticket, &task).await?;
                Ok(Synced { writes: copied, again_ms: None })
            }
            Probed::Made(Made::Created(link, task, comments)) => {
                let copied = conversation::copy_all(cx, run, &link, ticket, &task, comments).await?;
                Ok(Synced { writes: 1 + copied, again_ms: None })
            }
            Probed::Made(Made::Probe(_)) => Err(SyncError::Unanswered),
            Probed::Made(Made::Filtered(_) | Made::Linked(_)) => Ok(Synced::default()),
        },
    }
}
