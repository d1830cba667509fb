//! Executions that failed are finished by a newer definition, and no step that has a checkpoint runs again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asl::expression::{input, item, result};
use asl::{Block, CompiledWorkflow, Kind, Step, WorkflowDefinition};
use clients::{Clock, Lane, TokioClock};
use futures::FutureExt;
use futures::future::BoxFuture;
use orchestration::checkpoint_manager::StepKey;
use orchestration::engine::Start;
use orchestration::recovery_manager::redrive::{RedriveError, Redriven};
use orchestration::{
    CheckpointManager, EmbeddedEngine, ExecutionContext, RecoveryManager, Registry, StepExecutor,
    StepFailure, WorkflowOrchestrator,
};
use serde_json::{Value, json};
use stores::executions::{Ended, ExecutionRow};
use stores::{Place, Store};

asl::records! {
    /// Input of the workflow.
    pub struct Order {
        /// Which execution this is.
        pub number: u64,
        /// What its items are.
        pub items: Vec<u64>,
        /// Makes some inputs longer than a row keeps.
        pub note: String,
    }

    /// Input of each step.
    pub struct Asked {
        /// A number.
        pub number: u64,
    }

    /// Output of each step.
    pub struct Answered {
        /// The number, one higher.
        pub number: u64,
    }
}

const EXECUTIONS: u64 = 500;
const ITEMS: u64 = 3;
const START_MS: i64 = 1_760_000_000_000;

const COLLECT: Step<Asked, Answered> = Step::new("Collect");
const EACH: Step<Asked, Answered> = Step::new("Each");
const BOOK: Step<Asked, Answered> = Step::new("Book");
const CLOSE: Step<Asked, Answered> = Step::new("Close");

/// What the steps did: by step and outcome, and every call of a step whose answer to the same input was kept.
#[derive(Default)]
struct Log {
    runs: BTreeMap<(&'static str, bool), u64>,
    again: Vec<String>,
}

/// What of the world's steps is broken.
#[derive(Clone, Copy, PartialEq)]
enum Planted {
    /// `Book` fails for all.
    Book,
    /// `Close` fails for odd numbers.
    CloseOdd,
    /// Nothing.
    Nothing,
}

#[derive(Clone)]
struct Desk {
    store: Store,
    log: Arc<Mutex<Log>>,
    planted: Planted,
}

impl Desk {
    async fn run(
        &self,
        step: &'static str,
        asked: Asked,
        context: &ExecutionContext,
    ) -> Result<Answered, StepFailure> {
        let key = StepKey::of(step, 1, &json!({ "number": asked.number }));
        let kept = CheckpointManager::new(self.store.clone());
        if kept.stands(&context.answers_from, &key).await.expect("readable").is_some() {
            self.log.lock().expect("one thread").again.push(format!("{step} of {}", context.execution));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let broken = match self.planted {
            Planted::Book => step == "Book",
            Planted::CloseOdd => step == "Close" && !asked.number.is_multiple_of(2),
            Planted::Nothing => false,
        };
        *self.log.lock().expect("one thread").runs.entry((step, !broken)).or_default() += 1;
        if broken { Err(StepFailure::bug("planted")) } else { Ok(Answered { number: asked.number + 1 }) }
    }

    fn runs(&self, step: &'static str) -> (u64, u64) {
        let log = self.log.lock().expect("one thread");
        let of = |good| log.runs.get(&(step, good)).copied().unwrap_or_default();
        (of(true), of(false))
    }

    fn ran_again(&self) -> Vec<String> {
        self.log.lock().expect("one thread").again.clone()
    }

    fn registry(&self) -> Registry {
        let desk = || self.clone();
        Registry::new().with(Collect(desk())).with(Each(desk())).with(Book(desk())).with(Close(desk()))
    }

    /// A process that begins now, with these steps.
    fn process(
        &self,
        planted: Planted,
        incarnation: u64,
        keeps: bool,
    ) -> WorkflowOrchestrator<EmbeddedEngine> {
        let desk = Desk { planted, ..self.clone() };
        let mut registry = desk.registry();
        if keeps {
            registry = registry.keeping(CheckpointManager::new(self.store.clone()));
        }
        let store = self.store.clone();
        let clock: Arc<dyn Clock> = Arc::new(StoreClock(store.clone()));
        WorkflowOrchestrator::new(EmbeddedEngine::new(registry, store, clock, 1, incarnation))
    }

    async fn failed(&self) -> Vec<ExecutionRow> {
        let recovery = RecoveryManager::new(self.store.clone());
        recovery.failed(&Ended::default(), usize::MAX).await.expect("readable")
    }

    async fn redrive(
        &self,
        process: &WorkflowOrchestrator<EmbeddedEngine>,
        definition: &CompiledWorkflow,
    ) -> Vec<Redriven> {
        let recovery = RecoveryManager::new(self.store.clone());
        recovery.redrive_all(process, &[definition], &self.failed().await, "jo", |_| ()).await
    }
}

/// The store's time, so that all processes share one.
struct StoreClock(Store);

impl Clock for StoreClock {
    fn now_ms(&self) -> i64 {
        self.0.now_ms()
    }
}

macro_rules! step {
    ($name:ident, $declared:ident) => {
        struct $name(Desk);

        impl StepExecutor for $name {
            type Input = Asked;
            type Output = Answered;
            const NAME: &'static str = $declared.name();
            const KEEPS: Option<u32> = Some(1);

            fn run<'a>(
                &'a self,
                input: Asked,
                context: &'a ExecutionContext,
            ) -> BoxFuture<'a, Result<Answered, StepFailure>> {
                self.0.run(Self::NAME, input, context).boxed()
            }
        }
    };
}

