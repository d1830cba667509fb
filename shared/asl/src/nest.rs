//! From a dependency graph to nested `then` and `beside`, which is all that a definition can express.
//!
//! An order that nests is taken apart exactly: parts that do not touch run beside each other, parts of which each
//! wholly precedes the next run one after the other. Where neither applies (the order holds an "N"), a wait must be
//! added: the steps are cut in two and the second half waits for the whole first one. Cuts are tried along six
//! linear extensions of the order, by expected durations; the best time wins, then the fewest added waits. All
//! ties fall by the steps' names, so the same graph always gives the same tree.

mod bits;
mod order;
mod search;
pub mod set;

use std::collections::BTreeMap;

use self::set::Set;

/// Steps that one block may have: a definition of the largest size has room for fewer.
pub const STEPS_MAX: usize = 4_096;

/// What runs after or beside what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// One step, by its index.
    Step(usize),
    /// One after the other.
    Then(Vec<Tree>),
    /// At the same time.
    Beside(Vec<Tree>),
}

impl Tree {
    /// The steps in it, from left to right.
    pub fn steps(&self) -> Vec<usize> {
        match self {
            Tree::Step(step) => vec![*step],
            Tree::Then(parts) | Tree::Beside(parts) => parts.iter().flat_map(Tree::steps).collect(),
        }
    }
}

/// Steps and their order.
#[derive(Clone, Debug)]
pub struct Graph {
    /// Names in ascending order; the index of a name is the step's index.
    pub names: Vec<String>,
    /// Expected duration of each step.
    pub seconds: Vec<f64>,
    /// Everything that precedes a step, directly or not.
    pub before: Vec<Set>,
    /// Everything that a step precedes.
    pub behind: Vec<Set>,
}

/// Why a graph cannot be ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A step waits for a step that does not exist.
    Unknown(String, String),
    /// A step waits for itself.
    Itself(String),
    /// These steps wait for each other in a ring.
    Cycle(Vec<String>),
    /// Two steps have the same name.
    Repeated(String),
    /// There are so many steps that no definition has room for them.
    TooMany(usize),
}

impl Graph {
    /// A graph from `(name, seconds, names it waits for)`, in any order; all that is wrong with it otherwise.
    pub fn new(steps: &[(String, f64, Vec<String>)]) -> Result<Graph, Vec<Trouble>> {
        if steps.len() > STEPS_MAX {
            return Err(vec![Trouble::TooMany(steps.len())]);
        }
        let mut troubles = Vec::new();
        let mut sorted: Vec<&(String, f64, Vec<String>)> = steps.iter().collect();
        sorted.sort_by(|one, other| one.0.cmp(&other.0));
        for pair in sorted.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            troubles.push(Trouble::Repeated(pair[0].0.clone()));
        }
        let index: BTreeMap<&str, usize> =
            sorted.iter().enumerate().map(|(at, step)| (step.0.as_str(), at)).collect();
        let n = sorted.len();
        let mut direct = vec![Set::empty(n); n];
        for (at, (name, _, after)) in sorted.iter().enumerate() {
            for earlier in after {
                match index.get(earlier.as_str()) {
                    None => troubles.push(Trouble::Unknown(name.clone(), earlier.clone())),
                    Some(earlier) if *earlier == at => troubles.push(Trouble::Itself(name.clone())),
                    Some(earlier) => direct[at].insert(*earlier),
                }
            }
        }
        let names: Vec<String> = sorted.iter().map(|step| step.0.clone()).collect();
        match order::closure(&direct) {
            Ok(before) if troubles.is_empty() => {
                let behind = order::reverse(&before);
                let seconds = sorted.iter().map(|step| step.1.max(0.0)).collect();
                Ok(Graph { names, seconds, before, behind })
            }
            Ok(_) => Err(troubles),
            Err(ring) => {
                troubles.push(Trouble::Cycle(ring.into_iter().map(|step| names[step].clone()).collect()));
                Err(troubles)
            }
        }
    }

    /// The time of the longest chain: nothing can be faster.
    pub fn critical_path(&self) -> f64 {
        order::finish_times(self).into_iter().fold(0.0, f64::max)
    }

    /// The time of a tree by the expected durations.
    pub fn time(&self, tree: &Tree) -> f64 {
        match tree {
            Tree::Step(step) => self.seconds[*step],
            Tree::Then(parts) => parts.iter().map(|part| self.time(part)).sum(),
            Tree::Beside(parts) => parts.iter().map(|part| self.time(part)).fold(0.0, f64::max),
        }
    }
}

