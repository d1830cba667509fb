//! Creating, changing, deleting and restoring tickets.

use std::hash::{Hash, Hasher};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::comments;
use super::diff::{self, Difference};
use super::edit::{self, Dropped, Mode};
use super::refusal::Refusal;
use super::rows::*;
use super::state::{DEFAULT_FORM, Op};
use super::tx::Tx;
use super::views::{self, Scene, TicketView};
use super::{Asked, Desk, Reply, as_json};
use crate::clock::{iso_seconds, parse_iso};
use crate::http_text::{Answer, empty, json as json_answer, set_header, with_body};

/// How long the first answer of a create is kept for its key.
const IDEMPOTENT_MS: i64 = 2 * 60 * 60 * 1000;

/// A ticket with the audit of what just happened to it.
#[derive(Serialize)]
struct Both<'a> {
    ticket: TicketView<'a>,
    audit: Value,
}

/// `POST /tickets`.
pub(super) fn create(desk: &mut Desk, asked: &Asked) -> Reply {
    let now_ms = desk.now_ms();
    let key = asked.call.header("idempotency-key").map(|key| (asked.actor.user, Box::<str>::from(key)));
    let request_hash = hash(&asked.call.body);
    let known = key.as_ref().and_then(|key| desk.state.idempotent.get(key));
    if let Some(first) = known.filter(|row| row.until_ms > now_ms) {
        return repeated(first, request_hash);
    }
    let body = ticket_body(asked)?;
    let mut tx = desk.tx(asked.actor.user, asked.edit());
    let mut dropped = Dropped::default();
    let (row, audit) = build(&mut tx, &body, &mut dropped)?;
    let scene = Scene { state: tx.state, options: tx.options };
    let description = first_comment(&audit);
    let shown = Both {
        ticket: TicketView { scene, row: &row, description },
        audit: views::audit(scene, row.id, &audit),
    };
    let mut answer = as_json(201, &shown)?;
    let location = scene.url(&format!("tickets/{}", row.id));
    if let Some((user, key)) = key {
        // In the same line as the ticket: a key without its ticket, or the other way round, cannot survive.
        let stored = String::from_utf8_lossy(answer.body()).into();
        let until_ms = now_ms + IDEMPOTENT_MS;
        let location = location.as_str().into();
        tx.push(Op::Idempotent(IdempotentRow {
            key,
            user,
            request_hash,
            answer: stored,
            location,
            until_ms,
        }));
        set_header(&mut answer, "x-idempotency-lookup", "miss");
    }
    let line = tx.finish();
    desk.commit(line)?;
    set_header(&mut answer, "location", &location);
    Ok(warned(answer, &dropped, Mode::Create))
}

fn first_comment(audit: &AuditRow) -> &str {
    let bodies = audit.events.iter().filter_map(|event| match &event.what {
        What::Comment(comment) => Some(&*comment.body),
        _ => None,
    });
    bodies.into_iter().next().unwrap_or_default()
}

fn repeated(first: &IdempotentRow, request_hash: u64) -> Reply {
    if first.request_hash != request_hash {
        let said = "Request parameters don't match the given idempotency key";
        return Err(Refusal::bad_request("IdempotentRequestError", said));
    }
    let mut answer = with_body(201, "application/json; charset=utf-8", first.answer.as_bytes().to_vec());
    set_header(&mut answer, "x-idempotency-lookup", "hit");
    set_header(&mut answer, "location", &first.location);
    Ok(answer)
}

pub(super) fn build(
    tx: &mut Tx<'_>,
    body: &Map<String, Value>,
    dropped: &mut Dropped,
) -> Result<(TicketRow, AuditRow), Refusal> {
    let actor = tx.actor;
    let now_ms = tx.now_ms;
    let mut row = TicketRow {
        id: tx.ticket_id(),
        subject: None,
        status: Status::New,
        custom_status: tx.state.default_status(Status::New).unwrap_or_default(),
        priority: None,
        kind: None,
        due_ms: None,
        tags: Vec::new(),
        custom: Vec::new(),
        requester: actor,
        submitter: actor,
        assignee: None,
        group: None,
        organization: tx.state.users.get(&actor).and_then(|user| user.organization),
        external_id: None,
        form: DEFAULT_FORM,
        via: Via::Api,
        created_ms: now_ms,
        updated_ms: now_ms,
        generated_s: now_ms.div_euclid(1000),
        deleted: false,
        public: true,
        followup_of: None,
    };
    edit::apply(tx.state, &mut row, body, Mode::Create, dropped)?;
    if let Some(source) = row.followup_of {
        let closed = tx.state.live(source).is_some_and(|entry| entry.row.status == Status::Closed);
        if !closed {
            let said = "Follow-up source: is not a closed ticket";
            return Err(Refusal::invalid("via_followup_source_id", said, "InvalidValue"));
        }
        row.submitter = actor;
    }
    let mut body = body.clone();
    if let (None, Some(description)) = (body.get("comment"), body.get("description")) {
        body.insert("comment".to_owned(), json!({ "body": description }));
    }
    let Some(comment) = comments::read(tx, &row, &body, true)? else {
        return Err(Refusal::invalid("base", "Description: cannot be blank", "BlankValue"));
    };
    row.public = comment.row.public;
    let differences = diff::between(tx.state, &diff::blank(&row), &row);
    tx.note(row.id, "created", Value::Null, summary(&row));
    let mut audit = audit(tx, body.get("metadata"));
    let mut told = vec![("ticket.created", json!({}))];
    comments::add(tx, row.id, comment, &mut audit, &mut told, false);
    create_events(tx, &row, differences, &mut audit);
    tx.save_ticket(row.clone(), Some(audit.clone()), told);
    Ok((row, audit))
}

