//! The wire between deskup and the simulated services: carries requests one way and webhooks the other,
//! counts them, loses some when it is told to, and never lets a credential pass to a foreign host unseen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::Duration;

use bytes::Bytes;
use clients::{Clock, Transport, TransportError};
use domain::Side;
use fastrand::Rng;
use futures::future::BoxFuture;
use http::{Request, Response};
use simulators::Outbound;
use simulators::clickup::ClickUpSim;
use simulators::zendesk::ZendeskSim;
use tokio::sync::Notify;

use super::chronicle::Chronicle;
use super::options::WorldOptions;
use crate::deskup::Deskup;
use crate::seedwork::settings::{CLICKUP_URL, ZENDESK_URL};

/// Where the simulated services are told to send their webhooks; the side's name follows.
pub const WEBHOOK_BASE: &str = "https://deskup.example/webhooks/";
/// How long a client waits before it gives up a request that is lost.
const LOST_MS: u64 = 10_000;
/// How long a slow request takes.
const SLOW_MS: (u64, u64) = (2_000, 9_000);
/// How long a webhook is under way.
const WEBHOOK_MS: u64 = 25;

/// Where, around a request, the process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrapAt {
    /// The request never left.
    Before,
    /// The service has carried it out; nobody reads the answer.
    After,
}

/// The wire.
pub struct Wire {
    zendesk: ZendeskSim,
    clickup: ClickUpSim,
    clickup_files: String,
    zendesk_others: Vec<String>,
    clock: Arc<dyn Clock>,
    chronicle: Arc<Chronicle>,
    options: WorldOptions,
    random: Mutex<Rng>,
    deskup: RwLock<Option<Arc<dyn Deskup>>>,
    state: Mutex<State>,
    caught: Notify,
}

#[derive(Debug, Default)]
struct State {
    requests: u64,
    trap: Option<(u64, TrapAt)>,
    cut: bool,
    credential_leaks: u64,
}

/// Which service answers for a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Zendesk,
    Clickup,
    /// Files of either service, on a host that is not the account's.
    Files(Side),
}

/// The parts a wire connects.
pub(super) struct Ends {
    pub zendesk: ZendeskSim,
    pub clickup: ClickUpSim,
    pub clickup_files: String,
    pub zendesk_others: Vec<String>,
    pub clock: Arc<dyn Clock>,
    pub chronicle: Arc<Chronicle>,
}

impl Wire {
    pub(super) fn new(ends: Ends, options: &WorldOptions) -> Arc<Self> {
        let incarnation = ends.chronicle.incarnation();
        let seed = options.seed ^ incarnation.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x3173;
        Arc::new(Self {
            zendesk: ends.zendesk,
            clickup: ends.clickup,
            clickup_files: ends.clickup_files,
            zendesk_others: ends.zendesk_others,
            clock: ends.clock,
            chronicle: ends.chronicle,
            options: options.clone(),
            random: Mutex::new(Rng::with_seed(seed)),
            deskup: RwLock::new(None),
            state: Mutex::new(State::default()),
            caught: Notify::new(),
        })
    }

    /// Says who receives webhooks from now on; `None` refuses them as a machine that is down does.
    pub fn listen(&self, deskup: Option<Arc<dyn Deskup>>) {
        *self.deskup.write().unwrap_or_else(PoisonError::into_inner) = deskup;
    }

    /// Kills at the `after`th request from now: that request and all later ones never come back.
    pub fn set_trap(&self, after: u64, at: TrapAt) {
        let mut state = self.state();
        state.trap = Some((state.requests + after, at));
        state.cut = false;
    }

    /// Waits until the trap was sprung.
    pub async fn trapped(&self) {
        while !self.state().cut {
            self.caught.notified().await;
        }
    }

    /// Mends the wire, for the next process.
    pub fn mend(&self) {
        let mut state = self.state();
        state.trap = None;
        state.cut = false;
    }

    /// How often credentials were sent to a host that is not the account's: 0 is right.
    pub fn credential_leaks(&self) -> u64 {
        self.state().credential_leaks + self.zendesk.credential_leaks()
    }

