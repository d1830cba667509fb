//! One limit as this process sees it: the current window, blocks booked by lane, and what headers said.
//! Pure: time comes in, decisions go out.

mod edge;

use clients::{Api, Lane, LimitSeen};
use planted::Bug;
use stores::budgets::{Grant, ceiling};

use super::order::Order;
use super::{BudgetUse, reserve};

const LANES: usize = Lane::ALL.len();
/// Calls begun so shortly before the edge may be counted by the service in the next window: a call takes a moment, and
/// where the edge is known from a header it is known by the second.
const EDGE_MS: i64 = 2_000;
/// Until a header told how the service's windows lie, ours may begin and end so much earlier or later.
const UNSURE_MS: i64 = 6_000;
/// Where windows are used up, nothing is sent so shortly before the edge: it would take from the next, which others have
/// booked whole by the time that we come.
const ZONE_MS: i64 = 1_500;
/// How long one call is waited for that is to tell it.
const PROBE_MS: i64 = 5_000;

/// Who wants a unit.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    /// Its lane's rank: whose blocks it uses.
    pub(super) lane: u8,
    /// As whom it books: who waited long does so as if it were urgent.
    pub(super) rank: u8,
}

fn index(rank: u8) -> usize {
    usize::from(rank).min(LANES - 1)
}

/// What a caller finds.
pub(super) enum Taken {
    /// There is a unit.
    Yes,
    /// A block has to be booked first.
    Book,
    /// Not before then.
    Until(i64),
}

/// One limit.
pub(super) struct BucketState {
    window_ms: i64,
    block_max: u32,
    limit: u32,
    /// Its name in the book, the same for all who share the limit. It says nothing of when the window ends: services begin
    /// one with the first call after the last was over.
    name_ms: i64,
    /// The end of the window by the service's clock.
    edge_ms: i64,
    /// Whether an answer that was counted in this window told its end, to us or to whoever wrote it in the book.
    is_edge_sure: bool,
    is_edge_news: bool,
    /// That of the window before.
    last_edge_ms: i64,
    /// Whether nine tenths of this window or the last were booked when we last booked.
    is_scarce: bool,
    /// The same by our clock.
    reset_ms: i64,
    /// Whether all answers say how the windows lie.
    has_headers: bool,
    /// Whether the book was asked which window others take this one for.
    is_agreed: bool,
    /// Whether a header told how the windows lie; until then one call at a time is sent.
    is_aligned: bool,
    /// When the call was sent that is to tell it.
    probed_ms: i64,
    blocks: [u32; LANES],
    /// Nothing to book for this lane before then.
    empty_until: [i64; LANES],
    /// The least that the service said is left.
    remaining: Option<u32>,
    /// Sent, not answered.
    in_flight: u32,
    taken: u32,
    /// Sent within [`EDGE_MS`] of the end.
    at_edge: u32,
    carried: u32,
    spent_until: i64,
    /// Nothing is asked of the service before then.
    paused_until: i64,
    limit_seen: Option<u32>,
    used_seen: Option<u32>,
}

impl BucketState {
    /// `headers` tells whether all answers say how the windows lie.
    pub(super) fn new(window_ms: i64, limit: u32, block_max: u32, headers: bool, now: i64) -> Self {
        let window_ms = window_ms.max(1);
        let start_ms = now.div_euclid(window_ms) * window_ms;
        Self {
            window_ms,
            block_max: block_max.max(1),
            limit,
            name_ms: start_ms,
            edge_ms: start_ms + window_ms,
            is_edge_sure: false,
            is_edge_news: false,
            last_edge_ms: 0,
            is_scarce: false,
            reset_ms: start_ms + window_ms,
            has_headers: headers,
            is_agreed: !headers,
            is_aligned: !headers,
            probed_ms: 0,
            blocks: [0; LANES],
            empty_until: [0; LANES],
            remaining: None,
            in_flight: 0,
            taken: 0,
            at_edge: 0,
            carried: 0,
            spent_until: 0,
            paused_until: 0,
            limit_seen: None,
            used_seen: None,
        }
    }

    pub(super) fn is_over(&self, now: i64) -> bool {
        now >= self.reset_ms && now >= self.spent_until
    }

