//! The search for the best nesting along one linear extension, with everything found remembered by its set of steps.
//!
//! Steps are renumbered by their place in the extension, so that a prefix is what lies below an index. Every set that
//! occurs is convex (what lies between two of its steps is in it), which is why chains need only direct dependencies.

use std::collections::BTreeMap;

use super::bits::Bits;
use super::{Graph, Tree, order};

/// In knots up to this size every cut of the extension is tried.
const KNOT_EXACT_MAX: usize = 40;

/// In larger knots only the most promising cuts are.
const CUTS_TRIED: usize = 2;

/// Graphs with more steps are content with the first extension that costs no time.
const LARGE: usize = 100;

/// A place to cut a knot.
struct Cut {
    /// How many steps come before it.
    at: usize,
    /// The last step before it.
    last: usize,
    /// The time that both halves need at least.
    least_s: f64,
    /// The time that the second half needs at least.
    rest_s: f64,
    /// The waits that it adds by itself.
    waits: usize,
}

/// A nesting of a set of steps. Compared by time, then by added waits. Parts are told by where they were found.
#[derive(Clone, Debug)]
struct Found {
    seconds: f64,
    waits: usize,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Step(usize),
    Then(Vec<usize>),
    Beside(Vec<usize>),
}

/// Sums of durations in another order differ in the last bits; that is no reason to prefer one.
fn tolerance(seconds: f64) -> f64 {
    1e-9 * (1.0 + seconds.abs())
}

/// Whether the first (time, waits) is better than the second.
fn is_better(one: (f64, usize), other: (f64, usize)) -> bool {
    if (one.0 - other.0).abs() > tolerance(other.0) {
        return one.0 < other.0;
    }
    one.1 < other.1
}

/// Whether a cut that costs at least so much cannot replace the best one so far.
fn is_hopeless(least: (f64, usize), at: usize, (best, best_at): ((f64, usize), usize)) -> bool {
    let as_fast = least.0 >= best.0 - tolerance(best.0);
    least.0 > best.0 + tolerance(best.0) || (as_fast && (least.1, at) > (best.1, best_at))
}

/// The best nesting over all extensions; none for an empty graph.
pub fn best(graph: &Graph) -> Option<Tree> {
    match graph.names.len() {
        0 => None,
        1..=64 => best_of::<1>(graph),
        65..=128 => best_of::<2>(graph),
        129..=256 => best_of::<4>(graph),
        257..=1024 => best_of::<16>(graph),
        // `Graph::new` takes no more than this has room for.
        _ => best_of::<{ super::STEPS_MAX / 64 }>(graph),
    }
}

fn best_of<const W: usize>(graph: &Graph) -> Option<Tree> {
    let critical_s = graph.critical_path();
    let mut best: Option<((f64, usize), Tree)> = None;
    for extension in order::extensions(graph) {
        let mut search = Search::<W>::new(graph, &extension);
        let mut all = Bits::EMPTY;
        (0..extension.len()).for_each(|at| all.insert(at));
        let top = search.solve(all);
        let price = search.price(top);
        if best.as_ref().is_none_or(|(best, _)| is_better(price, *best)) {
            best = Some((price, search.tree(top)));
        }
        // An order that nests comes out the same along every extension. In a large graph the longest chain's time is
        // good enough: other extensions could only save waits that cost no time.
        let is_done = |(seconds, waits): (f64, usize)| {
            let fastest = seconds <= critical_s + tolerance(critical_s);
            waits == 0 || (fastest && extension.len() > LARGE)
        };
        if best.as_ref().is_some_and(|(best, _)| is_done(*best)) {
            break;
        }
    }
    best.map(|(_, tree)| tree)
}

struct Search<'a, const W: usize> {
    /// The step at each place.
    extension: &'a [usize],
    seconds: Vec<f64>,
    /// Everything before and behind each place.
    before: Vec<Bits<W>>,
    behind: Vec<Bits<W>>,
    /// The direct ones among them.
    nearest_before: Vec<Vec<usize>>,
    nearest_behind: Vec<Vec<usize>>,
    memo: BTreeMap<Bits<W>, usize>,
    found: Vec<Found>,
    /// The longest chain that ends, or begins, at each place.
    chains: Vec<f64>,
}

