//! What an executor owes the services, request by request: it waits as long as it was told to, and one of it asks for a
//! token while the others wait for it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::weather::Fired;

/// Clocks of an executor and the world run alike; a wait may be short by rounding only.
const ROUNDING_MS: i64 = 50;

/// What one executor was told, and what it is asking for.
#[derive(Debug, Default)]
pub(crate) struct Manners {
    /// Until when each request is not to be sent again, ms.
    told: Mutex<BTreeMap<String, i64>>,
    asking: Arc<AtomicU32>,
}

/// A token is asked for as long as this lives.
pub(crate) struct Asking(Arc<AtomicU32>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Manners {
    /// A token is asked for.
    pub(crate) fn asks(&self, fired: &Fired) -> Asking {
        if self.asking.fetch_add(1, Ordering::Relaxed) > 0 {
            fired.found("two tokens were asked for at once".to_owned());
        }
        Asking(self.asking.clone())
    }

    /// A request was answered with a time to wait.
    pub(crate) fn told(&self, request: String, until_ms: i64) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(request, until_ms);
    }

    /// A request is sent.
    pub(crate) fn waits(&self, fired: &Fired, request: &str, now_ms: i64) {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.get(request).is_some_and(|until_ms| now_ms + ROUNDING_MS < *until_ms) {
            fired.found(format!("sent again before the time it was told: {request}"));
        }
    }
}
