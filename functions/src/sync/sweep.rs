//! Comments on a task do not move its `date_updated`, so no poll of tasks tells of one whose webhook was lost.
//! A sweep asks a few linked tasks at each poll, all of them in turn; the settings decide how long a round takes.
//! It looks at suspended pairs too: that a task is visible again does not move its date either.

use std::collections::BTreeSet;

use domain::{Side, TicketId};
use orchestration::ExecutionContext;
use serde::{Deserialize, Serialize};
use stores::links::{Link, LinkState};
use stores::work::Hint;
use stores::{Lane, WorkKey};

use crate::sync::wants;
use crate::{Context, SyncError, access};

/// The stream of the sweep's place.
pub const STREAM: &str = "comment-sweep";

/// Tickets that are noted ahead, so that not every poll reads a page of links.
const AHEAD_MAX: usize = 150;

/// Where the sweep stands in its round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Round {
    /// Who comes next.
    ahead: Vec<TicketId>,
    /// The last link that was noted ahead; none at the start of a round.
    after: Option<TicketId>,
}

/// Asks the next tasks for comments and hints those that have an unknown one. Gives their number.
pub async fn comments(cx: &Context, run: &ExecutionContext) -> Result<u32, SyncError> {
    let cursor = cx.checkpoints.cursor(STREAM).await?;
    let mut round: Round =
        cursor.as_ref().and_then(|cursor| serde_json::from_str(&cursor.text).ok()).unwrap_or_default();
    if round.ahead.len() < cx.options.sweep_tasks {
        look_ahead(cx, &mut round).await?;
    }
    let now: Vec<TicketId> = round.ahead.drain(..round.ahead.len().min(cx.options.sweep_tasks)).collect();
    let links = cx.store.links().get_many(&now).await?;
    let mut hinted = 0;
    for link in links.values() {
        hinted += u32::from(match link.state {
            LinkState::Linked => ask(cx, run, link).await?,
            LinkState::Suspended => hint(cx, link, wants::CLICKUP).await?,
            _ => false,
        });
    }
    let text = serde_json::to_string(&round).unwrap_or_default();
    if cursor.as_ref().map(|cursor| &cursor.text) != Some(&text) {
        cx.checkpoints.advance(STREAM, cursor.as_ref(), &text).await?;
    }
    Ok(hinted)
}

/// Notes more tickets ahead; at the end the next round begins.
async fn look_ahead(cx: &Context, round: &mut Round) -> Result<(), SyncError> {
    let links = cx.store.links();
    let mut known: BTreeSet<TicketId> = round.ahead.iter().copied().collect();
    let mut from = round.after.map(|ticket| links.page_after(ticket));
    let mut fresh_round = from.is_none();
    while round.ahead.len() < cx.options.sweep_tasks {
        let page = links.scan(from.as_ref()).await?;
        let mut full = false;
        for link in &page.links {
            if round.ahead.len() >= AHEAD_MAX {
                full = true;
                break;
            }
            round.after = Some(link.ticket);
            if matches!(link.state, LinkState::Linked | LinkState::Suspended) && known.insert(link.ticket) {
                round.ahead.push(link.ticket);
            }
        }
        if full {
            break;
        }
        from = page.next;
        if from.is_none() {
            round.after = None;
            if fresh_round {
                break;
            }
            fresh_round = true;
        }
    }
    Ok(())
}

/// Whether a task has a comment that is neither ours nor known. Its newest ones tell.
async fn ask(cx: &Context, run: &ExecutionContext, link: &Link) -> Result<bool, SyncError> {
    let Some(task) = &link.task else { return Ok(false) };
    let newest = match cx.clickup(run).recent_comments(task).await {
        Ok(newest) => newest,
        // A task that is gone is the business of whoever reads the pair.
        Err(error) if error.kind == clients::ErrorKind::NotFound => return Ok(false),
        Err(error) if access::is_hidden(cx, &error).await? => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    for comment in newest.iter().filter(|comment| comment.author.id != cx.clickup_me()) {
        if cx.store.comments().get(link.ticket, Side::Clickup, &comment.id).await?.is_none() {
            return hint(cx, link, wants::CLICKUP_COMMENTS).await;
        }
    }
    Ok(false)
}

async fn hint(cx: &Context, link: &Link, want: &str) -> Result<bool, SyncError> {
    let hint = Hint {
        lane: Lane::Reconcile,
        delay_ms: cx.options.debounce_ms,
        wants: &[want],
        event_ms: 0,
        queue: None,
    };
    let fresh = cx.store.work().hint(&WorkKey::Ticket(link.ticket), hint).await?;
    if want == wants::CLICKUP_COMMENTS {
        cx.store.pulses().found(Side::Clickup, u32::from(fresh)).await?;
    }
    Ok(true)
}
