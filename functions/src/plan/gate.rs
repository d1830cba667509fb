//! What a person has confirmed, and nothing else: with a gate in place each ticket is planned again before it is
//! touched, and left out if that says anything else than the plan; each call is looked up before it is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::plan::Write;
use domain::{Comment, RecordPlan, Ticket, TicketId};
use orchestration::ExecutionContext;
use stores::links::{Link, LinkState};

use crate::plan::record::{self, Planned};
use crate::{Context, SyncError};

/// The confirmed plan at work.
#[derive(Debug)]
pub struct Gate {
    /// The plan's fingerprint.
    id: String,
    /// Calls of the tickets that an earlier process began and linked.
    before: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    approved: BTreeMap<TicketId, Approved>,
    /// Tickets whose writes have begun, also by an earlier process.
    begun: BTreeSet<TicketId>,
    /// Tickets that were left out, and why.
    left: BTreeMap<TicketId, String>,
    /// Comments that were read for the comparison.
    comments: BTreeMap<TicketId, Vec<Comment>>,
}

/// One ticket of the plan.
#[derive(Debug)]
struct Approved {
    digest: String,
    /// Calls that are still to be made, by fingerprint.
    open: BTreeMap<String, usize>,
}

/// Whether a ticket may be worked on.
#[derive(Debug)]
pub enum Entered {
    /// It may; with the ticket, if it was just read.
    Go(Option<Box<Ticket>>),
    /// It is left out, and noted.
    Out,
}

/// A call that may be made.
#[must_use = "say when the call was made"]
pub struct Pass<'a> {
    cx: &'a Context,
    booked: Option<(TicketId, String)>,
}

impl<'a> Pass<'a> {
    /// For what turns out to send nothing.
    pub fn not_needed(cx: &'a Context) -> Self {
        Pass { cx, booked: None }
    }

    /// The call was made.
    pub fn used(self) {
        self.cx.writes.fetch_add(1, Ordering::Relaxed);
        let (Some(gate), Some((ticket, fingerprint))) = (self.cx.gate(), self.booked) else { return };
        let mut state = gate.state();
        let open = state.approved.get_mut(&ticket).and_then(|approved| approved.open.get_mut(&fingerprint));
        if let Some(left) = open {
            *left = left.saturating_sub(1);
        }
    }
}

impl Gate {
    /// A gate for these records; what an earlier process began under the same plan may be finished.
    pub async fn open(cx: &Context, id: &str, records: &[RecordPlan]) -> Result<Gate, SyncError> {
        let approved = records.iter().map(|plan| {
            let mut open: BTreeMap<String, usize> = BTreeMap::new();
            for call in &plan.calls {
                *open.entry(call.fingerprint.clone()).or_default() += 1;
            }
            (plan.ticket, Approved { digest: plan.digest.clone(), open })
        });
        let begun = cx.store.plans().begun(id).await?;
        let ids: Vec<TicketId> = begun.iter().copied().collect();
        let links = cx.store.links().get_many(&ids).await?;
        let linked = |ticket| links.get(ticket).is_some_and(|link: &Link| link.state == LinkState::Linked);
        let before = records.iter().filter(|plan| begun.contains(&plan.ticket) && linked(&plan.ticket));
        let before = before.map(|plan| plan.calls.len() as u64).sum();
        let state = State { approved: approved.collect(), begun, ..State::default() };
        Ok(Gate { id: id.to_owned(), before, state: Mutex::new(state) })
    }

    /// How many calls belong to tickets that an earlier process began and linked: most of them were made then.
    pub fn made_before(&self) -> u64 {
        self.before
    }

    /// Whether a ticket is in the plan.
    pub fn has(&self, ticket: TicketId) -> bool {
        self.state().approved.contains_key(&ticket)
    }

    /// Tickets that are not finished: not begun yet, or with calls that were not made.
    pub fn unfinished(&self) -> Vec<TicketId> {
        let state = self.state();
        let finished = |ticket: &TicketId, approved: &Approved| {
            state.begun.contains(ticket) && approved.open.values().all(|open| *open == 0)
        };
        let open = state.approved.iter().filter(|(ticket, approved)| !finished(ticket, approved));
        open.map(|(ticket, _)| *ticket).filter(|ticket| !state.left.contains_key(ticket)).collect()
    }

    /// Tickets that were left out, and why.
    pub fn left(&self) -> BTreeMap<TicketId, String> {
        self.state().left.clone()
    }

    /// Plans a ticket again and compares. What was begun under this plan goes on; its calls are looked up one by
    /// one.
    pub async fn enter(
        &self,
        cx: &Context,
        run: &ExecutionContext,
        ticket: TicketId,
        link: Option<&Link>,
    ) -> Result<Entered, SyncError> {
        let digest = {
            let state = self.state();
            if state.left.contains_key(&ticket) {
                return Ok(Entered::Out);
            }
            if state.begun.contains(&ticket) {
                return Ok(Entered::Go(None));
            }
            state.approved.get(&ticket).map(|approved| approved.digest.clone())
        };
        let Some(digest) = digest else { return Ok(self.leave(ticket, "it was not in the plan")) };
        let (planned, read) = record::of(cx, run, ticket, link).await?;
        let why = match planned {
            Planned::Plan(plan) if plan.digest == digest => {
                cx.store.plans().begin(&self.id, ticket).await?;
                self.state().begun.insert(ticket);
                return Ok(Entered::Go(read.map(Box::new)));
            }
            Planned::Plan(_) => "it changed since the plan was made".to_owned(),
            Planned::Left(why) => format!("it changed since the plan was made: {why}"),
        };
        Ok(self.leave(ticket, why))
    }

    /// Hands comments to whoever makes the task.
    pub fn keep_comments(&self, ticket: TicketId, comments: Vec<Comment>) {
        self.state().comments.insert(ticket, comments);
    }

    /// Comments that were just read, once.
    pub fn take_comments(&self, ticket: TicketId) -> Option<Vec<Comment>> {
        self.state().comments.remove(&ticket)
    }

    fn leave(&self, ticket: TicketId, why: impl Into<String>) -> Entered {
        self.state().left.entry(ticket).or_insert_with(|| why.into());
        Entered::Out
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change under this lock is one call, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Context {
    /// The confirmed plan that is carried out, if there is one.
    pub fn gate(&self) -> Option<&Gate> {
        self.gate.get()
    }

    /// Whether this call may be made; without a plan every one may.
    pub fn permit(&self, ticket: TicketId, write: &Write) -> Result<Pass<'_>, SyncError> {
        let Some(gate) = self.gate() else { return Ok(Pass { cx: self, booked: None }) };
        let fingerprint = write.fingerprint();
        let open = {
            let state = gate.state();
            let approved = state.approved.get(&ticket);
            approved.and_then(|approved| approved.open.get(&fingerprint)).copied().unwrap_or(0)
        };
        if open == 0 {
            let what = format!("it changed while the plan was carried out ({})", write.endpoint());
            gate.leave(ticket, what);
            return Err(SyncError::Unplanned);
        }
        Ok(Pass { cx: self, booked: Some((ticket, fingerprint)) })
    }

    /// Whether all of these calls may be made: nothing is sent of a decision that is only partly confirmed.
    pub fn permit_all(&self, ticket: TicketId, writes: &[Write]) -> Result<(), SyncError> {
        writes.iter().try_for_each(|write| self.permit(ticket, write).map(drop))
    }
}
