//! Plays a plan: waits for the time of each intention, looks for a record that suits it, and edits it.
//! An edit that is in a service's change log was done, so a plan can be played again after any crash.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use domain::Side;
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::Value as Json;
use simulators::Change;

use super::act;
use super::choose::{self, Sight};
use super::plan::{Intention, Kind};
use crate::scenario::Scenario;
use crate::seedwork::cast::Colleague;

/// A simulated service, as far as people see it.
pub trait Service: Send + Sync {
    /// Answers a request.
    fn handle(&self, request: Request<Bytes>) -> BoxFuture<'static, Response<Bytes>>;

    /// The change log above a number.
    fn changes_after(&self, seq: u64) -> Vec<Change>;
}

/// Records that are tried for one intention.
const TRIES_MAX: usize = 60;
/// Attempts at one request that is refused for a while.
const ATTEMPTS_MAX: u32 = 30;
/// The wait before the next attempt, unless the service says how long.
const RETRY_MS: u64 = 2_000;

/// What became of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// Edits made now.
    pub done: u64,
    /// Edits that an earlier process had made.
    pub before: u64,
    /// Intentions that suited no record.
    pub skipped: u64,
}

/// The people of a world.
pub struct People<'a> {
    scenario: &'a Scenario,
    zendesk: &'a dyn Service,
    clickup: &'a dyn Service,
    now_ms: &'a (dyn Fn() -> i64 + Send + Sync),
    tasks: BTreeMap<String, String>,
    /// The ticket of every edit that was made.
    tickets: BTreeMap<String, String>,
    seen: (u64, u64),
}

impl<'a> People<'a> {
    /// People who know the scenario and see both services.
    pub fn new(
        scenario: &'a Scenario,
        zendesk: &'a dyn Service,
        clickup: &'a dyn Service,
        now_ms: &'a (dyn Fn() -> i64 + Send + Sync),
    ) -> Self {
        Self {
            scenario,
            zendesk,
            clickup,
            now_ms,
            tasks: BTreeMap::new(),
            tickets: BTreeMap::new(),
            seen: (0, 0),
        }
    }

    /// Plays intentions whose times count from `began_ms`. `each` is told how many are behind it.
    pub async fn play(&mut self, plan: &[Intention], began_ms: i64, mut each: impl FnMut(u64)) -> Played {
        let mut played = Played::default();
        let done: BTreeSet<String> = self.edits_done();
        for (number, intention) in plan.iter().enumerate() {
            if done.contains(&intention.id) {
                played.before += 1;
                continue;
            }
            let wait_ms = began_ms + intention.at_ms - (self.now_ms)();
            if let Ok(wait_ms @ 1..) = u64::try_from(wait_ms) {
                tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            }
            match self.edit(intention).await {
                true => played.done += 1,
                false => played.skipped += 1,
            }
            each(number as u64 + 1);
        }
        played
    }

    /// Reads what is new in the logs: which edits were made, and which task belongs to which ticket.
    fn look(&mut self) {
        for change in self.zendesk.changes_after(self.seen.0) {
            self.seen.0 = change.seq;
            if let Some(edit) = change.edit {
                self.tickets.insert(edit, change.record);
            }
        }
        for change in self.clickup.changes_after(self.seen.1) {
            self.seen.1 = change.seq;
            let text = change.after["description"].as_str().unwrap_or_default();
            if change.field == "created"
                && change.after.get("copy_of").is_none()
                && let Some(marker) = domain::footer::parse(text)
            {
                self.tasks.insert(marker.ticket.to_string(), change.record.clone());
            }
            if change.field == "deleted" {
                self.tasks.retain(|_, task| *task != change.record);
            }
            if let Some(edit) = change.edit {
                let ticket = self.tasks.iter().find(|(_, task)| **task == change.record);
                let ticket = ticket.map_or_else(String::new, |(ticket, _)| ticket.clone());
                self.tickets.insert(edit, ticket);
            }
        }
    }

    fn edits_done(&mut self) -> BTreeSet<String> {
        self.look();
        self.tickets.keys().cloned().collect()
    }

    async fn edit(&mut self, intention: &Intention) -> bool {
        self.look();
        for ticket in self.candidates(intention) {
            if self.try_on(intention, &ticket).await {
                return true;
            }
        }
        false
    }

