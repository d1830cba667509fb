//! Fields with one value on each side.

use super::state::{Plan, State};
use crate::decision::ConflictCause;
use crate::ids::Side;
use crate::merge::Choice;

pub(super) fn plan(state: &State<'_>) -> Plan {
    if state.same() {
        return state.adopt();
    }
    if let Some(plan) = state.frozen() {
        return plan;
    }
    match (state.z_moved, state.c_moved) {
        (true, false) => carry(state, Side::Zendesk, None),
        (false, true) => carry(state, Side::Clickup, None),
        (false, false) => still(state),
        (true, true) => {
            let choice = state.choice();
            match choice.winner {
                Some(winner) => carry(state, winner, Some(choice)),
                None => state.apart(ConflictCause::Ask, choice.rule, "both changed, and a person decides"),
            }
        }
    }
}

/// No person changed anything, and yet the sides differ.
fn still(state: &State<'_>) -> Plan {
    match (state.z_ours, state.c_ours) {
        // A write of ours arrived late: the side it came from says what is right.
        (false, true) => return carry(state, Side::Zendesk, None),
        (true, false) => return carry(state, Side::Clickup, None),
        (true, true) => {}
        (false, false) if state.base().parted => {
            return Plan::quiet("each side keeps its own, as the recorded conflict says");
        }
        (false, false) if state.field.lens.excused(&state.z, &state.c, &state.look) => {
            return Plan::quiet("the task is done: nobody is assigned to old work");
        }
        (false, false) => {}
    }
    // The mapping changed, or a task that was done is open again.
    let choice = state.choice();
    match choice.winner {
        Some(winner) => carry(state, winner, None),
        None => state.apart(ConflictCause::Ask, choice.rule, "the sides differ, and a person decides"),
    }
}

/// Puts one side's value on the other, or says why not. With a choice, the other's value loses and is
/// kept.
pub(super) fn carry(state: &State<'_>, from: Side, choice: Option<Choice>) -> Plan {
    let to = from.other();
    let direction = state.field.direction;
    if !direction.writes(to) {
        let rule = format!("direction = {}", direction.word());
        return state.apart(ConflictCause::OneWay, rule, "the field goes the other way");
    }
    if choice.is_none() && state.oscillates(from) {
        return state.freeze();
    }
    if to == Side::Zendesk && state.look.ticket.is_closed() {
        return state.apart(
            ConflictCause::TicketClosed,
            "closed tickets take nothing",
            "the ticket is closed",
        );
    }
    let lens = &state.field.lens;
    let target = match to {
        Side::Clickup => lens.to_clickup(&state.z, &state.c, &state.look),
        Side::Zendesk => lens.to_zendesk(&state.c, &state.z, &state.look),
    };
    let target = match target {
        Ok(target) if target == *state.value(to) => {
            let why = "nothing that could be written makes them the same";
            return state.apart(ConflictCause::NoCounterpart, why, why);
        }
        Ok(target) => target,
        Err(why) => return state.apart(ConflictCause::NoCounterpart, why.clone(), &why),
    };
    if to == Side::Clickup && state.look.task.archived {
        return state.hold();
    }
    let reached = match to {
        Side::Clickup => lens.same(&state.z, &target, &state.look),
        Side::Zendesk => lens.same(&target, &state.c, &state.look),
    };
    let mut plan = Plan::quiet(state.describe(from));
    if let Some(choice) = choice {
        plan.why = format!("changed on both sides; {} wins by rule {}", from, choice.rule);
        plan.conflicts.push(state.conflict(ConflictCause::BothChanged, Some(from), choice.rule));
    }
    if state.replaces_unseen(to) {
        let rule = "the other side did not show the change";
        plan.conflicts.push(state.conflict(ConflictCause::BothChanged, Some(from), rule));
    }
    if !reached {
        let rule = "the other side can hold a part of it only";
        plan.conflicts.push(state.conflict(ConflictCause::NoCounterpart, None, rule));
    }
    plan.write(to, target);
    plan
}
