//! Whether linked pairs are as their links know them: what a sweep asks of all of them, whatever webhooks and cursors
//! told. The table cuts all links into segments, each is compared on its own, and its place is kept after every few.

use clients::ErrorKind;
use domain::{Evidence, Task, Ticket, TicketId, decide, task_moved, ticket_moved};
use futures::future::join_all;
use orchestration::{ExecutionContext, Noted};
use serde::{Deserialize, Serialize};
use statemachines::steps::Segment;
use stores::cursors::Cursor;
use stores::links::{Link, LinkPageKey, LinkState};
use stores::work::Hint;
use stores::{Lane, Store, StoreError, WorkKey};

use crate::sync::{masked, wants};
use crate::{Context, SyncError, access, queue};

/// The stream that counts sweeps.
pub const STREAM: &str = "sweep";

/// Links of one segment, about.
const SEGMENT_LINKS: u32 = 1_000;

/// One of so many segments tells how many links there are.
const SAMPLE_OF: u32 = 64;

/// Most segments: their names are the input of one execution.
const SEGMENTS_MAX: u32 = 2_000;

/// Links whose tasks are read at once, and after which the place is kept.
const AT_ONCE: usize = 10;

/// What one call has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Links that were compared.
    pub links: u32,
    /// Those that differ.
    pub differ: u32,
}

/// Where a segment stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    round: u64,
    of: u32,
    from: Option<LinkPageKey>,
    done: bool,
}

/// The round that was begun last.
pub async fn round(store: &Store) -> Result<Option<u64>, StoreError> {
    Ok(store.cursors().get(STREAM).await?.map(|cursor| cursor.ver))
}

/// A new round, and its number: segments of an earlier one no longer count.
pub async fn begin(store: &Store) -> Result<u64, StoreError> {
    let cursor = store.cursors().get(STREAM).await?;
    let round = cursor.as_ref().map_or(1, |cursor| cursor.ver + 1);
    store.cursors().advance(STREAM, cursor.as_ref(), &round.to_string()).await?;
    Ok(round)
}

/// When the next round is due. What was just brought over need not be compared, so the first one is a period away.
pub async fn due_ms(store: &Store, every_ms: i64) -> Result<i64, StoreError> {
    match store.cursors().get(STREAM).await? {
        Some(cursor) => Ok(cursor.at_ms + every_ms),
        None => begin(store).await.map(|_| store.now_ms() + every_ms),
    }
}

