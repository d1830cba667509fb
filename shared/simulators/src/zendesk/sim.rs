//! The simulator's handle: opening, answering, and what a judge may look at.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::Request;
use serde_json::{Value, json};

use super::auth::Actor;
use super::refusal::Refusal;
use super::routes::{FROM_ROOT, Need, ROUTES, Route, resource};
use super::seed::Seeding;
use super::state::{Line, State};
use super::views::{self, TicketView};
use super::{Asked, Desk, Limits, Started, ZendeskOptions, jobs, limits, uploads};
use crate::changes::Change;
use crate::error::SimError;
use crate::faults::Dice;
use crate::http_text::{Answer, Call, json as json_answer, match_path, set_header, text, with_body};
use crate::journal::Journal;
use crate::outbound::Outbound;
use crate::overdrawn::Overdrawn;

/// A simulated Zendesk account. Clones are the same account.
#[derive(Clone)]
pub struct ZendeskSim {
    desk: Arc<Mutex<Desk>>,
}

impl std::fmt::Debug for ZendeskSim {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ZendeskSim").finish_non_exhaustive()
    }
}

impl ZendeskSim {
    /// Opens the account, from its journal when it has one. Deliveries and jobs that were under way go on at once
    /// when a tokio runtime is there and somebody receives; otherwise `deliver_through` starts them.
    pub fn open(options: ZendeskOptions) -> Result<Self, SimError> {
        let mut state = State::new();
        let mut replayed = 0;
        let mut journal = match &options.journal {
            None => Journal::memory(),
            Some(path) => Journal::open(path, |line: Line| {
                replayed += line.ops.len() + line.changes.len();
                state.apply(line);
            })?,
        };
        if replayed > 1_000 + 2 * state.size() {
            journal.compact(state.snapshot())?;
        }
        let desk = Desk {
            state,
            journal,
            outbound: options.outbound.clone(),
            dice: Dice::new(options.faults.seed),
            options: Arc::new(options),
            limits: Limits::default(),
            calls: BTreeMap::new(),
            rejected: BTreeMap::new(),
            credential_leaks: 0,
            requests: 0,
            breakers: BTreeMap::new(),
            invocations: BTreeMap::new(),
            in_flight: std::collections::BTreeSet::new(),
            running: std::collections::BTreeSet::new(),
            started: Vec::new(),
        };
        let sim = Self { desk: Arc::new(Mutex::new(desk)) };
        sim.resume();
        Ok(sim)
    }

    /// Names who receives the webhooks from now on, and sends what has waited.
    pub fn deliver_through(&self, outbound: Arc<dyn Outbound>) {
        self.desk().outbound = Some(outbound);
        self.resume();
    }

    /// Fills the account. Committed as one line of the journal: a seeding happened wholly or not at all.
    pub fn seed<T>(&self, fill: impl FnOnce(&mut Seeding<'_>) -> T) -> Result<T, SimError> {
        let mut desk = self.desk();
        let now_ms = desk.now_ms();
        let mut seeding = Seeding::new(&mut desk.state, now_ms);
        let out = fill(&mut seeding);
        let ops = seeding.into_ops();
        let line = Line { next_id: desk.state.next_id, changes: Vec::new(), ops };
        desk.journal.append(&line)?;
        Ok(out)
    }

    /// Answers one request.
    pub fn handle(&self, request: Request<Bytes>) -> BoxFuture<'static, Answer> {
        let sim = self.clone();
        Box::pin(async move {
            let (answer, started) = {
                let mut desk = sim.desk();
                let answer = desk.answer(Call::new(request));
                (answer, std::mem::take(&mut desk.started))
            };
            sim.start(started);
            answer
        })
    }

    /// Every change of a ticket so far, seeding excepted.
    pub fn changes(&self) -> Vec<Change> {
        self.desk().state.log.all().to_vec()
    }

    /// The changes numbered above `seq`.
    pub fn changes_after(&self, seq: u64) -> Vec<Change> {
        self.desk().state.log.after(seq).to_vec()
    }

