//! What there is: every ticket of the scope, every task of the mapped lists, every link. Only reads. It finds
//! tickets without a task, pairs of which a side moved, and pairs that people made.

use std::collections::{BTreeMap, BTreeSet};

use clients::{ClickUp, ExportFrom, TaskQuery};
use domain::recognise::in_task;
use domain::{
    ListId, Recognised, Routing, Side, Sign, Task, TaskId, Ticket, TicketId, task_moved, ticket_moved,
};
use futures::{StreamExt, stream};
use orchestration::ExecutionContext;
use stores::WorkKey;
use stores::links::{Link, LinkState};

use crate::plan::{Stage, Watch};
use crate::sync::{masked, pilot, recognised};
use crate::{Context, SyncError};

/// Reads under way at once.
const IN_FLIGHT: usize = 20;

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Tickets of the scope that have no task yet, in the order of the export; or whose create has no outcome.
    pub new: Vec<TicketId>,
    /// Linked tickets to be looked at.
    pub moved: BTreeSet<TicketId>,
    /// Linked tickets that need no look.
    pub quiet: u64,
    /// Pairs that people made.
    pub recognised: Vec<Recognised>,
    /// Tickets that are left out, by reason.
    pub left: BTreeMap<String, u64>,
    /// Links by ticket.
    pub links: BTreeMap<TicketId, Link>,
    /// Pages of the export that were read.
    pub pages: u64,
}

/// Reads everything.
pub async fn discover(cx: &Context, run: &ExecutionContext, watch: &dyn Watch) -> Result<Found, SyncError> {
    let mut found = Found { links: links(cx).await?, ..Found::default() };
    watch.stage(Stage::Tickets, 0, None);
    let tickets = tickets(cx, run, &mut found, watch).await?;
    watch.stage(Stage::Tasks, 0, None);
    let tasks = tasks(cx, run, watch).await?;
    found.recognised = recognise(cx, &found.links, &tasks);
    recognised::remember(cx, &found.recognised).await?;
    scope(cx, &tickets, &mut found).await?;
    let waiting = waiting(cx).await?;
    let mut unsure = Vec::new();
    for (ticket, link) in &found.links {
        match link.state {
            LinkState::Unlinked => {}
            LinkState::Intent | LinkState::Probe => {
                if !found.new.contains(ticket) {
                    found.new.push(*ticket);
                }
            }
            LinkState::Suspended => drop(found.moved.insert(*ticket)),
            LinkState::Linked | LinkState::Closed => {
                let moved = waiting.contains(ticket) || moved(cx, link, tickets.get(ticket), &tasks);
                if moved {
                    found.moved.insert(*ticket);
                } else {
                    unsure.push(link.clone());
                }
            }
        }
    }
    comments(cx, run, unsure, &mut found, watch).await?;
    Ok(found)
}

/// Only the pairs that people made.
pub async fn pairs(
    cx: &Context,
    run: &ExecutionContext,
    watch: &dyn Watch,
) -> Result<Vec<Recognised>, SyncError> {
    watch.stage(Stage::Tasks, 0, None);
    let tasks = tasks(cx, run, watch).await?;
    let pairs = recognise(cx, &links(cx).await?, &tasks);
    recognised::remember(cx, &pairs).await?;
    Ok(pairs)
}

async fn links(cx: &Context) -> Result<BTreeMap<TicketId, Link>, SyncError> {
    let mut links = BTreeMap::new();
    let mut from = None;
    loop {
        let page = cx.store.links().scan(from.as_ref()).await?;
        links.extend(page.links.into_iter().map(|link| (link.ticket, link)));
        from = page.next;
        if from.is_none() {
            return Ok(links);
        }
    }
}

/// The export from the scope's beginning, in its order. Nothing is kept of a ticket that is left out.
async fn tickets(
    cx: &Context,
    run: &ExecutionContext,
    found: &mut Found,
    watch: &dyn Watch,
) -> Result<Exported, SyncError> {
    let mut exported = Exported::default();
    let mut from = ExportFrom::Start(cx.since_s());
    loop {
        let page = cx.zendesk(run).export_tickets(from, cx.options.page_size).await?;
        found.pages += 1;
        for ticket in page.tickets {
            exported.add(ticket);
        }
        watch.stage(Stage::Tickets, exported.by_id.len() as u64, None);
        match page.after_cursor {
            Some(cursor) if !page.end_of_stream => from = ExportFrom::Cursor(cursor),
            _ => return Ok(exported),
        }
    }
}

/// Tickets of the export; one that is listed twice counts where it is listed first, as it is listed last.
#[derive(Debug, Default)]
struct Exported {
    order: Vec<TicketId>,
    by_id: BTreeMap<TicketId, Ticket>,
}

impl Exported {
    fn add(&mut self, ticket: Ticket) {
        let id = ticket.id;
        if self.by_id.insert(id, ticket).is_none() {
            self.order.push(id);
        }
    }

    fn get(&self, ticket: &TicketId) -> Option<&Ticket> {
        self.by_id.get(ticket)
    }
}

/// Who of the export is to get a task: by the routes, and by the seats of a pilot.
async fn scope(cx: &Context, tickets: &Exported, found: &mut Found) -> Result<(), SyncError> {
    let mut seats = pilot::seats(cx).await?;
    for id in &tickets.order {
        let (Some(ticket), None) = (tickets.get(id), found.links.get(id)) else { continue };
        let why = match cx.mapping.route(ticket) {
            Routing::Filtered(why) => Some(why),
            Routing::List(_) if recognised::is_left(cx, ticket).await? => None,
            Routing::List(_) => match &mut seats {
                Some((taken, limit)) if !taken.contains(id) && taken.len() >= *limit => {
                    Some(pilot::FULL.to_owned())
                }
                Some((taken, _)) => {
                    taken.insert(*id);
                    None
                }
                None => None,
            },
        };
        match why {
            Some(why) => *found.left.entry(why).or_default() += 1,
            None => found.new.push(*id),
        }
    }
    Ok(())
}

