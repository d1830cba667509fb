//! `POST /list/{id}/task`, and what else makes a task.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::model::{Role, Task};
use super::refusal::{self, Refusal};
use super::rows::Row;
use super::state::{task_id, task_seq};
use super::tx::{Tx, summary};
use super::wire::{self, Parts};
use super::{fields, text};
use crate::http_text::{self, Answer, Call};

/// `POST /list/{list_id}/task`.
pub(super) fn create(tx: &mut Tx<'_>, call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let body = object(call)?;
    let list = tx.list(&path[0])?.id.clone();
    let mut task = Task { list, creator: tx.actor, ..Task::default() };
    task.name = text::name(body["name"].as_str().unwrap_or_default());
    if task.name.is_empty() {
        return Err(refusal::NAME_INVALID);
    }
    set_description(&mut task, &body)?;
    let wanted = match body["status"].as_str() {
        Some(name) => tx.state.status(&task.list, name),
        None => tx.state.lists.get(&task.list).and_then(|list| list.statuses.first()),
    };
    task.status = wanted.ok_or(refusal::STATUS_UNKNOWN)?.status.clone();
    task.priority = priority(&body["priority"])?;
    task.assignees = ids(&body["assignees"]);
    allow_assignees(tx, &task.list, &task.assignees)?;
    if tx.space_of(&task.list).is_some_and(|space| !space.multiple_assignees) {
        task.assignees.truncate(1);
    }
    task.tags = strings(&body["tags"]).map(text::tag).filter(|tag| !tag.is_empty()).collect();
    (task.due_ms, task.due_time) = date(tx, &body, "due_date")?.unwrap_or_default();
    (task.start_ms, task.start_time) = date(tx, &body, "start_date")?.unwrap_or_default();
    task.points = Some(body["points"].clone()).filter(Value::is_number);
    task.time_estimate_ms = body["time_estimate"].as_i64();
    task.custom_item = body["custom_item_id"].as_i64().unwrap_or(0);
    task.archived = body["archived"].as_bool().unwrap_or(false);
    if let Some(parent) = body["parent"].as_str() {
        let parent = tx.task(parent).map_err(|_| refusal::PARENT_INVALID)?;
        if parent.list != task.list {
            return Err(refusal::PARENT_INVALID);
        }
        task.parent = task_seq(&parent.id);
    }
    for entry in body["custom_fields"].as_array().into_iter().flatten() {
        let id = entry["id"].as_str().unwrap_or_default();
        let field =
            tx.state.fields_of(&task.list).find(|field| field.id == id).ok_or(refusal::FIELD_UNKNOWN)?;
        if !fields::applies(field, task.custom_item) {
            // The set call refuses this; here it is silently dropped.
            continue;
        }
        if let Some(value) = fields::parse(tx, field, entry, None)? {
            task.values.insert(id.to_owned(), value);
        }
    }
    let task = add(tx, task, json!({}))?;
    Ok(http_text::json(200, &wire::task(tx.state, tx.options, &task, Parts::default())))
}

/// Gives a task its number and times, stores it and tells of it. `origin` is merged into the log's summary.
pub(super) fn add(tx: &mut Tx<'_>, mut task: Task, origin: Value) -> Result<Task, Refusal> {
    let held = tx.state.by_list.get(&task.list).map_or(0, |orders| orders.created.len());
    if held >= tx.options.list_tasks_max {
        return Err(refusal::LIST_FULL);
    }
    tx.state.counters.task += 1;
    task.seq = tx.state.counters.task;
    task.id = task_id(task.seq);
    task.created_ms = tx.now;
    task.updated_ms = tx.now;
    let delay_ms = tx.dice.between(tx.options.faults.visibility_delay_ms);
    task.visible_ms = tx.now + i64::try_from(delay_ms).unwrap_or(i64::MAX / 2);
    stamp_status(tx, &mut task);
    tx.define_tags(&task.list, &task.tags);
    let mut told = summary(&task);
    if let (Some(told), Some(origin)) = (told.as_object_mut(), origin.as_object()) {
        told.extend(origin.clone());
    }
    tx.note(&task.id, "created", Value::Null, told);
    tx.put(Row::Task(task.clone().into()));
    tx.tell_created(&task);
    Ok(task)
}

