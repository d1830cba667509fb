//! A person asks for one record now: the result, or a clear failure in time; and one sync at a time per record.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use asl::expression::{input, result};
use asl::{Block, Kind, Step, WorkflowDefinition};
use clients::{Clock, TokioClock};
use domain::TicketId;
use futures::FutureExt;
use futures::future::{BoxFuture, join};
use orchestration::sync_manager::{NotSynced, SyncManager, Synced};
use orchestration::{
    EmbeddedEngine, ExecutionContext, Registry, StepExecutor, StepFailure, WorkflowOrchestrator,
};
use stores::{Place, Store, WorkKey};

asl::records! {
    /// Input of the workflow and of its step, as a live sync takes it.
    pub struct Asked {
        /// Which lane.
        pub lane: String,
        /// How many.
        pub limit: u32,
        /// Which record.
        pub record: Option<String>,
    }

    /// Output of the step.
    pub struct Answered {
        /// Rows that were claimed.
        pub claimed: u32,
    }
}

const SERVE: Step<Asked, Answered> = Step::new("Serve");

/// Takes two seconds; ticket 2 fails, ticket 3 has nothing to serve, ticket 4 takes an hour.
struct Serve(Arc<AtomicU64>);

impl StepExecutor for Serve {
    type Input = Asked;
    type Output = Answered;
    const NAME: &'static str = SERVE.name();

    fn run<'a>(
        &'a self,
        input: Asked,
        _context: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<Answered, StepFailure>> {
        async move {
            self.0.fetch_add(1, Ordering::SeqCst);
            let record = input.record.unwrap_or_default();
            let seconds = if record == ticket(4).to_string() { 3_600 } else { 2 };
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            match record {
                record if record == ticket(2).to_string() => Err(StepFailure::rejected("on purpose")),
                record if record == ticket(3).to_string() => Ok(Answered { claimed: 0 }),
                _ => Ok(Answered { claimed: 1 }),
            }
        }
        .boxed()
    }
}

fn ticket(number: u64) -> WorkKey {
    WorkKey::Ticket(TicketId::new(number).expect("a number from 1 on"))
}

fn manager() -> (SyncManager<EmbeddedEngine>, Arc<AtomicU64>) {
    let clock: Arc<dyn Clock> = Arc::new(TokioClock::new(1_760_000_000_000));
    let now = clock.clone();
    let store = Store::embedded(Place::Memory, "test", Arc::new(move || now.now_ms())).expect("a store");
    let calls = Arc::new(AtomicU64::new(0));
    let engine = EmbeddedEngine::new(Registry::new().with(Serve(calls.clone())), store, clock, 1, 1);
    let serve = SERVE
        .call()
        .with("lane", input("lane"))
        .with("limit", input("limit"))
        .with("record", input("record"))
        .timeout_s(7_200);
    let workflow = WorkflowDefinition::new::<Asked>("live", Kind::Standard)
        .body(Block::new().step(serve))
        .returns("claimed", result("Serve", "claimed"))
        .compile()
        .expect("it compiles");
    (SyncManager::new(WorkflowOrchestrator::new(engine), workflow), calls)
}

const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn two_calls_for_one_record_are_one_sync_and_two_answers() {
    let (manager, calls) = manager();
    let one = ticket(1);
    let (first, second) =
        join(manager.sync_now(&one, "jo", PATIENCE), manager.sync_now(&one, "mei", PATIENCE)).await;
    assert_eq!(first, second);
    assert!(matches!(first, Ok(Synced::Done { .. })), "{first:?}");
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert!(manager.in_work().is_empty());
    manager.sync_now(&one, "jo", PATIENCE).await.expect("a later call is a sync of its own");
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    let five = ticket(5);
    let (one, five) =
        join(manager.sync_now(&one, "jo", PATIENCE), manager.sync_now(&five, "jo", PATIENCE)).await;
    assert_ne!(one, five, "records do not wait for each other");
    assert_eq!(calls.load(Ordering::SeqCst), 4);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_failure_is_clear_and_comes_in_time() {
    let (manager, calls) = manager();
    let failed = manager.sync_now(&ticket(2), "jo", PATIENCE).await.expect_err("it fails");
    assert!(failed.to_string().contains("FAILED (Rejected)"), "{failed}");
    let nothing = manager.sync_now(&ticket(3), "jo", PATIENCE).await;
    assert!(matches!(nothing, Ok(Synced::Nothing { .. })), "{nothing:?}");

    let began = tokio::time::Instant::now();
    let late = manager.sync_now(&ticket(4), "jo", PATIENCE).await;
    assert_eq!(late, Err(NotSynced::Late { record: ticket(4).to_string(), within_ms: 10_000 }));
    assert_eq!(began.elapsed(), PATIENCE);
    assert_eq!(manager.in_work(), [ticket(4)], "it goes on");
    assert_eq!(calls.load(Ordering::SeqCst), 3);
    let joined = manager.sync_now(&ticket(4), "jo", Duration::from_secs(4_000)).await;
    assert!(matches!(joined, Ok(Synced::Done { .. })), "{joined:?}");
    assert_eq!(calls.load(Ordering::SeqCst), 3, "the second call waited for the first one's sync");
    assert!(manager.in_work().is_empty());
}
