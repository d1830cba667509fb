//! `PUT /task/{id}`: partial, the last writer wins. Tags, custom fields and the list are silently ignored here.

use serde_json::{Value, json};

use super::create::{allow_assignees, date, ids, object, priority, set_description, stamp_status};
use super::history::Item;
use super::model::Task;
use super::refusal::{self, Refusal};
use super::state::task_seq;
use super::text;
use super::tx::Tx;
use super::wire::{self, Parts};
use crate::http_text::{self, Answer, Call};

/// `PUT /task/{task_id}`.
pub(super) fn update(tx: &mut Tx<'_>, call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let body = object(call)?;
    let old = tx.task(&path[0])?.clone();
    let new = changed(tx, &old, &body)?;
    if new != old {
        apply(tx, &old, new);
    }
    let task = tx.task(&path[0])?;
    let parts = Parts { markdown: call.query.flag("include_markdown_description"), ..Parts::default() };
    Ok(http_text::json(200, &wire::task(tx.state, tx.options, task, parts)))
}

/// The task as the body wants it. Nothing is stored yet, so a refusal leaves no trace.
fn changed(tx: &Tx<'_>, old: &Task, body: &Value) -> Result<Task, Refusal> {
    let mut new = old.clone();
    if let Some(name) = body["name"].as_str() {
        new.name = text::name(name);
        if new.name.is_empty() {
            return Err(refusal::NAME_INVALID);
        }
    }
    set_description(&mut new, body)?;
    if let Some(name) = body["status"].as_str() {
        new.status = tx.state.status(&old.list, name).ok_or(refusal::STATUS_UNKNOWN)?.status.clone();
    }
    if let Some(level) = body.get("priority") {
        new.priority = priority(level)?;
    }
    if let Some((due_ms, due_time)) = date(tx, body, "due_date")? {
        (new.due_ms, new.due_time) = (due_ms, due_time);
    }
    if let Some((start_ms, start_time)) = date(tx, body, "start_date")? {
        (new.start_ms, new.start_time) = (start_ms, start_time);
    }
    if let Some(points) = body.get("points") {
        new.points = Some(points.clone()).filter(Value::is_number);
    }
    if let Some(estimate) = body.get("time_estimate") {
        new.time_estimate_ms = estimate.as_i64();
    }
    if let Some(item) = body["custom_item_id"].as_i64() {
        new.custom_item = item;
    }
    if let Some(archived) = body["archived"].as_bool() {
        new.archived = archived;
    }
    // `null` does not make it a top task.
    if let Some(parent) = body["parent"].as_str() {
        new.parent = Some(parent_of(tx, old, parent)?);
    }
    change_assignees(tx, &mut new, &body["assignees"])?;
    Ok(new)
}

fn parent_of(tx: &Tx<'_>, task: &Task, id: &str) -> Result<u64, Refusal> {
    let parent = tx.task(id).map_err(|_| refusal::PARENT_INVALID)?;
    // An older parent keeps the tree free of circles.
    if parent.list != task.list || parent.seq >= task.seq {
        return Err(refusal::PARENT_INVALID);
    }
    task_seq(id).ok_or(refusal::PARENT_INVALID)
}

fn change_assignees(tx: &Tx<'_>, task: &mut Task, change: &Value) -> Result<(), Refusal> {
    let (add, rem) = (ids(&change["add"]), ids(&change["rem"]));
    allow_assignees(tx, &task.list, &add)?;
    task.assignees.retain(|id| !rem.contains(id));
    if let (Some(first), Some(false)) =
        (add.first(), tx.space_of(&task.list).map(|space| space.multiple_assignees))
    {
        task.assignees = vec![*first];
        return Ok(());
    }
    for id in add {
        if !task.assignees.contains(&id) {
            task.assignees.push(id);
        }
    }
    Ok(())
}

