//! Takes one page of the ticket export and makes the tasks that are missing, many at once, until the page is
//! done, the time is up or a person stops it. Where it stands is in the store: a killed run goes on from there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use clients::{ExportFrom, ExportPage};
use domain::{Routing, Ticket, TicketId};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use orchestration::{ExecutionContext, Failure, StepExecutor, StepFailure};
use statemachines::steps::{BACKFILL_PAGE, BackfillPageInput, BackfillPageOutput};
use stores::cursors::Cursor;
use stores::jobs::Marked;
use stores::links::{Link, LinkState};
use stores::work::Hint;
use stores::{Lane, WorkKey};

use crate::backfill::Place;
use crate::plan::gate::Entered;
use crate::sync::conversation::is_description;
use crate::sync::create::{Made, ensure_task, left_behind};
use crate::sync::link_back::{self, batch};
use crate::sync::{after_making, copying, pilot, recognised, wants};
use crate::{Context, SyncError, access};

/// An execution that is about to be stopped waits this long for it.
const HALTED_WAIT_S: u64 = 60;

/// The step returns this long before its deadline.
const MARGIN_MS: i64 = 5_000;

/// The step.
pub struct BackfillPage(pub Arc<Context>);

impl StepExecutor for BackfillPage {
    type Input = BackfillPageInput;
    type Output = BackfillPageOutput;
    const NAME: &'static str = BACKFILL_PAGE.name();

    fn run<'a>(
        &'a self,
        input: BackfillPageInput,
        run: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<BackfillPageOutput, StepFailure>> {
        page(&self.0, input, run).map(|result| result.map_err(StepFailure::from)).boxed()
    }
}

async fn page(
    cx: &Context,
    input: BackfillPageInput,
    run: &ExecutionContext,
) -> Result<BackfillPageOutput, SyncError> {
    cx.check_paused(run.lane).await?;
    let (mut place, mut cursor) = Place::load(cx, input.generation, run.now_ms()).await?;
    if cursor.is_none() || place.seen == 0 && place.cursor.is_none() {
        place.begin_polls(cx).await?;
        place.save(cx, &mut cursor).await?;
    }
    let _working = cx.halt.working();
    let mut output = BackfillPageOutput { done: place.done, wait_s: 0, created: 0, seen: 0 };
    let mut fresh = BTreeMap::new();
    while !place.exported && run.left_ms() > MARGIN_MS {
        if cx.halt.is_asked() {
            // Whoever asked ends the execution once this step has returned.
            output.wait_s = HALTED_WAIT_S;
            break;
        }
        let page = match export(cx, run, &place).await {
            Ok(page) => page,
            Err(error) if error.failure() == Failure::BudgetEmpty => {
                output.wait_s = wait_s(run, error.until_ms());
                break;
            }
            Err(error) => return Err(error),
        };
        let offset = place.offset(&page.tickets);
        let end = tickets(cx, run, &page.tickets[offset..], &place).await?;
        output.created += end.created;
        output.seen += end.settled as u64;
        let marked: BTreeSet<TicketId> = end.marks.iter().map(|mark| mark.ticket).collect();
        place.jobs = batch::plan(cx, run, place.jobs, end.marks).await?;
        let settled = offset + end.settled;
        let is_whole = settled == page.tickets.len();
        if !is_whole {
            place.settled = settled.checked_sub(1).map(|last| page.tickets[last].id);
            output.wait_s = wait_s(run, end.until_ms);
        } else {
            place.seen += page.tickets.len() as u64;
            place.settled = None;
            place.exported = page.end_of_stream;
            place.cursor = page.after_cursor.or(place.cursor);
        }
        place.save(cx, &mut cursor).await?;
        fresh.extend(page.tickets.into_iter().filter(|t| marked.contains(&t.id)).map(|t| (t.id, t)));
        marks(cx, run, &mut place, &mut cursor, &mut fresh).await?;
        if !is_whole {
            break;
        }
    }
    if place.exported && !place.done {
        let until_ms = marks(cx, run, &mut place, &mut cursor, &mut fresh).await?;
        place.done = place.jobs.is_empty();
        if place.done {
            place.save(cx, &mut cursor).await?;
        } else {
            output.wait_s = wait_s(run, Some(until_ms)).max(1);
        }
    }
    output.done = place.done;
    Ok(output)
}

