//! Fields as lenses. For each field: its value on either side after that side's normal form, when two
//! values mean the same, and how a value of one side is put on the other. Nothing here knows what
//! changed or who wins; that is [`crate::decide`].

pub(crate) mod assignee;
pub(crate) mod blank;
pub(crate) mod custom;
pub(crate) mod description;
pub(crate) mod due_date;
pub(crate) mod options;
pub(crate) mod priority;
pub(crate) mod status;
pub(crate) mod tags;
pub(crate) mod text;
pub(crate) mod title;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use crate::decision::FieldBase;
use crate::field::Value;
use crate::ids::ListId;
use crate::patch::{TaskPatch, TaskWrite, TicketPatch};
use crate::records::{Task, Ticket};

/// What a lens may look at beside the two values.
pub(crate) struct Look<'a> {
    pub ticket: &'a Ticket,
    pub task: &'a Task,
    /// The list the task will be in: its statuses are the ones that can be written.
    pub list: &'a ListId,
    pub base: &'a FieldBase,
    /// Whether the work is over on either side, as it will be after this decision.
    pub done: bool,
}

/// Writes to a task while they are collected: standard fields share a call, the others have one each.
#[derive(Default)]
pub(crate) struct TaskWrites {
    pub fields: TaskPatch,
    pub calls: Vec<TaskWrite>,
}

/// Why a value cannot be put on the other side, in words for people.
pub(crate) type Unmirrorable = String;

/// One field on both sides.
pub(crate) trait Lens: Debug + Send + Sync {
    /// The ticket's value.
    fn zendesk(&self, ticket: &Ticket) -> Value;
    /// The task's value.
    fn clickup(&self, task: &Task) -> Value;
    /// The ticket's value as a person would want it back: conflicts keep this one.
    fn whole_zendesk(&self, ticket: &Ticket) -> Value {
        self.zendesk(ticket)
    }
    /// The task's value as a person would want it back.
    fn whole_clickup(&self, task: &Task) -> Value {
        self.clickup(task)
    }
    /// Whether the two need no write.
    fn same(&self, zendesk: &Value, clickup: &Value, look: &Look<'_>) -> bool;
    /// What the task should hold for the ticket's value.
    fn to_clickup(&self, zendesk: &Value, clickup: &Value, look: &Look<'_>) -> Result<Value, Unmirrorable>;
    /// What the ticket should hold for the task's value.
    fn to_zendesk(&self, clickup: &Value, zendesk: &Value, look: &Look<'_>) -> Result<Value, Unmirrorable>;
    /// Adds the writes that bring the task from its value to this one.
    fn write_clickup(&self, value: &Value, look: &Look<'_>, writes: &mut TaskWrites);
    /// Adds the change that brings the ticket to this value.
    fn write_zendesk(&self, value: &Value, look: &Look<'_>, patch: &mut TicketPatch);
    /// A value that was kept whole for a person, in the form in which values are compared.
    fn normal(&self, kept: &Value) -> Value {
        kept.clone()
    }
    /// What the task should hold when its kept value is put back over the present one.
    fn again_on_clickup(&self, kept: &Value, _present: &Value, _look: &Look<'_>) -> Value {
        kept.clone()
    }
    /// Whether a difference is meant to stay for now, without a conflict.
    fn excused(&self, _zendesk: &Value, _clickup: &Value, _look: &Look<'_>) -> bool {
        false
    }
    /// Set for fields that are merged member by member.
    fn members(&self) -> Option<&dyn Members> {
        None
    }
}

/// The members of a set on both sides; the common form is Zendesk's.
pub(crate) trait Members {
    /// A task's member in the common form, unless the ticket cannot hold it.
    fn common_form(&self, member: &str) -> Option<String>;
    /// A ticket's member in ClickUp's form, unless the task cannot hold it.
    fn to_clickup(&self, member: &str) -> Option<String>;
    /// What a member is called when people read about it.
    fn unknown(&self, member: &str) -> String;
}

/// The members of a task's set that the ticket can hold, in the common form.
pub(crate) fn common(members: &dyn Members, clickup: &BTreeSet<String>) -> BTreeSet<String> {
    clickup.iter().filter_map(|member| members.common_form(member)).collect()
}

/// The members of a ticket's set that the task can hold.
pub(crate) fn mirrorable(members: &dyn Members, zendesk: &BTreeSet<String>) -> BTreeSet<String> {
    zendesk.iter().filter(|member| members.to_clickup(member).is_some()).cloned().collect()
}

/// The task's set for a set in the common form: what is there keeps its spelling, and members that the
/// ticket cannot hold stay.
pub(crate) fn respell(
    members: &dyn Members,
    target: &BTreeSet<String>,
    current: &BTreeSet<String>,
) -> BTreeSet<String> {
    let mut spelled: BTreeSet<String> = current
        .iter()
        .filter(|member| members.common_form(member).is_none_or(|common| target.contains(&common)))
        .cloned()
        .collect();
    let present = common(members, &spelled);
    spelled.extend(target.difference(&present).filter_map(|member| members.to_clickup(member)));
    spelled
}

/// A text, or nothing where it is empty.
pub(crate) fn text_value(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { Value::Text(text.to_owned()) }
}

/// The text of a value.
pub(crate) fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// A two-way table of names: several on one side may mean one on the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct NameTable {
    pub to_clickup: BTreeMap<Option<String>, Option<String>>,
    pub to_zendesk: BTreeMap<Option<String>, Option<String>>,
}