    /// Tickets to try, in an order that the dice decide; the second of a pair has no choice.
    fn candidates(&self, intention: &Intention) -> Vec<String> {
        if let Some(first) = &intention.pair_of {
            return self.tickets.get(first).cloned().into_iter().collect();
        }
        let tickets = &self.scenario.tickets;
        if tickets.is_empty() {
            return Vec::new();
        }
        let start = usize::try_from(intention.dice % tickets.len() as u64).unwrap_or(0);
        let rounds = tickets.iter().cycle().skip(start).take(tickets.len());
        let suits = |status: &str| (status == "closed") == (intention.kind == Kind::OnClosed);
        // Closed tickets stay closed, so those are known from the start.
        rounds
            .filter(|ticket| suits(ticket.status))
            .take(TRIES_MAX)
            .map(|ticket| ticket.id.to_string())
            .collect()
    }

    async fn try_on(&self, intention: &Intention, ticket: &str) -> bool {
        let Some(task) = self.tasks.get(ticket) else { return false };
        let edit = &intention.id;
        let (Some(agent), Some(member)) =
            (self.scenario.cast.agents().next(), self.scenario.cast.members().next())
        else {
            return false;
        };
        let Some(ticket_now) =
            self.read(Side::Zendesk, act::read_ticket(agent, ticket, edit), "ticket").await
        else {
            return false;
        };
        let Some(task_now) = self.read(Side::Clickup, act::read_task(member, task, edit), "").await else {
            return false;
        };
        let sight = Sight { ticket: &ticket_now, task: &task_now, now_ms: (self.now_ms)() };
        let Some(action) = choose::choose(self.scenario, intention, &sight) else { return false };
        let Some(who) = choose::actor(self.scenario, intention, &ticket_now) else { return false };
        let record = match intention.side {
            Side::Zendesk => ticket,
            Side::Clickup => task,
        };
        self.send(intention.side, || action.request(who, record, edit)).await.is_some()
    }

    async fn read(&self, side: Side, request: Option<Request<Bytes>>, member: &str) -> Option<Json> {
        let mut request = request;
        let body = self.send(side, || request.take()).await?;
        let json: Json = serde_json::from_slice(&body).ok()?;
        Some(if member.is_empty() { json } else { json[member].clone() })
    }

    /// Sends until it is taken or refused for good; a person waits when told to.
    async fn send(&self, side: Side, mut make: impl FnMut() -> Option<Request<Bytes>>) -> Option<Bytes> {
        let service = match side {
            Side::Zendesk => self.zendesk,
            Side::Clickup => self.clickup,
        };
        for _ in 0..ATTEMPTS_MAX {
            let response = service.handle(make()?).await;
            let status = response.status();
            if status.is_success() {
                return Some(response.into_body());
            }
            if status != 429 && status != 409 && !status.is_server_error() {
                return None;
            }
            let told_s = response
                .headers()
                .get("retry-after")
                .and_then(|wait| wait.to_str().ok()?.parse::<u64>().ok());
            let wait_ms = told_s.map_or(RETRY_MS, |seconds| seconds * 1_000);
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
        None
    }

    /// The people who have an account in ClickUp.
    pub(super) fn member(&self, dice: u64) -> Option<&'a Colleague> {
        let members: Vec<&Colleague> = self.scenario.cast.members().collect();
        let at = usize::try_from(dice % members.len().max(1) as u64).ok()?;
        members.get(at).copied()
    }

    /// The time.
    pub(super) fn now(&self) -> i64 {
        (self.now_ms)()
    }

    /// The task of a ticket, as far as people know.
    pub(super) fn task(&mut self, ticket: &str) -> Option<String> {
        self.look();
        self.tasks.get(ticket).cloned()
    }

    /// The scenario they live in.
    pub(super) fn scenario(&self) -> &'a Scenario {
        self.scenario
    }

    /// Reads a task as somebody.
    pub(super) async fn read_task(&self, who: &Colleague, task: &str, edit: &str) -> Option<Json> {
        self.read(Side::Clickup, act::read_task(who, task, edit), "").await
    }

    /// Sends something to Zendesk once.
    pub(super) async fn to_zendesk(&self, request: Option<Request<Bytes>>) -> bool {
        let mut request = request;
        self.send(Side::Zendesk, || request.take()).await.is_some()
    }

    /// Sends something to ClickUp once.
    pub(super) async fn to_clickup(&self, request: Option<Request<Bytes>>) -> bool {
        let mut request = request;
        self.send(Side::Clickup, || request.take()).await.is_some()
    }

    /// Whether an edit was made before.
    pub(super) fn is_done(&mut self, edit: &str) -> bool {
        self.look();
        self.tickets.contains_key(edit)
    }
}
