//! `deskup run ticket-sync`: brings the scope over, settles linked pairs, and ends when nothing is left. With a
//! confirmed plan exactly that is done; what changed since is left out and planned again. `deskup run sweep` compares
//! what is linked.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clients::{Api, Lane};
use domain::TicketId;
use orchestration::resource_manager::BudgetWait;
use orchestration::{EngineError, Outcome, recovery_manager};
use stores::links::LinkState;
use stores::work::Hint;
use stores::{Store, StoreError, WorkKey};

use crate::backfill::{self, Place};
use crate::dispatcher::SweepError;
use crate::local::Local;
use crate::plan::discover::Found;
use crate::plan::file::{PlanFile, Unfit};
use crate::plan::gate::Gate;
use crate::plan::{self, Plan, Watch};
use crate::steps::sync_records::UNPLANNED;
use crate::sync::{recognised, wants};
use crate::{Context, SyncError};

/// A first run writes no more than this without a confirmed plan.
pub const UNCONFIRMED_WRITES_MAX: u64 = 50;

/// How often progress is told.
const LOOK_MS: u64 = 500;

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Tickets of the scope get their tasks.
    Backfill,
    /// Linked pairs are compared.
    Compare,
    /// Linked pairs are brought in step.
    Settle,
}

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Calls that changed something so far, also by an earlier process under the same plan.
    pub writes: u64,
    /// How many there are to be, where a plan says.
    pub of: Option<u64>,
    /// The share of this minute's ClickUp budget that is used.
    pub budget_percent: Option<u8>,
    /// Calls a minute that ClickUp gives.
    pub per_minute: Option<u32>,
    /// A limit that is waited for: which, and how long still in milliseconds.
    pub waiting: Option<(BudgetWait, i64)>,
}

/// Who wants to know how far a run is.
pub trait Progress: Watch {
    /// So far.
    fn step(&self, phase: Phase, step: &Step);
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// Calls that changed something.
    pub writes: u64,
    /// Tickets with a task at the end.
    pub linked: u64,
    /// Planned tickets that were left out, and why.
    pub left: BTreeMap<TicketId, String>,
    /// Tickets that were not in the plan, such as new ones.
    pub unplanned: u64,
    /// Records that were set aside.
    pub set_aside: u64,
    /// Whether a person stopped it.
    pub stopped: bool,
    /// What is still to be done, where planned tickets were left out.
    pub next: Option<PlanFile>,
}

/// Why a run did not begin, or broke off.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Too much for a run that nobody has looked at.
    #[error("this would make {writes} changes, and nobody has confirmed them")]
    Unconfirmed {
        /// How many.
        writes: u64,
    },
    /// The plan is for something else.
    #[error("the plan cannot be carried out")]
    Unfit(#[from] Unfit),
    /// Reading or writing failed.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// An execution could not be started.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A comparison before the first sync.
    #[error("nothing has been brought over under these settings yet")]
    NeverRun,
    /// The links could not be read, or no sweep could be started.
    #[error(transparent)]
    Sweep(#[from] SweepError),
    /// An execution ended without an end.
    #[error("the {what} ended as {status}: {error}: {cause}")]
    Ended {
        /// Backfill or sweep.
        what: &'static str,
        /// As the engine says.
        status: String,
        /// The failure's name.
        error: String,
        /// In words, without text of tickets.
        cause: String,
    },
}

impl RunError {
    fn ended(what: &'static str, outcome: Outcome) -> Self {
        RunError::Ended {
            what,
            status: outcome.status,
            error: outcome.error.unwrap_or_default(),
            cause: outcome.cause.unwrap_or_default(),
        }
    }
}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        RunError::Sync(error.into())
    }
}

