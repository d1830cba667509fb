//! Deliveries of Zendesk's event subscriptions.

use std::collections::BTreeSet;

use domain::{Side, TicketId, Timestamp, UserId};
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::{Changed, Kind, NotAnEvent, Record};
use crate::wire::Field;
use crate::wire::events as wire;

/// A Zendesk event subscription's delivery.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ZendeskEvent(wire::ZendeskEvent);

impl ZendeskEvent {
    /// Parses a body. Bodies of triggers have no event type and are refused.
    pub fn parse(body: &[u8]) -> Result<Self, NotAnEvent> {
        let wire: wire::ZendeskEvent = serde_json::from_slice(body).map_err(|_| NotAnEvent(Side::Zendesk))?;
        let known = wire.kind.text().starts_with("zen:event-type") && wire.id.get().is_some();
        if known { Ok(Self(wire)) } else { Err(NotAnEvent(Side::Zendesk)) }
    }

    /// The event's id, stable over retries.
    pub fn id(&self) -> &str {
        self.0.id.text()
    }

    /// Such as `ticket.status_changed`. The documentation writes the prefix with a colon here and a slash
    /// there.
    pub fn event(&self) -> &str {
        let text = self.0.kind.text();
        let text = text.strip_prefix("zen:event-type").unwrap_or(text);
        text.strip_prefix([':', '/']).unwrap_or(text)
    }

    /// The account that sends.
    pub fn account(&self) -> Option<u64> {
        self.0.account_id.id()
    }

    /// The record that changed.
    pub fn record(&self) -> Record {
        let subject = self.0.subject.text();
        let by_subject = subject.strip_prefix("zen:ticket:").and_then(|id| id.parse().ok());
        let by_detail = || {
            let id = self.0.detail.get()?.id.id()?;
            self.event().starts_with("ticket.").then(|| TicketId::new(id).ok()).flatten()
        };
        match by_subject.or_else(by_detail) {
            Some(id) => Record::Ticket(id),
            None => Record::Other(subject.chars().take(100).collect()),
        }
    }

    /// Who did it: our own user's id means an echo.
    pub fn actor(&self) -> Option<UserId> {
        let author = self.change().and_then(|change| change.comment.get()?.author.get()?.id.number());
        let actor = self.0.detail.get().and_then(|detail| detail.actor_id.number());
        actor.or(author).map(UserId)
    }

    /// When it happened; a retried delivery keeps it.
    pub fn at(&self) -> Option<Timestamp> {
        Timestamp::parse_rfc3339(self.0.time.get()?)
    }

    /// Place among the events of one update, from 1.
    pub fn position(&self) -> Option<i64> {
        self.change()?.meta.get()?.sequence.get()?.position.number()
    }

    /// What changed. One update of three fields makes three events, each with one change.
    pub fn changes(&self) -> Vec<Changed> {
        let (kind, field) = self.kind_and_field();
        let (before, after) = self.values(kind);
        vec![Changed {
            kind,
            event: self.event().to_owned(),
            repeat_key: Some(self.id().to_owned()),
            actor: self.actor(),
            at: self.at(),
            field,
            before,
            after,
            item: None,
        }]
    }

    fn change(&self) -> Option<&wire::ZendeskChange> {
        self.0.event.get()
    }

    fn kind_and_field(&self) -> (Kind, Option<String>) {
        let Some(name) = self.event().strip_prefix("ticket.") else { return (Kind::Other, None) };
        let field = |name: &str| (Kind::Field, Some(name.to_owned()));
        match name {
            "created" => (Kind::Created, None),
            "soft_deleted" | "permanently_deleted" | "marked_as_spam" => (Kind::Deleted, None),
            "undeleted" => (Kind::Restored, None),
            "merged" => (Kind::Merged, None),
            "comment_added" | "comment_made_private" | "comment_redacted" => (Kind::Comment, None),
            "attachment_linked_to_comment" | "attachment_redacted_from_comment" => (Kind::Attachment, None),
            "status_changed" => field("status"),
            "custom_status_changed" => field("custom_status_id"),
            "priority_changed" => field("priority"),
            "type_changed" => field("type"),
            "subject_changed" => field("subject"),
            "description_changed" => field("description"),
            "agent_assignment_changed" => field("assignee_id"),
            "tags_changed" => field("tags"),
            "task_due_at_changed" => field("due_at"),
            "external_id_changed" => field("external_id"),
            "custom_field_changed" => {
                let custom = self.change().and_then(|change| change.custom_field.get()?.id.written());
                (Kind::Field, custom)
            }
            "group_assignment_changed" => (Kind::Moved, Some("group_id".to_owned())),
            "organization_changed" => (Kind::Moved, Some("organization_id".to_owned())),
            "form_changed" => (Kind::Moved, Some("ticket_form_id".to_owned())),
            "brand_changed" => (Kind::Moved, Some("brand_id".to_owned())),
            "requester_changed" => (Kind::Moved, Some("requester_id".to_owned())),
            _ => (Kind::Other, None),
        }
    }

