//! The bodies of Zendesk writes. Only what a patch names is in them.

use domain::patch::NewTicketComment;
use domain::{TicketPatch, Visibility};
use serde_json::{Map, Value as Json, json};

use super::types::{BatchEntry, NewTicket};

/// `metadata.custom` comes back in the audit, and only there.
pub(super) const EFFECT_MEMBER: &str = "deskup_effect";

pub(super) fn update(patch: &TicketPatch, effect_id: &str, updated_stamp: Option<&str>) -> Json {
    let mut ticket = fields(patch);
    if let Some(new) = &patch.comment {
        ticket.insert("comment".into(), comment(new));
    }
    ticket.insert("metadata".into(), json!({ EFFECT_MEMBER: effect_id }));
    if let Some(stamp) = updated_stamp {
        ticket.insert("updated_stamp".into(), stamp.into());
        // False would mean the same as true, so it is left out for an unsafe update.
        ticket.insert("safe_update".into(), true.into());
    }
    json!({ "ticket": ticket })
}

pub(super) fn create(new: &NewTicket, key: &str) -> Json {
    let mut ticket = fields(&new.fields);
    ticket.insert("comment".into(), comment(&new.comment));
    if let Some(requester) = new.requester {
        ticket.insert("requester_id".into(), requester.0.into());
    }
    ticket.insert("metadata".into(), json!({ EFFECT_MEMBER: key }));
    json!({ "ticket": ticket })
}

/// One entry of a batch. In a batch the stamp and the flag go together or not at all.
pub(super) fn batch_entry(entry: &BatchEntry) -> Json {
    let mut ticket = fields(&entry.patch);
    ticket.insert("id".into(), entry.ticket.get().into());
    if let Some(stamp) = &entry.updated_stamp {
        ticket.insert("updated_stamp".into(), stamp.as_str().into());
        ticket.insert("safe_update".into(), true.into());
    }
    Json::Object(ticket)
}

fn comment(new: &NewTicketComment) -> Json {
    let public = new.visibility == Visibility::Public;
    let mut comment = json!({ "body": new.body, "public": public });
    if !new.uploads.is_empty() {
        comment["uploads"] = json!(new.uploads);
    }
    comment
}

fn fields(patch: &TicketPatch) -> Map<String, Json> {
    let mut ticket = Map::new();
    let mut put = |name: &str, value: Option<Json>| {
        if let Some(value) = value {
            ticket.insert(name.to_owned(), value);
        }
    };
    put("subject", patch.subject.as_ref().map(|text| json!(text)));
    put("status", patch.status.as_ref().map(|text| json!(text)));
    put("custom_status_id", patch.custom_status_id.map(|id| json!(id)));
    put("priority", patch.priority.as_ref().map(|priority| json!(priority)));
    put("type", patch.ticket_type.as_ref().map(|text| json!(text)));
    put("assignee_id", patch.assignee.map(|assignee| json!(assignee.map(|user| user.0))));
    put("group_id", patch.group.map(|id| json!(id)));
    put("tags", patch.tags.as_ref().map(|tags| json!(tags)));
    put("due_at", patch.due_at.as_ref().map(|due| json!(due)));
    put("external_id", patch.external_id.as_ref().map(|id| json!(id)));
    let custom: Vec<Json> =
        patch.custom_fields.iter().map(|(id, value)| json!({ "id": id, "value": value })).collect();
    put("custom_fields", (!custom.is_empty()).then(|| Json::Array(custom)));
    ticket
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::UserId;

    #[test]
    fn only_what_is_named_is_sent_and_clearing_is_null() {
        let patch = TicketPatch {
            priority: Some(None),
            assignee: Some(Some(UserId(7))),
            due_at: Some(None),
            custom_fields: [(9, Json::Null)].into(),
            comment: Some(NewTicketComment { body: "hi".into(), ..Default::default() }),
            ..Default::default()
        };
        let expected = json!({"ticket": {
            "priority": null, "assignee_id": 7, "due_at": null,
            "custom_fields": [{"id": 9, "value": null}],
            "comment": {"body": "hi", "public": false},
            "metadata": {"deskup_effect": "e1"},
            "updated_stamp": "2026-01-01T00:00:00Z", "safe_update": true,
        }});
        assert_eq!(update(&patch, "e1", Some("2026-01-01T00:00:00Z")), expected);
        assert_eq!(
            update(&TicketPatch::default(), "e", None),
            json!({"ticket": {"metadata": {"deskup_effect": "e"}}})
        );
    }
}
