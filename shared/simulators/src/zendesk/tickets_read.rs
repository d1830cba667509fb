//! Reading tickets: one, many, lists, audits.

use std::ops::Bound::{Excluded, Included, Unbounded};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::paging::{self, Wanted};
use super::refusal::Refusal;
use super::rows::TicketRow;
use super::state::Entry;
use super::views::{self, Each, Scene, TicketView};
use super::{Asked, Desk, Reply, as_json};
use crate::http_text::{Call, json as json_answer};

/// The most ids one `show_many` takes.
pub(super) const SHOW_MANY_MAX: usize = 100;

/// A page of tickets with what stands beside them.
#[derive(Serialize)]
struct Tickets<T: Serialize> {
    tickets: T,
    #[serde(flatten)]
    beside: Map<String, Value>,
}

/// `GET /tickets/{id}`.
pub(super) fn show(desk: &mut Desk, asked: &Asked) -> Reply {
    #[derive(Serialize)]
    struct One<'a> {
        ticket: TicketView<'a>,
        #[serde(flatten)]
        beside: Map<String, Value>,
    }
    let entry = desk.state.live(asked.id("api/v2/tickets/show")?).ok_or_else(Refusal::not_found)?;
    let scene = desk.scene();
    let beside = side_loads(scene, &asked.call, &[entry]);
    as_json(200, &One { ticket: TicketView::new(scene, entry), beside })
}

/// `GET /tickets/show_many?ids=`. Missing ids are just left out.
pub(super) fn show_many(desk: &mut Desk, asked: &Asked) -> Reply {
    let ids = ids_of(&asked.call)?;
    let entries: Vec<&Entry> = ids.iter().filter_map(|id| desk.state.live(*id)).collect();
    let scene = desk.scene();
    let mut beside = side_loads(scene, &asked.call, &entries);
    beside.insert("next_page".to_owned(), Value::Null);
    beside.insert("previous_page".to_owned(), Value::Null);
    beside.insert("count".to_owned(), entries.len().into());
    tickets_answer(scene, &entries, beside)
}

/// The numbers of `ids=`, at most a hundred.
pub(super) fn ids_of<T: std::str::FromStr>(call: &Call) -> Result<Vec<T>, Refusal> {
    let ids: Vec<T> = call.query.list("ids").into_iter().filter_map(|id| id.parse().ok()).collect();
    if ids.len() > SHOW_MANY_MAX {
        let said = json!({
            "error": "TooManyValues",
            "description": "Parameter  cannot specify more than 100 values",
            "max_count": SHOW_MANY_MAX,
        });
        return Err(Refusal::new(400, said));
    }
    Ok(ids)
}

/// `GET /tickets`, also with `external_id=`.
pub(super) fn list(desk: &mut Desk, asked: &Asked) -> Reply {
    let (call, state) = (&asked.call, &desk.state);
    let live = |id: &u64| state.live(*id);
    if let Some(external) = call.query.get("external_id") {
        let range = (external.into(), 0)..=(external.into(), u64::MAX);
        return listed(desk, call, state.by_external_id.range(range).filter_map(|(_, id)| live(id)));
    }
    let sort = call.query.get("sort").or_else(|| call.query.get("sort_by")).unwrap_or("id");
    let descending = sort.starts_with('-') || call.query.get("sort_order") == Some("desc");
    match sort.trim_start_matches('-') {
        "id" if !descending => by_id(desk, call),
        key @ ("id" | "updated_at" | "status") => {
            let mut all: Vec<&Entry> = state.tickets.keys().filter_map(live).collect();
            match key {
                "updated_at" => all.sort_by_key(|entry| (entry.row.updated_ms, entry.row.id)),
                "status" => all.sort_by_key(|entry| (entry.row.status, entry.row.id)),
                _ => {}
            }
            if descending {
                all.reverse();
            }
            listed(desk, call, all.into_iter())
        }
        _ => Err(Refusal::bad_request("InvalidPaginationParameter", "sort is not valid")),
    }
}

/// The usual list: in the order of ids, without looking at the tickets before the page.
fn by_id(desk: &Desk, call: &Call) -> Reply {
    let state = &desk.state;
    match Wanted::of(call)? {
        Wanted::Cursor { size, after } => {
            let after = after.map(|id| id.parse::<u64>().map_or(Unbounded, Excluded)).unwrap_or(Unbounded);
            let mut rest = state.tickets.range((after, Unbounded)).map(|(_, entry)| entry);
            let mut rest = rest.by_ref().filter(|entry| !entry.row.deleted);
            let entries: Vec<&Entry> = rest.by_ref().take(size).collect();
            let has_more = rest.next().is_some();
            let key = |entry: &&Entry| entry.row.id.to_string();
            let members = paging::cursor_members(call, &desk.options.link_base, &entries, key, has_more);
            answer(desk, call, &entries, members)
        }
        Wanted::Offset { page, size } => {
            let live = state.tickets.values().filter(|entry| !entry.row.deleted);
            let entries: Vec<&Entry> = live.skip((page - 1) * size).take(size).collect();
            let count = state.tickets.len() - state.deleted;
            let members = paging::offset_members(call, &desk.options.link_base, page, size, count);
            answer(desk, call, &entries, members)
        }
    }
}

