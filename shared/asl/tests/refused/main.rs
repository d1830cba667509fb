//! Planted mistakes: each definition here is wrong in one way, and the compiler says which, where, and what to do.

use asl::expression::{above, count, counter, equal, input, is_true, item, literal, not, result, whole};
use asl::names::{ALL, BUDGET_EMPTY, PAUSED, TRANSIENT};
use asl::types::{Type, Typed};
use asl::workflow::{Call, WITHOUT_BOUND};
use asl::{Block, Kind, Step, WorkflowDefinition};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

macro_rules! typed {
    ($($name:ident = $type:expr;)*) => { $(
        struct $name;
        impl Typed for $name {
            const TYPE: Type = $type;
        }
    )* };
}

mod limits;

typed! {
    Input = Type::Record(&[("ticket", Type::Number), ("names", Type::List(&Type::Text))]);
    Ticket = Type::Record(&[("ticket", Type::Number)]);
    Found = Type::Record(&[("found", Type::Boolean), ("tags", Type::Optional(&Type::Text))]);
    Names = Type::Record(&[("names", Type::List(&Type::Text))]);
    Name = Type::Record(&[("name", Type::Text)]);
    Rules = Type::Record(&[("rules", Type::List(&Type::Record(&[("field", Type::Text)])))]);
}

const LOAD: Step<Ticket, Found> = Step::new("Load");
const NAMED: Step<Ticket, Found> = Step::new("Named").fails(&[TRANSIENT, BUDGET_EMPTY]);
const LIST: Step<Ticket, Names> = Step::new("List");
const SHORT_LIST: Step<Ticket, Names> = Step::new("List").bytes_max(20_000);
const SAVE: Step<Name, Name> = Step::new("Save");
const SAVE_ALL: Step<Names, Found> = Step::new("SaveAll");
const APPLY: Step<Rules, Found> = Step::new("Apply");
const PAGE: Step<Value, Name> = Step::new("Page").bytes_max(150_000);

fn load() -> Call {
    LOAD.call().with("ticket", input("ticket")).timeout_s(10)
}

fn named() -> Call {
    NAMED.call().with("ticket", input("ticket")).timeout_s(10)
}

fn workflow(body: Block) -> WorkflowDefinition {
    WorkflowDefinition::new::<Input>("w", Kind::Standard).body(body)
}

fn refused(definition: &WorkflowDefinition, expected: Expect) {
    let mistakes = definition.compile().map(|compiled| compiled.text()).expect_err("this does not compile");
    let line = |mistake: &asl::Mistake| format!("{}: {}\n", mistake.location, mistake.message);
    expected.assert_eq(&mistakes.iter().map(line).collect::<String>());
}

fn taken(definition: &WorkflowDefinition) {
    let mistakes = definition.compile().map(drop);
    assert_eq!(mistakes, Ok(()));
}

