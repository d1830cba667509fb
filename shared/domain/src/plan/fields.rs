//! Fields side by side, from what the functions of a run decide.

use std::collections::BTreeMap;

use super::{Along, FieldPlan};
use crate::create::{NewTaskPlan, bases_after_create, task_as_sent};
use crate::decision::{Conflict, Decision};
use crate::field::Value;
use crate::ids::Side;
use crate::lens::blank::blank_task;
use crate::mapping::Mapping;
use crate::records::{Task, Ticket};

/// The fields of a task that would be made, and what it cannot hold. The ticket is the one that ClickUp may see.
pub fn of_create(ticket: &Ticket, plan: &NewTaskPlan, mapping: &Mapping) -> (Vec<FieldPlan>, Vec<Conflict>) {
    let task = task_as_sent(plan, mapping);
    let blank = blank_task(plan.list.clone());
    let (_, conflicts) = bases_after_create(ticket, &task, mapping);
    let mut fields = Vec::new();
    for field in mapping.mapped() {
        let (zendesk, clickup) = (field.lens.zendesk(ticket), field.lens.clickup(&task));
        let before = field.lens.clickup(&blank);
        let apart = conflicts.iter().find(|conflict| conflict.field == field.key);
        if clickup == before && apart.is_none() {
            continue;
        }
        let why = apart.map_or_else(|| "the task is new".to_owned(), |conflict| conflict.rule.clone());
        let mut writes = BTreeMap::new();
        if clickup != before {
            writes.insert(Side::Clickup, clickup);
        }
        fields.push(FieldPlan { field: field.key.clone(), zendesk, clickup: Value::Null, writes, why });
    }
    (fields, conflicts)
}

/// The fields that a decision writes or leaves apart.
pub fn of_decision(decision: &Decision, ticket: &Ticket, task: &Task, mapping: &Mapping) -> Vec<FieldPlan> {
    let mut fields = Vec::new();
    for verdict in &decision.verdicts {
        let key = &verdict.field;
        let mut writes = BTreeMap::new();
        for side in [Side::Zendesk, Side::Clickup] {
            if let Some(value) = decision.writes.get(&(side, key.clone())) {
                writes.insert(side, value.clone());
            }
        }
        let apart = decision.conflicts.iter().any(|conflict| conflict.field == *key);
        let Some((zendesk, clickup)) = mapping.values(key, ticket, task) else { continue };
        if !writes.is_empty() || apart {
            fields.push(FieldPlan { field: key.clone(), zendesk, clickup, writes, why: verdict.why.clone() });
        }
    }
    fields
}

/// What a decision writes to the ticket beside its fields.
pub fn along(decision: &Decision, ticket: &Ticket) -> Vec<Along> {
    let Some(patch) = &decision.zendesk else { return Vec::new() };
    let group = patch.group.filter(|group| Some(*group) != ticket.group).map(|group| group.to_string());
    let kind = patch.ticket_type.clone().filter(|kind| ticket.ticket_type.as_ref() != Some(kind));
    let found = [("group", group), ("type", kind)].into_iter();
    let along = |(what, value): (&str, Option<String>)| {
        Some(Along { side: Side::Zendesk, what: what.to_owned(), value: value? })
    };
    found.filter_map(along).collect()
}
