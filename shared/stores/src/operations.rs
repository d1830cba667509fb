//! Requests to the table by name, with their size in DynamoDB's units: what the cost line multiplies.

use std::collections::BTreeMap;

/// Requests so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operations {
    /// Requests by name (`PutItem`, `Query`, …).
    pub requests: BTreeMap<String, u64>,
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
        match self.requests.get_mut(operation) {
            Some(n) => *n += 1,
            None => {
                self.requests.insert(operation.to_owned(), 1);
            }
        }
    }
}
