//! What a change looks like in a webhook: history items, and which deliveries they bring.
//!
//! Each specific event comes with a second delivery `taskUpdated` that has the same items. Creating a task also brings
//! `taskStatusUpdated` with the item of the status; moving one also brings `spaceUpdated`. Archiving is not documented:
//! it is assumed to bring `taskUpdated` with a field `archived`.

use serde_json::{Map, Value, json};

use super::model::{Comment, Field, List, Location, Task};
use super::state::task_id;
use super::tx::Tx;
use super::{text, wire};

/// Every event a webhook can ask for; what `*` stands for.
pub(super) const EVENTS: [&str; 28] = [
    "taskCreated",
    "taskUpdated",
    "taskDeleted",
    "taskPriorityUpdated",
    "taskStatusUpdated",
    "taskAssigneeUpdated",
    "taskDueDateUpdated",
    "taskTagUpdated",
    "taskMoved",
    "taskCommentPosted",
    "taskCommentUpdated",
    "taskTimeEstimateUpdated",
    "taskTimeTrackedUpdated",
    "listCreated",
    "listUpdated",
    "listDeleted",
    "folderCreated",
    "folderUpdated",
    "folderDeleted",
    "spaceCreated",
    "spaceUpdated",
    "spaceDeleted",
    "goalCreated",
    "goalUpdated",
    "goalDeleted",
    "keyResultCreated",
    "keyResultUpdated",
    "keyResultDeleted",
];

/// One event, before it is known which webhooks want it.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub name: &'static str,
    /// The public id of the task, or of the Space for `spaceUpdated`.
    pub subject: String,
    /// None for events that carry only ids.
    pub items: Option<Vec<Value>>,
    /// Where it happened; a move happened in two places.
    pub places: Vec<Location>,
}

impl Event {
    /// The body of its delivery to a webhook.
    pub fn body(&self, webhook: &str) -> String {
        let mut body = Map::new();
        body.insert("event".to_owned(), json!(self.name));
        if let Some(items) = &self.items {
            body.insert("history_items".to_owned(), json!(items));
        }
        let subject = if self.name == "spaceUpdated" { "space_id" } else { "task_id" };
        body.insert(subject.to_owned(), json!(self.subject));
        body.insert("webhook_id".to_owned(), json!(webhook));
        Value::Object(body).to_string()
    }
}

/// A history item of a task. `before` and `after` are left out where the service leaves them out.
#[derive(Clone, Debug, Default)]
pub(super) struct Item {
    pub field: &'static str,
    pub data: Value,
    pub before: Option<Value>,
    pub after: Option<Value>,
    /// A further member: `comment` or `custom_field`, with the whole definition.
    pub extra: Option<(&'static str, Value)>,
    /// The id and date of an earlier item, where the service repeats them.
    pub again: Option<(u64, i64)>,
    /// Whose change it is, when it is not the caller's.
    pub user: Option<i64>,
}

impl Item {
    pub fn new(field: &'static str, before: Value, after: Value) -> Self {
        Self { field, before: Some(before), after: Some(after), data: json!({}), ..Self::default() }
    }
}

impl Tx<'_> {
    fn item(&mut self, list: &str, item: Item) -> Value {
        let (id, date) = item.again.unwrap_or_else(|| (self.history_id(), self.now));
        let mut body = json!({
            "id": id.to_string(), "type": 1, "date": date.to_string(), "field": item.field, "parent_id": list,
            "data": item.data, "source": null,
            "user": wire::user(self.state, item.user.unwrap_or(self.actor)),
        });
        let members = [("before", item.before), ("after", item.after)];
        for (name, value) in
            members.into_iter().filter_map(|(name, value)| Some((name, value?))).chain(item.extra)
        {
            body[name] = value;
        }
        body
    }

    fn places(&self, task: &Task) -> Vec<Location> {
        let mut places =
            vec![Location::Workspace, Location::Task(task.id.clone()), Location::List(task.list.clone())];
        if let Some(list) = self.state.lists.get(&task.list) {
            places.push(Location::Space(list.space.clone()));
            places.extend(list.folder.clone().map(Location::Folder));
        }
        places
    }

    fn emit(&mut self, name: &'static str, task: &Task, items: Option<Vec<Value>>) {
        let places = self.places(task);
        self.events.push(Event { name, subject: task.id.clone(), items, places });
    }

    /// Tells that a task changed: the event of its own, if the field has one, and its twin `taskUpdated`.
    pub fn tell(&mut self, own: Option<&'static str>, task: &Task, item: Item) {
        let item = self.item(&task.list, item);
        for name in own.into_iter().chain(["taskUpdated"]) {
            self.emit(name, task, Some(vec![item.clone()]));
        }
    }

