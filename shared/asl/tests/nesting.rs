//! Properties of the nesting of dependency graphs, on graphs drawn from fixed seeds.

use std::collections::{BTreeMap, BTreeSet};

use asl::nest::{Graph, Nested, Tree, Trouble, nest, ordered_pairs};

type Steps = Vec<(String, f64, Vec<String>)>;

/// A small generator of its own: the same graphs on every machine and with every version of every crate.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

fn name(at: usize) -> String {
    format!("s{at:03}")
}

fn random(draw: &mut Draw, n: usize, density: usize) -> Steps {
    let mut steps: Steps = Vec::new();
    for at in 0..n {
        let after = (0..at).filter(|_| draw.below(100) < density).map(name).collect();
        steps.push((name(at), [1.0, 1.0, 2.0, 3.0, 5.0, 8.0][draw.below(6)], after));
    }
    steps
}

/// A graph that nests by construction; gives its first and last steps.
fn nested(draw: &mut Draw, steps: &mut Steps, depth: usize, after: &[String]) -> Vec<String> {
    match if depth == 0 { 0 } else { draw.below(3) } {
        0 => {
            let new = name(steps.len());
            steps.push((new.clone(), 1.0 + draw.below(9) as f64, after.to_vec()));
            vec![new]
        }
        1 => {
            let middle = nested(draw, steps, depth - 1, after);
            nested(draw, steps, depth - 1, &middle)
        }
        _ => {
            let mut ends = nested(draw, steps, depth - 1, after);
            ends.extend(nested(draw, steps, depth - 1, after));
            ends
        }
    }
}

fn solve(steps: &Steps) -> (Graph, Nested) {
    let graph = Graph::new(steps).expect("the graph has no ring");
    let nested = nest(&graph);
    (graph, nested)
}

/// The best time of all nestings, by trying every set that is closed under predecessors as the first half.
fn optimum(graph: &Graph, steps: u32, memo: &mut BTreeMap<u32, f64>) -> f64 {
    if let Some(known) = memo.get(&steps) {
        return *known;
    }
    let members: Vec<usize> = (0..graph.names.len()).filter(|step| steps & (1 << step) != 0).collect();
    if let [only] = members.as_slice() {
        return graph.seconds[*only];
    }
    // Parts without order between them are independent.
    let mut part = 1_u32 << members[0];
    loop {
        let near = members.iter().filter(|step| {
            let touches = |other: usize| graph.before[**step].has(other) || graph.before[other].has(**step);
            part & (1 << **step) == 0
                && members.iter().any(|other| part & (1 << other) != 0 && touches(*other))
        });
        let grown = near.fold(part, |part, step| part | (1 << step));
        if grown == part {
            break;
        }
        part = grown;
    }
    let mut best = f64::INFINITY;
    if part != steps {
        best = optimum(graph, part, memo).max(optimum(graph, steps & !part, memo));
    } else {
        let mut first = (steps - 1) & steps;
        while first != 0 {
            let closed = members.iter().all(|step| {
                first & (1 << step) == 0
                    || members
                        .iter()
                        .all(|other| !graph.before[*step].has(*other) || first & (1 << other) != 0)
            });
            if closed {
                best = best.min(optimum(graph, first, memo) + optimum(graph, steps & !first, memo));
            }
            first = (first - 1) & steps;
        }
    }
    memo.insert(steps, best);
    best
}

#[test]
fn every_step_occurs_once_and_every_dependency_holds() {
    let mut draw = Draw(7);
    for round in 0..400 {
        let (n, density) = (1 + draw.below(30), 5 + draw.below(50));
        let steps = random(&mut draw, n, density);
        let (graph, nested) = solve(&steps);
        let tree = nested.tree.clone().expect("a graph with steps has a tree");
        let mut seen = tree.steps();
        seen.sort_unstable();
        assert_eq!(seen, (0..steps.len()).collect::<Vec<_>>(), "round {round}");
        let ordered: BTreeSet<(usize, usize)> = ordered_pairs(&tree).into_iter().collect();
        let asked: BTreeSet<(usize, usize)> = (0..steps.len())
            .flat_map(|later| graph.before[later].iter().map(move |earlier| (earlier, later)))
            .collect();
        assert!(ordered.is_superset(&asked), "round {round}: a dependency is lost");
        assert_eq!(
            nested.waits.len(),
            ordered.len() - asked.len(),
            "round {round}: every added wait is told"
        );
        assert!(nested.total_s >= nested.critical_s - 1e-9, "round {round}");
    }
}

