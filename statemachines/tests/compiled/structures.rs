//! Choices, loops, maps, waits, retries and fallbacks, run.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use asl::expression::{above, counter, equal, input, item, literal, result, whole};
use asl::names::{ALL, TRANSIENT};
use asl::{Block, CompiledWorkflow, Kind, WorkflowDefinition};
use runner::Status;
use serde_json::{Value, json};

use crate::machine::{Answer, Bench, WORK, run};

fn compile(definition: WorkflowDefinition) -> CompiledWorkflow {
    definition.compile().unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}

fn workflow(body: Block) -> WorkflowDefinition {
    WorkflowDefinition::new::<Value>("structures", Kind::Standard).body(body)
}

fn work(id: &str) -> asl::workflow::Call {
    WORK.call().named(id).timeout_s(50)
}

fn echo() -> Answer {
    Box::new(|request, input| Ok(json!({"by": request.state, "of": input})))
}

fn bench(answer: Answer) -> Bench {
    Bench::new(BTreeMap::new(), answer)
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_loop_counts_pauses_and_stops() {
    let turn = Block::new().step(work("Turn").with("round", counter("Turns")));
    let body = |at_most| {
        Block::new().repeat(
            "Turns",
            turn.clone(),
            equal(result("Turn", "done"), literal(true)),
            Some(result("Turn", "wait_s")),
            at_most,
        )
    };
    let answer = || -> Answer {
        Box::new(|_, input| {
            let round = input["round"].as_u64().unwrap_or(u64::MAX);
            Ok(json!({"done": round == 3, "wait_s": if round == 1 { 30 } else { 0 }, "round": round}))
        })
    };
    let all = compile(workflow(body(100)).returns("last", whole("Turn")));
    let (bench_all, bench_two) = (bench(answer()), bench(answer()));
    let (execution, took_s) = run(&all, json!({}), &bench_all).await;
    assert_eq!(execution.output, Some(json!({"last": {"done": true, "wait_s": 0, "round": 3}})));
    assert_eq!(bench_all.calls().len(), 4);
    assert!((took_s - 30.0).abs() < 0.5, "one pause of 30 s, took {took_s} s");

    let two = compile(workflow(body(2)).returns("done", result("Turn", "done")));
    let (execution, _) = run(&two, json!({}), &bench_two).await;
    assert_eq!(execution.output, Some(json!({"done": false})), "stops after two rounds all the same");
    assert_eq!(bench_two.calls().len(), 2);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn the_side_not_taken_gives_null() {
    let body = Block::new()
        .choose(
            "If",
            above(input("n"), 3),
            Block::new().step(work("Big").with("n", input("n"))),
            Block::new().step(work("Small").with("n", input("n"))),
        )
        .step(work("After").with("big", whole("Big")).with("small", whole("Small")));
    let inside = compile(workflow(body.clone()).returns("after", whole("After")));
    // The same where nothing follows the choice: the ends give null themselves.
    let at_end = Block::new().choose(
        "If",
        above(input("n"), 3),
        Block::new().step(work("Big").with("n", input("n"))),
        Block::new(),
    );
    let at_end = compile(workflow(at_end).returns("big", whole("Big")));
    for (n, big) in [(5, true), (2, false)] {
        let tested = bench(echo());
        let (execution, _) = run(&inside, json!({"n": n}), &tested).await;
        let given = execution.output.expect("an output")["after"]["of"].clone();
        assert_eq!(given["big"].is_null(), !big, "n = {n}: {given}");
        assert_eq!(given["small"].is_null(), big, "n = {n}: {given}");

        let tested = bench(echo());
        let (execution, _) = run(&at_end, json!({"n": n}), &tested).await;
        assert_eq!(execution.output.expect("an output")["big"].is_null(), !big, "n = {n}");
    }
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_map_runs_its_items_at_once_and_collects_what_they_give() {
    let inner = Block::new()
        .step(work("First").with("item", item()).with("shared", whole("Before")))
        .step(work("Beside").with("item", item()))
        .step(
            work("Second").with("item", item()).with("first", whole("First")).with("beside", whole("Beside")),
        );
    let body = Block::new()
        .step(work("Before"))
        .for_each("Each", input("items"), 4, inner, Some("Second"))
        .items_max(100)
        .step(work("After").with("all", whole("Each")));
    let compiled = compile(workflow(body).returns("after", whole("After")));
    let seconds = [("First", 2.0), ("Beside", 3.0), ("Second", 1.0)];
    let seconds = seconds.into_iter().map(|(id, seconds)| (id.to_owned(), seconds)).collect();
    for items in [json!([]), json!([[1]]), json!([["a", "b"], ["c"], [], [{"d": 1}], ["e"], ["f"]])] {
        let tested = Bench::new(BTreeMap::clone(&seconds), echo());
        let (execution, took_s) = run(&compiled, json!({"items": items}), &tested).await;
        assert_eq!(execution.status, Status::Succeeded, "{:?} {:?}", execution.error, execution.cause);
        let output = execution.output.expect("an output");
        let all = output["after"]["of"]["all"].as_array().expect("a list").clone();
        let items = items.as_array().expect("a list").clone();
        assert_eq!(all.len(), items.len());
        for (given, item) in all.iter().zip(&items) {
            assert_eq!(given["of"]["item"], *item, "the item arrives as it is, in the order of the items");
            assert_eq!(given["of"]["first"]["of"]["item"], *item);
            assert_eq!(given["of"]["first"]["of"]["shared"]["by"], "Before");
            assert_eq!(given["of"]["beside"]["of"]["item"], *item);
        }
        let turns = items.len().div_ceil(4) as f64;
        assert!((took_s - 4.0 * turns).abs() < 0.5, "{} items took {took_s} s", items.len());
    }
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn failures_are_retried_by_name_and_then_replaced() {
    let flaky =
        || work("Flaky").retry(TRANSIENT, 2, 4, 60).fallback("FlakyLeft", &[ALL], json!({"by": "nobody"}));
    // Once in the middle and once at the end of a flow: the fallback is caught in two different ways.
    let middle = Block::new().step(flaky()).step(work("After").with("flaky", whole("Flaky")));
    let middle = compile(workflow(middle).returns("flaky", whole("Flaky")));
    let end = compile(workflow(Block::new().step(flaky())).returns("flaky", whole("Flaky")));
    for compiled in [&middle, &end] {
        for (failures, name, calls, by) in [
            (2, TRANSIENT, 3, "Flaky"),
            (3, TRANSIENT, 3, "nobody"),
            (1, "Rejected", 1, "nobody"),
            (3, "Lambda.ServiceException", 4, "Flaky"),
        ] {
            let tried = AtomicU64::new(0);
            let tested = bench(Box::new(move |request, _| {
                let fails = request.state == "Flaky" && tried.fetch_add(1, Ordering::Relaxed) < failures;
                if fails { Err(name.to_owned()) } else { Ok(json!({"by": request.state})) }
            }));
            let (execution, _) = run(compiled, json!({}), &tested).await;
            let flaky = tested.calls().iter().filter(|call| call.state == "Flaky").count();
            assert_eq!(execution.output, Some(json!({"flaky": {"by": by}})), "{failures} times {name}");
            assert_eq!(flaky, calls, "{failures} times {name}");
        }
    }
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_wait_waits_and_a_step_that_hangs_is_timed_out() {
    let waits = Block::new().wait("Pause", input("seconds")).step(work("After")).after(&["Pause"]);
    let compiled = compile(workflow(waits));
    let (execution, took_s) = run(&compiled, json!({"seconds": 3_600}), &bench(echo())).await;
    assert_eq!(execution.output, Some(json!({})));
    assert!((took_s - 3_600.0).abs() < 0.5, "{took_s} s");

    let hangs = compile(workflow(Block::new().step(work("Hangs"))));
    let seconds = BTreeMap::from([("Hangs".to_owned(), 1e6)]);
    let (execution, took_s) = run(&hangs, json!({}), &Bench::new(seconds, echo())).await;
    assert_eq!((execution.status, execution.error.as_deref()), (Status::Failed, Some("States.Timeout")));
    assert!((took_s - 50.0).abs() < 0.5, "{took_s} s");
}
