//! A person asks for a stop: what is in flight is finished, and nothing new is begun.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Whether a stop was asked for, and whether long steps are still finishing.
#[derive(Debug, Default)]
pub struct Halt {
    asked: AtomicBool,
    working: AtomicUsize,
    changed: Notify,
}

/// A long step at work.
#[derive(Debug)]
pub struct Working<'a>(&'a Halt);

impl Halt {
    /// Asks for a stop.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    /// Whether a stop was asked for.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// Says that a long step is at work, until what this gives is dropped.
    pub fn working(&self) -> Working<'_> {
        self.working.fetch_add(1, Ordering::SeqCst);
        Working(self)
    }

    /// Waits until a stop was asked for and no long step is at work.
    pub async fn quiet(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before looking, so that no announcement is missed.
            changed.as_mut().enable();
            if self.is_asked() && self.working.load(Ordering::SeqCst) == 0 {
                return;
            }
            changed.await;
        }
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.0.working.fetch_sub(1, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }
}
