//! v3 `PUT /workspaces/{w}/tasks/{t}/home_list/{l}`: moves a task, with its subtasks, to another list.
//!
//! A status that the new list does not have must be mapped. Values of custom fields that the new list does not have
//! are kept but hidden, unless the fields are brought along.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::create::{object, strings};
use super::model::Task;
use super::refusal::{self, Refusal};
use super::rows::Row;
use super::tx::Tx;
use super::update::tell_status;
use crate::http_text::{self, Answer, Call};

/// `PUT /api/v3/workspaces/{workspace_id}/tasks/{task_id}/home_list/{list_id}`.
pub(super) fn home_list(tx: &mut Tx<'_>, call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let body = object(call)?;
    tx.workspace(&path[0])?;
    let old = tx.task(&path[1])?.clone();
    let list = tx.list(&path[2])?.id.clone();
    if !tx.options.moves_allowed {
        return Err(refusal::MOVES_FORBIDDEN);
    }
    if list != old.list {
        let status = new_status(tx, &old, &list, &body["status_mappings"])?;
        let held = tx.state.by_list.get(&list).map_or(0, |orders| orders.created.len());
        if held >= tx.options.list_tasks_max {
            return Err(refusal::LIST_FULL);
        }
        if body["move_custom_fields"].as_bool() == Some(true) {
            bring_fields(tx, &old, &list, &strings(&body["custom_fields_to_move"]).collect());
        }
        go(tx, &old, &list, status);
        move_children(tx, &old, &list);
    }
    Ok(http_text::json(200, &json!({"data": {"task_id": old.id, "new_list_id": list}})))
}

fn new_status(tx: &Tx<'_>, task: &Task, list: &str, mappings: &Value) -> Result<String, Refusal> {
    let current = tx.state.status(&task.list, &task.status).map(|status| status.id.as_str());
    let mapped = mappings
        .as_array()
        .into_iter()
        .flatten()
        .find(|mapping| current.is_some() && mapping["source_status_id"].as_str() == current);
    let target = tx.state.lists.get(list).ok_or(refusal::LIST_UNKNOWN)?;
    let found = match mapped.and_then(|mapping| mapping["destination_status_id"].as_str()) {
        Some(id) => target.statuses.iter().find(|status| status.id == id),
        None => tx.state.status(list, &task.status),
    };
    found.map(|status| status.status.clone()).ok_or(refusal::MAPPING_MISSING)
}

fn bring_fields(tx: &mut Tx<'_>, task: &Task, list: &str, wanted: &BTreeSet<&str>) {
    let fields = tx.state.fields_of(&task.list).filter(|field| {
        !field.lists.contains(list) && (wanted.is_empty() || wanted.contains(field.id.as_str()))
    });
    for mut field in fields.cloned().collect::<Vec<_>>() {
        field.lists.insert(list.to_owned());
        tx.put(Row::Field(field));
    }
}

fn go(tx: &mut Tx<'_>, old: &Task, list: &str, status: String) {
    let mut new = Task { list: list.to_owned(), status, ..old.clone() };
    new.updated_ms = tx.now;
    super::create::stamp_status(tx, &mut new);
    tx.define_tags(list, &new.tags);
    tx.save(new.clone());
    tx.note(&new.id, "list", json!(old.list), json!(new.list));
    tx.tell_moved(&new, &old.list);
    if old.status != new.status {
        tell_status(tx, old, &new);
    }
}

fn move_children(tx: &mut Tx<'_>, parent: &Task, list: &str) {
    let children: Vec<Task> = tx
        .state
        .children
        .get(&parent.seq)
        .into_iter()
        .flatten()
        .filter_map(|seq| tx.state.tasks.get(seq).cloned())
        .collect();
    for child in children {
        let same = tx.state.status(list, &child.status);
        let first = || tx.state.lists.get(list).and_then(|list| list.statuses.first());
        let Some(status) = same.or_else(first).map(|status| status.status.clone()) else { continue };
        go(tx, &child, list, status);
        move_children(tx, &child, list);
    }
}