    /// Requests of deskup since the process began.
    pub fn requests(&self) -> u64 {
        self.state().requests
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn roll(&self, probability: f64) -> bool {
        probability > 0.0 && self.random.lock().unwrap_or_else(PoisonError::into_inner).f64() < probability
    }

    fn between(&self, (low, high): (u64, u64)) -> u64 {
        if high <= low {
            return low;
        }
        self.random.lock().unwrap_or_else(PoisonError::into_inner).u64(low..=high)
    }

    fn find(&self, host: &str) -> Option<To> {
        let is = |url: &str| url.split("://").nth(1) == Some(host);
        if is(ZENDESK_URL) {
            Some(To::Zendesk)
        } else if is(CLICKUP_URL) {
            Some(To::Clickup)
        } else if host == self.clickup_files {
            Some(To::Files(Side::Clickup))
        } else if self.zendesk_others.iter().any(|url| is(url)) {
            Some(To::Files(Side::Zendesk))
        } else {
            None
        }
    }

    /// Notes the request; true if the process is killed here.
    fn arrive(&self, to: To, request: &Request<Bytes>) -> Option<TrapAt> {
        let (api, foreign) = match to {
            To::Zendesk => ("zendesk", false),
            To::Clickup => ("clickup", false),
            To::Files(Side::Zendesk) => ("zendesk", true),
            To::Files(Side::Clickup) => ("clickup", true),
        };
        let endpoint = endpoint(request, foreign);
        self.chronicle.call(self.clock.now_ms(), api, endpoint);
        let mut state = self.state();
        state.requests += 1;
        let has_credentials =
            ["authorization", "cookie"].iter().any(|name| request.headers().contains_key(*name));
        // The simulated Zendesk counts those that reach its own file host.
        if foreign && has_credentials && to == To::Files(Side::Clickup) {
            state.credential_leaks += 1;
        }
        match state.trap {
            Some((number, at)) if state.requests >= number => Some(at),
            _ => None,
        }
    }

    async fn die(&self) -> ! {
        self.state().cut = true;
        self.caught.notify_waiters();
        self.caught.notify_one();
        std::future::pending().await
    }

    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let host = request.uri().authority().map_or("", |authority| authority.as_str()).to_owned();
        let Some(to) = self.find(&host) else {
            return Err(TransportError::NeverSent(format!("there is no host {host}")));
        };
        let trap = self.arrive(to, &request);
        if trap == Some(TrapAt::Before) {
            self.die().await;
        }
        let lost = || TransportError::Unknown(format!("no answer from {host}"));
        let faults = &self.options.faults;
        if self.roll(faults.lose_request) {
            sleep_ms(LOST_MS).await;
            return Err(lost());
        }
        let latency_ms = self.between(self.options.latency_ms);
        sleep_ms(latency_ms / 2).await;
        let response = match to {
            To::Zendesk | To::Files(Side::Zendesk) => self.zendesk.handle(request).await,
            To::Clickup | To::Files(Side::Clickup) => self.clickup.handle(request).await,
        };
        if trap == Some(TrapAt::After) {
            self.die().await;
        }
        if self.roll(faults.lose_reply) {
            sleep_ms(LOST_MS).await;
            return Err(lost());
        }
        if self.roll(faults.slow) {
            sleep_ms(self.between(SLOW_MS)).await;
        }
        sleep_ms(latency_ms - latency_ms / 2).await;
        Ok(response)
    }
}

async fn sleep_ms(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

impl Transport for Wire {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.carry(request))
    }
}

/// The other direction: webhooks. The services do not keep the wire alive, which keeps them.
pub(super) struct Post(pub Weak<Wire>);

