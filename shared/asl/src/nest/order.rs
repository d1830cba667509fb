//! Orders: transitive closure, rings, times, and the linear extensions along which cuts are tried.

use super::Graph;
use super::set::Set;

/// Everything before each step; the steps of a ring if there is one.
pub fn closure(direct: &[Set]) -> Result<Vec<Set>, Vec<usize>> {
    let n = direct.len();
    let mut before: Vec<Set> = vec![Set::empty(n); n];
    let mut done = Set::empty(n);
    for _ in 0..n {
        let ready = (0..n).find(|step| !done.has(*step) && direct[*step].without(&done).is_empty());
        let Some(step) = ready else { return Err(ring(direct, &done)) };
        let mut all = direct[step].clone();
        direct[step].iter().for_each(|earlier| all.add(&before[earlier]));
        before[step] = all;
        done.insert(step);
    }
    Ok(before)
}

/// A ring among the steps that are not done: every one of them waits for another of them.
fn ring(direct: &[Set], done: &Set) -> Vec<usize> {
    let mut path: Vec<usize> = Vec::new();
    let mut at = (0..direct.len()).find(|step| !done.has(*step));
    while let Some(step) = at {
        if let Some(start) = path.iter().position(|seen| *seen == step) {
            let mut ring = path.split_off(start);
            ring.reverse();
            return ring;
        }
        path.push(step);
        at = direct[step].without(done).first();
    }
    path
}

/// The order seen from the other end.
pub fn reverse(before: &[Set]) -> Vec<Set> {
    let n = before.len();
    let mut behind = vec![Set::empty(n); n];
    for (later, all) in before.iter().enumerate() {
        all.iter().for_each(|earlier| behind[earlier].insert(later));
    }
    behind
}

/// Steps so that each comes after all before it.
fn topological(graph: &Graph) -> Vec<usize> {
    let mut steps: Vec<usize> = (0..graph.names.len()).collect();
    steps.sort_by_key(|step| (graph.before[*step].len(), *step));
    steps
}

/// The earliest time at which each step can end.
pub fn finish_times(graph: &Graph) -> Vec<f64> {
    let mut ends = vec![0.0_f64; graph.names.len()];
    for step in topological(graph) {
        let start = graph.before[step].iter().map(|earlier| ends[earlier]).fold(0.0, f64::max);
        ends[step] = start + graph.seconds[step];
    }
    ends
}

/// The longest chain from each step's end to the end of all.
fn tails(graph: &Graph) -> Vec<f64> {
    let mut tails = vec![0.0_f64; graph.names.len()];
    for step in topological(graph).into_iter().rev() {
        tails[step] =
            graph.behind[step].iter().map(|later| tails[later] + graph.seconds[later]).fold(0.0, f64::max);
    }
    tails
}

/// Six linear extensions: by earliest finish, earliest start, latest start, latest finish, the midpoint of the
/// last two's span, and predecessors minus successors. Durations may be zero, so each also respects the order itself.
pub fn extensions(graph: &Graph) -> Vec<Vec<usize>> {
    let ends = finish_times(graph);
    let tails = tails(graph);
    let total = ends.iter().copied().fold(0.0, f64::max);
    let keys: [Box<dyn Fn(usize) -> f64 + '_>; 6] = [
        Box::new(|step| ends[step]),
        Box::new(|step| ends[step] - graph.seconds[step]),
        Box::new(|step| total - tails[step] - graph.seconds[step]),
        Box::new(|step| total - tails[step]),
        Box::new(|step| (ends[step] - graph.seconds[step] + total - tails[step]) / 2.0),
        Box::new(|step| graph.before[step].len() as f64 - graph.behind[step].len() as f64),
    ];
    let mut found: Vec<Vec<usize>> = Vec::new();
    for key in &keys {
        let extension = by_key(graph, key.as_ref());
        if !found.contains(&extension) {
            found.push(extension);
        }
    }
    found
}

/// Always the ready step with the smallest key, then the smallest name.
fn by_key(graph: &Graph, key: &dyn Fn(usize) -> f64) -> Vec<usize> {
    let keys: Vec<f64> = (0..graph.names.len()).map(key).collect();
    let mut waits_for: Vec<usize> = graph.before.iter().map(Set::len).collect();
    let mut ready: Vec<usize> = (0..keys.len()).filter(|step| waits_for[*step] == 0).collect();
    let mut extension = Vec::with_capacity(keys.len());
    let first = |ready: &[usize]| {
        let by_key = |one: &usize, other: &usize| {
            keys[ready[*one]].total_cmp(&keys[ready[*other]]).then(ready[*one].cmp(&ready[*other]))
        };
        (0..ready.len()).min_by(by_key)
    };
    while let Some(at) = first(&ready) {
        let next = ready.swap_remove(at);
        extension.push(next);
        for later in graph.behind[next].iter() {
            waits_for[later] -= 1;
            if waits_for[later] == 0 {
                ready.push(later);
            }
        }
    }
    extension
}
