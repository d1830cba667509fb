//! `deskup plan`: everything that a run would write, and nothing is written. Found by reading both services, put
//! together record by record by the functions that a run calls; kept in a file that a person confirms.

pub mod discover;
pub mod effort;
pub mod file;
pub mod gate;
pub mod record;
mod triggers;

use std::collections::BTreeMap;

use clients::{ErrorKind, Lane};
use domain::plan::Kind;
use domain::{Recognised, RecordPlan, Side, TicketId};
use futures::{StreamExt, stream};
use orchestration::ExecutionContext;
use orchestration::context::Random;
use serde::{Deserialize, Serialize};

use crate::sync::pilot;
use crate::{Context, SyncError};

use discover::Found;
use effort::Effort;
use record::Planned;

/// Tickets looked at at once.
const IN_FLIGHT: usize = 20;

/// What a plan is reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The export of tickets.
    Tickets,
    /// The tasks of the mapped lists.
    Tasks,
    /// The newest comments of linked tasks.
    Comments,
    /// Tickets one by one.
    Records,
}

/// Who wants to know how far it is.
pub trait Watch: Send + Sync {
    /// So many of so many.
    fn stage(&self, stage: Stage, done: u64, total: Option<u64>);
}

/// Nobody does.
#[derive(Clone, Copy, Debug)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn stage(&self, _: Stage, _: u64, _: Option<u64>) {}
}

/// A pair that people made, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairSeen {
    /// The pair.
    #[serde(flatten)]
    pub pair: Recognised,
    /// What becomes of it.
    pub outcome: String,
}

/// A trigger of Zendesk that a write of the plan may meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerMet {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub title: String,
    /// How far what it does reaches: customer, machine, staff or ticket.
    pub reach: String,
    /// What it does, in Zendesk's words.
    pub does: Vec<String>,
}

/// Everything that a run would do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Ticket by ticket, in the order of a run: those that get a task first.
    pub records: Vec<RecordPlan>,
    /// Pairs that people made.
    pub pairs: Vec<PairSeen>,
    /// Tickets that are left out one by one, and why.
    pub left: BTreeMap<TicketId, String>,
    /// How many tickets are out of the scope, by reason.
    pub out_of_scope: BTreeMap<String, u64>,
    /// Linked pairs for which there is nothing to do.
    pub in_step: u64,
    /// Active triggers that a write may meet.
    pub triggers: Vec<TriggerMet>,
    /// Calls and minutes.
    pub effort: Effort,
}

impl Plan {
    /// Calls that change something.
    pub fn writes(&self) -> u64 {
        self.records.iter().map(|plan| plan.calls.len() as u64).sum()
    }

    /// Calls that change something on one side.
    pub fn writes_on(&self, side: Side) -> u64 {
        let on_side = |plan: &RecordPlan| plan.calls.iter().filter(|call| call.to == side).count() as u64;
        self.records.iter().map(on_side).sum()
    }

    /// Tickets of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.records.iter().filter(|plan| plan.kind == kind).count()
    }
}

/// A run that only reads: nobody waits for it, so its calls stand behind those that are waited for.
pub fn reading(cx: &Context) -> ExecutionContext {
    ExecutionContext {
        execution: "plan".to_owned(),
        workflow: "plan".to_owned(),
        trigger: "person".to_owned(),
        actor: "deskup".to_owned(),
        lane: Lane::Reconcile,
        deadline_ms: i64::MAX / 4,
        attempt: 1,
        trace_id: "plan".to_owned(),
        answers_from: Vec::new(),
        clock: cx.clock.clone(),
        random: Random::seeded(0),
    }
}

/// Plans the whole scope.
pub async fn make(cx: &Context, watch: &dyn Watch) -> Result<Plan, SyncError> {
    make_with(cx, &[], watch).await
}

/// Plans the whole scope and these tickets, which the export may not show yet: it leaves out its last minute.
pub async fn make_with(cx: &Context, also: &[TicketId], watch: &dyn Watch) -> Result<Plan, SyncError> {
    let run = reading(cx);
    let mut found = discover::discover(cx, &run, watch).await?;
    for ticket in also {
        if found.links.contains_key(ticket) {
            found.moved.insert(*ticket);
        } else if !found.new.contains(ticket) {
            found.new.push(*ticket);
        }
    }
    of_found(cx, &run, found, watch).await
}

