//! Faults that a database in the process never shows and AWS does; for tests.

use std::collections::BTreeMap;

use crate::lag::Seen;

/// Probabilities (0 to 1) per request, drawn from one seed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaultPlan {
    /// Seed of the draws.
    pub seed: u64,
    /// Refused before anything happens.
    pub throttle: f64,
    /// `TransactionConflict` on a write, before anything happens.
    pub conflict: f64,
    /// Done, then the connection breaks.
    pub lost_reply: f64,
    /// An internal error, as often before anything happens as after it.
    pub internal: f64,
    /// How long a request takes at most, ms: whoever is dropped, is dropped in the middle of one.
    pub takes_ms: u64,
    /// Items of a batch that are left over.
    pub unprocessed: f64,
    /// Writes that do not reach every replica at once: for up to [`LAG_MS`] eventual reads and indexes may show the row
    /// as it was, twice, or not at all.
    pub lag: f64,
    /// After this many requests nothing gets through any more: a process that died, for its callers.
    pub dies_after: Option<u64>,
}

impl FaultPlan {
    /// No faults.
    pub fn none() -> Self {
        Self::default()
    }

    /// A world that is hard to live in and still makes progress.
    pub fn hostile(seed: u64) -> Self {
        Self {
            seed,
            throttle: 0.05,
            conflict: 0.05,
            lost_reply: 0.06,
            internal: 0.04,
            unprocessed: 0.30,
            ..Self::default()
        }
    }

    /// Dies after so many requests.
    pub fn dying(after: u64) -> Self {
        Self { dies_after: Some(after), ..Self::default() }
    }

    pub(crate) fn is_none(&self) -> bool {
        self.dies_after.is_none()
            && self.throttle <= 0.0
            && self.conflict <= 0.0
            && self.lost_reply <= 0.0
            && self.internal <= 0.0
            && self.takes_ms == 0
            && self.unprocessed <= 0.0
            && self.lag <= 0.0
    }
}

/// How long a write is under way to the last replica at most, ms.
const LAG_MS: u64 = 5_000;

/// The service's own failure, which does not tell whether anything happened.
pub(crate) const INTERNAL: &str = "InternalServerError";
const CONFLICT: &str = "TransactionConflictException";

/// What happens to one request.
pub(crate) enum Draw {
    Pass,
    Refuse(&'static str),
    LoseReply,
    FailAfter,
    Dead,
    Unprocessed,
}

/// A plan with its draws.
pub(crate) struct Faults {
    plan: FaultPlan,
    random: fastrand::Rng,
    requests: u64,
    /// Draws of its own, so that plans with and without lag stay comparable.
    lagging: fastrand::Rng,
    injected: BTreeMap<&'static str, u64>,
}

impl Faults {
    pub(crate) fn new(plan: FaultPlan) -> Self {
        let random = fastrand::Rng::with_seed(plan.seed);
        let lagging = fastrand::Rng::with_seed(plan.seed ^ 0x1a6);
        Self { plan, random, requests: 0, lagging, injected: BTreeMap::new() }
    }

    /// How often each fault was injected.
    pub(crate) fn injected(&self) -> BTreeMap<&'static str, u64> {
        self.injected.clone()
    }

    /// One more of these, or several.
    pub(crate) fn add(&mut self, fault: &'static str, times: u64) {
        *self.injected.entry(fault).or_default() += times;
    }

    /// Whether some writes lag.
    pub(crate) fn has_lag(&self) -> bool {
        self.plan.lag > 0.0
    }

    /// For how long a write lags, ms, if it does.
    pub(crate) fn lags_ms(&mut self) -> Option<u64> {
        (self.lagging.f64() < self.plan.lag).then(|| self.lagging.u64(1..=LAG_MS))
    }

    /// What the next read shows of a row that lags.
    pub(crate) fn seen(&mut self) -> Seen {
        match self.lagging.u8(0..8) {
            0..4 => Seen::Before,
            4 => Seen::Both,
            5 => Seen::Neither,
            _ => Seen::Now,
        }
    }

    /// How long a request takes.
    pub(crate) fn takes_ms(&mut self) -> u64 {
        if self.plan.takes_ms == 0 { 0 } else { self.random.u64(0..=self.plan.takes_ms) }
    }

    pub(crate) fn draw(&mut self, operation: &str) -> Draw {
        let draw = self.drawn(operation);
        let name = match &draw {
            Draw::Pass | Draw::Dead => return draw,
            Draw::Refuse(INTERNAL) => "store: internal error before",
            Draw::Refuse(CONFLICT) => "store: conflict",
            Draw::Refuse(_) => "store: throttled",
            Draw::LoseReply => "store: reply lost",
            Draw::FailAfter => "store: internal error after",
            Draw::Unprocessed => "store: left over",
        };
        self.add(name, 1);
        draw
    }

    fn drawn(&mut self, operation: &str) -> Draw {
        self.requests += 1;
        if self.plan.dies_after.is_some_and(|after| self.requests > after) {
            return Draw::Dead;
        }
        let writes = matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem");
        // Every request takes the same number of draws, so that plans with one seed stay comparable.
        let [throttle, conflict, lost, left, internal] = std::array::from_fn(|_| self.random.f64());
        if throttle < self.plan.throttle {
            Draw::Refuse("ProvisionedThroughputExceededException")
        } else if writes && conflict < self.plan.conflict {
            Draw::Refuse(CONFLICT)
        } else if lost < self.plan.lost_reply {
            Draw::LoseReply
        } else if internal < self.plan.internal / 2.0 {
            Draw::Refuse(INTERNAL)
        } else if internal < self.plan.internal {
            Draw::FailAfter
        } else if operation == "BatchGetItem" && left < self.plan.unprocessed {
            Draw::Unprocessed
        } else {
            Draw::Pass
        }
    }
}
