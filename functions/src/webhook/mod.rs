//! The intake. A delivery is only a hint that a record changed, and proof of who changed what: check the
//! signature over the raw bytes, hint the work row, note the evidence, answer. In this order a crash repeats
//! a hint and loses none.

mod clickup;
pub mod proof;
mod zendesk;

use std::sync::atomic::Ordering;

use bytes::Bytes;
use clients::signatures;
use domain::Side;
use http::{HeaderMap, Request, Response, StatusCode};
use planted::Bug;
use stores::evidence::Evidence;
use stores::work::Hint;
use stores::{Lane, StoreError, WorkKey};

use crate::hooks::{self, Found};
use crate::{Context, SyncError};

/// A delivery is small; more is not from the services.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// A Zendesk delivery's timestamp is of the attempt, so an old one is a replay.
const FRESH_MS: i64 = 5 * 60_000;

/// What a delivery says about one record.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    /// Which record.
    pub key: WorkKey,
    /// What to look at.
    pub wants: Vec<&'static str>,
    /// When it happened, in unix milliseconds.
    pub at_ms: i64,
    /// Longer than the usual debounce, where the record is about to settle by itself.
    pub delay_ms: Option<i64>,
    /// The group or list it happened in.
    pub queue: Option<String>,
    /// What it proves.
    pub evidence: Vec<Evidence>,
}

/// The answer to a delivery, and what follows from it.
#[derive(Debug)]
pub struct Answered {
    /// What the service is told.
    pub response: Response<Bytes>,
    /// A record is to be looked at that was not before, in so many milliseconds: whoever starts executions may sleep.
    pub wake_ms: Option<i64>,
}

impl Answered {
    fn only(response: Response<Bytes>) -> Self {
        Self { response, wake_ms: None }
    }
}

/// Which service delivers to a path under the public address.
pub fn side(path: &str) -> Option<Side> {
    match path.trim_end_matches('/') {
        "/zendesk" => Some(Side::Zendesk),
        "/clickup" | "/clickup/2" => Some(Side::Clickup),
        _ => None,
    }
}

