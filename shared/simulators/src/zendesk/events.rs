//! The bodies of event webhooks. Their spelling differs from REST's: ids are strings, enumerations are upper case,
//! and some members have other names.

use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use serde_json::{Value, json};

use super::rows::*;
use super::state::{BRAND, State};
use crate::clock::{iso_nanos, iso_seconds};

/// The ticket after the change, as events show it: without comments, custom fields and names.
pub(super) fn detail(state: &State, row: &TicketRow, new: Option<&AuditRow>, actor: i64) -> Value {
    let known = state.tickets.get(&row.id).map(|entry| entry.audits.as_slice()).unwrap_or_default();
    let description = known.iter().chain(new).find_map(first_comment).unwrap_or_default();
    let status = if row.deleted { "DELETED".to_owned() } else { upper(row.status.as_str()) };
    json!({
        "actor_id": actor.to_string(),
        "assignee_id": text(row.assignee),
        "brand_id": BRAND.to_string(),
        "created_at": iso_seconds(row.created_ms),
        "custom_status": row.custom_status.to_string(),
        "description": description,
        "external_id": row.external_id,
        "form_id": row.form.to_string(),
        "group_id": text(row.group),
        "id": row.id.to_string(),
        "is_public": row.public,
        "organization_id": text(row.organization),
        "priority": row.priority.map(|priority| upper(priority.as_str())),
        "requester_id": row.requester.to_string(),
        "status": status,
        "subject": row.subject,
        "submitter_id": row.submitter.to_string(),
        "tags": row.tags,
        "type": row.kind.map(|kind| upper(kind.as_str())),
        "updated_at": iso_seconds(row.updated_ms),
        "via": {"channel": row.via.event_channel()},
    })
}

/// The whole body as it is sent: pretty-printed with three blanks and a line feed at its end, as recorded.
pub(super) fn body(
    account: u64,
    kind: &str,
    id: &str,
    at_ms: i64,
    ticket: u64,
    detail: &Value,
    event: &Value,
) -> String {
    let body = json!({
        "account_id": account,
        "detail": detail,
        "event": event,
        "id": id,
        "subject": format!("zen:ticket:{ticket}"),
        "time": iso_nanos(at_ms),
        "type": kind,
        "zendesk_event_version": "2022-11-06",
    });
    let mut out = Vec::with_capacity(2048);
    let mut writer = serde_json::Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(b"   "));
    // A `Value` always serializes into memory.
    let _ = body.serialize(&mut writer);
    out.push(b'\n');
    String::from_utf8(out).unwrap_or_default()
}

/// `{"current":…,"previous":…}`.
pub(super) fn changed(current: Value, previous: Value) -> Value {
    json!({"current": current, "previous": previous})
}

/// An id as events spell it.
pub(super) fn text(id: Option<impl ToString>) -> Value {
    id.map_or(Value::Null, |id| Value::String(id.to_string()))
}

/// An enumeration's value as events spell it.
pub(super) fn upper(text: &str) -> String {
    text.to_ascii_uppercase()
}

/// The event of a new comment.
pub(super) fn comment_added(state: &State, id: u64, comment: &CommentRow) -> Value {
    let author = state.users.get(&comment.author);
    json!({"comment": {
        "author": {
            "id": comment.author.to_string(),
            "is_staff": author.is_some_and(|user| user.role != Role::EndUser),
            "name": author.map(|user| &user.name),
        },
        "body": comment.body,
        "id": id.to_string(),
        "is_public": comment.public,
    }})
}

/// The event of a new attachment.
pub(super) fn attachment_linked(comment: u64, public: bool, file: &FileRow, url: &str) -> Value {
    json!({"comment": {"id": comment.to_string(), "attachment": {
        "id": file.id.to_string(),
        "filename": file.name,
        "content_type": file.content_type,
        "content_url": url,
        "is_public": public,
    }}})
}

fn first_comment(audit: &AuditRow) -> Option<&str> {
    audit.events.iter().find_map(|event| match &event.what {
        What::Comment(comment) => Some(&*comment.body),
        _ => None,
    })
}
