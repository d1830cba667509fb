//! One limit as this process sees it: the current window, blocks booked by lane, and what headers said.
//! Pure: time comes in, decisions go out.

use clients::Api;
use stores::budgets::Grant;

use super::BudgetUse;

const LANES: usize = 3;
/// Calls begun so shortly before the edge may be counted by the service in the next window.
const EDGE_MS: i64 = 1_000;

/// What a caller finds.
pub(super) enum Taken {
    /// There is a unit.
    Yes,
    /// A block has to be booked first.
    Book,
    /// Not before then.
    Until(i64),
}

/// What to book.
pub(super) struct Order {
    pub(super) start_ms: i64,
    pub(super) reset_ms: i64,
    pub(super) limit: u32,
    pub(super) size: u32,
    pub(super) carried: u32,
    pub(super) reserve_percent: u32,
    pub(super) limit_seen: Option<u32>,
    pub(super) used_seen: Option<u32>,
}

/// One limit.
pub(super) struct BucketState {
    window_ms: i64,
    block_max: u32,
    limit: u32,
    /// Names the window in the store; stays while `reset_ms` is corrected by headers.
    start_ms: i64,
    reset_ms: i64,
    blocks: [u32; LANES],
    /// Nothing to book for this lane before then.
    empty_until: [i64; LANES],
    /// What the service says is left, less what we sent since.
    header_left: Option<u32>,
    /// Sent, not answered.
    in_flight: u32,
    taken: u32,
    /// Sent within [`EDGE_MS`] of the end.
    at_edge: u32,
    carried: u32,
    spent_until: i64,
    limit_seen: Option<u32>,
    used_seen: Option<u32>,
}

impl BucketState {
    pub(super) fn new(window_ms: i64, limit: u32, block_max: u32, now: i64) -> Self {
        let window_ms = window_ms.max(1);
        let start_ms = now.div_euclid(window_ms) * window_ms;
        Self {
            window_ms,
            block_max: block_max.max(1),
            limit,
            start_ms,
            reset_ms: start_ms + window_ms,
            blocks: [0; LANES],
            empty_until: [0; LANES],
            header_left: None,
            in_flight: 0,
            taken: 0,
            at_edge: 0,
            carried: 0,
            spent_until: 0,
            limit_seen: None,
            used_seen: None,
        }
    }

    pub(super) fn is_over(&self, now: i64) -> bool {
        now >= self.reset_ms && now >= self.spent_until
    }

    /// Moves on to the window that `now` is in.
    pub(super) fn roll(&mut self, now: i64) {
        if now < self.reset_ms {
            return;
        }
        let passed = (now - self.reset_ms).div_euclid(self.window_ms);
        let start = self.reset_ms + passed * self.window_ms;
        self.carried = if passed == 0 { self.at_edge } else { 0 };
        self.begin(start, start + self.window_ms);
    }

    fn begin(&mut self, start_ms: i64, reset_ms: i64) {
        self.start_ms = start_ms;
        self.reset_ms = reset_ms;
        self.blocks = [0; LANES];
        self.empty_until = [0; LANES];
        self.header_left = None;
        self.in_flight = 0;
        self.taken = 0;
        self.at_edge = 0;
        self.used_seen = None;
    }

    pub(super) fn in_last_third(&self, now: i64) -> bool {
        now >= self.reset_ms - self.window_ms / 3
    }

    /// Whether a unit is there for this lane.
    pub(super) fn look(&self, rank: u8, now: i64) -> Taken {
        if now < self.spent_until {
            return Taken::Until(self.spent_until);
        }
        if self.header_left == Some(0) {
            return Taken::Until(self.reset_ms);
        }
        let rank = usize::from(rank).min(LANES - 1);
        if self.blocks[rank] > 0 {
            return Taken::Yes;
        }
        if now >= self.empty_until[rank] {
            return Taken::Book;
        }
        // What a less urgent lane has booked is given up before somebody urgent waits.
        if self.blocks[rank + 1..].iter().any(|block| *block > 0) {
            return Taken::Yes;
        }
        Taken::Until(self.empty_until[rank])
    }

