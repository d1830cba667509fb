//! One pair of ticket and task: read both afresh, decide, write what is missing, remember.

use clients::ErrorKind;
use domain::plan::Write;
use domain::{
    Conflict, Decision, FieldKey, Routing, Side, Task, TaskWrite, Ticket, Value, decide, is_remapped,
    lost_update, settle,
};
use orchestration::{ExecutionContext, Noted};
use planted::Bug;
use stores::leases::Lease;
use stores::links::{Link, LinkState};

use crate::sync::broken;
use crate::sync::evidence::Known;
use crate::sync::{look_at_both, masked, to_clickup, to_zendesk};
use crate::{Context, SyncError, access};

/// How often one look at a pair may start over because a side moved under it.
const ROUNDS_MAX: usize = 4;

/// Both records as they are now.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The ticket.
    pub ticket: Ticket,
    /// The task.
    pub task: Task,
}

/// What came of bringing the fields of a pair in step.
#[derive(Debug)]
pub struct Fields {
    /// The link as stored now.
    pub link: Link,
    /// Both records after the writes.
    pub pair: Option<Pair>,
    /// Calls that changed something.
    pub writes: u32,
}

/// One side after our writes: where it stands, and whether the reply of a write is to be believed.
pub enum Written {
    /// Everything landed; the record as it is now, and how many calls it took.
    All(Box<Pair>, u32),
    /// The side moved under us: read and decide again.
    Again,
    /// The side said no for good; what it refused is a conflict now.
    Refused(Box<Pair>),
}

/// Reads both sides. A missing side suspends the link: "not found" may also mean "not visible".
pub async fn fetch(cx: &Context, run: &ExecutionContext, link: &Link) -> Result<Option<Pair>, SyncError> {
    let Some(task_id) = &link.task else { return Ok(None) };
    let zendesk = cx.zendesk(run);
    let clickup = cx.clickup(run);
    let (ticket, task) = futures::future::join(zendesk.ticket(link.ticket), clickup.task(task_id)).await;
    Ok(match (ticket?, access::visible(cx, task).await?) {
        (Some(mut ticket), Some(task)) if !ticket.is_deleted() => {
            masked::as_linked(&link.fields, &mut ticket);
            Some(Pair { ticket, task })
        }
        _ => None,
    })
}

/// Brings all mapped fields of a linked pair in step.
pub async fn sync_fields(
    cx: &Context,
    run: &ExecutionContext,
    lease: &Lease,
    link: Link,
    known: &mut Known,
) -> Result<Fields, SyncError> {
    let mut link = link;
    let mut writes = 0;
    for _ in 0..ROUNDS_MAX {
        let Some(pair) = fetch(cx, run, &link).await? else {
            return suspend(cx, lease, link, writes).await;
        };
        if link.state == LinkState::Suspended {
            // What was said meanwhile was told while nothing was copied, and nobody tells of it again.
            look_at_both(cx, link.ticket).await?;
            link = cx.store.links().set_state(&link, LinkState::Linked, lease.fence).await?;
        }
        if planted::is(Bug::EchoByTimestamp) && broken::wrote_lately(cx, &link).await? {
            link.fields = broken::all_agreed(cx, &pair);
            link = cx.store.links().update(&link, lease.fence).await?;
        }
        let decision = look(cx, run, &link, known, &pair).await?;
        keep(cx, &link, &std::mem::take(&mut known.lost)).await?;
        if decision.is_empty() {
            cx.recovery.note(Noted::Touched).await?;
            let link = remember(cx, lease, link, None, &pair).await?;
            return Ok(Fields { link, pair: Some(pair), writes });
        }
        if known.has_news(cx, run, &link).await? {
            continue;
        }
        match carry_out(cx, run, lease, &mut link, &decision, pair).await? {
            Written::Again => continue,
            Written::Refused(pair) => return Ok(Fields { link, pair: Some(*pair), writes }),
            Written::All(pair, calls) => {
                writes += calls;
                // The reply may show what somebody did to other fields since they were read.
                let evidence = known.for_decision(&link, run.now_ms());
                if !decide(&link.fields, &pair.ticket, &pair.task, &cx.mapping, &evidence).is_empty() {
                    continue;
                }
                return Ok(Fields { link, pair: Some(*pair), writes });
            }
        }
    }
    Err(SyncError::Later("both sides keep moving"))
}