/// A new ticket's audit names some fields even when they are empty, as recorded.
fn create_events(tx: &mut Tx<'_>, row: &TicketRow, differences: Vec<Difference>, audit: &mut AuditRow) {
    let always = [
        ("requester_id", Datum::of(Some(row.requester))),
        ("status", Datum::of(Some(row.status.as_str()))),
        ("custom_status_id", Datum::of(Some(row.custom_status))),
        ("ticket_form_id", Datum::of(Some(row.form))),
        ("priority", Datum::of(row.priority.map(Priority::as_str))),
        ("type", Datum::of(row.kind.map(Kind::as_str))),
    ];
    let set = differences.into_iter().map(|difference| (difference.audit, difference.value));
    let set = set.filter(|(field, _)| !always.iter().any(|(name, _)| **name == **field));
    let always = always.clone().into_iter().map(|(name, value)| (Box::from(name), value));
    for (field, value) in set.chain(always).collect::<Vec<_>>() {
        audit.events.push(EventRow { id: tx.id(), what: What::Create { field, value } });
    }
}

/// What the log says of a new ticket.
fn summary(row: &TicketRow) -> Value {
    let custom: Map<String, Value> = row.custom.iter().map(|(id, v)| (id.to_string(), v.clone())).collect();
    json!({
        "title": row.subject,
        "status": row.status.as_str(),
        "priority": row.priority.map(Priority::as_str),
        "type": row.kind.map(Kind::as_str),
        "due": row.due_ms.map(iso_seconds),
        "tags": row.tags,
        "requester": row.requester,
        "assignee": row.assignee,
        "group": row.group,
        "organization": row.organization,
        "external_id": row.external_id,
        "custom": custom,
    })
}

/// `PUT /tickets/{id}`.
pub(super) fn update(desk: &mut Desk, asked: &Asked) -> Reply {
    let ticket = asked.id("api/v2/tickets/update")?;
    let body = ticket_body(asked)?;
    // `safe_update: false` means the same as `true`; only its absence makes an update unsafe.
    let stamp =
        body.get("safe_update").map(|_| body.get("updated_stamp").and_then(Value::as_str).unwrap_or(""));
    let mut tx = desk.tx(asked.actor.user, asked.edit());
    let mut dropped = Dropped::default();
    let audit = change(&mut tx, ticket, &body, Mode::Update, stamp, &mut dropped)?;
    let line = tx.finish();
    desk.commit(line)?;
    let Some(answer) = both(desk, 200, ticket, &audit)? else { return Err(Refusal::not_found()) };
    Ok(warned(answer, &dropped, Mode::Update))
}

/// Changes one ticket; the audit of the change, which is stored only when something changed.
pub(super) fn change(
    tx: &mut Tx<'_>,
    ticket: u64,
    body: &Map<String, Value>,
    mode: Mode,
    stamp: Option<&str>,
    dropped: &mut Dropped,
) -> Result<AuditRow, Refusal> {
    let entry = tx.state.live(ticket).ok_or_else(Refusal::not_found)?;
    let before = entry.row.clone();
    writable(&before)?;
    check_stamp(&before, stamp)?;
    let mut row = before.clone();
    edit::apply(tx.state, &mut row, body, mode, dropped)?;
    let comment = comments::read(tx, &row, body, row.public)?;
    let by_requester = comment.as_ref().is_some_and(|comment| comment.row.author == row.requester);
    if by_requester && row.status == Status::Solved && !body.contains_key("status") {
        row.status = Status::Open;
        row.custom_status = tx.state.default_status(Status::Open).unwrap_or(row.custom_status);
    }
    let mut audit = audit(tx, body.get("metadata"));
    let mut told = Vec::new();
    if let Some(comment) = comment {
        comments::add(tx, ticket, comment, &mut audit, &mut told, true);
    }
    settle(tx, before, row, audit, told)
}

