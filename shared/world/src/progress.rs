//! What a phase tells while it runs: a bar for people, silence for tests.

/// The part of a world's life that is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Filling the simulated services.
    Seed,
    /// Reading the directory, registering webhooks.
    Prepare,
    /// Tickets into tasks.
    Backfill,
    /// People edit on both sides.
    Edits,
    /// Waiting until nothing moves.
    Settle,
    /// Computing the verdict.
    Judge,
}

/// One look at a running phase.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Records done.
    pub done: u64,
    /// Records in all, where known.
    pub total: Option<u64>,
    /// API calls of deskup so far.
    pub calls: u64,
    /// The share of the API budget used in the running minute, in percent, where there is a limit.
    pub budget_percent: Option<u8>,
    /// Virtual time left, in milliseconds, where it can be told.
    pub left_ms: Option<i64>,
}

/// Receives progress. Called often: a receiver that draws thins it out itself.
pub trait Progress: Send + Sync {
    /// A phase moved.
    fn step(&self, phase: Phase, step: &Step);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn step(&self, _phase: Phase, _step: &Step) {}
}