/// Decides about a pair as it is now.
pub async fn look(
    cx: &Context,
    run: &ExecutionContext,
    link: &Link,
    known: &mut Known,
    pair: &Pair,
) -> Result<Decision, SyncError> {
    let decided = |known: &Known| {
        let evidence = known.for_decision(link, run.now_ms());
        decide(&link.fields, &pair.ticket, &pair.task, &cx.mapping, &evidence)
    };
    let mut decision = decided(known);
    // What looks like news may be a write of ours that landed after all.
    if !decision.is_empty() && known.with_open_writes(cx, link).await? {
        decision = decided(known);
    }
    if known.ask_audits(cx, run, link, pair, &decision).await? {
        decision = decided(known);
    }
    Ok(decision)
}

/// The calls that a decision asks for, in order.
pub fn calls_of(decision: &Decision) -> Vec<Write> {
    let on_task = decision.clickup.iter().cloned().map(Write::Task);
    on_task.chain(decision.ticket_patch().map(|patch| Write::Ticket(Box::new(patch)))).collect()
}

/// Does what was decided: conflicts first, then the brake is asked, then both sides are written and remembered.
pub async fn carry_out(
    cx: &Context,
    run: &ExecutionContext,
    lease: &Lease,
    link: &mut Link,
    decision: &Decision,
    pair: Pair,
) -> Result<Written, SyncError> {
    cx.permit_all(link.ticket, &calls_of(decision))?;
    keep(cx, link, &decision.conflicts).await?;
    ask_the_brake(cx, link, decision, &pair).await?;
    let mut written = apply(cx, run, lease, link, decision, pair).await?;
    if let Written::All(pair, _) = &mut written
        && planted::is(Bug::NormalFormOfLaterRead)
        && let Some(later) = fetch(cx, run, link).await?
    {
        **pair = later;
    }
    if let Written::All(pair, _) = &written {
        *link = remember(cx, lease, link.clone(), Some(decision), pair).await?;
    }
    Ok(written)
}

/// ClickUp first, then Zendesk: a ticket that moved meanwhile is caught by `safe_update`, and deciding
/// again finds ClickUp in step already.
async fn apply(
    cx: &Context,
    run: &ExecutionContext,
    lease: &Lease,
    link: &mut Link,
    decision: &Decision,
    pair: Pair,
) -> Result<Written, SyncError> {
    let mut pair = pair;
    let mut calls = 0;
    if !decision.clickup.is_empty() {
        let read = pair.clone();
        match to_clickup::write(cx, run, lease, link, decision, pair).await {
            Err(error) => return refused(cx, lease, link, decision, Side::Clickup, read, error).await,
            Ok(Written::All(after, n)) => {
                pair = *after;
                calls += n;
                let moved = lost_update::clickup_people_moved(&read.task, decision, &pair.task, &cx.mapping);
                keep(cx, link, moved.as_slice()).await?;
                // Remembered at once: should Zendesk have moved meanwhile, our own value must not look
                // like a person's.
                let kept = settle::after_write(
                    &mut link.fields,
                    decision,
                    Side::Clickup,
                    &pair.ticket,
                    &pair.task,
                    &cx.mapping,
                );
                keep(cx, link, &kept).await?;
            }
            Ok(other) => return Ok(other),
        }
    }
    if decision.zendesk.is_some() || decision.note.is_some() {
        let read = pair.clone();
        match to_zendesk::write(cx, run, lease, link, decision, pair).await {
            Err(error) => return refused(cx, lease, link, decision, Side::Zendesk, read, error).await,
            Ok(Written::All(after, n)) => {
                pair = *after;
                calls += n;
            }
            Ok(other) => {
                *link = cx.store.links().update(link, lease.fence).await?;
                return Ok(other);
            }
        }
    }
    Ok(Written::All(Box::new(pair), calls))
}

