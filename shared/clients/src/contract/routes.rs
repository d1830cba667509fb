//! Which wire type an endpoint's answer is read with. What is not in these tables is not called by the
//! clients, or answers nothing they read.

use serde_json::Value as Json;

use super::compare::lossless;
use super::endpoint::Endpoint;
use super::{Outcome, failed, skipped};
use crate::pace::Api;
use crate::wire::clickup as c;
use crate::wire::zendesk as z;
use crate::{clickup, zendesk};

type Check = fn(&Json) -> Result<(), String>;

/// Methods, path with `*` for an id, file-name words, check.
type Route = (&'static str, &'static str, &'static str, Check);

const ZENDESK: &[Route] = &[
    ("GET", "tickets/*", "ticket", one_ticket),
    ("POST", "tickets", "ticket", one_ticket),
    ("PUT", "tickets/*", "", one_ticket),
    // The plain list and the time-based export hold the same records as the ones we read.
    ("GET", "tickets", "", tickets),
    ("GET", "tickets/show_many", "ticket show many", tickets),
    ("GET", "incremental/tickets", "", tickets),
    ("GET", "incremental/tickets/cursor", "", tickets),
    ("GET", "incremental/ticket_events", "", lossless::<z::TicketEvents>),
    ("GET", "tickets/*/comments", "ticket comments", comments),
    ("GET", "tickets/*/audits", "ticket audit", audits),
    ("GET", "ticket_audits", "", lossless::<z::Audits>),
    ("POST PUT", "tickets/update_many", "", job),
    ("POST", "tickets/create_many", "", job),
    ("DELETE", "tickets/destroy_many", "", job),
    ("POST", "organizations/create_many users/create_many", "", job),
    ("PUT", "organizations/update_many users/update_many", "", job),
    ("DELETE", "deleted_tickets/*", "", job),
    ("GET", "job_statuses/*", "", job),
    ("GET", "users/me users/*", "user", one_user),
    ("POST PUT DELETE", "users users/*", "users", one_user),
    ("GET", "users users/show_many users/search", "", lossless::<z::Users>),
    ("GET", "group_memberships", "group memberships", lossless::<z::GroupMemberships>),
    ("GET", "groups", "", lossless::<z::Groups>),
    ("GET POST PUT", "groups/*", "group", lossless::<z::OneGroup>),
    ("POST PUT", "", "groups", lossless::<z::OneGroup>),
    ("GET", "organizations organizations/show_many", "organizations", lossless::<z::Organizations>),
    ("GET POST PUT", "organizations/*", "organization", lossless::<z::OneOrganization>),
    ("POST", "organizations", "", lossless::<z::OneOrganization>),
    ("GET", "ticket_fields", "ticket fields", fields),
    ("GET POST PUT", "ticket_fields/*", "ticket field", lossless::<z::OneTicketField>),
    ("POST", "ticket_fields", "", lossless::<z::OneTicketField>),
    ("GET", "custom_statuses", "", lossless::<z::CustomStatuses>),
    ("POST PUT", "custom_statuses custom_statuses/*", "", lossless::<z::OneCustomStatus>),
    ("POST", "uploads", "", lossless::<z::OneUpload>),
    ("GET", "attachments/*", "attachment", lossless::<z::OneAttachment>),
    (
        "PUT",
        "tickets/*/comments/*/attachments/*/redact",
        "redact ticket comment attachment",
        lossless::<z::OneAttachment>,
    ),
    ("GET", "webhooks", "", lossless::<z::Webhooks>),
    ("POST", "webhooks", "", lossless::<z::OneWebhook>),
    ("GET", "webhooks/*", "webhook", lossless::<z::OneWebhook>),
    ("GET POST", "webhooks/*/signing_secret", "", lossless::<z::OneSigningSecret>),
    ("GET", "webhooks/*/invocations", "", lossless::<z::Invocations>),
    ("GET", "triggers", "triggers", triggers),
    ("POST PUT", "triggers triggers/*", "triggers", one_trigger),
    ("GET", "ticket_forms", "ticket forms", lossless::<z::TicketForms>),
    ("GET POST PUT", "ticket_forms/*", "ticket form", lossless::<z::OneTicketForm>),
    ("GET", "account/settings", "", lossless::<z::AccountSettings>),
    ("GET", "oauth/tokens/current", "", lossless::<z::OneOauthToken>),
];

const CLICKUP: &[Route] = &[
    ("GET", "user", "user", me),
    ("GET", "team", "team", teams),
    ("GET", "task/*", "task", task),
    ("GET", "team/*/task", "team task", tasks),
    ("GET", "list/*/task", "list task", tasks),
    ("GET", "task/*/comment", "task comment", task_comments),
    ("GET", "comment/*/reply", "comment reply", task_comments),
    ("POST", "task/*/comment", "task comment", lossless::<c::CommentCreated>),
    ("POST", "task/*/attachment", "task attachment", lossless::<c::Attachment>),
    ("GET PUT", "list/*", "list", list),
    // A list made in a folder answers the same record.
    ("POST", "folder/*/list", "folder list", list),
    ("GET", "list/*/field", "list field", lossless::<c::Fields>),
    ("GET", "list/*/member task/*/member", "list member", lossless::<c::Members>),
    ("GET", "team/*/webhook", "team webhook", lossless::<c::Webhooks>),
    ("GET", "team/*/space", "team space", lossless::<c::Spaces>),
    // One space and one folder, and those just made, are the entries of the lists we read.
    ("GET PUT", "space/*", "space", lossless::<c::Space>),
    ("POST", "team/*/space", "team space", lossless::<c::Space>),
    ("GET", "space/*/folder", "space folder", lossless::<c::Folders>),
    ("GET PUT", "folder/*", "folder", lossless::<c::Folder>),
    ("GET", "space/*/list folder/*/list", "space list", lossless::<c::Lists>),
    ("GET", "team/*/plan", "team plan", lossless::<c::Plan>),
    ("POST", "team/*/webhook", "team webhook", lossless::<c::OneWebhook>),
];

/// Checks a body of that endpoint.
pub(super) fn check(api: Api, endpoint: &Endpoint, json: &Json) -> Outcome {
    let table = match api {
        Api::Zendesk => ZENDESK,
        Api::Clickup => CLICKUP,
    };
    let check = match &endpoint.method {
        Some(method) => route(table, method, endpoint),
        None => by_shape(api, json),
    };
    match check {
        Some(check) => check(json).map_err(failed),
        None if endpoint.method.is_none() => Err(skipped("neither table nor name tells the endpoint")),
        None => Err(skipped("no client calls this endpoint")),
    }
}

fn route(table: &[Route], method: &str, endpoint: &Endpoint) -> Option<Check> {
    let words = endpoint.pieces.join(" ");
    let fits = |(methods, paths, name, _): &&Route| {
        let path_fits = |path: &str| {
            let pieces: Vec<&str> = path.split('/').collect();
            pieces.len() == endpoint.pieces.len()
                && pieces.iter().zip(&endpoint.pieces).all(|(piece, real)| *piece == "*" || *piece == real)
        };
        let right =
            if endpoint.words { !name.is_empty() && *name == words } else { paths.split(' ').any(path_fits) };
        right && methods.split(' ').any(|one| one == method)
    };
    // Names before placeholders: `users/me` before `users/*`.
    let literal = |(_, paths, _, _): &&Route| paths.split(' ').any(|path| path == endpoint.pieces.join("/"));
    let mut routes = table.iter().filter(fits);
    routes.clone().find(literal).or_else(|| routes.next()).map(|(_, _, _, check)| *check)
}

/// Bodies that neither the table nor a name places.
fn by_shape(api: Api, json: &Json) -> Option<Check> {
    if api != Api::Zendesk {
        return None;
    }
    let is_ticket = |json: &Json| json.get("requester_id").is_some() && json.get("subject").is_some();
    match json {
        Json::Array(all) if !all.is_empty() && all.iter().all(is_ticket) => Some(lossless::<Vec<z::Ticket>>),
        json if is_ticket(json) => Some(lossless::<z::Ticket>),
        json if json.get("ticket").is_some() => Some(one_ticket),
        json if json.get("tickets").is_some() => Some(tickets),
        json if json.get("audit").is_some() => Some(lossless::<z::OneAudit>),
        _ => None,
    }
}

fn one_ticket(json: &Json) -> Result<(), String> {
    lossless::<z::OneTicket>(json)?;
    json.get("ticket")
        .map_or(Ok(()), |ticket| becomes(ticket, |wire| zendesk::convert::ticket(wire).is_some(), "ticket"))
}

fn tickets(json: &Json) -> Result<(), String> {
    lossless::<z::Tickets>(json)?;
    each(json, "tickets", |wire| zendesk::convert::ticket(wire).is_some())
}

fn comments(json: &Json) -> Result<(), String> {
    lossless::<z::Comments>(json)?;
    each(json, "comments", |wire| zendesk::convert::comment(wire, &Default::default()).is_some())
}

fn audits(json: &Json) -> Result<(), String> {
    // One recording shows a single entry under the list's name.
    if json.get("audit").is_some() { lossless::<z::OneAudit>(json) } else { lossless::<z::Audits>(json) }
}

fn job(json: &Json) -> Result<(), String> {
    lossless::<z::OneJob>(json)?;
    json.get("job_status")
        .map_or(Ok(()), |job| becomes(job, |wire| zendesk::convert::job(wire).is_some(), "job"))
}

fn one_user(json: &Json) -> Result<(), String> {
    lossless::<z::OneUser>(json)
}

fn fields(json: &Json) -> Result<(), String> {
    lossless::<z::TicketFields>(json)?;
    each(json, "ticket_fields", |wire| zendesk::convert::field(wire).is_some())
}

fn triggers(json: &Json) -> Result<(), String> {
    lossless::<z::Triggers>(json)?;
    each(json, "triggers", |wire| zendesk::convert::trigger(wire).is_some())
}

fn one_trigger(json: &Json) -> Result<(), String> {
    lossless::<z::OneTrigger>(json)?;
    json.get("trigger").map_or(Ok(()), |trigger| {
        becomes(trigger, |wire| zendesk::convert::trigger(wire).is_some(), "trigger")
    })
}

fn me(json: &Json) -> Result<(), String> {
    lossless::<c::Me>(json)
}

fn teams(json: &Json) -> Result<(), String> {
    lossless::<c::Teams>(json)
}

fn task(json: &Json) -> Result<(), String> {
    lossless::<c::Task>(json)?;
    becomes(json, |wire| clickup::convert::task(wire).is_some(), "task")
}

fn tasks(json: &Json) -> Result<(), String> {
    lossless::<c::Tasks>(json)?;
    each(json, "tasks", |wire| clickup::convert::task(wire).is_some())
}

fn task_comments(json: &Json) -> Result<(), String> {
    lossless::<c::Comments>(json)?;
    each(json, "comments", |wire| clickup::convert::comment(wire).is_some())
}

fn list(json: &Json) -> Result<(), String> {
    lossless::<c::List>(json)?;
    becomes(json, |wire| clickup::convert::list(wire).is_some(), "list")
}

/// Reading is not enough: what was read must become the domain's record.
fn each<T: serde::de::DeserializeOwned>(
    json: &Json,
    member: &str,
    fits: fn(T) -> bool,
) -> Result<(), String> {
    let entries = json.get(member).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    entries.iter().try_for_each(|entry| becomes(entry, fits, member))
}

fn becomes<T: serde::de::DeserializeOwned>(
    json: &Json,
    fits: fn(T) -> bool,
    what: &str,
) -> Result<(), String> {
    let wire = T::deserialize(json).map_err(|_| format!("an entry of {what} cannot be read"))?;
    if fits(wire) { Ok(()) } else { Err(format!("an entry of {what} becomes no record")) }
}
