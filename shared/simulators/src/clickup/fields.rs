//! Custom fields: written in one form, stored in another, read in a third. One call sets one field.

use serde_json::{Value, json};

use super::create::{ids, object};
use super::model::{Field, Task};
use super::refusal::{self, Refusal};
use super::text;
use super::tx::Tx;
use crate::http_text::{self, Answer, Call};

/// `POST /task/{task_id}/field/{field_id}`.
pub(super) fn set(tx: &mut Tx<'_>, call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let body = object(call)?;
    let task = tx.task(&path[0])?.clone();
    let field = find(tx, &task, &path[1])?;
    if !applies(&field, task.custom_item) {
        return Err(refusal::FIELD_NOT_APPLICABLE);
    }
    if body.get("value").is_none() {
        return Err(refusal::FIELD_VALUE_INVALID);
    }
    let value = parse(tx, &field, &body, task.values.get(&field.id))?;
    store(tx, task, &field, value);
    Ok(http_text::json(200, &json!({})))
}

/// `DELETE /task/{task_id}/field/{field_id}`.
pub(super) fn clear(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let task = tx.task(&path[0])?.clone();
    let field = find(tx, &task, &path[1])?;
    store(tx, task, &field, None);
    Ok(http_text::json(200, &json!({})))
}

fn find(tx: &Tx<'_>, task: &Task, id: &str) -> Result<Field, Refusal> {
    tx.state.fields_of(&task.list).find(|field| field.id == id).cloned().ok_or(refusal::FIELD_UNKNOWN)
}

fn store(tx: &mut Tx<'_>, mut task: Task, field: &Field, value: Option<Value>) {
    let before = task.values.remove(&field.id);
    if before == value {
        return;
    }
    let (told_before, told_after) = (before.unwrap_or_default(), value.clone().unwrap_or_default());
    task.values.extend(value.map(|value| (field.id.clone(), value)));
    tx.note(&task.id, &format!("custom:{}", field.id), told_before.clone(), told_after.clone());
    tx.save(task.clone());
    tx.tell_field(&task, field, told_before, told_after);
}

/// Whether a field is there for tasks of this type.
pub(super) fn applies(field: &Field, custom_item: i64) -> bool {
    field.items.as_ref().is_none_or(|items| items.contains(&custom_item))
}

/// The `value` of a body as it is stored; `None` clears. `before` is what the task has.
///
/// An empty text clears too; no source says so.
pub(super) fn parse(
    tx: &Tx<'_>,
    field: &Field,
    body: &Value,
    before: Option<&Value>,
) -> Result<Option<Value>, Refusal> {
    let value = &body["value"];
    if value.is_null() {
        return Ok(None);
    }
    let stored = match field.kind.as_str() {
        "number" | "currency" => number(value).map(|number| json!(number.to_string())),
        "date" => integer(value).map(|ms| {
            let with_time = body["value_options"]["time"].as_bool().unwrap_or(false);
            json!((if with_time { ms } else { tx.day(ms) }).to_string())
        }),
        "checkbox" => match value {
            Value::Bool(set) => Some(json!(set.to_string())),
            Value::String(set) if set == "true" || set == "false" => Some(json!(set)),
            _ => None,
        },
        "drop_down" => return option(field, value).map(Some).ok_or(refusal::NOT_AN_OPTION),
        "labels" => {
            let wanted = value.as_array().ok_or(refusal::FIELD_VALUE_INVALID)?;
            let found: Option<Vec<Value>> = wanted.iter().map(|value| option(field, value)).collect();
            let found = found.ok_or(refusal::NOT_AN_OPTION)?;
            return Ok((!found.is_empty()).then(|| json!(found)));
        }
        "users" => return Ok(Some(users(value, before)).filter(|people| people != &json!([]))),
        "emoji" => integer(value).map(|count| json!(count)),
        "phone" => {
            value.as_str().filter(|text| text.is_empty() || text.starts_with('+')).map(|text| json!(text))
        }
        "manual_progress" | "location" => value.is_object().then(|| value.clone()),
        // The rest is text: short_text, text, url, email.
        _ => value.as_str().map(|value| json!(text::unix_lines(value))),
    };
    let stored = stored.ok_or(refusal::FIELD_VALUE_INVALID)?;
    Ok(Some(stored).filter(|value| value != ""))
}

/// An option by its UUID or its position, as its UUID.
fn option(field: &Field, value: &Value) -> Option<Value> {
    let by_id = field.options.iter().find(|option| json!(option.id) == *value);
    let by_index = || field.options.get(usize::try_from(value.as_u64()?).ok()?);
    by_id.or_else(by_index).map(|option| json!(option.id))
}

fn users(change: &Value, before: Option<&Value>) -> Value {
    let mut people = before.map(ids).unwrap_or_default();
    let rem = ids(&change["rem"]);
    people.retain(|id| !rem.contains(id));
    for id in ids(&change["add"]) {
        if !people.contains(&id) {
            people.push(id);
        }
    }
    json!(people)
}

fn number(value: &Value) -> Option<serde_json::Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

/// A whole number, also when it is sent as text.
pub(super) fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}
