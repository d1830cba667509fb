//! Values as people know them: names for ids, days for numbers, one line for a text.

use domain::{FieldKey, Mapping, Side, UserId, Value};

use crate::query::causes;
use crate::terminal;

/// Longest cell of a table.
const CELL_MAX: usize = 32;

/// A value of a field on one side.
pub fn value(mapping: &Mapping, field: &FieldKey, side: Side, value: &Value) -> String {
    let word = |text: &str| word(mapping, field, side, text);
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::Text(text) if text.is_empty() => "-".to_owned(),
        Value::Text(text) => word(text),
        Value::Set(set) if set.is_empty() => "-".to_owned(),
        Value::Set(set) => set.iter().map(|member| word(member)).collect::<Vec<_>>().join(", "),
        Value::Date(ms) => domain::Timestamp(*ms).to_rfc3339().chars().take(10).collect(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Hash(_) => "(a long text)".to_owned(),
    };
    terminal::cut(&terminal::plain(&text), CELL_MAX)
}

/// A rule with names where it tells of people by number.
pub fn rule(mapping: &Mapping, rule: &str) -> String {
    causes::with_names(rule, |id| {
        let person = id.parse().ok().and_then(|id| mapping.person(Side::Zendesk, UserId(id)));
        person.map(|person| person.name.clone())
    })
}

fn word(mapping: &Mapping, field: &FieldKey, side: Side, text: &str) -> String {
    match field {
        FieldKey::Assignee => {
            let person = text.parse().ok().and_then(|id| mapping.person(side, UserId(id)));
            person.map_or_else(|| text.to_owned(), |person| person.name.clone())
        }
        FieldKey::Custom(_) => option(mapping, side, text).unwrap_or_else(|| text.to_owned()),
        FieldKey::Status => status(mapping, side, text),
        FieldKey::Priority if side == Side::Clickup => priority(text).to_owned(),
        _ => text.to_owned(),
    }
}

/// The name of a drop-down's option.
fn option(mapping: &Mapping, side: Side, id: &str) -> Option<String> {
    let directory = mapping.directory();
    let name = |options: &[(String, String)]| {
        options.iter().find(|(known, _)| known == id).map(|(_, name)| name.clone())
    };
    match side {
        Side::Zendesk => directory.zendesk_fields.values().find_map(|field| name(&field.options)),
        Side::Clickup => directory.clickup_fields.values().find_map(|field| name(&field.options)),
    }
}

/// ClickUp counts priorities.
fn priority(number: &str) -> &str {
    match number {
        "1" => "urgent",
        "2" => "high",
        "3" => "normal",
        "4" => "low",
        other => other,
    }
}

/// A custom status of Zendesk is written `category#id`.
fn status(mapping: &Mapping, side: Side, text: &str) -> String {
    let custom = text.split_once('#').and_then(|(_, id)| id.parse().ok());
    match custom.and_then(|id: u64| mapping.directory().custom_statuses.get(&id)) {
        Some((_, label)) if side == Side::Zendesk => label.clone(),
        _ => text.to_owned(),
    }
}

/// The name of a list.
pub fn list(mapping: &Mapping, list: &domain::ListId) -> String {
    mapping.directory().lists.get(list).map_or_else(|| list.to_string(), |info| info.name.clone())
}