    fn values(&self, kind: Kind) -> (Option<Json>, Option<Json>) {
        let Some(change) = self.change() else { return (None, None) };
        if kind == Kind::Comment {
            let id = change.comment.get().and_then(|comment| comment.id.written());
            return (None, id.map(Json::String));
        }
        match self.event() {
            "ticket.tags_changed" => self.whole_tags(change),
            "ticket.custom_field_changed" => (inner(&change.previous), inner(&change.current)),
            // In upper case here, in lower case everywhere else.
            "ticket.status_changed" | "ticket.priority_changed" | "ticket.type_changed" => {
                (lower(&change.previous), lower(&change.current))
            }
            _ => (change.previous.get().cloned(), change.current.get().cloned()),
        }
    }

    /// The event names what was added and removed; the record names all tags afterwards.
    fn whole_tags(&self, change: &wire::ZendeskChange) -> (Option<Json>, Option<Json>) {
        let Some(Field::Is(after)) = self.0.detail.get().map(|detail| &detail.tags) else {
            return (None, None);
        };
        let after: BTreeSet<&str> = after.iter().map(String::as_str).collect();
        let mut before = after.clone();
        for added in change.tags_added.items() {
            before.remove(added.as_str());
        }
        before.extend(change.tags_removed.items().iter().map(String::as_str));
        (Some(json!(before)), Some(json!(after)))
    }
}

/// Custom fields wrap their values: `{"value": …}`.
fn inner(field: &Field<Json>) -> Option<Json> {
    let value = field.get()?;
    Some(value.get("value").unwrap_or(value).clone())
}

fn lower(field: &Field<Json>) -> Option<Json> {
    let value = field.get()?;
    Some(value.as_str().map_or_else(|| value.clone(), |text| Json::String(text.to_lowercase())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zendesk(kind: &str, detail: Json, event: Json) -> ZendeskEvent {
        let body = json!({"account_id": 1, "type": kind, "id": "e1", "time": "2025-01-08T10:12:07.672717030Z",
            "subject": "zen:ticket:5158", "detail": detail, "event": event});
        ZendeskEvent::parse(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_status_is_lower_case_and_both_delimiters_are_taken() {
        for kind in ["zen:event-type:ticket.status_changed", "zen:event-type/ticket.status_changed"] {
            let change = json!({"current": "SOLVED", "previous": "OPEN"});
            let event = zendesk(kind, json!({"id": "5158", "actor_id": "42"}), change);
            let changed = event.changes().remove(0);
            assert_eq!(event.record(), Record::Ticket(TicketId::new(5158).unwrap()));
            assert_eq!((changed.kind, changed.field.as_deref()), (Kind::Field, Some("status")));
            assert_eq!((changed.before, changed.after), (Some(json!("open")), Some(json!("solved"))));
            assert_eq!((changed.actor, changed.at.unwrap().ms()), (Some(UserId(42)), 1_736_331_127_672));
        }
    }

    #[test]
    fn tags_become_whole_sets_where_the_record_tells_them() {
        let change = json!({"tags_added": ["b"], "tags_removed": ["c"]});
        let event =
            zendesk("zen:event-type:ticket.tags_changed", json!({"tags": ["a", "b"]}), change.clone());
        let changed = event.changes().remove(0);
        assert_eq!((changed.before, changed.after), (Some(json!(["a", "c"])), Some(json!(["a", "b"]))));
        let event = zendesk("zen:event-type:ticket.tags_changed", json!({"tags": null}), change);
        assert_eq!(event.changes().remove(0).after, None);
    }

    #[test]
    fn a_custom_field_is_named_by_its_id_and_unwrapped() {
        let change =
            json!({"current": {"value": "p"}, "previous": {"value": null}, "custom_field": {"id": "10"}});
        let changed =
            zendesk("zen:event-type:ticket.custom_field_changed", json!({}), change).changes().remove(0);
        assert_eq!(
            (changed.field.as_deref(), changed.before, changed.after),
            (Some("10"), Some(Json::Null), Some(json!("p")))
        );
    }

    #[test]
    fn unknown_events_and_users_are_no_error() {
        let event = zendesk("zen:event-type:ticket.invented_tomorrow", json!({}), json!({"x": 1}));
        assert_eq!(event.changes()[0].kind, Kind::Other);
        let body = json!({"type": "zen:event-type:user.created", "id": "e", "subject": "zen:user:1", "detail": {"id": "1"}});
        let event = ZendeskEvent::parse(body.to_string().as_bytes()).unwrap();
        assert_eq!(event.record(), Record::Other("zen:user:1".into()));
        assert!(ZendeskEvent::parse(br#"{"type": "End User Comment", "id": "1"}"#).is_err());
        assert!(ZendeskEvent::parse(b"<html>").is_err());
    }
}