/// Every task of the mapped lists, archived ones too: a pair that is put away is still a pair.
async fn tasks(
    cx: &Context,
    run: &ExecutionContext,
    watch: &dyn Watch,
) -> Result<BTreeMap<TaskId, Task>, SyncError> {
    let clickup = cx.clickup(run);
    let mut tasks = BTreeMap::new();
    let mut query = TaskQuery { lists: cx.mapping.lists(), ..TaskQuery::default() };
    loop {
        let page = clickup.team_tasks(&query).await?;
        tasks.extend(page.tasks.into_iter().map(|task| (task.id.clone(), task)));
        watch.stage(Stage::Tasks, tasks.len() as u64, None);
        if page.last_page {
            break;
        }
        query.page += 1;
    }
    for list in cx.mapping.lists() {
        archived(&clickup, &list, &mut tasks).await?;
    }
    Ok(tasks)
}

async fn archived(
    clickup: &ClickUp,
    list: &ListId,
    tasks: &mut BTreeMap<TaskId, Task>,
) -> Result<(), SyncError> {
    let mut query = TaskQuery { archived: true, ..TaskQuery::default() };
    loop {
        let page = clickup.list_tasks(list, &query).await?;
        tasks.extend(page.tasks.into_iter().map(|task| (task.id.clone(), task)));
        if page.last_page {
            return Ok(());
        }
        query.page += 1;
    }
}

/// Tasks that say which ticket they belong to, where neither is linked.
fn recognise(
    cx: &Context,
    links: &BTreeMap<TicketId, Link>,
    tasks: &BTreeMap<TaskId, Task>,
) -> Vec<Recognised> {
    let linked: BTreeSet<&TaskId> = links.values().filter_map(|link| link.task.as_ref()).collect();
    let mut found: BTreeMap<(TicketId, TaskId), Recognised> = BTreeMap::new();
    for task in tasks.values().filter(|task| !linked.contains(&task.id)) {
        let Some((ticket, sign)) = in_task(task, &cx.mapping) else { continue };
        if links.contains_key(&ticket) {
            continue;
        }
        let pair = found.entry((ticket, task.id.clone())).or_insert_with(|| Recognised {
            ticket,
            task: task.id.clone(),
            signs: BTreeSet::<Sign>::new(),
            list: Some(task.list.clone()),
            archived: task.archived,
        });
        pair.signs.insert(sign);
    }
    found.into_values().collect()
}

/// Tickets with work that an earlier run left.
async fn waiting(cx: &Context) -> Result<BTreeSet<TicketId>, SyncError> {
    let mut tickets = BTreeSet::new();
    for key in cx.store.work().all().await? {
        match key {
            WorkKey::Ticket(ticket) => drop(tickets.insert(ticket)),
            WorkKey::Task(task) => {
                tickets.extend(cx.store.links().pointer(&task).await?.map(|pointer| pointer.ticket));
            }
        }
    }
    Ok(tickets)
}

/// Whether either side of a link is not as the link knows it. A comment moves its ticket, too.
fn moved(cx: &Context, link: &Link, ticket: Option<&Ticket>, tasks: &BTreeMap<TaskId, Task>) -> bool {
    let on_zendesk = ticket.is_some_and(|ticket| {
        let mut seen = ticket.clone();
        masked::as_linked(&link.fields, &mut seen);
        ticket.is_deleted()
            || link.z_stamp != ticket.updated_stamp
            || ticket_moved(&link.fields, link.list.as_ref(), &seen, &cx.mapping)
    });
    // A task that no list shows any more was moved elsewhere, or is gone.
    let on_clickup = match link.task.as_ref().map(|task| tasks.get(task)) {
        Some(Some(task)) => task_moved(&link.fields, task, &cx.mapping),
        Some(None) => true,
        None => false,
    };
    on_zendesk || on_clickup
}

/// Comments on a task move nothing, so each task is asked for its newest ones.
async fn comments(
    cx: &Context,
    run: &ExecutionContext,
    links: Vec<Link>,
    found: &mut Found,
    watch: &dyn Watch,
) -> Result<(), SyncError> {
    let total = links.len() as u64;
    watch.stage(Stage::Comments, 0, Some(total));
    let asked = stream::iter(links).map(|link| async move {
        let unknown = unknown_comment(cx, run, &link).await;
        (link.ticket, unknown)
    });
    let mut asked = asked.buffer_unordered(IN_FLIGHT);
    let mut done = 0;
    while let Some((ticket, unknown)) = asked.next().await {
        done += 1;
        watch.stage(Stage::Comments, done, Some(total));
        if unknown? {
            found.moved.insert(ticket);
        } else {
            found.quiet += 1;
        }
    }
    Ok(())
}

async fn unknown_comment(cx: &Context, run: &ExecutionContext, link: &Link) -> Result<bool, SyncError> {
    let Some(task) = &link.task else { return Ok(false) };
    let newest = match cx.clickup(run).recent_comments(task).await {
        Err(error) if error.kind == clients::ErrorKind::NotFound => return Ok(true),
        other => other?,
    };
    let theirs: Vec<_> = newest.iter().filter(|comment| comment.author.id != cx.clickup_me()).collect();
    if theirs.is_empty() {
        return Ok(false);
    }
    let rows = cx.store.comments().list(link.ticket).await?;
    Ok(theirs.iter().any(|comment| !rows.contains_key(&(Side::Clickup, comment.id.clone()))))
}
