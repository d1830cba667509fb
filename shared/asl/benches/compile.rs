//! How long it takes to compile 200 steps: medians and the worst of many random graphs of several shapes, in
//! milliseconds and as a multiple of reading the compiled definition again.
//!
//! `cargo bench -p asl --bench compile` prints a table; a number after `--` is how many graphs of each shape are drawn.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::time::{Duration, Instant};

use asl::expression::whole;
use asl::{Block, CompiledWorkflow, Kind, Step, WorkflowDefinition};
use serde_json::Value;

const STEPS: usize = 200;
const WORK: Step<Value, Value> = Step::new("Work");

/// The same graphs on every machine.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// How the dependencies of a graph are drawn.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// Each earlier step with this chance in a thousand.
    Sparse(usize),
    /// One to three of the row before, in rows of this width.
    Rows(usize),
    /// One or two of so many steps before.
    Near(usize),
}

const SHAPES: [Shape; 12] = [
    Shape::Sparse(5),
    Shape::Sparse(20),
    Shape::Sparse(60),
    Shape::Sparse(200),
    Shape::Rows(3),
    Shape::Rows(6),
    Shape::Rows(12),
    Shape::Rows(25),
    Shape::Rows(50),
    Shape::Near(4),
    Shape::Near(10),
    Shape::Near(40),
];

fn dependencies(draw: &mut Draw, shape: Shape, at: usize) -> Vec<usize> {
    match shape {
        Shape::Sparse(chance) => (0..at).filter(|_| draw.below(1_000) < chance).collect(),
        Shape::Rows(width) if at < width => Vec::new(),
        Shape::Rows(width) => {
            let row = (at / width - 1) * width;
            (0..1 + draw.below(3)).map(|_| row + draw.below(width)).collect()
        }
        Shape::Near(_) if at == 0 => Vec::new(),
        Shape::Near(reach) => (0..1 + draw.below(2)).map(|_| at - 1 - draw.below(reach.min(at))).collect(),
    }
}

fn seconds(draw: &mut Draw, kind: usize) -> f64 {
    match kind {
        0 => [1.0, 1.0, 2.0, 3.0, 5.0, 8.0][draw.below(6)],
        1 => 1.0,
        _ => 0.1 + draw.below(1_000) as f64 / 37.0,
    }
}

/// A workflow of `STEPS` steps, each reading what it depends on; durations are few, all alike, or all different.
fn draw(draw: &mut Draw, shape: Shape, durations: usize) -> WorkflowDefinition {
    let mut block = Block::new();
    for at in 0..STEPS {
        let mut call = WORK.call().named(&format!("S{at:03}")).timeout_s(60);
        let mut earlier = dependencies(draw, shape, at);
        earlier.sort_unstable();
        earlier.dedup();
        for of in earlier {
            let name = format!("S{of:03}");
            call = call.with(&name, whole(&name));
        }
        block = block.step(call).expected_s(seconds(draw, durations));
    }
    WorkflowDefinition::new::<Value>("bench", Kind::Standard).body(block)
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

fn compiled(definition: &WorkflowDefinition) -> Option<CompiledWorkflow> {
    match definition.compile() {
        Ok(compiled) => Some(compiled),
        Err(mistakes) => {
            mistakes.iter().for_each(|mistake| println!("{mistake}"));
            None
        }
    }
}

fn main() {
    let rounds = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(20);
    println!("{STEPS} steps, {rounds} graphs of each shape with each of three kinds of durations");
    println!("{:<14} {:>9} {:>9} {:>16}", "shape", "median ms", "worst ms", "over reading it");
    let mut draws = Draw(0x5eed_1234_5678);
    let (mut worst, mut all) = (0.0_f64, Vec::new());
    for shape in SHAPES {
        let mut took = Vec::new();
        let mut reads = 0.0;
        for round in 0..rounds * 3 {
            let definition = draw(&mut draws, shape, round % 3);
            // The better of two: what else the machine does is not what is measured.
            let (_, first) = timed(|| compiled(&definition));
            let (compiled, second) = timed(|| compiled(&definition));
            let Some(compiled) = compiled else { return };
            let text = compiled.text();
            let (_, read) = timed(|| serde_json::from_str::<Value>(&text).is_ok());
            reads += read.as_secs_f64() * 1e3;
            took.push(first.min(second).as_secs_f64() * 1e3);
        }
        took.sort_by(f64::total_cmp);
        let (median, most) = (took[took.len() / 2], took.last().copied().unwrap_or_default());
        let over = median / (reads / took.len() as f64);
        println!("{:<14} {median:>9.1} {most:>9.1} {over:>15.1}x", format!("{shape:?}"));
        worst = worst.max(most);
        all.extend(took);
    }
    all.sort_by(f64::total_cmp);
    println!("{:<14} {:>9.1} {worst:>9.1}   of {} graphs", "all", all[all.len() / 2], all.len());
}
