//! Zendesk as a service in memory, as far as ticket sync needs it.
//!
//! A request is taken apart, its sender recognized, its cost booked, and one handler answers it. Handlers read the
//! state and collect operations; these are written to the journal as one line and only then applied, so that what was
//! answered is what a reopened account still knows. Webhook deliveries and jobs are part of the state and go on after
//! a reopen.
//!
//! Where the reference says "unverified" the simulator is strict rather than kind: a pair of status and custom status
//! that does not fit is refused, members it has no place for are answered with 501. What is assumed about text is in
//! `text.rs`, about limits in `limits.rs`.

mod admin;
mod auth;
mod comments;
mod deliveries;
mod diff;
mod edit;
mod events;
mod exports;
mod fields;
mod jobs;
mod limits;
mod options;
mod paging;
mod people;
mod refusal;
mod requests;
mod routes;
mod rows;
mod seed;
mod sim;
mod state;
mod tags;
mod text;
mod tickets_read;
mod tickets_write;
mod tx;
mod uploads;
mod views;
mod webhooks;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use self::auth::Actor;
use self::deliveries::{Breaker, Invocation};
use self::limits::Limits;
use self::refusal::Refusal;
use self::state::{Line, Op, State};
use self::tx::Tx;
use self::views::Scene;
use crate::changes::EDIT_HEADER;
use crate::faults::Dice;
use crate::http_text::{Answer, Call, with_body};
use crate::journal::Journal;
use crate::outbound::Outbound;

pub use deliveries::signature;
pub use options::ZendeskOptions;
pub use rows::{FieldKind, Kind, Priority, Role, Status, Via};
pub use seed::{CommentSeed, FieldSeed, FileSeed, Seeding, TicketSeed, UserSeed};
pub use sim::ZendeskSim;

/// Routes as (method, path) in the specification's spelling: what a check against it compares.
pub fn served_routes() -> impl Iterator<Item = (&'static str, String)> {
    routes::ROUTES.iter().map(|route| {
        let base = if route.pattern == routes::FROM_ROOT { "" } else { "/api/v2" };
        (route.method, format!("{base}{}", route.pattern))
    })
}

/// What a handler says.
type Reply = Result<Answer, Refusal>;

/// A request on its way to a handler.
struct Asked {
    call: Call,
    actor: Actor,
    params: Vec<String>,
}

impl Asked {
    /// The first id of the path. `place` is how the service names the endpoint in its complaint.
    fn id(&self, place: &str) -> Result<u64, Refusal> {
        self.params.first().and_then(|id| id.parse().ok()).ok_or_else(|| Refusal::bad_id(place))
    }

    /// The JSON body.
    fn body(&self) -> Result<Value, Refusal> {
        let content_type = self.call.header("content-type").unwrap_or_default();
        if !self.call.body.is_empty() && !content_type.starts_with("application/json") {
            return Err(Refusal::bad_request(
                "UnsupportedMediaType",
                "Content-Type must be application/json",
            ));
        }
        self.call.json().map_err(|_| Refusal::bad_request("InvalidJson", "The body is not valid JSON"))
    }

    /// The edit a simulated person named.
    fn edit(&self) -> Option<&str> {
        self.call.header(EDIT_HEADER)
    }
}

/// Work that a commit starts.
#[derive(Debug)]
enum Started {
    Delivery(u64),
    Job(Box<str>),
}

/// The account behind its lock.
struct Desk {
    state: State,
    journal: Journal,
    options: Arc<ZendeskOptions>,
    outbound: Option<Arc<dyn Outbound>>,
    dice: Dice,
    limits: Limits,
    calls: BTreeMap<i64, BTreeMap<String, u64>>,
    rejected: BTreeMap<i64, u64>,
    credential_leaks: u64,
    requests: u64,
    breakers: BTreeMap<Box<str>, Breaker>,
    invocations: BTreeMap<Box<str>, VecDeque<Invocation>>,
    in_flight: BTreeSet<u64>,
    running: BTreeSet<Box<str>>,
    started: Vec<Started>,
}

impl Desk {
    fn now_ms(&self) -> i64 {
        (self.options.clock)()
    }

    fn scene(&self) -> Scene<'_> {
        Scene { state: &self.state, options: &self.options }
    }

    fn tx(&self, actor: i64, edit: Option<&str>) -> Tx<'_> {
        Tx::new(&self.state, &self.options, &self.dice, actor, edit)
    }

    fn count(&mut self, user: i64, what: &str) {
        let calls = self.calls.entry(user).or_default();
        match calls.get_mut(what) {
            Some(count) => *count += 1,
            None => drop(calls.insert(what.to_owned(), 1)),
        }
    }

    /// Writes the line, then applies it. When the journal cannot take it, nothing happened.
    fn commit(&mut self, line: Option<Line>) -> Result<(), Refusal> {
        let Some(mut line) = line else { return Ok(()) };
        for (seq, change) in (self.state.log.next_seq()..).zip(&mut line.changes) {
            change.seq = seq;
        }
        if let Err(error) = self.journal.append(&line) {
            tracing::error!(%error, "a request was not committed");
            return Err(Refusal::new(500, Value::String("Internal Server Error".to_owned())));
        }
        for op in &line.ops {
            match op {
                Op::Delivery(row) => self.started.push(Started::Delivery(row.id)),
                Op::Job(row) => self.started.push(Started::Job(row.id.clone())),
                _ => {}
            }
        }
        self.state.apply(line);
        Ok(())
    }
}

/// An answer with anything that serializes.
fn as_json(status: u16, body: &impl Serialize) -> Reply {
    let internal = |_| Refusal::new(500, Value::String("Internal Server Error".to_owned()));
    let bytes = serde_json::to_vec(body).map_err(internal)?;
    Ok(with_body(status, "application/json; charset=utf-8", bytes))
}