impl Outbound for Post {
    fn post(&self, request: Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, String>> {
        let wire = self.0.clone();
        Box::pin(async move {
            sleep_ms(WEBHOOK_MS).await;
            let Some(wire) = wire.upgrade() else { return Err("connection refused".to_owned()) };
            let url = request.uri().to_string();
            let Some(side) = side_of(&url) else { return Err(format!("nobody listens at {url}")) };
            let body = request.body().clone();
            let answer = wire.deliver(side, request).await;
            if side == Side::Clickup {
                let taken = answer.as_ref().is_ok_and(|answer| answer.status().is_success());
                wire.note_told(&body, taken);
            }
            answer
        })
    }
}

impl Wire {
    async fn deliver(&self, side: Side, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        let deskup = self.deskup.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(deskup) = deskup.filter(|_| !self.state().cut) else {
            return Err("connection refused".to_owned());
        };
        let answer = deskup.webhook(side, request).await;
        // What was answered after the kill was never answered.
        if self.state().cut {
            return Err("connection reset".to_owned());
        }
        Ok(answer)
    }

    /// Notes which changes of a task deskup now knows of, or was not there to hear of.
    fn note_told(&self, body: &Bytes, taken: bool) {
        let Ok(event) = serde_json::from_slice::<serde_json::Value>(body) else { return };
        let task = event["task_id"].as_str().unwrap_or_default();
        for item in event["history_items"].as_array().into_iter().flatten() {
            if let Some(of) = item["date"].as_str().and_then(|date| date.parse().ok()) {
                self.chronicle.told(self.clock.now_ms(), task.to_owned(), of, taken);
            }
        }
    }
}

fn side_of(url: &str) -> Option<Side> {
    let path = url.split('?').next().unwrap_or_default();
    if path.contains("zendesk") {
        Some(Side::Zendesk)
    } else if path.contains("clickup") {
        Some(Side::Clickup)
    } else {
        None
    }
}

/// The address of deskup's receiver for a side.
pub fn webhook_url(side: Side) -> String {
    match side {
        Side::Zendesk => format!("{WEBHOOK_BASE}zendesk"),
        Side::Clickup => format!("{WEBHOOK_BASE}clickup"),
    }
}

/// A request's endpoint with its ids left out: `PUT /task/{id}/tag/{name}`.
fn endpoint(request: &Request<Bytes>, foreign: bool) -> String {
    if foreign {
        return format!("{} files", request.method());
    }
    let path = request.uri().path();
    let path = ["/api/v2", "/api/v3"].iter().find_map(|base| path.strip_prefix(base)).unwrap_or(path);
    let mut template = String::new();
    let mut before = "";
    for segment in path.trim_end_matches(".json").split('/').skip(1) {
        template.push('/');
        let id = match before {
            "tag" => "{name}",
            "task" | "tasks" | "field" | "webhook" => "{id}",
            "webhooks" if segment.len() == 26 => "{id}",
            "job_statuses" if segment != "show_many" => "{id}",
            _ if segment.bytes().all(|byte| byte.is_ascii_digit()) => "{id}",
            _ if segment.len() > 30 => "{token}",
            _ => segment,
        };
        template.push_str(id);
        before = segment;
    }
    format!("{} {template}", request.method())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_have_no_ids() {
        let check = |method: &str, path: &str, expected: &str| {
            let request = Request::builder().method(method).uri(format!("https://x.example{path}"));
            let request = request.body(Bytes::new()).expect("a request");
            assert_eq!(endpoint(&request, false), expected);
        };
        check("GET", "/api/v2/tickets/12.json?include=users", "GET /tickets/{id}");
        check("GET", "/api/v2/tickets/show_many?ids=1,2", "GET /tickets/show_many");
        check("POST", "/api/v2/list/901100/task", "POST /list/{id}/task");
        check("PUT", "/api/v2/task/abcdef", "PUT /task/{id}");
        check("POST", "/api/v2/task/868a1/tag/a%20b", "POST /task/{id}/tag/{name}");
        check("GET", "/api/v2/incremental/tickets/cursor?cursor=MTY", "GET /incremental/tickets/cursor");
        check(
            "PUT",
            "/api/v3/workspaces/9/tasks/86a/home_list/7",
            "PUT /workspaces/{id}/tasks/{id}/home_list/{id}",
        );
    }
}
