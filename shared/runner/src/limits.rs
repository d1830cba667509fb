//! The service's limits, and how much of them a value uses.

use std::io;

use serde::Serialize;
use serde_json::Value;

/// Where the service stops. The defaults are its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest input, output, result or variable, as UTF-8 JSON.
    pub payload_bytes: usize,
    /// Events of a Standard execution; the last of them says so.
    pub history_events: u64,
    /// Iterations of an inline Map at once, whatever MaxConcurrency says.
    pub map_concurrency: usize,
    /// Longest Express execution.
    pub express_s: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { payload_bytes: 262_144, history_events: 25_000, map_concurrency: 40, express_s: 300 }
    }
}

impl Limits {
    /// Whether a payload is small enough.
    pub fn admit(&self, value: &Value) -> bool {
        let mut counter = Counter { left: self.payload_bytes };
        value.serialize(&mut serde_json::Serializer::new(&mut counter)).is_ok()
    }
}

/// Counts the bytes that JSON text would take, and stops early.
struct Counter {
    left: usize,
}

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(io::ErrorKind::WriteZero)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
