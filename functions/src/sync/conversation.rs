//! Comments in both directions, in order, each copied once, with the true author in the text.

use std::collections::BTreeMap;

use clients::{ApiError, ErrorKind, Lane};
use domain::field::sha256_hex;
use domain::patch::NewTicketComment;
use domain::plan::{Visible, Write};
use domain::{
    Comment, CommentPlan, Conflict, ConflictCause, FieldKey, Side, Task, Ticket, TicketId, TicketPatch,
    Value, Visibility, conversation,
};
use orchestration::ExecutionContext;
use planted::Bug;
use stores::Intended;
use stores::comments::{CommentRow, MapState};
use stores::links::Link;

use crate::sync::{copying, files};
use crate::{Context, SyncError};

type Rows = BTreeMap<(Side, String), CommentRow>;

/// Reads the ticket's comments and copies those that the task lacks.
pub async fn to_clickup(
    cx: &Context,
    run: &ExecutionContext,
    link: &Link,
    ticket: &Ticket,
    task: &Task,
) -> Result<u32, SyncError> {
    let comments = cx.zendesk(run).comments(link.ticket).await?;
    copy_all(cx, run, link, ticket, task, comments).await
}

/// Copies these comments of the ticket, where the task lacks them. The first one is the description already;
/// its files are copied all the same.
pub async fn copy_all(
    cx: &Context,
    run: &ExecutionContext,
    link: &Link,
    ticket: &Ticket,
    task: &Task,
    mut comments: Vec<Comment>,
) -> Result<u32, SyncError> {
    in_order(&mut comments);
    // A backfill writes no row for the first comment; the polls start after it and never meet it.
    if is_description(&comments) && run.lane == Lane::Backfill {
        return Ok(0);
    }
    let rows = cx.store.comments().list(link.ticket).await?;
    let mut writes = 0;
    for turn in turns_to_clickup(cx, link.ticket, task, &comments) {
        match &turn {
            Turn::Skip(comment, _) => {
                skip(cx, link, &rows, comment).await?;
                continue;
            }
            Turn::Described(comment) => skip(cx, link, &rows, comment).await?,
            Turn::Copy(comment, text, _) => {
                writes += copy_to_clickup(cx, run, link, task, &rows, comment, text).await?;
            }
        }
        writes += files::to_clickup(cx, run, ticket, task, turn.comment()).await?;
    }
    Ok(writes)
}

/// What becomes of one comment.
#[derive(Debug)]
pub enum Turn<'c> {
    /// It is copied, with this text and for these readers.
    Copy(&'c Comment, String, Visibility),
    /// The description has its text already; only its files are copied.
    Described(&'c Comment),
    /// It stays where it is, for this reason.
    Skip(&'c Comment, &'static str),
}

impl<'c> Turn<'c> {
    /// The comment.
    pub fn comment(&self) -> &'c Comment {
        match self {
            Turn::Copy(comment, ..) | Turn::Described(comment) | Turn::Skip(comment, _) => comment,
        }
    }
}

/// The order in which comments are copied: as they were written.
pub fn in_order(comments: &mut [Comment]) {
    comments.sort_by_key(|comment| (comment.created, comment.id.len(), comment.id.clone()));
}

/// What becomes of the comments of a ticket, which are in order; deskup's own are not among them.
pub fn turns_to_clickup<'c>(
    cx: &Context,
    ticket: TicketId,
    task: &Task,
    comments: &'c [Comment],
) -> Vec<Turn<'c>> {
    let me = cx.zendesk_me();
    let theirs = comments.iter().enumerate().filter(|(_, comment)| comment.author.id != me);
    let turn = |(position, comment)| match plan(cx, ticket, task, comment) {
        CommentPlan::Skip(why) => Turn::Skip(comment, why),
        CommentPlan::Mirror { .. } if position == 0 => Turn::Described(comment),
        CommentPlan::Mirror { text, visibility } => Turn::Copy(comment, text, visibility),
    };
    theirs.map(turn).collect()
}

/// What becomes of the comments of a task; deskup's own are not among them.
pub fn turns_to_zendesk<'c>(
    cx: &Context,
    ticket: TicketId,
    task: &Task,
    comments: &'c [Comment],
) -> Vec<Turn<'c>> {
    let me = cx.clickup_me();
    let turn = |comment| match plan(cx, ticket, task, comment) {
        CommentPlan::Skip(why) => Turn::Skip(comment, why),
        CommentPlan::Mirror { text, visibility } => Turn::Copy(comment, text, visibility),
    };
    comments.iter().filter(|comment| comment.author.id != me).map(turn).collect()
}

/// Whether a ticket's comments are no more than its description.
pub fn is_description(comments: &[Comment]) -> bool {
    comments.len() < 2 && comments.iter().all(|comment| comment.attachments.is_empty())
}

