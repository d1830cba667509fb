//! Custom fields and their bond with tags: an option of a drop-down is a tag on the ticket, and the other way round.

use serde_json::Value;

use super::refusal::Refusal;
use super::rows::*;
use super::state::State;
use crate::clock::parse_iso;

/// Sets the fields a body names, `[{"id":…,"value":…}]`. Fields that do not exist are dropped silently.
pub(super) fn set_all(
    state: &State,
    row: &mut TicketRow,
    values: &Value,
    dropped: &mut Vec<String>,
) -> Result<(), Refusal> {
    for entry in values.as_array().into_iter().flatten() {
        let id = entry.get("id").and_then(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()));
        let Some(field) = id.and_then(|id| state.fields.get(&id)) else {
            dropped.push(format!("ticket.custom_fields.{}", id.unwrap_or_default()));
            continue;
        };
        let value = normal(field, entry.get("value").unwrap_or(&Value::Null))?;
        set_one(row, field, value);
    }
    row.tags.sort_unstable();
    row.tags.dedup();
    Ok(())
}

/// Makes drop-down fields follow the tags after the tags were set.
pub(super) fn couple_tags(state: &State, row: &mut TicketRow) {
    for (id, value) in &mut row.custom {
        match value {
            Value::String(tag)
                if state.option_tags.get(tag.as_str()) == Some(id)
                    && !row.tags.iter().any(|have| **have == *tag.as_str()) =>
            {
                *value = Value::Null;
            }
            Value::Array(tags) => {
                tags.retain(|tag| row.tags.iter().any(|have| Some(&**have) == tag.as_str()));
                if tags.is_empty() {
                    *value = Value::Null;
                }
            }
            _ => {}
        }
    }
    row.custom.retain(|(_, value)| !value.is_null());
    let options = row.tags.iter().filter_map(|tag| Some((tag, state.option_tags.get(tag)?)));
    for (tag, &id) in options {
        let kind = state.fields.get(&id).map(|field| field.kind);
        let present = row.custom.iter_mut().find(|(field, _)| *field == id);
        match (kind, present) {
            (Some(FieldKind::Multiselect), Some((_, Value::Array(tags))))
                if !tags.iter().any(|have| have.as_str() == Some(tag)) =>
            {
                tags.push(Value::String(tag.to_string()));
                tags.sort_unstable_by(|a, b| a.as_str().cmp(&b.as_str()));
            }
            (Some(FieldKind::Multiselect), None) => {
                row.custom.push((id, Value::Array(vec![Value::String(tag.to_string())])));
            }
            // Of two options of one drop-down the one that was there stays.
            (Some(_), None) => row.custom.push((id, Value::String(tag.to_string()))),
            _ => {}
        }
    }
}

fn set_one(row: &mut TicketRow, field: &FieldRow, value: Value) {
    let is_option = |tag: &str| field.options.iter().any(|(option, _)| **option == *tag);
    row.tags.retain(|tag| !is_option(tag));
    match &value {
        Value::String(tag) if field.kind == FieldKind::Tagger => row.tags.push(tag.as_str().into()),
        Value::Array(tags) => row.tags.extend(tags.iter().filter_map(Value::as_str).map(Into::into)),
        _ => {}
    }
    row.custom.retain(|(id, _)| *id != field.id);
    if !value.is_null() && value != Value::Bool(false) {
        row.custom.push((field.id, value));
    }
}

/// A value as the service keeps it: numbers as texts, dates as dates, options by their tags.
fn normal(field: &FieldRow, value: &Value) -> Result<Value, Refusal> {
    let refused = || {
        let said = format!("{}: is invalid", field.title);
        Refusal::invalid("base", &said, "InvalidValue")
    };
    let option = |tag: &str| field.options.iter().any(|(option, _)| **option == *tag);
    Ok(match (field.kind, value) {
        (_, Value::Null) => Value::Null,
        (FieldKind::Checkbox, value) => Value::Bool(match value {
            Value::Bool(ticked) => *ticked,
            Value::String(text) => matches!(text.as_str(), "1" | "true"),
            _ => return Err(refused()),
        }),
        (_, Value::String(text)) if text.is_empty() => Value::Null,
        (FieldKind::Multiselect, Value::Array(tags)) => {
            let mut tags: Vec<&str> = tags.iter().filter_map(Value::as_str).collect();
            if !tags.iter().all(|tag| option(tag)) {
                return Err(refused());
            }
            tags.sort_unstable();
            tags.dedup();
            if tags.is_empty() { Value::Null } else { tags.into() }
        }
        (FieldKind::Tagger, Value::String(tag)) if option(tag) => value.clone(),
        (FieldKind::Integer, value) => number::<i64>(value).ok_or_else(refused)?,
        (FieldKind::Decimal, value) => number::<f64>(value).ok_or_else(refused)?,
        (FieldKind::Date, Value::String(text)) => {
            let day = text.get(..10).filter(|_| parse_iso(text).is_some());
            day.map(Value::from).ok_or_else(refused)?
        }
        (FieldKind::Text | FieldKind::Textarea, Value::String(text)) => super::text::unix_lines(text).into(),
        (FieldKind::Text | FieldKind::Textarea, Value::Number(number)) => number.to_string().into(),
        _ => return Err(refused()),
    })
}

/// Numbers come back as the text they were.
fn number<T: std::str::FromStr>(value: &Value) -> Option<Value> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    text.parse::<T>().ok().map(|_| text.into())
}

/// Sets values without asking whether they are allowed: seeding.
pub(super) fn seed(state: &State, row: &mut TicketRow, values: Vec<(u64, Value)>) {
    for (id, value) in values {
        if let Some(field) = state.fields.get(&id) {
            let value = normal(field, &value).unwrap_or_default();
            set_one(row, field, value);
        }
    }
    row.tags.sort_unstable();
    row.tags.dedup();
}
