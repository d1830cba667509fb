//! Sending webhooks: signatures, retries, and the pause after too many errors.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::ZendeskSim;
use super::rows::{DeliveryRow, WebhookRow};
use super::state::Op;
use crate::clock::iso_seconds;
use crate::outbound::Outbound;

/// An endpoint that has not answered by then has failed.
const TIMEOUT: Duration = Duration::from_secs(12);
/// Retries after a 409.
const CONFLICT_RETRIES: u32 = 3;
/// Retries after a timeout; also taken for 429 and 503, where no number is documented.
const TIMEOUT_RETRIES: u32 = 5;
/// A longer `Retry-After` means no retry at all.
const RETRY_AFTER_S_MAX: u64 = 60;
/// What the breaker looks back on.
const BREAKER_WINDOW_MS: i64 = 300_000;
/// Fewer requests than this do not open it.
const BREAKER_REQUESTS_MIN: usize = 100;
/// So many errors open it whatever their share.
const BREAKER_ERRORS_MAX: usize = 1_000;
/// How long it stays open.
const BREAKER_PAUSE_MS: i64 = 5_000;

/// The signature of a delivery: over the timestamp's text directly followed by the raw body, keyed with the text of
/// the secret.
pub fn signature(secret: &str, timestamp: &str, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        // HMAC takes keys of every length.
        return String::new();
    };
    mac.update(timestamp.as_bytes());
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// So many deliveries of a webhook can be looked at.
const INVOCATIONS_MAX: usize = 100;

/// How a delivery fared.
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct Invocation {
    id: Box<str>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<u16>,
    latest_completed_at: String,
}

/// What became of an attempt.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Done,
    RetryAfter(Duration),
}

/// Counts answers and pauses a webhook whose endpoint fails too often.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    answers: VecDeque<(i64, bool)>,
    paused_until_ms: i64,
}

impl Breaker {
    /// How long to wait before the next attempt.
    fn pause_ms(&self, now_ms: i64) -> i64 {
        (self.paused_until_ms - now_ms).max(0)
    }

    fn note(&mut self, now_ms: i64, good: bool) {
        self.answers.push_back((now_ms, good));
        while self.answers.front().is_some_and(|(at, _)| now_ms - at > BREAKER_WINDOW_MS) {
            self.answers.pop_front();
        }
        let errors = self.answers.iter().filter(|(_, good)| !good).count();
        let share = self.answers.len() >= BREAKER_REQUESTS_MIN && errors * 10 >= self.answers.len() * 7;
        if !good && (share || errors > BREAKER_ERRORS_MAX) {
            self.paused_until_ms = now_ms + BREAKER_PAUSE_MS;
        }
    }
}

impl ZendeskSim {
    /// Brings one delivery to its end: delivered, given up, or dropped with its webhook.
    pub(super) async fn deliver(self, id: u64) {
        let mut attempt = 0;
        loop {
            let Some((delivery, webhook, outbound, wait_ms)) = self.upcoming(id) else { break };
            let wait_ms = if attempt == 0 { wait_ms } else { 0 };
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            let pause_ms = self.with_breaker(&webhook.id, |breaker, now_ms| breaker.pause_ms(now_ms));
            if pause_ms > 0 {
                self.note_invocation(&delivery, "circuit broken", None);
                tokio::time::sleep(Duration::from_millis(pause_ms.unsigned_abs())).await;
                continue;
            }
            let Some(request) = self.attempt(&delivery, &webhook) else { break };
            let answer = match tokio::time::timeout(TIMEOUT, outbound.post(request)).await {
                Ok(answer) => answer,
                Err(_) => Err("no answer in time".to_owned()),
            };
            let good = matches!(&answer, Ok(answer) if answer.status().is_success());
            self.with_breaker(&webhook.id, |breaker, now_ms| breaker.note(now_ms, good));
            let status = answer.as_ref().ok().map(|answer| answer.status().as_u16());
            self.note_invocation(&delivery, if good { "success" } else { "terminated" }, status);
            attempt += 1;
            match judge(&answer, attempt) {
                Next::Done => break,
                Next::RetryAfter(wait) => tokio::time::sleep(wait).await,
            }
        }
        self.delivered(id);
    }

    /// The delivery with all it needs; `None` when its webhook is gone or inactive.
    fn upcoming(&self, id: u64) -> Option<(DeliveryRow, WebhookRow, Arc<dyn Outbound>, u64)> {
        let desk = self.desk();
        let delivery = desk.state.deliveries.get(&id)?.clone();
        let webhook = desk.state.webhooks.get(&delivery.webhook).filter(|webhook| webhook.active)?.clone();
        let wait_ms = (delivery.due_ms - desk.now_ms()).max(0).unsigned_abs();
        Some((delivery, webhook, desk.outbound.clone()?, wait_ms))
    }