/// Copies the task's comments that the ticket lacks.
pub async fn to_zendesk(
    cx: &Context,
    run: &ExecutionContext,
    link: &Link,
    ticket: &Ticket,
    task: &Task,
) -> Result<u32, SyncError> {
    let comments = cx.clickup(run).comments(&task.id).await?;
    if comments.iter().all(|comment| comment.author.id == cx.clickup_me()) {
        return Ok(0);
    }
    let rows = cx.store.comments().list(link.ticket).await?;
    let (mut ticket, mut writes) = (ticket.clone(), 0);
    for turn in turns_to_zendesk(cx, link.ticket, task, &comments) {
        match turn {
            Turn::Copy(comment, body, visibility) => {
                let new = NewTicketComment { body, visibility, uploads: Vec::new() };
                writes += copy_to_zendesk(cx, run, link, &mut ticket, &rows, comment, new).await?;
            }
            Turn::Skip(comment, _) | Turn::Described(comment) => skip(cx, link, &rows, comment).await?,
        }
    }
    Ok(writes)
}

fn plan(cx: &Context, ticket: TicketId, task: &Task, comment: &Comment) -> CommentPlan {
    let guests =
        task.public || cx.mapping.directory().guests_can_see.get(&task.list).copied().unwrap_or(true);
    let source_url = match comment.side {
        Side::Zendesk => cx.ticket_url(ticket),
        Side::Clickup => task.url.clone(),
    };
    conversation::plan_comment_linked(comment, &cx.mapping, guests, Some(&source_url))
}

async fn skip(cx: &Context, link: &Link, rows: &Rows, comment: &Comment) -> Result<(), SyncError> {
    if !rows.contains_key(&(comment.side, comment.id.clone())) {
        cx.store
            .comments()
            .skip(link.ticket, comment.side, &comment.id, comment.visibility, "mapping")
            .await?;
    }
    Ok(())
}

async fn copy_to_clickup(
    cx: &Context,
    run: &ExecutionContext,
    link: &Link,
    task: &Task,
    rows: &Rows,
    comment: &Comment,
    text: &str,
) -> Result<u32, SyncError> {
    if is_settled(rows, comment) {
        return Ok(0);
    }
    let pass = cx.permit(link.ticket, &written(comment, comment.visibility, text))?;
    let Some(row) = claim(cx, run, link, comment, text).await? else { return Ok(0) };
    if let Claimed::Doubt(row) = &row {
        let newest = cx.clickup(run).recent_comments(&task.id).await?;
        if let Some(id) = find_copy(cx.clickup_me().0, comment, &newest)
            && !planted::is(Bug::CopiesNotLookedFor)
        {
            cx.store.comments().done(link.ticket, comment.side, &comment.id, &row.nonce, &id).await?;
            return Ok(0);
        }
    }
    let nonce = fresh_nonce(cx, run, link, comment, &row).await?;
    match cx.clickup(run).create_comment(&task.id, text).await {
        Ok(id) => {
            pass.used();
            cx.store.comments().done(link.ticket, comment.side, &comment.id, &nonce, &id).await?;
            Ok(1)
        }
        Err(error) => failed(cx, link, comment, &nonce, error).await,
    }
}

/// Before another attempt: from now on this one may be under way.
async fn fresh_nonce(
    cx: &Context,
    run: &ExecutionContext,
    link: &Link,
    comment: &Comment,
    claimed: &Claimed,
) -> Result<String, SyncError> {
    let row = match claimed {
        Claimed::Fresh(nonce) => return Ok(nonce.clone()),
        Claimed::Doubt(row) => row,
    };
    let nonce = cx.nonce(run);
    cx.store.comments().renew(link.ticket, comment.side, &comment.id, &row.nonce, &nonce).await?;
    Ok(nonce)
}

/// An attempt that certainly came to nothing leaves no doubt behind; one of unknown outcome may have waited before it was
/// sent, and from now on it may be under way.
async fn failed(
    cx: &Context,
    link: &Link,
    comment: &Comment,
    nonce: &str,
    error: ApiError,
) -> Result<u32, SyncError> {
    let rows = cx.store.comments();
    if error.kind.may_have_happened() {
        rows.renew(link.ticket, comment.side, &comment.id, nonce, nonce).await?;
    } else {
        rows.withdraw(link.ticket, comment.side, &comment.id, nonce).await?;
    }
    Err(error.into())
}

