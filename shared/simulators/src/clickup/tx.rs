//! One request's changes to the workspace: either all of them are committed, in one line of the journal, or none.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::history::Event;
use super::model::{List, Member, Space, Task};
use super::options::ClickUpOptions;
use super::refusal::{self, Refusal};
use super::rows::{Key, Row};
use super::state::{State, task_seq};
use crate::{Change, Dice};

/// A unit of work on the state: remembers what it replaced, and what is to be told to whom.
pub(super) struct Tx<'a> {
    pub state: &'a mut State,
    pub options: &'a ClickUpOptions,
    pub dice: &'a Dice,
    pub now: i64,
    pub actor: i64,
    /// The edit a simulated person named.
    pub edit: Option<String>,
    pub changes: Vec<Change>,
    pub events: Vec<Event>,
    /// The records as they were before, by key.
    before: BTreeMap<Key, Option<Row>>,
}

impl<'a> Tx<'a> {
    pub fn new(
        state: &'a mut State,
        options: &'a ClickUpOptions,
        dice: &'a Dice,
        actor: i64,
        edit: Option<String>,
    ) -> Self {
        let now = (options.clock)();
        Self {
            state,
            options,
            dice,
            now,
            actor,
            edit,
            changes: Vec::new(),
            events: Vec::new(),
            before: BTreeMap::new(),
        }
    }

    /// Puts a record in.
    pub fn put(&mut self, row: Row) {
        let key = row.key();
        let old = self.state.put(row);
        self.before.entry(key).or_insert(old);
    }

    /// Takes a record out.
    pub fn remove(&mut self, key: Key) {
        let old = self.state.remove(&key);
        self.before.entry(key).or_insert(old);
    }

    /// What was touched, as it is now: records to put and keys to take out.
    pub fn touched(&self) -> (Vec<Row>, Vec<Key>) {
        let mut put = Vec::new();
        let mut gone = Vec::new();
        for key in self.before.keys() {
            match self.state.get(key) {
                Some(row) => put.push(row),
                None => gone.push(key.clone()),
            }
        }
        (put, gone)
    }

    /// Puts everything back as it was.
    pub fn roll_back(self) {
        for (key, row) in self.before {
            match row {
                Some(row) => {
                    self.state.put(row);
                }
                None => {
                    self.state.remove(&key);
                    if let Key::Task(seq) = key {
                        self.state.deleted.remove(&seq);
                    }
                }
            }
        }
    }

    /// Notes the change of one field in the world's log. Numbers are given at the commit.
    pub fn note(&mut self, record: &str, field: &str, before: Value, after: Value) {
        self.changes.push(Change {
            seq: 0,
            at_ms: self.now,
            actor: self.actor,
            record: record.to_owned(),
            field: field.to_owned(),
            before,
            after,
            edit: self.edit.clone(),
        });
    }

    /// A fresh UUID. Drawn from a counter, so that a run repeats exactly.
    pub fn uuid(&mut self) -> String {
        self.state.counters.uuid += 1;
        let seed = format!("{}:{}", self.options.faults.seed, self.state.counters.uuid);
        let hex: String = Sha256::digest(seed).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }

    /// The id of a new history item: 19 digits.
    pub fn history_id(&mut self) -> u64 {
        self.state.counters.history += 1;
        4_697_736_615_798_900_000 + self.state.counters.history
    }

    /// A task the actor may see, by its id in a path.
    pub fn task(&self, id: &str) -> Result<&Task, Refusal> {
        let seq = task_seq(id).ok_or(refusal::TASK_UNKNOWN)?;
        let Some(task) = self.state.tasks.get(&seq) else {
            let deleted = self.state.deleted.contains(&seq);
            return Err(if deleted { refusal::TASK_DELETED } else { refusal::TASK_UNKNOWN });
        };
        let list = self.state.lists.get(&task.list).ok_or(refusal::TASK_UNKNOWN)?;
        // What one may not see does not exist, as far as the answer tells.
        if self.state.sees(self.actor, list) { Ok(task) } else { Err(refusal::TASK_UNKNOWN) }
    }

    /// A list the actor may see.
    pub fn list(&self, id: &str) -> Result<&List, Refusal> {
        let list = self.state.lists.get(id).ok_or(refusal::LIST_UNKNOWN)?;
        if self.state.sees(self.actor, list) { Ok(list) } else { Err(refusal::NO_ACCESS) }
    }

    /// A Space by its id in a path.
    pub fn space(&self, id: &str) -> Result<&Space, Refusal> {
        self.state.spaces.get(id).ok_or(refusal::PLACE_UNKNOWN)
    }

    /// Refuses every Workspace but this one.
    pub fn workspace(&self, id: &str) -> Result<(), Refusal> {
        if id == self.options.workspace { Ok(()) } else { Err(refusal::TEAM_NOT_AUTHORIZED) }
    }

    /// The Space a list is in, by the list's id.
    pub fn space_of(&self, list: &str) -> Option<&Space> {
        self.state.spaces.get(&self.state.lists.get(list)?.space)
    }

    /// 4 a.m. of the day this moment falls on, where the actor lives: what a date without a time is stored as.
    pub fn day(&self, ms: i64) -> i64 {
        const DAY_MS: i64 = 86_400_000;
        const FOUR_HOURS_MS: i64 = 4 * 3_600_000;
        let offset_ms = self.state.members.get(&self.actor).map_or(0, |m: &Member| m.utc_offset_min * 60_000);
        (ms + offset_ms).div_euclid(DAY_MS) * DAY_MS + FOUR_HOURS_MS - offset_ms
    }

    /// Makes sure the Space of a list has these tags.
    pub fn define_tags(&mut self, list: &str, names: &BTreeSet<String>) {
        let Some(space) = self.space_of(list) else { return };
        if names.iter().all(|name| space.tags.contains_key(name)) {
            return;
        }
        let mut space = space.clone();
        for name in names {
            let tag = super::model::Tag { color: super::wire::color(name.len() as i64), creator: self.actor };
            space.tags.entry(name.clone()).or_insert(tag);
        }
        self.put(Row::Space(space));
    }

    /// Stores a changed task with its new time.
    pub fn save(&mut self, mut task: Task) {
        task.updated_ms = self.now;
        self.put(Row::Task(task.into()));
    }
}

/// A task as the log tells of it when it appears or vanishes.
pub(super) fn summary(task: &Task) -> Value {
    json!({
        "id": task.id, "list": task.list, "title": task.name, "description": task.description,
        "status": task.status, "priority": task.priority, "assignee": task.assignees, "tags": task.tags,
        "due": task.due_ms, "custom": task.values, "creator": task.creator, "archived": task.archived,
    })
}
