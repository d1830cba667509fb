//! The contents of the workspace with the indexes that keep every request cheap, however many tasks there are.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{
    Comment, Delivery, Field, File, Folder, Grant, List, Member, Role, Space, Status, Task, Webhook,
};
use super::rows::{Counters, Key, Row};

/// Tasks in the order of one of their times.
pub(super) type TimeIndex = BTreeSet<(i64, u64)>;

/// The two orders in which tasks are listed.
#[derive(Debug, Default)]
pub(super) struct Orders {
    pub created: TimeIndex,
    pub updated: TimeIndex,
}

impl Orders {
    fn insert(&mut self, task: &Task) {
        self.created.insert((task.created_ms, task.seq));
        self.updated.insert((task.updated_ms, task.seq));
    }

    fn remove(&mut self, task: &Task) {
        self.created.remove(&(task.created_ms, task.seq));
        self.updated.remove(&(task.updated_ms, task.seq));
    }
}

/// Every record, and the ways to find them.
#[derive(Debug, Default)]
pub(super) struct State {
    pub members: BTreeMap<i64, Member>,
    pub spaces: BTreeMap<String, Space>,
    pub folders: BTreeMap<String, Folder>,
    pub lists: BTreeMap<String, List>,
    pub fields: BTreeMap<String, Field>,
    pub tasks: BTreeMap<u64, Task>,
    pub comments: BTreeMap<u64, Comment>,
    pub files: BTreeMap<u64, File>,
    pub webhooks: BTreeMap<String, Webhook>,
    pub deliveries: BTreeMap<u64, Delivery>,
    pub grants: BTreeMap<String, Grant>,
    pub counters: Counters,
    /// Tasks that existed: asked for, they are "deleted" rather than "not found".
    pub deleted: BTreeSet<u64>,
    pub all: Orders,
    pub by_list: BTreeMap<String, Orders>,
    pub children: BTreeMap<u64, BTreeSet<u64>>,
    /// Top-level comments of a task, oldest first.
    pub task_comments: BTreeMap<u64, BTreeSet<(i64, u64)>>,
    pub replies: BTreeMap<u64, BTreeSet<(i64, u64)>>,
    pub task_files: BTreeMap<u64, BTreeSet<u64>>,
    pub stored_bytes: u64,
}

impl State {
    /// Puts a record in and returns the one it replaces.
    pub fn put(&mut self, row: Row) -> Option<Row> {
        match row {
            Row::Member(row) => self.members.insert(row.id, row).map(Row::Member),
            Row::Space(row) => self.spaces.insert(row.id.clone(), row).map(Row::Space),
            Row::Folder(row) => self.folders.insert(row.id.clone(), row).map(Row::Folder),
            Row::List(row) => self.lists.insert(row.id.clone(), row).map(Row::List),
            Row::Field(row) => self.fields.insert(row.id.clone(), row).map(Row::Field),
            Row::Grant(row) => self.grants.insert(row.key.clone(), row).map(Row::Grant),
            Row::Webhook(row) => self.webhooks.insert(row.id.clone(), *row).map(|r| Row::Webhook(r.into())),
            Row::Delivery(row) => self.deliveries.insert(row.number, *row).map(|r| Row::Delivery(r.into())),
            Row::Task(row) => {
                let old = self.remove(&Key::Task(row.seq));
                self.deleted.remove(&row.seq);
                self.all.insert(&row);
                self.by_list.entry(row.list.clone()).or_default().insert(&row);
                if let Some(parent) = row.parent {
                    self.children.entry(parent).or_default().insert(row.seq);
                }
                self.tasks.insert(row.seq, *row);
                old
            }
            Row::Comment(row) => {
                let old = self.remove(&Key::Comment(row.id));
                let index = match row.parent {
                    Some(parent) => self.replies.entry(parent),
                    None => self.task_comments.entry(row.task),
                };
                index.or_default().insert((row.date_ms, row.id));
                self.comments.insert(row.id, *row);
                old
            }
            Row::File(row) => {
                let old = self.remove(&Key::File(row.number));
                self.task_files.entry(row.task).or_default().insert(row.number);
                self.stored_bytes += row.size;
                self.files.insert(row.number, *row);
                old
            }
        }
    }

    /// Takes a record out.
    pub fn remove(&mut self, key: &Key) -> Option<Row> {
        match key {
            Key::Member(id) => self.members.remove(id).map(Row::Member),
            Key::Space(id) => self.spaces.remove(id).map(Row::Space),
            Key::Folder(id) => self.folders.remove(id).map(Row::Folder),
            Key::List(id) => self.lists.remove(id).map(Row::List),
            Key::Field(id) => self.fields.remove(id).map(Row::Field),
            Key::Grant(key) => self.grants.remove(key).map(Row::Grant),
            Key::Webhook(id) => self.webhooks.remove(id).map(|row| Row::Webhook(row.into())),
            Key::Delivery(number) => self.deliveries.remove(number).map(|row| Row::Delivery(row.into())),
            Key::Task(seq) => {
                let task = self.tasks.remove(seq)?;
                self.deleted.insert(*seq);
                self.all.remove(&task);
                if let Some(orders) = self.by_list.get_mut(&task.list) {
                    orders.remove(&task);
                }
                if let Some(parent) = task.parent.and_then(|parent| self.children.get_mut(&parent)) {
                    parent.remove(seq);
                }
                Some(Row::Task(task.into()))
            }
            Key::Comment(id) => {
                let comment = self.comments.remove(id)?;
                let index = match comment.parent {
                    Some(parent) => self.replies.get_mut(&parent),
                    None => self.task_comments.get_mut(&comment.task),
                };
                if let Some(index) = index {
                    index.remove(&(comment.date_ms, *id));
                }
                Some(Row::Comment(comment.into()))
            }
            Key::File(number) => {
                let file = self.files.remove(number)?;
                self.stored_bytes -= file.size;
                if let Some(index) = self.task_files.get_mut(&file.task) {
                    index.remove(number);
                }
                Some(Row::File(file.into()))
            }
        }
    }

