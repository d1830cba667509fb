//! Tags and labels: merged member by member, so that an add on one side and a remove on the other are
//! both done.

use std::collections::BTreeSet;

use super::state::{Plan, State};
use crate::decision::{ConflictCause, FieldBase};
use crate::field::Value;
use crate::ids::Side;
use crate::lens::{Members, common, mirrorable, respell};
use crate::merge::{Against, MergedSets, Rule, as_set, merge_sets, set_value};

type Set = BTreeSet<String>;

fn set(value: &Value) -> Set {
    as_set(value).unwrap_or_default()
}

pub(super) fn plan(state: &State<'_>, members: &dyn Members) -> Plan {
    let mut plan = merged(state, members);
    if plan.held {
        return plan;
    }
    for member in newcomers(state, members) {
        plan.conflicts.push(state.conflict(ConflictCause::NoCounterpart, None, members.unknown(&member)));
    }
    plan
}

fn merged(state: &State<'_>, members: &dyn Members) -> Plan {
    if state.same() {
        return state.adopt();
    }
    if let Some(plan) = state.frozen() {
        return plan;
    }
    let base = state.base();
    let (base_z, base_c) = with_landed(state, members);
    let (base_z, base_c) = (mirrorable(members, &set(&base_z)), common(members, &set(&base_c)));
    // A late write of ours is no news: what it replaced stands in its place. Where that is not known the
    // set is taken as it is: it also holds what people put there.
    let z = state.z_before.as_ref().filter(|_| state.z_ours).unwrap_or(&state.z);
    let c = state.c_before.as_ref().filter(|_| state.c_ours).unwrap_or(&state.c);
    let (z, c) = (mirrorable(members, &set(z)), common(members, &set(c)));
    let (z_moved, c_moved) = (z != base_z, c != base_c);
    for (source, moved, other) in [(Side::Zendesk, z_moved, c_moved), (Side::Clickup, c_moved, z_moved)] {
        if moved && !other && state.oscillates(source) {
            return state.freeze();
        }
    }
    if z_moved && c_moved && state.field.rule != Rule::Union {
        let choice = state.choice();
        let Some(winner) = choice.winner else {
            return state.apart(ConflictCause::Ask, choice.rule, "both changed, and a person decides");
        };
        let whole = if winner == Side::Zendesk { z } else { c };
        let target = MergedSets { zendesk: whole.clone(), clickup: whole, crossed: false };
        let mut plan = write(state, members, &target, winner.other());
        if plan.held {
            return plan;
        }
        plan.conflicts.push(state.conflict(ConflictCause::BothChanged, Some(winner), choice.rule));
        return plan;
    }
    let target = merge_sets(Against { zendesk: &base_z, clickup: &base_c }, &z, &c);
    let mut plan = write(state, members, &target, if c_moved { Side::Zendesk } else { Side::Clickup });
    if plan.zendesk.is_some() && base.held.is_some() {
        // While the task was archived the ticket moved, and may have moved back to where it was.
        let rule = "the task was archived meanwhile";
        plan.conflicts.push(state.conflict(ConflictCause::BothChanged, Some(Side::Clickup), rule));
    }
    if plan.zendesk.is_some() && state.z_unseen && !z_moved {
        // Somebody put a member on the ticket and took it away again, after the same was done on the task: which one is not
        // told, so it may be one that is written now.
        let rule = "the other side did not show the change";
        plan.conflicts.push(state.conflict(ConflictCause::BothChanged, Some(Side::Clickup), rule));
    }
    if plan.clickup.is_some() && is_undone(state) {
        let rule = "an answered write of ours does not show in full any more";
        plan.conflicts.push(state.conflict(ConflictCause::BothChanged, Some(Side::Zendesk), rule));
    }
    if target.crossed && !plan.held {
        let rule = "union (what one side added stays)";
        plan.conflicts.push(state.conflict(ConflictCause::BothChanged, None, rule));
    }
    plan
}

