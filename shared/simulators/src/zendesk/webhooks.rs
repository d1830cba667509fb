//! The webhooks API: who is told of what, and with which secret it is signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::rows::WebhookRow;
use super::state::Op;
use super::{Asked, Desk, Reply};
use crate::clock::{iso_nanos, iso_seconds};
use crate::http_text::{empty, json as json_answer};

/// The subscription of webhooks that triggers and automations call.
const BY_TRIGGERS: &str = "conditional_ticket_events";

/// `POST /webhooks`.
pub(super) fn create(desk: &mut Desk, asked: &Asked) -> Reply {
    let body = asked.body()?;
    let given = &body["webhook"];
    let text = |name: &str| given.get(name).and_then(Value::as_str);
    let (Some(name), Some(endpoint)) = (text("name"), text("endpoint")) else {
        return Err(refused("name and endpoint are required"));
    };
    let subscriptions = subscriptions(given)?;
    let mut tx = desk.tx(asked.actor.user, None);
    let secret = STANDARD.encode(tx.secret(32));
    let (authentication, header) = authentication(&given["authentication"]);
    let row = WebhookRow {
        id: tx.ulid().into(),
        name: name.into(),
        description: text("description").map(Into::into),
        endpoint: endpoint.into(),
        http_method: text("http_method").unwrap_or("POST").into(),
        request_format: text("request_format").unwrap_or("json").into(),
        active: text("status") != Some("inactive"),
        subscriptions,
        authentication,
        header,
        secret: secret.into(),
        created_ms: tx.now_ms,
        created_by: asked.actor.user,
    };
    let mut view = view(&row);
    // Only the answer of the create has the full precision.
    view["created_at"] = iso_nanos(row.created_ms).into();
    tx.push(Op::Webhook(Box::new(row)));
    let line = tx.finish();
    desk.commit(line)?;
    Ok(json_answer(201, &json!({ "webhook": view })))
}

/// `GET /webhooks`: cursors, and no `after_cursor` on the last page.
pub(super) fn list(desk: &mut Desk, asked: &Asked) -> Reply {
    let size = asked.call.query.number("page[size]").unwrap_or(100_usize).clamp(1, 100);
    let after = asked.call.query.get("page[after]").and_then(|cursor| STANDARD.decode(cursor).ok());
    let after = after.and_then(|bytes| String::from_utf8(bytes).ok());
    let mut rest = desk.state.webhooks.values();
    if let Some(after) = &after {
        let passed = rest.by_ref().find(|row| *row.id == **after);
        passed.ok_or_else(|| refused("the cursor is not valid"))?;
    }
    let page: Vec<&WebhookRow> = rest.by_ref().take(size).collect();
    let more = rest.next().is_some();
    let mut meta = json!({ "has_more": more });
    if let Some(last) = page.last().filter(|_| more) {
        meta["after_cursor"] = STANDARD.encode(last.id.as_bytes()).into();
    }
    let webhooks: Vec<Value> = page.into_iter().map(view).collect();
    Ok(json_answer(200, &json!({"meta": meta, "webhooks": webhooks})))
}

/// `GET /webhooks/{id}`.
pub(super) fn show(desk: &mut Desk, asked: &Asked) -> Reply {
    Ok(json_answer(200, &json!({"webhook": view(find(desk, asked)?)})))
}

/// `PUT` and `PATCH /webhooks/{id}`.
pub(super) fn change(desk: &mut Desk, asked: &Asked) -> Reply {
    let mut row = find(desk, asked)?.clone();
    let body = asked.body()?;
    let given = &body["webhook"];
    let text = |name: &str| given.get(name).and_then(Value::as_str);
    if let Some(name) = text("name") {
        row.name = name.into();
    }
    if let Some(endpoint) = text("endpoint") {
        row.endpoint = endpoint.into();
    }
    if let Some(status) = text("status") {
        row.active = status == "active";
    }
    if given.get("subscriptions").is_some() {
        row.subscriptions = subscriptions(given)?;
    }
    if given.get("authentication").is_some() {
        (row.authentication, row.header) = authentication(&given["authentication"]);
    }
    let view = view(&row);
    let mut tx = desk.tx(asked.actor.user, None);
    tx.push(Op::Webhook(Box::new(row)));
    let line = tx.finish();
    desk.commit(line)?;
    Ok(json_answer(200, &json!({ "webhook": view })))
}

/// `DELETE /webhooks/{id}`.
pub(super) fn delete(desk: &mut Desk, asked: &Asked) -> Reply {
    let id = find(desk, asked)?.id.clone();
    let mut tx = desk.tx(asked.actor.user, None);
    tx.push(Op::DropWebhook(id));
    let line = tx.finish();
    desk.commit(line)?;
    Ok(empty(204))
}

