//! The incremental exports: by cursor, by time, and of ticket events.
//!
//! All compare with `generated_timestamp`, which moves on every change, system updates included, and none shows the
//! last minute. A page of a time-based export may exceed `per_page`, because one second stays together.

use std::ops::Bound;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::paging::link;
use super::refusal::Refusal;
use super::rows::{AuditRow, Datum, What};
use super::state::Entry;
use super::tickets_read::{exported, side_loads, tickets_answer};
use super::views::{self, Scene};
use super::{Asked, Desk, Reply};
use crate::clock::iso_seconds;
use crate::http_text::json as json_answer;

/// The newest records are left out for so long.
const HIDDEN_S: i64 = 60;
/// The most records of a page.
const PAGE_MAX: usize = 1_000;

/// `GET /incremental/tickets/cursor`.
pub(super) fn tickets_by_cursor(desk: &mut Desk, asked: &Asked) -> Reply {
    let query = &asked.call.query;
    let until_s = visible_until(desk);
    let from = match query.get("cursor") {
        Some(cursor) => Bound::Excluded(open(cursor).ok_or_else(bad_cursor)?),
        None => Bound::Included((start_time(desk, asked)?, 0)),
    };
    let mut rest = exported(desk, from, until_s).filter(kept(asked));
    let entries: Vec<&Entry> = rest.by_ref().take(per_page(asked)).collect();
    let end_of_stream = rest.next().is_none();
    drop(rest);
    // An empty page hands back where it started, so that the next poll continues from there.
    let after = entries.last().map(|entry| (entry.row.generated_s, entry.row.id)).unwrap_or(match from {
        Bound::Included((second, _)) => (second - 1, u64::MAX),
        Bound::Excluded(position) => position,
        Bound::Unbounded => (0, 0),
    });
    let cursor = seal(after);
    let after_url = link(&asked.call, &desk.options.link_base, &[("cursor", cursor.as_str())]);
    let after_url =
        after_url.replacen(&format!("start_time={}&", query.get("start_time").unwrap_or("")), "", 1);
    let scene = desk.scene();
    let mut beside = side_loads(scene, &asked.call, &entries);
    beside.insert("after_url".to_owned(), after_url.into());
    beside.insert("after_cursor".to_owned(), cursor.into());
    beside.insert("before_url".to_owned(), Value::Null);
    beside.insert("before_cursor".to_owned(), Value::Null);
    beside.insert("end_of_stream".to_owned(), end_of_stream.into());
    tickets_answer(scene, &entries, beside)
}

/// `GET /incremental/tickets`: by time.
pub(super) fn tickets_by_time(desk: &mut Desk, asked: &Asked) -> Reply {
    let start_s = start_time(desk, asked)?;
    let from = Bound::Included((start_s, 0));
    let rest = exported(desk, from, visible_until(desk)).filter(kept(asked));
    let (entries, more) = whole_seconds(rest, per_page(asked), |entry| entry.row.generated_s);
    let last_s = entries.last().map_or(start_s, |entry| entry.row.generated_s);
    let scene = desk.scene();
    let mut beside = side_loads(scene, &asked.call, &entries);
    time_members(desk, asked, &mut beside, entries.len(), more, last_s);
    tickets_answer(scene, &entries, beside)
}

/// `GET /incremental/ticket_events`.
pub(super) fn ticket_events(desk: &mut Desk, asked: &Asked) -> Reply {
    let start_s = start_time(desk, asked)?;
    let until_s = visible_until(desk);
    let range = (start_s <= until_s).then(|| {
        desk.state.audit_times.range((start_s, 0)..=(until_s, u64::MAX)).filter_map(|((_, audit), ticket)| {
            let entry = desk.state.tickets.get(ticket)?;
            let at = entry.audits.partition_point(|row| row.id < *audit);
            Some((entry, entry.audits.get(at)?))
        })
    });
    let rest = range.into_iter().flatten();
    let (events, more) = whole_seconds(rest, per_page(asked), |(_, audit)| audit.at_ms.div_euclid(1000));
    let last_s = events.last().map_or(start_s, |(_, audit)| audit.at_ms.div_euclid(1000));
    let with_comments = asked.call.query.list("include").contains(&"comment_events");
    let scene = desk.scene();
    let views = events.iter().map(|(entry, audit)| event(scene, entry, audit, with_comments));
    let mut body = Map::new();
    body.insert("ticket_events".to_owned(), views.collect());
    time_members(desk, asked, &mut body, events.len(), more, last_s);
    Ok(json_answer(200, &Value::Object(body)))
}

