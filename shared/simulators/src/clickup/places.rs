//! Who and what there is: people, Spaces, folders, lists, field definitions. Only read here; people arrange them in the
//! application.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::model::{Field, Folder, List, Space};
use super::options::Plan;
use super::refusal::{self, Refusal};
use super::state::State;
use super::tx::Tx;
use super::wire;
use crate::http_text::{self, Answer, Call};

/// `GET /user`.
pub(super) fn user(tx: &mut Tx<'_>, _call: &Call, _path: &[String]) -> Result<Answer, Refusal> {
    let mut user = wire::user(tx.state, tx.actor);
    for (name, value) in
        [("week_start_day", json!(1)), ("global_font_support", json!(true)), ("timezone", json!("Etc/UTC"))]
    {
        user[name] = value;
    }
    Ok(http_text::json(200, &json!({"user": user})))
}

/// `GET /team`.
pub(super) fn teams(tx: &mut Tx<'_>, _call: &Call, _path: &[String]) -> Result<Answer, Refusal> {
    let people = tx.state.members.values().filter(|member| !member.disabled && member.id > 0);
    let members: Vec<Value> = people.map(|member| json!({"user": wire::directory_user(member)})).collect();
    let team = json!({
        "id": tx.options.workspace, "name": "Workspace", "color": "#000000", "avatar": null, "members": members,
    });
    Ok(http_text::json(200, &json!({"teams": [team]})))
}

/// `GET /team/{team_id}/plan`. The number of Business Plus is assumed: no source names it.
pub(super) fn plan(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    tx.workspace(&path[0])?;
    let (name, id) = match tx.options.plan {
        Plan::Business => ("Business", 3),
        Plan::BusinessPlus => ("Business Plus", 5),
        Plan::Enterprise => ("Enterprise", 4),
    };
    Ok(http_text::json(200, &json!({"plan_name": name, "plan_id": id})))
}

/// `GET /team/{team_id}/space`.
pub(super) fn spaces(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    tx.workspace(&path[0])?;
    let spaces: Vec<Value> = tx.state.spaces.values().map(|space| space_json(tx.state, space)).collect();
    Ok(http_text::json(200, &json!({"spaces": spaces})))
}

/// `GET /space/{space_id}`.
pub(super) fn space(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    Ok(http_text::json(200, &space_json(tx.state, tx.space(&path[0])?)))
}

/// `GET /space/{space_id}/folder`.
pub(super) fn folders(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let space = tx.space(&path[0])?;
    let folders = tx.state.folders.values().filter(|folder| folder.space == space.id);
    let folders: Vec<Value> = folders.map(|folder| folder_json(tx, folder)).collect();
    Ok(http_text::json(200, &json!({"folders": folders})))
}

/// `GET /space/{space_id}/list`: the folderless lists.
pub(super) fn lists_of_space(tx: &mut Tx<'_>, call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let space = tx.space(&path[0])?.id.clone();
    lists(tx, call, |list| list.space == space && list.folder.is_none())
}

/// `GET /folder/{folder_id}/list`.
pub(super) fn lists_of_folder(tx: &mut Tx<'_>, call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let folder = tx.state.folders.get(&path[0]).ok_or(refusal::PLACE_UNKNOWN)?.id.clone();
    lists(tx, call, |list| list.folder.as_ref() == Some(&folder))
}

fn lists(tx: &Tx<'_>, call: &Call, wanted: impl Fn(&List) -> bool) -> Result<Answer, Refusal> {
    let archived = call.query.flag("archived");
    let found = tx
        .state
        .lists
        .values()
        .filter(|list| wanted(list) && list.archived == archived && tx.state.sees(tx.actor, list));
    let found: Vec<Value> = found.map(|list| list_json(tx.state, list)).collect();
    Ok(http_text::json(200, &json!({"lists": found})))
}

/// `GET /list/{list_id}`.
pub(super) fn list(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let list = tx.list(&path[0])?;
    let mut body = list_json(tx.state, list);
    let statuses = list.statuses.iter().map(|status| json!(status));
    body["statuses"] = statuses.collect();
    body["inbound_address"] = json!(format!("add.task.{}@tasks.example", list.id));
    Ok(http_text::json(200, &body))
}

/// `GET /list/{list_id}/field`.
pub(super) fn fields_of_list(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let list = tx.list(&path[0])?.id.clone();
    Ok(fields(tx, |field| field.lists.contains(&list)))
}

