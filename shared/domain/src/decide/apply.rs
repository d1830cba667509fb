//! Applying a kept value after all. A person chose one of the two values of a conflict: it goes to both sides, by
//! the same lenses, directions and limits as any other write, and over nothing that the person has not seen.

use std::collections::BTreeSet;

use super::{Route, option_tags};
use crate::decision::{Conflict, ConflictCause, Decision, Evidence, FieldBase, FieldVerdict, LinkFields};
use crate::field::{FieldKey, Value};
use crate::ids::{ListId, Side};
use crate::lens::assignee::is_done;
use crate::lens::{Look, Members, TaskWrites, common, mirrorable, respell};
use crate::mapping::{Mapped, Mapping};
use crate::merge::{as_set, set_value};
use crate::patch::{TaskWrite, TicketPatch};
use crate::records::{Task, Ticket};

/// What a person chose, and what both sides held when they did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen<'a> {
    /// The conflict.
    pub conflict: &'a Conflict,
    /// The side whose kept value is to stand.
    pub side: Side,
    /// Fingerprints of what Zendesk and ClickUp held then.
    pub seen: (&'a str, &'a str),
    /// The list where deskup last put the task.
    pub placed: Option<&'a ListId>,
}

/// What brings the chosen value to both sides, or why that cannot be, in words for people. Nothing to write means
/// that both hold it already.
pub fn apply(
    chosen: &Chosen<'_>,
    fields: &LinkFields,
    ticket: &Ticket,
    task: &Task,
    mapping: &Mapping,
) -> Result<Decision, String> {
    let conflict = chosen.conflict;
    let field = mapping.field(&conflict.field).ok_or_else(|| unmapped(&conflict.field))?;
    let decision = apply_in(&task.list, chosen, field, fields, ticket, task, mapping)?;
    // The write may change the route (the group that comes with an assignee, a tag): the task moves at once.
    let Some(patch) = &decision.zendesk else { return Ok(decision) };
    let after = Ticket {
        group: patch.group.or(ticket.group),
        tags: patch.tags.clone().unwrap_or_else(|| ticket.tags.clone()),
        ..ticket.clone()
    };
    let evidence = Evidence { placed: chosen.placed.cloned(), ..Evidence::default() };
    match Route::of(&after, task, mapping, &evidence).target {
        Some(list) => {
            let mut decision = apply_in(&list, chosen, field, fields, ticket, task, mapping)?;
            decision.clickup.insert(0, TaskWrite::Move(list));
            Ok(decision)
        }
        None => Ok(decision),
    }
}

/// The same, for a task that will be in this list.
fn apply_in(
    list: &ListId,
    chosen: &Chosen<'_>,
    field: &Mapped,
    fields: &LinkFields,
    ticket: &Ticket,
    task: &Task,
    mapping: &Mapping,
) -> Result<Decision, String> {
    let none = FieldBase::default();
    let base = fields.get(&field.key).unwrap_or(&none);
    let done = is_done(&ticket.status, &task.status_type);
    let look = Look { ticket, task, list, base, done };
    let now = Both { zendesk: field.lens.zendesk(ticket), clickup: field.lens.clickup(task) };
    let target = target(chosen, field, &look, &now)?;
    check(chosen, field, &look, &now, &target)?;
    Ok(decision(chosen, field, &look, &now, &target, mapping))
}

fn unmapped(field: &FieldKey) -> String {
    match field {
        FieldKey::Custom(name) if name.starts_with("comment:") => {
            "a comment is not applied again: copy it by hand, then dismiss the conflict".to_owned()
        }
        _ => format!("the field `{field}` is not kept in step any more (deskup.toml)"),
    }
}

/// A value for each side, in that side's form.
struct Both {
    zendesk: Value,
    clickup: Value,
}

impl Both {
    fn of(&self, side: Side) -> &Value {
        match side {
            Side::Zendesk => &self.zendesk,
            Side::Clickup => &self.clickup,
        }
    }
}

/// What both sides should hold.
fn target(chosen: &Chosen<'_>, field: &Mapped, look: &Look<'_>, now: &Both) -> Result<Both, String> {
    let kept = match chosen.side {
        Side::Zendesk => &chosen.conflict.zendesk,
        Side::Clickup => &chosen.conflict.clickup,
    };
    if matches!(kept, Value::Hash(_)) {
        return Err(format!("{}'s value was kept as a fingerprint only: it cannot be put back", chosen.side));
    }
    let kept = field.lens.normal(kept);
    let lens = &field.lens;
    match (chosen.side, lens.members()) {
        (side, Some(members)) => Ok(sets(members, side, &kept, now)),
        (Side::Zendesk, None) => {
            let on_task = if lens.same(&kept, &now.clickup, look) {
                now.clickup.clone()
            } else {
                lens.to_clickup(&kept, &now.clickup, look)?
            };
            Ok(Both { zendesk: kept, clickup: on_task })
        }
        (Side::Clickup, None) => {
            let on_task = lens.again_on_clickup(&kept, &now.clickup, look);
            let on_ticket = if lens.same(&now.zendesk, &on_task, look) {
                now.zendesk.clone()
            } else {
                lens.to_zendesk(&kept, &now.zendesk, look)?
            };
            Ok(Both { zendesk: on_ticket, clickup: on_task })
        }
    }
}

