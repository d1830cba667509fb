//! The embedded engine: executions of a small workflow, with steps that succeed, fail, panic and hang.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use asl::expression::{input, result};
use asl::{Block, CompiledWorkflow, Kind, Step, WorkflowDefinition};
use clients::{Clock, Lane, TokioClock};
use futures::FutureExt;
use futures::future::BoxFuture;
use orchestration::engine::Start;
use orchestration::{
    EmbeddedEngine, Engine, EngineError, ExecutionContext, Failure, Registry, StepExecutor, StepFailure,
    WorkflowOrchestrator,
};
use serde_json::{Value, json};
use stores::{Place, Store};

asl::records! {
    /// Input of the workflow and of its step.
    pub struct Asked {
        /// What the step shall do.
        pub what: String,
    }

    /// Output of the step.
    pub struct Answered {
        /// How often it has been called.
        pub calls: u64,
        /// The attempt that answered.
        pub attempt: u32,
        /// The time it had left, in seconds.
        pub left_s: i64,
        /// A number drawn at random.
        pub drawn: u64,
    }
}

const DO: Step<Asked, Answered> = Step::new("Do");

/// Does what its input says.
struct Do(Arc<AtomicU64>);

impl StepExecutor for Do {
    type Input = Asked;
    type Output = Answered;
    const NAME: &'static str = DO.name();

    fn run<'a>(
        &'a self,
        input: Asked,
        context: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<Answered, StepFailure>> {
        async move {
            let calls = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            match input.what.as_str() {
                "panic" => panic!("on purpose"),
                "hang" => tokio::time::sleep(Duration::from_secs(1_000_000)).await,
                "fail twice" if calls <= 2 => return Err(StepFailure::transient("not yet")),
                "reject" => return Err(StepFailure::rejected("ticket 7 is closed")),
                _ => {}
            }
            Ok(Answered {
                calls,
                attempt: context.attempt,
                left_s: context.left_ms() / 1_000,
                drawn: context.random.next_u64() >> 16,
            })
        }
        .boxed()
    }
}

fn workflow(kind: Kind) -> CompiledWorkflow {
    let call = DO.call().with("what", input("what")).timeout_s(30).retry("Transient", 3, 1, 10);
    WorkflowDefinition::new::<Asked>("do", kind)
        .body(Block::new().step(call))
        .returns("calls", result("Do", "calls"))
        .returns("attempt", result("Do", "attempt"))
        .returns("left_s", result("Do", "left_s"))
        .returns("drawn", result("Do", "drawn"))
        .compile()
        .expect("it compiles")
}

struct World {
    engine: Arc<EmbeddedEngine>,
    store: Store,
    calls: Arc<AtomicU64>,
}

fn world(seed: u64) -> World {
    let clock: Arc<dyn Clock> = Arc::new(TokioClock::new(1_760_000_000_000));
    let now = Arc::clone(&clock);
    let store = Store::embedded(Place::Memory, "test", Arc::new(move || now.now_ms())).expect("a store");
    let calls = Arc::new(AtomicU64::new(0));
    let registry = Registry::new().with(Do(Arc::clone(&calls)));
    let engine = EmbeddedEngine::new(registry, store.clone(), clock, seed, 1);
    World { engine, store, calls }
}

fn start(name: Option<&str>) -> Start {
    Start {
        name: name.map(str::to_owned),
        trigger: "person".to_owned(),
        actor: "test".to_owned(),
        lane: Lane::Live,
    }
}

