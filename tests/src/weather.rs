//! What goes wrong between one executor and the services, each with its own probability, all at once: replies that are
//! lost, late, garbled or refused, requests that are carried out long after their sender has given up, and an
//! executor that stands still.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use clients::{Clock, Transport, TransportError};
use domain::Side;
use fastrand::Rng;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::header::{HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use serde_json::Value as Json;
use stores::Store;

use crate::manners::Manners;

type Answer = Result<Response<Bytes>, TransportError>;

/// How long a client waits for a reply before it gives up.
const PATIENCE_MS: u64 = 10_000;
/// When a request is carried out that its sender has given up: within the delay after which deskup believes lists.
const LATE_MS: (u64, u64) = (12_000, 40_000);
/// How long an executor stands still between a request's effect and its reply: longer than leases and claims.
const STILL_MS: (u64, u64) = (125_000, 300_000);
/// How long a refusal asks to wait.
const RETRY_AFTER_S: (u64, u64) = (1, 20);

/// Of so many reads, and of so many writes, each happens as often as is said there.
const OF_READS: u32 = 1_000;
const OF_WRITES: u32 = 400;

/// Everything that can happen to a request, and how often.
const KINDS: [(&str, u32); 13] = [
    ("request lost", 15),
    ("reply lost", 20),
    ("reply late", 10),
    ("carried out late", 15),
    ("server error", 15),
    ("web page", 8),
    ("truncated", 10),
    ("nulls", 6),
    ("429 with Retry-After", 6),
    ("429 without", 6),
    ("stood still at a reply", 2),
    ("wrong headers", 10),
    ("unknown values", 10),
];

/// A task was asked for by an executor that had stood still since it decided to: nobody knows any more that it may come.
pub const STALE_CREATE: &str = "create after standing still";

/// What has happened so far, by name, and which requests arrived long after they were booked.
#[derive(Clone, Debug, Default)]
pub struct Fired {
    counts: Arc<Mutex<BTreeMap<&'static str, u64>>>,
    late: Arc<Mutex<Vec<(Side, i64)>>>,
    wrong: Arc<Mutex<BTreeSet<String>>>,
}

impl Fired {
    /// One more.
    pub fn add(&self, what: &'static str) {
        *self.lock().entry(what).or_default() += 1;
    }

    /// These, too.
    pub fn add_all(&self, what: BTreeMap<&'static str, u64>) {
        let mut counts = self.lock();
        for (name, times) in what {
            *counts.entry(name).or_default() += times;
        }
    }

    /// All of them.
    pub fn all(&self) -> BTreeMap<&'static str, u64> {
        self.lock().clone()
    }

    /// Requests that arrived at a service long after their sender had booked them: when, ms.
    pub fn late_within(&self, side: Side, (from_ms, to_ms): (i64, i64)) -> usize {
        let late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        late.iter().filter(|(at, ms)| *at == side && (from_ms..to_ms).contains(ms)).count()
    }

    /// What executors did on the wire that they must never do.
    pub fn wrong(&self) -> Vec<String> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(crate) fn found(&self, wrong: String) {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).insert(wrong);
    }

    fn arrived_late(&self, side: Side, at_ms: i64) {
        self.late.lock().unwrap_or_else(PoisonError::into_inner).push((side, at_ms));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The weather of one executor.
pub struct Weather {
    wire: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    random: Mutex<Rng>,
    fired: Fired,
    /// Its executor's view of the table, which stands still with it.
    table: Store,
    /// Whether all is well now.
    pub calm: Arc<AtomicBool>,
    manners: Manners,
}

impl Weather {
    /// Over this wire, drawn from this seed.
    pub fn new(
        wire: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        table: Store,
        seed: u64,
        fired: Fired,
        calm: Arc<AtomicBool>,
    ) -> Arc<Self> {
        let random = Mutex::new(Rng::with_seed(seed));
        let manners = Manners::default();
        Arc::new(Self { wire, clock, random, fired, table, calm, manners })
    }

    fn draw<T>(&self, of: impl FnOnce(&mut Rng) -> T) -> T {
        of(&mut self.random.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What happens to the next request: to one that changes something, more often.
    fn kind(&self, method: &Method) -> Option<&'static str> {
        if self.calm.load(Ordering::Relaxed) {
            return None;
        }
        let mut dice =
            self.draw(|random| random.u32(0..if *method == Method::GET { OF_READS } else { OF_WRITES }));
        let found = KINDS.iter().find(|(_, share)| match dice.checked_sub(*share) {
            Some(rest) => {
                dice = rest;
                false
            }
            None => true,
        });
        found.map(|(kind, _)| *kind)
    }

    /// True if the executor stood still.
    async fn stand_still(&self) -> bool {
        match self.table.stall() {
            Some(stall) => stall.is_over().await,
            None => false,
        }
    }

    /// With limits that are left out, unreadable or far too large.
    fn misled(&self, mut answer: Response<Bytes>) -> Response<Bytes> {
        let wrong = [None, Some("many"), Some("-1"), Some("99999999999999999999")]
            [self.draw(|random| random.usize(0..4))];
        let limits = |name: &&HeaderName| name.as_str().contains("limit");
        let names: Vec<HeaderName> = answer.headers().keys().filter(limits).cloned().collect();
        for name in names {
            match wrong {
                Some(text) => drop(answer.headers_mut().insert(name, HeaderValue::from_static(text))),
                None => drop(answer.headers_mut().remove(name)),
            }
        }
        answer
    }

    async fn carry(&self, request: Request<Bytes>) -> Answer {
        let side = side_of(&request);
        let asks_for_token = request.uri().path().ends_with("/oauth/tokens");
        let _asking = asks_for_token.then(|| self.manners.asks(&self.fired));
        let name = format!("{} {}", request.method(), request.uri());
        self.manners.waits(&self.fired, &name, self.clock.now_ms());
        if self.stand_still().await {
            self.fired.arrived_late(side, self.clock.now_ms());
            if is_create(&request) {
                self.fired.add(STALE_CREATE);
            }
        }
        let kind = self.kind(request.method());
        if let Some(kind) = kind {
            self.fired.add(kind);
        }
        let lost = || TransportError::Unknown("no answer (injected)".to_owned());
        let answer = match kind {
            Some("request lost") => {
                sleep_ms(PATIENCE_MS).await;
                return Err(lost());
            }
            Some("carried out late") => {
                let (wire, ms) = (self.wire.clone(), self.draw(|random| random.u64(LATE_MS.0..=LATE_MS.1)));
                let (fired, clock) = (self.fired.clone(), self.clock.clone());
                // It is under way, whatever becomes of its sender.
                tokio::spawn(async move {
                    sleep_ms(ms).await;
                    fired.arrived_late(side, clock.now_ms());
                    drop(wire.send(request).await);
                });
                sleep_ms(PATIENCE_MS).await;
                return Err(lost());
            }
            Some("server error") => return Ok(page(StatusCode::SERVICE_UNAVAILABLE, "{}")),
            Some("web page") => return Ok(page(StatusCode::BAD_GATEWAY, "<html>Bad gateway</html>")),
            Some("429 with Retry-After") => {
                let seconds = self.draw(|random| random.u64(RETRY_AFTER_S.0..=RETRY_AFTER_S.1));
                let mut answer = page(StatusCode::TOO_MANY_REQUESTS, "{}");
                answer.headers_mut().insert("retry-after", seconds.into());
                self.manners.told(name, self.clock.now_ms() + seconds as i64 * 1_000);
                return Ok(answer);
            }
            Some("429 without") => return Ok(page(StatusCode::TOO_MANY_REQUESTS, "")),
            _ => self.wire.send(request).await,
        };
        if kind == Some("stood still at a reply") {
            let ms = self.draw(|random| random.u64(STILL_MS.0..=STILL_MS.1));
            self.table.stall().into_iter().for_each(|stall| stall.begin(Duration::from_millis(ms)));
        }
        self.stand_still().await;
        match kind {
            Some("reply lost") => {
                sleep_ms(PATIENCE_MS).await;
                Err(lost())
            }
            Some("reply late") => {
                sleep_ms(PATIENCE_MS / 2).await;
                answer
            }
            Some("truncated") => answer.map(|answer| answer.map(|body| body.slice(..body.len() / 2))),
            Some("wrong headers") => answer.map(|answer| self.misled(answer)),
            Some("unknown values") => answer.map(|answer| answer.map(|body| unknown_values(&body))),
            Some("nulls") => answer.map(|answer| answer.map(|_| Bytes::from_static(b"null"))),
            _ => answer,
        }
    }
}

fn is_create(request: &Request<Bytes>) -> bool {
    let path = request.uri().path();
    *request.method() == Method::POST && path.contains("/list/") && path.ends_with("/task")
}

fn side_of(request: &Request<Bytes>) -> Side {
    let to_clickup = request.uri().host().is_some_and(|host| host.contains("clickup"));
    if to_clickup { Side::Clickup } else { Side::Zendesk }
}

/// What a later version of the service might add: values of members that deskup need not know, and more members.
fn unknown_values(body: &[u8]) -> Bytes {
    let Ok(mut json) = serde_json::from_slice::<Json>(body) else { return Bytes::copy_from_slice(body) };
    add_unknown(&mut json);
    Bytes::from(json.to_string())
}

fn add_unknown(json: &mut Json) {
    match json {
        Json::Array(all) => all.iter_mut().for_each(add_unknown),
        Json::Object(members) => {
            for name in ["channel", "source", "satisfaction_rating", "locale"] {
                members.entry(name).and_modify(|value| *value = Json::from("telepathy"));
            }
            members.values_mut().for_each(add_unknown);
            members.insert("brand_new".to_owned(), Json::Null);
        }
        _ => {}
    }
}

fn page(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    response
}

async fn sleep_ms(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

impl Transport for Weather {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Answer> {
        self.carry(request).boxed()
    }
}
