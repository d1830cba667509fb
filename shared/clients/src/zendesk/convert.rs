//! From Zendesk's shapes to the domain's. What cannot be a record is `None`; what is merely odd stays.

use std::collections::BTreeMap;

use domain::triggers::{Action, Condition, Trigger};
use domain::{Attachment, Author, Comment, Person, Side, Ticket, TicketId, Timestamp, UserId, Visibility};
use serde_json::Value as Json;

use super::types::{
    Audit, AuditChange, CustomStatus, Invocation, JobResult, JobStatus, TicketEvent, TicketField, Upload,
    ZendeskWebhook,
};
use crate::wire::zendesk as wire;
use crate::wire::{Field, Num};

/// Names of authors by id, from side-loads.
pub(crate) type Names = BTreeMap<i64, String>;

pub(crate) fn ticket(wire: wire::Ticket) -> Option<Ticket> {
    let updated_stamp = wire.updated_at.text().to_owned();
    Some(Ticket {
        id: TicketId::new(wire.id.id()?).ok()?,
        subject: wire.subject.take(),
        description: wire.description.take().unwrap_or_default(),
        status: wire.status.take()?,
        custom_status_id: wire.custom_status_id.id(),
        priority: wire.priority.take(),
        ticket_type: wire.kind.take(),
        assignee: user_id(&wire.assignee_id),
        group: wire.group_id.id(),
        requester: user_id(&wire.requester_id),
        organization: wire.organization_id.id(),
        form: wire.ticket_form_id.id(),
        brand: wire.brand_id.id(),
        tags: wire.tags.into_items().into_iter().collect(),
        custom_fields: wire
            .custom_fields
            .into_items()
            .into_iter()
            .filter_map(|field| Some((field.id.id()?, field.value.take().unwrap_or(Json::Null))))
            .collect(),
        due_at: time(&wire.due_at),
        external_id: wire.external_id.written(),
        // Unknown means internal.
        is_public: wire.is_public.get().copied().unwrap_or(false),
        created: time(&wire.created_at).unwrap_or_default(),
        updated: Timestamp::parse_rfc3339(&updated_stamp)?,
        updated_stamp,
    })
}

/// Tickets of a page, with the ids of those that are none.
pub(crate) fn tickets(wires: Vec<wire::Ticket>, unreadable: &mut Vec<String>) -> Vec<Ticket> {
    let mut tickets = Vec::with_capacity(wires.len());
    for wire in wires {
        let id = wire.id.written();
        match ticket(wire) {
            Some(ticket) => tickets.push(ticket),
            None => unreadable.push(id.unwrap_or_else(|| "?".to_owned())),
        }
    }
    tickets
}

pub(crate) fn person(wire: wire::User) -> Person {
    let suspended = wire.suspended.get().copied().unwrap_or(false);
    Person {
        id: user_id(&wire.id),
        name: wire.name.take().unwrap_or_default(),
        email: wire.email.take().map(|email| email.to_lowercase()).filter(|email| !email.is_empty()),
        role: wire.role.take().unwrap_or_default(),
        active: wire.active.get().copied().unwrap_or(true) && !suspended,
        groups: Default::default(),
    }
}

pub(crate) fn names(users: &[wire::User]) -> Names {
    users.iter().filter_map(|user| Some((user.id.number()?, user.name.text().to_owned()))).collect()
}

pub(crate) fn named(wires: Vec<wire::Named>) -> Vec<(u64, String)> {
    wires.into_iter().filter_map(|one| Some((one.id.id()?, one.name.take().unwrap_or_default()))).collect()
}

pub(crate) fn comment(wire: wire::Comment, names: &Names) -> Option<Comment> {
    let author = UserId(wire.author_id.number().unwrap_or(-1));
    let visibility = match wire.public.get() {
        Some(true) => Visibility::Public,
        _ => Visibility::Internal,
    };
    let body = match wire.body.take() {
        Some(body) => body,
        None => wire.plain_body.take().unwrap_or_default(),
    };
    Some(Comment {
        side: Side::Zendesk,
        id: wire.id.written()?,
        author: Author { id: author, name: names.get(&author.0).cloned().unwrap_or_default() },
        visibility,
        body,
        created: time(&wire.created_at).unwrap_or_default(),
        attachments: wire.attachments.into_items().into_iter().filter_map(attachment).collect(),
        custom_metadata: custom(wire.metadata),
    })
}

fn attachment(wire: wire::Attachment) -> Option<Attachment> {
    // A redacted or deleted file keeps its entry; there is nothing left to fetch.
    if wire.deleted.get() == Some(&true) {
        return None;
    }
    Some(Attachment {
        id: wire.id.written()?,
        name: wire.file_name.take().unwrap_or_default(),
        size_bytes: wire.size.id(),
        content_type: wire.content_type.take(),
        url: wire.content_url.take()?,
        created: None,
        user: None,
    })
}

pub(crate) fn audit(wire: wire::Audit) -> Audit {
    let mut audit = Audit {
        id: wire.id.id().unwrap_or(0),
        author_id: user_id(&wire.author_id),
        created: time(&wire.created_at).unwrap_or_default(),
        custom_metadata: custom(wire.metadata),
        ..Audit::default()
    };
    for event in wire.events.into_items() {
        match event.kind.text() {
            "Comment" | "VoiceComment" => audit.comment_ids.extend(event.id.id()),
            "Change" | "Create" => {
                let Some(field) = event.field_name.written() else { continue };
                audit.changes.push(AuditChange {
                    field,
                    value: event.value.take().unwrap_or(Json::Null),
                    previous: event.previous_value.take().unwrap_or(Json::Null),
                });
            }
            _ => {}
        }
    }
    audit
}

