//! Comments: what a body's `comment` becomes, and the list of a ticket's comments.

use serde_json::{Map, Value, json};

use super::edit::known_user;
use super::events;
use super::paging;
use super::refusal::Refusal;
use super::rows::*;
use super::state::{Op, State};
use super::tx::{Told, Tx};
use super::views::{self, Scene};
use super::{Asked, Desk, Reply, text};
use crate::http_text::json as json_answer;

/// How long a comment may be. Often stated, nowhere documented for this API.
const BODY_BYTES_MAX: usize = 65_535;

/// A comment that is about to be added.
pub(super) struct NewComment {
    pub row: CommentRow,
    uploads: Vec<Box<str>>,
}

/// Reads a body's `comment`. `default_public` is the value of the ticket's first comment.
pub(super) fn read(
    tx: &Tx<'_>,
    ticket: &TicketRow,
    body: &Map<String, Value>,
    default_public: bool,
) -> Result<Option<NewComment>, Refusal> {
    let given = match body.get("comment") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => json!({"body": text}),
        Some(given) => given.clone(),
    };
    let html = given.get("html_body").and_then(Value::as_str).map(text::body_from_html);
    let plain = || given.get("body").or_else(|| given.get("value")).and_then(Value::as_str).map(text::body);
    let comment_text = html.or_else(plain).unwrap_or_default();
    let author = match given.get("author_id") {
        None | Some(Value::Null) => tx.actor,
        Some(id) => known_user(tx.state, "author_id", id)?.id,
    };
    let uploads = read_uploads(tx.state, given.get("uploads"), tx.now_ms)?;
    if comment_text.is_empty() && uploads.is_empty() {
        return Ok(None);
    }
    if comment_text.len() > BODY_BYTES_MAX {
        return Err(Refusal::invalid(
            "comment",
            "Comment: is too long (maximum is 65535 bytes)",
            "ValueTooLong",
        ));
    }
    let has = tx.state.tickets.get(&ticket.id).map_or(0, |entry| entry.comments);
    if has >= tx.options.comments_max {
        let said = format!("Comment: a ticket can have at most {} comments", tx.options.comments_max);
        return Err(Refusal::invalid("comment", &said, "TooManyValues"));
    }
    // What an end user writes is always public.
    let staff = tx.state.users.get(&author).is_some_and(|user| user.role != Role::EndUser);
    let public = !staff || given.get("public").and_then(Value::as_bool).unwrap_or(default_public);
    let files =
        uploads.iter().filter_map(|token| tx.state.uploads.get(token)).flat_map(|row| row.files.clone());
    let row = CommentRow { author, body: comment_text.into(), public, files: files.collect() };
    Ok(Some(NewComment { row, uploads }))
}

/// The upload tokens of a comment: a list, or one text. How the service refuses one that is over is not documented;
/// this is assumed.
fn read_uploads(state: &State, given: Option<&Value>, now_ms: i64) -> Result<Vec<Box<str>>, Refusal> {
    let tokens: Vec<&str> = match given {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(one)) => vec![one],
        Some(many) => many.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
    };
    for token in &tokens {
        if state.uploads.get(*token).is_none_or(|upload| upload.until_ms <= now_ms) {
            return Err(Refusal::invalid(
                "attachments",
                "Attachments: upload token is invalid",
                "InvalidValue",
            ));
        }
    }
    Ok(tokens.into_iter().map(Into::into).collect())
}

/// Adds the comment to an audit; its id. Tells of the comment only where `tell` is set, of its attachments always.
pub(super) fn add(
    tx: &mut Tx<'_>,
    ticket: u64,
    comment: NewComment,
    audit: &mut AuditRow,
    told: &mut Vec<Told>,
    tell: bool,
) -> u64 {
    let NewComment { row, uploads } = comment;
    let id = tx.id();
    let after = json!({"id": id, "public": row.public, "body": row.body, "author": row.author});
    tx.note(ticket, "comment", Value::Null, after);
    if tell {
        told.push(("ticket.comment_added", events::comment_added(tx.state, id, &row)));
    }
    let scene = Scene { state: tx.state, options: tx.options };
    let files: Vec<&FileRow> = row.files.iter().filter_map(|file| tx.state.files.get(file)).collect();
    for file in files {
        let url = scene.content_url(file);
        let event = events::attachment_linked(id, row.public, file, &url);
        told.push(("ticket.attachment_linked_to_comment", event));
        let after = json!({"id": file.id, "comment": id, "file_name": file.name, "size": file.bytes.len()});
        tx.note(ticket, "attachment", Value::Null, after);
    }
    for token in uploads {
        tx.push(Op::DropUpload(token));
    }
    audit.events.push(EventRow { id, what: What::Comment(row) });
    id
}

/// `GET /tickets/{id}/comments`.
pub(super) fn list(desk: &mut Desk, asked: &Asked) -> Reply {
    let entry = desk.state.live(asked.id("api/v2/tickets/comments")?).ok_or_else(Refusal::not_found)?;
    let scene = desk.scene();
    let query = &asked.call.query;
    let newest_first = query.get("sort") == Some("-created_at") || query.get("sort_order") == Some("desc");
    let mut all: Vec<_> = entry.comments().collect();
    if newest_first {
        all.reverse();
    }
    let link_base = &desk.options.link_base;
    let page = paging::cut(&asked.call, link_base, all.into_iter(), |(id, _, _)| id.to_string())?;
    let views = page.items.iter().map(|(id, audit, row)| views::comment(scene, *id, audit, row));
    let mut body = json!({"comments": views.collect::<Vec<_>>()});
    if query.list("include").contains(&"users") {
        let mut authors: Vec<i64> = page.items.iter().map(|(_, _, row)| row.author).collect();
        authors.sort_unstable();
        authors.dedup();
        let users = authors.iter().filter_map(|id| desk.state.users.get(id));
        body["users"] = users.map(|row| views::user(scene, row)).collect();
    }
    paging::extend(&mut body, page.beside);
    Ok(json_answer(200, &body))
}