step!(Collect, COLLECT);
step!(Each, EACH);
step!(Book, BOOK);
step!(Close, CLOSE);

fn desk() -> Desk {
    let clock = TokioClock::new(START_MS);
    let store = Store::embedded(Place::Memory, "test", Arc::new(move || clock.now_ms())).expect("a store");
    Desk { store, log: Arc::default(), planted: Planted::Nothing }
}

fn begun() -> Block {
    let collect = COLLECT.call().with("number", input("number")).timeout_s(30);
    let each = EACH.call().with("number", item()).timeout_s(30);
    let book = BOOK.call().with("number", result("Collect", "number")).timeout_s(30);
    Block::new()
        .step(collect)
        .for_each("EachItem", input("items"), 5, Block::new().step(each), None)
        .items_max(100)
        .step(book)
        .after(&["EachItem"])
}

/// What was deployed when they failed.
fn first() -> CompiledWorkflow {
    let definition = WorkflowDefinition::new::<Order>("order", Kind::Standard).body(begun());
    definition.returns("number", result("Book", "number")).compile().expect("it compiles")
}

/// The next definition: it has a step more.
fn second() -> CompiledWorkflow {
    let close = CLOSE.call().with("number", result("Book", "number")).timeout_s(30);
    let definition = WorkflowDefinition::new::<Order>("order", Kind::Standard).body(begun().step(close));
    definition.returns("number", result("Close", "number")).compile().expect("it compiles")
}

fn order(number: u64) -> Value {
    // Every tenth is too long for the row.
    let note = "x".repeat(if number.is_multiple_of(10) { 5_000 } else { 5 });
    json!({ "number": number, "items": (0..ITEMS).collect::<Vec<_>>(), "note": note })
}

fn start(name: Option<String>) -> Start {
    Start { name, trigger: "person".to_owned(), actor: "test".to_owned(), lane: Lane::Live }
}

/// All executions run by the first definition and fail.
async fn all_fail(desk: &Desk, executions: u64) {
    let process = desk.process(Planted::Book, 1, true);
    let definition = first();
    let runs = (0..executions).map(|number| {
        let run = process.execute(&definition, order(number), start(Some(format!("order-{number}"))));
        async move { run.await.expect("it runs").error }
    });
    let errors = futures::future::join_all(runs).await;
    assert!(errors.iter().all(|error| error.as_deref() == Some("Bug")), "{errors:?}");
}

fn numbers(redriven: &[Redriven]) -> BTreeMap<&str, Value> {
    let number = |one: &Redriven| one.end.as_ref().ok().and_then(|end| end.output.clone());
    redriven.iter().map(|one| (one.of.as_str(), number(one).unwrap_or_default()["number"].clone())).collect()
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn five_hundred_that_failed_on_a_bug_are_finished_by_the_fixed_definition() {
    let desk = desk();
    all_fail(&desk, EXECUTIONS).await;
    assert_eq!(desk.failed().await.len() as u64, EXECUTIONS);

    let fixed = desk.process(Planted::Nothing, 2, true);
    let redriven = desk.redrive(&fixed, &second()).await;
    assert_eq!(redriven.iter().filter(|one| one.succeeded()).count() as u64, EXECUTIONS);
    let ends = numbers(&redriven);
    for number in 0..EXECUTIONS {
        assert_eq!(ends[format!("order-{number}").as_str()], number + 3, "its own input");
    }
    assert_eq!(desk.ran_again(), Vec::<String>::new());
    assert_eq!(desk.runs("Collect"), (EXECUTIONS, 0));
    assert_eq!(desk.runs("Each"), (EXECUTIONS * ITEMS, 0), "no item twice");
    assert_eq!(desk.runs("Book"), (EXECUTIONS, EXECUTIONS));
    assert_eq!(desk.runs("Close"), (EXECUTIONS, 0));

    assert!(desk.failed().await.is_empty(), "nothing is left to redrive");
    let row = fixed.describe("order-7-r1").await.expect("readable").expect("a row");
    assert_eq!((row.redrive_of.as_deref(), row.status.as_str()), (Some("order-7"), "SUCCEEDED"));
    assert_eq!((row.trigger.as_str(), row.actor.as_str()), ("redrive", "jo"));
    let old = fixed.describe("order-7").await.expect("readable").expect("a row");
    assert_eq!(old.redriven_by.as_deref(), Some("order-7-r1"));
    assert_ne!(old.definition, row.definition, "another definition");
}

/// The check above finds a redrive that does not look for what was answered.
#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_redrive_without_checkpoints_is_found() {
    let desk = desk();
    all_fail(&desk, 3).await;
    let forgetful = desk.process(Planted::Nothing, 2, false);
    let redriven = desk.redrive(&forgetful, &second()).await;
    assert!(redriven.iter().all(Redriven::succeeded));
    assert_eq!(desk.ran_again().len() as u64, 3 * (1 + ITEMS), "{:?}", desk.ran_again());
}

