//! The state at a glance, and what in it should wake somebody.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Side, TicketId};
use functions::backfill;
use serde::Serialize;
use stores::links::LinkState;
use stores::service::Service;
use stores::{Lane, Store, WorkKey};

use super::alarms::Alarms;
use super::parts::{budgets, cursors, execution, heard_view, switches};
use super::{time, word};
use crate::installation::Installation;

/// How many rows a listing reads at most.
pub const ROWS_MAX: usize = 100_000;

/// Executions that are shown.
const EXECUTIONS_MAX: usize = 20;

/// Unconfirmed writes are looked at again every minute: later than this, nobody does.
const OVERDUE_MS: i64 = 5 * 60_000;

/// Everything `status` shows.
#[derive(Debug, Serialize)]
pub struct StatusView {
    /// What should wake somebody; nothing where all is well.
    pub alarms: Vec<AlarmView>,
    /// Where the state is.
    pub state_file: String,
    /// Since when the installation exists.
    pub since: Option<String>,
    /// Which process holds the state, and since when; none while nothing runs.
    pub holder: Option<HolderView>,
    /// Whether somebody began to keep both sides in step and did not end it.
    pub should_run: bool,
    /// Whether a run was stopped before its end, and nothing carries it on at present.
    pub run_unfinished: bool,
    /// Whether it is a demo's.
    #[serde(skip)]
    pub is_demo: bool,
    /// How much is in step.
    pub convergence: Convergence,
    /// Links by state.
    pub links: BTreeMap<String, u64>,
    /// Rows waiting, by lane.
    pub work: BTreeMap<String, u64>,
    /// Writes whose outcome is not proven yet, and how many of them should be by now.
    pub unconfirmed: Unconfirmed,
    /// Switches that are on.
    pub paused: Vec<SwitchView>,
    /// Open conflicts by cause.
    pub conflicts: BTreeMap<String, u64>,
    /// What is set aside, by cause.
    pub quarantine: BTreeMap<String, u64>,
    /// What was heard of each service.
    pub heard: Vec<HeardView>,
    /// How far each stream was read.
    pub cursors: Vec<CursorView>,
    /// How long until every linked task was asked for comments that no webhook told of, in minutes.
    pub comment_sweep_minutes: u64,
    /// How much of each limit was used in its newest window.
    pub budgets: Vec<BudgetView>,
    /// The newest executions first.
    pub executions: Vec<ExecutionView>,
}

/// Something that should wake somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlarmView {
    /// A fixed name.
    pub kind: &'static str,
    /// What, since when, and what to do.
    pub text: String,
}

/// A process that holds the state.
#[derive(Clone, Debug, Serialize)]
pub struct HolderView {
    /// Which.
    pub who: String,
    /// Since when.
    pub since: String,
}

/// How many linked pairs the last look at them left settled: no pending work, no unconfirmed write, not set aside.
/// A pair is in step where its fields are the same by the mapping or where the difference is kept as a conflict, so
/// an open conflict does not count against it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Convergence {
    /// Linked pairs.
    pub linked: u64,
    /// Those of them that wait for nothing; a conflict that is kept for a person is no waiting.
    pub settled: u64,
    /// Linked pairs with an open conflict.
    pub with_conflict: u64,
    /// The share of these.
    pub percent: f64,
}

/// Writes that wait for their proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Unconfirmed {
    /// All of them.
    pub waiting: u64,
    /// Those that should be proven by now.
    pub overdue: u64,
}

/// A switch that is on.
#[derive(Clone, Debug, Serialize)]
pub struct SwitchView {
    /// `brake`, or the lane.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// Since when.
    pub since: String,
    /// When it ends by itself, where that is known.
    pub until: Option<String>,
}

/// What was heard of a service.
#[derive(Clone, Debug, Serialize)]
pub struct HeardView {
    /// The service.
    pub service: Side,
    /// When its last webhook came.
    pub last_event: Option<String>,
    /// How long ago, in milliseconds.
    pub age_ms: Option<i64>,
    /// Changes found by cursors since then.
    pub found_since: u64,
    /// Writes that no webhook confirmed since then.
    pub unconfirmed_since: u64,
}

