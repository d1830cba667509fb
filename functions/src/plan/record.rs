//! The plan of one ticket: everything is read afresh, and put together by the functions that carry it out.

use std::collections::{BTreeMap, BTreeSet};

use domain::plan::{CommentCopy, FileCopy, Kind, Stamps, Write, along, of_create, of_decision};
use domain::{
    Comment, Conflict, Evidence, LinkFields, RecordPlan, Routing, Side, Task, Ticket, TicketId,
    bases_after_adoption, bases_after_create, decide, new_task, task_as_sent,
};
use orchestration::ExecutionContext;
use stores::WorkKey;
use stores::comments::MapState;
use stores::links::{Link, LinkState};

use crate::sync::conversation::{self, Turn};
use crate::sync::create::NEVER_SENT;
use crate::sync::evidence::Known;
use crate::sync::pair::{self, Pair};
use crate::sync::recognised::{self, Verdict};
use crate::sync::{files, masked, probe, wants};
use crate::{Context, SyncError};

/// Why a ticket is left out that Zendesk does not have, or does not show.
pub const GONE: &str = "the ticket is gone";

/// What comes of looking at a ticket.
#[derive(Debug)]
pub enum Planned {
    /// This would be done, perhaps nothing.
    Plan(Box<RecordPlan>),
    /// It is left out, for this reason.
    Left(String),
}

/// Comments and files that are on both sides already.
#[derive(Debug, Default)]
struct Settled {
    comments: BTreeSet<(Side, String)>,
    files: BTreeSet<(Side, String)>,
}

/// Plans a ticket, whatever is known of it.
pub async fn of(
    cx: &Context,
    run: &ExecutionContext,
    ticket: TicketId,
    link: Option<&Link>,
) -> Result<(Planned, Option<Ticket>), SyncError> {
    use LinkState::{Closed, Linked, Suspended, Unlinked};
    match link {
        Some(link) if matches!(link.state, Linked | Suspended | Closed) => {
            Ok((of_pair(cx, run, link).await?, None))
        }
        Some(link) if link.state == Unlinked => {
            Ok((Planned::Left("a person took the pair apart".to_owned()), None))
        }
        other => {
            let Some(ticket) = cx.zendesk(run).ticket(ticket).await? else {
                return Ok((Planned::Left(GONE.to_owned()), None));
            };
            let planned = of_unlinked(cx, run, &ticket, other).await?;
            Ok((planned, Some(ticket)))
        }
    }
}

/// Plans a ticket that has no task yet, or whose task has to be found again.
pub async fn of_unlinked(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    link: Option<&Link>,
) -> Result<Planned, SyncError> {
    if let Routing::Filtered(why) = cx.mapping.route(ticket) {
        return Ok(Planned::Left(why));
    }
    if let Some(link) = link.filter(|link| link.state == LinkState::Intent || link.probe_ms != NEVER_SENT)
        && let Some((marker, task)) = probe::find(cx, run, link).await?
    {
        let (seen, comments) = masked::for_clickup(cx, run, ticket).await?;
        let bases = if marker.nonce == link.nonce {
            bases_after_adoption(&link.fields, &seen, &task, &cx.mapping)
        } else {
            bases_after_create(&seen, &task, &cx.mapping)
        };
        return linked(cx, run, (ticket, &seen), &task, comments, bases).await;
    }
    match recognised::verdict(cx, run, ticket).await? {
        Verdict::Leave(why) => Ok(Planned::Left(why)),
        Verdict::Link(task) => {
            let (seen, comments) = masked::for_clickup(cx, run, ticket).await?;
            let bases = recognised::bases(&seen, &task, cx);
            linked(cx, run, (ticket, &seen), &task, comments, bases).await
        }
        Verdict::Free => created(cx, run, ticket).await,
    }
}

