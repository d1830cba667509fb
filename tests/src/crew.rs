//! Who the executors of a history are, and what goes wrong with their table.

use stores::FaultPlan;

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
    /// Faults of the table, each executor with draws of its own.
    pub table: FaultPlan,
}

impl Crew {
    /// Executors whose table has all faults.
    pub fn troubled(size: usize, seed: u64, wrap: Wrap, polls: bool) -> Self {
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
        Self { size, seed, wrap, polls, table }
    }
}
