//! What would be written for one ticket and its task, side by side. A plan is put together by the functions that
//! make the writes, so that it cannot say one thing and a run do another; what a run is about to send has to
//! have the fingerprint of something planned.

mod fields;
mod write;

pub use fields::{along, of_create, of_decision};
pub use write::{Visible, Write};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::comment::Visibility;
use crate::decision::{Conflict, ConflictCause};
use crate::field::{FieldKey, Value, sha256_hex};
use crate::ids::{ListId, Side, TaskId, TicketId};

/// What becomes of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It gets a task.
    Create,
    /// It is linked with a task that is there already.
    Link,
    /// It and its task are brought in step.
    Update,
}

/// How new both records were when they were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamps {
    /// `updated_at` of the ticket.
    pub zendesk: String,
    /// `date_updated` of the task in milliseconds, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clickup: Option<i64>,
}

/// One field: what both sides hold, and what will be written where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldPlan {
    /// Which.
    pub field: FieldKey,
    /// What the ticket holds.
    pub zendesk: Value,
    /// What the task holds.
    pub clickup: Value,
    /// What will be there afterwards, by side; nothing where each keeps its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub writes: BTreeMap<Side, Value>,
    /// Why.
    pub why: String,
}

/// A comment that would be copied to the other side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentCopy {
    /// Where it is.
    pub from: Side,
    /// Its id there.
    pub id: String,
    /// Who may read the copy in Zendesk.
    pub visibility: Visibility,
    /// The whole text of the copy.
    pub text: String,
}

/// A file that would be copied to the other side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCopy {
    /// Where it is.
    pub from: Side,
    /// Its id there.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its size, where the side says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// What a service asks for beside a field: the group that an assignee belongs to, the type that has a due date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Along {
    /// Where.
    pub side: Side,
    /// Which.
    pub what: String,
    /// What will be there afterwards.
    pub value: String,
}

/// Something that stays apart, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apart {
    /// A field, comments, files.
    pub what: String,
    /// In a sentence.
    pub why: String,
}

/// One call that changes something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCall {
    /// Which service.
    pub to: Side,
    /// Method and path, with names for the ids.
    pub call: String,
    /// The fingerprint of everything it sends.
    pub fingerprint: String,
}

/// Everything that would be done for one ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordPlan {
    /// The ticket.
    pub ticket: TicketId,
    /// What it is about, for people.
    pub subject: String,
    /// What becomes of it.
    pub kind: Kind,
    /// Its task, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// The list that the task will be in, where it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListId>,
    /// How new both records were.
    pub stamps: Stamps,
    /// Fields that are written, and those that stay apart.
    pub fields: Vec<FieldPlan>,
    /// What comes along with the fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub along: Vec<Along>,
    /// Comments that are copied, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<CommentCopy>,
    /// Files that are copied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileCopy>,
    /// An internal note on the ticket that tells of an edit which Zendesk cannot take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether the ticket is told where its task is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub link_back: bool,
    /// What stays apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apart: Vec<Apart>,
    /// The calls, in order.
    pub calls: Vec<PlannedCall>,
    /// Fingerprint of all of the above but the stamps and the subject.
    pub digest: String,
}

impl RecordPlan {
    /// A plan in which nothing happens yet.
    pub fn new(ticket: TicketId, subject: &str, kind: Kind, stamps: Stamps) -> Self {
        RecordPlan {
            ticket,
            subject: subject.to_owned(),
            kind,
            task: None,
            list: None,
            stamps,
            fields: Vec::new(),
            along: Vec::new(),
            comments: Vec::new(),
            files: Vec::new(),
            note: None,
            link_back: false,
            apart: Vec::new(),
            calls: Vec::new(),
            digest: String::new(),
        }
    }

    /// Adds a call.
    pub fn call(&mut self, write: &Write) {
        self.calls.push(PlannedCall {
            to: write.target(),
            call: write.endpoint().to_owned(),
            fingerprint: write.fingerprint(),
        });
    }

    /// Adds a comment to copy, and the call that copies it.
    pub fn comment(&mut self, copy: CommentCopy) {
        let CommentCopy { from, id, visibility, text } = copy.clone();
        self.call(&Write::Comment { from, id, visibility: Visible::on(from.other(), visibility), text });
        self.comments.push(copy);
    }

    /// Adds a file to copy, and the call that copies it.
    pub fn file(&mut self, copy: FileCopy) {
        self.call(&Write::File { from: copy.from, id: copy.id.clone() });
        self.files.push(copy);
    }

    /// Adds what conflicts say about the values that stay apart.
    pub fn keep_apart(&mut self, conflicts: &[Conflict]) {
        for conflict in conflicts {
            let apart = Apart { what: conflict.field.to_string(), why: reason(conflict) };
            if !self.apart.contains(&apart) {
                self.apart.push(apart);
            }
        }
    }

    /// Adds a number of things that stay apart for one reason.
    pub fn leave(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.apart.push(Apart { what: what.into(), why: why.into() });
    }

    /// The plan with its digest.
    pub fn sealed(mut self) -> Self {
        self.digest = self.computed_digest();
        self
    }

    /// Whether the digest is that of the content: false when somebody changed one of them.
    pub fn is_sealed(&self) -> bool {
        self.digest == self.computed_digest()
    }

    /// Whether a run would do anything for this ticket.
    pub fn is_quiet(&self) -> bool {
        self.calls.is_empty() && self.kind == Kind::Update
    }

    fn computed_digest(&self) -> String {
        let content = RecordPlan {
            subject: String::new(),
            stamps: Stamps::default(),
            digest: String::new(),
            ..self.clone()
        };
        sha256_hex(&serde_json::to_vec(&content).unwrap_or_default())[..32].to_owned()
    }
}

/// A conflict in a sentence.
fn reason(conflict: &Conflict) -> String {
    let rule = &conflict.rule;
    match (conflict.cause, conflict.winner) {
        (ConflictCause::BothChanged, Some(winner)) => {
            format!(
                "changed on both sides: {winner}'s value stands ({rule}), the other is kept as a conflict"
            )
        }
        (ConflictCause::BothChanged | ConflictCause::Ask, None) => {
            format!("changed on both sides: a person decides ({rule})")
        }
        (ConflictCause::TicketClosed, _) => "the ticket is closed and takes nothing".to_owned(),
        _ => rule.clone(),
    }
}