/// `GET /space/{space_id}/field`: fields that every list of the Space has are taken to be the Space's.
pub(super) fn fields_of_space(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let space = tx.space(&path[0])?.id.clone();
    let lists = tx.state.lists.values().filter(|list| list.space == space);
    let lists: BTreeSet<String> = lists.map(|list| list.id.clone()).collect();
    Ok(fields(tx, |field| !lists.is_empty() && lists.is_subset(&field.lists)))
}

/// `GET /folder/{folder_id}/field`: likewise.
pub(super) fn fields_of_folder(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let folder = tx.state.folders.get(&path[0]).ok_or(refusal::PLACE_UNKNOWN)?;
    let lists = tx.state.lists.values().filter(|list| list.folder.as_ref() == Some(&folder.id));
    let lists: BTreeSet<String> = lists.map(|list| list.id.clone()).collect();
    Ok(fields(tx, |field| !lists.is_empty() && lists.is_subset(&field.lists)))
}

/// `GET /team/{team_id}/field`: fields of every list there is.
pub(super) fn fields_of_team(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    tx.workspace(&path[0])?;
    Ok(fields(tx, |field| tx.state.lists.keys().all(|list| field.lists.contains(list))))
}

fn fields(tx: &Tx<'_>, wanted: impl Fn(&Field) -> bool) -> Answer {
    let found: Vec<Value> = tx.state.fields.values().filter(|field| wanted(field)).map(wire::field).collect();
    http_text::json(200, &json!({"fields": found}))
}

/// `GET /list/{list_id}/member`: only people with explicit access, guests among them.
pub(super) fn members_of_list(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let people = tx.list(&path[0])?.members.clone();
    Ok(members(tx.state, &people))
}

/// `GET /task/{task_id}/member`: those of its list, and whom it is assigned to.
pub(super) fn members_of_task(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let task = tx.task(&path[0])?;
    let mut people: BTreeSet<i64> = task.assignees.iter().copied().collect();
    people.extend(tx.state.lists.get(&task.list).map(|list| list.members.clone()).unwrap_or_default());
    Ok(members(tx.state, &people))
}

fn members(state: &State, people: &BTreeSet<i64>) -> Answer {
    let found = people.iter().filter_map(|id| state.members.get(id)).filter(|member| !member.disabled);
    let found: Vec<Value> = found.map(wire::explicit_member).collect();
    http_text::json(200, &json!({"members": found}))
}

fn space_json(state: &State, space: &Space) -> Value {
    // The statuses a Space would hand down; here every list has its own.
    let list = state.lists.values().find(|list| list.space == space.id);
    let statuses: Vec<Value> = list.into_iter().flat_map(|list| &list.statuses).map(wire::status).collect();
    let on = json!({"enabled": true});
    json!({
        "id": space.id, "name": space.name, "private": false, "color": null, "avatar": null,
        "admin_can_manage": true, "archived": false, "members": [], "statuses": statuses,
        "multiple_assignees": space.multiple_assignees,
        "features": {
            "due_dates": {"enabled": true, "start_date": true, "remap_due_dates": false, "remap_closed_due_date": false},
            "time_tracking": on, "tags": on, "time_estimates": on, "checklists": on, "custom_fields": on,
            "remap_dependencies": on, "dependency_warning": on, "portfolios": on,
        },
    })
}

fn folder_json(tx: &Tx<'_>, folder: &Folder) -> Value {
    let lists = tx.state.lists.values().filter(|list| list.folder.as_ref() == Some(&folder.id));
    let lists: Vec<Value> =
        lists.filter(|list| tx.state.sees(tx.actor, list)).map(|list| list_json(tx.state, list)).collect();
    let space = tx.state.spaces.get(&folder.space).map(|space| space.name.as_str());
    json!({
        "id": folder.id, "name": folder.name, "orderindex": 0, "override_statuses": false, "hidden": false,
        "space": {"id": folder.space, "name": space}, "task_count": "0", "lists": lists,
    })
}

fn list_json(state: &State, list: &List) -> Value {
    let count = state.by_list.get(&list.id).map_or(0, |orders| orders.created.len());
    let space = state.spaces.get(&list.space).map(|space| space.name.as_str());
    json!({
        "id": list.id, "name": list.name, "orderindex": 0, "content": "", "status": null, "priority": null,
        "assignee": null, "task_count": count, "due_date": null, "start_date": null,
        "folder": wire::folder(state, list), "space": {"id": list.space, "name": space, "access": true},
        "archived": list.archived, "override_statuses": true, "permission_level": "create",
    })
}