pub(crate) fn ticket_event(wire: wire::TicketEvent) -> Option<TicketEvent> {
    let at = match wire.timestamp.number() {
        Some(seconds) => Timestamp(seconds.checked_mul(1_000)?),
        None => time(&wire.created_at)?,
    };
    let metadata = custom(wire.metadata);
    let comments = wire
        .child_events
        .into_items()
        .into_iter()
        .filter(|child| {
            matches!(child.get("event_type").and_then(Json::as_str), Some("Comment" | "VoiceComment"))
        })
        .map(|child| {
            let child: wire::Comment = serde_json::from_value(child).ok()?;
            let mut comment = comment(child, &Names::new())?;
            if comment.created == Timestamp::default() {
                comment.created = at;
            }
            comment.custom_metadata = comment.custom_metadata.or_else(|| metadata.clone());
            Some(comment)
        })
        // A comment that cannot be read makes the whole entry unreadable: it must not get lost.
        .collect::<Option<Vec<Comment>>>()?;
    Some(TicketEvent {
        ticket: TicketId::new(wire.ticket_id.id()?).ok()?,
        at,
        updater: user_id(&wire.updater_id),
        custom_metadata: metadata,
        comments,
    })
}

pub(crate) fn trigger(wire: wire::Trigger) -> Option<Trigger> {
    let conditions = |wires: Vec<wire::Condition>| {
        let one = |wire: wire::Condition| Condition {
            field: wire.field.take().unwrap_or_default(),
            operator: wire.operator.take().unwrap_or_default(),
            value: wire.value.take().unwrap_or_default(),
        };
        wires.into_iter().map(one).collect()
    };
    let when = wire.conditions.take().unwrap_or_default();
    let action = |wire: wire::Action| Action {
        field: wire.field.take().unwrap_or_default(),
        value: wire.value.take().unwrap_or_default(),
    };
    Some(Trigger {
        id: wire.id.id()?,
        title: wire.title.take().unwrap_or_default(),
        // A trigger that does not say so may fire.
        active: wire.active.get().copied().unwrap_or(true),
        all: conditions(when.all.into_items()),
        any: conditions(when.any.into_items()),
        actions: wire.actions.into_items().into_iter().map(action).collect(),
    })
}

pub(crate) fn job(wire: wire::JobStatus) -> Option<JobStatus> {
    let results = match wire.results.take() {
        Some(Json::Array(results)) => results.iter().map(job_result).collect(),
        // `{"success": true}` for permanent deletion.
        Some(single @ Json::Object(_)) => vec![job_result(&single)],
        _ => Vec::new(),
    };
    Some(JobStatus {
        id: wire.id.take()?,
        status: wire.status.take()?,
        total: wire.total.id(),
        progress: wire.progress.id(),
        results,
    })
}

fn job_result(json: &Json) -> JobResult {
    let error = json.get("error").and_then(Json::as_str).map(|error| error.chars().take(64).collect());
    JobResult {
        index: json.get("index").and_then(Json::as_u64),
        id: json.get("id").and_then(Json::as_u64),
        // Create results carry no flag when they worked.
        success: json.get("success").and_then(Json::as_bool).unwrap_or(error.is_none()),
        error,
    }
}

pub(crate) fn field(wire: wire::TicketField) -> Option<TicketField> {
    let options = match wire.custom_field_options {
        Field::Is(options) => options,
        _ => wire.system_field_options.into_items(),
    };
    Some(TicketField {
        id: wire.id.id()?,
        title: wire.title.take().unwrap_or_default(),
        kind: wire.kind.take().unwrap_or_default(),
        active: wire.active.get().copied().unwrap_or(true),
        options: options
            .into_iter()
            .filter_map(|option| Some((option.value.take()?, option.name.take().unwrap_or_default())))
            .collect(),
    })
}

pub(crate) fn custom_status(wire: wire::CustomStatus) -> Option<CustomStatus> {
    Some(CustomStatus {
        id: wire.id.id()?,
        category: wire.status_category.take()?,
        label: wire.agent_label.take().unwrap_or_default(),
        active: wire.active.get().copied().unwrap_or(true),
        default: wire.default.get().copied().unwrap_or(false),
    })
}

pub(crate) fn upload(wire: wire::Upload) -> Option<Upload> {
    Some(Upload { expires: time(&wire.expires_at), token: wire.token.take()? })
}

pub(crate) fn webhook(wire: wire::Webhook) -> Option<ZendeskWebhook> {
    Some(ZendeskWebhook {
        id: wire.id.take()?,
        name: wire.name.take().unwrap_or_default(),
        endpoint: wire.endpoint.take().unwrap_or_default(),
        status: wire.status.take().unwrap_or_default(),
        subscriptions: wire.subscriptions.into_items(),
    })
}

pub(crate) fn invocation(wire: wire::Invocation) -> Invocation {
    Invocation {
        completed: time(&wire.latest_completed_at),
        status_code: wire.status_code.number(),
        status: wire.status.take().unwrap_or_default(),
    }
}

fn custom(metadata: Field<wire::Metadata>) -> Option<Json> {
    let custom = metadata.take()?.custom.take()?;
    // Zendesk sends `{}` where nobody said anything.
    custom.as_object().is_none_or(|members| !members.is_empty()).then_some(custom)
}

fn user_id(id: &Field<Num>) -> Option<UserId> {
    id.number().map(UserId)
}

fn time(text: &Field<String>) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(text.get()?)
}
