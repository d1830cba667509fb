//! Who may touch what, and how fast: the budgets of both APIs, and leases on tickets.
//!
//! A budget is booked in blocks, so that many calls share one write; a block dies with its window. What is left is the
//! lesser of our book and of what the service's headers say. Callers that wait are served by lane, then in the order they
//! came; who waited for half the bound of its lane goes before all others. The book itself is in the store, so that
//! several processes share a limit.

mod booking;
mod bucket;
mod order;
mod pauses;
mod queue;
mod reserve;
mod room;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clients::{Api, Bucket, BudgetEmpty, Clock, LimitSeen, Need, Pacer};
use domain::TicketId;
use futures::future::BoxFuture;
use stores::budgets::WindowKey;
use stores::leases::Lease;
use stores::{Store, StoreError};
use tokio::sync::Notify;

use bucket::{BucketState, Taken};
use pauses::Pauses;
use queue::{Place, Queue};
pub use room::Room;

/// How budgets are shared out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetSettings {
    /// Our part of Zendesk's limit on ticket updates, which people in the browser use too.
    pub ticket_update_share_percent: u32,
    /// The backfill leaves this much of a window to the others.
    pub backfill_reserve_percent: u32,
    /// Reconciliation leaves this much to live work.
    pub reconcile_reserve_percent: u32,
    /// Reports leave this much to all others.
    pub report_reserve_percent: u32,
    /// Most requests that are booked at once.
    pub block_max: u32,
}

impl Default for BudgetSettings {
    fn default() -> Self {
        Self {
            ticket_update_share_percent: 50,
            backfill_reserve_percent: 20,
            report_reserve_percent: 30,
            reconcile_reserve_percent: 10,
            block_max: 32,
        }
    }
}

/// How much of a limit is used, for a status line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetUse {
    /// The service.
    pub api: Api,
    /// The limit's name.
    pub bucket: String,
    /// Calls let through in the current window.
    pub used: u32,
    /// Calls a window has for us.
    pub limit: u32,
    /// When the window ends, ms.
    pub reset_ms: i64,
}

/// Budgets and leases of one process.
pub struct ResourceManager {
    store: Store,
    clock: Arc<dyn Clock>,
    settings: BudgetSettings,
    state: Mutex<State>,
    /// Whoever would have to wait is sent away.
    ending: AtomicBool,
    /// One booking at a time, so that two callers do not book a block for the same need.
    booking: tokio::sync::Mutex<()>,
    changed: Notify,
    pauses: Pauses,
}

impl std::fmt::Debug for ResourceManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ResourceManager({:?})", self.store)
    }
}

#[derive(Default)]
struct State {
    buckets: BTreeMap<(Api, String), BucketState>,
    queue: Queue,
    /// Until when each bucket has nothing, as whoever waits for it was told.
    empty_until: BTreeMap<(Api, String), i64>,
}

/// Somebody waits for a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetWait {
    /// The service.
    pub api: Api,
    /// The limit's name.
    pub bucket: String,
    /// Until when, ms.
    pub until_ms: i64,
}

/// More buckets than this are pruned of those whose window is over (each ticket has one).
const BUCKETS_MAX: usize = 2_000;
/// How long to wait after the store failed.
const STORE_TROUBLE_MS: i64 = 1_000;

/// What a caller has to do next.
enum Next {
    Go,
    /// A block of this bucket is missing.
    Book(Bucket),
    /// Nothing before then.
    Wait(i64),
    /// Somebody is before us; a change is announced.
    Behind,
}

impl ResourceManager {
    /// A lease lasts this long.
    pub const LEASE_MS: i64 = 60_000;
    /// Less lease than a request's timeout and this is too little to send anything.
    pub const LEASE_MARGIN_MS: i64 = 10_000;

    /// Budgets and leases over this store.
    pub fn new(store: Store, clock: Arc<dyn Clock>, settings: BudgetSettings) -> Self {
        Self {
            store,
            clock,
            settings,
            state: Mutex::default(),
            ending: AtomicBool::new(false),
            booking: tokio::sync::Mutex::new(()),
            changed: Notify::new(),
            pauses: Pauses::default(),
        }
    }

    /// What is used of each limit in its current window, the per-ticket ones left out.
    pub fn used(&self) -> Vec<BudgetUse> {
        let now = self.clock.now_ms();
        let state = self.state();
        let shown = state.buckets.iter().filter(|((_, name), _)| !name.starts_with("ticket:"));
        shown.map(|((api, name), bucket)| bucket.report(*api, name, now)).collect()
    }

    /// What is waited for longest at present, for a status line.
    pub fn waiting(&self) -> Option<BudgetWait> {
        let now = self.clock.now_ms();
        let state = self.state();
        let waits = state.empty_until.iter().filter(|(key, until_ms)| {
            // Whoever waited may have gone away.
            **until_ms > now && state.queue.is_wanted(key)
        });
        let ((api, bucket), until_ms) = waits.max_by_key(|(_, until_ms)| **until_ms)?;
        Some(BudgetWait { api: *api, bucket: bucket.clone(), until_ms: *until_ms })
    }