/// Sends the marks of a page and asks after earlier ones.
async fn marks(
    cx: &Context,
    run: &ExecutionContext,
    place: &mut Place,
    cursor: &mut Option<Cursor>,
    fresh: &mut BTreeMap<TicketId, Ticket>,
) -> Result<i64, SyncError> {
    let standing = batch::advance(cx, run, &place.jobs, fresh).await?;
    fresh.clear();
    if standing.open != place.jobs {
        place.jobs = standing.open;
        place.save(cx, cursor).await?;
    }
    Ok(standing.until_ms)
}

fn wait_s(run: &ExecutionContext, until_ms: Option<i64>) -> u64 {
    let left_ms = until_ms.unwrap_or(0) - run.now_ms();
    u64::try_from(left_ms.max(0)).unwrap_or(0).div_ceil(1_000)
}

async fn export(cx: &Context, run: &ExecutionContext, place: &Place) -> Result<ExportPage, SyncError> {
    let from = match &place.cursor {
        Some(cursor) => ExportFrom::Cursor(cursor.clone()),
        None => ExportFrom::Start(cx.since_s()),
    };
    Ok(cx.zendesk(run).export_tickets(from, cx.options.page_size).await?)
}

/// How far a page got.
#[derive(Default)]
struct End {
    /// Tickets settled without a gap, from the offset on.
    settled: usize,
    created: u64,
    until_ms: Option<i64>,
    /// Tickets that should tell where their task is.
    marks: Vec<Marked>,
}

/// What became of one ticket of the page.
enum Settled {
    Created(Option<Marked>),
    Present(Option<Marked>),
    /// A work row takes care of it.
    Handed,
    /// Not tried: no budget before the deadline.
    NotYet(Option<i64>),
}

async fn tickets(
    cx: &Context,
    run: &ExecutionContext,
    tickets: &[Ticket],
    place: &Place,
) -> Result<End, SyncError> {
    let ids: Vec<TicketId> = tickets.iter().map(|ticket| ticket.id).collect();
    let mut links = cx.store.links().get_many(&ids).await?;
    take_seats(cx, tickets, &links).await?;
    let work = tickets.iter().enumerate().map(|(at, ticket)| {
        one(cx, run, ticket, links.remove(&ticket.id), place.started_ms).map(move |end| (at, end))
    });
    let work: Vec<_> = work.collect();
    // Nobody waits for the one before: it may be tried again and again.
    let mut ends: Vec<(usize, _)> = stream::iter(work).buffer_unordered(cx.options.in_flight).collect().await;
    ends.sort_by_key(|(at, _)| *at);
    let (mut end, mut gap) = (End::default(), false);
    for (_, result) in ends {
        match result? {
            Settled::Created(mark) => {
                end.created += 1;
                end.marks.extend(mark);
            }
            Settled::Present(mark) => end.marks.extend(mark),
            Settled::Handed => {}
            Settled::NotYet(until_ms) => {
                gap = true;
                end.until_ms = end.until_ms.max(until_ms);
            }
        }
        if !gap {
            end.settled += 1;
        }
    }
    Ok(end)
}

/// A pilot's seats go by the order of the export, whoever of the page is faster then.
async fn take_seats(
    cx: &Context,
    tickets: &[Ticket],
    links: &BTreeMap<TicketId, Link>,
) -> Result<(), SyncError> {
    let mut asking = Vec::new();
    for ticket in tickets {
        let planned = cx.gate().is_none_or(|gate| gate.has(ticket.id));
        let free = planned && !links.contains_key(&ticket.id);
        if free
            && matches!(cx.mapping.route(ticket), Routing::List(_))
            && !recognised::is_left(cx, ticket).await?
        {
            asking.push(ticket.id);
        }
    }
    pilot::admit(cx, &asking).await.map(drop)
}

