//! What a step may know of its run. Time and randomness come in through here, so that a seed replays a run.

use std::sync::{Arc, Mutex, PoisonError};

use clients::{Clock, Lane};

/// A seeded source of randomness that steps of one execution share.
#[derive(Clone, Debug)]
pub struct Random(Arc<Mutex<fastrand::Rng>>);

impl Random {
    /// A source that always gives the same numbers for the same seed.
    pub fn seeded(seed: u64) -> Random {
        Random(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))))
    }

    /// Draws with the given function; the lock is held only for the draw.
    pub fn draw<T>(&self, with: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        // A panic during a draw leaves a valid generator behind, so a poisoned lock is no reason to stop.
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The next 64 random bits.
    pub fn next_u64(&self) -> u64 {
        self.draw(|rng| rng.u64(..))
    }

    /// A source of its own for a part of the work, so that the order of the parts changes nothing in each.
    pub fn fork(&self) -> Random {
        Random::seeded(self.next_u64())
    }

    /// Sixteen lower-case hex digits: a nonce.
    pub fn nonce(&self) -> String {
        format!("{:016x}", self.next_u64())
    }
}

/// Execution, trigger, lane, deadline and sources of a step's run.
#[derive(Clone)]
pub struct ExecutionContext {
    /// The execution's id.
    pub execution: String,
    /// The workflow's name.
    pub workflow: String,
    /// What started it: `webhook`, `schedule`, `person`, …
    pub trigger: String,
    /// On whose behalf it runs.
    pub actor: String,
    /// The priority lane of its calls.
    pub lane: Lane,
    /// When the step must have returned, in unix milliseconds.
    pub deadline_ms: i64,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Ties the log lines of one execution together.
    pub trace_id: String,
    /// In a redrive, the executions whose kept answers stand: the one it redrives first, then those before it.
    pub answers_from: Vec<String>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub random: Random,
}

impl ExecutionContext {
    /// Now, in unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// How much time is left before the deadline; 0 when it has passed.
    pub fn left_ms(&self) -> i64 {
        (self.deadline_ms - self.now_ms()).max(0)
    }
}

impl std::fmt::Debug for ExecutionContext {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ExecutionContext")
            .field("execution", &self.execution)
            .field("workflow", &self.workflow)
            .field("attempt", &self.attempt)
            .field("deadline_ms", &self.deadline_ms)
            .finish_non_exhaustive()
    }
}
