//! The difference between two versions of a ticket, told in the three languages that want to know: audits, webhook
//! events and the change log.

use serde_json::{Value, json};

use super::events::{changed, text, upper};
use super::rows::*;
use super::state::State;
use super::tx::Told;
use crate::clock::iso_seconds;

/// One changed field.
pub(super) struct Difference {
    /// The field's name in audits.
    pub audit: Box<str>,
    pub value: Datum,
    pub previous: Datum,
    /// The field's name in the change log.
    pub log: String,
    pub before: Value,
    pub after: Value,
    pub told: Option<Told>,
}

/// What differs, field by field, in the order audits list them.
pub(super) fn between(state: &State, old: &TicketRow, new: &TicketRow) -> Vec<Difference> {
    let mut out = Vec::new();
    plain(old, new, &mut out);
    ids(old, new, &mut out);
    tags(old, new, &mut out);
    custom(state, old, new, &mut out);
    out
}

/// A ticket that has nothing yet: what a new one is compared with.
pub(super) fn blank(of: &TicketRow) -> TicketRow {
    TicketRow {
        subject: None,
        priority: None,
        kind: None,
        due_ms: None,
        tags: Vec::new(),
        custom: Vec::new(),
        assignee: None,
        group: None,
        organization: None,
        external_id: None,
        ..of.clone()
    }
}

fn plain(old: &TicketRow, new: &TicketRow, out: &mut Vec<Difference>) {
    if old.subject != new.subject {
        let (before, after) = (json!(old.subject), json!(new.subject));
        push(out, "subject", "title", before, after, Some("ticket.subject_changed"));
    }
    if old.status != new.status {
        let (before, after) = (old.status.as_str(), new.status.as_str());
        let told = changed(upper(after).into(), upper(before).into());
        push_told(
            out,
            "status",
            "status",
            before.into(),
            after.into(),
            Some(("ticket.status_changed", told)),
        );
    }
    if old.custom_status != new.custom_status {
        let (before, after) = (old.custom_status, new.custom_status);
        let told = changed(after.to_string().into(), before.to_string().into());
        let told = Some(("ticket.custom_status_changed", told));
        push_told(out, "custom_status_id", "custom_status", before.into(), after.into(), told);
    }
    if old.priority != new.priority {
        let (before, after) = (old.priority.map(Priority::as_str), new.priority.map(Priority::as_str));
        let told = changed(json!(after.map(upper)), json!(before.map(upper)));
        let told = Some(("ticket.priority_changed", told));
        push_told(out, "priority", "priority", json!(before), json!(after), told);
    }
    if old.kind != new.kind {
        let (before, after) = (old.kind.map(Kind::as_str), new.kind.map(Kind::as_str));
        let told = changed(json!(after.map(upper)), json!(before.map(upper)));
        push_told(out, "type", "type", json!(before), json!(after), Some(("ticket.type_changed", told)));
    }
    if old.due_ms != new.due_ms {
        let (before, after) = (json!(old.due_ms.map(iso_seconds)), json!(new.due_ms.map(iso_seconds)));
        push(out, "due_at", "due", before, after, Some("ticket.task_due_at_changed"));
    }
    if old.external_id != new.external_id {
        let (before, after) = (json!(old.external_id), json!(new.external_id));
        push(out, "external_id", "external_id", before, after, Some("ticket.external_id_changed"));
    }
}

fn ids(old: &TicketRow, new: &TicketRow, out: &mut Vec<Difference>) {
    let signed = [
        ("requester_id", "requester", "ticket.requester_changed", Some(old.requester), Some(new.requester)),
        ("assignee_id", "assignee", "ticket.agent_assignment_changed", old.assignee, new.assignee),
    ];
    for (audit, log, event, before, after) in signed {
        if before != after {
            let told = Some((event, changed(text(after), text(before))));
            push_told(out, audit, log, json!(before), json!(after), told);
        }
    }
    let unsigned = [
        ("group_id", "group", "ticket.group_assignment_changed", old.group, new.group),
        (
            "organization_id",
            "organization",
            "ticket.organization_changed",
            old.organization,
            new.organization,
        ),
        ("ticket_form_id", "form", "ticket.form_changed", Some(old.form), Some(new.form)),
    ];
    for (audit, log, event, before, after) in unsigned {
        if before != after {
            let told = Some((event, changed(text(after), text(before))));
            push_told(out, audit, log, json!(before), json!(after), told);
        }
    }
}

fn tags(old: &TicketRow, new: &TicketRow, out: &mut Vec<Difference>) {
    if old.tags == new.tags {
        return;
    }
    let added: Vec<_> = new.tags.iter().filter(|tag| !old.tags.contains(tag)).collect();
    let removed: Vec<_> = old.tags.iter().filter(|tag| !new.tags.contains(tag)).collect();
    let told = json!({"tags_added": added, "tags_removed": removed});
    out.push(Difference {
        audit: "tags".into(),
        value: Datum::List(new.tags.clone()),
        previous: Datum::List(old.tags.clone()),
        log: "tags".to_owned(),
        before: json!(old.tags),
        after: json!(new.tags),
        told: Some(("ticket.tags_changed", told)),
    });
}

fn custom(state: &State, old: &TicketRow, new: &TicketRow, out: &mut Vec<Difference>) {
    for field in state.fields.values() {
        let (before, after) = (custom_value(old, field.id), custom_value(new, field.id));
        if before == after {
            continue;
        }
        let told = json!({
            "current": {"value": after},
            "previous": {"value": before},
            "custom_field": {
                "id": field.id.to_string(),
                "title": field.title,
                "type": field.kind.as_str(),
            },
        });
        out.push(Difference {
            audit: field.id.to_string().into(),
            value: Datum::of_value(after),
            previous: Datum::of_value(before),
            log: format!("custom:{}", field.id),
            before: before.clone(),
            after: after.clone(),
            told: Some(("ticket.custom_field_changed", told)),
        });
    }
}

/// A custom field's value; null when it has none.
pub(super) fn custom_value(row: &TicketRow, field: u64) -> &Value {
    row.custom.iter().find(|(id, _)| *id == field).map_or(&Value::Null, |(_, value)| value)
}

fn push(
    out: &mut Vec<Difference>,
    audit: &str,
    log: &str,
    before: Value,
    after: Value,
    event: Option<&'static str>,
) {
    let told = event.map(|event| (event, changed(after.clone(), before.clone())));
    push_told(out, audit, log, before, after, told);
}

fn push_told(
    out: &mut Vec<Difference>,
    audit: &str,
    log: &str,
    before: Value,
    after: Value,
    told: Option<Told>,
) {
    out.push(Difference {
        audit: audit.into(),
        value: Datum::of_value(&after),
        previous: Datum::of_value(&before),
        log: log.to_owned(),
        before,
        after,
        told,
    });
}