/// The process is killed while it redrives, and the next one has another definition and another bug: chains of redrives
/// answer from every execution before them.
#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_deploy_and_a_kill_in_the_middle_lose_no_checkpoint() {
    let desk = desk();
    all_fail(&desk, 60).await;
    let killed = desk.process(Planted::Nothing, 2, true);
    let half = Duration::from_millis(3_500);
    let cut_off = tokio::time::timeout(half, desk.redrive(&killed, &first())).await;
    assert!(cut_off.is_err(), "it was in the middle");
    killed.engine().abort_all();

    let odd = desk.process(Planted::CloseOdd, 3, true);
    assert!(!odd.engine().close_abandoned().await.expect("readable").is_empty());
    let redriven = desk.redrive(&odd, &second()).await;
    let bad = redriven.iter().filter(|one| !one.succeeded()).count();
    assert!((10..=30).contains(&bad), "{bad}: about half of what was left");

    let fixed = desk.process(Planted::Nothing, 4, true);
    let redriven = desk.redrive(&fixed, &second()).await;
    assert_eq!(redriven.len(), bad);
    assert!(redriven.iter().all(Redriven::succeeded));
    assert!(desk.failed().await.is_empty());
    assert_eq!(desk.ran_again(), Vec::<String>::new());
    assert_eq!(desk.runs("Collect").0, 60, "the first of a chain answered for all");
    let rows = fixed.list(1_000).await.expect("readable");
    assert!(rows.iter().any(|row| row.answers_from.len() == 2), "some were redriven twice");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn asked_twice_it_is_done_once_and_what_cannot_be_is_refused() {
    let desk = desk();
    all_fail(&desk, 1).await;
    let fixed = desk.process(Planted::Nothing, 2, true);
    let failed = desk.failed().await;
    let recovery = RecoveryManager::new(desk.store.clone());
    let (definition, other) = (second(), "other");
    let both = [failed[0].clone(), failed[0].clone()];
    let ends = recovery.redrive_all(&fixed, &[&definition], &both, "jo", |_| ()).await;
    assert_eq!(ends.iter().filter(|one| one.succeeded()).count(), 1, "{ends:?}");
    assert_eq!(desk.runs("Close"), (1, 0));

    let row = fixed.describe("order-0-r1").await.expect("readable").expect("a row");
    let done = recovery.redrive(&fixed, &definition, &row, "jo").await;
    assert!(matches!(done, Err(RedriveError::Succeeded(_))), "{done:?}");
    let unknown = ExecutionRow { workflow: other.to_owned(), ..failed[0].clone() };
    let ends = recovery.redrive_all(&fixed, &[&definition], &[unknown], "jo", |_| ()).await;
    assert!(matches!(&ends[0].end, Err(RedriveError::NoWorkflow { .. })), "{ends:?}");
    // A row of before: only the size of its input was kept.
    let row = ExecutionRow {
        id: "before".to_owned(),
        status: "FAILED".to_owned(),
        input: "\"4321 bytes\"".to_owned(),
        ..failed[0].clone()
    };
    desk.store.executions().put(&row).await.expect("written");
    let ends = recovery.redrive_all(&fixed, &[&definition], &[row], "jo", |_| ()).await;
    assert!(matches!(&ends[0].end, Err(RedriveError::NoInput(_))), "{ends:?}");
}

/// What was answered in another form, or to another input, is no answer; neither is what has expired.
#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_answer_stands_only_where_step_input_and_form_fit() {
    let desk = desk();
    let kept = CheckpointManager::new(desk.store.clone());
    let key = |schema, input: Value| StepKey::of("Collect", schema, &input);
    kept.keep("one", &key(1, json!({ "a": 1, "b": [2] })), &json!(7)).await.expect("kept");
    let from = ["two".to_owned(), "one".to_owned()];
    let stands = async |key: &StepKey| kept.stands(&from, key).await.expect("readable");
    assert_eq!(stands(&key(1, json!({ "b": [2], "a": 1 }))).await, Some(json!(7)), "in any order");
    assert_eq!(stands(&key(2, json!({ "a": 1, "b": [2] }))).await, None);
    assert_eq!(stands(&key(1, json!({ "a": 1, "b": [3] }))).await, None);
    assert_eq!(stands(&StepKey::of("Book", 1, &json!({ "a": 1, "b": [2] }))).await, None);
    tokio::time::advance(Duration::from_secs(91 * 86_400)).await;
    assert_eq!(stands(&key(1, json!({ "a": 1, "b": [2] }))).await, None, "after 90 days");
}
