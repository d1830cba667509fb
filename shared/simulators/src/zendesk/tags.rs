//! The endpoints of a ticket's tags: PUT adds, POST replaces, DELETE removes.

use http::Method;
use serde_json::{Value, json};

use super::edit::tags_of;
use super::fields;
use super::refusal::Refusal;
use super::tickets_write::{audit, check_stamp, settle, writable};
use super::{Asked, Desk, Reply};
use crate::http_text::json as json_answer;

/// `GET /tickets/{id}/tags`.
pub(super) fn list(desk: &mut Desk, asked: &Asked) -> Reply {
    let entry = desk.state.live(asked.id("api/v2/tags")?).ok_or_else(Refusal::not_found)?;
    Ok(json_answer(200, &json!({"tags": entry.row.tags})))
}

/// The three changes; the answer has all tags afterwards.
pub(super) fn change(desk: &mut Desk, asked: &Asked) -> Reply {
    let ticket = asked.id("api/v2/tags")?;
    let body = asked.body()?;
    let in_query = asked.call.query.get("tags").map(Value::from);
    let given = tags_of(body.get("tags").or(in_query.as_ref()).unwrap_or(&Value::Null))?;
    let before = desk.state.live(ticket).ok_or_else(Refusal::not_found)?.row.clone();
    writable(&before)?;
    // Here the stamp stands at the top of the body; `safe_update` is documented as the text "true".
    let stamp =
        body.get("safe_update").map(|_| body.get("updated_stamp").and_then(Value::as_str).unwrap_or(""));
    check_stamp(&before, stamp)?;
    let mut row = before.clone();
    if asked.call.method == Method::PUT {
        row.tags.extend(given);
    } else if asked.call.method == Method::DELETE {
        row.tags.retain(|tag| !given.contains(tag));
    } else {
        row.tags = given;
    }
    row.tags.sort_unstable();
    row.tags.dedup();
    fields::couple_tags(&desk.state, &mut row);
    let tags = row.tags.clone();
    let mut tx = desk.tx(asked.actor.user, asked.edit());
    let audit = audit(&mut tx, None);
    settle(&mut tx, before, row, audit, Vec::new())?;
    let line = tx.finish();
    desk.commit(line)?;
    let status = if asked.call.method == Method::POST { 201 } else { 200 };
    Ok(json_answer(status, &json!({ "tags": tags })))
}
