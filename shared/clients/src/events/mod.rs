//! Webhook deliveries of both services: what changed, on which record, by whom. A delivery is a hint:
//! it may be lost, repeated or late, so the record is read again. Bodies are parsed only after their
//! signature was checked.

mod clickup;
mod zendesk;

use domain::{Side, TaskId, TicketId, Timestamp, UserId};
use serde_json::Value as Json;

pub use clickup::ClickupEvent;
pub use zendesk::ZendeskEvent;

/// The body is not a delivery of that service. What it holds instead is not said.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the body is not a {0} event")]
pub struct NotAnEvent(Side);

/// Which record a delivery speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Record {
    /// A Zendesk ticket.
    Ticket(TicketId),
    /// A ClickUp task.
    Task(TaskId),
    /// Something else: a user, a list, a space.
    Other(String),
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The record is new.
    Created,
    /// It is gone, or nobody sees it any more.
    Deleted,
    /// It is back.
    Restored,
    /// It became part of another.
    Merged,
    /// A field changed; `field` says which.
    Field,
    /// It has another home: list, or what routes a ticket.
    Moved,
    /// A comment was added or changed.
    Comment,
    /// A file was added or removed.
    Attachment,
    /// Anything else, services add new ones: worth a look at the record.
    Other,
}

/// One change in a delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// What kind of thing happened.
    pub kind: Kind,
    /// The event's name, such as `ticket.status_changed` or `taskStatusUpdated`.
    pub event: String,
    /// Equal for a repeated delivery and different otherwise; `None` where the service gives nothing to
    /// tell repeats by.
    pub repeat_key: Option<String>,
    /// Who did it, where the service says.
    pub actor: Option<UserId>,
    /// When, where the service says.
    pub at: Option<Timestamp>,
    /// The field. Zendesk: as audits call it (`subject`, `assignee_id`, the id of a custom field). ClickUp:
    /// as history items call it (`content`, `assignee_add`), the UUID for a custom field.
    pub field: Option<String>,
    /// Before, raw; Zendesk's tags as the whole set.
    pub before: Option<Json>,
    /// After, raw; Zendesk's tags as the whole set. For a comment its id.
    pub after: Option<Json>,
    /// ClickUp: the whole history item.
    pub item: Option<Json>,
}
