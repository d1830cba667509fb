//! A create of unknown outcome is looked for by its marker: ClickUp has no text search and no key that
//! makes a create repeatable, so tasks of the time around it are listed, once for all probes of a window.

use std::collections::{BTreeMap, BTreeSet};

use clients::TaskQuery;
use domain::{Marker, Task, TaskId, Ticket, TicketId, footer};
use orchestration::ExecutionContext;
use planted::Bug;
use stores::links::Link;
use tokio::sync::Mutex;

use crate::sync::create::{adopt, again};
use crate::sync::effect::LATE_MS;
use crate::sync::masked;
use crate::{Context, SyncError};

/// Clocks differ, and the filter's edge is not documented: look a little earlier than the create.
const LOOK_BACK_MS: i64 = 120_000;

/// The newest scan, shared by all probes that it covers.
#[derive(Debug, Default)]
pub struct Scans(Mutex<Option<Scan>>);

#[derive(Debug)]
struct Scan {
    since_ms: i64,
    taken_ms: i64,
    found: BTreeMap<TicketId, Vec<(Marker, Task)>>,
}

/// What a probe ended in.
#[derive(Debug)]
pub enum Probed {
    /// The task was there all along and is linked now; twins are copies of ours that lost.
    Adopted(Box<Link>, Box<Task>, Vec<Task>),
    /// It was not there, and was created again.
    Made(crate::sync::create::Made),
    /// Too early to say: look again at this time.
    TooEarly(i64),
}

/// Looks for the task of a link in state PROBE.
pub async fn probe(
    cx: &Context,
    run: &ExecutionContext,
    ticket: &Ticket,
    link: Link,
) -> Result<Probed, SyncError> {
    if run.now_ms() < link.probe_ms {
        return Ok(Probed::TooEarly(link.probe_ms));
    }
    let mut candidates = candidates(cx, run, &link).await?;
    if planted::is(Bug::ProbeSkipped) {
        candidates.clear();
    }
    if let Some(position) = best(&link, &candidates) {
        let (marker, task) = candidates.swap_remove(position);
        let (seen, _) = masked::for_clickup(cx, run, ticket).await?;
        let linked = adopt(cx, run, &seen, &task, &link, &marker).await?;
        tracing::info!(ticket = %ticket.id, nonce = %marker.nonce, "adopted a task whose create had no reply");
        let mut nonces = BTreeSet::from([marker.nonce.clone()]);
        candidates.sort_by_key(|(_, task)| (task.created, task.id.clone()));
        let twins = candidates.into_iter().filter(|(marker, _)| nonces.insert(marker.nonce.clone()));
        let twins = twins.map(|(_, task)| task).collect();
        return Ok(Probed::Adopted(Box::new(linked), Box::new(task), twins));
    }
    Ok(Probed::Made(again(cx, run, ticket, link).await?))
}

/// The task of a create without an outcome, if it is there by now.
pub async fn find(
    cx: &Context,
    run: &ExecutionContext,
    link: &Link,
) -> Result<Option<(Marker, Task)>, SyncError> {
    let mut candidates = candidates(cx, run, link).await?;
    Ok(best(link, &candidates).map(|position| candidates.swap_remove(position)))
}

/// Whether a task carries a marker that this link's creates wrote: made by us, with a nonce of the link,
/// in its time. People's copies and templates carry markers too and are left alone. A recurring task repeats
/// all of that soon after; each nonce was sent once, so of several tasks with one nonce only the oldest is ours.
pub fn is_ours(cx: &Context, link: &Link, task: &Task) -> bool {
    footer::parse(&task.description).is_some_and(|marker| fits(cx, link, task, &marker))
}

/// Whether this is a task of the link, if that is or once was its marker.
fn fits(cx: &Context, link: &Link, task: &Task, marker: &Marker) -> bool {
    if planted::is(Bug::CopiedMarkerBelieved) {
        return marker.ticket == link.ticket;
    }
    task.creator == cx.clickup_me()
        && marker.ticket == link.ticket
        && (marker.nonce == link.nonce || link.nonces.contains(&marker.nonce))
        && task.created.ms() >= link.intent_ms - LOOK_BACK_MS - older_attempts_ms(link)
        && task.created.ms() <= link.intent_ms + LATE_MS
}

/// Earlier nonces were sent before the present intent; each attempt waits at least a little.
fn older_attempts_ms(link: &Link) -> i64 {
    if link.nonces.is_empty() { 0 } else { 24 * 3_600_000 }
}

/// The present nonce wins over older ones, then the older task.
fn best(link: &Link, candidates: &[(Marker, Task)]) -> Option<usize> {
    (0..candidates.len()).min_by_key(|&at| {
        let (marker, task) = &candidates[at];
        (marker.nonce != link.nonce, task.created, task.id.clone())
    })
}

async fn candidates(
    cx: &Context,
    run: &ExecutionContext,
    link: &Link,
) -> Result<Vec<(Marker, Task)>, SyncError> {
    let since_ms = link.intent_ms - LOOK_BACK_MS - older_attempts_ms(link);
    let mut held = cx.scans.0.lock().await;
    let fresh = held.as_ref().is_some_and(|scan| scan.since_ms <= since_ms && scan.taken_ms >= link.probe_ms);
    if !fresh {
        *held = Some(scan(cx, run, since_ms).await?);
    }
    let mut found = held.as_ref().and_then(|scan| scan.found.get(&link.ticket)).cloned().unwrap_or_default();
    drop(held);
    // Lists may show a new task late, and none shows one that was archived outside of the mapping's lists.
    for (id, nonce) in &link.seen {
        if found.iter().all(|(_, task)| task.id != *id)
            && let Some(task) = cx.clickup(run).task(id).await?
        {
            found.push((Marker { ticket: link.ticket, nonce: nonce.clone() }, task));
        }
    }
    found.retain(|(marker, task)| fits(cx, link, task, marker));
    Ok(found)
}

async fn scan(cx: &Context, run: &ExecutionContext, since_ms: i64) -> Result<Scan, SyncError> {
    let clickup = cx.clickup(run);
    let taken_ms = run.now_ms();
    let mut tasks: BTreeMap<TaskId, Task> = BTreeMap::new();
    let mut query = TaskQuery { created_gt: Some(since_ms), ..TaskQuery::default() };
    loop {
        let page = clickup.team_tasks(&query).await?;
        tasks.extend(page.tasks.into_iter().map(|task| (task.id.clone(), task)));
        if page.last_page {
            break;
        }
        query.page += 1;
    }
    // The team query leaves archived tasks out; each list of the mapping is asked for them.
    for list in cx.mapping.lists() {
        let mut query = TaskQuery { created_gt: Some(since_ms), archived: true, ..TaskQuery::default() };
        loop {
            let page = clickup.list_tasks(&list, &query).await?;
            tasks.extend(page.tasks.into_iter().map(|task| (task.id.clone(), task)));
            if page.last_page {
                break;
            }
            query.page += 1;
        }
    }
    let mut found: BTreeMap<TicketId, Vec<(Marker, Task)>> = BTreeMap::new();
    for task in tasks.into_values() {
        if let Some(marker) = footer::parse(&task.description) {
            found.entry(marker.ticket).or_default().push((marker, task));
        }
    }
    Ok(Scan { since_ms, taken_ms, found })
}
