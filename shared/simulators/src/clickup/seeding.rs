//! Filling a workspace before anybody looks: no webhooks, no log, no limits. Also for what people arrange in the
//! application later: who is in a list, who is disabled, what is shared.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::model::{Field, FieldOption, Folder, Grant, List, Member, Space, Status, Tag, Task, Webhook};
use super::refusal::Refusal;
use super::rows::Row;
use super::state::task_seq;
use super::tx::Tx;
use super::{create, text, wire};

/// Hands out the ways to fill a workspace. Adding something that is there replaces it.
pub struct Seed<'a, 'b> {
    pub(super) tx: &'a mut Tx<'b>,
}

/// A list to add.
#[derive(Clone, Debug, Default)]
pub struct ListSeed {
    /// Digits.
    pub id: String,
    /// What people see.
    pub name: String,
    /// The id of its Space.
    pub space: String,
    /// The id of its folder, if it is in one.
    pub folder: Option<String>,
    /// Names and types (`open`, `custom`, `done`, `closed`), in order.
    pub statuses: Vec<(String, String)>,
    /// People with explicit access, guests among them.
    pub members: Vec<i64>,
    /// Only those with explicit access, owners and admins see it.
    pub private: bool,
    /// Out of sight.
    pub archived: bool,
}

/// A custom field to add.
#[derive(Clone, Debug, Default)]
pub struct FieldSeed {
    /// What people see.
    pub name: String,
    /// The service's name of the type: `drop_down`, `short_text`, ….
    pub kind: String,
    /// Names of the options of a drop-down or labels field, in order.
    pub options: Vec<String>,
    /// The lists that have it.
    pub lists: Vec<String>,
    /// The `custom_item_id`s it applies to; none is all.
    pub items: Option<Vec<i64>>,
}

/// What a field was given.
#[derive(Clone, Debug, PartialEq)]
pub struct SeededField {
    /// Its UUID.
    pub id: String,
    /// Its options with their UUIDs.
    pub options: Vec<FieldOption>,
}

/// A task to add.
#[derive(Clone, Debug, Default)]
pub struct TaskSeed {
    /// The id of its list.
    pub list: String,
    /// Its name.
    pub name: String,
    /// Plain text.
    pub description: String,
    /// A status of the list; none is the first one.
    pub status: Option<String>,
    /// Who made it.
    pub creator: i64,
    /// User ids.
    pub assignees: Vec<i64>,
    /// Names.
    pub tags: Vec<String>,
    /// 1 to 4.
    pub priority: Option<u8>,
    /// Stored values by field id: option UUIDs, numbers and dates as text.
    pub values: BTreeMap<String, Value>,
}

impl Seed<'_, '_> {
    /// Adds a person; its token is `pk_{id}`.
    pub fn add_member(&mut self, member: Member) {
        self.tx.put(Row::Member(member));
    }

    /// Disables a person, as an admin would: its token is refused and its webhooks fall silent.
    pub fn disable_member(&mut self, id: i64) {
        if let Some(member) = self.tx.state.members.get(&id).cloned() {
            self.tx.put(Row::Member(Member { disabled: true, ..member }));
        }
    }

    /// Suspends all webhooks, as after too many failures; true if any was alive.
    pub fn suspend_webhooks(&mut self) -> bool {
        let alive: Vec<Webhook> =
            self.tx.state.webhooks.values().filter(|hook| !hook.suspended).map(Webhook::clone).collect();
        for hook in &alive {
            self.tx.put(Row::Webhook(Webhook { suspended: true, ..hook.clone() }.into()));
        }
        !alive.is_empty()
    }

    /// Adds an OAuth token of a person.
    pub fn add_oauth_token(&mut self, token: &str, user: i64) {
        self.tx.put(Row::Grant(Grant { key: token.to_owned(), user, client: None }));
    }

    /// Adds the code that a person's consent gave to an app, to be exchanged at `/oauth/token`.
    pub fn add_oauth_code(&mut self, code: &str, client_id: &str, client_secret: &str, user: i64) {
        let client = Some((client_id.to_owned(), client_secret.to_owned()));
        self.tx.put(Row::Grant(Grant { key: code.to_owned(), user, client }));
    }

    /// Adds a Space in which tasks may have several assignees.
    pub fn add_space(&mut self, id: &str, name: &str) {
        self.put_space(id, name, true);
    }

    /// Adds a Space in which a task has one assignee.
    pub fn add_single_assignee_space(&mut self, id: &str, name: &str) {
        self.put_space(id, name, false);
    }

    fn put_space(&mut self, id: &str, name: &str, multiple_assignees: bool) {
        let (id, name) = (id.to_owned(), name.to_owned());
        self.tx.put(Row::Space(Space { id, name, multiple_assignees, tags: BTreeMap::new() }));
    }

