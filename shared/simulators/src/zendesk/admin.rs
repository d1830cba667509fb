//! What administrators set up: ticket fields, custom statuses, triggers, the account's settings.

use serde_json::{Value, json};

use super::refusal::Refusal;
use super::rows::{CustomStatusRow, FieldKind, FieldRow};
use super::state::DEFAULT_FORM;
use super::views::Scene;
use super::{Asked, Desk, Reply, paging};
use crate::clock::iso_seconds;
use crate::http_text::json as json_answer;

/// Fields every account has; their ids follow from their place.
const SYSTEM_FIELDS: [(&str, &str); 7] = [
    ("subject", "Subject"),
    ("description", "Description"),
    ("status", "Status"),
    ("tickettype", "Type"),
    ("priority", "Priority"),
    ("group", "Group"),
    ("assignee", "Assignee"),
];
/// The id of the first of them.
const SYSTEM_FIELD_ID: u64 = 6_130_830_340_000;

/// `GET /ticket_fields`: everything at once unless a page is asked for.
pub(super) fn fields(desk: &mut Desk, asked: &Asked) -> Reply {
    let scene = desk.scene();
    let system =
        (0..).zip(SYSTEM_FIELDS).map(|(place, (kind, title))| system_field(scene, place, kind, title));
    let all: Vec<Value> = system.chain(desk.state.fields.values().map(|row| field(scene, row))).collect();
    let paged = ["page", "per_page", "page[size]"].iter().any(|name| asked.call.query.get(name).is_some());
    if !paged {
        let count = all.len();
        let body = json!({"ticket_fields": all, "next_page": null, "previous_page": null, "count": count});
        return Ok(json_answer(200, &body));
    }
    let page = paging::cut(&asked.call, &desk.options.link_base, all.into_iter(), |f| f["id"].to_string())?;
    let mut body = json!({"ticket_fields": page.items});
    paging::extend(&mut body, page.beside);
    Ok(json_answer(200, &body))
}

/// `GET /ticket_fields/{id}`.
pub(super) fn one_field(desk: &mut Desk, asked: &Asked) -> Reply {
    let row =
        desk.state.fields.get(&asked.id("api/v2/ticket_fields/show")?).ok_or_else(Refusal::not_found)?;
    Ok(json_answer(200, &json!({"ticket_field": field(desk.scene(), row)})))
}

fn field(scene: Scene<'_>, row: &FieldRow) -> Value {
    let mut view = described(scene, row.id, row.kind.as_str(), &row.title, row.created_ms);
    if matches!(row.kind, FieldKind::Tagger | FieldKind::Multiselect) {
        let options = (1..).zip(&row.options).map(|(place, (tag, name))| {
            json!({"id": row.id + place, "name": name, "raw_name": name, "value": tag, "default": false})
        });
        view["custom_field_options"] = options.collect();
    }
    view["removable"] = true.into();
    view
}

fn system_field(scene: Scene<'_>, place: u64, kind: &str, title: &str) -> Value {
    let mut view = described(scene, SYSTEM_FIELD_ID + place, kind, title, 0);
    view["position"] = place.into();
    view["removable"] = false.into();
    let options = match kind {
        "status" => &["open", "pending", "hold", "solved"][..],
        "tickettype" => &["question", "incident", "problem", "task"],
        "priority" => &["low", "normal", "high", "urgent"],
        _ => &[],
    };
    if !options.is_empty() {
        view["system_field_options"] = options.iter().map(|v| json!({"name": v, "value": v})).collect();
    }
    view
}

fn described(scene: Scene<'_>, id: u64, kind: &str, title: &str, created_ms: i64) -> Value {
    let created = iso_seconds(created_ms);
    json!({
        "url": scene.url(&format!("ticket_fields/{id}")),
        "id": id,
        "type": kind,
        "title": title,
        "raw_title": title,
        "description": "",
        "raw_description": "",
        "position": 9999,
        "active": true,
        "required": false,
        "collapsed_for_agents": false,
        "regexp_for_validation": null,
        "title_in_portal": title,
        "raw_title_in_portal": title,
        "visible_in_portal": false,
        "editable_in_portal": false,
        "required_in_portal": false,
        "tag": null,
        "created_at": created,
        "updated_at": created,
        "agent_description": null,
    })
}

/// `GET /custom_statuses`: all in one answer.
pub(super) fn custom_statuses(desk: &mut Desk, _: &Asked) -> Reply {
    let statuses: Vec<Value> = desk.state.statuses.values().map(custom_status).collect();
    Ok(json_answer(200, &json!({"custom_statuses": statuses})))
}

/// A custom status.
pub(super) fn custom_status(row: &CustomStatusRow) -> Value {
    json!({
        "id": row.id,
        "status_category": row.category.as_str(),
        "agent_label": row.label,
        "raw_agent_label": row.label,
        "end_user_label": row.label,
        "raw_end_user_label": row.label,
        "description": "",
        "raw_description": "",
        "end_user_description": "",
        "raw_end_user_description": "",
        "active": true,
        "default": row.default,
        "created_at": iso_seconds(0),
        "updated_at": iso_seconds(0),
    })
}

/// `GET /ticket_forms`: the one that every account has.
pub(super) fn forms(desk: &mut Desk, asked: &Asked) -> Reply {
    let scene = desk.scene();
    let fields: Vec<u64> = desk.state.fields.keys().copied().collect();
    let form = json!({
        "url": scene.url(&format!("ticket_forms/{DEFAULT_FORM}")),
        "id": DEFAULT_FORM,
        "name": "Default Ticket Form",
        "raw_name": "Default Ticket Form",
        "display_name": "Default Ticket Form",
        "raw_display_name": "Default Ticket Form",
        "end_user_visible": true,
        "position": 1,
        "ticket_field_ids": fields,
        "active": true,
        "default": true,
        "created_at": iso_seconds(0),
        "updated_at": iso_seconds(0),
        "in_all_brands": true,
        "restricted_brand_ids": [],
        "end_user_conditions": [],
        "agent_conditions": [],
    });
    let all = std::iter::once(form).filter(|_| asked.call.query.get("active") != Some("false"));
    let page = paging::cut(&asked.call, &desk.options.link_base, all, |form| form["id"].to_string())?;
    let mut body = json!({"ticket_forms": page.items});
    paging::extend(&mut body, page.beside);
    Ok(json_answer(200, &body))
}

/// `GET /triggers`, with `active=`.
pub(super) fn triggers(desk: &mut Desk, asked: &Asked) -> Reply {
    let wanted = asked.call.query.get("active").map(|active| active == "true");
    let fits = |trigger: &&Value| wanted.is_none_or(|active| trigger["active"] == active);
    let all = desk.state.triggers.iter().filter(fits);
    let page = paging::cut(&asked.call, &desk.options.link_base, all, |trigger| trigger["id"].to_string())?;
    let mut body = json!({"triggers": page.items});
    paging::extend(&mut body, page.beside);
    Ok(json_answer(200, &body))
}

/// `GET /account/settings`: the part that tells of limits.
pub(super) fn settings(_: &mut Desk, _: &Asked) -> Reply {
    let body = json!({"settings": {
        "limits": {"attachment_size": 52_428_800},
        "tickets": {
            "tagging": true, "emoji_autocompletion": true, "status_hold": true, "comments_public_by_default": true,
        },
        "user": {"tagging": false},
        "active_features": {
            "custom_statuses_enabled": true, "on_hold_status": true, "ticket_forms": true, "ticket_tagging": true,
            "sandbox": false,
        },
    }});
    Ok(json_answer(200, &body))
}