/// Answers one delivery of a service.
pub async fn handle(cx: &Context, side: Side, request: Request<Bytes>) -> Answered {
    let (head, body) = request.into_parts();
    if body.len() > BODY_BYTES_MAX {
        return Answered::only(status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    let secret = match who_signed(cx, side, &head.headers, &body).await {
        Found::Genuine(secret) => secret,
        Found::Wrong => {
            cx.activity.refused.fetch_add(1, Ordering::Relaxed);
            // Not 401 and not 410: ClickUp would suspend the webhook at once.
            tracing::warn!(%side, "a delivery with a wrong signature was refused");
            return Answered::only(status(StatusCode::FORBIDDEN));
        }
        Found::NotKnown => {
            tracing::warn!(%side, "a delivery could not be checked; it may come again");
            return Answered::only(later(side));
        }
    };
    if let Some(proof) = proof::answer(&body, &secret) {
        let mut response = status(StatusCode::OK);
        proof::put(&mut response, proof);
        return Answered::only(response);
    }
    cx.activity.delivered(side, cx.now_ms());
    if side == Side::Zendesk
        && let Some(told) = zendesk::service_level(&body)
    {
        return match note(cx, told).await {
            Ok(()) => Answered::only(status(StatusCode::OK)),
            Err(error) => Answered::only(unavailable(side, &error.into())),
        };
    }
    let accepted = match side {
        Side::Zendesk => zendesk::read(cx, &body),
        Side::Clickup => clickup::read(cx, &body).await,
    };
    match accepted {
        Ok(accepted) => match take(cx, side, accepted).await {
            Ok(wake_ms) => {
                cx.activity.woken.fetch_add(u64::from(wake_ms.is_some()), Ordering::Relaxed);
                Answered { response: status(StatusCode::OK), wake_ms }
            }
            Err(error) => Answered::only(unavailable(side, &error.into())),
        },
        Err(SyncError::Store(error)) => Answered::only(unavailable(side, &SyncError::Store(error))),
        Err(_) => {
            // A shape we do not know is not worth five more deliveries of it.
            tracing::warn!(%side, bytes = body.len(), "a delivery could not be read and was dropped");
            Answered::only(status(StatusCode::OK))
        }
    }
}

/// Zendesk repeats only a 503 with a short `Retry-After`; ClickUp repeats any failure a few times.
fn unavailable(side: Side, error: &SyncError) -> Response<Bytes> {
    tracing::warn!(%side, %error, "a delivery could not be taken");
    later(side)
}

/// It cannot be taken now and should come again.
pub fn later(side: Side) -> Response<Bytes> {
    let mut response = status(StatusCode::SERVICE_UNAVAILABLE);
    if side == Side::Zendesk {
        response.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("10"));
    }
    response
}

/// An answer without words.
pub fn status(code: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = code;
    response
}

async fn who_signed(cx: &Context, side: Side, headers: &HeaderMap, body: &[u8]) -> Found {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match side {
        Side::Zendesk => {
            let (Some(timestamp), Some(signature)) =
                (header("x-zendesk-webhook-signature-timestamp"), header("x-zendesk-webhook-signature"))
            else {
                return Found::Wrong;
            };
            let fresh = domain::Timestamp::parse_rfc3339(timestamp)
                .is_some_and(|at| (at.ms() - cx.now_ms()).abs() <= FRESH_MS);
            if !fresh {
                return Found::Wrong;
            }
            hooks::find(cx, side, |secret| signatures::zendesk_verify(secret, timestamp, body, signature))
                .await
        }
        Side::Clickup => {
            let Some(signature) = header("x-signature") else { return Found::Wrong };
            hooks::find(cx, side, |secret| signatures::clickup_verify(secret, body, signature)).await
        }
    }
}

/// Keeps by when a ticket has to be answered: it orders what waits, and is no work of its own.
async fn note(cx: &Context, told: zendesk::ServiceLevel) -> Result<(), StoreError> {
    cx.store.pulses().heard(Side::Zendesk).await?;
    let link = cx.store.links().get(told.ticket).await?;
    let task = link.and_then(|link| link.task);
    let told_ms = told.told_ms.unwrap_or_else(|| cx.now_ms());
    cx.store.slas().note(told.ticket, task.as_ref(), told_ms, told.breach_ms).await
}

/// Tells when a record is due that was not noted before.
async fn take(cx: &Context, side: Side, accepted: Vec<Accepted>) -> Result<Option<i64>, StoreError> {
    // Genuine, so the service reaches us, whatever the delivery is about.
    cx.store.pulses().heard(side).await?;
    let mut wake_ms: Option<i64> = None;
    for item in accepted {
        let mut news = item.evidence.is_empty();
        for evidence in &item.evidence {
            let seen = cx
                .store
                .evidence()
                .seen(&evidence.record, evidence.provider, &evidence.event_id, &evidence.hash)
                .await?;
            news |= !seen;
        }
        if !news {
            continue;
        }
        if planted::is(Bug::DedupFirst) {
            for evidence in &item.evidence {
                cx.store.evidence().put(evidence).await?;
            }
        }
        let hint = Hint {
            lane: Lane::Live,
            delay_ms: item.delay_ms.unwrap_or(cx.options.debounce_ms),
            wants: &item.wants,
            event_ms: item.at_ms,
            queue: item.queue.as_deref(),
        };
        if cx.store.work().hint(&item.key, hint).await? {
            wake_ms = Some(wake_ms.map_or(hint.delay_ms, |earlier| earlier.min(hint.delay_ms)));
        }
        for evidence in &item.evidence {
            cx.store.evidence().put(evidence).await?;
        }
    }
    Ok(wake_ms)
}
