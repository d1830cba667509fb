//! The rules that matter, each tried through `handle` under tokio's paused clock.

mod access;
mod contents;
mod journal;
mod listing;
mod openapi;
mod people;
mod tasks;
mod webhooks;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Method, Request, Response};
use serde_json::{Value, json};

use super::*;
use crate::clock::tokio_clock;
use crate::{Faults, Outbound};

/// 2026-03-02T10:00:00Z.
pub(super) const START_MS: i64 = 1_772_445_600_000;
/// The user of the sync.
pub(super) const BOT: i64 = 9001;
pub(super) const ANN: i64 = 183;
pub(super) const SAM: i64 = 184;
pub(super) const GUEST: i64 = 200;
pub(super) const LIST: &str = "901100";
pub(super) const OTHER_LIST: &str = "901101";
pub(super) const SPACE: &str = "789";
pub(super) const TEAM: &str = "9011000001";

/// An answer, taken apart.
#[derive(Debug)]
pub(super) struct Got {
    pub status: u16,
    pub body: Value,
    pub headers: HeaderMap,
}

impl Got {
    /// The status and the code of an error.
    pub fn error(&self) -> (u16, &str) {
        (self.status, self.body["ECODE"].as_str().unwrap_or_default())
    }
}

/// Receives deliveries, and answers them with the statuses it is told, the last one for ever.
#[derive(Clone, Default)]
pub(super) struct Receiver {
    pub seen: Arc<Mutex<Vec<Request<Bytes>>>>,
    pub answers: Arc<Mutex<Vec<u16>>>,
}

impl Outbound for Receiver {
    fn post(&self, request: Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, String>> {
        self.seen.lock().unwrap().push(request);
        let mut answers = self.answers.lock().unwrap();
        let status =
            if answers.len() > 1 { answers.remove(0) } else { answers.first().copied().unwrap_or(200) };
        Box::pin(async move {
            if status == 0 {
                std::future::pending::<()>().await;
            }
            Ok(Response::builder().status(status).body(Bytes::new()).unwrap())
        })
    }
}

impl Receiver {
    /// The bodies received so far, and forgets them.
    pub fn take(&self) -> Vec<Value> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        seen.iter().map(|request| serde_json::from_slice(request.body()).unwrap()).collect()
    }

    /// Event names with the field of their first item, sorted, since order is not promised.
    pub fn names(&self) -> Vec<String> {
        let name = |body: &Value| match body["history_items"][0]["field"].as_str() {
            Some(field) => format!("{} {field}", body["event"].as_str().unwrap()),
            None => body["event"].as_str().unwrap().to_owned(),
        };
        let mut names: Vec<String> = self.take().iter().map(name).collect();
        names.sort();
        names
    }
}

pub(super) struct Bench {
    pub sim: ClickUpSim,
    pub receiver: Receiver,
    pub drop_down: SeededField,
    pub labels: SeededField,
    pub number: SeededField,
    pub checkbox: SeededField,
    pub text: SeededField,
    pub date: SeededField,
    /// Only for tasks of type 7.
    pub special: SeededField,
}

pub(super) fn options() -> ClickUpOptions {
    ClickUpOptions {
        faults: Faults::default(),
        unlimited: true,
        sync_user: BOT,
        ..ClickUpOptions::new(tokio_clock(START_MS))
    }
}

impl Bench {
    pub fn new() -> Self {
        Self::with(options())
    }

    pub fn with(options: ClickUpOptions) -> Self {
        let receiver = Receiver::default();
        let options = ClickUpOptions { outbound: Some(Arc::new(receiver.clone())), ..options };
        let sim = ClickUpSim::open(options).unwrap();
        let fields = sim.seed(fill).unwrap();
        let [drop_down, labels, number, checkbox, text, date, special] = fields;
        Self { sim, receiver, drop_down, labels, number, checkbox, text, date, special }
    }

    /// A call as the sync's user.
    pub async fn call(&self, method: &str, path: &str, body: Value) -> Got {
        self.call_as(BOT, method, path, body).await
    }