    /// Tells that a task was created.
    pub fn tell_created(&mut self, task: &Task) {
        let removed = json!({"status": null, "color": "#000000", "type": "removed", "orderindex": -1});
        let status = self.status_item(task, removed);
        let status = self.item(&task.list, status);
        let creation = self.item(&task.list, Item::new("task_creation", Value::Null, Value::Null));
        self.emit("taskCreated", task, Some(vec![status.clone(), creation]));
        self.emit("taskStatusUpdated", task, Some(vec![status]));
    }

    /// The item of a status that became what the task now has.
    pub fn status_item(&self, task: &Task, before: Value) -> Item {
        let status = self.state.status(&task.list, &task.status);
        let kind = status.map(|status| status.kind.clone());
        let after = status.map_or(Value::Null, wire::status);
        Item { data: json!({"status_type": kind}), ..Item::new("status", before, after) }
    }

    /// Tells that a task was deleted: only ids, no user, no history.
    pub fn tell_deleted(&mut self, task: &Task) {
        self.emit("taskDeleted", task, None);
    }

    /// Tells that a task moved from another list.
    pub fn tell_moved(&mut self, task: &Task, from: &str) {
        let place =
            |tx: &Self, list: &str| tx.state.lists.get(list).map_or(Value::Null, |list| tx.section(list));
        let item = Item::new("section_moved", place(self, from), place(self, &task.list));
        let item = self.item(&task.list, item);
        let mut old = task.clone();
        from.clone_into(&mut old.list);
        let mut places = self.places(task);
        places.extend(
            self.places(&old).into_iter().filter(|place| !places.contains(place)).collect::<Vec<_>>(),
        );
        for name in ["taskMoved", "taskUpdated"] {
            let items = Some(vec![item.clone()]);
            self.events.push(Event { name, subject: task.id.clone(), items, places: places.clone() });
        }
        let spaces = places.iter().filter_map(|place| match place {
            Location::Space(space) => Some(space.clone()),
            _ => None,
        });
        for space in spaces.collect::<Vec<_>>() {
            let places = vec![Location::Workspace, Location::Space(space.clone())];
            self.events.push(Event { name: "spaceUpdated", subject: space, items: None, places });
        }
    }

    fn section(&self, list: &List) -> Value {
        let mut folder = wire::folder(self.state, list);
        if let Some(folder) = folder.as_object_mut() {
            folder.shift_remove("access");
        }
        let space = self.state.spaces.get(&list.space).map(|space| space.name.as_str());
        json!({
            "id": list.id, "name": list.name, "category": folder, "project": {"id": list.space, "name": space},
        })
    }

    /// Tells that a custom field was set or cleared. Values are raw: a drop-down's is the option's UUID.
    pub fn tell_field(&mut self, task: &Task, field: &Field, before: Value, after: Value) {
        let mut definition = wire::field(field);
        definition["team_id"] = json!(self.options.workspace);
        definition["deleted"] = json!(false);
        let extra = Some(("custom_field", definition));
        self.tell(None, task, Item { extra, ..Item::new("custom_field", before, after) });
    }

    /// Tells of a comment. An edit repeats the item id and the date of the post; only the text differs.
    pub fn tell_comment(&mut self, event: &'static str, task: &Task, comment: &Comment) {
        let id = comment.id.to_string();
        let author = wire::user(self.state, comment.user);
        let replies = self.state.replies.get(&comment.id).map_or(0, |replies| replies.len());
        let mut whole = json!({
            "id": id, "date": comment.date_ms.to_string(), "parent": task_id(comment.task), "type": 1,
            "comment": wire::comment_blocks(comment), "text_content": format!("{}\n", comment.text),
            "user": author, "new_thread_count": 0, "new_mentioned_thread_count": 0, "email_attachments": [],
            "threaded_users": [], "threaded_replies": replies, "threaded_assignees": 0,
            "threaded_assignees_members": [], "threaded_unresolved_count": 0, "thread_followers": [author],
            "group_thread_followers": [], "reactions": [], "emails": [],
        });
        for name in [
            "x",
            "y",
            "image_y",
            "image_x",
            "page",
            "comment_number",
            "page_id",
            "page_name",
            "view_id",
            "view_name",
            "team",
        ] {
            whole[name] = Value::Null;
        }
        let item = Item {
            extra: Some(("comment", whole)),
            again: Some((comment.hist, comment.date_ms)),
            user: Some(comment.user),
            ..Item::new("comment", Value::Null, json!(id))
        };
        self.tell(Some(event), task, item);
    }

    /// The item of a changed description: the texts of two deltas.
    pub fn content_item(before: &str, task: &Task) -> Item {
        Item::new("content", text::quill(before, &task.id), text::quill(&task.description, &task.id))
    }
}
