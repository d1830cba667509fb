//! Jobs: many updates and merges, done in the background on the account's clock.

use serde_json::{Map, Value, json};

use super::auth::Actor;
use super::comments;
use super::edit::{Dropped, Mode};
use super::refusal::Refusal;
use super::rows::*;
use super::state::Op;
use super::tickets_read::{SHOW_MANY_MAX, ids_of};
use super::tickets_write::{audit, change, settle, writable};
use super::tx::Tx;
use super::{Asked, Desk, Reply};
use crate::clock::iso_seconds;
use crate::http_text::json as json_answer;

/// How long a job waits before it starts.
pub(super) const QUEUED_MS: u64 = 1_000;
/// How long one item takes: a hundred took about 13 seconds.
pub(super) const ITEM_MS: u64 = 130;
/// The most jobs an account may have queued or running.
const JOBS_MAX: usize = 30;

/// `PUT /tickets/update_many`: one change for all, or a list of changes.
pub(super) fn update_many(desk: &mut Desk, asked: &Asked) -> Reply {
    let body = asked.body()?;
    let (items, batch) = match (body.get("tickets"), body.get("ticket")) {
        (Some(Value::Array(tickets)), _) => (tickets.clone(), true),
        (None, Some(Value::Object(ticket))) => {
            let ids: Vec<u64> = ids_of(&asked.call)?;
            let with_id = |id: u64| {
                let mut item = ticket.clone();
                item.insert("id".to_owned(), id.into());
                Value::Object(item)
            };
            (ids.into_iter().map(with_id).collect(), false)
        }
        _ => return Err(Refusal::bad_request("ParameterMissing", "Parameter tickets is required")),
    };
    if items.is_empty() || items.len() > SHOW_MANY_MAX {
        let said = json!({
            "error": "TooManyValues",
            "description": "Parameter  cannot specify more than 100 values",
            "max_count": SHOW_MANY_MAX,
        });
        return Err(Refusal::new(400, said));
    }
    let one_alone = |item: &Value| item.get("safe_update").is_some() != item.get("updated_stamp").is_some();
    if batch && items.iter().any(one_alone) {
        let said = "safe_update and updated_stamp must be given together";
        return Err(Refusal::bad_request("InvalidSafeUpdate", said));
    }
    queue(desk, asked, JobKind::Update { batch }, items)
}

/// `POST /tickets/{id}/merge`.
pub(super) fn merge(desk: &mut Desk, asked: &Asked) -> Reply {
    let target = asked.id("api/v2/tickets/merge")?;
    let mut body = asked.body()?;
    desk.state.live(target).ok_or_else(Refusal::not_found)?;
    let sources = body.get("ids").and_then(Value::as_array).cloned().unwrap_or_default();
    if sources.iter().any(|id| id.as_u64() == Some(target)) {
        let said = format!("You selected the same ticket as source and target: #{target}. Please try again.");
        return Err(Refusal::new(422, json!({"error": "SourceInvalid", "description": said})));
    }
    if sources.is_empty() || sources.iter().any(|id| id.as_u64().is_none()) {
        return Err(Refusal::bad_id("api/v2/tickets/merge"));
    }
    body["id"] = target.into();
    queue(desk, asked, JobKind::Merge, vec![body])
}

