//! Changes for one record, in the shape the service takes them: what is `None` stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::comment::Visibility;
use crate::ids::{ListId, UserId};

/// A task to create: one call, custom fields and tags inside.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewTask {
    /// Title.
    pub name: String,
    /// Plain text with the footer that holds the marker.
    pub description: String,
    /// Status name of the list; the list's first one if absent.
    pub status: Option<String>,
    /// 1 to 4.
    pub priority: Option<u8>,
    /// Empty on tasks that are closed from the start: nobody is told of old work.
    pub assignees: BTreeSet<UserId>,
    /// Tag names.
    pub tags: BTreeSet<String>,
    /// Milliseconds.
    pub due_date: Option<i64>,
    /// Whether the due date has a time of day.
    pub due_date_time: bool,
    /// Custom fields by id, in write form.
    pub custom_fields: BTreeMap<String, serde_json::Value>,
}

/// The standard fields of a task: one call for all of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskPatch {
    /// New title.
    pub name: Option<String>,
    /// New description with footer.
    pub description: Option<String>,
    /// New status name.
    pub status: Option<String>,
    /// `Some(None)` clears.
    pub priority: Option<Option<u8>>,
    /// `Some(None)` clears; with it whether it has a time of day.
    pub due_date: Option<Option<(i64, bool)>>,
    /// People to add.
    pub assignees_add: BTreeSet<UserId>,
    /// People to remove: only those we added.
    pub assignees_rem: BTreeSet<UserId>,
    /// Puts a twin of ours away; never used on a task that a person touched.
    pub archived: Option<bool>,
}

impl TaskPatch {
    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        *self == TaskPatch::default()
    }
}

/// One write to a task: each is one call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TaskWrite {
    /// All standard fields together.
    Fields(TaskPatch),
    /// One tag more.
    AddTag(String),
    /// One tag less.
    RemoveTag(String),
    /// One custom field, in write form.
    SetField(String, serde_json::Value),
    /// One custom field cleared.
    ClearField(String),
    /// Another home list.
    Move(ListId),
}

/// A change of a ticket: fields and one comment share a call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TicketPatch {
    /// New subject.
    pub subject: Option<String>,
    /// New status category.
    pub status: Option<String>,
    /// The real status where custom statuses are on.
    pub custom_status_id: Option<u64>,
    /// `Some(None)` clears.
    pub priority: Option<Option<String>>,
    /// Needed before a due date can be set.
    pub ticket_type: Option<String>,
    /// `Some(None)` unassigns.
    pub assignee: Option<Option<UserId>>,
    /// The group that goes with the assignee.
    pub group: Option<u64>,
    /// The whole new set.
    pub tags: Option<BTreeSet<String>>,
    /// Custom fields by id, in write form; null clears.
    pub custom_fields: BTreeMap<u64, serde_json::Value>,
    /// `Some(None)` clears; RFC 3339.
    pub due_at: Option<Option<String>>,
    /// A foreign id.
    pub external_id: Option<String>,
    /// One comment.
    pub comment: Option<NewTicketComment>,
}

impl TicketPatch {
    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        *self == TicketPatch::default()
    }
}

/// A comment to add to a ticket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewTicketComment {
    /// Plain text.
    pub body: String,
    /// Always said, never left to the ticket's default.
    pub visibility: Visibility,
    /// Upload tokens of files.
    pub uploads: Vec<String>,
}
