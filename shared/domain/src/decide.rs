//! What follows from one look at both records: a pure function, called by plan, apply, explain and every
//! simulation. Per field it compares each side with what both last agreed on, in that side's own form;
//! then it adopts, writes one side, merges, or keeps a conflict for a person.

pub mod apply;
mod description;
mod scalar;
mod sets;
mod state;

use std::collections::BTreeSet;

use crate::decision::{Decision, Evidence, FieldBase, FieldVerdict, LinkFields};
use crate::field::FieldKey;
use crate::ids::{ListId, Side, UserId};
use crate::lens::assignee::{is_done, people_of};
use crate::lens::tags::zendesk_form;
use crate::lens::{Look, TaskWrites, text_of};
use crate::mapping::{Mapped, Mapping, Routing};
use crate::patch::{TaskWrite, TicketPatch};
use crate::records::{Task, Ticket};

pub(crate) use sets::with_own_moves;
use state::{Plan, State};

/// Two rounds in which both sides undid each other freeze a field.
pub(crate) const UNDOS_MAX: u8 = 4;

/// Decides about all mapped fields of a linked pair, and about the task's list.
///
/// A decision that is empty means that the world is as it should be. Otherwise: record the conflicts,
/// send the writes, and after each one call [`crate::settle::after_write`].
pub fn decide(
    fields: &LinkFields,
    ticket: &Ticket,
    task: &Task,
    mapping: &Mapping,
    evidence: &Evidence,
) -> Decision {
    if ticket.is_deleted() {
        let routing = Some("the ticket is deleted: nothing is written".to_owned());
        return Decision { routing, ..Decision::default() };
    }
    let first = Route::of(ticket, task, mapping, evidence);
    let decision = decide_in(&first, fields, ticket, task, mapping, evidence);
    // Our own write may change the route (the group that comes with an assignee, a tag): the task moves
    // at once, not as an echo of the write.
    let after = decision.zendesk.as_ref().map(|patch| Ticket {
        group: patch.group.or(ticket.group),
        tags: patch.tags.clone().unwrap_or_else(|| ticket.tags.clone()),
        ..ticket.clone()
    });
    match after.map(|ticket| Route::of(&ticket, task, mapping, evidence)) {
        Some(route) if route.target != first.target => {
            decide_in(&route, fields, ticket, task, mapping, evidence)
        }
        _ => decision,
    }
}

/// All fields, for a task that will be in the route's list.
fn decide_in(
    route: &Route,
    fields: &LinkFields,
    ticket: &Ticket,
    task: &Task,
    mapping: &Mapping,
    evidence: &Evidence,
) -> Decision {
    let mut decision = Decision { routing: route.say.clone(), ..Decision::default() };
    let list = route.target.as_ref().unwrap_or(&task.list);
    let mut on_task = TaskWrites::default();
    let mut on_ticket = TicketPatch::default();
    let none = FieldBase::default();
    let mut done = is_done(&ticket.status, &task.status_type);
    for field in mapping.mapped() {
        let base = fields.get(&field.key).unwrap_or(&none);
        let late = late_people(field, base, task, evidence);
        let learned = (!late.is_empty()).then(|| FieldBase { added: &base.added | &late, ..base.clone() });
        let base = learned.as_ref().unwrap_or(base);
        decision.late_people.extend(late);
        let look = Look { ticket, task, list, base, done };
        let state = State::new(field, look, evidence);
        let plan = match (&field.key, field.lens.members()) {
            (FieldKey::Description, _) => description::plan(&state, mapping.settings().description_edits),
            (_, Some(members)) => sets::plan(&state, members),
            (_, None) => scalar::plan(&state),
        };
        if let Some(value) = &plan.clickup {
            field.lens.write_clickup(value, &state.look, &mut on_task);
        }
        if let Some(value) = &plan.zendesk {
            field.lens.write_zendesk(value, &state.look, &mut on_ticket);
        }
        if field.key == FieldKey::Status {
            let on_ticket = plan.zendesk.as_ref().and_then(text_of).unwrap_or(&ticket.status);
            let on_task = plan.clickup.as_ref().and_then(text_of);
            let on_task = on_task.map_or(task.status_type.as_str(), |name| mapping.status_type(list, name));
            done = is_done(on_ticket, on_task);
        }
        collect(&state, plan, &mut decision);
    }
    decision.clickup.extend(route.target.clone().map(TaskWrite::Move));
    if !on_task.fields.is_empty() {
        decision.clickup.push(TaskWrite::Fields(on_task.fields));
    }
    decision.clickup.extend(on_task.calls);
    option_tags(&mut on_ticket, mapping);
    decision.zendesk = (!on_ticket.is_empty()).then_some(on_ticket);
    decision
}