/// All links, in parts. How many are needed is told by a sample.
pub async fn segments(store: &Store, round: u64) -> Result<Vec<Segment>, StoreError> {
    let (mut sample, mut from) = (0_u32, None);
    loop {
        let page = store.links().segment(0, SAMPLE_OF, from.as_ref()).await?;
        sample = sample.saturating_add(u32::try_from(page.links.len()).unwrap_or(u32::MAX));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let of = sample.saturating_mul(SAMPLE_OF).div_ceil(SEGMENT_LINKS).clamp(1, SEGMENTS_MAX);
    Ok((0..of).map(|segment| Segment { round, segment, of }).collect())
}

/// Whether a ticket differs from what its link knows.
pub fn ticket_differs(cx: &Context, link: &Link, ticket: &Ticket) -> bool {
    let mut seen = ticket.clone();
    masked::as_linked(&link.fields, &mut seen);
    ticket_moved(&link.fields, link.list.as_ref(), &seen, &cx.mapping)
}

/// Whether both are as their link knows them, and the mapping wants something else: it was changed since.
fn is_apart(cx: &Context, link: &Link, mut ticket: Ticket, task: &Task) -> bool {
    masked::as_linked(&link.fields, &mut ticket);
    let evidence = Evidence { placed: link.list.clone(), ..Evidence::default() };
    !decide(&link.fields, &ticket, task, &cx.mapping, &evidence).writes.is_empty()
}

/// Whether a task differs from what its link knows.
pub fn task_differs(cx: &Context, link: &Link, task: &Task) -> bool {
    task_moved(&link.fields, task, &cx.mapping)
}

/// Compares what is left of a segment. Should a budget be empty, the place is where the next call goes on.
pub async fn segment(cx: &Context, run: &ExecutionContext, of: &Segment) -> Result<Compared, SyncError> {
    let stream = format!("sweep-{}", of.segment);
    let mut cursor = cx.checkpoints.cursor(&stream).await?;
    let kept = cursor.as_ref().and_then(|cursor| serde_json::from_str::<Place>(&cursor.text).ok());
    let fresh = Place { round: of.round, of: of.of, ..Place::default() };
    let mut place = kept.filter(|kept| (kept.round, kept.of) == (of.round, of.of)).unwrap_or(fresh);
    let mut compared = Compared::default();
    while !place.done {
        let page = cx.store.links().segment(of.segment, of.of, place.from.as_ref()).await?;
        let open: Vec<&Link> = page.links.iter().filter(|link| is_open(link)).collect();
        for links in open.chunks(clients::zendesk::MANY_MAX) {
            let ids: Vec<TicketId> = links.iter().map(|link| link.ticket).collect();
            // One ticket that cannot be read makes the list unreadable: then each is read by itself.
            let tickets = match cx.zendesk(run).tickets(&ids).await {
                Err(error) if error.kind == ErrorKind::Unexpected => None,
                tickets => Some(tickets?),
            };
            for few in links.chunks(AT_ONCE) {
                if cx.halt.is_asked() {
                    return Ok(compared);
                }
                cx.check_paused(run.lane).await?;
                let looks = few.iter().map(|link| {
                    let find = |tickets: &Vec<Ticket>| tickets.iter().find(|t| t.id == link.ticket).cloned();
                    look(cx, run, link, tickets.as_ref().map(find))
                });
                for differs in join_all(looks).await {
                    compared.links += 1;
                    match differs? {
                        true => compared.differ += 1,
                        false => cx.recovery.note(Noted::Touched).await?,
                    }
                }
                if let Some(last) = few.last() {
                    place.from = Some(cx.store.links().page_after(last.ticket));
                    cursor = Some(keep(cx, &stream, cursor.as_ref(), &place).await?);
                }
            }
        }
        place.done = page.next.is_none();
        place.from = page.next;
        cursor = Some(keep(cx, &stream, cursor.as_ref(), &place).await?);
    }
    Ok(compared)
}

async fn keep(cx: &Context, stream: &str, from: Option<&Cursor>, place: &Place) -> Result<Cursor, SyncError> {
    let text = serde_json::to_string(place).unwrap_or_default();
    Ok(cx.checkpoints.advance(stream, from, &text).await?)
}

fn is_open(link: &Link) -> bool {
    matches!(link.state, LinkState::Linked | LinkState::Suspended)
}

/// Hints a pair that is not as its link knows it. A record that cannot be read is the business of whoever reads the
/// pair: it counts the attempts, and stops nobody else.
async fn look(
    cx: &Context,
    run: &ExecutionContext,
    link: &Link,
    ticket: Option<Option<Ticket>>,
) -> Result<bool, SyncError> {
    let Some(id) = &link.task else { return Ok(false) };
    let ticket = match ticket {
        Some(ticket) => Ok(ticket),
        None => cx.zendesk(run).ticket(link.ticket).await,
    };
    let task = access::visible(cx, cx.clickup(run).task(id).await).await;
    let ticket = ticket.map_err(SyncError::from);
    let is_linked = link.state == LinkState::Linked;
    let differs = match (ticket, task) {
        (Err(error), _) | (_, Err(error)) => {
            let is_of_record = matches!(
                &error,
                SyncError::Api(api) if matches!(api.kind, ErrorKind::Unexpected | ErrorKind::Refused)
            );
            if !is_of_record && !access::is_of_one_record(cx, &error).await? {
                return Err(error);
            }
            true
        }
        (Ok(Some(ticket)), Ok(Some(task))) => {
            !is_linked
                || ticket_differs(cx, link, &ticket)
                || task_differs(cx, link, &task)
                || is_apart(cx, link, ticket, &task)
        }
        // A pair that is suspended is known to miss one.
        _ => is_linked,
    };
    if differs {
        let wants = &[wants::ZENDESK, wants::CLICKUP];
        let queue = link.list.as_ref().and_then(|list| queue::of_list(list.as_str()));
        let hint = Hint {
            lane: Lane::Reconcile,
            delay_ms: cx.options.debounce_ms,
            wants,
            event_ms: 0,
            queue: queue.as_deref(),
        };
        cx.store.work().hint(&WorkKey::Ticket(link.ticket), hint).await?;
    }
    Ok(differs)
}