    /// Moves on to the window that `now` is in.
    pub(super) fn roll(&mut self, now: i64) {
        // No header came: then the windows are as good as known.
        self.is_aligned |= self.in_flight > 0 && now >= self.probed_ms + PROBE_MS;
        if now < self.reset_ms {
            return;
        }
        self.begin(1 + (now - self.reset_ms).div_euclid(self.window_ms));
    }

    /// The window that is so many further.
    fn begin(&mut self, windows: i64) {
        self.carried = if windows == 1 { self.at_edge } else { 0 };
        let further = windows * self.window_ms;
        self.last_edge_ms = self.edge_ms;
        self.name_ms += further;
        self.edge_ms += further;
        self.reset_ms += further;
        self.is_edge_sure = false;
        self.is_edge_news = false;
        self.is_agreed = !self.has_headers;
        if !planted::is(Bug::BlockKept) {
            self.blocks = [0; LANES];
        }
        self.empty_until = [0; LANES];
        self.remaining = None;
        self.in_flight = 0;
        self.taken = 0;
        self.at_edge = 0;
        self.used_seen = None;
    }

    pub(super) fn window_ms(&self) -> i64 {
        self.window_ms
    }

    /// What is kept of a reserve at present, and when less is kept.
    pub(super) fn standing(&self, reserve_percent: u32, now: i64) -> (u32, Option<i64>) {
        let left_ms = self.reset_ms - now;
        let (kept, wait_ms) = reserve::standing(reserve_percent, self.limit, left_ms, self.window_ms);
        (kept, wait_ms.map(|wait_ms| now + wait_ms))
    }

    /// Whether a unit is there for this claim.
    pub(super) fn look(&self, claim: Claim, now: i64) -> Taken {
        let closed_until = self.spent_until.max(self.paused_until);
        if now < closed_until {
            return Taken::Until(closed_until);
        }
        if self.left() == Some(0) {
            // Answers that are on their way may tell of more.
            return Taken::Until(if self.in_flight > 0 {
                self.reset_ms.min(now + 1_000)
            } else {
                self.reset_ms
            });
        }
        if self.reset_ms - now < ZONE_MS && self.is_scarce {
            return Taken::Until(self.reset_ms);
        }
        if !self.is_aligned && self.in_flight > 0 && now < self.probed_ms + PROBE_MS {
            return Taken::Until(self.probed_ms + PROBE_MS);
        }
        let (lane, rank) = (index(claim.lane), index(claim.rank));
        if self.blocks[lane] > 0 {
            return Taken::Yes;
        }
        if now >= self.empty_until[rank] {
            return Taken::Book;
        }
        // What a less urgent lane has booked is given up before somebody urgent waits.
        if self.blocks[lane + 1..].iter().any(|block| *block > 0) {
            return Taken::Yes;
        }
        Taken::Until(self.empty_until[rank])
    }

    pub(super) fn take(&mut self, claim: Claim, now: i64) {
        if let Some(block) = self.blocks[index(claim.lane)..].iter_mut().find(|block| **block > 0) {
            *block -= 1;
        }
        if !self.is_aligned && self.in_flight == 0 {
            self.probed_ms = now;
        }
        self.in_flight += 1;
        self.taken += 1;
        if now >= self.reset_ms - EDGE_MS {
            self.at_edge += 1;
        }
    }

    /// What is left by what the service said; calls without an answer may be counted in it or not.
    fn left(&self) -> Option<u32> {
        self.remaining.map(|remaining| remaining.saturating_sub(self.in_flight))
    }

    /// Whether the book has to be asked first.
    pub(super) fn is_agreed(&self) -> bool {
        self.is_agreed
    }