fn ask(what: &str) -> Value {
    json!({"what": what})
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_execution_runs_its_steps_and_leaves_a_row() {
    let world = world(1);
    let workflow = workflow(Kind::Standard);
    let orchestrator = WorkflowOrchestrator::new(Arc::clone(&world.engine));
    let outcome = orchestrator.execute(&workflow, ask("fail twice"), start(None)).await.expect("it runs");
    assert!(outcome.succeeded(), "{outcome:?}");
    let output = outcome.output.expect("an output");
    assert_eq!((&output["calls"], &output["attempt"], &output["left_s"]), (&json!(3), &json!(3), &json!(30)));

    let row = orchestrator.describe(&outcome.execution).await.expect("readable").expect("a row");
    assert_eq!((row.status.as_str(), row.step.as_str(), row.kind.as_str()), ("SUCCEEDED", "Do", "Standard"));
    assert_eq!(row.failures.get("Transient"), Some(&2));
    assert_eq!(row.transitions, 3, "one state entered, two retries");
    assert!(row.ended_ms.is_some_and(|ended| ended > row.started_ms));
    assert_eq!(orchestrator.list(10).await.expect("readable").len(), 1);

    let totals = orchestrator.engine().totals()["do"];
    assert_eq!((totals.executions, totals.transitions, totals.express), (1, 3, false));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn failures_end_an_execution_under_their_names() {
    let world = world(2);
    let workflow = workflow(Kind::Express);
    for (what, error, calls) in
        [("reject", "Rejected", 1), ("panic", "Bug", 1), ("hang", "States.Timeout", 1)]
    {
        world.calls.store(0, Ordering::SeqCst);
        let outcome = world.engine.run(&workflow, ask(what), start(None)).await.expect("it runs");
        assert_eq!((outcome.status.as_str(), outcome.error.as_deref()), ("FAILED", Some(error)), "{what}");
        assert_eq!(world.calls.load(Ordering::SeqCst), calls, "{what} is not tried again");
    }
    assert!(world.engine.totals()["do"].express);
    let shapeless = world.engine.run(&workflow, json!({"what": 3}), start(None)).await.expect("it runs");
    assert_eq!(shapeless.error.as_deref(), Some("Bug"));
    assert!(!shapeless.cause.unwrap_or_default().contains('3'), "the message shows nothing of the input");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_name_is_used_once() {
    let world = world(3);
    let workflow = workflow(Kind::Standard);
    let id = world.engine.start(&workflow, ask("hang"), start(Some("backfill-1"))).await.expect("it starts");
    let again = world.engine.start(&workflow, ask("hang"), start(Some("backfill-1"))).await;
    assert!(matches!(again, Err(EngineError::NameTaken(_))), "while it runs");
    let first = world.engine.wait(&id).await.expect("it ends");
    assert_eq!(first.error.as_deref(), Some("States.Timeout"));
    assert_eq!(world.engine.running(), 0);
    let later = world.engine.run(&workflow, ask("go"), start(Some("backfill-1"))).await;
    assert!(matches!(later, Err(EngineError::NameTaken(_))), "and after it has ended");
    assert_eq!(world.engine.running(), 0);
    let known = world.engine.wait(&id).await.expect("its row tells");
    assert_eq!(known.status, "FAILED");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_execution_can_be_stopped() {
    let world = world(4);
    let workflow = workflow(Kind::Standard);
    let id = world.engine.start(&workflow, ask("hang"), start(None)).await.expect("it starts");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(world.engine.stop(&id).await.expect("it is asked"));
    assert_eq!(world.engine.wait(&id).await.expect("it ends").status, "ABORTED");
    assert!(!world.engine.stop(&id).await.expect("it is asked"));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_kill_writes_nothing_and_the_next_process_closes_what_it_left() {
    let world = world(5);
    let workflow = workflow(Kind::Standard);
    let spawned = world.engine.start(&workflow, ask("hang"), start(None)).await.expect("it starts");
    let engine = Arc::clone(&world.engine);
    let inline = workflow.clone();
    let inline = tokio::spawn(async move { engine.run(&inline, ask("hang"), start(Some("inline"))).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.engine.running(), 2);
    world.engine.abort_all();
    assert!(matches!(inline.await.expect("no panic"), Err(EngineError::Dropped(_))));
    assert_eq!(world.engine.running(), 0);
    for id in [spawned.as_str(), "inline"] {
        let row = world.engine.describe(id).await.expect("readable").expect("a row");
        assert_eq!(row.status, "RUNNING", "nobody could write its end");
    }
    assert!(matches!(world.engine.wait(&spawned).await, Err(EngineError::Dropped(_))));

    let clock: Arc<dyn Clock> = Arc::new(TokioClock::new(1_760_000_100_000));
    let next = EmbeddedEngine::new(Registry::new(), world.store.clone(), clock, 5, 2);
    let mut closed: Vec<String> =
        next.close_abandoned().await.expect("readable").into_iter().map(|row| row.id).collect();
    closed.sort();
    assert_eq!(closed, [spawned, "inline".to_owned()]);
    assert!(next.close_abandoned().await.expect("readable").is_empty());
    let row = next.describe("inline").await.expect("readable").expect("a row");
    assert_eq!((row.status.as_str(), row.error.as_deref()), ("ABORTED", Some("Abandoned")));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn the_same_seed_draws_the_same_and_another_incarnation_does_not() {
    let drawn = async |seed: u64| {
        let world = world(seed);
        let outcome =
            world.engine.run(&workflow(Kind::Standard), ask("go"), start(None)).await.expect("it runs");
        outcome.output.expect("an output")["drawn"].clone()
    };
    assert_eq!(drawn(7).await, drawn(7).await);
    assert_ne!(drawn(7).await, drawn(8).await);
}

#[test]
fn names_of_failures_read_back() {
    for failure in Failure::ALL {
        assert_eq!(Failure::from_name(failure.name()), Some(failure));
    }
    assert_eq!(Failure::from_name("States.ALL"), None);
}
