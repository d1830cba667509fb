//! Misbehaviour of the simulated services, all off by default and drawn from a seed.

use std::sync::{Mutex, PoisonError};

/// How often and how a simulator misbehaves. Probabilities are from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    /// Seeds the dice.
    pub seed: u64,
    /// A webhook delivery is silently lost.
    pub webhook_drop: f64,
    /// A webhook delivery is sent a second time.
    pub webhook_duplicate: f64,
    /// Least and most time between a change and its delivery.
    pub webhook_delay_ms: (u64, u64),
    /// A new task stays out of filtered lists for a while, between these bounds (ClickUp only).
    pub visibility_delay_ms: (u64, u64),
    /// A request is answered with a 5xx before anything happens.
    pub server_error: f64,
    /// A request is answered with a 429 although the limit has room.
    pub too_many: f64,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            seed: 0,
            webhook_drop: 0.0,
            webhook_duplicate: 0.0,
            // The recorded first attempts came one second after the change.
            webhook_delay_ms: (1_000, 1_000),
            visibility_delay_ms: (0, 0),
            server_error: 0.0,
            too_many: 0.0,
        }
    }
}

/// The random source of a simulator, shared by its requests. A probability of zero draws nothing, so a run without
/// faults does not depend on the seed.
#[derive(Debug)]
pub struct Dice(Mutex<fastrand::Rng>);

impl Dice {
    /// Dice for a seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    /// True with this probability.
    pub fn roll(&self, probability: f64) -> bool {
        probability > 0.0 && self.with(|random| random.f64()) < probability
    }

    /// A number from the range, both ends included.
    pub fn between(&self, (low, high): (u64, u64)) -> u64 {
        if high <= low { low } else { self.with(|random| random.u64(low..=high)) }
    }

    /// Hands the generator to a closure.
    pub fn with<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
