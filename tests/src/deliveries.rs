//! Deliveries of both services to the intake, genuine and forged.

use std::sync::Arc;

use bytes::Bytes;
use clients::{Secret, signatures};
use domain::{Side, Timestamp};
use functions::Context;
use functions::registration::{self, Accounts, Endpoints};
use http::{HeaderValue, Request};
use serde_json::json;
use stores::FaultPlan;
use world::WorldOptions;

use crate::whole::Stage;

/// A delivery in its parts.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Whose it is.
    pub side: Side,
    /// When it was signed, as Zendesk tells.
    pub timestamp: Option<String>,
    /// The signature.
    pub signature: String,
    /// The raw body.
    pub body: Vec<u8>,
}

impl Delivery {
    /// Zendesk's event of this number: a ticket's priority has changed.
    pub fn of_zendesk(secret: &Secret, event: u32, now_ms: i64) -> Self {
        Self::of_ticket(secret, 3, event, now_ms)
    }

    /// The same of any ticket.
    pub fn of_ticket(secret: &Secret, ticket: u64, event: u32, now_ms: i64) -> Self {
        let timestamp = Timestamp(now_ms).to_rfc3339();
        let body = json!({
            "type": "zen:event-type:ticket.priority_changed", "id": format!("event-{event}"), "time": timestamp,
            "detail": { "id": ticket.to_string(), "actor_id": "17" }, "event": { "current": "high", "previous": "low" },
        });
        let body = body.to_string().into_bytes();
        let signature = signatures::zendesk_signature(secret, &timestamp, &body);
        Self { side: Side::Zendesk, timestamp: Some(timestamp), signature, body }
    }

    /// Zendesk's news of when a ticket's service level ends next, if it does.
    pub fn of_service_level(secret: &Secret, ticket: u64, told_ms: i64, breach_ms: Option<i64>) -> Self {
        let timestamp = Timestamp(told_ms).to_rfc3339();
        let body = json!({
            "type": "zen:event-type:ticket.next_sla_breach_changed", "id": format!("sla-{ticket}-{told_ms}"),
            "time": timestamp, "detail": { "id": ticket.to_string(), "actor_id": "-1" },
            "event": { "current": breach_ms.map(|ms| Timestamp(ms).to_rfc3339()), "previous": null },
        });
        let body = body.to_string().into_bytes();
        let signature = signatures::zendesk_signature(secret, &timestamp, &body);
        Self { side: Side::Zendesk, timestamp: Some(timestamp), signature, body }
    }

    /// ClickUp's event of this number: a task's priority has changed.
    pub fn of_clickup(secret: &Secret, task: &str, item: u32, now_ms: i64) -> Self {
        let item = json!({
            "id": format!("item-{item}"), "field": "priority", "date": now_ms.to_string(), "user": { "id": 23 },
            "before": null, "after": { "priority": "high" },
        });
        let body = json!({ "event": "taskUpdated", "task_id": task, "history_items": [item] });
        let body = body.to_string().into_bytes();
        let signature = signatures::clickup_signature(secret, &body);
        Self { side: Side::Clickup, timestamp: None, signature, body }
    }

    /// As it comes in.
    pub fn request(&self) -> Request<Bytes> {
        let mut request = Request::new(Bytes::from(self.body.clone()));
        let headers = request.headers_mut();
        let signature = HeaderValue::from_bytes(self.signature.as_bytes());
        let name = match self.side {
            Side::Zendesk => "x-zendesk-webhook-signature",
            Side::Clickup => "x-signature",
        };
        signature.map(|value| headers.insert(name, value)).ok();
        if let Some(Ok(value)) = self.timestamp.as_deref().map(HeaderValue::from_str) {
            headers.insert("x-zendesk-webhook-signature-timestamp", value);
        }
        request
    }

    /// The same with one thing changed. Nobody without the secret can do better than guess.
    pub fn forged(&self, rng: &mut fastrand::Rng) -> Self {
        let mut forged = self.clone();
        match rng.u8(0..7) {
            0 => {
                let at = rng.usize(..forged.body.len());
                forged.body[at] ^= rng.u8(1..);
            }
            1 => forged.body.truncate(rng.usize(..self.body.len())),
            2 => forged.body.extend((0..rng.usize(1..9)).map(|_| rng.u8(..))),
            3 => {
                let at = rng.usize(..forged.signature.len());
                let letter = loop {
                    let letter = rng.alphanumeric();
                    if !forged.signature[at..].starts_with(letter) {
                        break letter;
                    }
                };
                forged.signature.replace_range(at..=at, &letter.to_string());
            }
            4 => forged.signature.truncate(rng.usize(..self.signature.len())),
            5 => forged.signature = std::iter::repeat_with(|| rng.alphanumeric()).take(64).collect(),
            _ => match &mut forged.timestamp {
                Some(timestamp) => {
                    let at = rng.usize(..timestamp.len());
                    let digit = char::from(b'0' + rng.u8(..10)).to_string();
                    if timestamp[at..].starts_with(&digit) {
                        forged.timestamp = None;
                    } else {
                        timestamp.replace_range(at..=at, &digit);
                    }
                }
                None => forged.signature.push('0'),
            },
        }
        forged
    }
}

/// A small world in memory.
pub fn stage() -> Stage {
    let options = WorldOptions { tickets: 6, edits: 0, ..WorldOptions::default() };
    Stage::open(options, FaultPlan::none()).expect("a world in memory")
}

/// The secrets of both sides, and a task that is linked.
pub async fn secrets(stage: &Stage) -> (Arc<Context>, [Secret; 2], String) {
    stage.settle_in().await.expect("a small world settles");
    let cx = stage.deskup.local().expect("it is prepared").cx.clone();
    let endpoints: Endpoints = cx.hooks.endpoints().expect("its webhooks are registered");
    let accounts = Accounts::of(&cx);
    let mut secrets = Vec::new();
    for side in [Side::Zendesk, Side::Clickup] {
        let registered = registration::register(&accounts, &endpoints, side).await;
        secrets.push(registered.expect("it is there").secret);
    }
    let page = cx.store.links().scan(None).await.expect("the store can be read");
    let task = page.links.iter().find_map(|link| link.task.clone()).expect("tickets have tasks");
    let secrets = secrets.try_into().expect("one a side");
    (cx, secrets, task.as_str().to_owned())
}

/// A delivery of each side as the services would sign it.
pub async fn genuine(stage: &Stage) -> (Arc<Context>, [Delivery; 2]) {
    let (cx, secrets, task) = secrets(stage).await;
    let now_ms = cx.clock.now_ms();
    let both =
        [Delivery::of_zendesk(&secrets[0], 1, now_ms), Delivery::of_clickup(&secrets[1], &task, 1, now_ms)];
    (cx, both)
}