fn listed<'a>(desk: &'a Desk, call: &Call, all: impl Iterator<Item = &'a Entry>) -> Reply {
    let page = paging::cut(call, &desk.options.link_base, all, |entry| entry.row.id.to_string())?;
    answer(desk, call, &page.items, page.beside)
}

fn answer(desk: &Desk, call: &Call, entries: &[&Entry], members: Value) -> Reply {
    let scene = desk.scene();
    let mut beside = side_loads(scene, call, entries);
    if let Value::Object(members) = members {
        beside.extend(members);
    }
    tickets_answer(scene, entries, beside)
}

/// An answer with these tickets.
pub(super) fn tickets_answer(scene: Scene<'_>, entries: &[&Entry], beside: Map<String, Value>) -> Reply {
    as_json(200, &Tickets { tickets: Each(entries, |entry| TicketView::new(scene, entry)), beside })
}

/// The records that `include=` asks for, each once.
pub(super) fn side_loads(scene: Scene<'_>, call: &Call, entries: &[&Entry]) -> Map<String, Value> {
    let mut beside = Map::new();
    let rows = || entries.iter().map(|entry| &entry.row);
    for include in call.query.list("include") {
        let loaded: Vec<Value> = match include {
            "users" => {
                let people = |row: &TicketRow| [Some(row.requester), Some(row.submitter), row.assignee];
                let users = sorted(rows().flat_map(people));
                users
                    .iter()
                    .filter_map(|id| scene.state.users.get(id))
                    .map(|u| views::user(scene, u))
                    .collect()
            }
            "groups" => {
                let groups = sorted(rows().map(|row| row.group));
                let groups = groups.iter().filter_map(|id| scene.state.groups.get(id));
                groups.map(|row| views::group(scene, row)).collect()
            }
            "organizations" => {
                let organizations = sorted(rows().map(|row| row.organization));
                let found = organizations.iter().filter_map(|id| scene.state.organizations.get(id));
                found.map(|row| views::organization(scene, row)).collect()
            }
            // Not a list of its own: the count stands in each ticket; given beside them by ticket.
            "comment_count" => {
                let count = |entry: &&Entry| json!({"ticket_id": entry.row.id, "count": entry.comments});
                entries.iter().map(count).collect()
            }
            "custom_statuses" => scene.state.statuses.values().map(super::admin::custom_status).collect(),
            _ => continue,
        };
        beside.insert(include.to_owned(), loaded.into());
    }
    beside
}

/// `GET /tickets/{id}/audits`: history, oldest first.
pub(super) fn audits(desk: &mut Desk, asked: &Asked) -> Reply {
    let ticket = asked.id("api/v2/tickets/audits")?;
    let entry = desk.state.live(ticket).ok_or_else(Refusal::not_found)?;
    let scene = desk.scene();
    let audits = entry.audits.iter();
    let page = paging::cut(&asked.call, &desk.options.link_base, audits, |audit| audit.id.to_string())?;
    let views = page.items.iter().map(|row| views::audit(scene, ticket, row));
    let mut body = json!({"audits": views.collect::<Vec<_>>()});
    paging::extend(&mut body, page.beside);
    Ok(json_answer(200, &body))
}

/// `GET /tickets/{id}/related`.
pub(super) fn related(desk: &mut Desk, asked: &Asked) -> Reply {
    let entry = desk.state.live(asked.id("api/v2/tickets/related")?).ok_or_else(Refusal::not_found)?;
    let sources: Vec<u64> = entry.row.followup_of.into_iter().collect();
    let body = json!({"ticket_related": {
        "url": desk.scene().url(&format!("tickets/{}/related", entry.row.id)),
        "topic_id": null,
        "jira_issue_ids": [],
        "followup_source_ids": sources,
        "from_archive": false,
        "incidents": 0,
    }});
    Ok(json_answer(200, &body))
}

/// `GET /deleted_tickets`.
pub(super) fn deleted(desk: &mut Desk, asked: &Asked) -> Reply {
    let gone = desk.state.tickets.values().filter(|entry| entry.row.deleted);
    let page = paging::cut(&asked.call, &desk.options.link_base, gone, |entry| entry.row.id.to_string())?;
    let views = page.items.iter().map(|entry| {
        json!({
            "id": entry.row.id,
            "subject": entry.row.subject,
            "actor": {"id": entry.row.submitter, "name": ""},
            "deleted_at": crate::clock::iso_seconds(entry.row.updated_ms),
            "previous_state": entry.row.status.as_str(),
        })
    });
    let mut body = json!({"deleted_tickets": views.collect::<Vec<_>>()});
    paging::extend(&mut body, page.beside);
    Ok(json_answer(200, &body))
}

fn sorted<T: Ord>(ids: impl Iterator<Item = Option<T>>) -> Vec<T> {
    let mut ids: Vec<T> = ids.flatten().collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The tickets whose (second, id) lies after `from`, up to `until_s`, in the order of the export.
pub(super) fn exported(
    desk: &Desk,
    from: std::ops::Bound<(i64, u64)>,
    until_s: i64,
) -> impl Iterator<Item = &Entry> {
    let empty = match from {
        Included((second, _)) | Excluded((second, _)) => second > until_s,
        Unbounded => false,
    };
    let range = (!empty).then(|| desk.state.generated.range((from, Included((until_s, u64::MAX)))));
    range.into_iter().flatten().filter_map(|(_, id)| desk.state.tickets.get(id))
}
