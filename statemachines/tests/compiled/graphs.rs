//! Random graphs of steps: every dependency holds, every step runs once, what a step reads is what its
//! dependencies gave, and the time is that of the nested form.

use std::collections::BTreeMap;

use asl::expression::whole;
use asl::nest::{Graph, nest};
use asl::{Block, CompiledWorkflow, Kind, WorkflowDefinition};
use runner::Status;
use serde_json::{Value, json};

use crate::machine::{Bench, WORK, run};

/// A generator of its own: the same graphs everywhere.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// A step: its name, its seconds, whose results it reads, and whom it merely follows.
#[derive(Clone, Debug)]
struct Drawn {
    id: String,
    seconds: f64,
    reads: Vec<String>,
    follows: Vec<String>,
}

fn draw(draw: &mut Draw, n: usize, density: usize) -> Vec<Drawn> {
    let id = |at: usize| format!("S{at:02}");
    let mut steps = Vec::new();
    for at in 0..n {
        let mut step =
            Drawn { id: id(at), seconds: 1.0 + draw.below(9) as f64, reads: Vec::new(), follows: Vec::new() };
        for earlier in 0..at {
            match draw.below(100) {
                drawn if drawn < density => step.reads.push(id(earlier)),
                drawn if drawn < density + density / 3 => step.follows.push(id(earlier)),
                _ => {}
            }
        }
        steps.push(step);
    }
    steps
}

fn definition(steps: &[Drawn]) -> WorkflowDefinition {
    let mut block = Block::new();
    for step in steps {
        let call = WORK.call().named(&step.id).timeout_s(100);
        let call = step.reads.iter().fold(call, |call, read| call.with(read, whole(read)));
        let follows: Vec<&str> = step.follows.iter().map(String::as_str).collect();
        block = block.step(call).expected_s(step.seconds).after(&follows);
    }
    WorkflowDefinition::new::<Value>("graph", Kind::Standard).body(block)
}

/// The workflow, with every result returned.
fn compile(steps: &[Drawn]) -> CompiledWorkflow {
    let definition = definition(steps);
    let definition =
        steps.iter().fold(definition, |definition, step| definition.returns(&step.id, whole(&step.id)));
    definition.compile().unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}

fn nested_seconds(steps: &[Drawn]) -> (f64, f64) {
    let listed: Vec<(String, f64, Vec<String>)> = steps
        .iter()
        .map(|step| (step.id.clone(), step.seconds, [step.reads.clone(), step.follows.clone()].concat()))
        .collect();
    let nested = nest(&Graph::new(&listed).expect("no ring"));
    (nested.total_s, nested.critical_s)
}

/// What a step gives: its own name and what it was given, so that a wrong variable cannot pass unnoticed.
fn answer() -> crate::machine::Answer {
    Box::new(|request, input| {
        let given: Vec<&String> = input.as_object().map(|fields| fields.keys().collect()).unwrap_or_default();
        Ok(json!({"by": request.state, "given": given}))
    })
}

async fn check(round: usize, steps: &[Drawn]) {
    let workflow = compile(steps);
    let seconds: BTreeMap<String, f64> = steps.iter().map(|step| (step.id.clone(), step.seconds)).collect();
    let bench = Bench::new(seconds, answer());
    let (execution, took_s) = run(&workflow, json!({}), &bench).await;
    assert_eq!(
        execution.status,
        Status::Succeeded,
        "round {round}: {:?} {:?}",
        execution.error,
        execution.cause
    );

    let calls = bench.calls();
    assert_eq!(calls.len(), steps.len(), "round {round}: every step runs once");
    let call = |id: &str| calls.iter().find(|call| call.state == id).expect("the step ran");
    let output = execution.output.expect("an output");
    for step in steps {
        let this = call(&step.id);
        for earlier in step.reads.iter().chain(&step.follows) {
            assert!(call(earlier).to_s <= this.from_s + 1e-6, "round {round}: {} before {earlier}", step.id);
        }
        let expected = json!({"by": step.id, "given": step.reads});
        assert_eq!(output[&step.id], expected, "round {round}: what {} gave arrives at the end", step.id);
        for read in &step.reads {
            assert_eq!(this.input[read]["by"], json!(read), "round {round}: {} reads {read}", step.id);
        }
    }
    let (nested_s, critical_s) = nested_seconds(steps);
    assert!((took_s - nested_s).abs() < 0.5, "round {round}: took {took_s} s, the tree {nested_s} s");
    assert!(took_s >= critical_s - 0.5, "round {round}: faster than the longest chain");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn random_graphs_keep_their_order_and_pass_on_their_results() {
    let mut generator = Draw(101);
    for round in 0..60 {
        let (n, density) = (1 + generator.below(14), 8 + generator.below(30));
        check(round, &draw(&mut generator, n, density)).await;
    }
}

#[test]
fn the_order_of_declaration_changes_no_byte() {
    let mut generator = Draw(103);
    for round in 0..40 {
        let steps = draw(&mut generator, 10, 20);
        let mut shuffled = steps.clone();
        for at in (1..shuffled.len()).rev() {
            let other = generator.below(at + 1);
            shuffled.swap(at, other);
        }
        let text = |steps: &[Drawn]| definition(steps).compile().map(|compiled| compiled.text());
        assert_eq!(text(&steps), text(&shuffled), "round {round}");
    }
}