    /// Adds a tag to a Space.
    pub fn add_tag(&mut self, space: &str, name: &str) {
        if let Some(mut space) = self.tx.state.spaces.get(space).cloned() {
            space.tags.insert(text::tag(name), Tag { color: wire::color(0), creator: 0 });
            self.tx.put(Row::Space(space));
        }
    }

    /// Adds a folder.
    pub fn add_folder(&mut self, id: &str, name: &str, space: &str) {
        let (id, name, space) = (id.to_owned(), name.to_owned(), space.to_owned());
        self.tx.put(Row::Folder(Folder { id, name, space }));
    }

    /// Adds a list.
    pub fn add_list(&mut self, list: ListSeed) {
        self.tx.put(Row::List(List {
            statuses: statuses(&list.id, &list.statuses),
            id: list.id,
            name: list.name,
            space: list.space,
            folder: list.folder,
            members: list.members.into_iter().collect(),
            private: list.private,
            archived: list.archived,
        }));
    }

    /// Replaces the statuses of a list: names and types, in order. Tasks keep what they have.
    pub fn set_statuses(&mut self, list: &str, named: &[(String, String)]) {
        if let Some(list) = self.tx.state.lists.get(list).cloned() {
            let statuses = statuses(&list.id, named);
            self.tx.put(Row::List(List { statuses, ..list }));
        }
    }

    /// Replaces who has explicit access to a list, and whether only they see it.
    pub fn set_access(&mut self, list: &str, members: &[i64], private: bool) {
        if let Some(list) = self.tx.state.lists.get(list).cloned() {
            let members: BTreeSet<i64> = members.iter().copied().collect();
            self.tx.put(Row::List(List { members, private, ..list }));
        }
    }

    /// Adds a custom field.
    pub fn add_field(&mut self, field: FieldSeed) -> SeededField {
        let id = self.tx.uuid();
        let names = field.options.into_iter();
        let options: Vec<FieldOption> = names.map(|name| FieldOption { id: self.tx.uuid(), name }).collect();
        let seeded = SeededField { id: id.clone(), options: options.clone() };
        self.tx.put(Row::Field(Field {
            id,
            name: field.name,
            kind: field.kind,
            options,
            lists: field.lists.into_iter().collect(),
            items: field.items.map(|items| items.into_iter().collect()),
            created_ms: self.tx.now,
        }));
        seeded
    }

    /// Adds a custom field to a list, or takes it from there. Tasks keep their values.
    pub fn set_field(&mut self, id: &str, list: &str, there: bool) {
        if let Some(mut field) = self.tx.state.fields.get(id).cloned() {
            match there {
                true => field.lists.insert(list.to_owned()),
                false => field.lists.remove(list),
            };
            self.tx.put(Row::Field(field));
        }
    }

    /// Adds a task and returns its id; an error code when its list is missing or full, or has no such status.
    pub fn add_task(&mut self, seed: TaskSeed) -> Result<String, &'static str> {
        self.task(seed).map_err(|refusal| refusal.code)
    }

    fn task(&mut self, seed: TaskSeed) -> Result<String, Refusal> {
        let list = self.tx.state.lists.get(&seed.list).ok_or(super::refusal::LIST_UNKNOWN)?;
        let status = match &seed.status {
            Some(name) => self.tx.state.status(&seed.list, name),
            None => list.statuses.first(),
        };
        let task = Task {
            status: status.ok_or(super::refusal::STATUS_UNKNOWN)?.status.clone(),
            list: seed.list,
            name: text::name(&seed.name),
            description: text::body(&seed.description),
            creator: seed.creator,
            assignees: seed.assignees,
            tags: seed.tags.iter().map(|tag| text::tag(tag)).collect(),
            priority: seed.priority,
            values: seed.values,
            ..Task::default()
        };
        let task = create::add(self.tx, task, Value::Null)?;
        let id = task.id.clone();
        // What was there before anybody looked is in every list.
        self.tx.put(Row::Task(Task { visible_ms: self.tx.now, ..task }.into()));
        Ok(id)
    }

    /// Shares a task with the world by a link, or ends that. False when there is no such task.
    pub fn share_task(&mut self, id: &str, public: bool) -> bool {
        let task = task_seq(id).and_then(|seq| self.tx.state.tasks.get(&seq)).cloned();
        match task {
            Some(task) => {
                self.tx.put(Row::Task(Task { public, ..task }.into()));
                true
            }
            None => false,
        }
    }
}

fn statuses(list: &str, named: &[(String, String)]) -> Vec<Status> {
    let statuses = named.iter().zip(0..).map(|((status, kind), orderindex)| Status {
        id: format!("sc{list}_{orderindex}"),
        status: status.clone(),
        color: wire::color(orderindex),
        orderindex,
        kind: kind.clone(),
    });
    statuses.collect()
}
