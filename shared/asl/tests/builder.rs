//! What the builder refuses, all at once and by name, and what it makes of conditions, loops and maps.

use asl::expression::{above, count, counter, input, is_true, item, literal, result, whole};
use asl::names::{ALL, BUG, TRANSIENT};
use asl::types::{Type, Typed};
use asl::{Block, Kind, Step, WorkflowDefinition};
use expect_test::{Expect, expect};
use serde_json::json;

/// The input of the workflows below.
struct Input;
impl Typed for Input {
    const TYPE: Type = Type::Record(&[("ticket", Type::Number), ("names", Type::List(&Type::Text))]);
}

/// What `Load` takes.
struct Load;
impl Typed for Load {
    const TYPE: Type = Type::Record(&[("ticket", Type::Number)]);
}

/// What `Load` gives.
struct Loaded;
impl Typed for Loaded {
    const TYPE: Type = Type::Record(&[("found", Type::Boolean), ("pages", Type::Number)]);
}

/// What `Save` takes.
struct Save;
impl Typed for Save {
    const TYPE: Type = Type::Record(&[("name", Type::Text)]);
}

const LOAD: Step<Load, Loaded> = Step::new("Load");
const SAVE: Step<Save, Loaded> = Step::new("Save");

fn workflow(body: Block) -> WorkflowDefinition {
    WorkflowDefinition::new::<Input>("w", Kind::Standard).body(body)
}

fn load() -> asl::workflow::Call {
    LOAD.call().with("ticket", input("ticket")).timeout_s(10)
}

fn save() -> asl::workflow::Call {
    SAVE.call().with("name", literal("x")).timeout_s(10)
}

fn refused(definition: &WorkflowDefinition, expected: Expect) {
    let mistakes = definition.compile().expect_err("this does not compile");
    let lines: Vec<String> =
        mistakes.iter().map(|mistake| format!("{}: {}\n", mistake.location, mistake.message)).collect();
    expected.assert_eq(&lines.concat());
}

