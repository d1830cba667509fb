//! ClickUp's deliveries: each change comes twice, as its own event and as `taskUpdated`, with the same history
//! item; some events have only ids.

use domain::field::sha256_hex;
use domain::{Side, TaskId, history};
use serde_json::Value as Json;
use stores::WorkKey;
use stores::evidence::Evidence;

use crate::sync::wants;
use crate::webhook::Accepted;
use crate::{Context, SyncError, queue};

/// Our own writes are remembered within this time; what their webhook proves is compared then.
const OWN_DELAY_MS: i64 = 3_000;

/// A task of ours has its pointer long before this, unless the reply of its create was lost.
const TWIN_DELAY_MS: i64 = 30_000;

/// Reads one delivery.
pub async fn read(cx: &Context, body: &[u8]) -> Result<Vec<Accepted>, SyncError> {
    let Ok(event) = serde_json::from_slice::<Json>(body) else { return Err(unreadable()) };
    let name = event["event"].as_str().ok_or_else(unreadable)?;
    if !name.starts_with("task") {
        return Ok(Vec::new());
    }
    let task = event["task_id"].as_str().and_then(|id| TaskId::new(id).ok()).ok_or_else(unreadable)?;
    let known = cx.store.links().pointer(&task).await?.is_some();
    let key = WorkKey::Task(task);
    let made = !known && was_made_by_us(cx, &key).await?;
    let items = event["history_items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if items.is_empty() {
        let accepted = Accepted {
            key,
            wants: vec![wants::CLICKUP],
            at_ms: cx.now_ms(),
            delay_ms: None,
            queue: None,
            evidence: Vec::new(),
        };
        return Ok(if known { vec![accepted] } else { Vec::new() });
    }
    Ok(items.iter().filter_map(|item| accept(cx, &key, item, known, made)).collect())
}

/// Whether an event told that we made this task: the reply of the create may have been lost, and once it is found it
/// matters what people did to it since.
async fn was_made_by_us(cx: &Context, key: &WorkKey) -> Result<bool, SyncError> {
    let me = Some(cx.clickup_me().0);
    Ok(cx.store.evidence().list(key).await?.iter().any(|row| row.actor == me))
}

fn accept(cx: &Context, key: &WorkKey, item: &Json, known: bool, made: bool) -> Option<Accepted> {
    let field = item["field"].as_str().unwrap_or_default();
    let actor = item["user"]["id"].as_i64();
    let ours = actor == Some(cx.clickup_me().0);
    let creation = field == "task_creation" || item["before"]["type"] == "removed";
    if !known {
        // Only a create of ours is of interest, whose reply may have been lost, and what follows it.
        return (ours && creation || made && !ours).then(|| Accepted {
            key: key.clone(),
            wants: vec![wants::TWIN],
            at_ms: time_of(cx, item),
            delay_ms: Some(TWIN_DELAY_MS),
            queue: None,
            evidence: vec![evidence(cx, key, item, actor)],
        });
    }
    if creation || ours && field == "comment" {
        return None;
    }
    let evidence = evidence(cx, key, item, actor);
    let (wants, delay_ms) = match (ours, field) {
        (true, _) if evidence.field.is_some() => (wants::OWN, Some(OWN_DELAY_MS)),
        (true, _) => return None,
        (false, "comment") => (wants::CLICKUP_COMMENTS, None),
        (false, _) => (wants::CLICKUP, None),
    };
    Some(Accepted {
        key: key.clone(),
        wants: vec![wants],
        at_ms: evidence.at_ms,
        delay_ms,
        // A task's items name its list.
        queue: item["parent_id"].as_str().and_then(queue::of_list),
        evidence: vec![evidence],
    })
}

fn evidence(cx: &Context, key: &WorkKey, item: &Json, actor: Option<i64>) -> Evidence {
    let change = history::clickup_history(item, &cx.mapping);
    let (field, before, after, member) = match change {
        Some(change) => (Some(change.field), change.before, change.after, change.member),
        None => (None, None, None, None),
    };
    // The pair of deliveries shares the item; an edited comment even shares it with the post before.
    let told = format!("{}{}{}", item["field"], item["after"], item["comment"]["text_content"]);
    Evidence {
        record: key.clone(),
        provider: Side::Clickup,
        event_id: item["id"].as_str().map_or_else(|| item["id"].to_string(), str::to_owned),
        hash: sha256_hex(told.as_bytes())[..16].to_owned(),
        actor,
        at_ms: time_of(cx, item),
        field,
        before: before.map(|value| value.to_stored()),
        after: after.map(|value| value.to_stored()),
        member,
        taken_ms: 0,
    }
}

fn time_of(cx: &Context, item: &Json) -> i64 {
    let date = &item["date"];
    date.as_i64().or_else(|| date.as_str().and_then(|text| text.parse().ok())).unwrap_or_else(|| cx.now_ms())
}

fn unreadable() -> SyncError {
    SyncError::Poison { cause: "bad_delivery", detail: "not an event of ClickUp".to_owned() }
}