    pub(super) fn take(&mut self, rank: u8, now: i64) {
        let rank = usize::from(rank).min(LANES - 1);
        if let Some(block) = self.blocks[rank..].iter_mut().find(|block| **block > 0) {
            *block -= 1;
        }
        self.header_left = self.header_left.map(|left| left.saturating_sub(1));
        self.in_flight += 1;
        self.taken += 1;
        if now >= self.reset_ms - EDGE_MS {
            self.at_edge += 1;
        }
    }

    /// What to book next. Small limits are booked in small blocks, since what is not used is lost.
    pub(super) fn order(&mut self, reserve_percent: u32) -> Order {
        Order {
            start_ms: self.start_ms,
            reset_ms: self.reset_ms,
            limit: self.limit,
            size: (self.limit / 20).clamp(1, self.block_max),
            // A small limit must not be eaten by what it carries over.
            carried: std::mem::take(&mut self.carried).min(self.limit / 2),
            reserve_percent,
            limit_seen: self.limit_seen.take(),
            used_seen: self.used_seen.take(),
        }
    }

    pub(super) fn granted(&mut self, rank: u8, order: &Order, grant: &Grant, usable: u32, now: i64) {
        if order.start_ms != self.start_ms {
            // The window ended while the booking was made: the block died with it.
            return;
        }
        let rank = usize::from(rank).min(LANES - 1);
        match grant {
            Grant::Granted { limit, .. } => {
                self.blocks[rank] += usable;
                self.limit = *limit;
            }
            Grant::Empty { until_ms, .. } => {
                self.reset_ms = self.reset_ms.max(*until_ms);
                // A reserve is given up in the last third, so looking again then is worth it.
                let last_third = self.reset_ms - self.window_ms / 3;
                self.empty_until[rank] = match order.reserve_percent {
                    0 => self.reset_ms,
                    _ if now < last_third => last_third,
                    // Somebody urgent waits; once they are served the reserve is free.
                    _ => self.reset_ms.min(now + 1_000),
                };
            }
        }
    }

    /// What an answer said.
    pub(super) fn observe(
        &mut self,
        limit: Option<u32>,
        remaining: Option<u32>,
        reset_ms: Option<i64>,
        shared: bool,
        now: i64,
    ) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(reset) = reset_ms.filter(|reset| *reset > now && *reset <= now + 2 * self.window_ms) {
            self.align(reset);
        }
        if let Some(limit) = limit
            && limit != self.limit
        {
            self.limit = limit;
            self.limit_seen = Some(limit);
            self.empty_until = [0; LANES];
        }
        if let Some(remaining) = remaining {
            let left = remaining.saturating_sub(self.in_flight);
            self.header_left = Some(self.header_left.map_or(left, |known| known.min(left)));
            let used = self.limit.saturating_sub(remaining);
            if used > self.taken && !shared {
                // Others use this limit too: the book must not promise what they have used.
                let booked: u32 = self.blocks.iter().sum();
                self.used_seen = Some((used + booked).min(self.limit));
            }
        }
    }

    /// Follows the service's edge. Headers round to seconds, so a small difference is the same window.
    fn align(&mut self, reset_ms: i64) {
        let late = reset_ms - self.reset_ms;
        if late.abs() * 2 < self.window_ms {
            // Ending too early would count calls of one window in the next, so an edge that is earlier
            // only by the rounding does not count.
            if !(-2 * EDGE_MS..=0).contains(&late) {
                self.reset_ms = reset_ms;
            }
        } else if late > 0 {
            self.begin(reset_ms - self.window_ms, reset_ms);
        } else {
            self.reset_ms = reset_ms;
        }
    }

    /// A 429: nothing until then. Returns the window's name and limit for the book.
    pub(super) fn limited(&mut self, until_ms: i64) -> (i64, u32) {
        self.spent_until = self.spent_until.max(until_ms);
        self.blocks = [0; LANES];
        self.in_flight = self.in_flight.saturating_sub(1);
        (self.start_ms, self.limit)
    }

    pub(super) fn report(&self, api: Api, bucket: &str, now: i64) -> BudgetUse {
        let used = if now < self.reset_ms { self.taken } else { 0 };
        BudgetUse { api, bucket: bucket.to_owned(), used, limit: self.limit, reset_ms: self.reset_ms }
    }
}
