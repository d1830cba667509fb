//! What one simulated account is like.

use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::SimClock;
use crate::faults::Faults;
use crate::outbound::Outbound;

/// How to open a simulated account. `ZendeskOptions::new` gives the documented defaults.
#[derive(Clone)]
pub struct ZendeskOptions {
    /// The account's time.
    pub clock: SimClock,
    /// Where the contents live; `None` keeps them in memory only.
    pub journal: Option<PathBuf>,
    /// Who receives the webhooks; may be handed in later with `ZendeskSim::deliver_through`.
    pub outbound: Option<Arc<dyn Outbound>>,
    /// Misbehaviour.
    pub faults: Faults,
    /// The user whose requests `ZendeskSim::calls` counts.
    pub sync_user: i64,
    /// Requests per minute of the account's plan.
    pub requests_per_min: u32,
    /// Ticket updates per minute of the account: 100, 300 with the add-on, 20 on sandboxes.
    pub updates_per_min: u32,
    /// The sync's part of them in percent, for the count of what it overdraws.
    pub updates_percent: u32,
    /// Updates of one ticket by one user in ten minutes.
    pub updates_per_ticket: u32,
    /// Requests to all incremental exports together per minute.
    pub incremental_per_min: u32,
    /// Switches every limit off, for benchmarks; headers then tell of a million.
    pub unlimited: bool,
    /// How many comments a ticket takes.
    pub comments_max: u32,
    /// How long an upload waits for its comment.
    pub upload_token_ms: i64,
    /// How long the account remembers a job that is done.
    pub job_kept_ms: i64,
    /// The base of links inside answers. It names another host than the one called, as recorded.
    pub link_base: String,
    /// The base of attachments' content: another host again.
    pub content_base: String,
    /// The account's number in webhooks and job results.
    pub account_id: u64,
}

impl ZendeskOptions {
    /// A Suite Enterprise account in memory on this clock.
    pub fn new(clock: SimClock) -> Self {
        Self {
            clock,
            journal: None,
            outbound: None,
            faults: Faults::default(),
            sync_user: 0,
            requests_per_min: 700,
            updates_per_min: 100,
            updates_percent: 100,
            updates_per_ticket: 30,
            incremental_per_min: 10,
            unlimited: false,
            comments_max: 5_000,
            upload_token_ms: 60 * 60 * 1_000,
            job_kept_ms: 24 * 60 * 60 * 1_000,
            link_base: "https://z3n-simulated.zendesk.example".to_owned(),
            content_base: "https://files.zdusercontent.example".to_owned(),
            account_id: 18_525_119,
        }
    }
}