/// Carries out a confirmed plan.
pub async fn planned(local: &Local, file: &PlanFile, watch: &dyn Progress) -> Result<Report, RunError> {
    let cx = &*local.cx;
    file.check(cx)?;
    recovery_manager::take_over(&cx.store).await?;
    let gate = Gate::open(cx, &file.id(), &file.plan.records).await?;
    // A second gate would be a second run of this process, which nobody starts.
    let _ = cx.gate.set(gate);
    let total = Some(file.plan.writes());
    // What people have paired was told by the plan; a fresh state does not know it.
    let pairs: Vec<_> = file.plan.pairs.iter().map(|seen| seen.pair.clone()).collect();
    recognised::remember(cx, &pairs).await?;
    let mut report = Report::default();
    if backfill(local, watch, total).await? {
        let open = cx.gate().map(Gate::unfinished).unwrap_or_default();
        for record in file.plan.records.iter().filter(|record| open.contains(&record.ticket)) {
            hint(cx, record.ticket, record.link_back).await?;
        }
        settle(local, watch, total).await?;
    }
    report.stopped = cx.halt.is_asked();
    finish(local, &mut report).await?;
    if let Some(gate) = cx.gate() {
        let left = gate.left();
        report.unplanned = left.keys().filter(|ticket| !gate.has(**ticket)).count() as u64;
        report.left = left.into_iter().filter(|(ticket, _)| gate.has(*ticket)).collect();
    }
    if report.stopped {
        return Ok(report);
    }
    cx.store.plans().confirm(&file.settings).await?;
    if !report.left.is_empty() {
        let left: Vec<TicketId> = report.left.keys().copied().collect();
        let next = plan::make_with(cx, &left, watch).await?;
        report.next = Some(PlanFile::of(cx, next));
    }
    Ok(report)
}

/// Runs without a plan on paper. The first time under these settings it is planned all the same, and refused if
/// it is more than a person would look at afterwards.
pub async fn unplanned(local: &Local, watch: &dyn Progress) -> Result<Report, RunError> {
    let cx = &*local.cx;
    recovery_manager::take_over(&cx.store).await?;
    let settings = cx.mapping.settings().digest();
    let confirmed = cx.store.plans().confirmed().await?;
    let reading = plan::reading(cx);
    let found = plan::discover::discover(cx, &reading, watch).await?;
    let open: Vec<TicketId> = open_pairs(&found);
    let mut total = None;
    if confirmed.is_none_or(|confirmed| confirmed.settings != settings) {
        let plan: Plan = plan::of_found(cx, &reading, found, watch).await?;
        let writes = plan.writes();
        if writes > UNCONFIRMED_WRITES_MAX {
            return Err(RunError::Unconfirmed { writes });
        }
        total = Some(writes);
    }
    let mut report = Report::default();
    if backfill(local, watch, total).await? {
        for ticket in open {
            hint(cx, ticket, false).await?;
        }
        settle(local, watch, total).await?;
    }
    report.stopped = cx.halt.is_asked();
    finish(local, &mut report).await?;
    if !report.stopped {
        cx.store.plans().confirm(&settings).await?;
    }
    Ok(report)
}

/// Compares all linked pairs and brings those in step that differ. It makes no tasks, but it may write, so somebody has
/// to have confirmed these settings.
pub async fn swept(local: &Local, watch: &dyn Progress) -> Result<Report, RunError> {
    let cx = &*local.cx;
    let confirmed = cx.store.plans().confirmed().await?;
    if confirmed.is_none_or(|confirmed| confirmed.settings != cx.mapping.settings().digest()) {
        return Err(RunError::NeverRun);
    }
    recovery_manager::take_over(&cx.store).await?;
    let mut report = Report::default();
    let sweep = local.dispatcher.sweep("person");
    tokio::pin!(sweep);
    let outcome = loop {
        tokio::select! {
            biased;
            outcome = &mut sweep => break Some(outcome?),
            () = cx.halt.quiet() => break None,
            () = tokio::time::sleep(Duration::from_millis(LOOK_MS)) => {
                tell(cx, watch, Phase::Compare, None);
                cx.check_paused(Lane::Reconcile).await?;
            }
        }
    };
    if let Some(outcome) = outcome.filter(|outcome| !outcome.succeeded()) {
        return Err(RunError::ended("sweep", outcome));
    }
    settle(local, watch, None).await?;
    report.stopped = cx.halt.is_asked();
    finish(local, &mut report).await?;
    Ok(report)
}

/// Pairs that have to be looked at after the backfill, which itself looks after tickets without a task.
fn open_pairs(found: &Found) -> Vec<TicketId> {
    found.moved.iter().copied().collect()
}

