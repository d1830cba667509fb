//! Measured durations and what they change, copies of pure steps, and what the report says of both.

use asl::expression::whole;
use asl::medians::{Medians, Samples};
use asl::workflow::Call;
use asl::{Block, CompiledWorkflow, Kind, Step, WorkflowDefinition};
use expect_test::{Expect, expect};
use serde_json::Value;

const WORK: Step<Value, Value> = Step::new("Work");

fn step(id: &str) -> Call {
    WORK.call().named(id).timeout_s(60)
}

/// `A → C`, `A → D`, `B → D`, which does not nest; with durations of A, B, C and D.
fn n(a: Call, seconds: [f64; 4]) -> WorkflowDefinition {
    let body = Block::new()
        .step(a)
        .expected_s(seconds[0])
        .step(step("B"))
        .expected_s(seconds[1])
        .step(step("C").with("a", whole("A")))
        .expected_s(seconds[2])
        .step(step("D").with("a", whole("A")).with("b", whole("B")))
        .expected_s(seconds[3]);
    WorkflowDefinition::new::<Value>("n", Kind::Standard).body(body)
}

fn compiled(definition: &WorkflowDefinition) -> CompiledWorkflow {
    definition.compile().unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}

fn reports(definition: &WorkflowDefinition, expected: Expect) {
    expected.assert_eq(&compiled(definition).report.to_string());
}

#[test]
fn medians_go_before_what_was_expected_and_change_nothing_while_the_tree_stays() {
    let guessed = n(step("A"), [1.0; 4]);
    let measured = Medians::of_ms([("A", 1_000.0), ("B", 4_000.0), ("C", 4_000.0), ("D", 1_000.0)]);
    let by_hand = compiled(&n(step("A"), [1.0, 4.0, 4.0, 1.0]));
    let by_table = compiled(&guessed.clone().medians(measured.clone()));
    assert_eq!(by_table.text(), by_hand.text());
    assert_eq!(by_table.report, by_hand.report);
    // Another tree is better by other durations.
    let short_b = Medians::of_ms([("A", 2_000.0), ("B", 1_000.0), ("C", 3_000.0), ("D", 3_000.0)]);
    assert_ne!(compiled(&guessed.clone().medians(short_b)).text(), by_table.text());
    // A little more of everything is the same tree, and so the same bytes.
    let slower = Medians::of_ms(measured.iter().map(|(step, ms)| (step, ms * 1.01)).collect::<Vec<_>>());
    assert_eq!(compiled(&guessed.medians(slower)).text(), by_table.text());
}

#[test]
fn medians_come_from_histories() {
    let mut samples = Samples::default();
    for took_ms in [900, 5_000, 1_000, 1_100] {
        samples.add([
            (0, "ExecutionStarted", None),
            (10, "TaskStateEntered", Some("Load")),
            (10, "ParallelStateEntered", Some("Both")),
            (10 + took_ms, "TaskStateExited", Some("Load")),
            (30_000, "ParallelStateExited", Some("Both")),
            // It failed: how long it would have taken nobody knows.
            (30_000, "TaskStateEntered", Some("Save")),
        ]);
    }
    let medians = samples.medians();
    assert_eq!(medians.iter().collect::<Vec<_>>(), [("Both", 29_990.0), ("Load", 1_000.0)]);
    assert_eq!(medians.ms("Save"), None);
    assert_eq!(Medians::of_ms([("Load", f64::NAN), ("Save", -1.0)]), Medians::default());
}

#[test]
fn a_wait_that_costs_much_is_told_with_a_way_out() {
    reports(
        &n(step("A"), [1.0, 4.0, 4.0, 1.0]),
        expect![[r#"
        n: B also waits for A (no dependency): costs 1 s of 6 s by the durations known; if A fails, B does not start
        n: longest chain 5 s, as nested 6 s
        n: 1 s are lost: let a pure step that others share be copied (`may_be_copied`)
    "#]],
    );
    // It costs nothing, and is told without advice.
    reports(
        &n(step("A"), [2.0, 1.0, 3.0, 3.0]),
        expect![[r#"
        n: C also waits for B (no dependency): costs 0 s of 5 s by the durations known; if B fails, C does not start
        n: longest chain 5 s, as nested 5 s
    "#]],
    );
}

#[test]
fn a_pure_step_is_copied_where_that_is_faster() {
    let definition = n(step("A").may_be_copied(), [1.0, 4.0, 4.0, 1.0]);
    reports(
        &definition,
        expect![[r#"
        A runs once more, for C
    "#]],
    );
    let copied = compiled(&definition);
    assert_eq!(copied.report.blocks, [], "it nests now");
    assert_eq!(copied.report.tasks, 5);
    assert_eq!(copied.functions(), ["Work"]);
    // Where it would not be faster, it is not.
    let cheap = compiled(&n(step("A").may_be_copied(), [2.0, 1.0, 3.0, 3.0]));
    assert_eq!((cheap.report.copies.len(), cheap.report.tasks), (0, 4));
}
