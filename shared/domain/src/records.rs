//! Tickets, tasks and people as the rest of deskup sees them. The clients build these from what the
//! services answer; members that deskup does not use stay in the wire types.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::comment::Attachment;
use crate::ids::{ListId, TaskId, TicketId, Timestamp, UserId};

/// A Zendesk ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its number.
    pub id: TicketId,
    /// May be missing on tickets made by API or e-mail.
    pub subject: Option<String>,
    /// The first comment's text; read only.
    pub description: String,
    /// `new`, `open`, `pending`, `hold`, `solved`, `closed`, `deleted`, or what Zendesk adds.
    pub status: String,
    /// The real status where custom statuses are on.
    pub custom_status_id: Option<u64>,
    /// `urgent`, `high`, `normal`, `low`.
    pub priority: Option<String>,
    /// `problem`, `incident`, `question`, `task`.
    pub ticket_type: Option<String>,
    /// The one assignee.
    pub assignee: Option<UserId>,
    /// The group it is routed to.
    pub group: Option<u64>,
    /// Who asked.
    pub requester: Option<UserId>,
    /// The requester's organization.
    pub organization: Option<u64>,
    /// The form it was made with.
    pub form: Option<u64>,
    /// The brand.
    pub brand: Option<u64>,
    /// All tags, those of drop-down options included.
    pub tags: BTreeSet<String>,
    /// Custom fields by id, raw.
    pub custom_fields: BTreeMap<u64, serde_json::Value>,
    /// Only on tickets of type task.
    pub due_at: Option<Timestamp>,
    /// A foreign id; not unique.
    pub external_id: Option<String>,
    /// Whether the first comment is public.
    pub is_public: bool,
    /// When it was made.
    pub created: Timestamp,
    /// Moves only with ticket events; second precision.
    pub updated: Timestamp,
    /// `updated_at` exactly as returned, for `updated_stamp`.
    pub updated_stamp: String,
}

impl Ticket {
    /// A closed ticket takes no change.
    pub fn is_closed(&self) -> bool {
        self.status == "closed"
    }

    /// Exports list deleted tickets with this status.
    pub fn is_deleted(&self) -> bool {
        self.status == "deleted"
    }
}

/// A ClickUp task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Its title.
    pub name: String,
    /// Plain text, the footer included.
    pub description: String,
    /// Status name as the list stores it.
    pub status: String,
    /// `open`, `custom`, `done`, `closed`, `unstarted`, or what ClickUp adds.
    pub status_type: String,
    /// 1 urgent, 2 high, 3 normal, 4 low.
    pub priority: Option<u8>,
    /// All assignees.
    pub assignees: BTreeSet<UserId>,
    /// Tag names.
    pub tags: BTreeSet<String>,
    /// Set custom fields by id, raw; an unset field is absent. Drop-downs are option UUIDs here:
    /// the client resolves the index with the field's definition.
    pub custom_fields: BTreeMap<String, serde_json::Value>,
    /// Due date in milliseconds.
    pub due_date: Option<Timestamp>,
    /// Whether the due date has a time of day.
    pub due_date_time: bool,
    /// Home list.
    pub list: ListId,
    /// Who made it.
    pub creator: UserId,
    /// When it was made.
    pub created: Timestamp,
    /// When it last moved.
    pub updated: Timestamp,
    /// Archived tasks stay where they are and take no writes of ours.
    pub archived: bool,
    /// Whether a link makes it visible to anybody (`sharing.public`); unknown counts as false there, and
    /// guests are seen in the list's members.
    pub public: bool,
    /// Files on the task; only a read of one task has them.
    pub attachments: Vec<Attachment>,
    /// A page for people.
    pub url: String,
    /// Parent task of a subtask.
    pub parent: Option<TaskId>,
}

/// A person on one side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Id on that side; Zendesk's anonymous user has none.
    pub id: Option<UserId>,
    /// Name for people.
    pub name: String,
    /// Lower case; may be missing.
    pub email: Option<String>,
    /// Zendesk: `end-user`, `agent`, `admin`. ClickUp: `owner`, `admin`, `member`, `guest`.
    pub role: String,
    /// False for suspended and deleted people.
    pub active: bool,
    /// Zendesk: groups the agent belongs to, where known.
    pub groups: BTreeSet<u64>,
}

/// A ClickUp list with what a sync has to know of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListInfo {
    /// Its id.
    pub id: ListId,
    /// Its name.
    pub name: String,
    /// Its space, where tags live.
    pub space: String,
    /// Status names with their type, in order.
    pub statuses: Vec<(String, String)>,
}
