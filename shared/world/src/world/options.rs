//! What a world is like: how much of everything, which limits, what goes wrong.

use std::path::PathBuf;

use simulators::clickup::Plan;

/// The plan limits of the simulated accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanLimits {
    /// Requests a minute of the Zendesk plan.
    pub zendesk_per_min: u32,
    /// Ticket updates a minute of the Zendesk account.
    pub zendesk_updates_per_min: u32,
    /// Requests to exports a minute.
    pub zendesk_exports_per_min: u32,
    /// Comments a ticket can have.
    pub zendesk_comments_max: u32,
    /// How long an upload to Zendesk waits for its comment.
    pub zendesk_upload_token_ms: i64,
    /// How long Zendesk remembers a job that is done.
    pub zendesk_job_kept_ms: i64,
    /// The ClickUp plan.
    pub clickup: Plan,
    /// Another limit than the plan's, in requests a minute.
    pub clickup_per_min: Option<u32>,
    /// Tasks a list can hold.
    pub clickup_list_tasks_max: usize,
}

impl PlanLimits {
    /// What ClickUp allows in a minute.
    pub fn clickup_requests_per_min(&self) -> u32 {
        self.clickup_per_min.unwrap_or_else(|| self.clickup.requests_per_minute())
    }
}

impl Default for PlanLimits {
    /// Suite Enterprise and Business.
    fn default() -> Self {
        Self {
            zendesk_per_min: 700,
            zendesk_updates_per_min: 100,
            zendesk_exports_per_min: 10,
            zendesk_comments_max: 5_000,
            zendesk_upload_token_ms: 60 * 60 * 1_000,
            zendesk_job_kept_ms: 24 * 60 * 60 * 1_000,
            clickup: Plan::Business,
            clickup_per_min: None,
            clickup_list_tasks_max: 50_000,
        }
    }
}

/// What goes wrong. Probabilities from 0 to 1, all drawn from the seed and the incarnation.
#[derive(Clone, Debug, PartialEq)]
pub struct WorldFaults {
    /// A request of deskup never arrives, and deskup cannot know.
    pub lose_request: f64,
    /// A request is carried out and its answer is lost.
    pub lose_reply: f64,
    /// A request takes several seconds.
    pub slow: f64,
    /// An answer is a 5xx before anything happened.
    pub server_error: f64,
    /// An answer is a 429 although there is room.
    pub too_many: f64,
    /// A webhook is never delivered.
    pub webhook_drop: f64,
    /// A webhook is delivered twice.
    pub webhook_duplicate: f64,
    /// Least and most time between a change and its webhook: a wide range turns the order around.
    pub webhook_delay_ms: (u64, u64),
    /// Least and most time until a new task shows in filtered lists.
    pub visibility_delay_ms: (u64, u64),
}

impl Default for WorldFaults {
    fn default() -> Self {
        Self {
            lose_request: 0.0,
            lose_reply: 0.0,
            slow: 0.0,
            server_error: 0.0,
            too_many: 0.0,
            webhook_drop: 0.0,
            webhook_duplicate: 0.0,
            webhook_delay_ms: (900, 1_500),
            visibility_delay_ms: (0, 3_000),
        }
    }
}

impl WorldFaults {
    /// A bad day: a little of everything that webhooks survive.
    pub fn rough() -> Self {
        Self {
            lose_request: 0.01,
            lose_reply: 0.02,
            slow: 0.02,
            server_error: 0.02,
            too_many: 0.01,
            webhook_duplicate: 0.1,
            webhook_delay_ms: (200, 8_000),
            ..Self::default()
        }
    }
}

/// How to make a world.
#[derive(Clone, Debug, PartialEq)]
pub struct WorldOptions {
    /// Tickets in Zendesk at the start.
    pub tickets: usize,
    /// Edits of the simulated people.
    pub edits: usize,
    /// The seed of everything.
    pub seed: u64,
    /// Ticket texts instead of those that ship.
    pub csv: Option<PathBuf>,
    /// Where the simulated services and the world's own log live; `None` keeps them in memory.
    pub dir: Option<PathBuf>,
    /// Whether the mapping lets internal notes into ClickUp.
    pub internal_notes: bool,
    /// Plan limits.
    pub limits: PlanLimits,
    /// No rate limits at all.
    pub unlimited: bool,
    /// Least and most time a request takes, both ways together.
    pub latency_ms: (u64, u64),
    /// What goes wrong.
    pub faults: WorldFaults,
    /// Pieces of mischief besides the edits.
    pub mischief: usize,
    /// Records that people delete, restore, merge, close, archive and bring back.
    pub upheavals: usize,
    /// Average time between two edits.
    pub spacing_ms: i64,
    /// The share of edits that coincide with another on the other side.
    pub coinciding: f64,
    /// The share of edits that another of the same field follows soon, on either side.
    pub chased: f64,
    /// People begin only when every ticket has its task, and not while some are still looked for: then they
    /// find the same whatever happened to deskup before.
    pub edits_once_linked: bool,
    /// Where deskup keeps its state, for the report.
    pub state_file: Option<PathBuf>,
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self {
            tickets: 100,
            edits: 60,
            seed: 1,
            csv: None,
            dir: None,
            internal_notes: false,
            limits: PlanLimits::default(),
            unlimited: false,
            latency_ms: (40, 160),
            faults: WorldFaults::default(),
            mischief: 0,
            upheavals: 0,
            spacing_ms: 6_000,
            coinciding: 0.08,
            chased: 0.0,
            edits_once_linked: false,
            state_file: None,
        }
    }
}
