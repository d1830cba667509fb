//! How every call is made: budget, send, learn from the limit headers, judge the answer, decide about a
//! repeat. Both clients are thin layers over this.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, Uri, header};
use planted::Bug;

use crate::auth::Auth;
use crate::call::{Call, Reply, request_id};
use crate::classify::{Failed, classify};
use crate::error::{ApiError, ApiResult, ErrorKind};
use crate::hosts::Base;
use crate::lenient::Said;
use crate::limits;
use crate::pace::{Api, LimitSeen, Need, Pacer, Scope};
use crate::retry::{self, Next, Outcome};
use crate::transport::{Clock, Transport, TransportError};
use crate::warnings;

const USER_AGENT: &str = concat!("deskup/", env!("CARGO_PKG_VERSION"));
/// Jitter on top of a wait: at most a quarter of it, at most this.
const JITTER_MS_MAX: i64 = 2_000;
/// What an answer says of limits holds when it was given: one that took longer, or was read so late, is not asked.
const NEWS_MS: i64 = 10_000;

/// What all clones of a client share.
pub(crate) struct Core {
    pub api: Api,
    pub base: Base,
    auth: RwLock<Arc<Auth>>,
    /// Told whenever the service did not let us in.
    pub refused: tokio::sync::Notify,
    pub transport: Arc<dyn Transport>,
    pub pacer: Arc<dyn Pacer>,
    pub clock: Arc<dyn Clock>,
    random: Mutex<fastrand::Rng>,
    warnings: AtomicU64,
}

/// What became of the attempts so far.
#[derive(Default)]
struct Past {
    attempt: u32,
    /// An attempt ended without telling whether it landed.
    maybe_landed: bool,
    /// The credential was renewed once already.
    renewed: bool,
}

