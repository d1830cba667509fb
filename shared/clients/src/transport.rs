//! The one seam to the outside: whoever can send a request is a transport. `reqwest` in production,
//! a simulator's router or a script in tests. Retries, redirects and waits are ours, never a transport's.

use std::fmt;

use bytes::Bytes;
use futures::future::BoxFuture;

/// Sends one request, once.
pub trait Transport: Send + Sync {
    /// The answer of the service, whatever its status; an error only when there is none.
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>>;
}

/// Why there is no answer. The text names hosts and causes, never contents.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum TransportError {
    /// The request certainly did not arrive: repeating it is safe.
    #[error("the request was not sent: {0}")]
    NeverSent(String),
    /// It may have arrived and taken effect.
    #[error("no answer, and the request may have arrived: {0}")]
    Unknown(String),
}

/// Where the clients read the time; handed in so that a simulated run has a simulated time.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970, UTC.
    fn now_ms(&self) -> i64;
}

/// A clock that starts where it is told and moves with tokio's time, real or paused.
#[derive(Clone, Debug)]
pub struct TokioClock {
    start_ms: i64,
    started: tokio::time::Instant,
}

impl TokioClock {
    /// Starts counting now from `start_ms`.
    pub fn new(start_ms: i64) -> Self {
        Self { start_ms, started: tokio::time::Instant::now() }
    }
}

impl Clock for TokioClock {
    fn now_ms(&self) -> i64 {
        let elapsed_ms = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.start_ms.saturating_add(elapsed_ms)
    }
}

/// A credential. Neither `Debug` nor `Display` show anything of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a credential as soon as it enters.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The credential itself, for the one place that signs or sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}