/// A new task, its conversation and the way back.
async fn created(cx: &Context, run: &ExecutionContext, ticket: &Ticket) -> Result<Planned, SyncError> {
    let (seen, comments) = masked::for_clickup(cx, run, ticket).await?;
    let new = new_task(&seen, &cx.mapping, "", &cx.ticket_url(ticket.id));
    let mut plan = start(ticket, Kind::Create, None);
    plan.list = Some(new.list.clone());
    let (fields, conflicts) = of_create(&seen, &new, &cx.mapping);
    plan.fields = fields;
    plan.keep_apart(&conflicts);
    if seen.description != ticket.description {
        plan.leave("description", "the first comment is internal and stays in Zendesk; the task says so");
    }
    plan.call(&Write::create(&new.list, &new.task));
    let task = task_as_sent(&new, &cx.mapping);
    talk(cx, &mut plan, (ticket, &task), (&comments, &[]), &Settled::default());
    mark(cx, &mut plan, ticket, &task);
    keep(cx, ticket.id, comments);
    Ok(Planned::Plan(Box::new(plan.sealed())))
}

/// A task that is there already is linked, and what differs goes by the rules.
async fn linked(
    cx: &Context,
    run: &ExecutionContext,
    (ticket, seen): (&Ticket, &Ticket),
    task: &Task,
    comments: Vec<Comment>,
    (bases, conflicts): (LinkFields, Vec<Conflict>),
) -> Result<Planned, SyncError> {
    let mut plan = start(ticket, Kind::Link, Some(task));
    plan.keep_apart(&conflicts);
    let decision = decide(&bases, seen, task, &cx.mapping, &Evidence::default());
    decided(cx, &mut plan, &decision, seen, task);
    let theirs = cx.clickup(run).comments(&task.id).await?;
    let settled = Settled {
        comments: recognised::copied_comments(cx, &comments, &theirs).into_iter().map(|(id, _)| id).collect(),
        files: recognised::copied_files(cx, &comments, task).into_iter().map(|(id, _)| id).collect(),
    };
    talk(cx, &mut plan, (ticket, task), (&comments, &theirs), &settled);
    mark(cx, &mut plan, ticket, task);
    keep(cx, ticket.id, comments);
    Ok(Planned::Plan(Box::new(plan.sealed())))
}

/// A pair that is linked: its fields, what is said about it, its files.
async fn of_pair(cx: &Context, run: &ExecutionContext, link: &Link) -> Result<Planned, SyncError> {
    let mut known = Known::load(cx, run, link).await?;
    let Some(Pair { ticket, task }) = pair::fetch(cx, run, link).await? else {
        return Ok(Planned::Left("one side of the pair is not visible; the link is suspended".to_owned()));
    };
    let mut plan = start(&ticket, Kind::Update, Some(&task));
    let both = Pair { ticket, task };
    let decision = pair::look(cx, run, link, &mut known, &both).await?;
    let Pair { ticket, task } = both;
    decided(cx, &mut plan, &decision, &ticket, &task);
    let mut ours = cx.zendesk(run).comments(link.ticket).await?;
    conversation::in_order(&mut ours);
    let theirs = cx.clickup(run).comments(&task.id).await?;
    let settled = settled(cx, link.ticket).await?;
    talk(cx, &mut plan, (&ticket, &task), (&ours, &theirs), &settled);
    let wanted = cx.store.work().wants(&WorkKey::Ticket(link.ticket)).await?;
    if wanted.contains(wants::LINK_BACK) || link.state == LinkState::Suspended {
        mark(cx, &mut plan, &ticket, &task);
    }
    Ok(Planned::Plan(Box::new(plan.sealed())))
}

fn start(ticket: &Ticket, kind: Kind, task: Option<&Task>) -> RecordPlan {
    let stamps =
        Stamps { zendesk: ticket.updated_stamp.clone(), clickup: task.map(|task| task.updated.ms()) };
    let subject = ticket.subject.clone().unwrap_or_default();
    let mut plan = RecordPlan::new(ticket.id, &subject, kind, stamps);
    plan.task = task.map(|task| task.id.clone());
    plan
}

fn decided(cx: &Context, plan: &mut RecordPlan, decision: &domain::Decision, ticket: &Ticket, task: &Task) {
    plan.fields = of_decision(decision, ticket, task, &cx.mapping);
    plan.keep_apart(&decision.conflicts);
    plan.along = along(decision, ticket);
    plan.note.clone_from(&decision.note);
    for write in pair::calls_of(decision) {
        if let Write::Task(domain::TaskWrite::Move(list)) = &write {
            plan.list = Some(list.clone());
        }
        plan.call(&write);
    }
}