/// Brings both sides to the target as far as they may be written. `news_for` is the side that most needs
/// the write; where nothing can be written it says which conflict it is.
fn write(state: &State<'_>, members: &dyn Members, target: &MergedSets, news_for: Side) -> Plan {
    let current_z = set(&state.z);
    let strangers = current_z.iter().filter(|member| members.to_clickup(member).is_none()).cloned();
    let on_z = set_value(target.zendesk.iter().cloned().chain(strangers).collect());
    let on_c = set_value(respell(members, &target.clickup, &set(&state.c)));
    let (write_z, write_c) = (on_z != state.z, on_c != state.c);
    let direction = state.field.direction;
    if write_c && direction.writes(Side::Clickup) && state.look.task.archived {
        return state.hold();
    }
    let mut plan = Plan::quiet(state.describe(news_for.other()));
    if write_c && direction.writes(Side::Clickup) {
        plan.write(Side::Clickup, on_c);
    }
    let closed = state.look.ticket.is_closed();
    if write_z && direction.writes(Side::Zendesk) && !closed {
        plan.write(Side::Zendesk, on_z);
    } else if write_z && closed {
        let rule = "closed tickets take nothing";
        plan.conflicts.push(state.conflict(ConflictCause::TicketClosed, None, rule));
    }
    let one_way = write_z && !direction.writes(Side::Zendesk) || write_c && !direction.writes(Side::Clickup);
    if one_way && !(write_z && closed) {
        let rule = format!("direction = {}", direction.word());
        plan.conflicts.push(state.conflict(ConflictCause::OneWay, None, rule));
    }
    if plan.zendesk.is_some() || plan.clickup.is_some() {
        return plan;
    }
    if plan.conflicts.is_empty() {
        if state.base().parted && !state.z_moved && !state.c_moved {
            return Plan::quiet("each side keeps its own, as the recorded conflict says");
        }
        return state.apart(ConflictCause::Ask, "neither side changed it", "the mapping changed");
    }
    plan.base = Some(state.parted());
    plan.why = "each side keeps its own".to_owned();
    plan
}

/// Both bases with what answered writes of ours put on the task that is on it still, or took off it: people put other
/// members beside it.
fn with_landed(state: &State<'_>, members: &dyn Members) -> (Value, Value) {
    let mut base = state.base().clone();
    let on_task = state.landed.iter().filter(|one| one.side == Side::Clickup && !state.c_ours);
    for one in on_task {
        let (was, is, now) = (set(&one.before), set(&one.after), set(&state.c));
        // What was sent in several requests may have arrived in part.
        let arrived: Set =
            was.union(&is).filter(|one| now.contains(*one) == is.contains(*one)).cloned().collect();
        let only = |all: &Set| set_value(all.intersection(&arrived).cloned().collect());
        (base.z, base.c) = with_own_moves(members, &base, &only(&was), &only(&is));
    }
    (base.z, base.c)
}

/// Whether something that answered writes of ours put on the task is not on it, or something is that they took off: it did
/// not arrive, or somebody has undone it since.
fn is_undone(state: &State<'_>) -> bool {
    let now = set(&state.c);
    let mut on_task = state.landed.iter().filter(|one| one.side == Side::Clickup && !state.c_ours);
    on_task.any(|one| {
        let (was, is) = (set(&one.before), set(&one.after));
        !is.difference(&was).all(|new| now.contains(new))
            || was.difference(&is).any(|gone| now.contains(gone))
    })
}

/// Both bases with what a write of ours added to and removed from the task's set.
pub(crate) fn with_own_moves(
    members: &dyn Members,
    base: &FieldBase,
    before: &Value,
    sent: &Value,
) -> (Value, Value) {
    let (was, is) = (set(before), set(sent));
    let apply = |base: &Set, gone: &Set, new: &Set| -> Value {
        set_value(base.difference(gone).chain(new).cloned().collect())
    };
    let (gone, new): (Set, Set) =
        (was.difference(&is).cloned().collect(), is.difference(&was).cloned().collect());
    let on_z = apply(&set(&base.z), &common(members, &gone), &common(members, &new));
    (on_z, apply(&set(&base.c), &gone, &new))
}

/// Members that appeared and cannot be on the other side.
fn newcomers(state: &State<'_>, members: &dyn Members) -> Vec<String> {
    let base = state.base();
    let mut found = Vec::new();
    if state.field.direction.writes(Side::Zendesk) {
        let (now, before) = (set(&state.c), set(&base.c));
        let new = now.difference(&before).filter(|member| members.common_form(member).is_none());
        found.extend(new.cloned());
    }
    if state.field.direction.writes(Side::Clickup) {
        let (now, before) = (set(&state.z), set(&base.z));
        let new = now.difference(&before).filter(|member| members.to_clickup(member).is_none());
        found.extend(new.cloned());
    }
    found
}
