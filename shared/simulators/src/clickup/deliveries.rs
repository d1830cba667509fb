//! Deliveries: signed, tried up to five times, and then dropped for good.
//!
//! Pending deliveries are records like any other, so they survive the process and go on after it. Each has a task of its
//! own that sleeps until it is due; order is not promised.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use sha2::Sha256;

use super::core::{Core, Inner};
use super::history::Event;
use super::model::{Delivery, Location};
use super::rows::{Key, Row};
use super::state::State;
use super::tx::Tx;
use super::webhooks::FAILS_MAX;

/// A slower answer counts as none.
const TIMEOUT: Duration = Duration::from_secs(7);
/// Attempts for one event.
const ATTEMPTS_MAX: u32 = 5;
/// Time before the next attempt, by failed attempts. The real spacing is not documented.
const RETRY_AFTER_MS: [i64; ATTEMPTS_MAX as usize - 1] = [2_000, 5_000, 15_000, 30_000];

/// Turns the events of a request into deliveries to whoever listens there. Returns their numbers.
pub(super) fn enqueue(tx: &mut Tx<'_>) -> Vec<u64> {
    let mut numbers = Vec::new();
    for event in std::mem::take(&mut tx.events) {
        let hooks = tx.state.webhooks.values().filter(|hook| {
            // The webhook of a disabled user stays, but fires no more.
            let alive = tx.state.members.get(&hook.user).is_none_or(|member| !member.disabled);
            let listens = hook.events.iter().any(|name| name == event.name);
            let here = event.places.contains(&hook.location) && sees(tx.state, hook.user, &event);
            alive && listens && here && !hook.suspended
        });
        let mut hooks: Vec<(u64, String)> = hooks.map(|hook| (hook.number, hook.id.clone())).collect();
        hooks.sort();
        for (_, webhook) in hooks {
            if tx.dice.roll(tx.options.faults.webhook_drop) {
                continue;
            }
            let copies = if tx.dice.roll(tx.options.faults.webhook_duplicate) { 2 } else { 1 };
            for _ in 0..copies {
                tx.state.counters.delivery += 1;
                let number = tx.state.counters.delivery;
                let delay_ms = tx.dice.between(tx.options.faults.webhook_delay_ms);
                let due_ms = tx.now + i64::try_from(delay_ms).unwrap_or(i64::MAX / 2);
                let body = event.body(&webhook);
                tx.put(Row::Delivery(
                    Delivery { number, webhook: webhook.clone(), body, attempts: 0, due_ms }.into(),
                ));
                numbers.push(number);
            }
        }
    }
    numbers
}

/// Whether a user may know of an event: one in a list is for those who see the list.
fn sees(state: &State, user: i64, event: &Event) -> bool {
    let mut lists = event.places.iter().filter_map(|place| match place {
        Location::List(id) => state.lists.get(id),
        _ => None,
    });
    event.name == "spaceUpdated" || lists.any(|list| state.sees(user, list))
}

/// Starts the task of a pending delivery. It does not keep the simulator alive.
pub(super) fn start(inner: &Arc<Inner>, number: u64) {
    tokio::spawn(run(Arc::downgrade(inner), number));
}

async fn run(simulator: Weak<Inner>, number: u64) {
    loop {
        let Some(wait_ms) = simulator.upgrade().and_then(|inner| inner.wait_ms(number)) else { return };
        if let Ok(wait_ms @ 1..) = u64::try_from(wait_ms) {
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
        let sent = {
            let Some(inner) = simulator.upgrade() else { return };
            match inner.request(number) {
                Some(request) => inner.post(request),
                None => {
                    inner.settle(number, None);
                    return;
                }
            }
        };
        // The simulator is not held while the answer takes its time: it must be free to go.
        let status = match tokio::time::timeout(TIMEOUT, sent).await {
            Ok(Ok(answer)) => answer.status().as_u16(),
            Ok(Err(_)) | Err(_) => 0,
        };
        if !simulator.upgrade().is_some_and(|inner| inner.settle(number, Some(status))) {
            return;
        }
    }
}

impl Inner {
    fn wait_ms(&self, number: u64) -> Option<i64> {
        Some(self.core().state.deliveries.get(&number)?.due_ms - (self.options.clock)())
    }

    /// The request of a delivery; none when its webhook is gone or suspended by now.
    fn request(&self, number: u64) -> Option<Request<Bytes>> {
        let core = self.core();
        let delivery = core.state.deliveries.get(&number)?;
        let webhook = core.state.webhooks.get(&delivery.webhook).filter(|webhook| !webhook.suspended)?;
        let request = Request::post(&webhook.endpoint)
            .header("Content-Type", "application/json")
            .header("X-Signature", signature(&webhook.secret, delivery.body.as_bytes()));
        request.body(Bytes::from(delivery.body.clone())).ok()
    }

    /// Books how an attempt ended: status 0 is no answer in time, none means that there is nobody to deliver to. False
    /// when it could not be booked.
    fn settle(&self, number: u64, status: Option<u16>) -> bool {
        let mut core = self.core();
        let Core { state, ledger } = &mut *core;
        let mut tx = Tx::new(state, &self.options, &self.dice, 0, None);
        book(&mut tx, number, status);
        let kept = ledger.commit(tx, None);
        if let Err(error) = &kept {
            tracing::warn!(%error, "the end of a webhook delivery could not be written");
        }
        kept.is_ok()
    }
}

fn book(tx: &mut Tx<'_>, number: u64, status: Option<u16>) {
    let Some(mut delivery) = tx.state.deliveries.get(&number).cloned() else { return };
    let webhook = tx.state.webhooks.get(&delivery.webhook).cloned();
    if let (Some(status), Some(before)) = (status, webhook) {
        delivery.attempts += 1;
        let mut webhook = before.clone();
        match status {
            200..=299 => webhook.fail_count = 0,
            401 | 410 => webhook.suspended = true,
            _ if delivery.attempts < ATTEMPTS_MAX => {
                delivery.due_ms = tx.now + RETRY_AFTER_MS[delivery.attempts as usize - 1];
                tx.put(Row::Delivery(delivery.into()));
                return;
            }
            _ => {
                webhook.fail_count += 1;
                webhook.suspended |= webhook.fail_count >= FAILS_MAX;
            }
        }
        if webhook != before {
            tx.put(Row::Webhook(webhook.into()));
        }
    }
    tx.remove(Key::Delivery(number));
}

/// `X-Signature`: lower-case hex HMAC-SHA256 of the raw body. There is no timestamp in it.
pub(super) fn signature(secret: &str, body: &[u8]) -> String {
    // HMAC takes keys of any length, so this cannot fail; an empty signature verifies nowhere.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}