async fn one(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    link: Option<Link>,
    since_ms: i64,
) -> Result<Settled, SyncError> {
    let linked = link.as_ref().is_some_and(|link| link.state == LinkState::Linked);
    // Clocks differ, and an attempt of this process may have stood still.
    let made_now = link.as_ref().is_some_and(|link| link.intent_ms >= since_ms - copying::SKEW_MS);
    let unfinished = made_now && link.as_ref().is_some_and(|link| run.attempt > 1 || left_behind(cx, link));
    if ticket.is_deleted() || linked && !unfinished {
        // A run of this step that failed may have linked it and noted no mark.
        let link = link.filter(|_| linked && made_now);
        return Ok(Settled::Present(link_back::missing(cx, ticket, link.as_ref()).await?));
    }
    if run.left_ms() <= MARGIN_MS || cx.halt.is_asked() {
        return Ok(Settled::NotYet(None));
    }
    let settled = match link {
        Some(link) if linked => look_after(cx, run, ticket, &link).await,
        link => enter(cx, run, ticket, link).await,
    };
    match settled {
        Ok(settled) => {
            cx.created.fetch_add(1, Ordering::Relaxed);
            Ok(settled)
        }
        Err(SyncError::Store(error)) if !error.is_stale() => Err(error.into()),
        Err(SyncError::Unplanned) => Ok(Settled::Present(None)),
        Err(error) if access::is_of_one_record(cx, &error).await? => {
            tracing::debug!(ticket = %ticket.id, %error, "left to a work row");
            hand_over(cx, ticket, 1_000).await
        }
        Err(error) if matches!(error.failure(), Failure::BudgetEmpty | Failure::Paused) => {
            Ok(Settled::NotYet(error.until_ms()))
        }
        Err(error) => {
            tracing::debug!(ticket = %ticket.id, %error, "left to a work row");
            hand_over(cx, ticket, 1_000).await
        }
    }
}

/// A confirmed plan is asked first; what it knows of the ticket is newer than the export.
async fn enter(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    link: Option<Link>,
) -> Result<Settled, SyncError> {
    let Some(gate) = cx.gate() else { return make(cx, run, ticket, link).await };
    let pilot = cx.mapping.settings().scope.limit.is_some();
    if !gate.has(ticket.id) && (pilot || matches!(cx.mapping.route(ticket), Routing::Filtered(_))) {
        return Ok(Settled::Present(None));
    }
    match gate.enter(cx, run, ticket.id, link.as_ref()).await? {
        Entered::Out => Ok(Settled::Present(None)),
        Entered::Go(None) => make(cx, run, ticket, link).await,
        Entered::Go(Some(read)) => make(cx, run, &read, link).await,
    }
}

async fn make(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    link: Option<Link>,
) -> Result<Settled, SyncError> {
    match ensure_task(cx, run, ticket, link, 0).await? {
        Made::Filtered(_) | Made::Linked(_) => Ok(Settled::Present(None)),
        Made::Probe(link) => hand_over(cx, ticket, link.probe_ms - run.now_ms()).await,
        made @ Made::Created(..) => {
            let mark = match &made {
                Made::Created(_, task, _) => link_back::mark(cx, run, ticket, task),
                _ => None,
            };
            // The task is there and linked; should its comments fail, a work row brings them.
            match after_making(cx, run, ticket, made).await {
                Err(error) if !matches!(error, SyncError::Unplanned) => {
                    tracing::debug!(ticket = %ticket.id, %error, "comments are left to a work row");
                    hand_over(cx, ticket, 1_000).await?;
                }
                _ => {}
            }
            Ok(Settled::Created(mark))
        }
    }
}

/// The process that linked this ticket in this backfill may have ended before it copied the comments, and
/// the polls start after them; or before it noted the ticket's mark.
async fn look_after(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    link: &Link,
) -> Result<Settled, SyncError> {
    let comments = cx.zendesk(run).comments(ticket.id).await?;
    if !is_description(&comments) {
        hand_over(cx, ticket, 0).await?;
    }
    Ok(Settled::Present(link_back::missing(cx, ticket, Some(link)).await?))
}

async fn hand_over(cx: &Context, ticket: &Ticket, delay_ms: i64) -> Result<Settled, SyncError> {
    let hint = Hint {
        lane: Lane::Reconcile,
        delay_ms: delay_ms.max(0),
        wants: &[wants::ZENDESK, wants::ZENDESK_COMMENTS],
        event_ms: 0,
        queue: None,
    };
    cx.store.work().hint(&WorkKey::Ticket(ticket.id), hint).await?;
    Ok(Settled::Handed)
}