impl<const W: usize> Search<'_, W> {
    fn new<'a>(graph: &Graph, extension: &'a [usize]) -> Search<'a, W> {
        let n = extension.len();
        let mut place = vec![0; n];
        extension.iter().enumerate().for_each(|(at, step)| place[*step] = at);
        let moved = |steps: &super::set::Set| {
            let mut bits = Bits::EMPTY;
            steps.iter().for_each(|step| bits.insert(place[step]));
            bits
        };
        let before: Vec<Bits<W>> = extension.iter().map(|step| moved(&graph.before[*step])).collect();
        let behind: Vec<Bits<W>> = extension.iter().map(|step| moved(&graph.behind[*step])).collect();
        let mut nearest_before = vec![Vec::new(); n];
        let mut nearest_behind = vec![Vec::new(); n];
        for (at, all) in before.iter().enumerate() {
            let implied = all.iter().fold(Bits::EMPTY, |implied, earlier| before[earlier].or(&implied));
            for earlier in all.without(&implied).iter() {
                nearest_before[at].push(earlier);
                nearest_behind[earlier].push(at);
            }
        }
        let seconds: Vec<f64> = extension.iter().map(|step| graph.seconds[*step]).collect();
        let single =
            |(at, seconds): (usize, &f64)| Found { seconds: *seconds, waits: 0, form: Form::Step(at) };
        let found = seconds.iter().enumerate().map(single).collect();
        let (memo, chains) = (BTreeMap::new(), vec![0.0; n]);
        Search { extension, seconds, before, behind, nearest_before, nearest_behind, memo, found, chains }
    }

    fn price(&self, at: usize) -> (f64, usize) {
        (self.found[at].seconds, self.found[at].waits)
    }

    /// Where the best nesting of a set was put.
    fn solve(&mut self, steps: Bits<W>) -> usize {
        // Single steps have the first places.
        if let (Some(step), 1) = (steps.first(), steps.len()) {
            return step;
        }
        if let Some(found) = self.memo.get(&steps) {
            return *found;
        }
        let found = self.solve_anew(steps);
        self.found.push(found);
        self.memo.insert(steps, self.found.len() - 1);
        self.found.len() - 1
    }

    fn solve_anew(&mut self, steps: Bits<W>) -> Found {
        let beside = self.untouched_parts(steps);
        if beside.len() > 1 {
            let parts: Vec<usize> = beside.into_iter().map(|part| self.solve(part)).collect();
            let prices = parts.iter().map(|part| self.price(*part));
            let (seconds, waits) = prices.fold((0.0, 0), |sum, one| (f64::max(sum.0, one.0), sum.1 + one.1));
            return Found { seconds, waits, form: Form::Beside(parts) };
        }
        let then = self.consecutive_parts(steps);
        if then.len() > 1 {
            let parts: Vec<usize> = then.into_iter().map(|part| self.solve(part)).collect();
            let prices = parts.iter().map(|part| self.price(*part));
            let (seconds, waits) = prices.fold((0.0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            return Found { seconds, waits, form: Form::Then(parts) };
        }
        self.cut(steps)
    }

    /// Parts between which there is no order, each in one piece.
    fn untouched_parts(&self, steps: Bits<W>) -> Vec<Bits<W>> {
        let mut rest = steps;
        let mut parts = Vec::new();
        while let Some(first) = rest.first() {
            let mut part = Bits::EMPTY;
            let mut edge = Bits::EMPTY;
            edge.insert(first);
            while let Some(step) = edge.first() {
                edge.remove(step);
                rest.remove(step);
                part.insert(step);
                edge = self.before[step].or(&self.behind[step]).and(&rest).or(&edge);
            }
            parts.push(part);
        }
        parts
    }

    /// Parts of which each wholly precedes the next. Along a linear extension they are intervals: a boundary is
    /// where everything so far precedes everything left.
    fn consecutive_parts(&self, steps: Bits<W>) -> Vec<Bits<W>> {
        let mut parts = Vec::new();
        let mut part = Bits::EMPTY;
        let mut rest = steps;
        let mut common = steps;
        for step in steps.iter() {
            part.insert(step);
            rest.remove(step);
            common = common.and(&self.behind[step]);
            // `common` is what all steps so far precede.
            if rest.is_within(&common) {
                parts.push(std::mem::replace(&mut part, Bits::EMPTY));
            }
        }
        if !part.is_empty() {
            parts.push(part);
        }
        parts
    }

    /// A wait is unavoidable: the best prefix of the extension before the rest.
    fn cut(&mut self, steps: Bits<W>) -> Found {
        let mut cuts = self.cuts(steps);
        // Most promising first, so that the rest can be dismissed by what they need at least.
        let by_promise = |one: &Cut, other: &Cut| {
            one.least_s.total_cmp(&other.least_s).then((one.waits, one.at).cmp(&(other.waits, other.at)))
        };
        if steps.len() > KNOT_EXACT_MAX {
            cuts.select_nth_unstable_by(CUTS_TRIED, by_promise);
            cuts.truncate(CUTS_TRIED);
        }
        cuts.sort_unstable_by(by_promise);
        let mut best: Option<((f64, usize), usize, Vec<usize>)> = None;
        for cut in cuts {
            if let Some((best, at, _)) = &best {
                if cut.least_s > best.0 + tolerance(best.0) {
                    break;
                }
                if is_hopeless((cut.least_s, cut.waits), cut.at, (*best, *at)) {
                    continue;
                }
            }
            let first = steps.up_to(cut.last);
            let head = self.solve(first);
            let one = self.price(head);
            let least = (one.0 + cut.rest_s, one.1 + cut.waits);
            if best.as_ref().is_some_and(|(best, at, _)| is_hopeless(least, cut.at, (*best, *at))) {
                continue;
            }
            let tail = self.solve(steps.without(&first));
            let other = self.price(tail);
            let price = (one.0 + other.0, one.1 + other.1 + cut.waits);
            let wins = best.as_ref().is_none_or(|(best, at, _)| {
                is_better(price, *best) || (!is_better(*best, price) && cut.at < *at)
            });
            if wins {
                best = Some((price, cut.at, vec![head, tail]));
            }
        }
        // Sets of one step never get here, so there was at least one cut.
        let ((seconds, waits), _, parts) = best.unwrap_or_default();
        Found { seconds, waits, form: Form::Then(parts) }
    }

    /// Every cut of a set along the extension, with the time that its halves need at least: their longest chains.
    fn cuts(&mut self, steps: Bits<W>) -> Vec<Cut> {
        let places: Vec<usize> = steps.iter().collect();
        let mut behind_s = vec![0.0; places.len() + 1];
        for (at, &step) in places.iter().enumerate().rev() {
            let near = self.nearest_behind[step].iter().filter(|near| steps.has(**near));
            let chain = near.map(|near| self.chains[*near]).fold(0.0, f64::max);
            self.chains[step] = self.seconds[step] + chain;
            behind_s[at] = f64::max(behind_s[at + 1], self.chains[step]);
        }
        let (mut first, mut rest) = (Bits::EMPTY, steps);
        let (mut before_s, mut asked) = (0.0_f64, 0);
        let mut cuts = Vec::with_capacity(places.len());
        for (at, &step) in places[..places.len() - 1].iter().enumerate() {
            let near = self.nearest_before[step].iter().filter(|near| steps.has(**near));
            let chain = near.map(|near| self.chains[*near]).fold(0.0, f64::max);
            self.chains[step] = self.seconds[step] + chain;
            before_s = before_s.max(self.chains[step]);
            first.insert(step);
            rest.remove(step);
            // Ordered pairs across the cut: the new step's later ones in, its earlier ones out.
            asked += self.behind[step].common(&rest);
            asked -= self.before[step].common(&first);
            let across = (at + 1) * (places.len() - at - 1);
            let rest_s = behind_s[at + 1];
            cuts.push(Cut {
                at: at + 1,
                last: step,
                least_s: before_s + rest_s,
                rest_s,
                waits: across - asked,
            });
        }
        cuts
    }

    /// The tree of what was found, with `then` in `then` and `beside` in `beside` flattened.
    fn tree(&self, found: usize) -> Tree {
        match &self.found[found].form {
            Form::Step(at) => Tree::Step(self.extension[*at]),
            Form::Then(parts) => {
                let parts = parts.iter().map(|part| self.tree(*part));
                Tree::Then(
                    parts
                        .flat_map(|part| if let Tree::Then(inner) = part { inner } else { vec![part] })
                        .collect(),
                )
            }
            Form::Beside(parts) => {
                let parts = parts.iter().map(|part| self.tree(*part));
                let mut flat: Vec<Tree> = parts
                    .flat_map(|part| if let Tree::Beside(inner) = part { inner } else { vec![part] })
                    .collect();
                // The same branches, whatever extension found them.
                flat.sort_by_cached_key(|part| part.steps().into_iter().min());
                Tree::Beside(flat)
            }
        }
    }
}