/// People whom a late write of ours put on the task: it is as that write was to leave it, and they were not on it
/// just before. Where the latter is not known, people may have put them there.
fn late_people(field: &Mapped, base: &FieldBase, task: &Task, evidence: &Evidence) -> BTreeSet<UserId> {
    let is_it = |side: &Side, key: &FieldKey| *side == Side::Clickup && *key == field.key;
    let now = field.lens.clickup(task).to_stored();
    let ours = evidence.own.iter().any(|(side, key, value)| is_it(side, key) && *value == now);
    if field.key != FieldKey::Assignee || !ours || now == base.c {
        return BTreeSet::new();
    }
    let before = evidence.own_before.iter().rev().find(|(side, key, _)| is_it(side, key));
    before.map(|(_, _, before)| &task.assignees - &people_of(before)).unwrap_or_default()
}

fn collect(state: &State<'_>, plan: Plan, decision: &mut Decision) {
    let key = &state.field.key;
    let sides = [(Side::Zendesk, plan.zendesk), (Side::Clickup, plan.clickup)];
    let mut writes = None;
    for (side, value) in sides {
        if let Some(value) = value {
            decision.writes.insert((side, key.clone()), value);
            decision.seen.insert(key.clone(), (state.z.to_stored(), state.c.to_stored()));
            writes = Some(side);
        }
    }
    if let Some(base) = plan.base {
        decision.bases.insert(key.clone(), base);
    }
    decision.conflicts.extend(plan.conflicts);
    decision.note = plan.note.or(decision.note.take());
    decision.verdicts.push(FieldVerdict { field: key.clone(), why: plan.why, writes });
}

/// Where the task has to be.
struct Route {
    /// The list it has to move to, if any: only from where deskup put it.
    target: Option<ListId>,
    say: Option<String>,
}

impl Route {
    fn of(ticket: &Ticket, task: &Task, mapping: &Mapping, evidence: &Evidence) -> Self {
        let (target, say) = match mapping.place(ticket) {
            Routing::Filtered(reason) => {
                (None, Some(format!("{reason}; the task stays and is kept in step")))
            }
            Routing::List(list) if list == task.list => (None, None),
            Routing::List(list) if task.archived => {
                (None, Some(format!("list {list} would be right; the task is archived and stays")))
            }
            Routing::List(list) if evidence.placed.as_ref() == Some(&task.list) => {
                let say = format!("the ticket's route changed: from list {} to {list}", task.list);
                (Some(list), Some(say))
            }
            Routing::List(_) => {
                (None, Some(format!("a person put the task into list {}; it stays", task.list)))
            }
        };
        Route { target, say }
    }
}

/// A ticket's tags are replaced as a whole, so the tag of an option that changes in the same call must
/// change with it: the old one would set the field back.
fn option_tags(patch: &mut TicketPatch, mapping: &Mapping) {
    let Some(tags) = &mut patch.tags else { return };
    for (id, value) in &patch.custom_fields {
        let Some(field) = mapping.directory().zendesk_fields.get(id) else { continue };
        let options = field.options.iter().map(|(tag, _)| zendesk_form(tag));
        let options: std::collections::BTreeSet<String> = options.collect();
        tags.retain(|tag| !options.contains(&zendesk_form(tag)));
        let chosen = value.as_array().map_or_else(|| vec![value], |values| values.iter().collect());
        let chosen = chosen.into_iter().filter_map(|value| value.as_str());
        tags.extend(chosen.filter(|tag| options.contains(&zendesk_form(tag))).map(str::to_owned));
    }
}
