//! Keeps tickets and tasks in step. Four definitions: `backfill` mirrors all tickets once, `live` serves what
//! changed, `poll` finds changes that no webhook told and finishes what was left open, `sweep` compares all linked
//! pairs and finds what none of these saw.

use asl::expression::{above, count, counter, input, is_true, item, result};
use asl::names::{ALL, BUDGET_EMPTY, HISTORY_EVENTS_MAX, PAUSED, TIMEOUT, TRANSIENT};
use asl::workflow::WITHOUT_BOUND;
use asl::{Block, CompiledWorkflow, Kind, WorkflowDefinition};
use serde_json::json;

use crate::steps::{
    BACKFILL_PAGE, CLAIM_WORK, COMPARE_LINKS, FINISH_BACKFILL, POLL_COMMENTS, POLL_TASKS, POLL_TICKETS,
    SETTLE_EFFECTS, SYNC_RECORDS, Segment,
};

asl::records! {
    /// Input of `ticket-sync-backfill`.
    pub struct BackfillInput {
        /// Which backfill this is; a new one starts from the beginning.
        pub generation: u64,
    }

    /// Input of `ticket-sync-live`.
    pub struct LiveInput {
        /// Which lane to serve.
        pub lane: String,
        /// How many rows to claim at most.
        pub limit: u32,
        /// Only the row of this record.
        pub record: Option<String>,
    }

    /// Input of `ticket-sync-poll`: cursors say the rest.
    #[derive(Default)]
    pub struct PollInput {}

    /// Input of `ticket-sync-sweep`.
    pub struct SweepInput {
        /// All links, in parts that one execution each can compare.
        pub segments: Vec<Segment>,
    }
}

/// Segments that are compared at once: all draw on the same budgets, so more would only wait.
const SEGMENTS_AT_ONCE: u64 = 4;

/// A sweep fails when more than this share of its segments did.
const SEGMENTS_TOLERATED_PERCENT: u64 = 10;

/// The definitions of ticket sync, compiled.
#[derive(Clone, Debug)]
pub struct TicketSyncWorkflow {
    backfill: CompiledWorkflow,
    live: CompiledWorkflow,
    poll: CompiledWorkflow,
    sweep: CompiledWorkflow,
}

impl Default for TicketSyncWorkflow {
    fn default() -> TicketSyncWorkflow {
        TicketSyncWorkflow::new()
    }
}

impl TicketSyncWorkflow {
    /// Compiles the definitions below. A test compiles them too, so a mistake in them is never met by a user.
    pub fn new() -> TicketSyncWorkflow {
        TicketSyncWorkflow::with_events_max(HISTORY_EVENTS_MAX)
    }

    /// The same for a service that keeps fewer events of an execution's history: a backfill goes on in another execution
    /// the sooner.
    pub fn with_events_max(events: u64) -> TicketSyncWorkflow {
        let compiled = |definition: WorkflowDefinition| match definition.events_max(events).compile() {
            Ok(compiled) => compiled,
            Err(mistakes) => panic!("{mistakes:?}"),
        };
        TicketSyncWorkflow {
            backfill: compiled(backfill()),
            live: compiled(live()),
            poll: compiled(poll()),
            sweep: compiled(sweep()),
        }
    }

    /// All of them, in the order in which a new installation needs them.
    pub fn definitions(&self) -> [&CompiledWorkflow; 4] {
        [&self.backfill, &self.live, &self.poll, &self.sweep]
    }

    /// Mirrors every ticket once.
    pub fn backfill(&self) -> &CompiledWorkflow {
        &self.backfill
    }

    /// Serves what changed.
    pub fn live(&self) -> &CompiledWorkflow {
        &self.live
    }

    /// Finds changes that no webhook told, and finishes what was left open.
    pub fn poll(&self) -> &CompiledWorkflow {
        &self.poll
    }

    /// Compares all linked pairs.
    pub fn sweep(&self) -> &CompiledWorkflow {
        &self.sweep
    }
}

