//! What a link, a pointer and a page of links hold.

use domain::{FieldKey, LinkFields, ListId, Side, TaskId, TicketId, Value};
use serde::{Deserialize, Serialize};

/// Where a link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LinkState {
    /// A task is about to be created.
    Intent,
    /// A create whose outcome is unknown is being looked for.
    Probe,
    /// Both sides are known.
    Linked,
    /// The other side is not visible at present.
    Suspended,
    /// The ticket is closed for good.
    Closed,
    /// Taken apart; the two records no longer follow each other.
    Unlinked,
}

/// A value we sent whose outcome is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnValue {
    /// Where it was sent.
    pub side: Side,
    /// Which field.
    pub field: FieldKey,
    /// The value, in stored form.
    pub value: Value,
    /// The effect that sent it.
    pub effect: String,
    /// After this it can no longer arrive.
    pub until_ms: i64,
}

/// What is known of a ticket and its task.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The ticket.
    pub ticket: TicketId,
    /// Where the link stands.
    pub state: LinkState,
    /// The task, once linked.
    pub task: Option<TaskId>,
    /// The list where deskup last put the task.
    pub list: Option<ListId>,
    /// Fingerprint of the routes that chose the list; empty where nobody noted it.
    pub routes: String,
    /// The nonce in the marker of the task that is or was to be created.
    pub nonce: String,
    /// Nonces of earlier attempts: a task with one of these may still turn up.
    pub nonces: Vec<String>,
    /// The highest fence that wrote.
    pub fence: u64,
    /// Raised by every update; an update names the version it read.
    pub ver: u64,
    /// Bases by field; before the link is made, those that its create was meant to leave.
    pub fields: LinkFields,
    /// Values of ours whose outcome is unknown, at most [`Link::OWN_MAX`].
    pub own: Vec<OwnValue>,
    /// `updated_at` of the ticket as last read.
    pub z_stamp: String,
    /// `date_updated` of the task as last read, ms.
    pub c_updated: i64,
    /// Newest ticket comment that was mirrored or skipped.
    pub cz: Option<String>,
    /// Newest task comment that was mirrored or skipped.
    pub cc: Option<String>,
    /// What made the link: execution and rule.
    pub origin: String,
    /// Who sent the create.
    pub sent_by: String,
    /// When the intent was put, ms.
    pub intent_ms: i64,
    /// When the probe may be made, ms; 0 while there is none.
    pub probe_ms: i64,
    /// Until the link is made: tasks that a webhook or a list told of, each with the nonce in its marker.
    pub seen: Vec<(TaskId, String)>,
    /// Start (ms) and count of the window of 30 updates in 10 minutes.
    pub z_bucket: (i64, u32),
}

impl Link {
    /// More values of unknown outcome than this are not kept; the record waits instead.
    pub const OWN_MAX: usize = 16;
    /// Of a recurring task more copies than this are not noted: the oldest is ours, and comes first.
    pub const SEEN_MAX: usize = 16;
}

/// What a create is about to send: what stands there should its reply be lost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sent {
    /// Where the task is to be.
    pub list: Option<ListId>,
    /// The bases it is to leave.
    pub fields: LinkFields,
}

/// What linking adds to an intent.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkedAs {
    /// The task.
    pub task: TaskId,
    /// The list it was put in, where deskup chose it.
    pub list: Option<ListId>,
    /// Fingerprint of the routes that chose it.
    pub routes: String,
    /// Bases after the create.
    pub fields: LinkFields,
    /// `updated_at` of the ticket.
    pub z_stamp: String,
    /// `date_updated` of the task, ms.
    pub c_updated: i64,
    /// Newest ticket comment that is settled.
    pub cz: Option<String>,
    /// Newest task comment that is settled.
    pub cc: Option<String>,
    /// Execution and rule.
    pub origin: String,
}

/// The way from a task to its ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// The ticket.
    pub ticket: TicketId,
    /// The nonce of the create.
    pub nonce: String,
}

/// A page of all links.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkPage {
    /// Links in no order that means anything.
    pub links: Vec<Link>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<LinkPageKey>,
}

/// Where a page of links starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkPageKey {
    pub(crate) pk: String,
    pub(crate) sk: String,
}
