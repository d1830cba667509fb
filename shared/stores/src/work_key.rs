//! Which record a row is about: shared by work rows, evidence and quarantine.

use std::fmt;
use std::str::FromStr;

use domain::{Side, TaskId, TicketId};
use serde::{Deserialize, Serialize};

/// The record a row is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkKey {
    /// A Zendesk ticket.
    Ticket(TicketId),
    /// A ClickUp task; the pointer leads to its ticket.
    Task(TaskId),
}

impl fmt::Display for WorkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WorkKey::Ticket(id) => write!(f, "T#{id}"),
            WorkKey::Task(id) => write!(f, "C#{id}"),
        }
    }
}

impl FromStr for WorkKey {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('#') {
            Some(("T", id)) => id.parse().map(WorkKey::Ticket).map_err(|e: domain::IdError| e.to_string()),
            Some(("C", id)) => TaskId::new(id).map(WorkKey::Task).map_err(|e| e.to_string()),
            _ => Err("not a record's key".to_owned()),
        }
    }
}

/// A side from its letter in keys.
pub(crate) fn side(letter: &str) -> Option<Side> {
    [Side::Zendesk, Side::Clickup].into_iter().find(|side| side.letter().to_string() == letter)
}