/// Stores a changed task, logs each field that differs and tells of it.
pub(super) fn apply(tx: &mut Tx<'_>, old: &Task, mut new: Task) {
    stamp_status(tx, &mut new);
    new.updated_ms = tx.now;
    tx.save(new.clone());
    let id = new.id.clone();
    if old.name != new.name {
        tx.note(&id, "title", json!(old.name), json!(new.name));
        tx.tell(None, &new, Item::new("name", json!(old.name), json!(new.name)));
    }
    if old.description != new.description || old.markdown != new.markdown {
        tx.note(&id, "description", json!(old.description), json!(new.description));
        tx.tell(None, &new, Tx::content_item(&old.description, &new));
    }
    if old.status != new.status {
        tell_status(tx, old, &new);
    }
    if old.priority != new.priority {
        tx.note(&id, "priority", json!(old.priority), json!(new.priority));
        let item = Item::new("priority", wire::priority(old.priority), wire::priority(new.priority));
        tx.tell(Some("taskPriorityUpdated"), &new, item);
    }
    if old.assignees != new.assignees {
        tell_assignees(tx, old, &new);
    }
    tell_dates(tx, old, &new);
    tell_rest(tx, old, &new);
}

/// Logs and tells a changed status.
pub(super) fn tell_status(tx: &mut Tx<'_>, old: &Task, new: &Task) {
    tx.note(&new.id, "status", json!(old.status), json!(new.status));
    let before = tx.state.status(&old.list, &old.status).map_or(Value::Null, wire::status);
    let item = tx.status_item(new, before);
    tx.tell(Some("taskStatusUpdated"), new, item);
}

fn tell_assignees(tx: &mut Tx<'_>, old: &Task, new: &Task) {
    tx.note(&new.id, "assignee", json!(old.assignees), json!(new.assignees));
    // An addition has only `after`, a removal only `before`; the latter is not documented.
    for id in new.assignees.iter().filter(|id| !old.assignees.contains(id)) {
        let person = wire::user(tx.state, *id);
        let item = Item { before: None, ..Item::new("assignee_add", Value::Null, person) };
        tx.tell(Some("taskAssigneeUpdated"), new, item);
    }
    for id in old.assignees.iter().filter(|id| !new.assignees.contains(id)) {
        let person = wire::user(tx.state, *id);
        let item = Item { after: None, ..Item::new("assignee_rem", person, Value::Null) };
        tx.tell(Some("taskAssigneeUpdated"), new, item);
    }
}

fn tell_dates(tx: &mut Tx<'_>, old: &Task, new: &Task) {
    if (old.due_ms, old.due_time) != (new.due_ms, new.due_time) {
        tx.note(&new.id, "due", json!(old.due_ms), json!(new.due_ms));
        let data = json!({"due_date_time": new.due_time, "old_due_date_time": old.due_time});
        let item = Item { data, ..Item::new("due_date", wire::time(old.due_ms), wire::time(new.due_ms)) };
        tx.tell(Some("taskDueDateUpdated"), new, item);
    }
    if (old.start_ms, old.start_time) != (new.start_ms, new.start_time) {
        tx.note(&new.id, "start", json!(old.start_ms), json!(new.start_ms));
        let data = json!({"start_date_time": new.start_time, "old_start_date_time": old.start_time});
        let item =
            Item { data, ..Item::new("start_date", wire::time(old.start_ms), wire::time(new.start_ms)) };
        tx.tell(None, new, item);
    }
}

fn tell_rest(tx: &mut Tx<'_>, old: &Task, new: &Task) {
    let estimate = (json!(old.time_estimate_ms), json!(new.time_estimate_ms));
    let rest = [
        ("time_estimate", Some("taskTimeEstimateUpdated"), estimate),
        ("points", None, (json!(old.points), json!(new.points))),
        ("custom_type", None, (json!(old.custom_item), json!(new.custom_item))),
        ("parent", None, (json!(old.parent), json!(new.parent))),
        ("archived", None, (json!(old.archived), json!(new.archived))),
    ];
    for (field, event, (before, after)) in rest {
        if before != after {
            tx.note(&new.id, field, before.clone(), after.clone());
            tx.tell(event, new, Item::new(field, before, after));
        }
    }
}
