//! The log of every change of a simulated record, field by field: what an independent judge reads.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The request header by which a simulated person names the edit it makes.
pub const EDIT_HEADER: &str = "x-world-edit";

/// One field of one record changed, by whomever.
///
/// Fields: `created`, `deleted`, `title`, `description`, `status`, `priority`, `assignee`, `tags`, `due`, `type`,
/// `group`, `requester`, `organization`, `custom:<id>`, `comment`, `attachment`, `list`, `archived`, `external_id`.
/// A comment's `after` is `{id, public, body, author}`; tags are whole sets before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Counts from 1 without gaps, in the order of commits.
    pub seq: u64,
    /// When, in Unix milliseconds.
    pub at_ms: i64,
    /// The user who did it; 0 for the service itself.
    pub actor: i64,
    /// The ticket's or task's id.
    pub record: String,
    /// Which field.
    pub field: String,
    /// The value before.
    pub before: Value,
    /// The value after.
    pub after: Value,
    /// The edit a simulated person named in [`EDIT_HEADER`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit: Option<String>,
}

/// All changes so far, oldest first. Numbers them.
#[derive(Debug, Default)]
pub struct ChangeLog {
    changes: Vec<Change>,
}

impl ChangeLog {
    /// The number the next change gets.
    pub fn next_seq(&self) -> u64 {
        self.changes.last().map_or(1, |last| last.seq + 1)
    }

    /// Takes changes in, numbering them after what is there. Returns them as they were stored.
    pub fn append(&mut self, mut changes: Vec<Change>) -> &[Change] {
        let first = self.changes.len();
        for (seq, change) in (self.next_seq()..).zip(&mut changes) {
            change.seq = seq;
        }
        self.changes.append(&mut changes);
        &self.changes[first..]
    }

    /// Takes in changes that already have numbers: a replay of the journal.
    pub fn restore(&mut self, changes: Vec<Change>) {
        self.changes.extend(changes);
    }

    /// Every change, oldest first.
    pub fn all(&self) -> &[Change] {
        &self.changes
    }

    /// The changes numbered above `seq`.
    pub fn after(&self, seq: u64) -> &[Change] {
        let start = self.changes.partition_point(|change| change.seq <= seq);
        &self.changes[start..]
    }
}