fn queue(desk: &mut Desk, asked: &Asked, kind: JobKind, items: Vec<Value>) -> Reply {
    let waiting = desk.state.jobs.values().filter(|job| job.completed_ms.is_none());
    let waiting: Vec<Box<str>> = waiting.map(|job| job.id.clone()).collect();
    if waiting.len() >= JOBS_MAX {
        let said = json!({
            "error": "TooManyJobs",
            "description": "Too many TicketBulkUpdateJobV2 jobs are currently queued or running. Try again later.",
            "current_job_ids": waiting,
        });
        return Err(Refusal::new(429, said));
    }
    let mut tx = desk.tx(asked.actor.user, asked.edit());
    let id = format!("V3-{}", tx.uuid().replace('-', ""));
    let row = JobRow {
        id: id.as_str().into(),
        kind,
        user: asked.actor.user,
        edit: asked.edit().map(Into::into),
        queued_ms: tx.now_ms,
        items,
        results: Vec::new(),
        completed_ms: None,
    };
    tx.push(Op::Job(Box::new(row)));
    let line = tx.finish();
    desk.commit(line)?;
    let job = desk.state.jobs.get(id.as_str()).ok_or_else(Refusal::not_found)?;
    Ok(json_answer(200, &json!({"job_status": view(desk, job)})))
}

/// `GET /job_statuses/{id}`.
pub(super) fn show(desk: &mut Desk, asked: &Asked) -> Reply {
    let id = asked.params.first().map(String::as_str).unwrap_or_default();
    let job = known(desk, id).ok_or_else(Refusal::not_found)?;
    Ok(json_answer(200, &json!({"job_status": view(desk, job)})))
}

/// A job, unless it was done so long ago that the account has forgotten it.
fn known<'a>(desk: &'a Desk, id: &str) -> Option<&'a JobRow> {
    let since_ms = desk.now_ms() - desk.options.job_kept_ms;
    desk.state.jobs.get(id).filter(|job| job.completed_ms.is_none_or(|at_ms| at_ms > since_ms))
}

/// `GET /job_statuses/show_many?ids=`.
pub(super) fn show_many(desk: &mut Desk, asked: &Asked) -> Reply {
    let ids = asked.call.query.list("ids");
    let jobs = ids.iter().filter_map(|id| known(desk, id)).map(|job| view(desk, job));
    Ok(json_answer(200, &json!({"job_statuses": jobs.collect::<Vec<_>>()})))
}

fn view(desk: &Desk, job: &JobRow) -> Value {
    let (done, total) = (job.results.len(), job.items.len());
    let (status, message) = match job.completed_ms {
        Some(at_ms) => {
            let time = iso_seconds(at_ms).replace('T', " ").replace('Z', " +0000");
            ("completed", Some(format!("Completed at {time}")))
        }
        None if done == 0 => ("queued", None),
        None => ("working", Some(format!("Updating ticket #{done}"))),
    };
    json!({
        "id": job.id,
        "job_type": match job.kind {
            JobKind::Update { .. } => "Bulk Update Ticket",
            JobKind::Merge => "Ticket Merge",
        },
        "url": desk.scene().url(&format!("job_statuses/{}", job.id)),
        "total": total,
        "progress": (done > 0).then_some(done),
        "status": status,
        "message": message,
        // Null until done, however much of it is known before.
        "results": job.completed_ms.map(|_| &job.results),
    })
}

/// Does the next item of a job. Whether there is more to do.
pub(super) fn step(desk: &mut Desk, id: &str) -> Result<bool, Refusal> {
    let Some(job) = desk.state.jobs.get(id).filter(|job| job.completed_ms.is_none()).cloned() else {
        return Ok(false);
    };
    let at = job.results.len();
    let mut tx = desk.tx(job.user, job.edit.as_deref());
    let result = match (job.items.get(at), job.kind) {
        (None, _) => None,
        (Some(item), JobKind::Update { batch }) => Some(update_item(&mut tx, &job, item, batch)),
        (Some(item), JobKind::Merge) => Some(match merge_all(&mut tx, item) {
            Ok(result) => result,
            Err(refusal) => {
                // What was collected before the refusal must not happen.
                tx = desk.tx(job.user, job.edit.as_deref());
                failed(item["id"].as_u64().unwrap_or_default(), "merge", &refusal)
            }
        }),
    };
    if let Some(result) = result {
        tx.push(Op::JobResult { job: id.into(), result });
    }
    let more = at + 1 < job.items.len();
    if !more {
        let at_ms = tx.now_ms;
        tx.push(Op::JobDone { job: id.into(), at_ms });
    }
    let line = tx.finish();
    desk.commit(line)?;
    Ok(more)
}

