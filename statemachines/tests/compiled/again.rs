//! Loops that go on in another execution: run with a history far shorter than the service's, no round is lost and none
//! happens twice, whatever is repeated on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use asl::expression::{above, counter, input, is_true, result, whole};
use asl::names::{EXECUTION_EXISTS, START_EXECUTION};
use asl::workflow::WITHOUT_BOUND;
use asl::{Block, CompiledWorkflow, Kind, WorkflowDefinition};
use futures::FutureExt;
use futures::future::BoxFuture;
use runner::{Execution, Options, Status, TaskReply, TaskRequest, Tasks, tokio_clock};
use serde_json::{Value, json};

use crate::machine::{Bench, WORK};

/// Events of history that the definitions below may take, and that the runner keeps.
const EVENTS: u64 = 120;

/// What happens to the first answer of each start.
#[derive(Clone, Copy, PartialEq)]
enum Answers {
    Arrive,
    /// It was started and nobody learns of it.
    AreLost,
    /// Planted: names are made up anew, so a repeated start is a second one.
    NameTwo,
}

/// Steps, and a service that starts executions by name.
struct Service {
    bench: Bench,
    answers: Answers,
    started: Mutex<Vec<(String, Value)>>,
    lost: Mutex<BTreeSet<String>>,
}

impl Service {
    fn start(&self, request: &TaskRequest) -> TaskReply {
        let mut name = request.arguments["Name"].as_str().expect("a name").to_owned();
        assert_eq!(
            request.arguments["StateMachineArn"],
            "arn:aws:states:us-east-1:111111111111:stateMachine:again"
        );
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if self.answers == Answers::NameTwo && request.attempt > 1 {
            name.push_str("-again");
        }
        if started.iter().any(|(taken, _)| *taken == name) {
            return TaskReply::error(EXECUTION_EXISTS, "it exists");
        }
        started.push((name.clone(), request.arguments["Input"].clone()));
        let first =
            self.lost.lock().unwrap_or_else(PoisonError::into_inner).insert(request.execution.clone());
        if first && self.answers != Answers::Arrive {
            return TaskReply::error("StepFunctions.SdkClientException", "the answer was lost");
        }
        TaskReply::Result(json!({"ExecutionArn": name, "StartDate": 0}))
    }
}

impl Tasks for Service {
    fn call(&self, request: TaskRequest) -> BoxFuture<'_, TaskReply> {
        if request.resource == START_EXECUTION {
            return std::future::ready(self.start(&request)).boxed();
        }
        self.bench.call(request)
    }
}

/// Runs the first execution and all that it starts, in the order in which they were started.
async fn all(workflow: &CompiledWorkflow, given: Value, name: &str, service: &Service) -> Vec<Execution> {
    let mut ended = Vec::new();
    let mut next = Some((name.to_owned(), given));
    while let Some((name, input)) = next {
        let mut options = Options::new(workflow.kind, "again", &name, tokio_clock(1_700_000_000_000));
        options.limits.history_events = EVENTS;
        ended.push(runner::run(&workflow.typed, input, options, service).await);
        next = service.started.lock().unwrap_or_else(PoisonError::into_inner).get(ended.len() - 1).cloned();
    }
    ended
}

/// Reads something, then goes round until the last page, and says so to a last step.
fn pages(events_max: u64) -> Result<CompiledWorkflow, Vec<asl::Mistake>> {
    let turn = Block::new().step(
        WORK.call()
            .named("Page")
            .with("round", counter("Pages"))
            .with("first", whole("First"))
            .with("of", input("of"))
            .timeout_s(50),
    );
    let last =
        WORK.call().named("Last").with("rounds", result("Page", "round")).with("first", whole("First"));
    WorkflowDefinition::new::<Value>("again", Kind::Standard)
        .events_max(events_max)
        .body(
            Block::new()
                .step(WORK.call().named("First").with("of", input("of")).timeout_s(50))
                .repeat(
                    "Pages",
                    turn,
                    is_true(result("Page", "done")),
                    Some(result("Page", "wait_s")),
                    WITHOUT_BOUND,
                )
                .after(&["First"])
                .choose(
                    "If",
                    above(result("Page", "round"), 0),
                    Block::new().step(last.timeout_s(50)),
                    Block::new(),
                ),
        )
        .returns("round", result("Page", "round"))
        .returns("first", whole("First"))
        .compile()
}

