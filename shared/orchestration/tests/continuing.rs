//! Loops that go on in another execution, on the embedded engine: whoever waits for the first waits for all, rows tell of
//! each, a stop reaches the one that runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asl::expression::{counter, is_true, result};
use asl::workflow::WITHOUT_BOUND;
use asl::{Block, CompiledWorkflow, Kind, Step, WorkflowDefinition};
use clients::{Clock, Lane, TokioClock};
use futures::FutureExt;
use futures::future::BoxFuture;
use orchestration::engine::Start;
use orchestration::{EmbeddedEngine, Engine, ExecutionContext, Registry, StepExecutor, StepFailure};
use serde_json::json;
use stores::{Place, Store};

asl::records! {
    /// Input of the workflow.
    #[derive(Default)]
    pub struct Nothing {}

    /// Input of the step.
    pub struct Turn {
        /// How many rounds there were before.
        pub round: u64,
    }

    /// Output of the step.
    pub struct Turned {
        /// Whether that was the last round.
        pub done: bool,
        /// Pause before the next.
        pub wait_s: u64,
    }
}

const TURN: Step<Turn, Turned> = Step::new("Turn");

/// The last round of the tests below.
const LAST: u64 = 30;

/// Notes rounds and who asked for them.
#[derive(Clone, Default)]
struct Turning(Arc<Mutex<Vec<(String, u64)>>>, Arc<AtomicU64>);

impl StepExecutor for Turning {
    type Input = Turn;
    type Output = Turned;
    const NAME: &'static str = TURN.name();

    fn run<'a>(
        &'a self,
        input: Turn,
        context: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<Turned, StepFailure>> {
        self.0.lock().expect("no panic").push((context.execution.clone(), input.round));
        let wait_s = self.1.load(Ordering::Relaxed);
        std::future::ready(Ok(Turned { done: input.round == LAST, wait_s })).boxed()
    }
}

fn workflow() -> CompiledWorkflow {
    let turn = Block::new().step(TURN.call().with("round", counter("Turns")).timeout_s(30));
    WorkflowDefinition::new::<Nothing>("turns", Kind::Standard)
        .events_max(120)
        .body(Block::new().repeat(
            "Turns",
            turn,
            is_true(result("Turn", "done")),
            Some(result("Turn", "wait_s")),
            WITHOUT_BOUND,
        ))
        .returns("done", result("Turn", "done"))
        .compile()
        .expect("it compiles")
}

fn engine(turning: &Turning) -> (Arc<EmbeddedEngine>, Store) {
    let clock: Arc<dyn Clock> = Arc::new(TokioClock::new(1_760_000_000_000));
    let now = Arc::clone(&clock);
    let store = Store::embedded(Place::Memory, "test", Arc::new(move || now.now_ms())).expect("a store");
    (EmbeddedEngine::new(Registry::new().with(turning.clone()), store.clone(), clock, 1, 1), store)
}

fn start() -> Start {
    let (trigger, actor) = ("person".to_owned(), "test".to_owned());
    Start { name: Some("go".to_owned()), trigger, actor, lane: Lane::Live }
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn whoever_waits_for_the_first_waits_for_the_last() {
    let turning = Turning::default();
    let (engine, store) = engine(&turning);
    let workflow = workflow();
    let id = engine.start(&workflow, json!({}), start()).await.unwrap();
    let outcome = engine.wait(&id).await.unwrap();
    assert_eq!(outcome.output, Some(json!({"done": true})), "{outcome:?}");
    let calls = turning.0.lock().unwrap().clone();
    assert_eq!(calls.iter().map(|(_, round)| *round).collect::<Vec<_>>(), (0..=LAST).collect::<Vec<_>>());
    let executions: Vec<&str> =
        calls.chunk_by(|one, other| one.0 == other.0).map(|part| part[0].0.as_str()).collect();
    assert!(executions.len() > 3, "{executions:?}");
    let expected: Vec<String> =
        (0..executions.len()).map(|at| if at == 0 { "go".to_owned() } else { format!("go-c{at}") }).collect();
    assert_eq!(executions, expected);
    assert_eq!(outcome.execution, expected[expected.len() - 1]);
    for id in &expected {
        let row = store.executions().get(id).await.unwrap().expect("a row");
        assert_eq!(row.status, "SUCCEEDED", "{id}");
    }
    assert_eq!(engine.running(), 0);
    // Its handle is gone by now: what is left are the rows, which tell the same.
    let again = engine.wait("go").await.unwrap();
    assert_eq!((again.execution, again.output), (outcome.execution, outcome.output));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_stop_by_the_first_name_ends_the_one_that_runs() {
    let turning = Turning::default();
    turning.1.store(600, Ordering::Relaxed);
    let (engine, store) = engine(&turning);
    let workflow = workflow();
    let id = engine.start(&workflow, json!({}), start()).await.unwrap();
    while store.executions().get("go-c2").await.unwrap().is_none() {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    assert!(engine.stop(&id).await.unwrap());
    let outcome = engine.wait(&id).await.unwrap();
    assert_eq!((outcome.status.as_str(), outcome.execution.as_str()), ("ABORTED", "go-c2"));
    assert!(turning.0.lock().unwrap().len() < LAST as usize);
    assert_eq!(engine.running(), 0);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_name_that_is_taken_counts_as_started() {
    let turning = Turning::default();
    let (engine, store) = engine(&turning);
    let workflow = workflow();
    // What an earlier life of the process has left: an execution of the next one's name, which ended.
    let other = Start { name: Some("go-c1".to_owned()), ..start() };
    let input =
        json!({"continued": {"loop": "Turns", "rounds": LAST, "origin": "go", "followers": 1, "kept": {}}});
    engine.run(&workflow, input, other).await.unwrap();
    assert_eq!(turning.0.lock().unwrap().clone(), [("go-c1".to_owned(), LAST)]);
    let first = engine.run(&workflow, json!({}), start()).await.unwrap();
    assert_eq!(first.output, Some(json!({"continued": "go-c1"})), "it starts nothing a second time");
    let rounds = turning.0.lock().unwrap().len() as u64;
    assert!(rounds < LAST, "{rounds}");
    assert_eq!(engine.wait("go").await.unwrap().execution, "go-c1");
    assert_eq!(store.executions().get("go").await.unwrap().expect("a row").status, "SUCCEEDED");
}