#[test]
fn what_nests_is_nested_without_a_wait() {
    let mut draw = Draw(11);
    for round in 0..300 {
        let mut steps = Steps::new();
        nested(&mut draw, &mut steps, 5, &[]);
        let (_, nested) = solve(&steps);
        assert_eq!(nested.waits, [], "round {round}");
        assert!((nested.total_s - nested.critical_s).abs() < 1e-9, "round {round}");
    }
}

#[test]
fn small_graphs_reach_the_best_time_there_is() {
    let mut draw = Draw(13);
    let mut knots = 0;
    for round in 0..400 {
        let (n, density) = (4 + draw.below(6), 15 + draw.below(40));
        let steps = random(&mut draw, n, density);
        let (graph, nested) = solve(&steps);
        let best = optimum(&graph, (1 << n) - 1, &mut BTreeMap::new());
        assert!((nested.total_s - best).abs() < 1e-9, "round {round}: {} is not {best}", nested.total_s);
        knots += usize::from(!nested.waits.is_empty());
    }
    assert!(knots > 50, "only {knots} graphs did not nest: the test has become too easy");
}

#[test]
fn the_order_of_declaration_changes_nothing() {
    let mut draw = Draw(17);
    for round in 0..100 {
        let steps = random(&mut draw, 12, 25);
        let mut shuffled = steps.clone();
        for at in (1..shuffled.len()).rev() {
            let other = draw.below(at + 1);
            shuffled.swap(at, other);
        }
        shuffled.iter_mut().for_each(|step| step.2.reverse());
        assert_eq!(solve(&steps).1, solve(&shuffled).1, "round {round}");
    }
}

#[test]
fn an_implied_dependency_changes_nothing() {
    let mut draw = Draw(19);
    for round in 0..100 {
        let steps = random(&mut draw, 12, 25);
        let (graph, before) = solve(&steps);
        let mut more = steps.clone();
        for (at, step) in more.iter_mut().enumerate() {
            step.2 = graph.before[at].iter().map(|earlier| graph.names[earlier].clone()).collect();
        }
        assert_eq!(before, solve(&more).1, "round {round}");
    }
}

/// `a → c`, `a → d`, `b → d`: the smallest order that does not nest.
#[test]
fn the_n_gets_the_cheapest_wait() {
    let n = |a: f64, b: f64, c: f64, d: f64| -> Nested {
        let step = |name: &str, seconds, after: &[&str]| {
            (name.to_owned(), seconds, after.iter().map(|name| (*name).to_owned()).collect())
        };
        solve(&vec![step("a", a, &[]), step("b", b, &[]), step("c", c, &["a"]), step("d", d, &["a", "b"])]).1
    };
    // b is short: c may as well wait for it.
    let short = n(2.0, 1.0, 3.0, 3.0);
    assert_eq!(short.total_s, short.critical_s);
    assert_eq!(short.waits.len(), 1);
    assert_eq!((short.waits[0].step.as_str(), short.waits[0].waits_for.as_str()), ("c", "b"));
    assert_eq!(short.waits[0].later_s, 0.0);
    // Durations are what decides: here any wait costs something.
    let long = n(1.0, 4.0, 4.0, 1.0);
    assert_eq!(long.critical_s, 5.0);
    assert_eq!(long.total_s, 6.0);
}

#[test]
fn rings_unknown_names_and_self_references_are_all_told() {
    let step = |name: &str, after: &[&str]| {
        (name.to_owned(), 1.0, after.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    };
    let steps = [step("a", &["b"]), step("b", &["c"]), step("c", &["a"]), step("d", &["d", "nowhere"])];
    let troubles = Graph::new(&steps).expect_err("nothing of this can be ordered");
    assert_eq!(
        troubles,
        [
            Trouble::Itself("d".to_owned()),
            Trouble::Unknown("d".to_owned(), "nowhere".to_owned()),
            Trouble::Cycle(vec!["c".to_owned(), "b".to_owned(), "a".to_owned()]),
        ]
    );
    let lonely = Graph::new(&[]).map(|graph| nest(&graph).tree);
    assert_eq!(lonely, Ok(None::<Tree>));
}