    /// Requests of the sync's user since this opening, by endpoint.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        let user = self.desk().options.sync_user;
        self.calls_by(user)
    }

    /// Requests of one user since this opening, by endpoint.
    pub fn calls_by(&self, user: i64) -> BTreeMap<String, u64> {
        self.desk().calls.get(&user).cloned().unwrap_or_default()
    }

    /// How many requests of the sync's user were answered with 429.
    pub fn rejected(&self) -> u64 {
        let desk = self.desk();
        desk.rejected.get(&desk.options.sync_user).copied().unwrap_or_default()
    }

    /// Windows of limits in which the sync's user sent more than it may.
    pub fn overdrawn(&self) -> Vec<Overdrawn> {
        self.desk().limits.overdrawn.all()
    }

    /// Another plan from now on: requests and ticket updates a minute.
    pub fn change_limits(&self, requests_per_min: u32, updates_per_min: u32) {
        let mut desk = self.desk();
        let options = Arc::make_mut(&mut desk.options);
        options.requests_per_min = requests_per_min;
        options.updates_per_min = updates_per_min;
    }

    /// How many requests of one user were answered with 429.
    pub fn rejected_by(&self, user: i64) -> u64 {
        self.desk().rejected.get(&user).copied().unwrap_or_default()
    }

    /// How often credentials arrived at the host of attachments' contents, where they do not belong.
    pub fn credential_leaks(&self) -> u64 {
        self.desk().credential_leaks
    }

    /// How many tickets there are, deleted ones included.
    pub fn ticket_count(&self) -> usize {
        self.desk().state.tickets.len()
    }

    /// Every ticket as REST shows it, deleted ones included, each with its `comments`.
    pub fn tickets(&self) -> Vec<Value> {
        let desk = self.desk();
        desk.state.tickets.keys().filter_map(|id| desk.ticket(*id)).collect()
    }

    /// One ticket like those of `tickets`.
    pub fn ticket(&self, id: u64) -> Option<Value> {
        self.desk().ticket(id)
    }

    /// Every user as REST shows it.
    pub fn users(&self) -> Vec<Value> {
        let desk = self.desk();
        desk.state.users.values().map(|row| views::user(desk.scene(), row)).collect()
    }

    /// Whether nothing is under way: no delivery waits, no job runs.
    pub fn idle(&self) -> bool {
        let desk = self.desk();
        desk.state.deliveries.is_empty() && desk.state.jobs.values().all(|job| job.completed_ms.is_some())
    }

    /// A system update: the ticket is exported again although nothing in it changed.
    pub fn touch(&self, ticket: u64) {
        let mut desk = self.desk();
        let mut tx = desk.tx(0, None);
        if let Some(entry) = tx.state.tickets.get(&ticket) {
            let mut row = entry.row.clone();
            row.generated_s = tx.now_ms.div_euclid(1000);
            tx.save_ticket(row, None, Vec::new());
        }
        let line = tx.finish();
        if desk.commit(line).is_err() {
            tracing::error!(ticket, "a system update was not committed");
        }
    }

    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        // A handler that panicked has committed nothing: the state is whole.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts what the journal says is still to do.
    fn resume(&self) {
        let waiting: Vec<Started> = {
            let desk = self.desk();
            let jobs = desk.state.jobs.values().filter(|job| job.completed_ms.is_none());
            let jobs = jobs.map(|job| Started::Job(job.id.clone()));
            let deliveries = desk.state.deliveries.keys().map(|id| Started::Delivery(*id));
            deliveries.chain(jobs).collect()
        };
        self.start(waiting);
    }

    fn start(&self, started: Vec<Started>) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        for one in started {
            match one {
                Started::Delivery(id) => {
                    let mut desk = self.desk();
                    if desk.outbound.is_some() && desk.in_flight.insert(id) {
                        runtime.spawn(self.clone().deliver(id));
                    }
                }
                Started::Job(id) => {
                    if self.desk().running.insert(id.clone()) {
                        runtime.spawn(self.clone().work(id));
                    }
                }
            }
        }
    }

    /// Works a job off, item by item.
    async fn work(self, id: Box<str>) {
        tokio::time::sleep(Duration::from_millis(jobs::QUEUED_MS)).await;
        loop {
            let (more, started) = {
                let mut desk = self.desk();
                let more = jobs::step(&mut desk, &id);
                (more, std::mem::take(&mut desk.started))
            };
            self.start(started);
            match more {
                Ok(true) => tokio::time::sleep(Duration::from_millis(jobs::ITEM_MS)).await,
                Ok(false) => break,
                Err(_) => {
                    tracing::error!(job = %id, "a job stopped: its step was not committed");
                    break;
                }
            }
        }
        self.desk().running.remove(&id);
    }
}