#[test]
fn all_mistakes_are_told_at_once() {
    let body = Block::new()
        .step(LOAD.call().with("tickt", literal(1)).with("ticket", literal("one")))
        .step(load().named("Again").retry(BUG, 3, 1, 10).fallback("Left", &[ALL], json!({"found": false})))
        .step(save().named("load"))
        .step(SAVE.call().with("name", result("Nowhere", "name")).timeout_s(1))
        .after(&["Elsewhere"])
        .for_each("Each", input("ticket"), 400, Block::new().step(save().named("Inner")), Some("Load"));
    refused(
        &workflow(body).returns("x", result("Again", "colour")),
        expect![[r#"
            w/Load: a step needs a timeout
            w/Load: its input has no field `tickt`
            w/Load: input field `ticket`: a number is asked for, this is a text
            w/Again: `Bug` is never retried: trying again cannot help
            w/Again: its fallback is no result of the step: there is no field `pages`
            w/load: the name is used before, by `Load`
            w/Save: no step `Nowhere` is visible here
            w/Each: an inline Map runs 1 to 40 iterations at once, not 400
            w/Each: each of its items takes events of the one history, which has 25000: say how many items there are at most with `items_max`, or give each an execution of its own
            w/Each: a Map takes a list, this is a number
            w/Each: gives the result of `Load`, which is no step of its body
            w/Save: is after `Elsewhere`, which is no step of the same block
            w/returns: the result of `Again` has no field `colour`
        "#]],
    );
}

#[test]
fn steps_that_wait_for_each_other_are_named() {
    let body = Block::new().step(load()).after(&["Save"]).step(save()).after(&["Load"]);
    refused(
        &workflow(body),
        expect![[r#"
            w: these steps wait for each other: Save → Load; one of them must not wait
        "#]],
    );
}

#[test]
fn an_empty_workflow_and_an_empty_loop_are_refused() {
    refused(
        &workflow(Block::new()),
        expect![[r#"
            w: the workflow has no steps
        "#]],
    );
    refused(
        &workflow(Block::new().repeat("Loop", Block::new(), above(counter("Loop"), 0), None, 0)),
        expect![[r#"
            w/Loop: a loop needs a step
            w/Loop: a loop goes round at least once
        "#]],
    );
}

#[test]
fn a_loop_that_would_fill_the_history_is_refused_where_it_cannot_go_on_in_another_execution() {
    let until = is_true(result("Load", "found"));
    let body = Block::new().repeat("Loop", Block::new().step(load()), until, None, 10_000);
    let body = Block::new().choose("If", above(input("ticket"), 3), body, Block::new());
    refused(
        &workflow(body),
        expect![[r#"
            w: may need 70006 events of history, at most 25000 are kept: lower a loop's `at_most` or a map's `items_max`, or move the loop out of maps, choices and branches, where it can go on in another execution
        "#]],
    );
}

#[test]
fn a_result_of_one_branch_may_be_null_afterwards() {
    let choice =
        || Block::new().choose("If", above(input("ticket"), 3), Block::new().step(load()), Block::new());
    refused(
        &workflow(choice()).returns("found", result("Load", "found")),
        expect![[r#"
            w/returns: the result of `Load` may be null, so its field `found` cannot be read
        "#]],
    );
    assert!(workflow(choice()).returns("loaded", whole("Load")).compile().is_ok());
}

#[test]
fn what_runs_inside_a_map_is_not_visible_outside() {
    let body = Block::new()
        .for_each(
            "Each",
            input("names"),
            5,
            Block::new().step(SAVE.call().with("name", item()).timeout_s(5)),
            None,
        )
        .items_max(20);
    refused(
        &workflow(body).returns("saved", whole("Save")).returns("who", item()),
        expect![[r#"
            w/returns: no step `Save` is visible here
            w/returns: an item exists only inside a Map
        "#]],
    );
}

#[test]
fn a_step_of_one_branch_is_not_visible_in_the_other() {
    let other =
        Block::new().step(LOAD.call().named("Other").with("ticket", result("Load", "pages")).timeout_s(5));
    let body = Block::new().choose("If", above(input("ticket"), 3), Block::new().step(load()), other);
    refused(
        &workflow(body),
        expect![[r#"
            w/Other: no step `Load` is visible here
        "#]],
    );
}

/// The states of a definition, one line each: enough to see the shape.
fn shape(states: &serde_json::Value, indent: usize, out: &mut String) {
    for (name, state) in states.as_object().expect("States is an object") {
        let next = state.get("Next").or(state.get("Default")).and_then(|next| next.as_str()).unwrap_or("end");
        out.push_str(&format!("{:indent$}{name} ({}) → {next}\n", "", state["Type"].as_str().unwrap_or("")));
        for branch in state.get("Branches").and_then(|list| list.as_array()).into_iter().flatten() {
            shape(&branch["States"], indent + 2, out);
        }
        if let Some(processor) = state.get("ItemProcessor") {
            shape(&processor["States"], indent + 2, out);
        }
    }
}

#[test]
fn the_parts_nest_in_each_other() {
    let turn = Block::new()
        .step(load())
        .for_each(
            "Each",
            input("names"),
            3,
            Block::new().step(SAVE.call().with("name", item()).timeout_s(5).fallback(
                "NotSaved",
                &[ALL],
                json!({"found": false, "pages": 0}),
            )),
            Some("Save"),
        )
        .items_max(20)
        .wait("Breath", literal(3));
    let body = Block::new()
        .repeat("Turns", turn, above(counter("Turns"), 2), Some(result("Load", "pages")), 5)
        .choose(
            "If",
            above(count(whole("Each")), 1),
            Block::new().step(load().named("Last").retry(TRANSIENT, 2, 1, 4)),
            Block::new(),
        );
    let compiled = workflow(body).returns("last", whole("Last")).compile().expect("it compiles");
    let mut lines = String::new();
    shape(&compiled.machine["States"], 0, &mut lines);
    expect![[r#"
        Turns (Pass) → Breath beside Each beside Load
        Breath beside Each beside Load (Parallel) → TurnsDone
          Breath (Wait) → end
          Each (Map) → end
            Save (Task) → end
            NotSaved (Pass) → end
          Load (Task) → end
        TurnsDone (Choice) → Breath beside Each beside Load
        TurnsPause (Wait) → Breath beside Each beside Load
        If (Choice) → IfSkipped
        Last (Task) → end
        IfSkipped (Succeed) → end
    "#]]
    .assert_eq(&lines);
    assert_eq!(compiled.functions(), ["Load", "Save"]);
    assert_eq!(compiled.report.to_string(), "");
}

#[test]
fn an_added_wait_is_reported_with_its_price() {
    let step = |id: &str| load().named(id);
    let body = Block::new()
        .step(step("A"))
        .expected_s(1.0)
        .step(step("B"))
        .expected_s(4.0)
        .step(step("C"))
        .after(&["A"])
        .expected_s(4.0)
        .step(step("D"))
        .after(&["A", "B"])
        .expected_s(1.0);
    let compiled = workflow(body).compile().expect("it compiles");
    expect![[r#"
        w: B also waits for A (no dependency): costs 1 s of 6 s by the durations known; if A fails, B does not start
        w: longest chain 5 s, as nested 6 s
        w: 1 s are lost: let a pure step that others share be copied (`may_be_copied`)
    "#]].assert_eq(&compiled.report.to_string());
}

#[test]
fn long_names_are_shortened_and_stay_apart() {
    let body =
        (0..12).fold(Block::new(), |block, at| block.step(load().named(&format!("AStepWithALongName{at}"))));
    let compiled = workflow(body).compile().expect("it compiles");
    let start = compiled.machine["StartAt"].as_str().expect("a start");
    assert_eq!(start.chars().count(), 80);
    assert!(start.starts_with("AStepWithALongName0 beside AStepWithALongName1 beside"));
}
