//! Tasks with a marker of ours but no pointer: the task of a create whose reply was lost, a second copy
//! from a create that landed too late, or a person's copy of a task. Only the first two are ours.

use domain::{Marker, Task, TaskId, TaskPatch, footer};
use orchestration::ExecutionContext;
use stores::links::{Link, LinkState};
use stores::work::{Claim, Hint};
use stores::{Lane, WorkKey};

use crate::sync::probe::is_ours;
use crate::sync::{Synced, wants};
use crate::{Context, SyncError};

/// Two records of one write may be this far apart on the service's clock.
const UNTOUCHED_MS: i64 = 5_000;

/// Looks at a task that no ticket points to.
pub async fn unknown_task(
    cx: &Context,
    run: &ExecutionContext,
    task: &TaskId,
    claim: &Claim,
) -> Result<Synced, SyncError> {
    if !claim.wants.contains(wants::TWIN) {
        // A task of somebody else: nothing to keep in step.
        return Ok(Synced::default());
    }
    let Some(task) = cx.clickup(run).task(task).await? else { return Ok(Synced::default()) };
    let Some(marker) = footer::parse(&task.description) else { return Ok(Synced::default()) };
    let Some(link) = cx.store.links().get(marker.ticket).await? else { return Ok(Synced::default()) };
    if !is_ours(cx, &link, &task) {
        return Ok(Synced::default());
    }
    match link.state {
        LinkState::Intent | LinkState::Probe => {
            // It may be the task that is looked for, or a copy of it: the probe compares all there are.
            let hint = Hint {
                lane: Lane::Reconcile,
                delay_ms: 0,
                wants: &[wants::ZENDESK, wants::ZENDESK_COMMENTS],
                event_ms: 0,
            };
            cx.store.work().hint(&WorkKey::Ticket(marker.ticket), hint).await?;
            Ok(Synced::default())
        }
        LinkState::Linked | LinkState::Closed | LinkState::Suspended
            if link.task.as_ref() != Some(&task.id) && !is_copy(cx, &link, &marker).await? =>
        {
            put_away(cx, run, &task).await
        }
        _ => Ok(Synced::default()),
    }
}

/// Each nonce was sent once: a second task with the nonce of the linked one is a copy that people made or that
/// recurred by itself.
async fn is_copy(cx: &Context, link: &Link, marker: &Marker) -> Result<bool, SyncError> {
    let Some(task) = &link.task else { return Ok(true) };
    let pointer = cx.store.links().pointer(task).await?;
    Ok(pointer.is_none_or(|pointer| pointer.nonce == marker.nonce))
}

/// Archives a second copy of ours. One that people touched is left to them, with a word.
pub async fn put_away(cx: &Context, run: &ExecutionContext, twin: &Task) -> Result<Synced, SyncError> {
    if twin.archived {
        return Ok(Synced::default());
    }
    let touched = twin.updated.ms() - twin.created.ms() > UNTOUCHED_MS;
    if touched {
        let comments = cx.clickup(run).comments(&twin.id).await?;
        if !comments.iter().any(|comment| comment.author.id == cx.clickup_me()) {
            let text = "deskup made this task twice and keeps the other one in step. \
                        People changed this one, so it stays; it is not synchronised.";
            cx.clickup(run).create_comment(&twin.id, text).await?;
        }
        return Ok(Synced::default());
    }
    let patch = TaskPatch { archived: Some(true), ..TaskPatch::default() };
    cx.clickup(run).update_task(&twin.id, &patch).await?;
    Ok(Synced { writes: 1, again_ms: None })
}
