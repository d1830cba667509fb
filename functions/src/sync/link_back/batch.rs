//! The marks of a backfill, a hundred a call: written down first, sent as a job, and asked after later, so that
//! no page waits for Zendesk. What a job could not do goes back alone. Fields only: a job has no reply that could
//! be looked up, so it must not matter if it is done twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use clients::{ApiError, BatchEntry, ErrorKind, JobStatus};
use domain::{Side, Ticket, TicketId};
use orchestration::{ExecutionContext, Failure};
use planted::Bug;
use stores::effects::{Effect, EffectKind};
use stores::jobs::{Job, Marked};

use crate::sync::{effect, link_back};
use crate::{Context, SyncError};

/// Tickets in one job.
const BATCH: usize = 100;

/// A job of a hundred takes some fifteen seconds; it is not asked after sooner.
pub const LOOK_AFTER_MS: i64 = 20_000;

/// Zendesk forgets jobs: one that is not done by now is taken for lost, and its tickets are looked at.
const LOST_AFTER_MS: i64 = 10 * 60_000;

/// Where the marks of a backfill stand.
#[derive(Debug, Default)]
pub struct Standing {
    /// Jobs that are not settled.
    pub open: Vec<String>,
    /// When it makes sense to look again.
    pub until_ms: i64,
}

impl Standing {
    fn keep(&mut self, key: String, look_ms: i64) {
        self.until_ms = if self.open.is_empty() { look_ms } else { self.until_ms.min(look_ms) };
        self.open.push(key);
    }
}

/// Writes marks down and gives the names of all jobs that are open then. Nothing is sent before the backfill's
/// place holds these. Tickets of open jobs are left out: what was exported may be older than their mark.
pub async fn plan(
    cx: &Context,
    run: &ExecutionContext,
    open: Vec<String>,
    mut marks: Vec<Marked>,
) -> Result<Vec<String>, SyncError> {
    let mut keys = open;
    if marks.is_empty() {
        return Ok(keys);
    }
    let mut sent = BTreeSet::new();
    for key in &keys {
        let job = cx.store.jobs().get(key).await?;
        sent.extend(job.into_iter().flat_map(|job| job.marks).map(|mark| mark.ticket));
    }
    marks.retain(|mark| !sent.contains(&mark.ticket));
    for some in marks.chunks(BATCH) {
        let job = Job { key: cx.nonce(run), marks: some.to_vec(), id: None, sent_ms: 0, look_ms: 0 };
        cx.store.jobs().put(&job).await?;
        keys.push(job.key);
    }
    Ok(keys)
}

/// Sends what is not sent and asks after the rest. `fresh` saves reading the tickets that were just exported.
pub async fn advance(
    cx: &Context,
    run: &ExecutionContext,
    keys: &[String],
    fresh: &BTreeMap<TicketId, Ticket>,
) -> Result<Standing, SyncError> {
    let mut standing = Standing::default();
    let mut asked = Vec::new();
    for key in keys {
        let Some(job) = cx.store.jobs().get(key).await? else { continue };
        if run.now_ms() < job.look_ms {
            standing.keep(job.key, job.look_ms);
        } else if job.id.is_some() {
            asked.push(job);
        } else if let Some(look_ms) = send(cx, run, job, fresh).await? {
            standing.keep(key.clone(), look_ms);
        }
    }
    if asked.is_empty() {
        return Ok(standing);
    }
    let ids: Vec<String> = asked.iter().filter_map(|job| job.id.clone()).collect();
    let known = match cx.zendesk(run).jobs(&ids).await {
        Ok(known) => known,
        Err(error) if error.kind != ErrorKind::Refused => {
            let look_ms = later_ms(run, error)?;
            asked.into_iter().for_each(|job| standing.keep(job.key, look_ms));
            return Ok(standing);
        }
        Err(error) => return Err(error.into()),
    };
    for job in asked {
        let status = known.iter().find(|status| Some(&status.id) == job.id.as_ref());
        if status.is_some_and(|status| !status.is_finished()) && run.now_ms() - job.sent_ms < LOST_AFTER_MS {
            standing.keep(job.key, run.now_ms() + LOOK_AFTER_MS);
        } else {
            settle(cx, run, &job, status.filter(|status| status.status == "completed")).await?;
        }
    }
    Ok(standing)
}