/// The members that one side had go to both; what the other side alone can hold stays there.
fn sets(members: &dyn Members, side: Side, kept: &Value, now: &Both) -> Both {
    let set = |value: &Value| as_set(value).unwrap_or_default();
    let strangers: BTreeSet<String> =
        set(&now.zendesk).into_iter().filter(|member| members.to_clickup(member).is_none()).collect();
    match side {
        Side::Zendesk => Both {
            zendesk: kept.clone(),
            clickup: set_value(respell(members, &mirrorable(members, &set(kept)), &set(&now.clickup))),
        },
        Side::Clickup => Both {
            zendesk: set_value(common(members, &set(kept)).into_iter().chain(strangers).collect()),
            clickup: kept.clone(),
        },
    }
}

/// Whether both sides may be brought there.
fn check(
    chosen: &Chosen<'_>,
    field: &Mapped,
    look: &Look<'_>,
    now: &Both,
    target: &Both,
) -> Result<(), String> {
    let kept = [(Side::Zendesk, &chosen.conflict.zendesk), (Side::Clickup, &chosen.conflict.clickup)];
    for (side, kept) in kept {
        let (is, wanted) = (now.of(side), target.of(side));
        if is == wanted {
            continue;
        }
        let seen = if side == Side::Zendesk { chosen.seen.0 } else { chosen.seen.1 };
        let known = *is == field.lens.normal(kept) || is.fingerprint() == seen;
        if !known {
            return Err(format!(
                "{side}'s value was changed since the choice was made: look again before you choose"
            ));
        }
        if !field.direction.writes(side) {
            let word = field.direction.word();
            return Err(format!("{side} would have to be written, and the mapping says direction = {word}"));
        }
    }
    if target.zendesk != now.zendesk {
        takes_ticket(field, look, target)?;
    }
    if target.clickup != now.clickup && look.task.archived {
        return Err("the task is archived: bring it back first".to_owned());
    }
    Ok(())
}

fn takes_ticket(field: &Mapped, look: &Look<'_>, target: &Both) -> Result<(), String> {
    if look.ticket.is_closed() {
        return Err("the ticket is closed and takes nothing".to_owned());
    }
    match (&field.key, &target.zendesk) {
        (FieldKey::Description, _) => Err("Zendesk's description is read only".to_owned()),
        (FieldKey::Status, Value::Text(status)) if status == "closed" || status == "new" => {
            Err(format!("only Zendesk itself sets a ticket to `{status}`"))
        }
        _ => Ok(()),
    }
}

fn decision(
    chosen: &Chosen<'_>,
    field: &Mapped,
    look: &Look<'_>,
    now: &Both,
    target: &Both,
    mapping: &Mapping,
) -> Decision {
    let mut decision = Decision::default();
    let key = &field.key;
    let mut on_task = TaskWrites::default();
    if target.clickup != now.clickup {
        field.lens.write_clickup(&target.clickup, look, &mut on_task);
        decision.writes.insert((Side::Clickup, key.clone()), target.clickup.clone());
    }
    if !on_task.fields.is_empty() {
        decision.clickup.push(TaskWrite::Fields(on_task.fields));
    }
    decision.clickup.extend(on_task.calls);
    if target.zendesk != now.zendesk {
        let mut on_ticket = TicketPatch::default();
        field.lens.write_zendesk(&target.zendesk, look, &mut on_ticket);
        option_tags(&mut on_ticket, mapping);
        decision.zendesk = Some(on_ticket);
        decision.writes.insert((Side::Zendesk, key.clone()), target.zendesk.clone());
    }
    if !decision.writes.is_empty() {
        decision.seen.insert(key.clone(), (now.zendesk.to_stored(), now.clickup.to_stored()));
        if !field.lens.same(&target.zendesk, &target.clickup, look) {
            decision.conflicts.push(Conflict {
                field: key.clone(),
                cause: ConflictCause::NoCounterpart,
                base: look.base.z.clone(),
                zendesk: target.zendesk.clone(),
                clickup: target.clickup.clone(),
                winner: None,
                rule: "the other side can hold a part of it only".to_owned(),
            });
        }
    }
    if decision.writes.is_empty() {
        // Both hold it already: what parted or froze the field is over.
        let added = look.base.added.intersection(&look.task.assignees).copied().collect();
        let agreed =
            FieldBase { added, ..FieldBase::agreed(now.zendesk.to_stored(), now.clickup.to_stored()) };
        if agreed != *look.base && field.lens.same(&now.zendesk, &now.clickup, look) {
            decision.bases.insert(key.clone(), agreed);
        }
    }
    let why = format!("a person applied {}'s value of a conflict", chosen.side);
    let writes = decision.writes.keys().next().map(|(side, _)| *side);
    decision.verdicts.push(FieldVerdict { field: key.clone(), why: why.clone(), writes });
    decision.asked = Some(why);
    decision
}