/// Guarded by what the ticket was when it was read: whoever stood still with a comment in hand, while somebody else
/// copied it, is refused.
async fn copy_to_zendesk(
    cx: &Context,
    run: &ExecutionContext,
    link: &Link,
    ticket: &mut Ticket,
    rows: &Rows,
    comment: &Comment,
    new: NewTicketComment,
) -> Result<u32, SyncError> {
    if ticket.is_closed() {
        return keep(cx, link, rows, comment, ConflictCause::TicketClosed).await;
    }
    if is_settled(rows, comment) {
        return Ok(0);
    }
    let pass = cx.permit(link.ticket, &written(comment, new.visibility, &new.body))?;
    let Some(row) = claim(cx, run, link, comment, &new.body).await? else { return Ok(0) };
    if let Claimed::Doubt(row) = &row {
        let existing = cx.zendesk(run).comments(link.ticket).await?;
        if let Some(id) = find_copy(cx.zendesk_me().0, comment, &existing) {
            cx.store.comments().done(link.ticket, comment.side, &comment.id, &row.nonce, &id).await?;
            return Ok(0);
        }
    }
    let nonce = fresh_nonce(cx, run, link, comment, &row).await?;
    let patch = TicketPatch { comment: Some(new), ..TicketPatch::default() };
    let stamp = ticket.updated_stamp.clone();
    match cx.zendesk(run).update_ticket(link.ticket, &patch, &nonce, Some(&stamp)).await {
        Ok(updated) => {
            pass.used();
            ticket.updated_stamp = updated.ticket.updated_stamp;
            let id = updated.audit.comment_ids.first().map(u64::to_string).unwrap_or_default();
            cx.store.comments().done(link.ticket, comment.side, &comment.id, &nonce, &id).await?;
            Ok(1)
        }
        Err(error) if error.kind == ErrorKind::Refused && error.status == Some(422) => {
            // Closed since it was read, or full: whatever the reason, it stays so.
            keep(cx, link, &Rows::new(), comment, ConflictCause::Refused).await
        }
        Err(error) => failed(cx, link, comment, &nonce, error).await,
    }
}

/// A comment that the ticket does not take is kept where a person finds it.
async fn keep(
    cx: &Context,
    link: &Link,
    rows: &Rows,
    comment: &Comment,
    cause: ConflictCause,
) -> Result<u32, SyncError> {
    if is_settled(rows, comment) {
        return Ok(0);
    }
    let conflict = Conflict {
        field: FieldKey::Custom(format!("comment:{}", comment.id)),
        cause,
        base: Value::Null,
        zendesk: Value::Null,
        clickup: Value::Text(comment.body.clone()),
        winner: None,
        rule: match cause {
            ConflictCause::TicketClosed => "a closed ticket takes no comment",
            _ => "Zendesk refused the comment: a closed ticket takes none, and no ticket more than 5,000",
        }
        .to_owned(),
    };
    let why = if cause == ConflictCause::TicketClosed { "ticket_closed" } else { "refused" };
    cx.store.conflicts().record(link.ticket, &conflict).await?;
    cx.store.comments().skip(link.ticket, comment.side, &comment.id, comment.visibility, why).await?;
    Ok(0)
}

enum Claimed {
    /// Nobody tried before.
    Fresh(String),
    /// Somebody tried, and the outcome is not known.
    Doubt(CommentRow),
}

/// Whether nothing is left to be done for a comment.
fn is_settled(rows: &Rows, comment: &Comment) -> bool {
    let state = rows.get(&(comment.side, comment.id.clone())).map(|row| row.state);
    matches!(state, Some(MapState::Done | MapState::Copy | MapState::Skipped))
}

/// The copy of a comment, as it is planned.
fn written(comment: &Comment, visibility: Visibility, text: &str) -> Write {
    let visibility = Visible::on(comment.side.other(), visibility);
    Write::Comment { from: comment.side, id: comment.id.clone(), visibility, text: text.to_owned() }
}

/// Says that a copy is about to be made; `None` when there is one already.
async fn claim(
    cx: &Context,
    run: &ExecutionContext,
    link: &Link,
    comment: &Comment,
    text: &str,
) -> Result<Option<Claimed>, SyncError> {
    // Before the intent, which would leave a doubt behind.
    cx.check_paused(run.lane).await?;
    let nonce = cx.nonce(run);
    let hash = sha256_hex(text.as_bytes());
    let intended = cx
        .store
        .comments()
        .intend(link.ticket, comment.side, &comment.id, &nonce, comment.visibility, &hash)
        .await?;
    Ok(match intended {
        Intended::New(_) => Some(Claimed::Fresh(nonce)),
        Intended::Existing(row) if row.state == MapState::Intent => {
            copying::is_over(cx, run, row.at_ms)?;
            Some(Claimed::Doubt(row))
        }
        Intended::Existing(_) => None,
    })
}

/// The copy of a comment among the newest of the other side: made by us, and saying so.
fn find_copy(me: i64, of: &Comment, among: &[Comment]) -> Option<String> {
    among
        .iter()
        .find(|copy| {
            copy.author.id.0 == me && conversation::parse_origin(&copy.body) == Some((of.side, of.id.clone()))
        })
        .map(|copy| copy.id.clone())
}
