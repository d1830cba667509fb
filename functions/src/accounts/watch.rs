//! Looks over a client's shoulder while an account is read for the first time: what the clients rightly leave out
//! of their errors (a web page instead of data, a redirect, the clock of the other side) is what a person who typed
//! a wrong address needs to hear.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use clients::{Api, BudgetEmpty, Clock, LimitSeen, Need, Pacer, Transport, TransportError};
use futures::future::BoxFuture;
use http::{HeaderMap, header};

/// Half of the precision of a `Date` header.
const DATE_HALF_MS: i64 = 500;
/// The buckets that speak of a whole account or token.
const WHOLE: [&str; 2] = ["account", "token"];

/// A transport and pacer that grants everything and remembers what was seen.
pub struct Watch {
    inner: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    seen: Mutex<Seen>,
}

/// What was seen so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Requests sent.
    pub requests: u64,
    /// How far the clock here is ahead of the service's, by the answer that shows the least difference.
    pub ahead_ms: Option<i64>,
    /// Requests a minute, as the service's headers say.
    pub per_minute: Option<u32>,
    /// How the last request ended.
    pub last: Ending,
}

/// How a request ended, as far as it tells who answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// The status, where there was an answer.
    pub status: Option<u16>,
    /// A web page rather than data.
    pub page: bool,
    /// Nothing at all in the body.
    pub empty: bool,
    /// Scheme and host to which a redirect leads.
    pub moved_to: Option<String>,
    /// Why there was no answer.
    pub lost: Option<String>,
}

impl Watch {
    /// Watches a transport.
    pub fn new(inner: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { inner, clock, seen: Mutex::default() })
    }

    /// What was seen so far.
    pub fn seen(&self) -> Seen {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, result: &Result<http::Response<Bytes>, TransportError>) {
        let now_ms = self.clock.now_ms();
        let mut seen = self.lock();
        seen.requests += 1;
        seen.last = match result {
            Ok(answer) => {
                if let Some(date_ms) = clients::limits::date_ms(answer.headers()) {
                    let ahead_ms = now_ms - date_ms - DATE_HALF_MS;
                    if seen.ahead_ms.is_none_or(|known| ahead_ms.abs() < known.abs()) {
                        seen.ahead_ms = Some(ahead_ms);
                    }
                }
                Ending {
                    status: Some(answer.status().as_u16()),
                    page: is_page(answer.headers(), answer.body()),
                    empty: answer.body().iter().all(u8::is_ascii_whitespace),
                    moved_to: answer.status().is_redirection().then(|| target(answer.headers())).flatten(),
                    lost: None,
                }
            }
            Err(TransportError::NeverSent(why) | TransportError::Unknown(why)) => {
                Ending { lost: Some(why.clone()), ..Ending::default() }
            }
        };
    }
}

impl Transport for Watch {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let result = self.inner.send(request).await;
            self.note(&result);
            result
        })
    }
}

impl Pacer for Watch {
    fn acquire<'a>(&'a self, _need: &'a Need) -> BoxFuture<'a, Result<(), BudgetEmpty>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn observe(&self, _api: Api, limits: &[LimitSeen]) {
        let whole = limits.iter().find(|one| WHOLE.contains(&one.bucket.as_str()));
        if let Some(limit) = whole.and_then(|one| one.limit) {
            self.lock().per_minute = Some(limit);
        }
    }

    fn limited<'a>(&'a self, _api: Api, _bucket: &'a str, _until_ms: i64) -> BoxFuture<'a, ()> {
        // The client waits as it was told.
        Box::pin(std::future::ready(()))
    }
}

fn is_page(headers: &HeaderMap, body: &[u8]) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let start = body.iter().copied().find(|byte| !byte.is_ascii_whitespace());
    start == Some(b'<') || kind.starts_with("text/html") && !matches!(start, Some(b'{' | b'['))
}

/// Only scheme and host: the rest of a redirect may hold anything.
fn target(headers: &HeaderMap) -> Option<String> {
    let uri: http::Uri = headers.get(header::LOCATION)?.to_str().ok()?.parse().ok()?;
    Some(format!("{}://{}", uri.scheme_str()?, uri.host()?))
}
