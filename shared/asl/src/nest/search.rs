//! The search for the best nesting along one linear extension, with everything found remembered by its set of steps.

use std::collections::HashMap;
use std::rc::Rc;

use super::set::Set;
use super::{Graph, Tree, order};

/// In knots up to this size every cut of the extension is tried.
const KNOT_EXACT_MAX: usize = 40;

/// In larger knots only the most promising cuts are.
const CUTS_TRIED: usize = 2;

/// A place to cut a knot.
struct Cut {
    /// How many steps come before it.
    at: usize,
    /// The time that both halves need at least.
    least_s: f64,
    /// The waits that it adds by itself.
    waits: usize,
}

/// A nesting of a set of steps. Compared by time, then by added waits.
#[derive(Clone, Debug)]
struct Found {
    seconds: f64,
    waits: usize,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Step(usize),
    Then(Vec<Set>),
    Beside(Vec<Set>),
}

impl Found {
    fn is_better_than(&self, other: &Found) -> bool {
        // Sums of durations in another order differ in the last bits; that is no reason to prefer one.
        let tolerance = 1e-9 * (1.0 + other.seconds.abs());
        if (self.seconds - other.seconds).abs() > tolerance {
            return self.seconds < other.seconds;
        }
        self.waits < other.waits
    }
}

/// The best nesting over all extensions; none for an empty graph.
pub fn best(graph: &Graph) -> Option<Tree> {
    let n = graph.names.len();
    if n == 0 {
        return None;
    }
    let all = Set::full(n);
    let mut best: Option<(Found, Tree)> = None;
    for extension in order::extensions(graph) {
        let mut search = Search { graph, extension: &extension, memo: HashMap::new() };
        let found = search.solve(&all);
        if best.as_ref().is_none_or(|(best, _)| found.is_better_than(best)) {
            let tree = search.tree(&all);
            best = Some(((*found).clone(), tree));
        }
        // An order that nests comes out the same along every extension.
        if best.as_ref().is_some_and(|(best, _)| best.waits == 0) {
            break;
        }
    }
    best.map(|(_, tree)| tree)
}

struct Search<'a> {
    graph: &'a Graph,
    extension: &'a [usize],
    // Only looked up, never walked: its order has no influence.
    memo: HashMap<Set, Rc<Found>>,
}