/// A nested form of a graph and what it costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Nested {
    /// The form; none for a graph without steps.
    pub tree: Option<Tree>,
    /// Waits that the graph does not ask for, most expensive first.
    pub waits: Vec<AddedWait>,
    /// The time of the longest chain of the graph.
    pub critical_s: f64,
    /// The time of the tree.
    pub total_s: f64,
}

/// A wait that the nesting added.
#[derive(Clone, Debug, PartialEq)]
pub struct AddedWait {
    /// The step that waits.
    pub step: String,
    /// The step it need not wait for.
    pub waits_for: String,
    /// How much later it starts than its own dependencies would let it.
    pub later_s: f64,
}

/// The best nesting that six linear extensions give.
pub fn nest(graph: &Graph) -> Nested {
    let tree = search::best(graph);
    let waits = tree.as_ref().map(|tree| added_waits(graph, tree)).unwrap_or_default();
    let total_s = tree.as_ref().map_or(0.0, |tree| graph.time(tree));
    Nested { tree, waits, critical_s: graph.critical_path(), total_s }
}

/// When each step ends in a tree that starts at zero.
fn ends(graph: &Graph, tree: &Tree, start: f64, ends_at: &mut [f64]) -> f64 {
    match tree {
        Tree::Step(step) => {
            ends_at[*step] = start + graph.seconds[*step];
            ends_at[*step]
        }
        Tree::Then(parts) => parts.iter().fold(start, |at, part| ends(graph, part, at, ends_at)),
        Tree::Beside(parts) => {
            parts.iter().map(|part| ends(graph, part, start, ends_at)).fold(start, f64::max)
        }
    }
}

/// Pairs of steps that the tree orders; `earlier` precedes `later`.
pub fn ordered_pairs(tree: &Tree) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    collect_pairs(tree, &mut pairs);
    pairs
}

fn collect_pairs(tree: &Tree, pairs: &mut Vec<(usize, usize)>) {
    let (Tree::Then(parts) | Tree::Beside(parts)) = tree else { return };
    parts.iter().for_each(|part| collect_pairs(part, pairs));
    if matches!(tree, Tree::Then(_)) {
        let steps: Vec<Vec<usize>> = parts.iter().map(Tree::steps).collect();
        for (at, earlier) in steps.iter().enumerate() {
            let later = steps[at + 1..].iter().flatten();
            pairs.extend(later.flat_map(|later| earlier.iter().map(move |earlier| (*earlier, *later))));
        }
    }
}

fn added_waits(graph: &Graph, tree: &Tree) -> Vec<AddedWait> {
    let mut ends_at = vec![0.0; graph.names.len()];
    ends(graph, tree, 0.0, &mut ends_at);
    let mut waits = Vec::new();
    for (earlier, later) in ordered_pairs(tree) {
        if graph.before[later].has(earlier) {
            continue;
        }
        let ready = graph.before[later].iter().map(|step| ends_at[step]).fold(0.0, f64::max);
        waits.push(AddedWait {
            step: graph.names[later].clone(),
            waits_for: graph.names[earlier].clone(),
            later_s: (ends_at[earlier] - ready).max(0.0),
        });
    }
    waits.sort_by(|one, other| {
        let by_cost = other.later_s.total_cmp(&one.later_s);
        by_cost.then_with(|| (&one.step, &one.waits_for).cmp(&(&other.step, &other.waits_for)))
    });
    waits
}
