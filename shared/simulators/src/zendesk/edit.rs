//! What the members of a ticket body do to a ticket, and which of them are silently dropped.

use serde_json::{Map, Value, json};

use super::fields;
use super::refusal::Refusal;
use super::rows::*;
use super::state::State;
use super::text;
use crate::clock::parse_iso;

/// Which request a body came with: it decides which members are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Create,
    Update,
    /// `update_many` with one change for all.
    Bulk,
}

/// Members that were dropped, for the warning header.
#[derive(Debug, Default)]
pub(super) struct Dropped {
    unpermitted: Vec<String>,
    invalid: Vec<String>,
}

impl Dropped {
    /// The header's value, a Ruby hash; `None` when nothing was dropped.
    pub(super) fn header(&self, mode: Mode) -> Option<String> {
        if self.unpermitted.is_empty() && self.invalid.is_empty() {
            return None;
        }
        let action = match mode {
            Mode::Create => "create",
            Mode::Update => "update",
            Mode::Bulk => "update_many",
        };
        Some(format!(
            "{{:allowed_parameters=>{{:controller=>\"tickets\", :action=>\"{action}\", \
             :unpermitted_keys=>{:?}, :invalid_values=>{:?}}}}}",
            self.unpermitted, self.invalid
        ))
    }
}

/// Members that are handled elsewhere: comments, safe updates, metadata.
const ELSEWHERE: [&str; 4] = ["comment", "metadata", "safe_update", "updated_stamp"];
/// Members the service takes and this simulator has no place for.
const NOT_KEPT: [&str; 7] = [
    "email_ccs",
    "followers",
    "collaborators",
    "collaborator_ids",
    "additional_collaborators",
    "problem_id",
    "macro_ids",
];

/// Applies a body to a ticket. On an error the row is worthless.
pub(super) fn apply(
    state: &State,
    row: &mut TicketRow,
    body: &Map<String, Value>,
    mode: Mode,
    dropped: &mut Dropped,
) -> Result<(), Refusal> {
    let before = row.clone();
    for (name, value) in body {
        apply_member(state, row, name, value, mode, dropped)?;
    }
    // Tags come first, so that a body that sets tags and a field ends with the field's tag in the set.
    let custom = body.get("custom_fields").or_else(|| body.get("fields"));
    fields::couple_tags(state, row);
    if let Some(values) = custom {
        fields::set_all(state, row, values, &mut dropped.invalid)?;
    }
    pair_statuses(state, row, &before, body)?;
    if row.kind != Some(Kind::Task) {
        if body.get("due_at").is_some_and(|due| !due.is_null()) {
            dropped.invalid.push("ticket.due_at".to_owned());
        }
        row.due_ms = None;
    }
    assignment(state, row, &before, body)?;
    organization(state, row, &before, body)
}

fn apply_member(
    state: &State,
    row: &mut TicketRow,
    name: &str,
    value: &Value,
    mode: Mode,
    dropped: &mut Dropped,
) -> Result<(), Refusal> {
    match name {
        "subject" | "raw_subject" => row.subject = value.as_str().and_then(text::subject),
        "status" => row.status = parsed("status", value, Status::parse)?.unwrap_or(row.status),
        "priority" => row.priority = parsed("priority", value, Priority::parse)?,
        "type" => row.kind = parsed("type", value, Kind::parse)?,
        "due_at" => row.due_ms = parsed("due_at", value, parse_iso)?.map(|ms| ms.div_euclid(1000) * 1000),
        "tags" => row.tags = tags_of(value)?,
        "additional_tags" if mode == Mode::Bulk => {
            row.tags.extend(tags_of(value)?);
            row.tags.sort_unstable();
            row.tags.dedup();
        }
        "remove_tags" if mode == Mode::Bulk => {
            let removed = tags_of(value)?;
            row.tags.retain(|tag| !removed.contains(tag));
        }
        "requester_id" => row.requester = known_user(state, "requester_id", value)?.id,
        "submitter_id" if mode == Mode::Create => {
            row.submitter = known_user(state, "submitter_id", value)?.id;
        }
        "external_id" => row.external_id = spelled(value).map(Into::into),
        "ticket_form_id" => row.form = value.as_u64().unwrap_or(row.form),
        "group_id" => row.group = known(value, "group_id", |id| state.groups.contains_key(&id))?,
        "organization_id" => {
            row.organization = known(value, "organization_id", |id| state.organizations.contains_key(&id))?;
        }
        "custom_status_id" => {
            let id = known(value, "custom_status_id", |id| state.statuses.contains_key(&id))?;
            row.custom_status = id.unwrap_or(row.custom_status);
        }
        // The description is the first comment: on an existing ticket it is ignored without a word.
        "description" | "custom_fields" | "fields" | "assignee_id" | "assignee_email" | "brand_id" => {}
        "via_followup_source_id" if mode == Mode::Create => row.followup_of = value.as_u64(),
        "requester" => return Err(Refusal::unknown("ticket.requester; use requester_id")),
        name if NOT_KEPT.contains(&name) => return Err(Refusal::unknown(&format!("ticket.{name}"))),
        name if ELSEWHERE.contains(&name) => {}
        name => dropped.unpermitted.push(format!("ticket.{name}")),
    }
    Ok(())
}