/// One execution.
#[derive(Clone, Debug, Serialize)]
pub struct ExecutionView {
    /// Its id.
    pub id: String,
    /// Which workflow.
    pub workflow: String,
    /// `RUNNING`, `SUCCEEDED`, `FAILED`, …
    pub status: String,
    /// The step it is or was in.
    pub step: String,
    /// When it began.
    pub started: String,
    /// How long it ran, in milliseconds.
    pub ran_ms: i64,
    /// States entered.
    pub transitions: u64,
    /// The failure's name.
    pub error: Option<String>,
}

/// One cursor.
#[derive(Clone, Debug, Serialize)]
pub struct CursorView {
    /// Which stream.
    pub stream: String,
    /// The provider's own text.
    pub cursor: String,
    /// How often it moved.
    pub version: u64,
    /// When it last moved.
    pub moved: String,
    /// When the stream was last read to its end, whether or not anything was new.
    pub looked: Option<String>,
    /// How long ago, in milliseconds.
    pub looked_age_ms: Option<i64>,
}

/// One limit in its newest window.
#[derive(Clone, Debug, Serialize)]
pub struct BudgetView {
    /// Which service.
    pub api: &'static str,
    /// Which limit.
    pub limit: &'static str,
    /// Requests booked.
    pub used: u32,
    /// Requests allowed.
    pub of: u32,
    /// When the window ended or ends.
    pub until: String,
}

/// Reads the status.
pub async fn status(installation: &Installation, store: &Store) -> anyhow::Result<StatusView> {
    let now = store.now_ms();
    let installed = store.installation().get().await?;
    let serving = store.service().get().await?.filter(Service::should_run);
    let open = Open::read(store).await?;
    let (links, convergence) = links(store, &open).await?;
    let holder = store.holder().map(|holder| (holder.who, holder.since_ms));
    let linked = links.get("linked").copied().unwrap_or_default();
    let per_poll = functions::Options::default().sweep_tasks as u64;
    let polls_ms = u64::try_from(functions::dispatcher::POLL_EVERY_MS).unwrap_or_default();
    let mut heard = Vec::new();
    for side in [Side::Zendesk, Side::Clickup] {
        heard.push((side, store.pulses().get(side).await?));
    }
    let mut view = StatusView {
        alarms: Vec::new(),
        state_file: installation.state_file().display().to_string(),
        since: (installed.created_ms > 0).then(|| time(installed.created_ms)),
        holder: holder.as_ref().map(|(who, since)| HolderView { who: who.clone(), since: time(*since) }),
        should_run: serving.is_some(),
        run_unfinished: false,
        is_demo: installation.is_demo(),
        convergence,
        links,
        work: open.work,
        unconfirmed: open.unconfirmed,
        paused: switches(store).await?,
        conflicts: open.conflicts,
        quarantine: open.quarantine,
        heard: heard.iter().map(|(side, pulse)| heard_view(*side, pulse, now)).collect(),
        cursors: cursors(store, now).await?,
        comment_sweep_minutes: linked.div_ceil(per_poll.max(1)) * polls_ms / 60_000,
        budgets: budgets(store).await?,
        executions: store.executions().list(EXECUTIONS_MAX).await?.into_iter().map(execution).collect(),
    };
    view.run_unfinished = view.holder.is_none() && is_unfinished(&view.cursors);
    let mut alarms = Alarms::new(now);
    alarms.switches(&view);
    // A stack runs as long as it has settings. Those of a demo are for Lambdas that are tried beside it.
    let pushed = store.configuration().get().await?.filter(|_| !installation.is_demo());
    match (&pushed, &serving) {
        (Some(pushed), _) => {
            alarms.pushed(pushed, installation);
            alarms.streams(store, pushed.read_ms, "the stack").await?;
        }
        (None, Some(serving)) => {
            alarms.gone(&view, serving.started_ms);
            alarms.streams(store, serving.started_ms, "`deskup serve`").await?;
            alarms.settings(serving, installation);
        }
        (None, None) => {}
    }
    // Without a public address there is no webhook to wait for.
    if pushed.is_some() || serving.is_some_and(|service| !service.public_url.is_empty()) {
        heard.iter().for_each(|(side, pulse)| alarms.webhooks(*side, pulse));
    }
    alarms.rest(&view);
    view.alarms = alarms.into_found();
    Ok(view)
}

