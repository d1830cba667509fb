//! Webhooks: made, listed, revived and deleted. Each belongs to the user who made it, and only that user sees it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::create::{object, strings};
use super::history::EVENTS;
use super::model::{Location, Webhook};
use super::refusal::{self, Refusal};
use super::rows::{Key, Row};
use super::tx::Tx;
use crate::http_text::{self, Answer, Call};

/// A webhook whose events failed this often in a row is suspended.
pub(super) const FAILS_MAX: u32 = 100;

/// `POST /team/{team_id}/webhook`. Nothing is sent to the endpoint to check it.
pub(super) fn create(tx: &mut Tx<'_>, call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let body = object(call)?;
    tx.workspace(&path[0])?;
    let endpoint =
        body["endpoint"].as_str().filter(|url| url.parse::<http::Uri>().is_ok_and(|u| u.host().is_some()));
    let endpoint = endpoint.ok_or(refusal::WEBHOOK_INVALID)?.to_owned();
    let events = events(&body["events"]).ok_or(refusal::WEBHOOK_INVALID)?;
    let location = location(tx, &body)?;
    let twin = tx.state.webhooks.values().any(|webhook| {
        webhook.user == tx.actor
            && webhook.endpoint == endpoint
            && webhook.location == location
            && webhook.events == events
    });
    if twin {
        return Err(refusal::WEBHOOK_EXISTS);
    }
    tx.state.counters.webhook += 1;
    let id = tx.uuid();
    let secret: String =
        Sha256::digest(format!("secret:{id}")).iter().map(|byte| format!("{byte:02X}")).collect();
    let webhook = Webhook {
        number: tx.state.counters.webhook,
        id: id.clone(),
        user: tx.actor,
        endpoint,
        events,
        location,
        fail_count: 0,
        suspended: false,
        secret,
    };
    let body = json!({"id": id, "webhook": render(&tx.options.workspace, &webhook)});
    tx.put(Row::Webhook(webhook.into()));
    Ok(http_text::json(200, &body))
}

/// `GET /team/{team_id}/webhook`: only those of the caller.
pub(super) fn list(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    tx.workspace(&path[0])?;
    let mut own: Vec<&Webhook> = tx.state.webhooks.values().filter(|hook| hook.user == tx.actor).collect();
    own.sort_by_key(|webhook| webhook.number);
    let own: Vec<Value> = own.into_iter().map(|webhook| render(&tx.options.workspace, webhook)).collect();
    Ok(http_text::json(200, &json!({"webhooks": own})))
}

/// `PUT /webhook/{webhook_id}`: all three members are required; `status: active` revives. Nothing is resent.
pub(super) fn update(tx: &mut Tx<'_>, call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let body = object(call)?;
    let mut webhook = find(tx, &path[0])?;
    webhook.endpoint = body["endpoint"].as_str().ok_or(refusal::WEBHOOK_INVALID)?.to_owned();
    webhook.events = events(&body["events"]).ok_or(refusal::WEBHOOK_INVALID)?;
    if body["status"].as_str().ok_or(refusal::WEBHOOK_INVALID)? == "active" {
        webhook.suspended = false;
        webhook.fail_count = 0;
    }
    let body = json!({"id": webhook.id, "webhook": render(&tx.options.workspace, &webhook)});
    tx.put(Row::Webhook(webhook.into()));
    Ok(http_text::json(200, &body))
}

/// `DELETE /webhook/{webhook_id}`.
pub(super) fn delete(tx: &mut Tx<'_>, _call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let webhook = find(tx, &path[0])?;
    tx.remove(Key::Webhook(webhook.id));
    Ok(http_text::json(200, &json!({})))
}

fn find(tx: &Tx<'_>, id: &str) -> Result<Webhook, Refusal> {
    let own = tx.state.webhooks.get(id).filter(|webhook| webhook.user == tx.actor);
    own.cloned().ok_or(refusal::WEBHOOK_UNKNOWN)
}

/// The events asked for, each once: an array, one name, or `*` for all.
fn events(value: &Value) -> Option<Vec<String>> {
    let named: BTreeSet<&str> = value.as_str().into_iter().chain(strings(value)).collect();
    let known = |name: &&&str| named.contains("*") || named.contains(**name);
    let events: Vec<String> = EVENTS.iter().filter(known).map(|name| (*name).to_owned()).collect();
    (!events.is_empty()).then_some(events)
}

/// The most specific place of a body.
fn location(tx: &Tx<'_>, body: &Value) -> Result<Location, Refusal> {
    let id = |name: &str| match &body[name] {
        Value::Number(number) => Some(number.to_string()),
        value => value.as_str().map(str::to_owned),
    };
    if let Some(task) = id("task_id") {
        return tx.task(&task).map(|task| Location::Task(task.id.clone()));
    }
    if let Some(list) = id("list_id") {
        return tx.list(&list).map(|list| Location::List(list.id.clone()));
    }
    if let Some(folder) = id("folder_id") {
        let known = tx.state.folders.contains_key(&folder);
        return if known { Ok(Location::Folder(folder)) } else { Err(refusal::PLACE_UNKNOWN) };
    }
    match id("space_id") {
        Some(space) => tx.space(&space).map(|space| Location::Space(space.id.clone())),
        None => Ok(Location::Workspace),
    }
}

/// A webhook with its health and its secret, as the caller's list shows it.
pub(super) fn render(workspace: &str, webhook: &Webhook) -> Value {
    let status = match (webhook.suspended, webhook.fail_count) {
        (true, _) => "suspended",
        (false, 0) => "active",
        (false, _) => "failing",
    };
    let [mut task, mut list, mut folder, mut space] = [const { Value::Null }; 4];
    // Ids of places are numbers here, though texts elsewhere.
    let number = |id: &str| id.parse::<u64>().map_or_else(|_| json!(id), |id| json!(id));
    match &webhook.location {
        Location::Workspace => {}
        Location::Space(id) => space = number(id),
        Location::Folder(id) => folder = number(id),
        Location::List(id) => list = number(id),
        Location::Task(id) => task = json!(id),
    }
    json!({
        "id": webhook.id, "userid": webhook.user, "team_id": number(workspace),
        "endpoint": webhook.endpoint, "client_id": null, "events": webhook.events, "task_id": task,
        "list_id": list, "folder_id": folder, "space_id": space,
        "health": {"status": status, "fail_count": webhook.fail_count}, "secret": webhook.secret,
    })
}
