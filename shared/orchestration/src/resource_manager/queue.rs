//! Who waits for which bucket: by lane, then in the order of arrival.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use clients::Api;
use tokio::sync::Notify;

use super::State;

/// Lane rank, then number of arrival.
pub(super) type Order = (u8, u64);
type BucketKey = (Api, String);

/// All who wait.
#[derive(Default)]
pub(super) struct Queue {
    next: u64,
    waiting: BTreeMap<BucketKey, BTreeSet<Order>>,
    stands: BTreeMap<Order, BucketKey>,
}

impl Queue {
    /// Waits for this bucket now, and for no other.
    pub(super) fn stand(&mut self, key: &BucketKey, order: Order) {
        if self.stands.get(&order) == Some(key) {
            return;
        }
        self.leave(order);
        self.waiting.entry(key.clone()).or_default().insert(order);
        self.stands.insert(order, key.clone());
    }

    fn leave(&mut self, order: Order) {
        if let Some(key) = self.stands.remove(&order)
            && let Some(line) = self.waiting.get_mut(&key)
        {
            line.remove(&order);
            if line.is_empty() {
                self.waiting.remove(&key);
            }
        }
    }

    /// Whether somebody with a better claim waits for this bucket.
    pub(super) fn someone_before(&self, key: &BucketKey, order: Order) -> bool {
        self.waiting.get(key).and_then(|line| line.first()).is_some_and(|first| *first < order)
    }

    /// Whether anybody waits for this bucket.
    pub(super) fn is_wanted(&self, key: &BucketKey) -> bool {
        self.waiting.contains_key(key)
    }

    /// Whether a more urgent lane waits for this bucket.
    pub(super) fn more_urgent(&self, key: &BucketKey, rank: u8) -> bool {
        self.waiting.get(key).and_then(|line| line.first()).is_some_and(|(first, _)| *first < rank)
    }
}

/// A place in the queue, given up when its owner goes away, however that happens.
pub(super) struct Place<'a> {
    state: &'a Mutex<State>,
    changed: &'a Notify,
    order: Order,
    behind: Cell<bool>,
}

impl<'a> Place<'a> {
    pub(super) fn new(state: &'a Mutex<State>, changed: &'a Notify, rank: u8) -> Self {
        let mut locked = state.lock().unwrap_or_else(PoisonError::into_inner);
        let number = locked.queue.next;
        locked.queue.next += 1;
        drop(locked);
        Self { state, changed, order: (rank, number), behind: Cell::new(false) }
    }

    pub(super) fn order(&self) -> Order {
        self.order
    }

    /// Whether the last look found somebody before us rather than an empty budget.
    pub(super) fn is_behind(&self) -> bool {
        self.behind.get()
    }

    pub(super) fn set_behind(&self, behind: bool) {
        self.behind.set(behind);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).queue.leave(self.order);
        // Those behind may have waited for nothing but their turn.
        self.changed.notify_waiters();
    }
}