/// Plans what was found.
pub async fn of_found(
    cx: &Context,
    run: &ExecutionContext,
    found: Found,
    watch: &dyn Watch,
) -> Result<Plan, SyncError> {
    let tickets: Vec<TicketId> = found.new.iter().chain(&found.moved).copied().collect();
    let mut plan = Plan { out_of_scope: found.left, in_step: found.quiet, ..Plan::default() };
    records(cx, run, &tickets, &found.links, &mut plan, watch).await?;
    finish(cx, run, plan, found.recognised, found.pages).await
}

/// Plans one ticket.
pub async fn make_one(cx: &Context, ticket: TicketId, watch: &dyn Watch) -> Result<Plan, SyncError> {
    let run = reading(cx);
    let link = cx.store.links().get(ticket).await?;
    let pairs = if link.is_none() { discover::pairs(cx, &run, watch).await? } else { Vec::new() };
    let links = link.map(|link| (ticket, link)).into_iter().collect();
    let mut plan = Plan::default();
    records(cx, &run, &[ticket], &links, &mut plan, watch).await?;
    if let Some((taken, limit)) = pilot::seats(cx).await?
        && taken.len() >= limit
        && !taken.contains(&ticket)
        && plan.records.pop().is_some()
    {
        plan.left.insert(ticket, pilot::FULL.to_owned());
    }
    let pairs = pairs.into_iter().filter(|pair| pair.ticket == ticket).collect();
    finish(cx, &run, plan, pairs, 0).await
}

async fn records(
    cx: &Context,
    run: &ExecutionContext,
    tickets: &[TicketId],
    links: &BTreeMap<TicketId, stores::links::Link>,
    plan: &mut Plan,
    watch: &dyn Watch,
) -> Result<(), SyncError> {
    let total = tickets.len() as u64;
    watch.stage(Stage::Records, 0, Some(total));
    let looks = stream::iter(tickets.iter().copied()).map(|ticket| async move {
        let planned = record::of(cx, run, ticket, links.get(&ticket)).await;
        (ticket, planned.map(|(planned, _)| planned))
    });
    let mut looks = looks.buffered(IN_FLIGHT);
    let mut done = 0;
    while let Some((ticket, planned)) = looks.next().await {
        done += 1;
        watch.stage(Stage::Records, done, Some(total));
        match planned {
            Ok(Planned::Plan(record)) if record.is_quiet() && record.apart.is_empty() => plan.in_step += 1,
            Ok(Planned::Plan(record)) => plan.records.push(*record),
            Ok(Planned::Left(why)) => drop(plan.left.insert(ticket, why)),
            Err(SyncError::Api(error)) if error.kind != ErrorKind::Auth => {
                plan.left.insert(ticket, format!("it could not be read: {error}"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn finish(
    cx: &Context,
    run: &ExecutionContext,
    mut plan: Plan,
    pairs: Vec<Recognised>,
    export_pages: u64,
) -> Result<Plan, SyncError> {
    plan.effort = effort::of(cx, &plan.records, export_pages);
    plan.pairs = pairs.into_iter().map(|pair| seen(&plan, pair)).collect();
    plan.triggers = triggers::met(cx, run, &plan).await?;
    Ok(plan)
}

fn seen(plan: &Plan, pair: Recognised) -> PairSeen {
    let linked = plan.records.iter().find(|record| record.ticket == pair.ticket);
    let outcome = match (linked, plan.left.get(&pair.ticket)) {
        (Some(record), _) if record.kind == Kind::Link && record.task.as_ref() == Some(&pair.task) => {
            "it is linked".to_owned()
        }
        (Some(_), _) => "it is left alone, and the ticket gets a task of its own".to_owned(),
        (None, Some(why)) => why.clone(),
        (None, None) => "its ticket is not in the scope".to_owned(),
    };
    PairSeen { pair, outcome }
}
