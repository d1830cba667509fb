//! Requests to the table by name and by whoever made them, with their size in DynamoDB's units: what prices multiply, and
//! what a function's role has to grant.

use std::collections::{BTreeMap, BTreeSet};

tokio::task_local! {
    static STEP: &'static str;
}

/// Does work on behalf of a step.
pub async fn by<F: Future>(step: &'static str, work: F) -> F::Output {
    STEP.scope(step, work).await
}

/// Requests so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operations {
    /// Requests by name (`PutItem`, `Query`, …).
    pub requests: BTreeMap<String, u64>,
    /// Which step made requests of which name; work outside of a step is nobody's.
    pub made: BTreeSet<(&'static str, &'static str)>,
    /// Write units of 1 KB, index writes included; approximate.
    pub write_units: f64,
    /// Read units of 4 KB; approximate.
    pub read_units: f64,
}

impl Operations {
    /// All requests together.
    pub fn total(&self) -> u64 {
        self.requests.values().sum()
    }

    pub(crate) fn count(&mut self, operation: &'static str) {
        if let Ok(step) = STEP.try_with(|step| *step) {
            self.made.insert((step, operation));
        }
        match self.requests.get_mut(operation) {
            Some(n) => *n += 1,
            None => {
                self.requests.insert(operation.to_owned(), 1);
            }
        }
    }
}
