//! Values as webhooks and audits spell them, turned into the forms that bases have. They prove who changed
//! a field and what was there before; what is there now is always read from the record itself.

use serde_json::Value as Json;

use crate::field::{FieldKey, Value};
use crate::footer;
use crate::ids::{ListId, Side, Timestamp, UserId};
use crate::lens::blank::{blank_task, blank_ticket};
use crate::lens::due_date::Days;
use crate::lens::text::{lines, one_line};
use crate::lens::text_value;
use crate::mapping::Mapping;

/// A member of an audit (`field_name`, and `value` or `previous_value`) as a field and its value in the
/// form of a base. `None` for what is no mapped field. Audits spell ids as texts.
pub fn zendesk_audit(field_name: &str, value: &Json, mapping: &Mapping) -> Option<(FieldKey, Value)> {
    let text = match value {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        Json::Bool(on) => on.to_string(),
        _ => String::new(),
    };
    let key = match field_name {
        "subject" => FieldKey::Title,
        "status" => FieldKey::Status,
        "priority" => FieldKey::Priority,
        "assignee_id" => FieldKey::Assignee,
        "tags" | "current_tags" => FieldKey::Tags,
        "due_at" => FieldKey::DueDate,
        id => {
            let id = id.strip_prefix("custom_fields_").unwrap_or(id);
            let field = mapping.custom_field(Side::Zendesk, id)?;
            let mut ticket = blank_ticket();
            ticket.custom_fields.insert(id.parse().ok()?, value.clone());
            return Some((field.key.clone(), field.lens.zendesk(&ticket)));
        }
    };
    let field = mapping.field(&key)?;
    let mut ticket = blank_ticket();
    match key {
        FieldKey::Title => ticket.subject = Some(text),
        FieldKey::Status => ticket.status = text,
        FieldKey::Priority => ticket.priority = Some(text),
        FieldKey::Assignee => ticket.assignee = text.parse().ok().map(UserId),
        FieldKey::Tags => {
            ticket.tags = match value {
                Json::Array(tags) => tags.iter().filter_map(|tag| tag.as_str()).map(str::to_owned).collect(),
                _ => text.split_whitespace().map(str::to_owned).collect(),
            }
        }
        _ => ticket.due_at = Timestamp::parse_rfc3339(&text),
    }
    Some((key, field.lens.zendesk(&ticket)))
}

/// What a ClickUp history item proves about a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClickupChange {
    /// Which field.
    pub field: FieldKey,
    /// The value before, where the item says it whole (people and tags come one by one).
    pub before: Option<Value>,
    /// The value after, where the item says it whole.
    pub after: Option<Value>,
    /// The person who was added or taken away, where the item says that instead.
    pub member: Option<Member>,
}

/// One member of a set came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// It was added.
    Came(String),
    /// It was taken away.
    Went(String),
}

impl std::fmt::Display for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Member::Came(member) => write!(f, "+{member}"),
            Member::Went(member) => write!(f, "-{member}"),
        }
    }
}

impl std::str::FromStr for Member {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let came = text.strip_prefix('+').map(|member| Member::Came(member.to_owned()));
        came.or_else(|| text.strip_prefix('-').map(|member| Member::Went(member.to_owned())))
            .ok_or_else(|| "a member neither came nor went".to_owned())
    }
}

/// Reads one entry of a webhook's `history_items`; `None` for what is no mapped field.
pub fn clickup_history(item: &Json, mapping: &Mapping) -> Option<ClickupChange> {
    let name = item.get("field")?.as_str()?;
    let null = Json::Null;
    let (before_json, after_json) = (item.get("before").unwrap_or(&null), item.get("after").unwrap_or(&null));
    let (before, after) = (before_json, after_json);
    let days = Days { offset_minutes: mapping.settings().utc_offset_minutes };
    let (field, before, after) = match name {
        "name" => (FieldKey::Title, Some(plain(before)), Some(plain(after))),
        "status" => {
            let status = |value: &Json| Some(Value::Text(value.get("status")?.as_str()?.to_lowercase()));
            (FieldKey::Status, status(before), status(after))
        }
        "priority" => {
            let priority = |value: &Json| {
                let number = value.get("id").or_else(|| value.get("orderindex")).and_then(Json::as_str);
                Some(text_value(number.unwrap_or_default()))
            };
            (FieldKey::Priority, priority(before), priority(after))
        }
        "due_date" => {
            let data = |member: &str| item.pointer(&format!("/data/{member}")).and_then(Json::as_bool);
            let date = |value: &Json, time: Option<bool>| {
                let ms = value.as_i64().or_else(|| value.as_str()?.parse().ok());
                Some(match (ms, time.unwrap_or(false)) {
                    (None, _) => Value::Null,
                    (Some(ms), true) => Value::Date(ms),
                    (Some(ms), false) => Value::Text(days.day(ms)),
                })
            };
            (FieldKey::DueDate, date(before, data("old_due_date_time")), date(after, data("due_date_time")))
        }
        "content" | "description" => (FieldKey::Description, description(before), description(after)),
        "assignee_add" | "assignee_rem" | "assignee" => (FieldKey::Assignee, None, None),
        "tag" | "tag_removed" => (FieldKey::Tags, None, None),
        "custom_field" => {
            let id = item.pointer("/custom_field/id")?.as_str()?;
            let mapped = mapping.custom_field(Side::Clickup, id)?;
            let read = |value: &Json| {
                let mut task = blank_task(ListId::placeholder());
                if !value.is_null() {
                    task.custom_fields.insert(id.to_owned(), value.clone());
                }
                Some(mapped.lens.clickup(&task))
            };
            (mapped.key.clone(), read(before), read(after))
        }
        _ => return None,
    };
    mapping.field(&field)?;
    let person =
        |value: &Json| value.get("id").map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
    let member = match name {
        "assignee_add" => person(after_json).map(Member::Came),
        "assignee_rem" => person(before_json).map(Member::Went),
        _ => None,
    };
    Some(ClickupChange { field, before, after, member })
}

fn plain(value: &Json) -> Value {
    text_value(&one_line(value.as_str().unwrap_or_default()))
}

/// A description in a history item is the JSON text of a Quill delta; an odd one proves nothing.
fn description(value: &Json) -> Option<Value> {
    let text = match value {
        Json::Null => String::new(),
        Json::String(text) if text.trim_start().starts_with('{') => {
            let delta: Json = serde_json::from_str(text).ok()?;
            let inserts = delta.get("ops")?.as_array()?.iter().filter_map(|op| op.get("insert")?.as_str());
            inserts.collect()
        }
        Json::String(text) => text.clone(),
        _ => return None,
    };
    Some(text_value(&lines(&footer::strip(&text))))
}