    /// From now on nobody waits for a limit: who would have to is told that it is empty.
    pub fn wait_no_longer(&self) {
        self.ending.store(true, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    /// Takes the lease of a ticket; `None` while another holder has it. `holder` is unique to the attempt.
    pub async fn lease(&self, ticket: TicketId, holder: &str) -> Result<Option<Lease>, StoreError> {
        self.store.leases().acquire(ticket, holder, Self::LEASE_MS).await
    }

    /// Gives a lease back.
    pub async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.store.leases().release(lease).await
    }

    /// Whether enough lease is left to send a request that may take `timeout_ms`.
    pub fn may_send(&self, lease: &Lease, timeout_ms: i64) -> bool {
        self.clock.now_ms() < lease.until_ms - timeout_ms - Self::LEASE_MARGIN_MS
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code under this lock can leave it half-changed, so a panic elsewhere is no reason to stop.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn wait_for(&self, need: &Need) -> Result<(), BudgetEmpty> {
        let place = Place::new(&self.state, &self.changed, need.lane, self.clock.now_ms());
        loop {
            // Registered before looking, so that no announcement is missed.
            let changed = self.changed.notified();
            let next = self.look(need, &place);
            let until_ms = match next {
                Next::Go => return Ok(()),
                Next::Book(bucket) => match self.book(need.api, &bucket, place.turn()).await {
                    Ok(()) => continue,
                    Err(_) => self.clock.now_ms() + STORE_TROUBLE_MS,
                },
                Next::Wait(until_ms) => until_ms,
                Next::Behind => need.deadline_ms,
            };
            let now = self.clock.now_ms();
            // A wait that ends after the deadline is not begun, except for those who only stand in line.
            let ending = self.ending.load(Ordering::SeqCst);
            if ending || now >= need.deadline_ms || (until_ms >= need.deadline_ms && !place.is_behind()) {
                return Err(BudgetEmpty { until_ms: until_ms.max(now + 1) });
            }
            let sleep_ms = u64::try_from(until_ms.min(need.deadline_ms) - now).unwrap_or(0).max(1);
            // The far end of a deadline that nobody set would overflow tokio's timer.
            let sleep = tokio::time::sleep(Duration::from_millis(sleep_ms.min(86_400_000)));
            tokio::select! {
                biased;
                () = changed => {}
                () = sleep => {}
            }
        }
    }

    /// Takes one unit of every bucket, or says what is in the way.
    fn look(&self, need: &Need, place: &Place<'_>) -> Next {
        let now = self.clock.now_ms();
        let claim = place.turn().claim_at(now);
        let mut state = self.state();
        let State { buckets, queue, empty_until } = &mut *state;
        if buckets.len() > BUCKETS_MAX {
            buckets.retain(|_, bucket| !bucket.is_over(now));
            empty_until.retain(|_, until_ms| *until_ms > now);
        }
        for wanted in &need.buckets {
            let key = (need.api, wanted.name.clone());
            let bucket = buckets.entry(key.clone()).or_insert_with(|| self.open(need.api, wanted, now));
            bucket.roll(now);
            if queue.someone_before(&key, place.turn()) {
                queue.stand(&key, place.turn());
                place.set_behind(true);
                return Next::Behind;
            }
            let next = match bucket.look(claim, now) {
                Taken::Yes => continue,
                Taken::Book => Next::Book(wanted.clone()),
                Taken::Until(until_ms) => {
                    empty_until.insert(key.clone(), until_ms);
                    Next::Wait(until_ms)
                }
            };
            queue.stand(&key, place.turn());
            place.set_behind(false);
            return next;
        }
        for wanted in &need.buckets {
            if let Some(bucket) = buckets.get_mut(&(need.api, wanted.name.clone())) {
                bucket.take(claim, now);
            }
        }
        Next::Go
    }

    fn open(&self, api: Api, wanted: &Bucket, now: i64) -> BucketState {
        BucketState::new(
            wanted.window_ms,
            self.share(&wanted.name, wanted.default_limit),
            self.settings.block_max,
            // Every answer of a service tells of its account's limit.
            room::ACCOUNTS.contains(&(api, wanted.name.as_str())),
            now,
        )
    }

    /// Our part of a limit.
    fn share(&self, name: &str, limit: u32) -> u32 {
        if name == "tickets-update" {
            let part = u64::from(limit) * u64::from(self.settings.ticket_update_share_percent.min(100)) / 100;
            u32::try_from(part).unwrap_or(limit).max(1)
        } else {
            limit
        }
    }
}

impl Pacer for ResourceManager {
    fn acquire<'a>(&'a self, need: &'a Need) -> BoxFuture<'a, Result<(), BudgetEmpty>> {
        Box::pin(self.wait_for(need))
    }

    fn observe(&self, api: Api, seen: &[LimitSeen]) {
        let now = self.clock.now_ms();
        let mut state = self.state();
        for one in seen {
            // A limit nobody asked for so far has no known window; the first call will open it.
            if let Some(bucket) = state.buckets.get_mut(&(api, one.bucket.clone())) {
                bucket.roll(now);
                let limit = one.limit.map(|limit| self.share(&one.bucket, limit));
                bucket.observe(one, limit, now);
            }
        }
        drop(state);
        self.changed.notify_waiters();
    }

    fn limited<'a>(&'a self, api: Api, bucket: &'a str, until_ms: i64) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let now = self.clock.now_ms();
            let told = {
                let mut state = self.state();
                let known = state.buckets.get_mut(&(api, bucket.to_owned()));
                known.map(|bucket| {
                    bucket.roll(now);
                    bucket.limited(until_ms)
                })
            };
            if let Some((start_ms, edge_ms, limit)) = told {
                let window = WindowKey { api: api.name().to_owned(), bucket: bucket.to_owned(), start_ms };
                // This process knows already; the others learn it from their own 429 if the store fails.
                if let Err(error) = self.store.budgets().spent(&window, limit, edge_ms).await {
                    tracing::warn!(%error, bucket, "could not note that a window is spent");
                }
                if let Err(error) = self.pauses.refused(&self.store, api, bucket, until_ms).await {
                    tracing::warn!(%error, bucket, "could not note that a service refuses too much");
                }
            }
            self.changed.notify_waiters();
        })
    }
}