/// The body as an object; anything else is as good as an empty one, but must be JSON.
pub(super) fn object(call: &Call) -> Result<Value, Refusal> {
    let body = call.json().map_err(|_| refusal::BODY_INVALID)?;
    if body.is_object() { Ok(body) } else { Ok(json!({})) }
}

/// Sets `date_done` and `date_closed` as the task's status demands.
pub(super) fn stamp_status(tx: &Tx<'_>, task: &mut Task) {
    let kind = tx.state.status(&task.list, &task.status).map_or("", |status| status.kind.as_str());
    let closed = kind == "closed";
    task.closed_ms = if closed { task.closed_ms.or(Some(tx.now)) } else { None };
    task.done_ms = if closed || kind == "done" { task.done_ms.or(Some(tx.now)) } else { None };
}

/// Takes a description from a body: Markdown wins, one blank clears, an empty text does nothing.
pub(super) fn set_description(task: &mut Task, body: &Value) -> Result<(), Refusal> {
    let markdown = body["markdown_content"].as_str().filter(|text| !text.is_empty());
    let plain = body["description"].as_str().filter(|text| !text.is_empty());
    let Some(given) = markdown.or(plain) else { return Ok(()) };
    if given.len() > text::DESCRIPTION_BYTES_MAX {
        return Err(refusal::TEXT_TOO_LONG);
    }
    let stored = if given == " " { String::new() } else { text::body(given) };
    if markdown.is_some() {
        task.description = text::plain_of_markdown(&stored);
        task.markdown = (task.description != stored).then_some(stored);
    } else {
        // Plain text destroys the formatting, even when it is the text that was read.
        task.description = stored;
        task.markdown = None;
    }
    Ok(())
}

/// A priority from 1 to 4; `null` is none.
pub(super) fn priority(value: &Value) -> Result<Option<u8>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    match fields::integer(value) {
        Some(level @ 1..=4) => Ok(u8::try_from(level).ok()),
        _ => Err(refusal::VALUE_INVALID),
    }
}

/// A date of a body with its flag: none when the body does not have it, `(None, false)` when it clears it.
pub(super) fn date(tx: &Tx<'_>, body: &Value, name: &str) -> Result<Option<(Option<i64>, bool)>, Refusal> {
    let with_time = body[format!("{name}_time")].as_bool().unwrap_or(false);
    match body.get(name) {
        None => Ok(None),
        Some(Value::Null) => Ok(Some((None, false))),
        Some(value) => {
            let ms = fields::integer(value).ok_or(refusal::VALUE_INVALID)?;
            Ok(Some((Some(if with_time { ms } else { tx.day(ms) }), with_time)))
        }
    }
}

/// Refuses people who do not exist, are disabled or do not see the list.
pub(super) fn allow_assignees(tx: &Tx<'_>, list: &str, people: &[i64]) -> Result<(), Refusal> {
    let list = tx.state.lists.get(list).ok_or(refusal::LIST_UNKNOWN)?;
    let allowed = people.iter().all(|id| {
        let known = tx.state.members.get(id).filter(|member| !member.disabled);
        known.is_some_and(|member| member.role != Role::Guest || list.members.contains(id))
    });
    if allowed { Ok(()) } else { Err(refusal::ASSIGNEE_INVALID) }
}

/// User ids of an array, each once, in order.
pub(super) fn ids(value: &Value) -> Vec<i64> {
    let mut seen = BTreeSet::new();
    let ids = value.as_array().into_iter().flatten().filter_map(fields::integer);
    ids.filter(|id| seen.insert(*id)).collect()
}

/// The texts of an array.
pub(super) fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}