/// One update of a ticket as the event export tells it.
fn event(scene: Scene<'_>, entry: &Entry, audit: &AuditRow, with_comments: bool) -> Value {
    let created_at = iso_seconds(audit.at_ms);
    let via = views::ViaView(audit.via);
    let children = audit.events.iter().map(|event| {
        let mut child = match &event.what {
            What::Comment(comment) if with_comments => {
                let mut child = views::comment_event(scene, event.id, audit.id, comment);
                child["created_at"] = created_at.as_str().into();
                child["event_type"] = "Comment".into();
                child
            }
            What::Comment(comment) => json!({
                "id": event.id,
                "comment_present": true,
                "comment_public": comment.public,
                "event_type": "Comment",
            }),
            What::Create { field, value } => field_event(event.id, "Create", field, value, None),
            What::Change { field, value, previous } => {
                field_event(event.id, "Change", field, value, Some(previous))
            }
        };
        child["via"] = json!(via);
        child["via_reference_id"] = Value::Null;
        child
    });
    let metadata = views::metadata(audit);
    json!({
        "id": audit.id,
        "ticket_id": entry.row.id,
        "timestamp": audit.at_ms.div_euclid(1000),
        "created_at": created_at,
        "updater_id": audit.author,
        "via": audit.via.as_str(),
        "system": metadata["system"],
        "metadata": metadata,
        "event_type": "Audit",
        "child_events": children.collect::<Vec<_>>(),
    })
}

/// Here the field's name is the member's name.
fn field_event(id: u64, kind: &str, field: &str, value: &Datum, previous: Option<&Datum>) -> Value {
    let mut child = json!({"id": id, "event_type": kind});
    if field == "tags"
        && let Datum::List(now) = value
    {
        let before = match previous {
            Some(Datum::List(before)) => before.as_slice(),
            _ => &[],
        };
        let added: Vec<_> = now.iter().filter(|tag| !before.contains(tag)).collect();
        let removed: Vec<_> = before.iter().filter(|tag| !now.contains(tag)).collect();
        child["added_tags"] = json!(added);
        child["removed_tags"] = json!(removed);
    }
    child[field] = json!(value);
    if let Some(previous) = previous {
        child["previous_value"] = json!(previous);
    }
    child
}

/// `count`, `end_of_stream`, `end_time` and `next_page`, which is never null.
fn time_members(
    desk: &Desk,
    asked: &Asked,
    into: &mut Map<String, Value>,
    count: usize,
    more: bool,
    last_s: i64,
) {
    // With more to come the next page starts after the last second; at the end it repeats the last second.
    let end_time = if more { last_s + 1 } else { last_s };
    let next = end_time.to_string();
    let next_page = link(&asked.call, &desk.options.link_base, &[("start_time", next.as_str())]);
    into.insert("count".to_owned(), count.into());
    into.insert("end_of_stream".to_owned(), (!more).into());
    into.insert("end_time".to_owned(), end_time.into());
    into.insert("next_page".to_owned(), next_page.into());
}

/// A page that does not part the records of one second, and whether there is more.
fn whole_seconds<T>(
    rest: impl Iterator<Item = T>,
    per_page: usize,
    second: impl Fn(&T) -> i64,
) -> (Vec<T>, bool) {
    let mut page = Vec::new();
    for item in rest {
        if page.len() >= per_page && page.last().map(&second) != Some(second(&item)) {
            return (page, true);
        }
        page.push(item);
    }
    (page, false)
}

fn visible_until(desk: &Desk) -> i64 {
    desk.now_ms().div_euclid(1000) - HIDDEN_S
}

fn start_time(desk: &Desk, asked: &Asked) -> Result<i64, Refusal> {
    let start: Option<i64> = asked.call.query.number("start_time");
    let start = start.ok_or_else(|| Refusal::bad_request("InvalidValue", "start_time is not valid"))?;
    if start > visible_until(desk) {
        let said = "Too recent start_time. Use a start_time older than 60 seconds";
        return Err(Refusal::bad_request("StartTimeTooRecent", said));
    }
    Ok(start)
}

fn per_page(asked: &Asked) -> usize {
    asked.call.query.number("per_page").unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX)
}

fn kept(asked: &Asked) -> impl Fn(&&Entry) -> bool + use<> {
    let without_deleted = asked.call.query.flag("exclude_deleted");
    move |entry| !(without_deleted && entry.row.deleted)
}

/// The recorded form of cursors; opaque by contract.
fn seal((second, id): (i64, u64)) -> String {
    STANDARD.encode(format!("{second}.0||{id}|"))
}

fn open(cursor: &str) -> Option<(i64, u64)> {
    let text = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
    let (second, id) = text.strip_suffix('|')?.split_once(".0||")?;
    Some((second.parse().ok()?, id.parse().ok()?))
}

fn bad_cursor() -> Refusal {
    Refusal::bad_request("InvalidCursor", "Cursor is not valid")
}
