//! What `decide` sees and says: bases, evidence, verdicts, conflicts and the writes that follow.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::comment::Visibility;
use crate::field::{FieldKey, Value};
use crate::ids::{ListId, Side, Timestamp, UserId};
use crate::patch::{NewTicketComment, TaskWrite, TicketPatch};

/// What both sides held when they last agreed on a field, each in its own form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldBase {
    /// As Zendesk returned it (long text as hash).
    pub z: Value,
    /// As ClickUp returned it (long text as hash).
    pub c: Value,
    /// Set when a conflict was recorded for exactly these two values: both sides may then differ.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub parted: bool,
    /// Consecutive rounds in which both sides undid each other; at two the field is frozen.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rounds: u8,
    /// People we added to the task: the only ones we may remove.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub added: BTreeSet<UserId>,
    /// Our last write of this field, to see when it is undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastWrite>,
    /// Fingerprint of the two values for which a conflict was recorded while the task could not be
    /// written (archived): said once, and mirrored when the task is back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
}

/// What our last write of a field replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastWrite {
    /// The side that was written.
    pub side: Side,
    /// Its stored value before.
    pub before: Value,
    /// How many writes in a row only undid the one before; two of them are one round.
    pub undos: u8,
}

fn is_zero(n: &u8) -> bool {
    *n == 0
}

impl FieldBase {
    /// A base with nothing to remember but the two values.
    pub fn agreed(z: Value, c: Value) -> Self {
        FieldBase { z, c, ..FieldBase::default() }
    }

    /// How many writes in a row only undid the one before, if this value of `source` is mirrored now.
    pub(crate) fn undos(&self, source: Side, stored: &Value) -> u8 {
        match &self.last {
            Some(last) if last.side == source && last.before == *stored => last.undos.saturating_add(1),
            _ => 0,
        }
    }
}

/// The bases of a link, by field.
pub type LinkFields = BTreeMap<FieldKey, FieldBase>;

/// A write of ours that was carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Landed {
    /// Where.
    pub side: Side,
    /// What it wrote.
    pub field: FieldKey,
    /// What was there, in stored form.
    pub before: Value,
    /// What it left behind, in stored form.
    pub after: Value,
}

/// What is known beyond the two records: who changed a field, and when, on each side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Time of the newest known person's change, by side and field.
    pub changed: BTreeMap<(Side, FieldKey), Timestamp>,
    /// What it was changed to then, where that is known.
    #[serde(default)]
    pub changed_to: BTreeMap<(Side, FieldKey), Value>,
    /// When both records were last looked at, at the earliest: whatever moved did so since.
    #[serde(default)]
    pub looked: Option<Timestamp>,
    /// Stored forms of values of ours whose outcome is unknown; equal fetched values are ours.
    pub own: Vec<(Side, FieldKey, Value)>,
    /// When the newest such write was sent, by side and field.
    #[serde(default)]
    pub own_sent: BTreeMap<(Side, FieldKey), Timestamp>,
    /// Where it is known, what was there just before such a write: a set that was written also holds what
    /// people had put into it, and only the rest of it is ours.
    #[serde(default)]
    pub own_before: Vec<(Side, FieldKey, Value)>,
    /// Writes of ours that were answered, and of which the link knows nothing: whatever else is there now, somebody has
    /// changed since. Oldest first.
    #[serde(default)]
    pub landed: Vec<Landed>,
    /// The list where deskup last put the task (`Link.list`). Without it a task is never moved: a person
    /// may have chosen its place.
    #[serde(default)]
    pub placed: Option<ListId>,
}

/// Why two values could not become one without loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictCause {
    /// Both sides changed the field; the rule chose one.
    BothChanged,
    /// The rule says that a person decides.
    Ask,
    /// The ticket is closed and takes nothing.
    TicketClosed,
    /// Zendesk's description is read only.
    DescriptionReadOnly,
    /// The other side has no such status, option or person.
    NoCounterpart,
    /// The mapping goes the other way.
    OneWay,
    /// Both sides kept undoing each other.
    Oscillation,
    /// A person's value was overwritten between our read and our write.
    LostUpdate,
    /// The task belongs to another ticket.
    TaskTaken,
    /// The service refused the value.
    Refused,
    /// A second task was made for the ticket, and people have touched it.
    Twin,
}

/// A value that did not win, kept for a person to see and apply again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Which field.
    pub field: FieldKey,
    /// Why.
    pub cause: ConflictCause,
    /// The base before, in Zendesk's form.
    pub base: Value,
    /// Zendesk's value, whole.
    pub zendesk: Value,
    /// ClickUp's value, whole.
    pub clickup: Value,
    /// Whose value stands; `None` when each side keeps its own.
    pub winner: Option<Side>,
    /// The rule that said so, in words of `deskup.toml`.
    pub rule: String,
}

/// What was decided about one field, for `explain`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldVerdict {
    /// Which field.
    pub field: FieldKey,
    /// One sentence: why it has its value.
    pub why: String,
    /// The side that is written, if any.
    pub writes: Option<Side>,
}

/// Everything that follows from one look at both records.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// Calls to ClickUp, in order; at most one `Fields`.
    pub clickup: Vec<TaskWrite>,
    /// The call to Zendesk, if any.
    pub zendesk: Option<TicketPatch>,
    /// Fields written on each side with the value that should be there afterwards (that side's form).
    pub writes: BTreeMap<(Side, FieldKey), Value>,
    /// The stored values of written fields as they were seen (Zendesk, ClickUp): what a later base may
    /// rest on, even when a record moves while the writes are under way.
    pub seen: BTreeMap<FieldKey, (Value, Value)>,
    /// New bases of fields that need no write: adopted, or parted by a conflict.
    pub bases: LinkFields,
    /// Values to keep for a person.
    pub conflicts: Vec<Conflict>,
    /// One verdict per mapped field.
    pub verdicts: Vec<FieldVerdict>,
    /// A text for an internal note on the ticket (a ClickUp edit of the description, a move that was
    /// not allowed), when the mapping wants one.
    pub note: Option<String>,
    /// Who wanted the writes, where it was a person and not a rule: for the record of each effect.
    pub asked: Option<String>,
    /// People whom a write of ours put on the task although its reply never came: deskup added them too.
    pub late_people: BTreeSet<UserId>,
    /// One sentence about the task's list: moved, left where a person put it, or out of scope.
    pub routing: Option<String>,
}

impl Decision {
    /// The call to Zendesk: the fields, and the note with them.
    pub fn ticket_patch(&self) -> Option<TicketPatch> {
        if self.zendesk.is_none() && self.note.is_none() {
            return None;
        }
        let mut patch = self.zendesk.clone().unwrap_or_default();
        if let Some(note) = &self.note {
            let body = note.clone();
            patch.comment =
                Some(NewTicketComment { body, visibility: Visibility::Internal, uploads: Vec::new() });
        }
        Some(patch)
    }

    /// Whether the world is as it should be.
    pub fn is_empty(&self) -> bool {
        self.clickup.is_empty()
            && self.zendesk.is_none()
            && self.bases.is_empty()
            && self.conflicts.is_empty()
            && self.note.is_none()
    }
}