/// The mark on the ticket, where the settings want one and it is not there.
fn mark(cx: &Context, plan: &mut RecordPlan, ticket: &Ticket, task: &Task) {
    if cx.mapping.link_back(ticket, &task.id, &task.url).is_some() {
        plan.link_back = true;
        plan.call(&Write::LinkBack);
    }
}

/// What is said on both sides, and the files, in the order in which they are copied.
fn talk(
    cx: &Context,
    plan: &mut RecordPlan,
    (ticket, task): (&Ticket, &Task),
    (ours, theirs): (&[Comment], &[Comment]),
    settled: &Settled,
) {
    let mut left: BTreeMap<(Side, String), u64> = BTreeMap::new();
    for turn in conversation::turns_to_clickup(cx, ticket.id, task, ours) {
        let comment = turn.comment();
        let new = !settled.comments.contains(&(comment.side, comment.id.clone()));
        match &turn {
            Turn::Skip(_, why) => {
                *left.entry((Side::Zendesk, (*why).to_owned())).or_default() += u64::from(new);
                continue;
            }
            Turn::Copy(_, text, visibility) if new => plan.comment(copy(comment, text, *visibility)),
            Turn::Copy(..) | Turn::Described(_) => {}
        }
        for file in &comment.attachments {
            add_file(cx, plan, Side::Zendesk, file, settled);
        }
    }
    for turn in conversation::turns_to_zendesk(cx, ticket.id, task, theirs) {
        let comment = turn.comment();
        let new = !settled.comments.contains(&(comment.side, comment.id.clone()));
        match &turn {
            Turn::Copy(_, text, visibility) if new && !ticket.is_closed() => {
                plan.comment(copy(comment, text, *visibility));
            }
            Turn::Copy(..) if new => {
                *left.entry((Side::Clickup, "a closed ticket takes none".to_owned())).or_default() += 1;
            }
            Turn::Skip(_, why) => {
                *left.entry((Side::Clickup, (*why).to_owned())).or_default() += u64::from(new);
            }
            Turn::Copy(..) | Turn::Described(_) => {}
        }
    }
    for file in files::of_people(cx, ticket, task) {
        add_file(cx, plan, Side::Clickup, file, settled);
    }
    for ((side, why), count) in left.into_iter().filter(|(_, count)| *count > 0) {
        let what = if count == 1 { "comment" } else { "comments" };
        plan.leave(format!("{count} {side} {what}"), why);
    }
}

fn copy(comment: &Comment, text: &str, visibility: domain::Visibility) -> CommentCopy {
    CommentCopy { from: comment.side, id: comment.id.clone(), visibility, text: text.to_owned() }
}

fn add_file(cx: &Context, plan: &mut RecordPlan, from: Side, file: &domain::Attachment, settled: &Settled) {
    if !cx.mapping.settings().attachments || settled.files.contains(&(from, file.id.clone())) {
        return;
    }
    if files::is_too_large(file) {
        plan.leave("a file", "it is too large to be copied");
        return;
    }
    plan.file(FileCopy { from, id: file.id.clone(), name: file.name.clone(), bytes: file.size_bytes });
}

/// What both maps say is done. A copy that was begun and has no outcome is looked for first, so it still counts.
async fn settled(cx: &Context, ticket: TicketId) -> Result<Settled, SyncError> {
    let comments = cx.store.comments().list(ticket).await?;
    let files = cx.store.attachments().list(ticket).await?;
    let done = |state: MapState| state != MapState::Intent;
    Ok(Settled {
        comments: comments.into_iter().filter(|(_, row)| done(row.state)).map(|(key, _)| key).collect(),
        files: files.into_iter().filter(|(_, row)| done(row.state)).map(|(key, _)| key).collect(),
    })
}

/// The gate hands the comments on to the step that follows at once, so that they are read once.
fn keep(cx: &Context, ticket: TicketId, comments: Vec<Comment>) {
    if let Some(gate) = cx.gate() {
        gate.keep_comments(ticket, comments);
    }
}
