//! A task for a ticket that has none, and what both sides agree on once it exists.

use std::collections::BTreeSet;

use crate::conversation::{CLICKUP_DESCRIPTION_BYTES_MAX, truncate};
use crate::decision::{Conflict, ConflictCause, FieldBase, LinkFields};
use crate::field::{FieldKey, Value};
use crate::footer::{footer, with_footer};
use crate::ids::{ListId, Side, Timestamp, UserId};
use crate::lens::assignee::is_done;
use crate::lens::blank::blank_task;
use crate::lens::{Look, TaskWrites};
use crate::mapping::{Mapped, Mapping, Routing};
use crate::patch::{NewTask, TaskWrite};
use crate::records::{Task, Ticket};

/// A task to create.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTaskPlan {
    /// In this list.
    pub list: ListId,
    /// With this content.
    pub task: NewTask,
    /// What will not be mirrored, for a preview. What is to be recorded comes from
    /// [`bases_after_create`], which knows what ClickUp made of it.
    pub conflicts: Vec<Conflict>,
}

/// The task for a ticket that is in the scope (see [`Mapping::route`]; for one that no route takes, the list
/// of the last one is named).
pub fn new_task(ticket: &Ticket, mapping: &Mapping, nonce: &str, ticket_url: &str) -> NewTaskPlan {
    let list = match mapping.place(ticket) {
        Routing::List(list) => list,
        Routing::Filtered(_) => mapping.last_list(),
    };
    let task = blank_task(list.clone());
    let base = FieldBase::default();
    let done = is_done(&ticket.status, "");
    let look = Look { ticket, task: &task, list: &list, base: &base, done };
    let mut writes = TaskWrites::default();
    let mut conflicts = Vec::new();
    for field in mapping.mapped().iter().filter(|field| field.direction.writes(Side::Clickup)) {
        let (z, c) = (field.lens.zendesk(ticket), field.lens.clickup(&task));
        match field.lens.to_clickup(&z, &c, &look) {
            Ok(value) => {
                if value != c {
                    field.lens.write_clickup(&value, &look, &mut writes);
                }
            }
            Err(why) => conflicts.push(unmirrored(field, ticket, &task, ConflictCause::NoCounterpart, why)),
        }
    }
    let fields = writes.fields;
    let text = fields.description.unwrap_or_default();
    let footer = footer(ticket.id, ticket_url, nonce);
    let room = CLICKUP_DESCRIPTION_BYTES_MAX - footer.len().min(CLICKUP_DESCRIPTION_BYTES_MAX) - 2;
    let (due_date, due_date_time) =
        fields.due_date.flatten().map_or((None, false), |(ms, time)| (Some(ms), time));
    let mut new = NewTask {
        name: fields.name.unwrap_or_else(|| format!("Ticket #{}", ticket.id)),
        description: with_footer(&truncate(&text, room, Some(ticket_url)), &footer),
        status: fields.status,
        priority: fields.priority.flatten(),
        assignees: fields.assignees_add,
        due_date,
        due_date_time,
        ..NewTask::default()
    };
    let status = new.status.as_deref().unwrap_or_default();
    if is_done(&ticket.status, mapping.status_type(&list, status)) {
        new.assignees.clear();
    }
    for call in writes.calls {
        match call {
            TaskWrite::AddTag(tag) => drop(new.tags.insert(tag)),
            TaskWrite::SetField(id, value) => drop(new.custom_fields.insert(id, value)),
            _ => {}
        }
    }
    NewTaskPlan { list, task: new, conflicts }
}

