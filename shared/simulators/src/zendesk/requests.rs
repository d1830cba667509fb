//! The end users' side: requests are tickets as customers see them.

use serde_json::{Map, Value, json};

use super::edit::{Dropped, Mode};
use super::refusal::Refusal;
use super::rows::TicketRow;
use super::tickets_write::{build, change};
use super::views::TicketView;
use super::{Asked, Desk, Reply};
use crate::clock::iso_seconds;
use crate::http_text::json as json_answer;

/// What a customer may say of a new request.
const ALLOWED: [&str; 4] = ["subject", "comment", "priority", "type"];

/// `POST /requests`.
pub(super) fn create(desk: &mut Desk, asked: &Asked) -> Reply {
    let given = request_body(asked)?;
    let body: Map<String, Value> =
        given.into_iter().filter(|(name, _)| ALLOWED.contains(&name.as_str())).collect();
    let mut tx = desk.tx(asked.actor.user, asked.edit());
    let (row, _) = build(&mut tx, &body, &mut Dropped::default())?;
    let line = tx.finish();
    desk.commit(line)?;
    show(desk, 201, row.id)
}

/// `PUT /requests/{id}`: a comment, by the requester.
pub(super) fn update(desk: &mut Desk, asked: &Asked) -> Reply {
    let ticket = asked.id("api/v2/requests/update")?;
    let entry = desk.state.live(ticket).ok_or_else(Refusal::not_found)?;
    if entry.row.requester != asked.actor.user {
        return Err(Refusal::not_found());
    }
    let given = request_body(asked)?;
    let mut body = Map::new();
    if let Some(comment) = given.get("comment") {
        let text = comment.get("body").or_else(|| comment.get("value")).unwrap_or(comment);
        let uploads = comment.get("uploads").cloned().unwrap_or_default();
        body.insert("comment".to_owned(), json!({"body": text, "uploads": uploads}));
    }
    let mut tx = desk.tx(asked.actor.user, asked.edit());
    change(&mut tx, ticket, &body, Mode::Update, None, &mut Dropped::default())?;
    let line = tx.finish();
    desk.commit(line)?;
    show(desk, 200, ticket)
}

fn request_body(asked: &Asked) -> Result<Map<String, Value>, Refusal> {
    match asked.body()?.get("request") {
        Some(Value::Object(body)) => Ok(body.clone()),
        _ => Err(Refusal::bad_request("ParameterMissing", "Parameter request is required")),
    }
}

fn show(desk: &Desk, status: u16, ticket: u64) -> Reply {
    let entry = desk.state.live(ticket).ok_or_else(Refusal::not_found)?;
    let view = TicketView::new(desk.scene(), entry);
    let row: &TicketRow = view.row;
    let body = json!({"request": {
        "url": desk.scene().url(&format!("requests/{ticket}")),
        "id": ticket,
        "status": row.status.as_str(),
        "priority": row.priority,
        "type": row.kind,
        "subject": row.subject,
        "description": view.description,
        "requester_id": row.requester,
        "organization_id": row.organization,
        "created_at": iso_seconds(row.created_ms),
        "updated_at": iso_seconds(row.updated_ms),
    }});
    Ok(json_answer(status, &body))
}
