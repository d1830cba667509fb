//! Who the executors of a history are, how their clocks go, and what goes wrong with their table.

use std::sync::Arc;

use clients::Clock;
use stores::FaultPlan;

use crate::history::Recipe;
use crate::whole::Wrap;

/// Who they are, and what goes wrong with their table.
#[derive(Clone, Debug)]
pub struct Crew {
    /// So many executors.
    pub size: usize,
    /// Decides the rest.
    pub seed: u64,
    /// What stands between them and the wire.
    pub wrap: Wrap,
    /// Whether they poll.
    pub polls: bool,
    /// Whether tickets are to tell of their tasks.
    pub marks: bool,
    /// Faults of the table, each executor with draws of its own.
    pub table: FaultPlan,
}

impl Crew {
    /// Executors whose table has all faults.
    pub fn troubled(recipe: &Recipe, wrap: Wrap) -> Self {
        let Recipe { executors: size, seed, polls, marks, .. } = *recipe;
        let table = FaultPlan {
            seed,
            throttle: 0.005,
            conflict: 0.005,
            lost_reply: 0.01,
            lag: 0.1,
            internal: 0.005,
            takes_ms: 20,
            unprocessed: 0.05,
            dies_after: None,
        };
        Self { size, seed, wrap, polls, marks, table }
    }
}

/// A clock that is off by some seconds.
pub(crate) struct Skewed(pub Arc<dyn Clock>, pub i64);

impl Clock for Skewed {
    fn now_ms(&self) -> i64 {
        self.0.now_ms() + self.1
    }
}