/// `status` is only the category where custom statuses exist. One alone pulls the other along; a pair that does not
/// fit is refused, because what the service does with it is not known.
fn pair_statuses(
    state: &State,
    row: &mut TicketRow,
    before: &TicketRow,
    body: &Map<String, Value>,
) -> Result<(), Refusal> {
    let category = |id: u64| state.statuses.get(&id).map(|status| status.category);
    let (by_status, by_custom) = (body.contains_key("status"), body.contains_key("custom_status_id"));
    if by_custom && !by_status {
        row.status = category(row.custom_status).unwrap_or(row.status);
    } else if by_status && !by_custom && row.status != before.status {
        row.custom_status = state.default_status(row.status).unwrap_or(row.custom_status);
    } else if by_status && by_custom && category(row.custom_status) != Some(row.status) {
        let said = "Custom status: does not belong to the status category";
        return Err(Refusal::invalid("custom_status_id", said, "InvalidValue"));
    }
    Ok(())
}

/// The assignee is an agent who is in the ticket's group.
fn assignment(
    state: &State,
    row: &mut TicketRow,
    before: &TicketRow,
    body: &Map<String, Value>,
) -> Result<(), Refusal> {
    let refused = |said: &str| Refusal::invalid("assignee_id", said, "InvalidValue");
    let asked = match (body.get("assignee_id"), body.get("assignee_email").and_then(Value::as_str)) {
        (Some(Value::Null), _) => Some(None),
        (Some(id), _) => Some(Some(known_user(state, "assignee_id", id)?)),
        (None, Some(email)) => {
            let user = state.user_by_email(email).ok_or_else(|| refused("Assignee: is not an agent"))?;
            Some(Some(user))
        }
        (None, None) => None,
    };
    match asked {
        Some(None) => row.assignee = None,
        Some(Some(user)) => {
            if user.role == Role::EndUser || !user.active {
                return Err(refused("Assignee: is not an agent"));
            }
            if row.group.is_none() && !body.contains_key("group_id") {
                row.group = state.default_group(user.id);
            }
            if row.group.is_some_and(|group| !state.is_member(user.id, group)) {
                return Err(refused("Assignee: is not a member of the group"));
            }
            row.assignee = Some(user.id);
        }
        // A ticket that moves to a group its assignee is not in waits there for somebody.
        None if row.group != before.group => {
            let stays = |user: &i64| row.group.is_some_and(|group| state.is_member(*user, group));
            row.assignee = row.assignee.filter(stays);
        }
        None => {}
    }
    Ok(())
}

/// The organization is one of the requester's; here users have at most one.
fn organization(
    state: &State,
    row: &mut TicketRow,
    before: &TicketRow,
    body: &Map<String, Value>,
) -> Result<(), Refusal> {
    let of_requester = state.users.get(&row.requester).and_then(|user| user.organization);
    if body.get("organization_id").is_some_and(|id| !id.is_null()) {
        if row.organization != of_requester {
            let said = "Organization: is not one of the requester's";
            return Err(Refusal::invalid("organization_id", said, "InvalidValue"));
        }
    } else if row.requester != before.requester {
        row.organization = of_requester;
    }
    Ok(())
}

/// The tags a body names: a list, or one text.
pub(super) fn tags_of(value: &Value) -> Result<Vec<Box<str>>, Refusal> {
    match value {
        Value::Array(parts) => Ok(text::tags(parts.iter().filter_map(Value::as_str))),
        Value::String(one) => Ok(text::tags([one.as_str()])),
        Value::Null => Ok(Vec::new()),
        _ => Err(Refusal::invalid("tags", "Tags: are invalid", "InvalidValue")),
    }
}

/// A user that a body names by id.
pub(super) fn known_user<'a>(state: &'a State, member: &str, value: &Value) -> Result<&'a UserRow, Refusal> {
    let id = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    id.and_then(|id| state.users.get(&id)).ok_or_else(|| invalid(member))
}

fn known(value: &Value, member: &str, exists: impl Fn(u64) -> bool) -> Result<Option<u64>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    let id = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    id.filter(|id| exists(*id)).map(Some).ok_or_else(|| invalid(member))
}

fn parsed<T>(member: &str, value: &Value, parse: fn(&str) -> Option<T>) -> Result<Option<T>, Refusal> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        value => value.as_str().and_then(parse).map(Some).ok_or_else(|| invalid(member)),
    }
}

/// External ids are texts, and numbers are taken as such.
fn spelled(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn invalid(member: &str) -> Refusal {
    let label = member.trim_end_matches("_id").replace('_', " ");
    let label = label[..1].to_uppercase() + &label[1..];
    Refusal::new(
        422,
        json!({
            "error": "RecordInvalid",
            "description": "Record validation errors",
            "details": {member: [{"description": format!("{label}: is invalid"), "error": "InvalidValue"}]},
        }),
    )
}
