//! What every step needs, built once per process: the store, both clients, the mapping and the managers.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use clients::{ClickUp, Clock, Lane, Scope, Zendesk};
use domain::{Mapping, Side, TicketId, UserId};
use orchestration::{CheckpointManager, ExecutionContext, RecoveryManager, ResourceManager, TaskScheduler};
use stores::Store;

use crate::access::Access;
use crate::dispatcher::POLL_EVERY_MS;
use crate::halt::Halt;
use crate::hooks::Hooks;
use crate::plan::gate::Gate;
use crate::steps::poll_tasks::Agreed;
use crate::sync::misfit::Lists;
use crate::sync::pilot::Pilot;
use crate::sync::probe::Scans;
use crate::sync::recognised::Known;

/// What this process did so far, for whoever watches it.
#[derive(Debug, Default)]
pub struct Activity {
    /// Deliveries of Zendesk that were genuine.
    pub zendesk: AtomicU64,
    /// Deliveries of ClickUp that were genuine.
    pub clickup: AtomicU64,
    /// When the last one of Zendesk came, in unix milliseconds; 0 for none.
    pub zendesk_ms: AtomicI64,
    /// When the last one of ClickUp came.
    pub clickup_ms: AtomicI64,
    /// When Zendesk was last asked what changed, with an answer; before that, the start.
    pub zendesk_polled_ms: AtomicI64,
    /// When ClickUp was.
    pub clickup_polled_ms: AtomicI64,
    /// Deliveries that told of a record nobody was going to look at.
    pub woken: AtomicU64,
    /// Deliveries with a wrong signature.
    pub refused: AtomicU64,
    /// Records brought in step.
    pub synced: AtomicU64,
    /// Calls that changed something.
    pub written: AtomicU64,
    /// Records sent back for later.
    pub requeued: AtomicU64,
    /// Records set aside.
    pub quarantined: AtomicU64,
}

impl Activity {
    /// Of a process that begins now.
    pub fn begin(now_ms: i64) -> Self {
        Self {
            zendesk_polled_ms: AtomicI64::new(now_ms),
            clickup_polled_ms: AtomicI64::new(now_ms),
            ..Self::default()
        }
    }

    /// Notes that a side said what changed there.
    pub fn polled(&self, side: Side, now_ms: i64) {
        match side {
            Side::Zendesk => self.zendesk_polled_ms.store(now_ms, Ordering::Relaxed),
            Side::Clickup => self.clickup_polled_ms.store(now_ms, Ordering::Relaxed),
        }
    }

    /// Notes a genuine delivery.
    pub fn delivered(&self, side: Side, now_ms: i64) {
        let (count, last) = match side {
            Side::Zendesk => (&self.zendesk, &self.zendesk_ms),
            Side::Clickup => (&self.clickup, &self.clickup_ms),
        };
        count.fetch_add(1, Ordering::Relaxed);
        last.store(now_ms, Ordering::Relaxed);
    }
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
    /// How long an own write may wait for its confirming webhook; 0 where no webhooks come.
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
    /// How often the polls run.
    pub poll_every_ms: i64,
    /// How long nobody looks for due rows that others left.
    pub nap_ms: i64,
    /// Whether nothing live runs beside this, so that nothing of the budgets is kept back for it.
    pub alone: bool,
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
            poll_every_ms: POLL_EVERY_MS,
            nap_ms: 5_000,
            alone: false,
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
    /// What runs next.
    pub scheduler: TaskScheduler,
    /// Cursors and page checkpoints.
    pub checkpoints: Arc<CheckpointManager>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where deliveries come in, and what signs them.
    pub hooks: Hooks,
    /// Whether both accounts let us in.
    pub access: Access,
    /// What this process did so far.
    pub activity: Activity,
    /// Tasks made or found by this process, for its progress.
    pub created: AtomicU64,
    /// The newest scan for tasks whose create had no reply.
    pub scans: Scans,
    /// What polls need not look at again.
    pub agreed: Agreed,
    /// Lists that refused a task, as they were then.
    pub lists: Lists,
    /// Who takes part in a pilot.
    pub pilot: Pilot,
    /// Pairs that people made.
    pub recognised: Known,
    /// The confirmed plan that is carried out, if there is one.
    pub gate: OnceLock<Gate>,
    /// Calls of this process that changed something.
    pub writes: AtomicU64,
    /// Whether a person wants it to stop.
    pub halt: Halt,
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
