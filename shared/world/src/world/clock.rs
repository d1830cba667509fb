//! The one clock of a world. It moves with tokio's time, real or paused, and can be set once, when the
//! logs have told where the last process stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use clients::Clock;
use simulators::SimClock;

/// The clock.
#[derive(Debug)]
pub struct WorldClock {
    start_ms: AtomicI64,
    started: tokio::time::Instant,
}

impl WorldClock {
    /// Starts now at this moment.
    pub fn new(start_ms: i64) -> Arc<Self> {
        Arc::new(Self { start_ms: AtomicI64::new(start_ms), started: tokio::time::Instant::now() })
    }

    /// Moves on to this moment. Time never goes back.
    pub fn advance_to(&self, ms: i64) {
        let behind = ms - self.now_ms();
        if behind > 0 {
            self.start_ms.fetch_add(behind, Ordering::SeqCst);
        }
    }

    /// The same clock as the simulators take it.
    pub fn for_simulators(self: &Arc<Self>) -> SimClock {
        let clock = self.clone();
        Arc::new(move || clock.now_ms())
    }
}

impl Clock for WorldClock {
    fn now_ms(&self) -> i64 {
        let elapsed_ms = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.start_ms.load(Ordering::SeqCst).saturating_add(elapsed_ms)
    }
}
