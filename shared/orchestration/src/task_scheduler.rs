//! What runs next: which lanes are worth an execution, and which of the due records it takes.
//!
//! There is one work row per record, so a burst of events is one unit of work. A lane with little to do is served as it
//! comes. Where more is due than one execution takes, groups and lists share it, and in each the record with the
//! earliest deadline goes first: that of a service level where Zendesk told of one, otherwise the lane's bound after it was due.

mod pick;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use clients::Lane;
use stores::work::{Claim, Due, View};
use stores::{Store, StoreError, WorkKey};

use crate::recovery_manager::{Halt, RecoveryManager};
use crate::resource_manager::{ResourceManager, Room};

/// What to do about a lane at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Start an execution that takes so many records at most.
    Start(u32),
    /// Nothing before then, ms.
    At(i64),
    /// Something is due, and a person or the brake holds the lane.
    Paused,
    /// Nothing is noted.
    Nothing,
}

/// Rows that an execution took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
    /// In the order in which they are to be served.
    pub claims: Vec<Claim>,
    /// Whether more is due.
    pub more: bool,
}

/// Orders the work queue. Any number of processes may ask at the same time: the claim of a row decides.
#[derive(Debug)]
pub struct TaskScheduler {
    store: Store,
    recovery: Arc<RecoveryManager>,
    resources: Arc<ResourceManager>,
}

impl TaskScheduler {
    /// Lanes whose rows somebody waits for; the dispatcher looks at them all the time.
    pub const SERVED: [Lane; 3] = [Lane::Urgent, Lane::Live, Lane::Reconcile];
    /// Most records that one execution takes.
    pub const RECORDS_MAX: u32 = 40;

    /// A scheduler over this store.
    pub fn new(store: Store, recovery: Arc<RecoveryManager>, resources: Arc<ResourceManager>) -> Self {
        Self { store, recovery, resources }
    }

    /// What to do about a lane: a paused one, or one without budget, would only find that it has to wait.
    pub async fn next(&self, lane: Lane) -> Result<Next, StoreError> {
        let now_ms = self.store.now_ms();
        let Some(due_ms) = self.store.work().next_due_ms(lane).await? else { return Ok(Next::Nothing) };
        if due_ms > now_ms {
            return Ok(Next::At(due_ms));
        }
        match self.recovery.check(lane).await {
            Ok(()) => {}
            Err(Halt::Paused(_)) => return Ok(Next::Paused),
            Err(Halt::Store(error)) => return Err(error),
        }
        // Who takes all that its lane is left, as a backfill does, must not keep a row waiting for ever.
        let is_overdue = now_ms - due_ms >= lane.bound_ms() / 2;
        Ok(match self.resources.room(if is_overdue { Lane::Urgent } else { lane }).await? {
            Room::Until(until_ms) => Next::At(until_ms.max(now_ms + 1)),
            Room::Calls(calls) => Next::Start((calls / CALLS).clamp(1, Self::RECORDS_MAX)),
        })
    }

    /// Takes up to `limit` due records of a lane for `visibility_ms`.
    pub async fn claim(&self, lane: Lane, limit: usize, visibility_ms: i64) -> Result<Claimed, StoreError> {
        let view = self.view(lane, limit).await?;
        let more = view.cut || view.rows.len() > limit;
        let rows = match more {
            true => {
                let deadlines = self.deadlines(&view).await?;
                pick::pick(view.rows, limit, lane.bound_ms(), &deadlines)
            }
            false => view.rows,
        };
        let mut claims = Vec::new();
        for row in &rows {
            claims.extend(self.store.work().claim(row, visibility_ms).await?);
        }
        Ok(Claimed { claims, more })
    }

    /// Looks at more than it takes, and much further where one queue fills all that it sees.
    async fn view(&self, lane: Lane, limit: usize) -> Result<View, StoreError> {
        let view = self.store.work().due(lane, VIEW.max(limit + 1)).await?;
        let mut sizes: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        for row in &view.rows {
            *sizes.entry(row.queue()).or_default() += 1;
        }
        let crowded = sizes.values().any(|size| size * 2 > view.rows.len());
        if view.cut && crowded {
            return self.store.work().due(lane, VIEW_FAR).await;
        }
        Ok(view)
    }

    /// Service levels that end soon, for records that are due.
    async fn deadlines(&self, view: &View) -> Result<BTreeMap<WorkKey, i64>, StoreError> {
        let slas = self.store.slas().until(self.store.now_ms() + SOON_MS, SLAS_MAX).await?;
        let due: BTreeSet<&WorkKey> = view.rows.iter().map(|row| &row.key).collect();
        let mut deadlines = BTreeMap::new();
        for sla in slas {
            let task = sla.task.map(WorkKey::Task);
            for key in [Some(WorkKey::Ticket(sla.ticket)), task].into_iter().flatten() {
                if due.contains(&key) {
                    deadlines.insert(key, sla.breach_ms);
                }
            }
        }
        Ok(deadlines)
    }

    /// Takes the row of one record, whenever it is due; `None` where there is none or somebody was faster.
    pub async fn claim_one(&self, record: &WorkKey, visibility_ms: i64) -> Result<Option<Claim>, StoreError> {
        let row: Option<Due> = self.store.work().due_of(record).await?;
        match row {
            Some(row) => self.store.work().claim(&row, visibility_ms).await,
            None => Ok(None),
        }
    }
}

/// Calls of one service that a record takes, as a rule: two to read and one to write.
const CALLS: u32 = 3;
/// Due rows of each shard that are looked at.
const VIEW: usize = 400;
/// As above where one queue fills the view: what is due behind these waits until they are served.
const VIEW_FAR: usize = 5_000;
/// Service levels that end within this time count.
const SOON_MS: i64 = 4 * 3_600_000;
/// So many of them, the first to end first.
const SLAS_MAX: usize = 200;