    /// A copy of a record.
    pub fn get(&self, key: &Key) -> Option<Row> {
        Some(match key {
            Key::Member(id) => Row::Member(self.members.get(id)?.clone()),
            Key::Space(id) => Row::Space(self.spaces.get(id)?.clone()),
            Key::Folder(id) => Row::Folder(self.folders.get(id)?.clone()),
            Key::List(id) => Row::List(self.lists.get(id)?.clone()),
            Key::Field(id) => Row::Field(self.fields.get(id)?.clone()),
            Key::Grant(key) => Row::Grant(self.grants.get(key)?.clone()),
            Key::Task(seq) => Row::Task(self.tasks.get(seq)?.clone().into()),
            Key::Comment(id) => Row::Comment(self.comments.get(id)?.clone().into()),
            Key::File(number) => Row::File(self.files.get(number)?.clone().into()),
            Key::Webhook(id) => Row::Webhook(self.webhooks.get(id)?.clone().into()),
            Key::Delivery(number) => Row::Delivery(self.deliveries.get(number)?.clone().into()),
        })
    }

    /// Every record, parents before what hangs on them.
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        let places = self.members.values().cloned().map(Row::Member);
        let places = places.chain(self.grants.values().cloned().map(Row::Grant));
        let places = places.chain(self.spaces.values().cloned().map(Row::Space));
        let places = places.chain(self.folders.values().cloned().map(Row::Folder));
        let places = places.chain(self.lists.values().cloned().map(Row::List));
        let places = places.chain(self.fields.values().cloned().map(Row::Field));
        let work = self.tasks.values().map(|row| Row::Task(row.clone().into()));
        let work = work.chain(self.comments.values().map(|row| Row::Comment(row.clone().into())));
        let work = work.chain(self.files.values().map(|row| Row::File(row.clone().into())));
        let work = work.chain(self.webhooks.values().map(|row| Row::Webhook(row.clone().into())));
        let work = work.chain(self.deliveries.values().map(|row| Row::Delivery(row.clone().into())));
        places.chain(work)
    }

    /// Whether a person sees a list: private lists and guests need an invitation, except for owners and admins.
    pub fn sees(&self, user: i64, list: &List) -> bool {
        let role = self.members.get(&user).map_or(Role::Member, |member| member.role);
        match role {
            Role::Owner | Role::Admin => true,
            Role::Member => !list.private || list.members.contains(&user),
            Role::Guest => list.members.contains(&user),
        }
    }

    /// The fields of a list.
    pub fn fields_of<'a>(&'a self, list: &'a str) -> impl Iterator<Item = &'a Field> {
        self.fields.values().filter(move |field| field.lists.contains(list))
    }

    /// The status of a list by its name, whatever the case.
    pub fn status<'a>(&'a self, list: &str, name: &str) -> Option<&'a Status> {
        let name = name.trim().to_lowercase();
        self.lists.get(list)?.statuses.iter().find(|status| status.status.to_lowercase() == name)
    }
}

/// What all public task ids count from: nine characters that begin like today's.
const TASK_ID_BASE: u64 = 294 * 36_u64.pow(7) + 19_770_609_606;
/// Public ids are spread, so that nobody reads an order into them.
const TASK_ID_STEP: u64 = 7;

/// The public id of the task with this number.
pub(super) fn task_id(seq: u64) -> String {
    let mut rest = TASK_ID_BASE + seq * TASK_ID_STEP;
    let mut text = Vec::new();
    while rest > 0 {
        text.push(char::from(b"0123456789abcdefghijklmnopqrstuvwxyz"[(rest % 36) as usize]));
        rest /= 36;
    }
    text.iter().rev().collect()
}

/// The number of a public id.
pub(super) fn task_seq(id: &str) -> Option<u64> {
    let fits = id.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
    let number = u64::from_str_radix(id, 36).ok().filter(|_| fits)?.checked_sub(TASK_ID_BASE)?;
    (number % TASK_ID_STEP == 0).then_some(number / TASK_ID_STEP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn task_ids_read_back_and_look_like_todays() {
        for seq in [1, 2, 77, 10_000, 5_000_000] {
            let id = task_id(seq);
            assert_eq!((id.len(), &id[..2]), (9, "86"));
            assert_eq!(task_seq(&id), Some(seq));
        }
        assert_eq!(task_seq("9hx"), None);
        assert_eq!(task_seq(&task_id(3).to_uppercase()), None);
    }
}