impl Core {
    pub fn new(
        api: Api,
        base_url: &str,
        auth: Auth,
        transport: Arc<dyn Transport>,
        pacer: Arc<dyn Pacer>,
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> ApiResult<Self> {
        let base = Base::parse(base_url).map_err(|error| {
            tracing::error!(%api, %error, "the base URL cannot be used");
            ApiError::new(api, "base_url", ErrorKind::Refused).with_code("BadBaseUrl")
        })?;
        let random = Mutex::new(fastrand::Rng::with_seed(seed));
        let auth = RwLock::new(Arc::new(auth));
        let refused = tokio::sync::Notify::new();
        Ok(Self { api, base, auth, refused, transport, pacer, clock, random, warnings: AtomicU64::new(0) })
    }

    /// The credential of now. A call that began with an older one ends with it.
    pub fn auth(&self) -> Arc<Auth> {
        self.auth.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on with another credential.
    pub fn change_auth(&self, auth: Auth) {
        *self.auth.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(auth);
    }

    pub fn warnings(&self) -> u64 {
        self.warnings.load(Ordering::Relaxed)
    }

    /// Makes a call, with repeats where they are safe and end before the deadline.
    pub async fn send(&self, call: &Call, scope: Scope) -> ApiResult<Reply> {
        let url = self
            .base
            .join(&call.path_and_query())
            .map_err(|_| call.error(ErrorKind::Refused).with_code("BadPath"))?;
        let result = self.repeat(call, scope, &url).await;
        if result.as_ref().is_err_and(|error| error.kind == ErrorKind::Auth) && !call.anonymous {
            self.refused.notify_one();
        }
        result
    }

    async fn repeat(&self, call: &Call, scope: Scope, url: &Uri) -> ApiResult<Reply> {
        let mut past = Past::default();
        loop {
            self.budget(call, scope, &past).await?;
            let auth = self.auth();
            let credential = auth.header(self, call, scope).await?;
            past.attempt += 1;
            let (failed, id, status) = match self.attempt(call, url, credential.as_ref()).await {
                Ok(Ok(reply)) => return Ok(reply),
                Ok(Err((failed, reply))) => (failed, request_id(&reply.headers), Some(reply.status)),
                Err(error) => (lost(error, call), None, None),
            };
            // A 403 is no matter of an old token: a new one has the same rights.
            let over = failed.kind == ErrorKind::Auth && status != Some(StatusCode::FORBIDDEN);
            if over && !past.renewed && auth.renews(call) {
                past.renewed = true;
                auth.discard(credential.as_ref()).await;
                continue;
            }
            past.maybe_landed |= matches!(failed.outcome, Outcome::Unknown { .. });
            let wait_ms = match retry::next(failed.outcome, call.effect, past.attempt) {
                Next::WaitMs(wait_ms) => Some(wait_ms),
                Next::GiveUp => None,
            };
            let now_ms = self.clock.now_ms();
            match wait_ms {
                Some(wait_ms) if now_ms.saturating_add(wait_ms) <= scope.deadline_ms => {
                    self.wait(call, wait_ms, scope.deadline_ms, &failed).await;
                }
                _ => return Err(finished(call, failed, &past, status.map(|s| s.as_u16()), id)),
            }
        }
    }

    async fn budget(&self, call: &Call, scope: Scope, past: &Past) -> ApiResult<()> {
        if self.clock.now_ms() >= scope.deadline_ms {
            let kind = after(call, past, ErrorKind::Transient);
            return Err(call.error(kind).with_code("DeadlinePassed"));
        }
        if call.buckets.is_empty() {
            return Ok(());
        }
        let need = Need {
            api: self.api,
            buckets: call.buckets.clone(),
            lane: scope.lane,
            deadline_ms: scope.deadline_ms,
        };
        self.pacer.acquire(&need).await.map_err(|empty| {
            call.error(after(call, past, ErrorKind::BudgetEmpty { until_ms: empty.until_ms }))
        })
    }

    /// Sends once. The inner error is an answer that is no success.
    async fn attempt(
        &self,
        call: &Call,
        url: &Uri,
        credential: Option<&HeaderValue>,
    ) -> Result<Result<Reply, (Failed, Reply)>, TransportError> {
        let request = self.request(call, url, credential)?;
        let sent_ms = self.clock.now_ms();
        let mut response = self.transport.send(request).await?;
        if planted::is(Bug::RetryInside) && !response.status().is_success() {
            response = self.transport.send(self.request(call, url, credential)?).await?;
        }
        let (parts, body) = response.into_parts();
        let reply = Reply { status: parts.status, headers: parts.headers, body };
        let now_ms = self.clock.now_ms();
        let names: Vec<&str> = call.buckets.iter().map(|bucket| bucket.name.as_str()).collect();
        let seen = match now_ms.saturating_sub(sent_ms) <= NEWS_MS {
            true => limits::seen(self.api, &reply.headers, &names, now_ms),
            false => Vec::new(),
        };
        if !seen.is_empty() {
            self.pacer.observe(self.api, &seen);
        }
        self.note(call, &reply);
        match classify(self.api, reply.status, &reply.headers, &reply.body, &seen, now_ms) {
            None => Ok(Ok(reply)),
            Some(failed) => {
                if let ErrorKind::RateLimited { until_ms } = failed.kind
                    && let Some(bucket) = spent_bucket(call, &seen)
                {
                    self.pacer.limited(self.api, bucket, until_ms).await;
                }
                Ok(Err((failed, reply)))
            }
        }
    }

    fn request(
        &self,
        call: &Call,
        url: &Uri,
        credential: Option<&HeaderValue>,
    ) -> Result<http::Request<Bytes>, TransportError> {
        let mut builder = http::Request::builder()
            .method(call.method.clone())
            .uri(url.clone())
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, "application/json");
        // The one place where a credential meets a URL.
        if let Some(credential) = credential
            && self.base.owns(url)
        {
            builder = builder.header(header::AUTHORIZATION, credential.clone());
        }
        if let Some(key) = &call.idempotency_key {
            builder = builder.header("idempotency-key", key.clone());
        }
        let body = match &call.body {
            Some((content_type, bytes)) => {
                builder = builder.header(header::CONTENT_TYPE, content_type.clone());
                bytes.clone()
            }
            None => Bytes::new(),
        };
        builder.body(body).map_err(|_| TransportError::NeverSent("the request could not be built".to_owned()))
    }

    fn note(&self, call: &Call, reply: &Reply) {
        let request_id = request_id(&reply.headers).unwrap_or_default();
        tracing::debug!(api = %self.api, what = call.what(), status = reply.status.as_u16(), request_id, "answered");
        if let Some(dropped) = warnings::read(&reply.headers) {
            self.warnings.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                what = call.what(),
                keys = dropped.keys.join(" "),
                invalid_values = dropped.invalid_values,
                "Zendesk dropped members of a request"
            );
        }
    }

