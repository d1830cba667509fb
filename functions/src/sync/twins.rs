//! Tasks with a marker of ours but no pointer: the task of a create whose reply was lost, a second copy
//! from a create that landed too late, or a person's copy of a task. Only the first two are ours.

use domain::plan::Write;
use domain::{
    Comment, Conflict, ConflictCause, FieldKey, Marker, Task, TaskId, TaskPatch, Value, footer, task_moved,
};
use orchestration::ExecutionContext;
use planted::Bug;
use stores::links::{Link, LinkState};
use stores::work::{Claim, Hint};
use stores::{Lane, WorkKey};

use crate::sync::probe::is_ours;
use crate::sync::{Synced, wants};
use crate::{Context, SyncError, access};

/// Two records of one write may be this far apart on the service's clock.
const UNTOUCHED_MS: i64 = 5_000;

/// Said on a second task that stays.
const LEFT_ALONE: &str = "deskup made this task twice and keeps the other one in step. \
                          People changed this one, so it stays; it is not synchronised.";

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
    let task = access::visible(cx, cx.clickup(run).task(task).await).await?;
    let Some(task) = task else { return Ok(Synced::default()) };
    let Some(marker) = footer::parse(&task.description) else { return Ok(Synced::default()) };
    let Some(link) = cx.store.links().get(marker.ticket).await? else { return Ok(Synced::default()) };
    if !is_ours(cx, &link, &task) {
        return Ok(Synced::default());
    }
    match link.state {
        LinkState::Intent | LinkState::Probe => {
            // It may be the task that is looked for, or a copy of it: the probe compares all there are.
            let known = link.seen.iter().any(|(seen, _)| *seen == task.id);
            if !known && link.seen.len() < Link::SEEN_MAX {
                cx.store.links().saw(&link, &task.id, &marker.nonce).await?;
            }
            let hint = Hint {
                lane: Lane::Reconcile,
                delay_ms: 0,
                wants: &[wants::ZENDESK, wants::ZENDESK_COMMENTS],
                event_ms: 0,
                queue: None,
            };
            cx.store.work().hint(&WorkKey::Ticket(marker.ticket), hint).await?;
            Ok(Synced::default())
        }
        LinkState::Linked | LinkState::Closed | LinkState::Suspended
            if link.task.as_ref() != Some(&task.id) && !is_copy(cx, &link, &marker).await? =>
        {
            put_away(cx, run, &link, &task).await
        }
        _ => Ok(Synced::default()),
    }
}

/// Each nonce was sent once: a second task with the nonce of the linked one is a copy that people made or that
/// recurred by itself.
async fn is_copy(cx: &Context, link: &Link, marker: &Marker) -> Result<bool, SyncError> {
    if planted::is(Bug::CopiedMarkerBelieved) {
        return Ok(false);
    }
    let Some(task) = &link.task else { return Ok(true) };
    let pointer = cx.store.links().pointer(task).await?;
    Ok(pointer.is_none_or(|pointer| pointer.nonce == marker.nonce))
}

/// Archives a second copy of ours. One that people touched is left to them, with a word, and listed.
pub async fn put_away(
    cx: &Context,
    run: &ExecutionContext,
    link: &Link,
    twin: &Task,
) -> Result<Synced, SyncError> {
    if twin.archived {
        return Ok(Synced::default());
    }
    cx.check_paused(run.lane).await?;
    let pass = cx.permit(link.ticket, &Write::Twin)?;
    let comments = cx.clickup(run).comments(&twin.id).await?;
    let (ours, theirs): (Vec<_>, Vec<_>) =
        comments.into_iter().partition(|comment| comment.author.id == cx.clickup_me());
    if !is_touched(cx, link, twin, &theirs) {
        let patch = TaskPatch { archived: Some(true), ..TaskPatch::default() };
        cx.clickup(run).update_task(&twin.id, &patch).await?;
        pass.used();
        return Ok(Synced { writes: 1, again_ms: None });
    }
    cx.store.conflicts().record(link.ticket, &left_alone(twin)).await?;
    if ours.is_empty() {
        cx.clickup(run).create_comment(&twin.id, LEFT_ALONE).await?;
        pass.used();
        return Ok(Synced { writes: 1, again_ms: None });
    }
    Ok(Synced::default())
}

/// Whether people may have touched a twin. Its time of change does not tell of comments, nor of the first
/// seconds, when only what it says tells.
fn is_touched(cx: &Context, link: &Link, twin: &Task, theirs: &[Comment]) -> bool {
    let by_people = |user: Option<domain::UserId>| user.is_some_and(|user| user != cx.clickup_me());
    twin.updated.ms() - twin.created.ms() > UNTOUCHED_MS
        || !theirs.is_empty()
        || twin.attachments.iter().any(|file| by_people(file.user))
        || link.list.as_ref() != Some(&twin.list)
        || task_moved(&link.fields, twin, &cx.mapping)
}

fn left_alone(twin: &Task) -> Conflict {
    Conflict {
        field: FieldKey::Custom(format!("twin:{}", twin.id)),
        cause: ConflictCause::Twin,
        base: Value::Null,
        zendesk: Value::Null,
        clickup: Value::Text(twin.url.clone()),
        winner: None,
        rule: "a second task of the ticket that people touched stays and is not synchronised".to_owned(),
    }
}
