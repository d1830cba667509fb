//! The unit of storage: a row of some table, put or removed as a whole. A committed request is the rows it touched.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::model::{Comment, Delivery, Field, File, Folder, Grant, List, Member, Space, Task, Webhook};
use crate::Change;

/// A whole record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Row {
    Member(Member),
    Space(Space),
    Folder(Folder),
    List(List),
    Field(Field),
    Task(Box<Task>),
    Comment(Box<Comment>),
    File(Box<File>),
    Webhook(Box<Webhook>),
    Delivery(Box<Delivery>),
    Grant(Grant),
}

/// What names a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Key {
    Member(i64),
    Space(String),
    Folder(String),
    List(String),
    Field(String),
    Task(u64),
    Comment(u64),
    File(u64),
    Webhook(String),
    Delivery(u64),
    Grant(String),
}

impl Row {
    pub fn key(&self) -> Key {
        match self {
            Row::Member(row) => Key::Member(row.id),
            Row::Space(row) => Key::Space(row.id.clone()),
            Row::Folder(row) => Key::Folder(row.id.clone()),
            Row::List(row) => Key::List(row.id.clone()),
            Row::Field(row) => Key::Field(row.id.clone()),
            Row::Task(row) => Key::Task(row.seq),
            Row::Comment(row) => Key::Comment(row.id),
            Row::File(row) => Key::File(row.number),
            Row::Webhook(row) => Key::Webhook(row.id.clone()),
            Row::Delivery(row) => Key::Delivery(row.number),
            Row::Grant(row) => Key::Grant(row.key.clone()),
        }
    }
}

/// The last number given out, per kind. They only grow, so a number is never used twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Counters {
    pub task: u64,
    pub comment: u64,
    pub file: u64,
    pub webhook: u64,
    pub delivery: u64,
    pub history: u64,
    pub uuid: u64,
    pub place: u64,
}

/// One line of the journal: a call that was answered, with everything it changed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Line {
    /// When.
    pub at: i64,
    /// Who.
    pub by: i64,
    /// Which endpoint; none for what the service does by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// Whether it counted against the rate limit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub limited: bool,
    /// Answered 429.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rejected: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub put: Vec<Row>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<Key>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counters: Option<Counters>,
    /// Totals of a compacted journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<Totals>,
}

/// What the calls so far amount to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Totals {
    /// By user and endpoint.
    pub calls: BTreeMap<i64, BTreeMap<String, u64>>,
    /// Requests answered 429.
    pub rejected: u64,
    /// Tasks that were deleted.
    pub deleted: BTreeSet<u64>,
}
