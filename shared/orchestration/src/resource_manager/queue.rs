//! Who waits for which bucket: by lane, then in the turn of arrival; who waited long goes before fresh ones of any lane.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use clients::{Api, Lane};
use tokio::sync::Notify;

use super::State;
use super::bucket::Claim;

/// A place in the line: as if everybody had come half the bound of their lane later, so that nobody is overtaken for
/// longer than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    as_if_ms: i64,
    rank: u8,
    number: u64,
}

impl Turn {
    pub(super) fn new(lane: Lane, now_ms: i64, number: u64) -> Self {
        Self { as_if_ms: now_ms + lane.bound_ms() / 2, rank: lane.rank(), number }
    }

    /// Who stood there for as long as it may be overtaken counts as urgent.
    pub(super) fn claim_at(&self, now_ms: i64) -> Claim {
        let rank = if now_ms >= self.as_if_ms { Lane::Urgent.rank() } else { self.rank };
        Claim { lane: self.rank, rank }
    }
}

type BucketKey = (Api, String);

/// All who wait.
#[derive(Default)]
pub(super) struct Queue {
    next: u64,
    waiting: BTreeMap<BucketKey, BTreeSet<Turn>>,
    stands: BTreeMap<Turn, BucketKey>,
}

impl Queue {
    /// Waits for this bucket now, and for no other.
    pub(super) fn stand(&mut self, key: &BucketKey, turn: Turn) {
        if self.stands.get(&turn) == Some(key) {
            return;
        }
        self.leave(turn);
        self.waiting.entry(key.clone()).or_default().insert(turn);
        self.stands.insert(turn, key.clone());
    }

    fn leave(&mut self, turn: Turn) {
        if let Some(key) = self.stands.remove(&turn)
            && let Some(line) = self.waiting.get_mut(&key)
        {
            line.remove(&turn);
            if line.is_empty() {
                self.waiting.remove(&key);
            }
        }
    }

    /// Whether somebody with a better claim waits for this bucket.
    pub(super) fn someone_before(&self, key: &BucketKey, turn: Turn) -> bool {
        self.waiting.get(key).and_then(|line| line.first()).is_some_and(|first| *first < turn)
    }

    /// Whether anybody waits for this bucket.
    pub(super) fn is_wanted(&self, key: &BucketKey) -> bool {
        self.waiting.contains_key(key)
    }

    /// Whether a more urgent lane waits for this bucket, before us.
    pub(super) fn more_urgent(&self, key: &BucketKey, turn: Turn) -> bool {
        let first = self.waiting.get(key).and_then(|line| line.first());
        first.is_some_and(|first| *first < turn && first.rank < turn.rank)
    }
}

/// A place in the queue, given up when its owner goes away, however that happens.
pub(super) struct Place<'a> {
    state: &'a Mutex<State>,
    changed: &'a Notify,
    turn: Turn,
    behind: Cell<bool>,
}

impl<'a> Place<'a> {
    pub(super) fn new(state: &'a Mutex<State>, changed: &'a Notify, lane: Lane, now_ms: i64) -> Self {
        let mut locked = state.lock().unwrap_or_else(PoisonError::into_inner);
        let number = locked.queue.next;
        locked.queue.next += 1;
        drop(locked);
        Self { state, changed, turn: Turn::new(lane, now_ms, number), behind: Cell::new(false) }
    }

    pub(super) fn turn(&self) -> Turn {
        self.turn
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
        self.state.lock().unwrap_or_else(PoisonError::into_inner).queue.leave(self.turn);
        // Those behind may have waited for nothing but their turn.
        self.changed.notify_waiters();
    }
}
