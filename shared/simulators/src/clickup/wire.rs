//! Records in the shapes that go over the wire.

use serde_json::{Map, Value, json};

use super::model::{Comment, Field, File, List, Member, Status, Task};
use super::options::ClickUpOptions;
use super::state::{State, task_id};
use super::text;

const COLORS: [&str; 6] = ["#7b68ee", "#FC575E", "#827718", "#FF4081", "#02BCD4", "#2ecd6f"];

/// A colour for a number; the same one every time.
pub(super) fn color(number: i64) -> String {
    COLORS[number.rem_euclid(COLORS.len() as i64) as usize].to_owned()
}

fn initials(name: &str) -> String {
    name.split_whitespace()
        .take(2)
        .filter_map(|word| word.chars().next())
        .flat_map(char::to_uppercase)
        .collect()
}

/// A person inside a task, a comment or a history item.
pub(super) fn user(state: &State, id: i64) -> Value {
    let known = state.members.get(&id);
    let name = known.map_or("ClickBot", |member| member.username.as_str());
    let mut body = json!({
        "id": id, "username": name, "email": known.and_then(|member| member.email.as_deref()),
        "color": color(id), "initials": initials(name), "profilePicture": null,
    });
    // Automations and agents have no such member at all.
    if let (true, Some(body)) = (id < 0, body.as_object_mut()) {
        body.shift_remove("email");
    }
    body
}

/// A person in the directory of the Workspace.
pub(super) fn directory_user(member: &Member) -> Value {
    json!({
        "id": member.id, "username": member.username, "email": member.email, "color": color(member.id),
        "profilePicture": null, "initials": initials(&member.username), "role": member.role.number(),
        "custom_role": null, "last_active": null, "date_joined": null, "date_invited": null,
    })
}

/// A person with explicit access to a list or a task.
pub(super) fn explicit_member(member: &Member) -> Value {
    json!({
        "id": member.id, "username": member.username, "email": member.email, "color": color(member.id),
        "initials": initials(&member.username), "profilePicture": null, "role": member.role.number(),
        "profileInfo": {
            "display_profile": null, "verified_ambassador": null, "verified_consultant": null,
            "top_tier_user": null, "viewed_verified_ambassador": null, "viewed_verified_consultant": null,
            "viewed_top_tier_user": null,
        },
    })
}

/// A status as history items carry it: without its id.
pub(super) fn status(status: &Status) -> Value {
    json!({
        "status": status.status, "color": status.color, "orderindex": status.orderindex, "type": status.kind,
    })
}

/// A priority as tasks and history items carry it.
pub(super) fn priority(level: Option<u8>) -> Value {
    let (name, color) = match level {
        Some(1) => ("urgent", "#f50000"),
        Some(2) => ("high", "#ffcc00"),
        Some(3) => ("normal", "#6fddff"),
        Some(4) => ("low", "#d8d8d8"),
        _ => return Value::Null,
    };
    let id = level.map(|level| level.to_string());
    json!({"id": id, "priority": name, "color": color, "orderindex": id})
}

/// Milliseconds as answers spell them: text.
pub(super) fn time(ms: Option<i64>) -> Value {
    ms.map_or(Value::Null, |ms| Value::String(ms.to_string()))
}

/// The folder of a list; a folderless list is in a hidden one.
pub(super) fn folder(state: &State, list: &List) -> Value {
    match list.folder.as_ref().and_then(|id| state.folders.get(id)) {
        Some(folder) => json!({"id": folder.id, "name": folder.name, "hidden": false, "access": true}),
        None => json!({"id": format!("9{}", list.space), "name": "hidden", "hidden": true, "access": true}),
    }
}

/// What a task is rendered with besides itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parts {
    pub markdown: bool,
    /// Only the answer for one task has them.
    pub attachments: bool,
    pub subtasks: bool,
}

