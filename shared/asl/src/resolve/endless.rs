//! How many events of history a workflow takes, and which of its loops go on in another execution because one would not
//! be enough: those that stand by themselves on the outermost level of a Standard workflow.

use std::collections::{BTreeMap, BTreeSet};

use super::sizes::items_max;
use super::{Readers, Resolved, ResolvedNode};
use crate::model::Kind;
use crate::nest::Tree;
use crate::workflow::{WITHOUT_BOUND, Work, WorkflowDefinition};

/// One part in so many of the history is for what was planned; the rest is for retries, three events each.
const MARGIN: f64 = 2.0;

/// Start and end of an execution.
const ENDS: f64 = 2.0;

/// What going on in another execution takes: a choice and an assignment at its start, a task and an end in the old one.
const GOING_ON: f64 = 12.0;

/// Loops that go on in another execution, and after how many rounds.
pub(crate) type Continues = BTreeMap<String, u64>;

/// The loops that go on in another execution; or why the workflow does not fit into a history.
pub(super) fn continues(definition: &WorkflowDefinition, body: &Resolved) -> Result<Continues, String> {
    let most = definition.events_max as f64;
    let all = events(body) + ENDS;
    if definition.kind == Kind::Express || all <= most {
        return Ok(Continues::new());
    }
    let mut loops: Vec<&ResolvedNode> = outermost(body).into_iter().filter(|node| is_loop(node)).collect();
    loops.sort_by(|one, other| {
        of_node(other).total_cmp(&of_node(one)).then_with(|| one.node.id.cmp(&other.node.id))
    });
    let budget = most / MARGIN;
    // What is left of the events of all nodes once some loops are taken out; subtracting could be infinity less infinity.
    let rest = |chosen: &[&ResolvedNode]| {
        let others =
            body.nodes.iter().filter(|node| !chosen.iter().any(|taken| taken.node.id == node.node.id));
        others.map(of_node).sum::<f64>() + joins(body) + ENDS + GOING_ON
    };
    let enough = (1..=loops.len()).find(|count| rest(&loops[..*count]) < budget);
    let Some(chosen) = enough.map(|count| &loops[..count]) else {
        return Err(too_many(definition, body, all));
    };
    let share = (budget - rest(chosen)) / chosen.len() as f64;
    let rounds = |node: &&ResolvedNode| {
        let turn = turn(node);
        let rounds = (share / turn).floor();
        if rounds >= 1.0 {
            return Ok((node.node.id.clone(), rounds as u64));
        }
        let id = &node.node.id;
        Err(format!(
            "one round of `{id}` may need {turn} events of history, and an execution has {share} for it: split it"
        ))
    };
    chosen.iter().map(rounds).collect()
}

fn too_many(definition: &WorkflowDefinition, body: &Resolved, events: f64) -> String {
    let needs = if events < 1e15 {
        format!("may need {events} events of history")
    } else {
        let mut loops = Vec::new();
        endless(body, &mut loops);
        format!("may need any number of events of history, because {} has no bound", loops.join(", "))
    };
    let most = definition.events_max;
    format!(
        "{needs}, at most {most} are kept: lower a loop's `at_most` or a map's `items_max`, or move the loop out of \
         maps, choices and branches, where it can go on in another execution"
    )
}

fn endless(block: &Resolved, found: &mut Vec<String>) {
    for node in &block.nodes {
        if matches!(node.node.work, Work::Repeat { at_most: WITHOUT_BOUND, .. }) {
            found.push(format!("`{}`", node.node.id));
        }
        node.inner.iter().for_each(|inner| endless(inner, found));
    }
}

/// The parts of the outermost level that run by themselves, in order.
fn outermost(body: &Resolved) -> Vec<&ResolvedNode> {
    let parts = match &body.tree {
        Some(Tree::Then(parts)) => parts.iter().collect(),
        Some(tree) => vec![tree],
        None => Vec::new(),
    };
    let step = |tree: &Tree| if let Tree::Step(step) = tree { Some(*step) } else { None };
    parts.into_iter().filter_map(step).map(|step| &body.nodes[step]).collect()
}

/// Results of what runs before this loop that are read in it or after it: what another execution has to be told.
pub(crate) fn kept(body: &Resolved, readers: &Readers, id: &str) -> Vec<String> {
    let Some(Tree::Then(parts)) = &body.tree else { return Vec::new() };
    let before: Vec<&ResolvedNode> = parts
        .iter()
        .map(|part| part.steps().into_iter().map(|step| &body.nodes[step]).collect::<Vec<_>>())
        .take_while(|nodes| nodes.iter().all(|node| node.node.id != id))
        .flatten()
        .collect();
    let inside: BTreeSet<&String> = before.iter().flat_map(|node| &node.members).collect();
    let is_read = |made: &&String| {
        readers.get(*made).is_some_and(|readers| readers.iter().any(|reader| !inside.contains(reader)))
    };
    before.iter().flat_map(|node| &node.produced).map(|(id, _)| id).filter(is_read).cloned().collect()
}

fn is_loop(node: &ResolvedNode) -> bool {
    matches!(node.node.work, Work::Repeat { .. })
}

/// Events of history that one run takes if nothing is retried.
pub(super) fn events(block: &Resolved) -> f64 {
    block.nodes.iter().map(of_node).sum::<f64>() + joins(block)
}

/// Events of the Parallels of a block.
fn joins(block: &Resolved) -> f64 {
    fn count(tree: &Tree) -> f64 {
        match tree {
            Tree::Step(_) => 0.0,
            Tree::Then(parts) => parts.iter().map(count).sum(),
            Tree::Beside(parts) => 4.0 + parts.iter().map(count).sum::<f64>(),
        }
    }
    block.tree.as_ref().map_or(0.0, count)
}

/// One round of a loop.
fn turn(node: &ResolvedNode) -> f64 {
    let inner: f64 = node.inner.iter().map(events).sum();
    match &node.node.work {
        Work::Repeat { pause: Some(_), .. } => inner + 4.0,
        _ => inner + 2.0,
    }
}

fn of_node(node: &ResolvedNode) -> f64 {
    let inner = node.inner.iter().map(events);
    match &node.node.work {
        Work::Call(_) => 5.0,
        Work::Wait(_) => 2.0,
        // A side that is not taken takes none.
        Work::Choose { .. } => 2.0 + inner.fold(0.0, f64::max),
        Work::Repeat { at_most: WITHOUT_BOUND, .. } => f64::INFINITY,
        Work::Repeat { at_most, .. } => 2.0 + turn(node) * *at_most as f64,
        Work::ForEach { items, at_most, .. } => {
            6.0 + (inner.sum::<f64>() + 2.0) * items_max(items, *at_most).unwrap_or(1) as f64
        }
        // Its executions have a history each.
        Work::ForEachApart { .. } => 8.0_f64.max(inner.sum()),
    }
}