/// Saves a changed ticket: the differences become events of the audit, log entries and webhook events.
pub(super) fn settle(
    tx: &mut Tx<'_>,
    before: TicketRow,
    mut row: TicketRow,
    mut audit: AuditRow,
    mut told: Vec<super::tx::Told>,
) -> Result<AuditRow, Refusal> {
    for difference in diff::between(tx.state, &before, &row) {
        let Difference { audit: field, value, previous, log, before, after, told: event } = difference;
        tx.note(row.id, log, before, after);
        told.extend(event);
        audit.events.push(EventRow { id: tx.id(), what: What::Change { field, value, previous } });
    }
    row.generated_s = tx.now_ms.div_euclid(1000);
    // `updated_at` moves only when the update makes an event.
    let kept = (!audit.events.is_empty()).then(|| audit.clone());
    if kept.is_some() {
        row.updated_ms = tx.now_ms;
    }
    tx.save_ticket(row, kept, told);
    Ok(audit)
}

/// Closed tickets cannot be changed.
pub(super) fn writable(row: &TicketRow) -> Result<(), Refusal> {
    if row.status == Status::Closed { Err(Refusal::closed()) } else { Ok(()) }
}

/// A safe update is refused when the ticket changed since the stamp, in whole seconds.
pub(super) fn check_stamp(row: &TicketRow, stamp: Option<&str>) -> Result<(), Refusal> {
    let Some(stamp) = stamp else { return Ok(()) };
    let said = "updated_stamp: is missing or is not a time";
    let stamp = parse_iso(stamp).ok_or_else(|| Refusal::bad_request("InvalidUpdatedStamp", said))?;
    if row.updated_ms.div_euclid(1000) > stamp.div_euclid(1000) { Err(Refusal::conflict()) } else { Ok(()) }
}

/// An audit without events yet.
pub(super) fn audit(tx: &mut Tx<'_>, metadata: Option<&Value>) -> AuditRow {
    let metadata = metadata.filter(|value| value.is_object()).cloned().map(Box::new);
    AuditRow { id: tx.id(), at_ms: tx.now_ms, author: tx.actor, via: Via::Api, metadata, events: Vec::new() }
}

/// `DELETE /tickets/{id}`: soft.
pub(super) fn delete(desk: &mut Desk, asked: &Asked) -> Reply {
    let ticket = asked.id("api/v2/tickets/destroy")?;
    desk.state.live(ticket).ok_or_else(Refusal::not_found)?;
    set_deleted(desk, asked, ticket, true)?;
    Ok(empty(204))
}

/// `PUT /deleted_tickets/{id}/restore`.
pub(super) fn restore(desk: &mut Desk, asked: &Asked) -> Reply {
    let ticket = asked.id("api/v2/deleted_tickets/restore")?;
    let gone = desk.state.tickets.get(&ticket).is_some_and(|entry| entry.row.deleted);
    if !gone {
        return Err(Refusal::not_found());
    }
    set_deleted(desk, asked, ticket, false)?;
    Ok(json_answer(200, &json!({})))
}

fn set_deleted(desk: &mut Desk, asked: &Asked, ticket: u64, deleted: bool) -> Result<(), Refusal> {
    let mut tx = desk.tx(asked.actor.user, asked.edit());
    if let Some(entry) = tx.state.tickets.get(&ticket) {
        let mut row = entry.row.clone();
        row.deleted = deleted;
        row.updated_ms = tx.now_ms;
        row.generated_s = tx.now_ms.div_euclid(1000);
        tx.note(ticket, "deleted", (!deleted).into(), deleted.into());
        let event = if deleted { "ticket.soft_deleted" } else { "ticket.undeleted" };
        tx.save_ticket(row, None, vec![(event, json!({}))]);
    }
    let line = tx.finish();
    desk.commit(line)
}

/// The object a body wraps its ticket in.
fn ticket_body(asked: &Asked) -> Result<Map<String, Value>, Refusal> {
    match asked.body()?.get("ticket") {
        Some(Value::Object(body)) => Ok(body.clone()),
        _ => Err(Refusal::bad_request("ParameterMissing", "Parameter ticket is required")),
    }
}

fn both(desk: &Desk, status: u16, ticket: u64, audit: &AuditRow) -> Result<Option<Answer>, Refusal> {
    let Some(entry) = desk.state.tickets.get(&ticket) else { return Ok(None) };
    let scene = desk.scene();
    let audit = views::audit(scene, ticket, audit);
    as_json(status, &Both { ticket: TicketView::new(scene, entry), audit }).map(Some)
}

fn warned(mut answer: Answer, dropped: &Dropped, mode: Mode) -> Answer {
    if let Some(header) = dropped.header(mode) {
        set_header(&mut answer, "x-zendesk-api-warn", &header);
    }
    answer
}

/// FNV-1a: the same in every process, because the journal keeps it.
fn hash(bytes: &[u8]) -> u64 {
    struct Fnv(u64);
    impl Hasher for Fnv {
        fn finish(&self) -> u64 {
            self.0
        }
        fn write(&mut self, bytes: &[u8]) {
            for byte in bytes {
                self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    bytes.hash(&mut hasher);
    hasher.finish()
}