impl Search<'_> {
    fn solve(&mut self, steps: &Set) -> Rc<Found> {
        if let Some(found) = self.memo.get(steps) {
            return Rc::clone(found);
        }
        let found = Rc::new(self.solve_anew(steps));
        self.memo.insert(steps.clone(), Rc::clone(&found));
        found
    }

    fn solve_anew(&mut self, steps: &Set) -> Found {
        if let (Some(step), 1) = (steps.first(), steps.len()) {
            return Found { seconds: self.graph.seconds[step], waits: 0, form: Form::Step(step) };
        }
        let beside = self.untouched_parts(steps);
        if beside.len() > 1 {
            let parts: Vec<Rc<Found>> = beside.iter().map(|part| self.solve(part)).collect();
            return Found {
                seconds: parts.iter().map(|part| part.seconds).fold(0.0, f64::max),
                waits: parts.iter().map(|part| part.waits).sum(),
                form: Form::Beside(beside),
            };
        }
        let then = self.consecutive_parts(steps);
        if then.len() > 1 {
            let parts: Vec<Rc<Found>> = then.iter().map(|part| self.solve(part)).collect();
            return Found {
                seconds: parts.iter().map(|part| part.seconds).sum(),
                waits: parts.iter().map(|part| part.waits).sum(),
                form: Form::Then(then),
            };
        }
        self.cut(steps)
    }

    /// Parts between which there is no order, each in one piece.
    fn untouched_parts(&self, steps: &Set) -> Vec<Set> {
        let mut rest = steps.clone();
        let mut parts = Vec::new();
        while let Some(first) = rest.first() {
            let mut part = Set::empty(self.graph.names.len());
            let mut edge = vec![first];
            part.insert(first);
            rest.remove(first);
            while let Some(step) = edge.pop() {
                let mut near = self.graph.before[step].and(&rest);
                near.add(&self.graph.behind[step].and(&rest));
                near.iter().for_each(|step| edge.push(step));
                part.add(&near);
                rest = rest.without(&near);
            }
            parts.push(part);
        }
        parts
    }

    /// Parts of which each wholly precedes the next. Along a linear extension they are intervals: a boundary is
    /// where everything so far precedes everything left.
    fn consecutive_parts(&self, steps: &Set) -> Vec<Set> {
        let n = self.graph.names.len();
        let mut parts = Vec::new();
        let mut part = Set::empty(n);
        let mut rest = steps.clone();
        let mut common = steps.clone();
        for &step in self.extension.iter().filter(|step| steps.has(**step)) {
            part.insert(step);
            rest.remove(step);
            common = common.and(&self.graph.behind[step]);
            // `common` is what all steps so far precede.
            if rest.without(&common).is_empty() {
                parts.push(std::mem::replace(&mut part, Set::empty(n)));
            }
        }
        if !part.is_empty() {
            parts.push(part);
        }
        parts
    }

    /// A wait is unavoidable: the best prefix of the extension before the rest.
    fn cut(&mut self, steps: &Set) -> Found {
        let mut cuts = self.cuts(steps);
        // Most promising first, so that the rest can be dismissed by what they need at least.
        cuts.sort_by(|one, other| {
            one.least_s.total_cmp(&other.least_s).then((one.waits, one.at).cmp(&(other.waits, other.at)))
        });
        if steps.len() > KNOT_EXACT_MAX {
            cuts.truncate(CUTS_TRIED);
        }
        let mut best: Option<(Found, usize)> = None;
        for cut in cuts {
            let hopeless = |best: &Found| cut.least_s > best.seconds + 1e-9 * (1.0 + best.seconds);
            if best.as_ref().is_some_and(|(best, _)| hopeless(best)) {
                break;
            }
            let (first, rest) = self.split(steps, cut.at);
            let (head, tail) = (self.solve(&first), self.solve(&rest));
            let found = Found {
                seconds: head.seconds + tail.seconds,
                waits: head.waits + tail.waits + cut.waits,
                form: Form::Then(vec![first, rest]),
            };
            let wins = |(best, at): &(Found, usize)| {
                found.is_better_than(best) || (!best.is_better_than(&found) && cut.at < *at)
            };
            if best.as_ref().is_none_or(wins) {
                best = Some((found, cut.at));
            }
        }
        // Sets of one step never get here, so there was at least one cut.
        best.map_or(Found { seconds: 0.0, waits: 0, form: Form::Then(Vec::new()) }, |(found, _)| found)
    }

    /// The steps of a set in the order of the extension.
    fn in_order(&self, steps: &Set) -> Vec<usize> {
        self.extension.iter().copied().filter(|step| steps.has(*step)).collect()
    }

    /// The first steps of a set by the extension, and the others.
    fn split(&self, steps: &Set, at: usize) -> (Set, Set) {
        let mut first = Set::empty(self.graph.names.len());
        self.in_order(steps).into_iter().take(at).for_each(|step| first.insert(step));
        let rest = steps.without(&first);
        (first, rest)
    }

    /// Every cut of a set along the extension, with the time that its halves need at least: their longest chains.
    fn cuts(&self, steps: &Set) -> Vec<Cut> {
        let in_order = self.in_order(steps);
        let chain = |near: &Set, known: &[f64]| near.iter().map(|step| known[step]).fold(0.0, f64::max);
        let mut lengths = vec![0.0; self.graph.names.len()];
        let mut behind_s = vec![0.0; in_order.len() + 1];
        for (at, &step) in in_order.iter().enumerate().rev() {
            let near = self.graph.behind[step].and(steps);
            lengths[step] = self.graph.seconds[step] + chain(&near, &lengths);
            behind_s[at] = f64::max(behind_s[at + 1], lengths[step]);
        }
        let (mut first, mut rest) = (Set::empty(self.graph.names.len()), steps.clone());
        let (mut before_s, mut asked) = (0.0_f64, 0);
        let mut cuts = Vec::with_capacity(in_order.len());
        for (at, &step) in in_order[..in_order.len() - 1].iter().enumerate() {
            lengths[step] = self.graph.seconds[step] + chain(&self.graph.before[step].and(&first), &lengths);
            before_s = before_s.max(lengths[step]);
            first.insert(step);
            rest.remove(step);
            // Ordered pairs across the cut: the new step's later ones in, its earlier ones out.
            asked += self.graph.behind[step].common(&rest);
            asked -= self.graph.before[step].common(&first);
            let across = (at + 1) * (in_order.len() - at - 1);
            cuts.push(Cut { at: at + 1, least_s: before_s + behind_s[at + 1], waits: across - asked });
        }
        cuts
    }

    /// The tree of a solved set, with `then` in `then` and `beside` in `beside` flattened.
    fn tree(&mut self, steps: &Set) -> Tree {
        let found = self.solve(steps);
        match &found.form {
            Form::Step(step) => Tree::Step(*step),
            Form::Then(parts) => {
                let mut flat = Vec::new();
                for part in parts {
                    match self.tree(part) {
                        Tree::Then(inner) => flat.extend(inner),
                        other => flat.push(other),
                    }
                }
                Tree::Then(flat)
            }
            Form::Beside(parts) => {
                let mut flat = Vec::new();
                for part in parts {
                    match self.tree(part) {
                        Tree::Beside(inner) => flat.extend(inner),
                        other => flat.push(other),
                    }
                }
                Tree::Beside(flat)
            }
        }
    }
}