/// A service said no for good: the fields stay apart, each with a conflict, until a side moves again.
async fn refused(
    cx: &Context,
    lease: &Lease,
    link: &mut Link,
    decision: &Decision,
    side: Side,
    read: Pair,
    error: SyncError,
) -> Result<Written, SyncError> {
    let SyncError::Api(api) = &error else { return Err(error) };
    if api.kind != ErrorKind::Refused {
        return Err(error);
    }
    tracing::warn!(ticket = %link.ticket, %error, "a value was refused and is kept as a conflict");
    let kept = settle::after_refusal(&mut link.fields, decision, side, &read.ticket, &read.task, &cx.mapping);
    keep(cx, link, &kept).await?;
    *link = cx.store.links().update(link, lease.fence).await?;
    Ok(Written::Refused(Box::new(read)))
}

/// Keeps values that did not win, before anything is written.
async fn keep(cx: &Context, link: &Link, conflicts: &[Conflict]) -> Result<(), SyncError> {
    if planted::is(Bug::LastWriterWins) {
        return Ok(());
    }
    for conflict in conflicts {
        cx.store.conflicts().record(link.ticket, conflict).await?;
    }
    Ok(())
}

/// Writes the new bases and stamps, if anything moved.
async fn remember(
    cx: &Context,
    lease: &Lease,
    link: Link,
    decision: Option<&Decision>,
    pair: &Pair,
) -> Result<Link, SyncError> {
    let mut next = link.clone();
    if cx.mapping.place(&pair.ticket) == Routing::List(pair.task.list.clone()) {
        cx.mapping.routes_version().clone_into(&mut next.routes);
    }
    if let Some(decision) = decision {
        settle::adopt(&mut next.fields, decision);
        for side in [Side::Clickup, Side::Zendesk] {
            let kept =
                settle::after_write(&mut next.fields, decision, side, &pair.ticket, &pair.task, &cx.mapping);
            keep(cx, &next, &kept).await?;
        }
    }
    next.z_stamp.clone_from(&pair.ticket.updated_stamp);
    next.c_updated = pair.task.updated.ms();
    let now_ms = cx.now_ms();
    next.own.retain(|own| own.until_ms > now_ms);
    if next == link {
        return Ok(link);
    }
    Ok(cx.store.links().update(&next, lease.fence).await?)
}

async fn suspend(cx: &Context, lease: &Lease, link: Link, writes: u32) -> Result<Fields, SyncError> {
    if link.state == LinkState::Suspended {
        return Ok(Fields { link, pair: None, writes });
    }
    cx.recovery.note(Noted::Suspended).await?;
    let link = cx.store.links().set_state(&link, LinkState::Suspended, lease.fence).await?;
    tracing::warn!(ticket = %link.ticket, "one side is not visible; the link is suspended");
    Ok(Fields { link, pair: None, writes })
}

/// Tells the brake which status is about to be set, and whether nobody but the mapping wants the write; too many alike,
/// and everything waits for a person.
async fn ask_the_brake(cx: &Context, link: &Link, decision: &Decision, pair: &Pair) -> Result<(), SyncError> {
    if cx.gate().is_some() {
        // A person has seen each of these.
        return Ok(());
    }
    let moves_to = decision.clickup.iter().find_map(|write| match write {
        TaskWrite::Move(list) => Some(list),
        _ => None,
    });
    let mut noted = Vec::new();
    for ((side, field), value) in &decision.writes {
        if let (FieldKey::Status, Value::Text(name)) = (field, value) {
            noted.push(Noted::Status(format!("{name} on {side}")));
            if cx.mapping.closes(*side, moves_to.unwrap_or(&pair.task.list), name) {
                noted.push(Noted::Closed);
            }
        }
    }
    // Links of earlier versions do not say by which routes their tasks were placed.
    let rerouted =
        moves_to.is_some() && !link.routes.is_empty() && link.routes != cx.mapping.routes_version();
    if rerouted || is_remapped(&link.fields, decision, &pair.ticket, &pair.task, &cx.mapping) {
        noted.push(Noted::Mapped);
    }
    if !noted.is_empty() {
        cx.recovery.note_all(noted).await?;
    }
    Ok(())
}
