//! What each step takes and gives, declared once. Steps carry ids and pointers, never the text of a ticket: the
//! service keeps inputs and outputs for months.

use asl::Step;
use asl::names::{BUDGET_EMPTY, PAUSED, TRANSIENT};

/// The names of all steps, in the order in which a person meets them. The functions crate, the template and the
/// compiled definitions must agree with this list; tests compare them.
pub const STEP_NAMES: [&str; 9] = [
    BACKFILL_PAGE.name(),
    FINISH_BACKFILL.name(),
    CLAIM_WORK.name(),
    SYNC_RECORDS.name(),
    POLL_TICKETS.name(),
    POLL_COMMENTS.name(),
    POLL_TASKS.name(),
    SETTLE_EFFECTS.name(),
    COMPARE_LINKS.name(),
];

/// The claims of one call, at most: 40 rows (`functions/src/dispatcher.rs`), each a key and a token, with room to spare.
const CLAIMS_BYTES_MAX: u64 = 64 * 1_024;

/// Mirrors one page of the ticket export.
pub const BACKFILL_PAGE: Step<BackfillPageInput, BackfillPageOutput> =
    Step::new("BackfillPage").fails(&[TRANSIENT, BUDGET_EMPTY, PAUSED]);
/// Marks a generation of the backfill as complete.
pub const FINISH_BACKFILL: Step<FinishBackfillInput, FinishBackfillOutput> =
    Step::new("FinishBackfill").fails(&[TRANSIENT]);
/// Takes due rows from the work queue.
pub const CLAIM_WORK: Step<ClaimWorkInput, ClaimWorkOutput> =
    Step::new("ClaimWork").fails(&[TRANSIENT]).bytes_max(CLAIMS_BYTES_MAX);
/// Brings the records of one batch of claims in step.
pub const SYNC_RECORDS: Step<SyncRecordsInput, SyncRecordsOutput> =
    Step::new("SyncRecords").fails(&[TRANSIENT, BUDGET_EMPTY, PAUSED]);
/// Hints tickets that changed since the export's cursor.
pub const POLL_TICKETS: Step<PollTicketsInput, PollOutput> =
    Step::new("PollTickets").fails(&[TRANSIENT, BUDGET_EMPTY, PAUSED]);
/// Hints tickets whose comments changed since the event cursor.
pub const POLL_COMMENTS: Step<PollCommentsInput, PollOutput> =
    Step::new("PollComments").fails(&[TRANSIENT, BUDGET_EMPTY, PAUSED]);
/// Hints tasks that changed since the watermark.
pub const POLL_TASKS: Step<PollTasksInput, PollOutput> =
    Step::new("PollTasks").fails(&[TRANSIENT, BUDGET_EMPTY, PAUSED]);
/// Finishes effects of unknown outcome, probes and unconfirmed writes.
pub const SETTLE_EFFECTS: Step<SettleEffectsInput, SettleEffectsOutput> =
    Step::new("SettleEffects").fails(&[TRANSIENT, BUDGET_EMPTY, PAUSED]);
/// Compares the linked records of one segment with both services, and hints those that differ.
pub const COMPARE_LINKS: Step<CompareLinksInput, CompareLinksOutput> =
    Step::new("CompareLinks").fails(&[TRANSIENT, BUDGET_EMPTY, PAUSED]);

asl::records! {
    /// Input of `BackfillPage`.
    pub struct BackfillPageInput {
        /// Which backfill this is; a new one starts from the beginning.
        pub generation: u64,
        /// How many pages this execution has taken before.
        pub round: u64,
    }

    /// Output of `BackfillPage`.
    pub struct BackfillPageOutput {
        /// Whether the export has no more pages.
        pub done: bool,
        /// How long the budget is empty; 0 goes on at once.
        pub wait_s: u64,
        /// Tasks created by this page.
        pub created: u64,
        /// Tickets seen in this page.
        pub seen: u64,
    }

    /// Input of `FinishBackfill`.
    pub struct FinishBackfillInput {
        /// Which backfill is complete.
        pub generation: u64,
    }

    /// Output of `FinishBackfill`.
    pub struct FinishBackfillOutput {
        /// Links that exist at the end.
        pub linked: u64,
    }

    /// Input of `ClaimWork`.
    pub struct ClaimWorkInput {
        /// Which lane to serve.
        pub lane: String,
        /// How many rows at most.
        pub limit: u32,
        /// Only the row of this record, whenever it is due: a person asked for it.
        pub record: Option<String>,
    }

    /// One claimed row of the work queue.
    pub struct Claimed {
        /// The row's key.
        pub key: String,
        /// What proves the claim.
        pub token: String,
    }

    /// Output of `ClaimWork`.
    pub struct ClaimWorkOutput {
        /// The claims, in batches that one step can serve before its deadline.
        pub batches: Vec<Vec<Claimed>>,
        /// How many rows were claimed.
        pub claimed: u32,
        /// Whether more rows are due.
        pub more: bool,
    }

    /// Input of `SyncRecords`.
    pub struct SyncRecordsInput {
        /// The batch to serve.
        pub claims: Vec<Claimed>,
    }

    /// Output of `SyncRecords`.
    pub struct SyncRecordsOutput {
        /// Records that are in step now.
        pub synced: u32,
        /// Writes that were sent.
        pub written: u32,
        /// Records that went back to the queue.
        pub requeued: u32,
        /// Records that were set aside with a cause.
        pub quarantined: u32,
    }

    /// Input of `PollTickets`: everything it needs is in its cursor.
    #[derive(Default)]
    pub struct PollTicketsInput {}

    /// Input of `PollComments`: everything it needs is in its cursor.
    #[derive(Default)]
    pub struct PollCommentsInput {}

    /// Input of `PollTasks`: everything it needs is in its watermark.
    #[derive(Default)]
    pub struct PollTasksInput {}

    /// Output of the three polls.
    pub struct PollOutput {
        /// Work rows that were hinted.
        pub hinted: u32,
        /// Whether the cursor reached the present.
        pub caught_up: bool,
    }

    /// Input of `SettleEffects`: it looks for what is unfinished itself.
    #[derive(Default)]
    pub struct SettleEffectsInput {}

    /// Output of `SettleEffects`.
    pub struct SettleEffectsOutput {
        /// Effects whose outcome is known now.
        pub settled: u32,
        /// Effects still open.
        pub left: u32,
    }

    /// A part of all links. Which links it has is decided by the table; together the segments have all.
    pub struct Segment {
        /// Which sweep this is; a new one starts from the beginning.
        pub round: u64,
        /// Which part, from 0.
        pub segment: u32,
        /// How many parts there are.
        pub of: u32,
    }

    /// Input of `CompareLinks`.
    pub struct CompareLinksInput {
        /// The part to compare.
        pub segment: Segment,
    }

    /// Output of `CompareLinks`.
    pub struct CompareLinksOutput {
        /// Links that were compared by this call.
        pub compared: u32,
        /// Those that differ and will be brought in step.
        pub hinted: u32,
    }
}
