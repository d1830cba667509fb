//! From ClickUp's shapes to the domain's. What cannot be a record is `None`; what is merely odd stays.

use domain::{
    Attachment, Author, Comment, ListId, ListInfo, Person, Side, Task, TaskId, Timestamp, UserId, Visibility,
};
use serde_json::Value as Json;

use super::types::{ClickupFieldDef, ClickupWebhook};
use crate::transport::Secret;
use crate::wire::clickup as wire;
use crate::wire::{Field, Num};

pub(crate) fn task(wire: wire::Task) -> Option<Task> {
    let (status, status_type) = match wire.status.take() {
        Some(status) => (status.status.take()?, status.kind.take().unwrap_or_default()),
        None => return None,
    };
    let description = match wire.description.take() {
        Some(description) => description,
        None => wire.text_content.take().unwrap_or_default(),
    };
    Some(Task {
        id: TaskId::new(wire.id.take()?).ok()?,
        name: wire.name.take().unwrap_or_default(),
        description,
        status,
        status_type,
        priority: wire.priority.take().and_then(priority),
        assignees: wire.assignees.items().iter().filter_map(|user| user.id.number()).map(UserId).collect(),
        tags: wire.tags.into_items().into_iter().filter_map(|tag| tag.name.take()).collect(),
        custom_fields: wire.custom_fields.into_items().into_iter().filter_map(custom_field).collect(),
        due_date: time(&wire.due_date),
        due_date_time: wire.due_date_time.get().copied().unwrap_or(false),
        list: ListId::new(wire.list.take()?.id.written()?).ok()?,
        creator: wire.creator.take().and_then(|user| user.id.number()).map_or(UserId(0), UserId),
        created: time(&wire.date_created).unwrap_or_default(),
        updated: time(&wire.date_updated).unwrap_or_default(),
        archived: wire.archived.get().copied().unwrap_or(false),
        public: wire.sharing.take().and_then(|sharing| sharing.public.take()).unwrap_or(false),
        attachments: wire.attachments.into_items().into_iter().filter_map(attachment).collect(),
        url: wire.url.take().unwrap_or_default(),
        parent: wire.parent.take().and_then(|parent| TaskId::new(parent).ok()),
    })
}

/// Tasks of a page, with the ids of those that are none.
pub(crate) fn tasks(wires: Vec<wire::Task>, unreadable: &mut Vec<String>) -> Vec<Task> {
    let mut tasks = Vec::with_capacity(wires.len());
    for wire in wires {
        let id = wire.id.text().to_owned();
        match task(wire) {
            Some(task) => tasks.push(task),
            None => unreadable.push(if id.is_empty() { "?".to_owned() } else { id }),
        }
    }
    tasks
}

fn priority(wire: wire::Priority) -> Option<u8> {
    let object = match wire {
        wire::Priority::Plain(number) => return number.number().and_then(|number| u8::try_from(number).ok()),
        wire::Priority::Object(object) => object,
    };
    let number = object.id.number().or_else(|| object.orderindex.number());
    let by_name = || match object.priority.text() {
        "urgent" => Some(1),
        "high" => Some(2),
        "normal" => Some(3),
        "low" => Some(4),
        _ => None,
    };
    number.and_then(|number| u8::try_from(number).ok()).or_else(by_name)
}

/// A field that is set, by id. A drop-down answers the position of its option; its id is what can be
/// written and what webhooks say, so that is what the domain sees.
fn custom_field(wire: wire::CustomField) -> Option<(String, Json)> {
    let id = wire.id.take()?;
    let value = wire.value.take().filter(|value| !value.is_null())?;
    if wire.kind.text() != "drop_down" {
        return Some((id, value));
    }
    let options = wire.type_config.take().map(|config| config.options.into_items()).unwrap_or_default();
    Some((id, option_id(&options, &value).map_or(value, Json::String)))
}

fn option_id(options: &[wire::FieldOption], value: &Json) -> Option<String> {
    let by_id = value.as_str().and_then(|text| options.iter().find(|option| option.id.text() == text));
    if let Some(option) = by_id {
        return option.id.get().cloned();
    }
    let index = match value {
        Json::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|float| float as i64)),
        Json::String(text) => text.parse().ok(),
        _ => None,
    }?;
    options.iter().find(|option| option.orderindex.number() == Some(index))?.id.get().cloned()
}

fn attachment(wire: wire::Attachment) -> Option<Attachment> {
    Some(Attachment {
        id: wire.id.take()?,
        name: wire.title.take().unwrap_or_default(),
        size_bytes: wire.size.id(),
        content_type: wire.mimetype.take(),
        url: wire.url.take()?,
        created: time(&wire.date),
        user: wire.user.take().and_then(|user| user.id.number()).map(UserId),
    })
}

/// The id of an attachment just made; its answer has less than a task's list.
pub(crate) fn attachment_id(wire: wire::Attachment) -> Option<String> {
    wire.id.take()
}