/// Sends one job; when to look at it, unless there is nothing left to send. A job that was sent by a process that
/// ended comes here too: tickets that have their mark are left out.
async fn send(
    cx: &Context,
    run: &ExecutionContext,
    mut job: Job,
    fresh: &BTreeMap<TicketId, Ticket>,
) -> Result<Option<i64>, SyncError> {
    let tickets = match read(cx, run, &job, fresh).await {
        Ok(tickets) => tickets,
        Err(error) => return later_ms(run, error).map(Some),
    };
    let mut batch = Vec::new();
    let mut effects = Vec::new();
    for mark in &job.marks {
        let patch = tickets
            .get(&mark.ticket)
            .and_then(|ticket| Some((ticket, cx.mapping.link_back(ticket, &mark.task, &mark.url)?)));
        if !fresh.contains_key(&mark.ticket) {
            close_open(cx, mark.ticket, patch.is_none()).await?;
        }
        let Some((ticket, patch)) = patch else { continue };
        let none = BTreeMap::new();
        let row = effect::planned(cx, run, mark.ticket, 0, Side::Zendesk, EffectKind::LinkBack, none);
        effects.push(cx.store.effects().send(&row).await?);
        // The stamp guards the tag set, which the patch replaces as a whole.
        let updated_stamp = Some(ticket.updated_stamp.clone());
        batch.push(BatchEntry { ticket: mark.ticket, patch, updated_stamp });
    }
    if batch.is_empty() {
        cx.store.jobs().remove(&job.key).await?;
        return Ok(None);
    }
    match cx.zendesk(run).update_many(&batch).await {
        Ok(id) => {
            cx.writes.fetch_add(batch.len() as u64, Ordering::Relaxed);
            job.id = Some(id);
            job.sent_ms = run.now_ms();
            job.look_ms = job.sent_ms + LOOK_AFTER_MS;
        }
        Err(error) if error.kind == ErrorKind::Refused => {
            refused(cx, &effects, &error).await?;
            for entry in &batch {
                link_back::alone(cx, entry.ticket).await?;
            }
            cx.store.jobs().remove(&job.key).await?;
            return Ok(None);
        }
        // It may be under way: the tickets tell, once it had the time.
        Err(error) if matches!(error.kind, ErrorKind::Unknown | ErrorKind::Unexpected) => {
            job.look_ms = run.now_ms() + LOOK_AFTER_MS;
        }
        Err(error) => {
            refused(cx, &effects, &error).await?;
            job.look_ms = later_ms(run, error)?;
        }
    }
    cx.store.jobs().put(&job).await?;
    Ok(Some(job.look_ms))
}

/// The tickets of a job: as they were exported, or as they are.
async fn read(
    cx: &Context,
    run: &ExecutionContext,
    job: &Job,
    fresh: &BTreeMap<TicketId, Ticket>,
) -> Result<BTreeMap<TicketId, Ticket>, ApiError> {
    let ids = job.marks.iter().map(|mark| mark.ticket);
    let missing: Vec<TicketId> = ids.clone().filter(|id| !fresh.contains_key(id)).collect();
    let mut tickets: BTreeMap<TicketId, Ticket> =
        ids.filter_map(|id| Some((id, fresh.get(&id)?.clone()))).collect();
    if !missing.is_empty() {
        let read = cx.zendesk(run).tickets(&missing).await?;
        tickets.extend(read.into_iter().map(|ticket| (ticket.id, ticket)));
    }
    Ok(tickets)
}

/// A job that ended: by its results, or, where it failed or Zendesk has forgotten it, by the tickets themselves.
async fn settle(
    cx: &Context,
    run: &ExecutionContext,
    job: &Job,
    completed: Option<&JobStatus>,
) -> Result<(), SyncError> {
    let marked: BTreeSet<TicketId> = match completed {
        _ if planted::is(Bug::JobResultIgnored) => job.marks.iter().map(|mark| mark.ticket).collect(),
        Some(status) => {
            let worked = status.results.iter().filter(|result| result.success);
            worked.filter_map(|result| TicketId::new(result.id?).ok()).collect()
        }
        None => {
            let tickets = read(cx, run, job, &BTreeMap::new()).await?;
            let has_mark = |mark: &&Marked| {
                let ticket = tickets.get(&mark.ticket);
                ticket.is_none_or(|ticket| cx.mapping.link_back(ticket, &mark.task, &mark.url).is_none())
            };
            job.marks.iter().filter(has_mark).map(|mark| mark.ticket).collect()
        }
    };
    tracing::info!(job = %job.key, marked = marked.len(), of = job.marks.len(), "marks of a backfill are settled");
    for mark in &job.marks {
        let done = marked.contains(&mark.ticket);
        // Tickets that had their mark before have no open row, and asking for one more look does no harm.
        if close_open(cx, mark.ticket, done).await? && !done {
            link_back::alone(cx, mark.ticket).await?;
        }
    }
    cx.store.jobs().remove(&job.key).await?;
    Ok(())
}

/// Closes the rows of a ticket's marks that were sent; whether there were any.
async fn close_open(cx: &Context, ticket: TicketId, done: bool) -> Result<bool, SyncError> {
    let open = cx.store.effects().open(ticket).await?;
    let mut any = false;
    for row in open.iter().filter(|row| row.kind == EffectKind::LinkBack) {
        any = true;
        if done {
            cx.store.effects().done(row, 200, None, None).await?;
        } else {
            cx.store.effects().refused(row, None, None).await?;
        }
    }
    Ok(any)
}

async fn refused(cx: &Context, effects: &[Effect], error: &ApiError) -> Result<(), SyncError> {
    for row in effects {
        cx.store.effects().refused(row, error.status, error.request_id.as_deref()).await?;
    }
    Ok(())
}

/// When a call that could not be made may be made; other failures are the step's.
fn later_ms(run: &ExecutionContext, error: ApiError) -> Result<i64, SyncError> {
    let error = SyncError::from(error);
    match error.failure() {
        Failure::BudgetEmpty => Ok(error.until_ms().unwrap_or(run.now_ms() + LOOK_AFTER_MS)),
        Failure::Transient => Ok(run.now_ms() + LOOK_AFTER_MS),
        _ => Err(error),
    }
}
