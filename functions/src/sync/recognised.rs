//! Tickets that have a task which deskup did not link: made by people, by another tool, or by deskup before its
//! state was lost. None of them gets a second task unless the settings say so (`sync.adopt`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock};

use domain::decision::{Conflict, ConflictCause, FieldBase, LinkFields};
use domain::recognise::in_ticket;
use domain::{Adopt, Comment, FieldKey, ListId, Recognised, Side, Sign, Task, TaskId, Ticket, TicketId};
use domain::{Value, Visibility, conversation};
use orchestration::ExecutionContext;
use stores::links::Link;

use crate::sync::create::{As, Made, link_task};
use crate::sync::{files, look_at_both, masked};
use crate::{Context, SyncError};

/// The pairs that the newest look at all tasks found, as this process knows them.
#[derive(Debug, Default)]
pub struct Known(RwLock<Option<BTreeMap<TicketId, Vec<Recognised>>>>);

impl Known {
    /// Forgets them: a newer look was stored.
    pub fn forget(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What becomes of a ticket that is to get a task.
#[derive(Debug)]
pub enum Verdict {
    /// It gets a new one.
    Free,
    /// It is linked with this one.
    Link(Box<Task>),
    /// It is left out until a person says, for this reason.
    Leave(String),
}

/// Looks for a task that a ticket has already.
pub async fn verdict(cx: &Context, run: &ExecutionContext, ticket: &Ticket) -> Result<Verdict, SyncError> {
    let adopt = cx.mapping.settings().adopt;
    if adopt == Adopt::Ignore {
        return Ok(Verdict::Free);
    }
    let mut found = of_ticket(cx, ticket.id).await?;
    for (task, sign) in in_ticket(ticket, &cx.mapping) {
        match found.iter_mut().find(|pair| pair.task == task) {
            Some(pair) => drop(pair.signs.insert(sign)),
            // An external id that is no task's is somebody else's number.
            None if sign == Sign::ExternalId && cx.clickup(run).task(&task).await?.is_none() => {}
            None => found.push(Recognised {
                ticket: ticket.id,
                task,
                signs: BTreeSet::from([sign]),
                list: None,
                archived: false,
            }),
        }
    }
    if found.is_empty() {
        return Ok(Verdict::Free);
    }
    let Some(pair) = surest(&found) else {
        let tasks: Vec<&str> = found.iter().map(|pair| pair.task.as_str()).collect();
        return Ok(Verdict::Leave(format!(
            "several tasks belong to it: {}; a person has to say which",
            tasks.join(", ")
        )));
    };
    let sign = pair.signs.first().map_or("", |sign| sign.words());
    if adopt == Adopt::Ask {
        let task = &pair.task;
        return Ok(Verdict::Leave(format!("task {task} belongs to it already ({sign}); see sync.adopt")));
    }
    linkable(cx, run, ticket.id, &pair.task).await
}

/// Whether a ticket is left out for a pair, as far as that is known without a call: such a ticket takes no seat
/// of a pilot.
pub async fn is_left(cx: &Context, ticket: &Ticket) -> Result<bool, SyncError> {
    if cx.mapping.settings().adopt != Adopt::Ask {
        return Ok(false);
    }
    let marked = in_ticket(ticket, &cx.mapping).values().any(|sign| *sign != Sign::ExternalId);
    Ok(marked || !of_ticket(cx, ticket.id).await?.is_empty())
}

/// Keeps what the newest look at all tasks found.
pub async fn remember(cx: &Context, pairs: &[Recognised]) -> Result<(), SyncError> {
    cx.store.pairs().replace(pairs).await?;
    cx.recognised.forget();
    Ok(())
}

/// The one pair that is meant, if that can be told.
pub fn surest(found: &[Recognised]) -> Option<&Recognised> {
    let ours: Vec<&Recognised> = found.iter().filter(|pair| pair.signs.contains(&Sign::Marker)).collect();
    match (ours.as_slice(), found) {
        ([pair], _) => Some(pair),
        ([], [pair]) => Some(pair),
        _ => None,
    }
}

async fn linkable(
    cx: &Context,
    run: &ExecutionContext,
    ticket: TicketId,
    task: &TaskId,
) -> Result<Verdict, SyncError> {
    let leave = |why: &str| Ok(Verdict::Leave(format!("task {task} belongs to it already, and {why}")));
    if let Some(pointer) = cx.store.links().pointer(task).await?
        && pointer.ticket != ticket
    {
        return leave(&format!("is linked with ticket {}", pointer.ticket));
    }
    let Some(task) = cx.clickup(run).task(task).await? else {
        return leave("deskup's user cannot see it");
    };
    if task.archived {
        return leave("is archived");
    }
    if !cx.mapping.lists().contains(&task.list) {
        return leave(&format!("is in list {}, which no route names", task.list));
    }
    Ok(Verdict::Link(Box::new(task)))
}

async fn of_ticket(cx: &Context, ticket: TicketId) -> Result<Vec<Recognised>, SyncError> {
    let known = |known: &Known| {
        let read = known.0.read().unwrap_or_else(PoisonError::into_inner);
        read.as_ref().map(|pairs| pairs.get(&ticket).cloned().unwrap_or_default())
    };
    if let Some(found) = known(&cx.recognised) {
        return Ok(found);
    }
    let mut pairs: BTreeMap<TicketId, Vec<Recognised>> = BTreeMap::new();
    for pair in cx.store.pairs().list().await? {
        pairs.entry(pair.ticket).or_default().push(pair);
    }
    *cx.recognised.0.write().unwrap_or_else(PoisonError::into_inner) = Some(pairs);
    Ok(known(&cx.recognised).unwrap_or_default())
}

/// What both sides of a recognised pair agree on: nothing, so that what differs goes by the rules. The
/// description is the exception: a task that people wrote keeps what they wrote, and the ticket's text is there
/// to be read in the conflict.
pub fn bases(seen: &Ticket, task: &Task, cx: &Context) -> (LinkFields, Vec<Conflict>) {
    let key = FieldKey::Description;
    let mapping = &cx.mapping;
    let Some((zendesk, clickup)) = mapping.values(&key, seen, task) else { return Default::default() };
    let mut base = FieldBase::agreed(zendesk.to_stored(), clickup.to_stored());
    let mut conflicts = Vec::new();
    if mapping.same(&key, seen, task) != Some(true) {
        base.parted = true;
        conflicts.push(Conflict {
            field: key.clone(),
            cause: ConflictCause::DescriptionReadOnly,
            base: Value::Null,
            zendesk,
            clickup,
            winner: None,
            rule: "a task that was there before keeps its own description".to_owned(),
        });
    }
    (LinkFields::from([(key, base)]), conflicts)
}

/// Links a ticket with the task that it has already, over an intent that was put for it.
pub async fn link(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    task: &Task,
    link: &Link,
) -> Result<Made, SyncError> {
    // Whatever differs is looked at next, also when this process ends here.
    look_at_both(cx, ticket.id).await?;
    let (seen, ours) = masked::for_clickup(cx, run, ticket).await?;
    let theirs = cx.clickup(run).comments(&task.id).await?;
    for ((side, id), copy) in copied_comments(cx, &ours, &theirs) {
        let (comments, nonce) = (cx.store.comments(), &link.nonce);
        comments.intend(ticket.id, side, &id, nonce, Visibility::Internal, "").await?;
        comments.done(ticket.id, side, &id, nonce, &copy).await?;
    }
    for ((side, id), copy) in copied_files(cx, &ours, task) {
        let (files, nonce) = (cx.store.attachments(), &link.nonce);
        files.intend(ticket.id, side, &id, nonce, None, None).await?;
        files.done(ticket.id, side, &id, nonce, &copy).await?;
    }
    let bases = bases(&seen, task, cx);
    // Nobody knows who chose the list, so the task is never moved from it.
    let how = As { nonce: &link.nonce, bases, list: None::<ListId>, rule: "recognised" };
    let linked = link_task(cx, run, &seen, task, link, how).await?;
    tracing::info!(ticket = %ticket.id, task = %task.id, "linked with a task that was there already");
    Ok(Made::Linked(Box::new(linked)))
}

/// Comments of which deskup made a copy before its state was lost, with the copies' ids.
pub fn copied_comments(cx: &Context, ours: &[Comment], theirs: &[Comment]) -> Vec<((Side, String), String)> {
    let mut found: BTreeMap<(Side, String), String> = BTreeMap::new();
    for (comments, me) in [(ours, cx.zendesk_me()), (theirs, cx.clickup_me())] {
        for copy in comments.iter().filter(|comment| comment.author.id == me) {
            let origin = conversation::parse_origin(&copy.body).filter(|(side, _)| *side != copy.side);
            if let Some(origin) = origin {
                found.entry(origin).or_insert_with(|| copy.id.clone());
            }
        }
    }
    found.into_iter().collect()
}

/// Files of the ticket that deskup put on the task before its state was lost, with the copies' ids.
pub fn copied_files(cx: &Context, ours: &[Comment], task: &Task) -> Vec<((Side, String), String)> {
    let mut copies: Vec<&domain::Attachment> = task.attachments.iter().collect();
    let mut found = Vec::new();
    for file in ours.iter().flat_map(|comment| &comment.attachments) {
        if let Some(at) = copies.iter().position(|copy| files::is_copy(cx, copy, file)) {
            found.push(((Side::Zendesk, file.id.clone()), copies.remove(at).id.clone()));
        }
    }
    found
}