/// A task.
pub(super) fn task(state: &State, options: &ClickUpOptions, task: &Task, parts: Parts) -> Value {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
    set("id", json!(task.id));
    set("custom_id", Value::Null);
    set("custom_item_id", json!(task.custom_item));
    set("name", json!(task.name));
    set("text_content", json!(task.description));
    set("description", json!(task.description));
    if parts.markdown {
        set("markdown_description", json!(task.markdown.as_ref().unwrap_or(&task.description)));
    }
    set("status", task_status(state, task));
    set("orderindex", json!(format!("{}.00000000000000000000000000000000", task.seq)));
    set("date_created", time(Some(task.created_ms)));
    set("date_updated", time(Some(task.updated_ms)));
    set("date_closed", time(task.closed_ms));
    set("date_done", time(task.done_ms));
    set("archived", json!(task.archived));
    let mut creator = user(state, task.creator);
    if let Some(creator) = creator.as_object_mut() {
        creator.shift_remove("initials");
    }
    set("creator", creator);
    let assignees: Vec<Value> = task.assignees.iter().map(|id| user(state, *id)).collect();
    set("assignees", json!(assignees));
    set("group_assignees", json!([]));
    set("watchers", json!([user(state, task.creator)]));
    set("checklists", json!([]));
    set("tags", tags(state, &task.list, task.tags.iter()));
    set("parent", json!(task.parent.map(task_id)));
    set("top_level_parent", json!(task.parent.map(|parent| task_id(top_parent(state, parent)))));
    set("priority", priority(task.priority));
    set("due_date", time(task.due_ms));
    set("start_date", time(task.start_ms));
    set("points", task.points.clone().unwrap_or_default());
    set("time_estimate", json!(task.time_estimate_ms));
    set("time_spent", json!(0));
    let fields: Vec<Value> =
        state.fields_of(&task.list).map(|field| task_field(state, field, task)).collect();
    set("custom_fields", json!(fields));
    for name in ["dependencies", "linked_tasks", "locations"] {
        set(name, json!([]));
    }
    set("team_id", json!(options.workspace));
    set("url", json!(format!("https://app.clickup.com/t/{}", task.id)));
    set("sharing", sharing(task));
    set("permission_level", json!("create"));
    if let Some(list) = state.lists.get(&task.list) {
        set("list", json!({"id": list.id, "name": list.name, "access": true}));
        set("project", folder(state, list));
        set("folder", folder(state, list));
        set("space", json!({"id": list.space}));
    }
    if parts.subtasks {
        let children = state.children.get(&task.seq).into_iter().flatten();
        let children = children.filter_map(|seq| state.tasks.get(seq));
        let children: Vec<Value> =
            children.map(|child| self::task(state, options, child, Parts::default())).collect();
        set("subtasks", json!(children));
    }
    if parts.attachments {
        let files = state.task_files.get(&task.seq).into_iter().flatten();
        let files = files.filter_map(|number| state.files.get(number));
        set("attachments", files.map(|file| attachment(state, options, file)).collect());
    }
    Value::Object(body)
}

fn top_parent(state: &State, mut seq: u64) -> u64 {
    // Parents are older than their subtasks, so this ends.
    while let Some(parent) = state.tasks.get(&seq).and_then(|task| task.parent) {
        seq = parent;
    }
    seq
}

fn task_status(state: &State, task: &Task) -> Value {
    match state.status(&task.list, &task.status) {
        Some(found) => json!({
            "id": found.id, "status": found.status, "color": found.color, "orderindex": found.orderindex,
            "type": found.kind,
        }),
        None => json!({"status": task.status, "color": "#d3d3d3", "orderindex": 0, "type": "custom"}),
    }
}

/// Tags in the shape of tasks and history items.
pub(super) fn tags<'a>(state: &State, list: &str, names: impl Iterator<Item = &'a String>) -> Value {
    let space = state.lists.get(list).and_then(|list| state.spaces.get(&list.space));
    names
        .map(|name| {
            let tag = space.and_then(|space| space.tags.get(name));
            let color = tag.map_or("#7b68ee", |tag| tag.color.as_str());
            json!({"name": name, "tag_fg": color, "tag_bg": color, "creator": tag.map(|tag| tag.creator)})
        })
        .collect()
}