/// Page after page until the export ends; waits while a budget is empty.
pub fn backfill() -> WorkflowDefinition {
    let page = BACKFILL_PAGE
        .call()
        .with("generation", input("generation"))
        .with("round", counter("Pages"))
        .timeout_s(300)
        .retry(TRANSIENT, 8, 2, 120)
        .retry(TIMEOUT, 3, 5, 60)
        .retry(BUDGET_EMPTY, 40, 30, 300)
        .retry(PAUSED, 1_000, 60, 600);
    let finish = FINISH_BACKFILL
        .call()
        .with("generation", input("generation"))
        .timeout_s(60)
        .retry(TRANSIENT, 8, 2, 120)
        .retry(TIMEOUT, 3, 5, 60);
    let done = || is_true(result("BackfillPage", "done"));
    WorkflowDefinition::new::<BackfillInput>("ticket-sync-backfill", Kind::Standard)
        .comment("Mirrors every ticket of the export into ClickUp, page by page.")
        .lane("backfill")
        .body(
            Block::new()
                .repeat(
                    "Pages",
                    Block::new().step(page),
                    done(),
                    Some(result("BackfillPage", "wait_s")),
                    // Nobody knows how many pages there are: the compiler lets the loop go on in another execution.
                    WITHOUT_BOUND,
                )
                .choose("IsComplete", done(), Block::new().step(finish), Block::new()),
        )
        .returns("done", result("BackfillPage", "done"))
}

/// Claims due rows and serves them in batches, many at once. Short, because it runs for every burst of edits.
pub fn live() -> WorkflowDefinition {
    let claim = CLAIM_WORK
        .call()
        .with("lane", input("lane"))
        .with("limit", input("limit"))
        .with("record", input("record"))
        .timeout_s(15)
        .retry(TRANSIENT, 3, 1, 5);
    // What a lost batch had claimed comes back by itself when the claims' visibility ends.
    let sync = SYNC_RECORDS.call().with("claims", item()).timeout_s(90).retry(TRANSIENT, 2, 2, 10).fallback(
        "BatchLeft",
        &[ALL],
        json!({"synced": 0, "written": 0, "requeued": 0, "quarantined": 0}),
    );
    WorkflowDefinition::new::<LiveInput>("ticket-sync-live", Kind::Express)
        .comment("Brings the records of due work rows in step.")
        .lane("live")
        .body(Block::new().step(claim).choose(
            "HasWork",
            above(count(result("ClaimWork", "batches")), 0),
            Block::new().for_each(
                "EachBatch",
                result("ClaimWork", "batches"),
                10,
                Block::new().step(sync),
                None,
            ),
            Block::new(),
        ))
        .returns("claimed", result("ClaimWork", "claimed"))
        .returns("more", result("ClaimWork", "more"))
}

/// Asks both services what changed, all three streams at once, then finishes what earlier runs left open. A
/// stream that fails stops none of the others: its cursor stays, and the next run asks again. It runs every minute, so
/// it is short and never tries for long: the next one does.
pub fn poll() -> WorkflowDefinition {
    let nothing = json!({"hinted": 0, "caught_up": false});
    let poll = |call: asl::workflow::Call, left: &str| {
        call.timeout_s(100).retry(TRANSIENT, 2, 2, 10).fallback(left, &[ALL], nothing.clone())
    };
    let settle = SETTLE_EFFECTS.call().timeout_s(100).retry(TRANSIENT, 2, 2, 10).fallback(
        "SettleEffectsLeft",
        &[BUDGET_EMPTY, PAUSED],
        json!({"settled": 0, "left": 0}),
    );
    WorkflowDefinition::new::<PollInput>("ticket-sync-poll", Kind::Express)
        .comment("Finds changes that no webhook told, and finishes what was left open.")
        .lane("reconcile")
        .body(
            Block::new()
                .step(poll(POLL_TICKETS.call(), "PollTicketsLeft"))
                .step(poll(POLL_COMMENTS.call(), "PollCommentsLeft"))
                .step(poll(POLL_TASKS.call(), "PollTasksLeft"))
                .step(settle)
                .after(&["PollTickets", "PollComments", "PollTasks"]),
        )
        .returns("settled", result("SettleEffects", "settled"))
        .returns("left", result("SettleEffects", "left"))
}

/// Compares every linked pair with both services, however long the budgets make it take. Where a segment stands is in
/// the store, so that a retry goes on there.
pub fn sweep() -> WorkflowDefinition {
    let compare = COMPARE_LINKS
        .call()
        .with("segment", item())
        .timeout_s(300)
        .retry(TRANSIENT, 8, 2, 120)
        .retry(TIMEOUT, 3, 5, 60)
        .retry(BUDGET_EMPTY, 2_000, 30, 120)
        .retry(PAUSED, 1_000, 60, 600);
    WorkflowDefinition::new::<SweepInput>("ticket-sync-sweep", Kind::Standard)
        .comment("Compares all linked pairs and finds what no webhook and no cursor told.")
        .lane("reconcile")
        .body(Block::new().for_each_apart(
            "EachSegment",
            input("segments"),
            SEGMENTS_AT_ONCE,
            SEGMENTS_TOLERATED_PERCENT,
            Block::new().step(compare),
        ))
}
