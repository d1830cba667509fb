//! A million forged deliveries: none is taken, none changes anything, none makes the intake fall over; and a genuine one
//! that comes again changes nothing more.

use std::sync::Arc;

use bytes::Bytes;
use clients::{Secret, signatures};
use domain::{Side, Timestamp};
use functions::Context;
use functions::registration::{self, Accounts, Endpoints};
use functions::webhook;
use http::{HeaderValue, Request, StatusCode};
use serde_json::json;
use stores::FaultPlan;
use tests::whole::{Stage, on_paused_clock};
use world::WorldOptions;

/// Forged deliveries, both sides together.
const FORGED: u32 = 1_000_000;

/// A delivery in its parts.
#[derive(Clone, Debug)]
struct Delivery {
    side: Side,
    timestamp: Option<String>,
    signature: String,
    body: Vec<u8>,
}

impl Delivery {
    fn of_zendesk(secret: &Secret, now_ms: i64) -> Self {
        let timestamp = Timestamp(now_ms).to_rfc3339();
        let body = json!({
            "type": "zen:event-type:ticket.priority_changed", "id": "event-1", "time": timestamp,
            "detail": { "id": "3", "actor_id": "17" }, "event": { "current": "high", "previous": "low" },
        });
        let body = body.to_string().into_bytes();
        let signature = signatures::zendesk_signature(secret, &timestamp, &body);
        Self { side: Side::Zendesk, timestamp: Some(timestamp), signature, body }
    }

    fn of_clickup(secret: &Secret, task: &str, now_ms: i64) -> Self {
        let item = json!({
            "id": "item-1", "field": "priority", "date": now_ms.to_string(), "user": { "id": 23 },
            "before": null, "after": { "priority": "high" },
        });
        let body = json!({ "event": "taskUpdated", "task_id": task, "history_items": [item] });
        let body = body.to_string().into_bytes();
        let signature = signatures::clickup_signature(secret, &body);
        Self { side: Side::Clickup, timestamp: None, signature, body }
    }

    fn request(&self) -> Request<Bytes> {
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
    fn forged(&self, rng: &mut fastrand::Rng) -> Self {
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

/// What a delivery changes: work rows and evidence are written by these.
fn written(cx: &Context) -> u64 {
    let requests = cx.store.operations().requests;
    ["PutItem", "UpdateItem", "DeleteItem"].iter().filter_map(|name| requests.get(*name)).sum()
}

fn stage() -> Stage {
    let options = WorldOptions { tickets: 6, edits: 0, ..WorldOptions::default() };
    Stage::open(options, FaultPlan::none()).expect("a world in memory")
}

/// A delivery of each side as the services would sign it.
async fn genuine(stage: &Stage) -> (Arc<Context>, [Delivery; 2]) {
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
    let now_ms = cx.clock.now_ms();
    let both =
        [Delivery::of_zendesk(&secrets[0], now_ms), Delivery::of_clickup(&secrets[1], task.as_str(), now_ms)];
    (cx, both)
}

/// The first delivery, of so many, that was taken or changed something.
async fn first_taken(
    cx: &Context,
    count: u32,
    mut forge: impl FnMut(u32) -> Delivery,
) -> Option<(u32, StatusCode, Delivery)> {
    let before = written(cx);
    for number in 0..count {
        let forged = forge(number);
        let answered = webhook::handle(cx, forged.side, forged.request()).await;
        let status = answered.response.status();
        let refused = matches!(status, StatusCode::FORBIDDEN | StatusCode::SERVICE_UNAVAILABLE);
        if !refused || answered.wake_ms.is_some() || written(cx) != before {
            return Some((number, status, forged));
        }
    }
    None
}

#[test]
fn a_million_forged_deliveries_change_nothing() {
    on_paused_clock(async {
        let stage = stage();
        let (cx, genuine) = genuine(&stage).await;
        let mut rng = fastrand::Rng::with_seed(1);
        // The first wrong signature of a side makes the intake ask for its secrets, which books a call.
        for delivery in &genuine {
            let _ = first_taken(&cx, 1, |_| delivery.forged(&mut rng)).await;
        }
        let taken = first_taken(&cx, FORGED, |number| genuine[(number % 2) as usize].forged(&mut rng)).await;
        assert!(taken.is_none(), "{taken:?}");
    });
}

#[test]
fn a_delivery_that_is_taken_is_found() {
    on_paused_clock(async {
        let stage = stage();
        let (cx, genuine) = genuine(&stage).await;
        for delivery in &genuine {
            let mut rng = fastrand::Rng::with_seed(2);
            let _ = first_taken(&cx, 1, |_| delivery.forged(&mut rng)).await;
            let planted = |number| if number == 700 { delivery.clone() } else { delivery.forged(&mut rng) };
            let found = first_taken(&cx, 1_000, planted).await.map(|(number, ..)| number);
            assert_eq!(found, Some(700), "{}", delivery.side);
        }
    });
}

#[test]
fn a_genuine_delivery_is_taken_once() {
    on_paused_clock(async {
        let stage = stage();
        let (cx, genuine) = genuine(&stage).await;
        for delivery in genuine {
            let before = written(&cx);
            let first = webhook::handle(&cx, delivery.side, delivery.request()).await;
            assert_eq!(first.response.status(), StatusCode::OK);
            assert!(first.wake_ms.is_some() && written(&cx) > before, "{}: news", delivery.side);
            let after = written(&cx);
            let again = webhook::handle(&cx, delivery.side, delivery.request()).await;
            assert_eq!((again.response.status(), again.wake_ms), (StatusCode::OK, None));
            assert_eq!(written(&cx), after, "{}: a replay wrote something", delivery.side);
        }
    });
}
