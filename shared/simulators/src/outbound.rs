//! The way out of a simulator: webhook deliveries.

use bytes::Bytes;
use futures::future::BoxFuture;

/// Delivers a simulator's webhooks to whoever listens. In tests it is the receiver called in process; with real
/// sockets it is an HTTP client.
pub trait Outbound: Send + Sync {
    /// Sends one delivery and returns the answer, or why there was none (refused, timed out).
    fn post(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'static, Result<http::Response<Bytes>, String>>;
}
