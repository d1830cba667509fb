//! Retriers and catchers: what happens when a Task, Parallel or Map fails.

use serde_json::{Map as JsonMap, Value};

use crate::model::PathField;

/// Waits longer than this many retries of doubling are never computed.
const BACKOFF_EXPONENT_MAX: u64 = 1_000;

/// One entry of `Retry`. Options are as written; the methods fill in the defaults.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Retrier {
    /// `ErrorEquals`.
    pub error_equals: Vec<String>,
    /// `IntervalSeconds`.
    pub interval_seconds: Option<u64>,
    /// `MaxAttempts`: how many retries, not attempts.
    pub max_attempts: Option<u64>,
    /// `BackoffRate`.
    pub backoff_rate: Option<f64>,
    /// `MaxDelaySeconds`.
    pub max_delay_seconds: Option<u64>,
    /// `JitterStrategy`.
    pub jitter: Option<Jitter>,
    /// `Comment`.
    pub comment: Option<String>,
}

impl Retrier {
    /// Retries allowed for one visit to the state.
    pub fn attempts(&self) -> u64 {
        self.max_attempts.unwrap_or(3)
    }

    /// The wait before retry `k` (from 1), before jitter.
    pub fn delay_seconds(&self, k: u64) -> f64 {
        let exponent = k.saturating_sub(1).min(BACKOFF_EXPONENT_MAX);
        let factor = self.backoff_rate.unwrap_or(2.0).powf(exponent as f64);
        let delay = self.interval_seconds.unwrap_or(1) as f64 * factor;
        match self.max_delay_seconds {
            Some(most) => delay.min(most as f64),
            None => delay,
        }
    }

    /// Whether the wait is drawn uniformly from `[0, delay]`.
    pub fn is_jittered(&self) -> bool {
        self.jitter == Some(Jitter::Full)
    }
}

/// `JitterStrategy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Uniform between nothing and the computed delay.
    Full,
    /// The computed delay.
    None,
}

/// One entry of `Catch`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catcher {
    /// `ErrorEquals`.
    pub error_equals: Vec<String>,
    /// `Next`.
    pub next: String,
    /// `ResultPath` (JSONPath).
    pub result_path: PathField,
    /// `Output` (JSONata).
    pub output: Option<Value>,
    /// `Assign`.
    pub assign: Option<JsonMap<String, Value>>,
    /// `Comment`.
    pub comment: Option<String>,
}
