//! Writes down what happens. Status, output and progress all follow from it.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::execution::Event;
use crate::options::Clock;

/// The history is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// A history in the making.
pub(crate) struct Recorder {
    inner: Mutex<Inner>,
    keep: bool,
    /// The id that only ExecutionFailed may have.
    limit: Option<u64>,
    clock: Clock,
}

#[derive(Default)]
struct Inner {
    last: u64,
    events: Vec<Event>,
}

impl Recorder {
    pub(crate) fn new(keep: bool, limit: Option<u64>, clock: Clock) -> Recorder {
        Recorder { inner: Mutex::default(), keep, limit, clock }
    }

    /// Adds an event after `previous` and gives its id. The event is only made if it is kept.
    pub(crate) fn add(
        &self,
        previous: u64,
        event: impl FnOnce() -> (String, Option<Value>),
    ) -> Result<u64, Full> {
        let next = self.inner.lock().unwrap_or_else(PoisonError::into_inner).last + 1;
        if self.limit.is_some_and(|limit| next >= limit) {
            return Err(Full);
        }
        Ok(self.add_last(previous, event))
    }

    /// Adds an event whatever the limit: the one that ends the execution.
    pub(crate) fn add_last(&self, previous: u64, event: impl FnOnce() -> (String, Option<Value>)) -> u64 {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.last += 1;
        let id = inner.last;
        if self.keep {
            let (kind, details) = event();
            inner.events.push(Event { id, previous, at_ms: (self.clock)(), kind, details });
        }
        id
    }

    /// All events and how many there were.
    pub(crate) fn take(&self) -> (Vec<Event>, u64) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut inner.events), inner.last)
    }
}