    pub async fn call_as(&self, user: i64, method: &str, path: &str, body: Value) -> Got {
        send(&self.sim, request(user, method, path, body)).await
    }

    pub async fn get(&self, path: &str) -> Value {
        let got = self.call("GET", path, Value::Null).await;
        assert_eq!(got.status, 200, "{path}: {}", got.body);
        got.body
    }

    /// Creates a task as the sync's user and returns its id.
    pub async fn create(&self, body: Value) -> String {
        let got = self.call("POST", &format!("/api/v2/list/{LIST}/task"), body).await;
        assert_eq!(got.status, 200, "{}", got.body);
        got.body["id"].as_str().unwrap().to_owned()
    }

    /// Lets every delivery run its course.
    pub async fn settle(&self) {
        for _ in 0..1_000 {
            if self.sim.idle() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
        panic!("deliveries never end");
    }

    /// Registers a webhook of the sync's user for everything, and returns its body.
    pub async fn hook(&self, body: Value) -> Value {
        let mut hook = json!({"endpoint": "https://hooks.example/clickup", "events": "*"});
        hook.as_object_mut().unwrap().extend(body.as_object().cloned().unwrap_or_default());
        let got = self.call("POST", &format!("/api/v2/team/{TEAM}/webhook"), hook).await;
        assert_eq!(got.status, 200, "{}", got.body);
        got.body["webhook"].clone()
    }
}

pub(super) fn request(user: i64, method: &str, path: &str, body: Value) -> Request<Bytes> {
    let builder = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .uri(format!("https://api.clickup.example{path}"))
        .header("Authorization", format!("pk_{user}"))
        .header("Content-Type", "application/json");
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    builder.body(body).unwrap()
}

pub(super) async fn send(sim: &ClickUpSim, request: Request<Bytes>) -> Got {
    let answer = sim.handle(request).await;
    let (parts, body) = answer.into_parts();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    Got { status: parts.status.as_u16(), body, headers: parts.headers }
}

fn fill(seed: &mut Seed<'_, '_>) -> [SeededField; 7] {
    let person = |id, name: &str, role| Member {
        id,
        username: name.to_owned(),
        email: Some(format!("{id}@example.com")),
        role,
        ..Member::default()
    };
    seed.add_member(person(BOT, "Sync Bot", Role::Admin));
    seed.add_member(Member { utc_offset_min: 120, ..person(ANN, "Ann Lee", Role::Member) });
    seed.add_member(Member { email: None, ..person(SAM, "Sam", Role::Member) });
    seed.add_member(person(GUEST, "Gus", Role::Guest));
    seed.add_space(SPACE, "Support");
    seed.add_tag(SPACE, "known");
    seed.add_folder("456", "Queues", SPACE);
    let statuses = |rows: &[(&str, &str)]| {
        rows.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect::<Vec<_>>()
    };
    seed.add_list(ListSeed {
        id: LIST.to_owned(),
        name: "Tickets".to_owned(),
        space: SPACE.to_owned(),
        statuses: statuses(&[
            ("to do", "open"),
            ("in progress", "custom"),
            ("ready", "done"),
            ("Closed", "closed"),
        ]),
        members: vec![ANN, GUEST],
        ..ListSeed::default()
    });
    seed.add_list(ListSeed {
        id: OTHER_LIST.to_owned(),
        name: "Escalations".to_owned(),
        space: SPACE.to_owned(),
        folder: Some("456".to_owned()),
        statuses: statuses(&[("to do", "open"), ("working", "custom"), ("Closed", "closed")]),
        ..ListSeed::default()
    });
    let kinds = ["drop_down", "labels", "number", "checkbox", "short_text", "date", "short_text"];
    kinds.map(|kind| {
        let special = kind == "short_text" && seed.tx.state.fields.values().any(|field| field.kind == kind);
        seed.add_field(FieldSeed {
            name: kind.to_owned(),
            kind: kind.to_owned(),
            options: match kind {
                "drop_down" | "labels" => ["one", "two", "three"].map(str::to_owned).to_vec(),
                _ => Vec::new(),
            },
            lists: vec![LIST.to_owned()],
            items: special.then(|| vec![7]),
        })
    })
}
