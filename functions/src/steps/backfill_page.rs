//! Takes one page of the ticket export and makes the tasks that are missing, many at once, until the page is
//! done or the time is up. Where it stands is in the store: a killed run goes on from there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use clients::{ExportFrom, ExportPage};
use domain::{Routing, Ticket, TicketId};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use orchestration::{ExecutionContext, Failure, StepExecutor, StepFailure};
use serde::{Deserialize, Serialize};
use statemachines::steps::{BACKFILL_PAGE, BackfillPageInput, BackfillPageOutput};
use stores::cursors::Cursor;
use stores::links::{Link, LinkState};
use stores::work::Hint;
use stores::{Lane, WorkKey};

use crate::sync::conversation::is_description;
use crate::sync::create::{Made, ensure_task, left_behind};
use crate::sync::{after_making, pilot, wants};
use crate::{Context, SyncError};

/// The stream under which the backfill's place is kept.
pub const STREAM: &str = "backfill";

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

/// Where a backfill stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Which backfill.
    pub generation: u64,
    /// The export's cursor before the page in work; the start if absent.
    pub cursor: Option<String>,
    /// Tickets of that page that are settled.
    pub offset: usize,
    /// Tickets settled in all pages before.
    pub seen: u64,
    /// Whether the export's end was reached.
    pub done: bool,
    /// When it began, in unix milliseconds: the polls go on from there.
    pub started_ms: i64,
}

impl Place {
    /// Reads the place of a backfill, a fresh one if there is none of this generation.
    pub async fn load(
        cx: &Context,
        generation: u64,
        now_ms: i64,
    ) -> Result<(Place, Option<Cursor>), SyncError> {
        let cursor = cx.checkpoints.cursor(STREAM).await?;
        let place = cursor.as_ref().and_then(|c| serde_json::from_str::<Place>(&c.text).ok());
        let place = place.filter(|place| place.generation == generation).unwrap_or(Place {
            generation,
            started_ms: now_ms,
            ..Place::default()
        });
        Ok((place, cursor))
    }

    async fn save(&self, cx: &Context, cursor: &mut Option<Cursor>) -> Result<(), SyncError> {
        let text = serde_json::to_string(self).unwrap_or_default();
        *cursor = Some(cx.checkpoints.advance(STREAM, cursor.as_ref(), &text).await?);
        Ok(())
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
        place.save(cx, &mut cursor).await?;
    }
    let mut output = BackfillPageOutput { done: place.done, wait_s: 0, created: 0, seen: 0 };
    while !place.done && run.left_ms() > MARGIN_MS {
        let page = match export(cx, run, &place).await {
            Ok(page) => page,
            Err(error) if error.failure() == Failure::BudgetEmpty => {
                output.wait_s = wait_s(run, error.until_ms());
                break;
            }
            Err(error) => return Err(error),
        };
        let end = tickets(cx, run, &page.tickets, &place).await?;
        output.created += end.created;
        output.seen += end.settled as u64;
        if end.settled + place.offset.min(page.tickets.len()) < page.tickets.len() {
            place.offset += end.settled;
            place.save(cx, &mut cursor).await?;
            output.wait_s = wait_s(run, end.until_ms);
            break;
        }
        place.seen += page.tickets.len() as u64;
        place.offset = 0;
        place.done = page.end_of_stream;
        place.cursor = page.after_cursor.or(place.cursor);
        place.save(cx, &mut cursor).await?;
    }
    output.done = place.done;
    Ok(output)
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
struct End {
    /// Tickets settled without a gap, from the offset on.
    settled: usize,
    created: u64,
    until_ms: Option<i64>,
}

/// What became of one ticket of the page.
enum Settled {
    Created,
    Present,
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
    let rest = tickets.get(place.offset..).unwrap_or_default();
    let ids: Vec<TicketId> = rest.iter().map(|ticket| ticket.id).collect();
    let mut links = cx.store.links().get_many(&ids).await?;
    let since_ms = place.started_ms;
    take_seats(cx, rest, &links).await?;
    let work: Vec<_> =
        rest.iter().map(|ticket| one(cx, run, ticket, links.remove(&ticket.id), since_ms)).collect();
    let ends: Vec<Result<Settled, SyncError>> =
        stream::iter(work).buffered(cx.options.in_flight).collect().await;
    let mut end = End { settled: 0, created: 0, until_ms: None };
    let mut gap = false;
    for result in ends {
        match result? {
            Settled::Created => end.created += 1,
            Settled::Present | Settled::Handed => {}
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
    let wanted = |ticket: &&Ticket| {
        !links.contains_key(&ticket.id) && matches!(cx.mapping.route(ticket), Routing::List(_))
    };
    let asking: Vec<TicketId> = tickets.iter().filter(wanted).map(|ticket| ticket.id).collect();
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
    let unfinished = link.as_ref().is_some_and(|link| link.intent_ms >= since_ms && left_behind(cx, link));
    if ticket.is_deleted() || linked && !unfinished {
        return Ok(Settled::Present);
    }
    if run.left_ms() <= MARGIN_MS {
        return Ok(Settled::NotYet(None));
    }
    let settled =
        if linked { look_for_comments(cx, run, ticket).await } else { make(cx, run, ticket, link).await };
    match settled {
        Ok(settled) => {
            cx.created.fetch_add(1, Ordering::Relaxed);
            Ok(settled)
        }
        Err(SyncError::Store(error)) if !error.is_stale() => Err(error.into()),
        Err(error) if matches!(error.failure(), Failure::BudgetEmpty | Failure::Paused) => {
            Ok(Settled::NotYet(error.until_ms()))
        }
        Err(error) => {
            tracing::debug!(ticket = %ticket.id, %error, "left to a work row");
            hand_over(cx, ticket, 1_000).await
        }
    }
}

async fn make(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    link: Option<Link>,
) -> Result<Settled, SyncError> {
    match ensure_task(cx, run, ticket, link, 0).await? {
        Made::Filtered(_) | Made::Linked(_) => Ok(Settled::Present),
        Made::Probe(link) => hand_over(cx, ticket, link.probe_ms - run.now_ms()).await,
        made @ Made::Created(..) => {
            // The task is there and linked; should its comments fail, a work row brings them.
            if let Err(error) = after_making(cx, run, ticket, made).await {
                tracing::debug!(ticket = %ticket.id, %error, "comments are left to a work row");
                hand_over(cx, ticket, 1_000).await?;
            }
            Ok(Settled::Created)
        }
    }
}

/// The process that linked this ticket in this backfill may have ended before it copied the comments, and
/// the polls start after them.
async fn look_for_comments(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
) -> Result<Settled, SyncError> {
    let comments = cx.zendesk(run).comments(ticket.id).await?;
    if is_description(&comments) {
        return Ok(Settled::Present);
    }
    hand_over(cx, ticket, 0).await
}

async fn hand_over(cx: &Context, ticket: &Ticket, delay_ms: i64) -> Result<Settled, SyncError> {
    let hint = Hint {
        lane: Lane::Reconcile,
        delay_ms: delay_ms.max(0),
        wants: &[wants::ZENDESK, wants::ZENDESK_COMMENTS],
        event_ms: 0,
    };
    cx.store.work().hint(&WorkKey::Ticket(ticket.id), hint).await?;
    Ok(Settled::Handed)
}
