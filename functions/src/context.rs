//! What every step needs, built once per process: the store, both clients, the mapping and the managers.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, RwLock};

use clients::{ClickUp, Clock, Lane, Scope, Secret, Zendesk};
use domain::{Mapping, Side, TicketId, UserId};
use orchestration::{CheckpointManager, ExecutionContext, RecoveryManager, ResourceManager};
use stores::Store;

use crate::sync::pilot::Pilot;
use crate::sync::probe::Scans;

/// Signing secrets of the webhooks, the previous one while a rotation is under way.
#[derive(Clone, Debug, Default)]
pub struct WebhookSecrets {
    /// Zendesk's, newest first.
    pub zendesk: Vec<Secret>,
    /// ClickUp's, newest first.
    pub clickup: Vec<Secret>,
}

/// Numbers that a deployment may change.
#[derive(Clone, Debug)]
pub struct Options {
    /// Names this process among those that ran before it on the same store; it is part of every nonce.
    pub incarnation: u64,
    /// How long a new task may be missing from ClickUp's filtered lists.
    pub visibility_delay_ms: i64,
    /// How long the first hint of a record waits for the rest of a burst.
    pub debounce_ms: i64,
    /// How long an own write may wait for its confirming webhook.
    pub confirm_within_ms: i64,
    /// Tickets per page of the export.
    pub page_size: u32,
    /// Creates in flight at once in a backfill.
    pub in_flight: usize,
    /// Only tickets that moved since then are taken, in unix seconds.
    pub since_s: i64,
    /// Where people open a ticket, without the number.
    pub ticket_url: String,
    /// Tasks whose comments one sweep reads again.
    pub sweep_tasks: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            incarnation: 1,
            visibility_delay_ms: 60_000,
            debounce_ms: 2_000,
            confirm_within_ms: 15 * 60_000,
            page_size: 1_000,
            in_flight: 50,
            since_s: 0,
            ticket_url: String::new(),
            sweep_tasks: 10,
        }
    }
}

/// Everything a step reaches the world through.
pub struct Context {
    /// Links, work rows, effects, cursors.
    pub store: Store,
    /// Zendesk; give it a lane and a deadline with [`Context::zendesk`].
    pub zendesk: Zendesk,
    /// ClickUp; give it a lane and a deadline with [`Context::clickup`].
    pub clickup: ClickUp,
    /// Which fields go where.
    pub mapping: Arc<Mapping>,
    /// Budgets and leases.
    pub resources: Arc<ResourceManager>,
    /// Retry, quarantine and the brake.
    pub recovery: Arc<RecoveryManager>,
    /// Cursors and page checkpoints.
    pub checkpoints: Arc<CheckpointManager>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Signing secrets; they change while the process runs.
    pub secrets: Arc<RwLock<WebhookSecrets>>,
    /// Tasks made or found by this process, for its progress.
    pub created: AtomicU64,
    /// The newest scan for tasks whose create had no reply.
    pub scans: Scans,
    /// Who takes part in a pilot.
    pub pilot: Pilot,
    /// Numbers that a deployment may change.
    pub options: Options,
}

impl Context {
    /// Zendesk in the lane and under the deadline of a run.
    pub fn zendesk(&self, run: &ExecutionContext) -> Zendesk {
        self.zendesk.scoped(Scope { lane: run.lane, deadline_ms: run.deadline_ms })
    }

    /// ClickUp in the lane and under the deadline of a run.
    pub fn clickup(&self, run: &ExecutionContext) -> ClickUp {
        self.clickup.scoped(Scope { lane: run.lane, deadline_ms: run.deadline_ms })
    }

    /// Now, in unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// deskup's own user on Zendesk.
    pub fn zendesk_me(&self) -> UserId {
        self.mapping.me(Side::Zendesk)
    }

    /// deskup's own user on ClickUp.
    pub fn clickup_me(&self) -> UserId {
        self.mapping.me(Side::Clickup)
    }

    /// Only tickets that moved since then are taken, in unix seconds: what the settings and the deployment
    /// say, whichever is later.
    pub fn since_s(&self) -> i64 {
        let scope = self.mapping.settings().scope.since_ms.map_or(0, |ms| ms / 1_000);
        scope.max(self.options.since_s)
    }

    /// The page of a ticket for people.
    pub fn ticket_url(&self, ticket: TicketId) -> String {
        format!("{}{ticket}", self.options.ticket_url)
    }

    /// A fresh nonce; the incarnation makes it new even when a seed repeats.
    pub fn nonce(&self, run: &ExecutionContext) -> String {
        format!("{}{}", self.nonce_prefix(), run.random.nonce())
    }

    /// What all nonces of this process begin with.
    pub fn nonce_prefix(&self) -> String {
        format!("{:x}-", self.options.incarnation)
    }

    /// Fails while a person or the brake holds this lane.
    pub async fn check_paused(&self, lane: Lane) -> Result<(), crate::SyncError> {
        self.recovery.check(lane).await.map_err(crate::SyncError::from)
    }
}
