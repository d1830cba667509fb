//! A process that stands still, as far as its table sees: what it asks stays under way; for tests.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Until when one process stands still.
#[derive(Debug, Default)]
pub struct Stall(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    until: Option<Instant>,
    at_write: Option<Duration>,
}

impl Stall {
    /// For so long from now on.
    pub fn begin(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut state = self.state();
        state.until = Some(state.until.map_or(until, |before| before.max(until)));
    }

    /// For so long from the moment on in which it is about to write a link.
    pub fn begin_at_write(&self, time: Duration) {
        self.state().at_write = Some(time);
    }

    /// Not at a write any more.
    pub fn not_at_write(&self) {
        self.state().at_write = None;
    }

    /// It is about to write a link.
    pub(crate) fn at_write(&self) {
        let armed = self.state().at_write.take();
        if let Some(time) = armed {
            self.begin(time);
        }
    }

    /// Whether it stands still.
    pub(crate) fn is_on(&self) -> bool {
        self.state().until.is_some_and(|until| until > Instant::now())
    }

    /// Returns when it goes on; true if it stood still.
    pub async fn is_over(&self) -> bool {
        let mut stood = false;
        loop {
            let until = self.state().until;
            let Some(until) = until.filter(|until| *until > Instant::now()) else { return stood };
            tokio::time::sleep_until(until).await;
            stood = true;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