    /// The request of one attempt: its timestamp is the attempt's, not the event's.
    fn attempt(&self, delivery: &DeliveryRow, webhook: &WebhookRow) -> Option<http::Request<Bytes>> {
        let desk = self.desk();
        let timestamp = iso_seconds(desk.now_ms());
        let body = Bytes::copy_from_slice(delivery.body.as_bytes());
        let signature = signature(&webhook.secret, &timestamp, &body);
        let mut request = http::Request::builder()
            .method(&*webhook.http_method)
            .uri(&*webhook.endpoint)
            .header("content-type", "application/json; charset=utf-8")
            .header("user-agent", "Zendesk Webhook")
            .header("x-zendesk-account-id", desk.options.account_id)
            .header("x-zendesk-webhook-id", &*webhook.id)
            .header("x-zendesk-webhook-invocation-id", &*delivery.invocation)
            .header("x-zendesk-webhook-signature-timestamp", timestamp)
            .header("x-zendesk-webhook-signature", signature);
        if let Some((name, value)) = &webhook.header {
            request = request.header(&**name, &**value);
        }
        // An endpoint that is no URL can never be reached.
        request.body(body).ok()
    }

    fn with_breaker<T>(&self, webhook: &str, look: impl FnOnce(&mut Breaker, i64) -> T) -> T {
        let mut desk = self.desk();
        let now_ms = desk.now_ms();
        look(desk.breakers.entry(webhook.into()).or_default(), now_ms)
    }

    /// Keeps how the newest deliveries of a webhook fared, for whoever asks.
    fn note_invocation(&self, delivery: &DeliveryRow, status: &'static str, code: Option<u16>) {
        let mut desk = self.desk();
        let invocation = Invocation {
            id: delivery.invocation.clone(),
            status,
            status_code: code,
            latest_completed_at: iso_seconds(desk.now_ms()),
        };
        let kept = desk.invocations.entry(delivery.webhook.clone()).or_default();
        kept.retain(|known| known.id != invocation.id);
        kept.push_front(invocation);
        kept.truncate(INVOCATIONS_MAX);
    }

    fn delivered(&self, id: u64) {
        let mut desk = self.desk();
        desk.in_flight.remove(&id);
        // Without an outbound the delivery waits for one.
        if desk.outbound.is_none() || !desk.state.deliveries.contains_key(&id) {
            return;
        }
        let mut tx = desk.tx(0, None);
        tx.push(Op::Delivered(id));
        let line = tx.finish();
        if desk.commit(line).is_err() {
            tracing::error!(delivery = id, "a delivery could not be noted; it will be sent again");
        }
    }
}

/// Whether an attempt is repeated, by the documented table.
fn judge(answer: &Result<http::Response<Bytes>, String>, attempt: u32) -> Next {
    let backoff = Next::RetryAfter(Duration::from_secs(1 << attempt.min(5)));
    let Ok(answer) = answer else {
        return if attempt <= TIMEOUT_RETRIES { backoff } else { Next::Done };
    };
    match answer.status().as_u16() {
        409 if attempt <= CONFLICT_RETRIES => backoff,
        429 | 503 if attempt <= TIMEOUT_RETRIES => {
            let header = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
            let seconds = header.and_then(|text| text.parse::<u64>().ok());
            match seconds.filter(|seconds| *seconds < RETRY_AFTER_S_MAX) {
                Some(seconds) => Next::RetryAfter(Duration::from_secs(seconds)),
                None => Next::Done,
            }
        }
        _ => Next::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, retry_after: Option<&str>) -> Result<http::Response<Bytes>, String> {
        let mut answer = http::Response::builder().status(status);
        if let Some(seconds) = retry_after {
            answer = answer.header("retry-after", seconds);
        }
        Ok(answer.body(Bytes::new()).unwrap())
    }

    #[test]
    fn retries_follow_the_documented_table() {
        let retried = |answer: &Result<_, String>, attempt| judge(answer, attempt) != Next::Done;
        assert!(!retried(&answered(200, None), 1));
        assert!(!retried(&answered(500, None), 1) && !retried(&answered(404, None), 1));
        assert!(retried(&answered(409, None), 3) && !retried(&answered(409, None), 4));
        assert!(retried(&answered(503, Some("10")), 1) && !retried(&answered(503, None), 1));
        assert!(!retried(&answered(429, Some("60")), 1));
        let late: Result<http::Response<Bytes>, String> = Err("late".to_owned());
        assert!(retried(&late, 5) && !retried(&late, 6));
    }

    #[test]
    fn the_breaker_opens_at_seventy_percent_of_a_hundred() {
        let mut breaker = Breaker::default();
        for at in 0..99 {
            breaker.note(at, at < 29);
        }
        assert_eq!(breaker.pause_ms(99), 0);
        breaker.note(99, false);
        assert_eq!(breaker.pause_ms(99), BREAKER_PAUSE_MS);
        assert_eq!(breaker.pause_ms(99 + BREAKER_PAUSE_MS), 0);
    }
}