/// Whether the newest run has a place that is not its end.
fn is_unfinished(cursors: &[CursorView]) -> bool {
    let cursor = cursors.iter().find(|cursor| cursor.stream == backfill::STREAM);
    let place = cursor.and_then(|cursor| serde_json::from_str::<backfill::Place>(&cursor.cursor).ok());
    place.is_some_and(|place| !place.done)
}

/// What is open of which ticket.
struct Open {
    /// Tickets that wait for something.
    tickets: BTreeSet<TicketId>,
    /// Tickets with an open conflict.
    with_conflict: BTreeSet<TicketId>,
    work: BTreeMap<String, u64>,
    unconfirmed: Unconfirmed,
    conflicts: BTreeMap<String, u64>,
    quarantine: BTreeMap<String, u64>,
}

impl Open {
    async fn read(store: &Store) -> anyhow::Result<Open> {
        let mut open = Open {
            tickets: BTreeSet::new(),
            with_conflict: BTreeSet::new(),
            work: BTreeMap::new(),
            unconfirmed: Unconfirmed::default(),
            conflicts: BTreeMap::new(),
            quarantine: BTreeMap::new(),
        };
        for lane in Lane::ALL {
            let waiting = store.work().waiting(lane).await?;
            open.work.insert(lane.name().to_owned(), waiting.len() as u64);
            for due in waiting {
                open.note(store, &due.key).await?;
            }
        }
        for (ticket, due_ms) in store.effects().waiting().await? {
            open.tickets.insert(ticket);
            open.unconfirmed.waiting += 1;
            open.unconfirmed.overdue += u64::from(due_ms + OVERDUE_MS < store.now_ms());
        }
        for row in store.conflicts().list_open(ROWS_MAX).await? {
            open.with_conflict.insert(row.ticket);
            *open.conflicts.entry(word(row.conflict.cause)).or_default() += 1;
        }
        for row in store.quarantine().list(ROWS_MAX).await? {
            open.note(store, &row.record).await?;
            *open.quarantine.entry(row.cause).or_default() += 1;
        }
        Ok(open)
    }

    async fn note(&mut self, store: &Store, key: &WorkKey) -> anyhow::Result<()> {
        let ticket = match key {
            WorkKey::Ticket(ticket) => Some(*ticket),
            WorkKey::Task(task) => store.links().pointer(task).await?.map(|pointer| pointer.ticket),
        };
        self.tickets.extend(ticket);
        Ok(())
    }
}

async fn links(store: &Store, open: &Open) -> anyhow::Result<(BTreeMap<String, u64>, Convergence)> {
    let mut states: BTreeMap<String, u64> = BTreeMap::new();
    let (mut linked, mut settled, mut with_conflict) = (0, 0, 0);
    let mut from = None;
    loop {
        let page = store.links().scan(from.as_ref()).await?;
        for link in &page.links {
            *states.entry(word(link.state).to_lowercase()).or_default() += 1;
            if link.state == LinkState::Linked {
                linked += 1;
                settled += u64::from(!open.tickets.contains(&link.ticket));
                with_conflict += u64::from(open.with_conflict.contains(&link.ticket));
            }
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let percent = if linked == 0 { 100.0 } else { (settled as f64 * 1_000.0 / linked as f64).floor() / 10.0 };
    Ok((states, Convergence { linked, settled, with_conflict, percent }))
}