fn sharing(task: &Task) -> Value {
    let token = task.public.then(|| format!("share-{}", task.id));
    json!({
        "public": task.public, "public_share_expires_on": null,
        "public_fields": ["assignees", "priority", "due_date", "content", "comments", "attachments",
            "customFields", "subtasks", "tags", "checklists", "coverimage"],
        "token": token, "seo_optimized": false,
    })
}

/// A field's definition.
pub(super) fn field(field: &Field) -> Value {
    let config = match field.kind.as_str() {
        "drop_down" => {
            let options = field.options.iter().enumerate().map(|(index, option)| {
                json!({"id": option.id, "name": option.name, "color": color(index as i64), "orderindex": index})
            });
            json!({"sorting": "manual", "new_drop_down": true, "options": options.collect::<Vec<_>>()})
        }
        "labels" => {
            let options = field.options.iter().enumerate().map(
                |(index, option)| json!({"id": option.id, "label": option.name, "color": color(index as i64)}),
            );
            json!({"options": options.collect::<Vec<_>>()})
        }
        _ => json!({}),
    };
    json!({
        "id": field.id, "name": field.name, "type": field.kind, "type_config": config,
        "date_created": field.created_ms.to_string(), "hide_from_guests": false, "required": false,
    })
}

fn task_field(state: &State, field: &Field, task: &Task) -> Value {
    let mut body = self::field(field);
    let Some(stored) = task.values.get(&field.id) else { return body };
    let value = match field.kind.as_str() {
        // Written as a UUID, read as a position.
        "drop_down" => json!(field.options.iter().position(|option| json!(option.id) == *stored)),
        "users" => stored
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_i64)
            .map(|id| user(state, id))
            .collect(),
        _ => stored.clone(),
    };
    body["value"] = value;
    body
}

/// A comment in the lists of a task and of a thread.
pub(super) fn comment(state: &State, comment: &Comment) -> Value {
    let person = comment.assignee.map(|id| user(state, id));
    let replies = state.replies.get(&comment.id).map_or(0, |replies| replies.len());
    json!({
        "id": comment.id.to_string(), "comment": comment_blocks(comment), "comment_text": comment.text,
        "user": user(state, comment.user), "resolved": comment.resolved, "assignee": person,
        "assigned_by": comment.assignee.map(|_| user(state, comment.user)), "reactions": [],
        "date": comment.date_ms.to_string(), "reply_count": replies,
    })
}

/// The blocks of a comment.
pub(super) fn comment_blocks(comment: &Comment) -> Vec<Value> {
    comment.blocks.clone().unwrap_or_else(|| text::blocks(&comment.text, comment.id))
}

/// Where a file is downloaded.
pub(super) fn file_url(options: &ClickUpOptions, file: &File) -> String {
    let folder = file.id.split('.').next().unwrap_or_default();
    let name = crate::http_text::encode(&file.title);
    format!("{}/t{}/{folder}/{name}", options.files_base(), options.workspace)
}

/// The part of a file's name after the last dot.
pub(super) fn extension(title: &str) -> &str {
    title.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// A file in the answer for its task.
pub(super) fn attachment(state: &State, options: &ClickUpOptions, file: &File) -> Value {
    let url = file_url(options, file);
    json!({
        "id": file.id, "date": file.date_ms, "title": file.title, "type": 1, "source": 1, "version": 0,
        "extension": extension(&file.title), "thumbnail_small": null, "thumbnail_medium": null,
        "thumbnail_large": null, "is_folder": null, "mimetype": file.mimetype, "hidden": false,
        "parent_id": task_id(file.task), "size": file.size, "total_comments": 0, "resolved_comments": 0,
        "user": user(state, file.user), "deleted": false, "orientation": null, "url": url, "email_data": null,
        "url_w_query": format!("{url}?view=open"), "url_w_host": url,
    })
}
