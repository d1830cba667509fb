//! What a dependency graph is compiled to, run by the embedded runner on a virtual clock: how long it takes, what waits for
//! what, and what comes out, with and without copies of pure steps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use asl::expression::whole;
use asl::{Block, CompiledWorkflow, Kind, Step, WorkflowDefinition};
use fastrand::Rng;
use futures::future::BoxFuture;
use runner::{Options, Status, TaskReply, TaskRequest, Tasks, lambda_result, tokio_clock};
use serde_json::{Value, json};
use tests::whole::on_paused_clock;

const WORK: Step<Value, Value> = Step::new("Work");

/// A step: how long it takes, in seconds, and what it reads.
#[derive(Clone, Debug)]
struct Planned {
    seconds: u64,
    reads: Vec<String>,
}

type Graph = BTreeMap<String, Planned>;

fn name(at: usize) -> String {
    format!("S{at:02}")
}

/// A graph that nests by construction; gives its last steps.
fn nested(rng: &mut Rng, graph: &mut Graph, depth: usize, reads: &[String]) -> Vec<String> {
    match if depth == 0 { 0 } else { rng.u8(0..3) } {
        0 => {
            let new = name(graph.len());
            graph.insert(new.clone(), Planned { seconds: rng.u64(1..10), reads: reads.to_vec() });
            vec![new]
        }
        1 => {
            let middle = nested(rng, graph, depth - 1, reads);
            nested(rng, graph, depth - 1, &middle)
        }
        _ => {
            let mut ends = nested(rng, graph, depth - 1, reads);
            ends.extend(nested(rng, graph, depth - 1, reads));
            ends
        }
    }
}

fn any(rng: &mut Rng) -> Graph {
    let (steps, percent) = (rng.usize(4..14), rng.u8(10..50));
    let mut graph = Graph::new();
    for at in 0..steps {
        let reads = (0..at).filter(|_| rng.u8(0..100) < percent).map(name).collect();
        graph.insert(name(at), Planned { seconds: rng.u64(1..10), reads });
    }
    graph
}

fn definition(graph: &Graph, copied: &str) -> WorkflowDefinition {
    let mut body = Block::new();
    for (id, step) in graph {
        let mut call = WORK.call().named(id).timeout_s(60);
        if id == copied {
            call = call.may_be_copied();
        }
        for read in &step.reads {
            call = call.with(read, whole(read));
        }
        body = body.step(call).expected_s(step.seconds as f64);
    }
    let whole_of = |definition: WorkflowDefinition, id: &String| definition.returns(id, whole(id));
    graph.keys().fold(WorkflowDefinition::new::<Value>("graph", Kind::Standard).body(body), whole_of)
}

/// The longest chain, in seconds.
fn critical_s(graph: &Graph) -> u64 {
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    // Steps only read steps of smaller names.
    for (id, step) in graph {
        let start = step.reads.iter().map(|read| ends[read.as_str()]).max().unwrap_or(0);
        ends.insert(id, start + step.seconds);
    }
    ends.into_values().max().unwrap_or(0)
}

/// What a step makes of what it reads.
fn made(id: &str, read: &BTreeMap<String, Value>) -> Value {
    let text: Vec<String> = read.iter().map(|(name, value)| format!("{name}={value}")).collect();
    json!(domain::field::sha256_hex(format!("{id}({})", text.join(",")).as_bytes())[..12])
}

fn expected(graph: &Graph) -> Value {
    let mut results: BTreeMap<String, Value> = BTreeMap::new();
    for (id, step) in graph {
        let read = step.reads.iter().map(|read| (read.clone(), results[read].clone())).collect();
        results.insert(id.clone(), made(id, &read));
    }
    json!(results)
}

/// A call of a step as it happened: which, from when, to when (ms).
type Happened = (String, u64, u64);

/// Does what the steps do, and takes as long.
struct Workers {
    seconds: BTreeMap<String, u64>,
    begun: tokio::time::Instant,
    happened: Arc<Mutex<Vec<Happened>>>,
}

impl Tasks for Workers {
    fn call(&self, request: TaskRequest) -> BoxFuture<'_, TaskReply> {
        Box::pin(async move {
            // A copy does what its original does.
            let id = request.state.split("For").next().unwrap_or_default().to_owned();
            let begun_ms = self.begun.elapsed().as_millis() as u64;
            tokio::time::sleep(Duration::from_secs(self.seconds[&id])).await;
            let ended_ms = self.begun.elapsed().as_millis() as u64;
            self.happened.lock().unwrap_or_else(PoisonError::into_inner).push((
                request.state,
                begun_ms,
                ended_ms,
            ));
            let input = request.arguments["Payload"]["input"].as_object().cloned().unwrap_or_default();
            let renamed = input.into_iter().collect();
            TaskReply::Result(lambda_result(made(&id, &renamed)))
        })
    }
}

