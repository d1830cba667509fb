//! People who edit a record at the worst moment: between deskup's read and its write, in the same second, or right after
//! its write. What they do is logged and judged like any edit.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use clients::{Transport, TransportError};
use domain::{Side, footer};
use fastrand::Rng;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use serde_json::Value as Json;
use world::World;
use world::people::{Intention, Kind, People};

use crate::weather::Fired;

/// Of so many reads of a ticket, one finds that somebody has just edited it.
const OF_READS: u32 = 40;
/// Of so many writes, one finds that somebody else is at the same field; after such a read, of so many.
const OF_WRITES: u32 = 60;
const OF_WRITES_AFTER: u32 = 2;
/// Of so many jobs, one finds that somebody has just edited its first ticket.
const OF_JOBS: u32 = 3;
/// For how long a read counts for that, ms: the services tell times in seconds.
const AFTER_MS: i64 = 1_000;

/// Which kind of edit hits the same as a member of a write's body.
const HITS: [(&str, Kind); 10] = [
    ("priority", Kind::Priority),
    ("subject", Kind::Title),
    ("name", Kind::Title),
    ("status", Kind::Status),
    ("custom_status_id", Kind::Status),
    ("assignee_id", Kind::Assignee),
    ("assignees", Kind::Assignee),
    ("tags", Kind::Tag),
    ("due_at", Kind::Due),
    ("due_date", Kind::Due),
];

/// People beside one executor's requests.
pub struct Rivals {
    wire: Arc<dyn Transport>,
    world: Arc<World>,
    random: Mutex<Rng>,
    /// Numbers their edits, of all executors together.
    edits: Arc<AtomicU64>,
    /// When somebody edited a ticket before it was read, ms.
    read: Mutex<BTreeMap<u64, i64>>,
    fired: Fired,
    calm: Arc<AtomicBool>,
}

impl Rivals {
    /// Over this wire, drawn from this seed; `edits` is shared by all executors.
    pub fn new(
        wire: Arc<dyn Transport>,
        world: Arc<World>,
        seed: u64,
        edits: Arc<AtomicU64>,
        fired: Fired,
        calm: Arc<AtomicBool>,
    ) -> Arc<Self> {
        let random = Mutex::new(Rng::with_seed(seed ^ 0x51a1));
        Arc::new(Self { wire, world, random, edits, read: Mutex::default(), fired, calm })
    }

    fn draw<T>(&self, of: impl FnOnce(&mut Rng) -> T) -> T {
        of(&mut self.random.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_one_of(&self, many: u32) -> bool {
        !self.calm.load(Ordering::Relaxed) && self.draw(|random| random.u32(0..many)) == 0
    }

    /// Somebody edits this now.
    async fn edit(&self, side: Side, kind: Kind, ticket: u64, what: &'static str) {
        let tickets = &self.world.scenario().tickets;
        let Some(at) = tickets.iter().position(|one| u64::try_from(one.id) == Ok(ticket)) else { return };
        // The dice choose the ticket by what is left over, and everything else by the rest.
        let rest = self.draw(|random| random.u64(0..1 << 40));
        let dice = rest * tickets.len() as u64 + at as u64;
        let id = format!("r{:05}", self.edits.fetch_add(1, Ordering::Relaxed) + 1);
        let intention = Intention { id, at_ms: 0, side, kind, dice, pair_of: None };
        let world = self.world.clone();
        let now_ms = move || world.now_ms();
        let (zendesk, clickup) = (self.world.zendesk(), self.world.clickup());
        let mut people = People::new(self.world.scenario(), zendesk, clickup, &now_ms);
        let played = people.play(&[intention], self.world.now_ms(), |_| {}).await;
        if played.done > 0 {
            self.fired.add(what);
        }
    }

    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let Some((side, ticket)) = self.about(&request) else {
            if let Some(ticket) = first_of_many(&request).filter(|_| self.is_one_of(OF_JOBS)) {
                self.edit(Side::Zendesk, Kind::Tag, ticket, "edited before a job").await;
            }
            return self.wire.send(request).await;
        };
        if request.method() == Method::GET {
            if side == Side::Zendesk && self.is_one_of(OF_READS) {
                self.edit(side, Kind::Tag, ticket, "edited before a read").await;
                let now_ms = self.world.now_ms();
                self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(ticket, now_ms);
            }
            return self.wire.send(request).await;
        }
        let Some(kind) = hit(&request) else { return self.wire.send(request).await };
        let read_ms = self.read.lock().unwrap_or_else(PoisonError::into_inner).get(&ticket).copied();
        let is_soon = read_ms.is_some_and(|ms| self.world.now_ms() - ms < AFTER_MS);
        if self.is_one_of(if is_soon { OF_WRITES_AFTER } else { OF_WRITES }) {
            self.edit(side, kind, ticket, "edited before a write").await;
        }
        let answer = self.wire.send(request).await;
        if self.is_one_of(OF_WRITES) {
            self.edit(side, kind, ticket, "edited after a write").await;
        }
        answer
    }

    /// Which ticket, or the ticket of which task, a request reads or writes as a whole.
    fn about(&self, request: &Request<Bytes>) -> Option<(Side, u64)> {
        let path = request.uri().path();
        if !matches!(*request.method(), Method::GET | Method::PUT) {
            return None;
        }
        if let Some(ticket) = path.strip_prefix("/api/v2/tickets/") {
            return Some((Side::Zendesk, ticket.trim_end_matches(".json").parse().ok()?));
        }
        let task = self.world.clickup().task(path.strip_prefix("/api/v2/task/")?)?;
        let marker = footer::parse(task["description"].as_str()?)?;
        Some((Side::Clickup, marker.ticket.get()))
    }
}

/// The first ticket that a job is to change.
fn first_of_many(request: &Request<Bytes>) -> Option<u64> {
    if !request.uri().path().trim_end_matches(".json").ends_with("/tickets/update_many") {
        return None;
    }
    let body: Json = serde_json::from_slice(request.body()).ok()?;
    body["tickets"][0]["id"].as_u64()
}

/// The first field that a write changes.
fn hit(request: &Request<Bytes>) -> Option<Kind> {
    let body: Json = serde_json::from_slice(request.body()).ok()?;
    let members = body.get("ticket").unwrap_or(&body).as_object()?;
    HITS.iter().find(|(name, _)| members.contains_key(*name)).map(|(_, kind)| *kind)
}

impl Transport for Rivals {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        self.carry(request).boxed()
    }
}
