//! The routes and answers against the published specification, when it is at hand.
//!
//! Reads `DESKUP_OPENAPI_ZENDESK` (the file) or `zendesk-openapi.yaml` in the folder `DESKUP_API`. The file lacks the
//! webhooks API and the OAuth endpoint. A light scan of lines is enough: no YAML parser.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use simulators::zendesk::served_routes;

use crate::support::account;

fn specification() -> Option<String> {
    let file = std::env::var("DESKUP_OPENAPI_ZENDESK").ok();
    let file =
        file.or_else(|| Some(format!("{}/zendesk-openapi.yaml", std::env::var("DESKUP_API").ok()?)))?;
    Some(std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}")))
}

/// Path parameters have other names here and there.
fn anonymous(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn operations(text: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut path = None;
    let lines = text.lines().skip_while(|line| !line.starts_with("paths:")).skip(1);
    for line in lines.take_while(|line| line.is_empty() || line.starts_with(' ')) {
        let indent = line.len() - line.trim_start().len();
        let Some(key) = line.trim().strip_suffix(':') else { continue };
        match (indent, &path) {
            (2, _) => path = Some(anonymous(key)),
            (4, Some(path)) if ["get", "post", "put", "patch", "delete"].contains(&key) => {
                found.insert((key.to_uppercase(), path.clone()));
            }
            _ => {}
        }
    }
    found
}

/// The readable properties of the schemas, where they stand at the schema's top.
fn readable(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut schema, mut section, mut last) = (String::new(), String::new(), String::new());
    for line in text.lines().skip_while(|line| *line != "  schemas:").skip(1) {
        let indent = line.len() - line.trim_start().len();
        let item = line.trim();
        match (indent, item.strip_suffix(':')) {
            (4, Some(name)) => (schema, section) = (name.to_owned(), String::new()),
            (6, Some(name)) => section = name.to_owned(),
            (8, Some(name)) if section == "properties" => {
                last = name.to_owned();
                found.entry(schema.clone()).or_default().insert(last.clone());
            }
            _ if item == "writeOnly: true" && section == "properties" => {
                found.entry(schema.clone()).or_default().remove(&last);
            }
            _ => {}
        }
    }
    found
}

/// Properties of the schemas that answers do not have: write only without saying so, or shown only in accounts with
/// other features than this one.
const NEVER_SHOWN: &[&str] = &[
    // Of tickets: write only, or only where satisfaction prediction is on.
    "comment",
    "satisfaction_probability",
    // Of comments: write only, or of other channels.
    "add_short_url",
    "channel_back",
    "channel_source_id",
    "translate_to",
    "uploads",
    // Of fields: only on some kinds of fields.
    "agent_can_edit",
    "creator_app_name",
    "creator_user_id",
    "custom_field_options",
    "custom_statuses",
    "relationship_filter",
    "relationship_target_type",
    "sub_type_id",
    "system_field_options",
];

#[test]
fn every_route_exists_in_the_specification() {
    let Some(text) = specification() else {
        eprintln!("skipped: neither DESKUP_OPENAPI_ZENDESK nor DESKUP_API is set");
        return;
    };
    let known = operations(&text);
    assert!(known.len() > 500, "only {} operations were found", known.len());
    let lacking = ["/api/v2/webhooks", "/oauth"];
    let unknown: Vec<_> = served_routes()
        .map(|(method, path)| (method.to_owned(), anonymous(&path)))
        .filter(|(_, path)| !lacking.iter().any(|prefix| path.starts_with(prefix)))
        .filter(|route| !known.contains(route))
        .collect();
    assert_eq!(unknown, [], "not in the specification");
}

#[tokio::test(start_paused = true)]
async fn answers_have_the_members_of_the_specification() {
    let Some(text) = specification() else {
        eprintln!("skipped: neither DESKUP_OPENAPI_ZENDESK nor DESKUP_API is set");
        return;
    };
    let readable = readable(&text);
    let account = account();
    let get = |path: &'static str| {
        let account = &account;
        async move { account.get(path).await.ok(200) }
    };
    let job = json!({"ticket": {"priority": "low"}});
    let job = account.call("admin", "PUT", "/tickets/update_many?ids=1", job).await.ok(200);
    let first = |body: Value, member: &str| body[member][0].clone();
    let shown = [
        ("TicketObject", first(get("/tickets").await, "tickets")),
        ("TicketCommentObject", first(get("/tickets/1/comments").await, "comments")),
        ("TicketAuditObject", first(get("/tickets/1/audits").await, "audits")),
        ("GroupObject", first(get("/groups").await, "groups")),
        ("GroupMembershipObject", first(get("/group_memberships").await, "group_memberships")),
        ("OrganizationObject", first(get("/organizations").await, "organizations")),
        ("TicketFieldObject", first(get("/ticket_fields").await, "ticket_fields")),
        ("CustomStatusObject", first(get("/custom_statuses").await, "custom_statuses")),
        ("JobStatusObject", job["job_status"].clone()),
        (
            "CursorBasedExportIncrementalTicketsResponse",
            get("/incremental/tickets/cursor?start_time=0").await,
        ),
        ("TimeBasedExportIncrementalTicketsResponse", get("/incremental/tickets?start_time=0").await),
    ];
    for (schema, value) in shown {
        let members = readable.get(schema).unwrap_or_else(|| panic!("the specification has no {schema}"));
        assert!(members.len() >= 5, "{schema} has only {members:?}");
        let missing: Vec<_> = members
            .iter()
            .filter(|member| value.get(member).is_none() && !NEVER_SHOWN.contains(&member.as_str()))
            .collect();
        assert!(missing.is_empty(), "{schema} lacks {missing:?}: {value}");
    }
}