/// One ticket of an `update_many`. It is always safe: without a stamp the time of queueing counts.
fn update_item(tx: &mut Tx<'_>, job: &JobRow, item: &Value, batch: bool) -> Value {
    let id = item.get("id").and_then(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()));
    let (Some(id), Value::Object(body)) = (id, item) else {
        return failed(0, "update", &Refusal::not_found());
    };
    let mut body: Map<String, Value> = body.clone();
    body.remove("id");
    let stamp = body.get("updated_stamp").and_then(Value::as_str).map(str::to_owned);
    let stamp = stamp.unwrap_or_else(|| iso_seconds(job.queued_ms));
    let allowed = tx.state.users.get(&job.user).map(Actor::of).is_some_and(|actor| actor.is_staff());
    let mode = if batch { Mode::Update } else { Mode::Bulk };
    let done = if allowed {
        change(tx, id, &body, mode, Some(&stamp), &mut Dropped::default())
    } else {
        Err(Refusal::forbidden())
    };
    match done {
        Ok(_) => json!({"action": "update", "status": "Updated", "success": true, "id": id}),
        Err(refusal) => failed(id, "update", &refusal),
    }
}

fn failed(id: u64, action: &str, refusal: &Refusal) -> Value {
    let body = refusal.body();
    let error = body.get("error").and_then(Value::as_str).unwrap_or("Failed");
    let details = match body.get("details") {
        Some(details) => details.to_string(),
        None => body.get("description").and_then(Value::as_str).unwrap_or_default().to_owned(),
    };
    json!({
        "id": id,
        "action": action,
        "status": "Failed",
        "success": false,
        "error": error,
        "details": details,
        "errors": details,
    })
}

/// Closes the sources and tells both sides with comments.
fn merge_all(tx: &mut Tx<'_>, item: &Value) -> Result<Value, Refusal> {
    let target = item["id"].as_u64().unwrap_or_default();
    let sources: Vec<u64> = item["ids"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    for &source in &sources {
        let before = tx.state.live(source).ok_or_else(Refusal::not_found)?.row.clone();
        writable(&before)?;
        let mut row = before.clone();
        row.status = Status::Closed;
        row.tags.push("closed_by_merge".into());
        row.tags.sort_unstable();
        row.tags.dedup();
        let said = format!("This request was closed and merged into request #{target}");
        merge_comment(tx, before, row, item, "source_comment", &said, Some(target))?;
    }
    let before = tx.state.live(target).ok_or_else(Refusal::not_found)?.row.clone();
    writable(&before)?;
    let said = format!("Requests {sources:?} were closed and merged into this request");
    merge_comment(tx, before.clone(), before, item, "target_comment", &said, None)?;
    Ok(json!({"action": "merge", "status": "Merged", "success": true, "id": target}))
}

fn merge_comment(
    tx: &mut Tx<'_>,
    before: TicketRow,
    row: TicketRow,
    item: &Value,
    member: &str,
    otherwise: &str,
    merged_into: Option<u64>,
) -> Result<(), Refusal> {
    let public = item.get(format!("{member}_is_public")).and_then(Value::as_bool).unwrap_or(true);
    let said = item.get(member).and_then(Value::as_str).unwrap_or(otherwise);
    let mut body = Map::new();
    body.insert("comment".to_owned(), json!({"body": said, "public": public}));
    let mut audit = audit(tx, None);
    let mut told = Vec::new();
    if let Some(comment) = comments::read(tx, &row, &body, public)? {
        comments::add(tx, row.id, comment, &mut audit, &mut told, true);
    }
    if let Some(target) = merged_into {
        told.push(("ticket.merged", json!({"target_ticket_id": target.to_string()})));
    }
    settle(tx, before, row, audit, told).map(drop)
}
