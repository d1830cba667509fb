//! Deliveries of ClickUp's webhooks.

use domain::field::sha256_hex;
use domain::{Side, TaskId, Timestamp, UserId};
use serde::Serialize;

use super::{Changed, Kind, NotAnEvent, Record};
use crate::wire::events as wire;

/// A ClickUp delivery.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ClickupEvent(wire::ClickupEvent);

impl ClickupEvent {
    /// Parses a body. Bodies of ClickUp's automations have no event and are refused.
    pub fn parse(body: &[u8]) -> Result<Self, NotAnEvent> {
        let wire: wire::ClickupEvent = serde_json::from_slice(body).map_err(|_| NotAnEvent(Side::Clickup))?;
        let known = wire.event.get().is_some_and(|event| !event.is_empty());
        if known { Ok(Self(wire)) } else { Err(NotAnEvent(Side::Clickup)) }
    }

    /// Such as `taskStatusUpdated`.
    pub fn event(&self) -> &str {
        self.0.event.text()
    }

    /// Which webhook it belongs to.
    pub fn webhook(&self) -> &str {
        self.0.webhook_id.text()
    }

    /// The record that changed.
    pub fn record(&self) -> Record {
        let task = self.0.task_id.get().and_then(|id| TaskId::new(id.clone()).ok());
        match task {
            Some(id) => Record::Task(id),
            None => Record::Other(self.event().chars().take(100).collect()),
        }
    }

    /// What changed, one for each history item. Every specific event comes with a second delivery
    /// `taskUpdated` that has the same items; so do `taskCreated` and `taskStatusUpdated`.
    pub fn changes(&self) -> Vec<Changed> {
        if !self.0.history_items.items().is_empty() {
            return self.0.history_items.items().iter().map(|item| self.item(item)).collect();
        }
        let kind = match self.event() {
            "taskDeleted" => Kind::Deleted,
            "taskCreated" => Kind::Created,
            "taskMoved" => Kind::Moved,
            "taskCommentPosted" | "taskCommentUpdated" => Kind::Comment,
            _ => Kind::Other,
        };
        // Only ids: nothing tells a repeat from a second deletion.
        vec![Changed {
            kind,
            event: self.event().to_owned(),
            repeat_key: None,
            actor: None,
            at: None,
            field: None,
            before: None,
            after: None,
            item: None,
        }]
    }

    fn item(&self, item: &wire::HistoryItem) -> Changed {
        let custom = item.custom_field.get().and_then(|field| field.id.get().cloned());
        let (kind, field) = match item.field.text() {
            "task_creation" => (Kind::Created, None),
            "section_moved" => (Kind::Moved, Some("section_moved".to_owned())),
            "comment" => (Kind::Comment, None),
            "attachment" | "attachments" => (Kind::Attachment, None),
            "custom_field" => (Kind::Field, custom),
            "" => (Kind::Other, None),
            name => (Kind::Field, Some(name.to_owned())),
        };
        Changed {
            kind,
            event: self.event().to_owned(),
            repeat_key: self.repeat_key(item),
            actor: item.user.get().and_then(|user| user.id.number()).map(UserId),
            at: item.date.number().map(Timestamp),
            field,
            before: item.before.get().cloned(),
            after: item.after.get().cloned(),
            item: serde_json::to_value(item).ok(),
        }
    }

    /// The documented key, webhook and item, is the same for the twin delivery and for a comment's edit,
    /// so the event's name and the new content are part of ours.
    fn repeat_key(&self, item: &wire::HistoryItem) -> Option<String> {
        let content = match (item.comment.get(), item.after.get()) {
            (Some(comment), _) => serde_json::to_vec(comment).ok()?,
            (None, Some(after)) => serde_json::to_vec(after).ok()?,
            (None, None) => Vec::new(),
        };
        let hash = &sha256_hex(&content)[..16];
        Some(format!("{}:{}:{}:{hash}", self.webhook(), self.event(), item.id.written()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn twin_deliveries_and_edited_comments_have_keys_of_their_own() {
        let body = |event: &str, text: &str| {
            json!({"event": event, "webhook_id": "w", "task_id": "1vj38vv", "history_items": [
                {"id": "28", "date": "1642736073330", "field": "comment", "user": {"id": 183}, "before": null,
                 "after": "648", "comment": {"id": "648", "text_content": text}}]})
        };
        let key = |event: &str, text: &str| {
            let event = ClickupEvent::parse(body(event, text).to_string().as_bytes()).unwrap();
            event.changes().remove(0).repeat_key.unwrap()
        };
        let first = key("taskCommentPosted", "a");
        assert_eq!(first, key("taskCommentPosted", "a"));
        assert_ne!(first, key("taskUpdated", "a"));
        assert_ne!(key("taskCommentUpdated", "a"), key("taskCommentUpdated", "b"));
    }

    #[test]
    fn a_deletion_has_only_its_id() {
        let event =
            ClickupEvent::parse(br#"{"event":"taskDeleted","task_id":"1vj","webhook_id":"w"}"#).unwrap();
        let changed = event.changes().remove(0);
        assert_eq!((changed.kind, changed.repeat_key, changed.actor), (Kind::Deleted, None, None));
        assert_eq!(event.record(), Record::Task(TaskId::new("1vj").unwrap()));
        assert!(ClickupEvent::parse(br#"{"trigger_id":"x","payload":{}}"#).is_err());
    }
}