    /// What to book next. Small limits are booked in small blocks, since what is not used is lost.
    pub(super) fn order(&mut self, reserve_percent: u32, for_one: bool, now: i64) -> Order {
        let (reserve_percent, again_ms) = self.standing(reserve_percent, now);
        let or = match self.is_aligned {
            true => None,
            false if self.reset_ms - now < UNSURE_MS => Some(1),
            false if now - (self.reset_ms - self.window_ms) < UNSURE_MS => Some(-1),
            false => None,
        };
        let size = if self.is_aligned && !for_one { (self.limit / 20).clamp(1, self.block_max) } else { 1 };
        Order {
            name_ms: self.name_ms,
            edge_ms: self.edge_ms,
            or,
            limit: self.limit,
            size,
            // A small limit must not be eaten by what it carries over.
            carried: std::mem::take(&mut self.carried).min(self.limit / 2),
            reserve_percent,
            again_ms,
            limit_seen: self.limit_seen.take(),
            used_seen: self.used_seen.take(),
            is_edge_news: std::mem::take(&mut self.is_edge_news),
        }
    }

    pub(super) fn granted(&mut self, claim: Claim, order: &Order, grant: &Grant, usable: u32) {
        if order.name_ms != self.name_ms {
            // The window ended while the booking was made: the block died with it.
            return;
        }
        match grant {
            Grant::Granted { limit, used, .. } => {
                self.is_scarce = u64::from(*used) * 10 >= u64::from(*limit) * 9;
                self.blocks[index(claim.lane)] += usable;
                self.limit = *limit;
                if *used < ceiling(*limit, order.reserve_percent) {
                    return;
                }
            }
            Grant::Empty { .. } => self.is_scarce = true,
        }
        let again_ms = order.again_ms.unwrap_or(self.reset_ms);
        self.empty_until[index(claim.rank)] = again_ms.min(self.reset_ms);
    }

    /// The neighbour that the call may be counted in has no room.
    pub(super) fn unsure(&mut self, claim: Claim) {
        let begun_ms = self.reset_ms - self.window_ms;
        let until_ms = if self.is_aligned { self.reset_ms } else { begun_ms + UNSURE_MS };
        self.empty_until[index(claim.rank)] = until_ms;
    }

    /// What an answer said.
    pub(super) fn observe(&mut self, seen: &LimitSeen, limit: Option<u32>, now: i64) {
        let shared = limit != seen.limit;
        self.in_flight = self.in_flight.saturating_sub(1);
        let near = |reset: &i64| *reset > now && *reset <= now + 2 * self.window_ms;
        let is_over = seen.edge_ms.is_some_and(|edge_ms| edge_ms <= self.last_edge_ms);
        match seen.reset_ms {
            Some(reset) if near(&reset) && !is_over => self.align(reset, seen.edge_ms),
            // An answer of the window before tells nothing of this one.
            Some(_) => return,
            None => {}
        }
        if let Some(limit) = limit
            && limit != self.limit
        {
            self.limit = limit;
            self.limit_seen = Some(limit);
            self.empty_until = [0; LANES];
        }
        if let Some(remaining) = seen.remaining {
            let remaining = self.remaining.map_or(remaining, |known| known.min(remaining));
            self.remaining = Some(remaining);
            if !shared {
                let booked: u32 = self.blocks.iter().sum();
                self.used_seen = Some((self.limit.saturating_sub(remaining) + booked).min(self.limit));
            }
        }
    }

    /// A 429: nothing until then. Returns the window's name, its end and the limit for the book.
    pub(super) fn limited(&mut self, until_ms: i64) -> (i64, i64, u32) {
        self.spent_until = self.spent_until.max(until_ms);
        self.blocks = [0; LANES];
        self.in_flight = self.in_flight.saturating_sub(1);
        (self.name_ms, self.edge_ms, self.limit)
    }

    /// Somebody wants nothing asked of the service until then; 0 for nobody.
    pub(super) fn paused(&mut self, until_ms: i64) {
        self.paused_until = until_ms;
        if until_ms > 0 {
            self.blocks = [0; LANES];
        }
    }

    /// What is booked and not used, as far as this rank may take it.
    pub(super) fn booked(&self, rank: u8) -> u32 {
        self.blocks[index(rank)..].iter().sum()
    }

    pub(super) fn report(&self, api: Api, bucket: &str, now: i64) -> BudgetUse {
        let used = if now < self.reset_ms { self.taken } else { 0 };
        BudgetUse { api, bucket: bucket.to_owned(), used, limit: self.limit, reset_ms: self.reset_ms }
    }
}