#[test]
fn rings_unknown_names_and_steps_that_wait_for_themselves() {
    let ring = Block::new()
        .step(load().named("A"))
        .after(&["C"])
        .step(load().named("B"))
        .after(&["A"])
        .step(load().named("C"))
        .after(&["B", "A"]);
    refused(
        &workflow(ring),
        expect![[r#"
        w: these steps wait for each other: C → A; one of them must not wait
    "#]],
    );
    refused(
        &workflow(Block::new().step(load()).after(&["Load"])),
        expect![[r#"
        w/Load: waits for itself: take it out of its own `after`
    "#]],
    );
    refused(
        &workflow(Block::new().step(load()).after(&["Lod"])),
        expect![[r#"
        w/Load: is after `Lod`, which is no step of the same block
    "#]],
    );
    let read = LOAD.call().with("ticket", result("Lod", "found")).timeout_s(10);
    refused(
        &workflow(Block::new().step(read)),
        expect![[r#"
        w/Load: no step `Lod` is visible here
    "#]],
    );
}

#[test]
fn sides_of_choices_that_nobody_reaches() {
    let choose = |when| {
        let (then, otherwise) =
            (Block::new().step(load().named("Then")), Block::new().step(load().named("Else")));
        workflow(Block::new().choose("If", when, then, otherwise))
    };
    refused(
        &choose(above(literal(3), 5)),
        expect![[r#"
        w/If: its condition never holds, so `Then` cannot be reached: correct it, or take them out
    "#]],
    );
    refused(
        &choose(not(equal(literal("a"), literal("b")))),
        expect![[r#"
        w/If: its condition always holds, so `Else` cannot be reached: correct it, or take them out
    "#]],
    );
    refused(
        &choose(equal(input("ticket"), input("ticket"))),
        expect![[r#"
        w/If: its condition always holds, so `Else` cannot be reached: correct it, or take them out
    "#]],
    );
    refused(
        &choose(above(count(input("names")), -1)),
        expect![[r#"
        w/If: its condition always holds, so `Else` cannot be reached: correct it, or take them out
    "#]],
    );
    taken(&choose(above(count(input("names")), 0)));
    let only = Block::new().choose("If", is_true(literal(true)), Block::new().step(load()), Block::new());
    refused(
        &workflow(only),
        expect![[r#"
        w/If: its condition always holds, so there is nothing to choose: put its steps in its place
    "#]],
    );
}

#[test]
fn loops_that_do_not_go_round_or_never_end() {
    let repeat = |until, pause, at_most| {
        workflow(Block::new().repeat("Loop", Block::new().step(load()), until, pause, at_most))
    };
    refused(
        &repeat(is_true(literal(true)), None, 5),
        expect![[r#"
        w/Loop: its condition always holds, so it goes round once: put its steps in its place
    "#]],
    );
    refused(
        &repeat(is_true(result("Load", "found")), Some(literal(3)), 1),
        expect![[r#"
        w/Loop: it goes round once, so its pause cannot be reached: take it out
    "#]],
    );
    refused(
        &repeat(is_true(literal(false)), None, WITHOUT_BOUND),
        expect![[r#"
        w/Loop: its condition never holds and it has no bound, so nothing behind it can be reached: give it a bound
    "#]],
    );
    taken(&repeat(is_true(literal(false)), None, 5));
}

#[test]
fn maps_over_nothing_and_retries_that_do_nothing() {
    let body = Block::new().step(SAVE.call().with("name", item()).timeout_s(5));
    let over = |list: Value| workflow(Block::new().for_each("Each", literal(list), 3, body.clone(), None));
    refused(
        &over(json!([])),
        expect![[r#"
        w/Each: its list is empty, so `Save` cannot be reached: take the map out
    "#]],
    );
    taken(&over(json!(["a"])));
    refused(
        &workflow(Block::new().step(load().retry(TRANSIENT, 0, 1, 5))),
        expect![[r#"
        w/Load: its retry for `Transient` makes no attempt: take it out
    "#]],
    );
}

#[test]
fn values_that_do_not_fit() {
    let given =
        |value: Value| workflow(Block::new().step(APPLY.call().with("rules", literal(value)).timeout_s(5)));
    refused(
        &given(json!([{"field": "a"}, {"field": 3}])),
        expect![[r#"
            w/Apply: input field `rules`: `[1].field`: a text is asked for, this is a number
        "#]],
    );
    refused(
        &given(json!([{"fields": "a"}])),
        expect![[r#"
            w/Apply: input field `rules`: `[0]`: there is no field `field`
        "#]],
    );
    taken(&given(json!([{"field": "a"}])));
    // Of another step: a text that may be missing, and a list in place of a text.
    let read = |field: &str| {
        let save = SAVE.call().with("name", result("Load", field)).timeout_s(5);
        workflow(Block::new().step(load()).step(save))
    };
    refused(
        &read("tags"),
        expect![[r#"
            w/Save: input field `name`: a text is asked for, this is a text or null
        "#]],
    );
    refused(
        &read("found"),
        expect![[r#"
            w/Save: input field `name`: a text is asked for, this is true or false
        "#]],
    );
    let wrong = load().fallback("Left", &[ALL], json!({"found": "no", "tags": null}));
    refused(
        &workflow(Block::new().step(wrong)),
        expect![[r#"
        w/Load: its fallback is no result of the step: `found`: true or false is asked for, this is a text
    "#]],
    );
    // What a map inside a choice yields is known, though it may be missing.
    let each = Block::new()
        .for_each(
            "Each",
            input("names"),
            3,
            Block::new().step(SAVE.call().with("name", item()).timeout_s(5)),
            Some("Save"),
        )
        .items_max(10);
    let body = Block::new()
        .choose("If", above(input("ticket"), 3), each, Block::new())
        .step(LOAD.call().with("ticket", whole("Each")).timeout_s(5));
    refused(
        &workflow(body),
        expect![[r#"
            w/Load: input field `ticket`: a number is asked for, this is a list of an object with [name] or null
        "#]],
    );
}

#[test]
fn failures_that_nobody_handles() {
    refused(
        &workflow(Block::new().step(named())),
        expect![[r#"
        w/Named: nobody handles its failure `Transient`: retry it, give a fallback, or say `ends_by`
        w/Named: nobody handles its failure `BudgetEmpty`: retry it, give a fallback, or say `ends_by`
    "#]],
    );
    refused(
        &workflow(Block::new().step(named().retry(TRANSIENT, 3, 1, 5))),
        expect![[r#"
        w/Named: nobody handles its failure `BudgetEmpty`: retry it, give a fallback, or say `ends_by`
    "#]],
    );
    let both = named().retry(TRANSIENT, 3, 1, 5).ends_by(&[BUDGET_EMPTY]);
    taken(&workflow(Block::new().step(both.clone())));
    // A workflow that promises to catch them is not content with retries.
    refused(
        &workflow(Block::new().step(both)).catches_failures(),
        expect![[r#"
        w/Named: the workflow promises to catch `Transient`, and retries come to an end: give the step a fallback for it
        w/Named: the workflow promises to catch `BudgetEmpty`: give the step a fallback for it
    "#]],
    );
    refused(
        &workflow(Block::new().step(load())).catches_failures(),
        expect![[r#"
        w/Load: the workflow promises to catch failures, and this step does not say which it has: name them with `fails`, or give a fallback for States.ALL
    "#]],
    );
    let all = named().fallback("Left", &[ALL], json!({"found": false}));
    taken(&workflow(Block::new().step(all)).catches_failures());
}

#[test]
fn handlers_that_nobody_reaches() {
    let handled = || named().retry(TRANSIENT, 3, 1, 5).ends_by(&[BUDGET_EMPTY]);
    refused(
        &workflow(Block::new().step(handled().retry(PAUSED, 3, 1, 5))),
        expect![[r#"
        w/Named: its retry for `Paused` cannot be reached: the step names no such failure
    "#]],
    );
    let left = json!({"found": false});
    refused(
        &workflow(Block::new().step(handled().fallback("Left", &[PAUSED], left.clone()))),
        expect![[r#"
        w/Named: its fallback for `Paused` cannot be reached: the step names no such failure
    "#]],
    );
    refused(
        &workflow(Block::new().step(handled().fallback("Left", &[BUDGET_EMPTY], left))),
        expect![[r#"
        w/Named: `BudgetEmpty` cannot end it, because its fallback catches it
    "#]],
    );
    taken(&workflow(Block::new().step(handled().retry("States.Timeout", 3, 1, 5))));
}