/// `GET /webhooks/{id}/invocations`: the newest first, all on one page.
pub(super) fn invocations(desk: &mut Desk, asked: &Asked) -> Reply {
    let id = find(desk, asked)?.id.clone();
    let kept: Vec<_> = desk.invocations.get(&id).into_iter().flatten().collect();
    Ok(json_answer(200, &json!({"meta": {"has_more": false}, "invocations": kept})))
}

/// `GET /webhooks/{id}/signing_secret`.
pub(super) fn secret(desk: &mut Desk, asked: &Asked) -> Reply {
    Ok(json_answer(200, &secret_view(find(desk, asked)?)))
}

/// `POST /webhooks/{id}/signing_secret`: a new one.
pub(super) fn reset_secret(desk: &mut Desk, asked: &Asked) -> Reply {
    let mut row = find(desk, asked)?.clone();
    let mut tx = desk.tx(asked.actor.user, None);
    row.secret = STANDARD.encode(tx.secret(32)).into();
    let view = secret_view(&row);
    tx.push(Op::Webhook(Box::new(row)));
    let line = tx.finish();
    desk.commit(line)?;
    Ok(json_answer(201, &view))
}

fn secret_view(row: &WebhookRow) -> Value {
    json!({"signing_secret": {"secret": row.secret, "algorithm": "SHA256"}})
}

fn find<'a>(desk: &'a Desk, asked: &Asked) -> Result<&'a WebhookRow, Refusal> {
    let id = asked.params.first().map(String::as_str).unwrap_or_default();
    desk.state.webhooks.get(id).ok_or_else(Refusal::not_found)
}

fn subscriptions(given: &Value) -> Result<Vec<Box<str>>, Refusal> {
    let list = given.get("subscriptions").and_then(Value::as_array).cloned().unwrap_or_default();
    let list: Vec<Box<str>> = list.iter().filter_map(Value::as_str).map(Into::into).collect();
    let by_triggers = list.iter().filter(|name| ***name == *BY_TRIGGERS).count();
    if by_triggers > 0 && list.len() > 1 {
        return Err(refused("conditional_ticket_events cannot be combined with event subscriptions"));
    }
    let known = |name: &str| name == BY_TRIGGERS || name.starts_with("zen:event-type:");
    if list.is_empty() || !list.iter().all(|name| known(name)) {
        return Err(refused("subscriptions are invalid"));
    }
    Ok(list)
}

/// Name and value of a header.
type Header = (Box<str>, Box<str>);

/// What may be shown of the credentials, and the header that carries them.
fn authentication(given: &Value) -> (Option<Value>, Option<Header>) {
    let text = |name: &str| given["data"].get(name).and_then(Value::as_str).unwrap_or_default();
    let shown = |data: Option<Value>| {
        let mut shown = json!({"type": given["type"], "add_position": "header"});
        if let Some(data) = data {
            shown["data"] = data;
        }
        Some(shown)
    };
    match given.get("type").and_then(Value::as_str) {
        Some("basic_auth") => {
            let value = STANDARD.encode(format!("{}:{}", text("username"), text("password")));
            let header = ("authorization".into(), format!("Basic {value}").into());
            (shown(Some(json!({"username": text("username")}))), Some(header))
        }
        Some("bearer_token") => {
            (shown(None), Some(("authorization".into(), format!("Bearer {}", text("token")).into())))
        }
        Some("api_key") => {
            (shown(Some(json!({"name": text("name")}))), Some((text("name").into(), text("value").into())))
        }
        _ => (None, None),
    }
}

fn view(row: &WebhookRow) -> Value {
    let mut view = json!({
        "id": row.id,
        "name": row.name,
        "status": if row.active { "active" } else { "inactive" },
        "subscriptions": row.subscriptions,
        "created_at": iso_seconds(row.created_ms),
        // A string here, where REST has numbers.
        "created_by": row.created_by.to_string(),
        "endpoint": row.endpoint,
        "http_method": row.http_method,
        "request_format": row.request_format,
    });
    if let Some(description) = &row.description {
        view["description"] = (**description).into();
    }
    if let Some(authentication) = &row.authentication {
        view["authentication"] = authentication.clone();
    }
    view
}

fn refused(detail: &str) -> Refusal {
    let error = json!({"code": "InvalidWebhook", "title": "Invalid webhook", "detail": detail});
    Refusal::new(400, json!({ "errors": [error] }))
}