impl Desk {
    fn ticket(&self, id: u64) -> Option<Value> {
        let entry = self.state.tickets.get(&id)?;
        let mut view = serde_json::to_value(TicketView::new(self.scene(), entry)).ok()?;
        let comments = entry.comments();
        view["comments"] =
            comments.map(|(id, audit, row)| views::comment(self.scene(), id, audit, row)).collect();
        Some(view)
    }

    fn answer(&mut self, mut call: Call) -> Answer {
        self.requests += 1;
        if let Some(answer) = uploads::content(self, &call) {
            return answer;
        }
        if let Some(bare) = call.path.strip_suffix(".json") {
            call.path = bare.to_owned();
        }
        let Some((route, params)) = find(&call) else {
            let what = format!("route {} {}", call.method, call.path);
            return Refusal::unknown(&what).into_answer();
        };
        let now_ms = self.now_ms();
        let actor = Actor::recognize(&self.state, &call, now_ms);
        let user = actor.user;
        if route.class != limits::Class::Free {
            self.count(user, &format!("{} {}", route.method, route.pattern));
        }
        let ticket = params.first().and_then(|id| id.parse().ok());
        let options = self.options.clone();
        let permit = self.limits.spend(&options, route.class, user, ticket, now_ms);
        let refused = permit.refusal().or_else(|| self.misbehave(user));
        let mut answer = match refused {
            Some(answer) => answer,
            None => self.handled(route, Asked { call, actor, params }),
        };
        if answer.status() == http::StatusCode::TOO_MANY_REQUESTS {
            *self.rejected.entry(user).or_default() += 1;
        }
        permit.describe(&mut answer);
        set_header(&mut answer, "x-zendesk-api-version", "v2");
        set_header(&mut answer, "x-request-id", &format!("{:016x}-SIM", self.requests));
        answer
    }

    fn handled(&mut self, route: &Route, asked: Asked) -> Answer {
        let actor = &asked.actor;
        let allowed = match route.need {
            Need::Nobody => Ok(()),
            _ if actor.role.is_none() => Err(Refusal::unauthenticated()),
            _ if !actor.may(&asked.call.method, resource(route.pattern)) => Err(Refusal::forbidden()),
            Need::User => Ok(()),
            Need::Staff if actor.is_staff() => Ok(()),
            Need::Admin if actor.is_admin() => Ok(()),
            Need::Staff | Need::Admin => Err(Refusal::forbidden()),
        };
        let reply = allowed.and_then(|()| (route.handler)(self, &asked));
        reply.unwrap_or_else(Refusal::into_answer)
    }

    /// A fault instead of an answer, for the sync's user only: people are not what is tested.
    fn misbehave(&mut self, user: i64) -> Option<Answer> {
        if user != self.options.sync_user {
            return None;
        }
        let faults = &self.options.faults;
        if self.dice.roll(faults.too_many) {
            let said = text(429, "Number of allowed API requests per minute exceeded");
            return Some(limits::retry_after(said, 2));
        }
        if !self.dice.roll(faults.server_error) {
            return None;
        }
        if self.dice.between((0, 1)) == 0 {
            let page = "<html><body>We're sorry, but something went wrong.</body></html>";
            return Some(with_body(502, "text/html; charset=utf-8", page));
        }
        let body = json!({
            "error": "DatabaseDeadlock",
            "description": "Database deadlock found; please retry your transaction",
        });
        Some(limits::retry_after(json_answer(503, &body), 1))
    }
}

/// The route of a request with the values of its path.
fn find(call: &Call) -> Option<(&'static Route, Vec<String>)> {
    let path = call.path.strip_prefix("/api/v2");
    ROUTES.iter().find_map(|route| {
        let from_root = route.pattern == FROM_ROOT;
        let path = if from_root { Some(call.path.as_str()) } else { path }?;
        let fits = route.method == call.method.as_str();
        fits.then(|| match_path(route.pattern, path)).flatten().map(|params| (route, params))
    })
}
