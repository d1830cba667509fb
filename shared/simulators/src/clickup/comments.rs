//! Comments: 25 newest first, paged by the last one seen; replies are kept apart; edits leave no trace but a webhook.

use serde_json::{Value, json};

use super::create::object;
use super::model::{Comment, Task};
use super::refusal::{self, Refusal};
use super::rows::{Key, Row};
use super::tx::Tx;
use super::{text, wire};
use crate::http_text::{self, Answer, Call};

/// How many comments one answer holds.
const PAGE: usize = 25;
/// Ids are beyond 32 bits, as newer ones are.
const COMMENT_ID_BASE: u64 = 90_110_164_000_000;

/// `GET /task/{task_id}/comment`. Only `start` and `start_id` together page; the comment they name comes again.
pub(super) fn list(tx: &mut Tx<'_>, call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let seq = tx.task(&path[0])?.seq;
    let end = match (call.query.number::<i64>("start"), call.query.number::<u64>("start_id")) {
        (Some(date), Some(id)) => (date, id),
        _ => (i64::MAX, u64::MAX),
    };
    let page: Vec<Value> = match tx.state.task_comments.get(&seq) {
        Some(index) => {
            let newest = index.range(..=end).rev().take(PAGE);
            newest
                .filter_map(|(_, id)| tx.state.comments.get(id))
                .map(|c| wire::comment(tx.state, c))
                .collect()
        }
        None => Vec::new(),
    };
    Ok(http_text::json(200, &json!({"comments": page})))
}

/// `POST /task/{task_id}/comment`.
pub(super) fn create(tx: &mut Tx<'_>, call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let task = tx.task(&path[0])?.clone();
    let comment = post(tx, call, &task, None)?;
    tx.tell_comment("taskCommentPosted", &task, &comment);
    Ok(posted(&comment))
}

/// `GET /comment/{comment_id}/reply`: oldest first, without the comment itself.
pub(super) fn replies(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let (parent, _) = find(tx, &path[0])?;
    let index = tx.state.replies.get(&parent.id).into_iter().flatten();
    let replies = index.filter_map(|(_, id)| tx.state.comments.get(id)).map(|c| wire::comment(tx.state, c));
    Ok(http_text::json(200, &json!({"comments": replies.collect::<Vec<_>>()})))
}

/// `POST /comment/{comment_id}/reply`. Whether replies send webhooks is not known: none is sent.
pub(super) fn reply(tx: &mut Tx<'_>, call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let (parent, task) = find(tx, &path[0])?;
    let comment = post(tx, call, &task, Some(parent.id))?;
    Ok(posted(&comment))
}

/// `PUT /comment/{comment_id}`.
pub(super) fn update(tx: &mut Tx<'_>, call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let body = object(call)?;
    let (old, task) = find(tx, &path[0])?;
    let mut new = old.clone();
    if body.get("comment_text").is_some() || body["comment"].is_array() {
        (new.text, new.blocks) = content(&body)?;
    }
    if let Some(resolved) = body["resolved"].as_bool() {
        new.resolved = resolved;
    }
    if let Some(assignee) = body["assignee"].as_i64() {
        new.assignee = Some(assignee);
    }
    if new != old {
        tx.put(Row::Comment(new.clone().into()));
        touch(tx, &task);
        tx.note(&task.id, "comment", logged(&old), logged(&new));
        if new.parent.is_none() {
            tx.tell_comment("taskCommentUpdated", &task, &new);
        }
    }
    Ok(http_text::json(200, &json!({})))
}

/// `DELETE /comment/{comment_id}`. No webhook tells of it.
pub(super) fn delete(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let (comment, task) = find(tx, &path[0])?;
    let replies = tx.state.replies.get(&comment.id).into_iter().flatten().map(|(_, id)| *id);
    for id in replies.chain([comment.id]).collect::<Vec<_>>() {
        tx.remove(Key::Comment(id));
    }
    touch(tx, &task);
    tx.note(&task.id, "comment", logged(&comment), Value::Null);
    Ok(http_text::json(200, &json!({})))
}

fn find(tx: &Tx<'_>, id: &str) -> Result<(Comment, Task), Refusal> {
    let id: u64 = id.parse().map_err(|_| refusal::COMMENT_UNKNOWN)?;
    let comment = tx.state.comments.get(&id).ok_or(refusal::COMMENT_UNKNOWN)?;
    let task = tx.task(&super::state::task_id(comment.task))?;
    Ok((comment.clone(), task.clone()))
}

fn post(tx: &mut Tx<'_>, call: &Call, task: &Task, parent: Option<u64>) -> Result<Comment, Refusal> {
    let body = object(call)?;
    let (text, blocks) = content(&body)?;
    tx.state.counters.comment += 1;
    let comment = Comment {
        id: COMMENT_ID_BASE + tx.state.counters.comment,
        task: task.seq,
        parent,
        user: tx.actor,
        date_ms: tx.now,
        text,
        blocks,
        resolved: false,
        assignee: body["assignee"].as_i64(),
        hist: tx.history_id(),
    };
    tx.put(Row::Comment(comment.clone().into()));
    touch(tx, task);
    tx.note(&task.id, "comment", Value::Null, logged(&comment));
    Ok(comment)
}

/// The text and the blocks of a body: `comment` blocks or `comment_text`.
fn content(body: &Value) -> Result<(String, Option<Vec<Value>>), Refusal> {
    let blocks = body["comment"].as_array().cloned();
    let text = match &blocks {
        Some(blocks) => text::text_of_blocks(blocks),
        None => text::body(body["comment_text"].as_str().unwrap_or_default()),
    };
    if text.is_empty() { Err(refusal::COMMENT_EMPTY) } else { Ok((text, blocks)) }
}

fn touch(tx: &mut Tx<'_>, task: &Task) {
    if tx.options.comments_move_date_updated {
        tx.save(task.clone());
    }
}

/// The answer to a post: here the id is a number.
fn posted(comment: &Comment) -> Answer {
    let body = json!({"id": comment.id, "hist_id": comment.hist.to_string(), "date": comment.date_ms});
    http_text::json(200, &body)
}

fn logged(comment: &Comment) -> Value {
    // Nothing in ClickUp is public in Zendesk's sense: it has no such flag.
    let mut body =
        json!({"id": comment.id.to_string(), "public": false, "body": comment.text, "author": comment.user});
    if let Some(parent) = comment.parent {
        body["parent"] = json!(parent.to_string());
    }
    body
}