/// Tells the report what the store knows at the end.
async fn finish(local: &Local, report: &mut Report) -> Result<(), RunError> {
    let cx = &*local.cx;
    report.writes = cx.writes.load(Ordering::Relaxed);
    let mut from = None;
    loop {
        let page = cx.store.links().scan(from.as_ref()).await?;
        let linked = page.links.iter().filter(|link| link.state == LinkState::Linked);
        report.linked += linked.count() as u64;
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    report.set_aside = cx.store.quarantine().list(ROWS_MAX).await?.len() as u64;
    Ok(())
}

/// Rows a count reads at most.
const ROWS_MAX: usize = 100_000;

/// Brings the tickets of the scope over, from where an earlier run stopped. False if a person stopped this one.
async fn backfill(local: &Local, watch: &dyn Progress, total: Option<u64>) -> Result<bool, RunError> {
    let cx = &*local.cx;
    let generation = generation(&cx.store, &cx.mapping.settings().digest()).await.map_err(SyncError::from)?;
    loop {
        if cx.halt.is_asked() {
            return Ok(false);
        }
        if Place::load(cx, generation, cx.now_ms()).await?.0.done {
            return Ok(true);
        }
        let running = local.dispatcher.backfill_until_halted(generation);
        tokio::pin!(running);
        let outcome: Option<Outcome> = loop {
            tokio::select! {
                biased;
                outcome = &mut running => break outcome?,
                () = tokio::time::sleep(Duration::from_millis(LOOK_MS)) => {
                    tell(cx, watch, Phase::Backfill, total);
                    cx.check_paused(Lane::Backfill).await?;
                }
            }
        };
        tell(cx, watch, Phase::Backfill, total);
        match outcome {
            None => return Ok(false),
            Some(outcome) if outcome.succeeded() => {}
            Some(outcome) => return Err(RunError::ended("backfill", outcome)),
        }
    }
}

/// A backfill that was not finished goes on under the same settings; otherwise a new one begins.
pub async fn generation(store: &Store, settings: &str) -> Result<u64, StoreError> {
    let cursor = store.cursors().get(backfill::STREAM).await?;
    let place = cursor.and_then(|cursor| serde_json::from_str::<Place>(&cursor.text).ok());
    Ok(place.map_or(1, |place| place.generation + u64::from(place.done || place.settings != settings)))
}

async fn hint(cx: &Context, ticket: TicketId, link_back: bool) -> Result<(), RunError> {
    const ALL: [&str; 5] =
        [wants::ZENDESK, wants::ZENDESK_COMMENTS, wants::CLICKUP, wants::CLICKUP_COMMENTS, wants::LINK_BACK];
    let wants = if link_back { &ALL[..] } else { &ALL[..4] };
    let hint = Hint { lane: stores::Lane::Reconcile, delay_ms: 0, wants, event_ms: 0, queue: None };
    cx.store.work().hint(&WorkKey::Ticket(ticket), hint).await?;
    Ok(())
}

/// Serves work rows until none is left; polls beside it, unless a plan says what is to be done.
async fn settle(local: &Local, watch: &dyn Progress, total: Option<u64>) -> Result<(), RunError> {
    let cx = &*local.cx;
    // What an earlier run left out as not planned is looked at again: under this plan, or under none.
    cx.store.work().hasten(UNPLANNED).await?;
    let serving = tokio::spawn(local.dispatcher.clone().run());
    let mut polled = cx.gate().is_some();
    let mut calm = 0;
    while calm < 2 && !cx.halt.is_asked() {
        tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
        tell(cx, watch, Phase::Settle, total);
        cx.check_paused(Lane::Reconcile).await?;
        let idle = !local.dispatcher.is_running() && cx.store.work().open(UNPLANNED).await? == 0;
        calm = if idle { calm + 1 } else { 0 };
        if idle && !polled {
            local.dispatcher.poll().await?;
            (polled, calm) = (true, 0);
        }
    }
    local.dispatcher.stop();
    // The loop ends by itself once what it began is finished.
    let _ = serving.await;
    tell(cx, watch, Phase::Settle, total);
    Ok(())
}

fn tell(cx: &Context, watch: &dyn Progress, phase: Phase, of: Option<u64>) {
    let budgets = cx.resources.used();
    let token = budgets.iter().find(|budget| budget.api == Api::Clickup && budget.limit > 0);
    let before = cx.gate().map_or(0, Gate::made_before);
    let waiting = cx.resources.waiting().map(|wait| {
        let left_ms = wait.until_ms - cx.now_ms();
        (wait, left_ms)
    });
    let percent = token.map(|token| (token.used * 100 / token.limit).min(100));
    let step = Step {
        writes: before + cx.writes.load(Ordering::Relaxed),
        of,
        waiting,
        budget_percent: percent.and_then(|percent| u8::try_from(percent).ok()),
        per_minute: token.map(|token| token.limit),
    };
    watch.step(phase, &step);
}
