//! Keeps tickets and tasks in step. Three definitions: `backfill` mirrors all tickets once, `live` serves what
//! changed, `poll` finds changes that no webhook told and finishes what was left open.

use asl::expression::{above, count, counter, input, is_true, item, result};
use asl::names::{ALL, BUDGET_EMPTY, PAUSED, TIMEOUT, TRANSIENT};
use asl::{Block, CompiledWorkflow, Kind, WorkflowDefinition};
use serde_json::json;

use crate::steps::{
    BACKFILL_PAGE, CLAIM_WORK, FINISH_BACKFILL, POLL_COMMENTS, POLL_TASKS, POLL_TICKETS, SETTLE_EFFECTS,
    SYNC_RECORDS,
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
}

/// Pages of one backfill execution. Each takes at most nine events of history and the service keeps 25,000; whoever
/// starts a backfill starts it again when it ends with `done: false`.
const PAGES_MAX: u64 = 2_000;

/// The three definitions of ticket sync, compiled.
#[derive(Clone, Debug)]
pub struct TicketSyncWorkflow {
    backfill: CompiledWorkflow,
    live: CompiledWorkflow,
    poll: CompiledWorkflow,
}

impl Default for TicketSyncWorkflow {
    fn default() -> TicketSyncWorkflow {
        TicketSyncWorkflow::new()
    }
}

impl TicketSyncWorkflow {
    /// Compiles the definitions below. A test compiles them too, so a mistake in them is never met by a user.
    pub fn new() -> TicketSyncWorkflow {
        let compiled = |definition: WorkflowDefinition| match definition.compile() {
            Ok(compiled) => compiled,
            Err(mistakes) => panic!("{}: {mistakes:?}", definition.name()),
        };
        TicketSyncWorkflow { backfill: compiled(backfill()), live: compiled(live()), poll: compiled(poll()) }
    }

    /// All three, in the order in which a new installation needs them.
    pub fn definitions(&self) -> [&CompiledWorkflow; 3] {
        [&self.backfill, &self.live, &self.poll]
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
                    PAGES_MAX,
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
/// stream that fails stops none of the others: its cursor stays, and the next run asks again.
pub fn poll() -> WorkflowDefinition {
    let nothing = json!({"hinted": 0, "caught_up": false});
    let poll = |call: asl::workflow::Call, left: &str| {
        call.timeout_s(120).retry(TRANSIENT, 4, 2, 60).fallback(left, &[ALL], nothing.clone())
    };
    let settle =
        SETTLE_EFFECTS.call().timeout_s(300).retry(TRANSIENT, 4, 2, 60).retry(BUDGET_EMPTY, 5, 30, 300);
    WorkflowDefinition::new::<PollInput>("ticket-sync-poll", Kind::Standard)
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