/// Runs a compiled graph: how many seconds it took, what it gave, and what happened.
fn run(compiled: &CompiledWorkflow, graph: &Graph) -> (u64, Value, Vec<Happened>) {
    let machine = asl::parse(&compiled.machine).expect("what is compiled is valid");
    on_paused_clock(async {
        let happened = Arc::default();
        let seconds = graph.iter().map(|(id, step)| (id.clone(), step.seconds)).collect();
        let workers =
            Workers { seconds, begun: tokio::time::Instant::now(), happened: Arc::clone(&happened) };
        let options = Options::new(Kind::Standard, "graph", "execution", tokio_clock(0));
        let execution = runner::run(&machine, json!({}), options, &workers).await;
        assert_eq!(execution.status, Status::Succeeded, "{:?}: {:?}", execution.error, execution.cause);
        assert_eq!(execution.ended_ms % 1_000, 0);
        let happened = happened.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (execution.ended_ms as u64 / 1_000, execution.output.unwrap_or_default(), happened)
    })
}

/// Each step runs once, after all that it reads.
fn in_order(graph: &Graph, happened: &[Happened]) {
    let of: BTreeMap<&str, (u64, u64)> =
        happened.iter().map(|(id, begun, ended)| (id.as_str(), (*begun, *ended))).collect();
    assert_eq!(happened.len(), graph.len(), "{happened:?}");
    assert!(graph.keys().map(String::as_str).eq(of.keys().copied()), "{happened:?}");
    for (id, step) in graph {
        for read in &step.reads {
            assert!(of[read.as_str()].1 <= of[id.as_str()].0, "{id} began before {read} had ended");
        }
    }
}

fn compiled(definition: &WorkflowDefinition) -> CompiledWorkflow {
    definition.compile().unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}

#[test]
fn what_nests_takes_as_long_as_its_longest_chain() {
    let mut rng = Rng::with_seed(3);
    let mut sizes = BTreeSet::new();
    for round in 0..60 {
        let mut graph = Graph::new();
        nested(&mut rng, &mut graph, 4, &[]);
        sizes.insert(graph.len());
        let compiled = compiled(&definition(&graph, ""));
        let (took_s, output, happened) = run(&compiled, &graph);
        assert_eq!(
            (compiled.report.blocks.len(), took_s),
            (0, critical_s(&graph)),
            "round {round}: {graph:?}"
        );
        assert_eq!(output, expected(&graph), "round {round}");
        in_order(&graph, &happened);
    }
    assert!(sizes.len() > 5 && sizes.last() > Some(&8), "{sizes:?}");
}

#[test]
fn whatever_does_not_nest_takes_as_long_as_the_report_says() {
    let mut rng = Rng::with_seed(5);
    let mut knots = 0;
    for round in 0..100 {
        let graph = any(&mut rng);
        let compiled = compiled(&definition(&graph, ""));
        let (took_s, output, happened) = run(&compiled, &graph);
        let told_s = compiled.report.blocks.first().map(|block| (block.critical_s, block.total_s));
        knots += usize::from(told_s.is_some());
        let critical_s = critical_s(&graph) as f64;
        let told_s = told_s.unwrap_or((critical_s, critical_s));
        assert_eq!(told_s, (critical_s, took_s as f64), "round {round}: {graph:?}");
        assert_eq!(output, expected(&graph), "round {round}");
        in_order(&graph, &happened);
    }
    assert!(knots > 20, "only {knots} did not nest");
}

/// `A → C`, `A → D`, `B → D`: whatever waits where it need not costs a second.
#[test]
fn a_copy_of_a_pure_step_gives_the_same_and_is_faster() {
    let step = |seconds, reads: &[&str]| Planned {
        seconds,
        reads: reads.iter().map(|read| (*read).to_owned()).collect(),
    };
    let graph: Graph = [
        ("A".to_owned(), step(1, &[])),
        ("B".to_owned(), step(4, &[])),
        ("C".to_owned(), step(4, &["A"])),
        ("D".to_owned(), step(1, &["A", "B"])),
    ]
    .into();
    let plain = compiled(&definition(&graph, ""));
    let (took_s, output, _) = run(&plain, &graph);
    assert_eq!((took_s, &output), (6, &expected(&graph)));

    let copied = compiled(&definition(&graph, "A"));
    let (took_s, same, happened) = run(&copied, &graph);
    assert_eq!((took_s, same), (5, output));
    let mut ran: Vec<&str> = happened.iter().map(|(id, ..)| id.as_str()).collect();
    ran.sort_unstable();
    assert_eq!(ran, ["A", "AForC", "B", "C", "D"]);
}