    async fn wait(&self, call: &Call, wait_ms: i64, deadline_ms: i64, failed: &Failed) {
        let jitter_ms = {
            let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
            random.i64(0..=(wait_ms / 4).clamp(0, JITTER_MS_MAX))
        };
        let rest_ms = deadline_ms.saturating_sub(self.clock.now_ms()).max(0);
        let wait_ms = wait_ms.saturating_add(jitter_ms).min(rest_ms);
        tracing::debug!(what = call.what(), wait_ms, outcome = ?failed.outcome, "waits before a repeat");
        tokio::time::sleep(Duration::from_millis(wait_ms.unsigned_abs())).await;
    }
}

fn lost(error: TransportError, call: &Call) -> Failed {
    tracing::debug!(what = call.what(), %error, "no answer");
    let (outcome, kind) = match error {
        TransportError::NeverSent(_) => (Outcome::NeverSent, ErrorKind::Transient),
        TransportError::Unknown(_) => (Outcome::Unknown { retry_after_ms: None }, ErrorKind::Unknown),
    };
    Failed { outcome, kind, said: Said::default() }
}

/// The kind of a call's last error in view of its earlier attempts.
fn after(call: &Call, past: &Past, kind: ErrorKind) -> ErrorKind {
    match (call.is_write(), past.maybe_landed, kind) {
        // A read that did not tell can simply be read again.
        (false, _, ErrorKind::Unknown) => ErrorKind::Transient,
        // Gone, and gone is what was asked for.
        (true, true, ErrorKind::NotFound) if call.method == http::Method::DELETE => kind,
        // A conflict or refusal may be the echo of our own first attempt.
        (true, true, _) => ErrorKind::Unknown,
        _ => kind,
    }
}

fn finished(
    call: &Call,
    failed: Failed,
    past: &Past,
    status: Option<u16>,
    request_id: Option<String>,
) -> ApiError {
    ApiError {
        status,
        code: failed.said.code,
        fields: failed.said.fields,
        request_id,
        ..call.error(after(call, past, failed.kind))
    }
}

/// Which bucket a 429 speaks of: one that the answer shows as spent, the most special first; else the
/// account's, unless that visibly has room.
fn spent_bucket<'a>(call: &'a Call, seen: &[LimitSeen]) -> Option<&'a str> {
    let mine = |name: &str| seen.iter().find(|one| one.bucket == name);
    let spent = call
        .buckets
        .iter()
        .rev()
        .find(|bucket| mine(&bucket.name).is_some_and(|one| one.remaining == Some(0)));
    if let Some(bucket) = spent {
        return Some(&bucket.name);
    }
    let first = call.buckets.first()?;
    let has_room = mine(&first.name).and_then(|one| one.remaining).is_some_and(|remaining| remaining > 0);
    match call.buckets.get(1) {
        Some(second) if has_room => Some(&second.name),
        _ => Some(&first.name),
    }
}
