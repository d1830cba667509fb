//! Copies of pure and cheap steps. Where the order of the outermost block does not nest and that costs time, a step that
//! may be copied is run once more for one of those who need it, so that they need not wait for what the others wait
//! for. Only if its author said so, and only where it makes the whole faster.

use crate::expression::{Condition, Expression};
use crate::nest::Nested;
use crate::report::is_worth_more;
use crate::resolve;
use crate::workflow::{Block, Node, Work, WorkflowDefinition};

/// Copies of one workflow, at most: each is a state more, and a call more in each execution.
const COPIES_MAX: usize = 10;

/// A workflow with copies in it.
pub(crate) struct Copied {
    pub definition: WorkflowDefinition,
    /// Which step was copied, and for whom.
    pub copies: Vec<(String, String)>,
}

/// The workflow with the copies that pay; none if no step may be copied, or no copy pays.
pub(crate) fn copied(definition: &WorkflowDefinition) -> Option<Copied> {
    let may = |node: &Node| matches!(&node.work, Work::Call(call) if call.copies);
    if !definition.body.nodes.iter().any(may) {
        return None;
    }
    let mut best = Copied { definition: definition.clone(), copies: Vec::new() };
    let mut nested = order(definition)?;
    while best.copies.len() < COPIES_MAX && is_worth_more(nested.critical_s, nested.total_s) {
        let mut found: Option<(Nested, Copied)> = None;
        let mut nodes: Vec<&Node> = best.definition.body.nodes.iter().collect();
        // Whatever the order of declaration, the first by name wins a tie.
        nodes.sort_by(|one, other| one.id.cmp(&other.id));
        for node in nodes.iter().filter(|node| may(node)) {
            let users: Vec<&&Node> = nodes.iter().filter(|user| uses(user, &node.id)).collect();
            for user in users.iter().filter(|_| users.len() > 1) {
                let definition = with_copy(&best.definition, node, user);
                let Some(order) = order(&definition) else { continue };
                let before = found.as_ref().map_or(nested.total_s, |(found, _)| found.total_s);
                if order.total_s < before - 1e-9 * (1.0 + before) {
                    let mut copies = best.copies.clone();
                    copies.push((node.id.clone(), user.id.clone()));
                    found = Some((order, Copied { definition, copies }));
                }
            }
        }
        let Some((order, copied)) = found else { break };
        (nested, best) = (order, copied);
    }
    (!best.copies.is_empty()).then_some(best)
}

/// The order of the outermost block; none if something is wrong with the workflow, which is told elsewhere.
fn order(definition: &WorkflowDefinition) -> Option<Nested> {
    let resolution = resolve::resolve(definition);
    resolution.body.nested.filter(|_| resolution.mistakes.is_empty())
}

/// The workflow with a step copied for one of its users.
fn with_copy(definition: &WorkflowDefinition, node: &Node, user: &Node) -> WorkflowDefinition {
    let name = format!("{}For{}", node.id, user.id);
    let mut copy = node.clone();
    name.clone_into(&mut copy.id);
    if let Work::Call(call) = &mut copy.work {
        name.clone_into(&mut call.id);
        call.copies = false;
        if let Some(fallback) = &mut call.fallback {
            fallback.name = format!("{}For{}", fallback.name, user.id);
        }
    }
    // Measured under the name of the original.
    if let Some(ms) = definition.medians.as_ref().and_then(|medians| medians.ms(&node.id)) {
        copy.expected_s = ms / 1_000.0;
    }
    let mut definition = definition.clone();
    for other in definition.body.nodes.iter_mut().filter(|other| other.id == user.id) {
        let rename = &mut |step: &mut String| {
            if *step == node.id {
                name.clone_into(step);
            }
        };
        results(&mut other.work, rename);
        other.after.iter_mut().for_each(rename);
    }
    definition.body.nodes.push(copy);
    definition
}

/// Whether a node reads or follows a step of this name.
fn uses(node: &Node, id: &str) -> bool {
    let mut found = node.after.iter().any(|after| after == id);
    results(&mut node.work.clone(), &mut |step| found |= step == id);
    found
}

/// Visits the name of every result that something reads.
fn results(work: &mut Work, visit: &mut dyn FnMut(&mut String)) {
    match work {
        Work::Call(call) => call.arguments.iter_mut().for_each(|(_, value)| of_value(value, visit)),
        Work::Wait(seconds) => of_value(seconds, visit),
        Work::Choose { when, then, otherwise } => {
            of_condition(when, visit);
            of_block(then, visit);
            of_block(otherwise, visit);
        }
        Work::Repeat { body, until, pause, .. } => {
            of_block(body, visit);
            of_condition(until, visit);
            pause.iter_mut().for_each(|pause| of_value(pause, visit));
        }
        Work::ForEach { items, body, .. } | Work::ForEachApart { items, body, .. } => {
            of_value(items, visit);
            of_block(body, visit);
        }
    }
}

fn of_block(block: &mut Block, visit: &mut dyn FnMut(&mut String)) {
    block.nodes.iter_mut().for_each(|node| results(&mut node.work, visit));
}

fn of_value(value: &mut Expression, visit: &mut dyn FnMut(&mut String)) {
    match value {
        Expression::Result(step, _) => visit(step),
        Expression::Count(list) => of_value(list, visit),
        Expression::Input(_) | Expression::Counter(_) | Expression::Item(_) | Expression::Literal(_) => {}
    }
}

fn of_condition(condition: &mut Condition, visit: &mut dyn FnMut(&mut String)) {
    match condition {
        Condition::IsTrue(value) | Condition::Above(value, _) => of_value(value, visit),
        Condition::Equal(one, other) => {
            of_value(one, visit);
            of_value(other, visit);
        }
        Condition::Not(condition) => of_condition(condition, visit),
    }
}