pub(crate) fn comment(wire: wire::Comment) -> Option<Comment> {
    let author = wire.user.take().unwrap_or_default();
    Some(Comment {
        side: Side::Clickup,
        id: wire.id.written()?,
        author: Author {
            id: UserId(author.id.number().unwrap_or(0)),
            name: author.username.take().unwrap_or_default(),
        },
        // ClickUp has no such flag.
        visibility: Visibility::Internal,
        body: wire.comment_text.take().unwrap_or_default(),
        created: time(&wire.date).unwrap_or_default(),
        attachments: Vec::new(),
        custom_metadata: None,
    })
}

pub(crate) fn person(wire: wire::User) -> Person {
    let role = match wire.role.number() {
        Some(1) => "owner".to_owned(),
        Some(2) => "admin".to_owned(),
        Some(3) => "member".to_owned(),
        Some(4) => "guest".to_owned(),
        _ => wire.role.written().unwrap_or_default(),
    };
    Person {
        id: wire.id.number().map(UserId),
        name: wire.username.take().unwrap_or_default(),
        email: wire.email.take().map(|email| email.to_lowercase()).filter(|email| !email.is_empty()),
        role,
        active: true,
        groups: Default::default(),
    }
}

pub(crate) fn list(wire: wire::List) -> Option<ListInfo> {
    let statuses = wire.statuses.into_items().into_iter();
    Some(ListInfo {
        id: ListId::new(wire.id.written()?).ok()?,
        name: wire.name.take().unwrap_or_default(),
        space: wire.space.take().and_then(|space| space.id.written()).unwrap_or_default(),
        statuses: statuses
            .filter_map(|status| Some((status.status.take()?, status.kind.take().unwrap_or_default())))
            .collect(),
    })
}

pub(crate) fn field(wire: wire::CustomField) -> Option<ClickupFieldDef> {
    let options = wire.type_config.take().map(|config| config.options.into_items()).unwrap_or_default();
    Some(ClickupFieldDef {
        id: wire.id.take()?,
        name: wire.name.take().unwrap_or_default(),
        kind: wire.kind.take().unwrap_or_default(),
        options: options
            .into_iter()
            .filter_map(|option| {
                let name = option.name.take().or_else(|| option.label.take());
                Some((option.id.take()?, name.unwrap_or_default()))
            })
            .collect(),
    })
}

pub(crate) fn webhook(wire: wire::Webhook) -> Option<ClickupWebhook> {
    let health = wire.health.take().unwrap_or_default();
    Some(ClickupWebhook {
        id: wire.id.take()?,
        endpoint: wire.endpoint.take().unwrap_or_default(),
        events: wire.events.into_items(),
        status: health.status.take().unwrap_or_default(),
        fail_count: health.fail_count.number().unwrap_or(0),
        secret: wire.secret.take().map(Secret::new),
    })
}

fn time(ms: &Field<Num>) -> Option<Timestamp> {
    ms.number().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with(extra: Json) -> Task {
        let mut body =
            json!({"id": "9hx", "status": {"status": "to do", "type": "open"}, "list": {"id": "1"}});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        task(serde_json::from_value(body).unwrap()).unwrap()
    }

    #[test]
    fn a_drop_down_becomes_the_id_of_its_option_and_unset_fields_are_absent() {
        let options = json!({"options": [{"id": "o-a", "orderindex": 0}, {"id": "o-b", "orderindex": "1"}]});
        let field = |id: &str, value: Json| json!({"id": id, "type": "drop_down", "type_config": options, "value": value});
        let read = with(json!({"custom_fields": [
            field("f0", json!(0)), field("f1", json!("1")), field("f2", json!("o-b")), field("f3", json!(9)),
            field("f4", Json::Null), {"id": "f5", "type": "drop_down", "type_config": options},
            {"id": "f6", "type": "labels", "value": ["x", "y"]}, {"id": "f7", "type": "number", "value": "8"},
        ]}));
        let expected = json!({"f0": "o-a", "f1": "o-b", "f2": "o-b", "f3": 9, "f6": ["x", "y"], "f7": "8"});
        assert_eq!(json!(read.custom_fields), expected);
    }

    #[test]
    fn a_null_priority_is_none_and_every_form_of_it_is_read() {
        for (priority, expected) in [
            (Json::Null, None),
            (json!({"id": "2", "priority": "high"}), Some(2)),
            (json!({"orderindex": "4"}), Some(4)),
            (json!({"priority": "urgent"}), Some(1)),
            (json!({}), None),
            (json!(3), Some(3)),
        ] {
            assert_eq!(with(json!({"priority": priority})).priority, expected, "{priority}");
        }
    }

    #[test]
    fn times_and_ids_come_as_text_or_number() {
        let read = with(json!({"date_updated": "1642736073330", "due_date": 5, "creator": {"id": "-7"}}));
        assert_eq!(
            (read.updated.ms(), read.due_date, read.creator),
            (1_642_736_073_330, Some(Timestamp(5)), UserId(-7))
        );
        assert!(!read.public && !read.archived);
    }
}