/// The bases of a new link, from the ticket as it was read for the create and the task that the create
/// returned; and conflicts for what the task could not take.
pub fn bases_after_create(ticket: &Ticket, task: &Task, mapping: &Mapping) -> (LinkFields, Vec<Conflict>) {
    let mut fields = LinkFields::new();
    let mut conflicts = Vec::new();
    for field in mapping.mapped() {
        let none = FieldBase::default();
        let done = is_done(&ticket.status, &task.status_type);
        let look = Look { ticket, task, list: &task.list, base: &none, done };
        let (z, c) = (field.lens.zendesk(ticket), field.lens.clickup(task));
        let mut base = FieldBase::agreed(z.to_stored(), c.to_stored());
        if field.key == FieldKey::Assignee {
            base.added = assigned_by_us(field, &z, task, &look);
        }
        if !field.lens.same(&z, &c, &look) && !field.lens.excused(&z, &c, &look) {
            base.parted = true;
            let (cause, why) = match field.lens.to_clickup(&z, &Value::Null, &look) {
                _ if !field.direction.writes(Side::Clickup) => {
                    (ConflictCause::OneWay, format!("direction = {}", field.direction.word()))
                }
                Err(why) => (ConflictCause::NoCounterpart, why),
                Ok(_) => (ConflictCause::Refused, "ClickUp keeps another value than was sent".to_owned()),
            };
            conflicts.push(unmirrored(field, ticket, task, cause, why));
        }
        if let Some(members) = field.lens.members() {
            let all = crate::merge::as_set(&z).unwrap_or_default();
            for member in all.iter().filter(|member| members.to_clickup(member).is_none()) {
                let why = members.unknown(member);
                conflicts.push(unmirrored(field, ticket, task, ConflictCause::NoCounterpart, why));
            }
        }
        fields.insert(field.key.clone(), base);
    }
    (fields, conflicts)
}

/// The bases that a create will leave, as far as can be told before its reply: kept with the intent, for the
/// case that the reply is lost.
pub fn bases_as_sent(ticket: &Ticket, plan: &NewTaskPlan, mapping: &Mapping) -> LinkFields {
    bases_after_create(ticket, &task_as_sent(plan, mapping), mapping).0
}

/// The task that a create will leave, as far as can be told before its reply.
pub fn task_as_sent(plan: &NewTaskPlan, mapping: &Mapping) -> Task {
    let NewTaskPlan { list, task: new, .. } = plan;
    let status = new.status.clone().unwrap_or_default();
    Task {
        name: new.name.clone(),
        description: new.description.clone(),
        status_type: mapping.status_type(list, &status).to_owned(),
        status,
        priority: new.priority,
        assignees: new.assignees.clone(),
        tags: new.tags.clone(),
        custom_fields: new.custom_fields.clone(),
        due_date: new.due_date.map(Timestamp),
        due_date_time: new.due_date_time,
        ..blank_task(list.clone())
    }
}

/// The bases of a link whose task turned up later, from both records as they are now. Where they differ and a
/// side is not as it was sent, people have edited since: then what was sent is the base, and the next look at
/// the pair brings their edits over.
pub fn bases_after_adoption(
    sent: &LinkFields,
    ticket: &Ticket,
    task: &Task,
    mapping: &Mapping,
) -> (LinkFields, Vec<Conflict>) {
    let (mut fields, mut conflicts) = bases_after_create(ticket, task, mapping);
    for field in mapping.mapped() {
        let (Some(before), Some(base)) = (sent.get(&field.key), fields.get_mut(&field.key)) else { continue };
        let done = is_done(&ticket.status, &task.status_type);
        let look = Look { ticket, task, list: &task.list, base: before, done };
        let same = field.lens.same(&field.lens.zendesk(ticket), &field.lens.clickup(task), &look);
        if !same && (before.z != base.z || before.c != base.c) {
            conflicts.retain(|conflict| conflict.field != field.key);
            let added = before.added.intersection(&task.assignees).copied().collect();
            *base = FieldBase { added, ..before.clone() };
        }
    }
    (fields, conflicts)
}

/// The people on a new task whom deskup put there.
fn assigned_by_us(field: &Mapped, z: &Value, task: &Task, look: &Look<'_>) -> BTreeSet<UserId> {
    let wanted = field.lens.to_clickup(z, &Value::Null, look);
    let wanted = wanted.ok().and_then(|value| crate::merge::as_set(&value)).unwrap_or_default();
    task.assignees.iter().filter(|id| wanted.contains(&id.to_string())).copied().collect()
}

fn unmirrored(field: &Mapped, ticket: &Ticket, task: &Task, cause: ConflictCause, rule: String) -> Conflict {
    Conflict {
        field: field.key.clone(),
        cause,
        base: Value::Null,
        zendesk: field.lens.whole_zendesk(ticket),
        clickup: field.lens.whole_clickup(task),
        winner: None,
        rule,
    }
}