fn service(last_round: u64, answers: Answers) -> Service {
    let answer = move |request: &TaskRequest, input: &Value| match request.state.as_str() {
        "Page" => {
            let round = input["round"].as_u64().unwrap_or(u64::MAX);
            Ok(
                json!({"done": round == last_round, "wait_s": if round % 5 == 4 { 600 } else { 0 }, "round": round}),
            )
        }
        _ => Ok(json!({"by": request.state, "of": input["of"]})),
    };
    Service {
        bench: Bench::new(BTreeMap::new(), Box::new(answer)),
        answers,
        started: Mutex::default(),
        lost: Mutex::default(),
    }
}

/// What is wrong with a whole life of the loop; empty if nothing.
async fn wrong(workflow: &CompiledWorkflow, last_round: u64, answers: Answers) -> Vec<String> {
    let service = service(last_round, answers);
    let ended = all(workflow, json!({"of": 7}), "start", &service).await;
    let mut wrong = Vec::new();
    for (at, execution) in ended.iter().enumerate() {
        if execution.status != Status::Succeeded {
            wrong.push(format!("execution {at}: {:?} {:?}", execution.error, execution.cause));
        }
        if execution.events > EVENTS {
            wrong.push(format!("execution {at} has {} events", execution.events));
        }
    }
    let calls = service.bench.calls();
    let rounds: Vec<u64> = calls
        .iter()
        .filter(|call| call.state == "Page")
        .map(|call| call.input["round"].as_u64().unwrap_or(u64::MAX))
        .collect();
    if rounds != (0..=last_round).collect::<Vec<_>>() {
        wrong.push(format!("rounds {rounds:?}"));
    }
    let times = |state: &str| calls.iter().filter(|call| call.state == state).count();
    if (times("First"), times("Last")) != (1, usize::from(last_round > 0)) {
        wrong.push(format!("First {} times, Last {} times", times("First"), times("Last")));
    }
    if calls.iter().any(|call| call.state == "Page" && call.input["first"] != json!({"by": "First", "of": 7}))
    {
        wrong.push("a round was given another result of the first step".to_owned());
    }
    let output = ended.last().and_then(|execution| execution.output.clone());
    if output != Some(json!({"round": last_round, "first": {"by": "First", "of": 7}})) {
        wrong.push(format!("returns {output:?}"));
    }
    let waits = (last_round / 5) as f64 * 600.0;
    let took = calls.last().map_or(0.0, |call| call.to_s);
    // Repeated starts wait, too: up to a few seconds each.
    if took < waits || took > waits + 10.0 * ended.len() as f64 {
        wrong.push(format!("took {took} s, the pauses have {waits} s"));
    }
    wrong
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn no_round_is_lost_and_none_happens_twice() {
    let workflow = pages(EVENTS).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    let rounds = workflow.report.continues[0].1;
    assert!((2..10).contains(&rounds), "{rounds}");
    for last_round in [0, 1, rounds - 1, rounds, 3 * rounds - 1, 40] {
        for answers in [Answers::Arrive, Answers::AreLost] {
            assert_eq!(
                wrong(&workflow, last_round, answers).await,
                Vec::<String>::new(),
                "{last_round} rounds"
            );
        }
    }
    let service = service(40, Answers::Arrive);
    let ended = all(&workflow, json!({"of": 7}), "start", &service).await;
    assert_eq!(ended[0].output, Some(json!({"continued": "start-c1"})));
    assert_eq!(ended[1].output, Some(json!({"continued": "start-c2"})));
    assert!(ended.len() as u64 >= 40 / rounds, "{} executions", ended.len());
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_loop_that_does_not_go_on_and_a_start_with_a_name_of_its_own_are_found() {
    // Compiled for a longer history than there is: it fills up.
    let one = pages(2_000).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    assert!(!wrong(&one, 40, Answers::Arrive).await.is_empty());
    let workflow = pages(EVENTS).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    assert!(!wrong(&workflow, 40, Answers::NameTwo).await.is_empty());
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn long_names_stay_apart_and_fit() {
    let workflow = pages(EVENTS).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    let mut names = BTreeSet::new();
    for end in ["a", "b"] {
        let service = service(40, Answers::Arrive);
        let ended = all(&workflow, json!({"of": 7}), &format!("{}{end}", "x".repeat(79)), &service).await;
        assert!(ended.iter().all(|execution| execution.status == Status::Succeeded));
        let started = service.started.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(started.iter().all(|(name, _)| name.len() <= 80));
        names.extend(started.iter().map(|(name, _)| name.clone()));
        assert_eq!(names.len() % started.len(), 0, "{names:?}");
    }
    assert!(names.len() >= 4, "{names:?}");
}
