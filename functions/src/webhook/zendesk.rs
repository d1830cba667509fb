//! Zendesk's event deliveries: one per changed field, ids as text, words in capitals.

use domain::{FieldKey, Mapping, Side, TicketId, Timestamp, history};
use serde_json::Value as Json;
use stores::WorkKey;
use stores::evidence::Evidence;

use crate::sync::wants;
use crate::webhook::Accepted;
use crate::{Context, SyncError, queue};

/// The next target of a ticket's service level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceLevel {
    /// The ticket.
    pub ticket: TicketId,
    /// When Zendesk told, in unix milliseconds; none where it does not say.
    pub told_ms: Option<i64>,
    /// By when, in unix milliseconds; none where the ticket has no target any more.
    pub breach_ms: Option<i64>,
}

/// What a delivery tells of a service level, whoever caused it; `None` if it is about something else, or its time is
/// written in a way we do not know.
pub fn service_level(body: &[u8]) -> Option<ServiceLevel> {
    let event: Json = serde_json::from_slice(body).ok()?;
    if !event["type"].as_str()?.ends_with("ticket.next_sla_breach_changed") {
        return None;
    }
    let ticket = event["detail"]["id"].as_str()?.parse().ok()?;
    let breach_ms = match &event["event"]["current"] {
        Json::Null => None,
        Json::String(text) if text.is_empty() => None,
        Json::String(text) => Some(Timestamp::parse_rfc3339(text)?.ms()),
        _ => return None,
    };
    let told_ms = event["time"].as_str().and_then(Timestamp::parse_rfc3339).map(Timestamp::ms);
    Some(ServiceLevel { ticket, told_ms, breach_ms })
}

/// Reads one delivery. What we did ourselves is no news: the audit in the reply told already.
pub fn read(cx: &Context, body: &[u8]) -> Result<Vec<Accepted>, SyncError> {
    let Ok(event) = serde_json::from_slice::<Json>(body) else { return Err(unreadable()) };
    let kind = event["type"].as_str().ok_or_else(unreadable)?;
    // The documentation spells some types with a slash.
    let kind = kind.trim_start_matches("zen:event-type").trim_start_matches([':', '/']);
    let Some(change) = kind.strip_prefix("ticket.") else { return Ok(Vec::new()) };
    let detail = &event["detail"];
    let ticket: TicketId = detail["id"].as_str().and_then(|id| id.parse().ok()).ok_or_else(unreadable)?;
    let actor: Option<i64> = detail["actor_id"].as_str().and_then(|id| id.parse().ok());
    if actor == Some(cx.zendesk_me().0) {
        return Ok(Vec::new());
    }
    let at_ms =
        event["time"].as_str().and_then(Timestamp::parse_rfc3339).map_or_else(|| cx.now_ms(), Timestamp::ms);
    let key = WorkKey::Ticket(ticket);
    let evidence = Evidence {
        record: key.clone(),
        provider: Side::Zendesk,
        event_id: event["id"].as_str().ok_or_else(unreadable)?.to_owned(),
        hash: String::new(),
        actor,
        at_ms,
        field: field(change, &event["event"], &cx.mapping),
        before: None,
        after: None,
        member: None,
        taken_ms: 0,
    };
    let wants = match change {
        "comment_added" | "attachment_linked_to_comment" | "comment_made_private" | "comment_redacted" => {
            vec![wants::ZENDESK_COMMENTS]
        }
        "created" => vec![wants::ZENDESK, wants::ZENDESK_COMMENTS],
        _ => vec![wants::ZENDESK],
    };
    let group = detail["group_id"].as_str().and_then(|id| id.parse().ok()).filter(|id| *id > 0);
    let queue = queue::of_group(group);
    Ok(vec![Accepted { key, wants, at_ms, delay_ms: None, queue, evidence: vec![evidence] }])
}

fn field(change: &str, event: &Json, mapping: &Mapping) -> Option<FieldKey> {
    Some(match change {
        "status_changed" | "custom_status_changed" => FieldKey::Status,
        "priority_changed" => FieldKey::Priority,
        "subject_changed" => FieldKey::Title,
        "tags_changed" => FieldKey::Tags,
        "agent_assignment_changed" => FieldKey::Assignee,
        "task_due_at_changed" => FieldKey::DueDate,
        "description_changed" => FieldKey::Description,
        "custom_field_changed" => {
            let id = &event["custom_field"]["id"];
            let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
            return history::zendesk_audit(&id, &Json::Null, mapping).map(|(field, _)| field);
        }
        _ => return None,
    })
}

fn unreadable() -> SyncError {
    SyncError::Poison { cause: "bad_delivery", detail: "not an event of Zendesk".to_owned() }
}
