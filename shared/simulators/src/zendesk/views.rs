//! Records as REST shows them, written straight from the rows: exports of a thousand tickets build no trees.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::diff::custom_value;
use super::options::ZendeskOptions;
use super::rows::*;
use super::state::{BRAND, Entry, State};
use super::text;
use crate::clock::iso_seconds;
use crate::http_text::encode;

/// What views need besides the row.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub state: &'a State,
    pub options: &'a ZendeskOptions,
}

impl Scene<'_> {
    /// A link as answers spell it.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}/api/v2/{path}.json", self.options.link_base)
    }

    /// Where a file's content is.
    pub(super) fn content_url(&self, file: &FileRow) -> String {
        let base = &self.options.content_base;
        format!("{base}/attachments/token/{}/?name={}", file.secret, encode(&file.name))
    }
}

/// A list of views.
pub(super) struct Each<'a, T, F>(pub &'a [T], pub F);

impl<T: Copy, V: Serialize, F: Fn(T) -> V> Serialize for Each<'_, T, F> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut list = out.serialize_seq(Some(self.0.len()))?;
        for &item in self.0 {
            list.serialize_element(&(self.1)(item))?;
        }
        list.end()
    }
}

/// `{"channel":…,"source":{…}}`.
#[derive(Clone, Copy)]
pub(super) struct ViaView(pub Via);

impl Serialize for ViaView {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Nothing {}
        #[derive(Serialize)]
        struct Source {
            from: Nothing,
            to: Nothing,
            rel: Option<&'static str>,
        }
        let mut map = out.serialize_map(Some(2))?;
        map.serialize_entry("channel", self.0.as_str())?;
        map.serialize_entry("source", &Source { from: Nothing {}, to: Nothing {}, rel: None })?;
        map.end()
    }
}

/// A ticket.
pub(super) struct TicketView<'a> {
    pub scene: Scene<'a>,
    pub row: &'a TicketRow,
    /// The first comment's body.
    pub description: &'a str,
}

impl<'a> TicketView<'a> {
    pub(super) fn new(scene: Scene<'a>, entry: &'a Entry) -> Self {
        let description = entry.comments().next().map_or("", |(_, _, comment)| &*comment.body);
        Self { scene, row: &entry.row, description }
    }
}

impl Serialize for TicketView<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        const NONE: [u64; 0] = [];
        let row = self.row;
        let fields = CustomFields { state: self.scene.state, row };
        let status = if row.deleted { "deleted" } else { row.status.as_str() };
        let mut map = out.serialize_map(None)?;
        map.serialize_entry("url", &self.scene.url(&format!("tickets/{}", row.id)))?;
        map.serialize_entry("id", &row.id)?;
        map.serialize_entry("external_id", &row.external_id)?;
        map.serialize_entry("via", &ViaView(row.via))?;
        map.serialize_entry("created_at", &iso_seconds(row.created_ms))?;
        map.serialize_entry("updated_at", &iso_seconds(row.updated_ms))?;
        map.serialize_entry("generated_timestamp", &row.generated_s)?;
        map.serialize_entry("type", &row.kind)?;
        map.serialize_entry("subject", &row.subject)?;
        map.serialize_entry("raw_subject", &row.subject)?;
        map.serialize_entry("description", self.description)?;
        map.serialize_entry("priority", &row.priority)?;
        map.serialize_entry("status", status)?;
        map.serialize_entry("recipient", &())?;
        map.serialize_entry("requester_id", &row.requester)?;
        map.serialize_entry("submitter_id", &row.submitter)?;
        map.serialize_entry("assignee_id", &row.assignee)?;
        map.serialize_entry("organization_id", &row.organization)?;
        map.serialize_entry("group_id", &row.group)?;
        for empty in ["collaborator_ids", "follower_ids", "email_cc_ids"] {
            map.serialize_entry(empty, &NONE)?;
        }
        map.serialize_entry("forum_topic_id", &())?;
        map.serialize_entry("problem_id", &())?;
        map.serialize_entry("has_incidents", &false)?;
        map.serialize_entry("is_public", &row.public)?;
        map.serialize_entry("due_at", &row.due_ms.map(iso_seconds))?;
        map.serialize_entry("tags", &row.tags)?;
        map.serialize_entry("custom_fields", &fields)?;
        map.serialize_entry("satisfaction_rating", &())?;
        map.serialize_entry("sharing_agreement_ids", &NONE)?;
        map.serialize_entry("custom_status_id", &row.custom_status)?;
        map.serialize_entry("encoded_id", &format!("SIM-{:06X}", row.id))?;
        map.serialize_entry("fields", &fields)?;
        map.serialize_entry("followup_ids", &NONE)?;
        map.serialize_entry("ticket_form_id", &row.form)?;
        map.serialize_entry("brand_id", &BRAND)?;
        map.serialize_entry("allow_channelback", &false)?;
        map.serialize_entry("allow_attachments", &true)?;
        map.serialize_entry("support_type", "agent")?;
        map.serialize_entry("from_messaging_channel", &false)?;
        map.end()
    }
}

/// Every custom field of the account with the ticket's value, null where it has none.
struct CustomFields<'a> {
    state: &'a State,
    row: &'a TicketRow,
}

impl Serialize for CustomFields<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct One<'a> {
            id: u64,
            value: &'a Value,
        }
        let mut list = out.serialize_seq(Some(self.state.fields.len()))?;
        for field in self.state.fields.values() {
            let value = match (custom_value(self.row, field.id), field.kind) {
                (Value::Null, FieldKind::Checkbox) => &Value::Bool(false),
                (value, _) => value,
            };
            list.serialize_element(&One { id: field.id, value })?;
        }
        list.end()
    }
}

impl Entry {
    /// The comments, oldest first, with their ids and audits.
    pub(super) fn comments(&self) -> impl DoubleEndedIterator<Item = (u64, &AuditRow, &CommentRow)> {
        self.audits.iter().flat_map(|audit| {
            audit.events.iter().filter_map(move |event| match &event.what {
                What::Comment(comment) => Some((event.id, audit, comment)),
                _ => None,
            })
        })
    }
}

/// A comment as `/comments` lists it.
pub(super) fn comment(scene: Scene<'_>, id: u64, audit: &AuditRow, row: &CommentRow) -> Value {
    let mut view = comment_event(scene, id, audit.id, row);
    view["via"] = json!(ViaView(audit.via));
    view["created_at"] = iso_seconds(audit.at_ms).into();
    view["metadata"] = metadata(audit);
    view
}

/// A comment as an event of an audit.
pub(super) fn comment_event(scene: Scene<'_>, id: u64, audit: u64, row: &CommentRow) -> Value {
    let files = row.files.iter().filter_map(|file| scene.state.files.get(file));
    json!({
        "id": id,
        "type": "Comment",
        "author_id": row.author,
        "body": row.body,
        "html_body": text::html(&row.body),
        "plain_body": row.body,
        "public": row.public,
        "attachments": files.map(|file| attachment(scene, file)).collect::<Vec<_>>(),
        "audit_id": audit,
    })
}

/// An attachment.
pub(super) fn attachment(scene: Scene<'_>, file: &FileRow) -> Value {
    let content_url = scene.content_url(file);
    json!({
        "url": scene.url(&format!("attachments/{}", file.id)),
        "id": file.id,
        "file_name": file.name,
        "content_url": content_url,
        "mapped_content_url": content_url,
        "content_type": file.content_type,
        "size": file.bytes.len(),
        "width": null,
        "height": null,
        "inline": false,
        "deleted": false,
        "malware_access_override": false,
        "malware_scan_result": "not_scanned",
        "thumbnails": [],
    })
}

/// An audit.
pub(super) fn audit(scene: Scene<'_>, ticket: u64, row: &AuditRow) -> Value {
    let events = row.events.iter().map(|event| match &event.what {
        What::Comment(comment) => comment_event(scene, event.id, row.id, comment),
        What::Create { field, value } => {
            json!({"id": event.id, "type": "Create", "value": value, "field_name": field})
        }
        What::Change { field, value, previous } => json!({
            "id": event.id, "type": "Change", "value": value, "field_name": field, "previous_value": previous,
        }),
    });
    json!({
        "id": row.id,
        "ticket_id": ticket,
        "created_at": iso_seconds(row.at_ms),
        "author_id": row.author,
        "metadata": metadata(row),
        "events": events.collect::<Vec<_>>(),
        "via": ViaView(row.via),
    })
}

/// What the service knows of the sender, and what the sender said.
pub(super) fn metadata(row: &AuditRow) -> Value {
    json!({
        "system": {"client": "simulated", "ip_address": "192.0.2.1", "location": "Nowhere"},
        "custom": row.metadata.as_deref().unwrap_or(&json!({})),
    })
}

/// A user.
pub(super) fn user(scene: Scene<'_>, row: &UserRow) -> Value {
    let staff = row.role != Role::EndUser;
    let created = iso_seconds(row.created_ms);
    json!({
        "id": row.id,
        "url": scene.url(&format!("users/{}", row.id)),
        "name": row.name,
        "email": row.email,
        "created_at": created,
        "updated_at": created,
        "time_zone": "UTC",
        "iana_time_zone": "Etc/UTC",
        "phone": null,
        "shared_phone_number": null,
        "photo": null,
        "locale_id": 1,
        "locale": "en-US",
        "organization_id": row.organization,
        "role": row.role.as_str(),
        "verified": true,
        "external_id": row.external_id,
        "tags": [],
        "alias": null,
        "active": row.active,
        "shared": false,
        "shared_agent": false,
        "last_login_at": null,
        "two_factor_auth_enabled": null,
        "signature": null,
        "details": null,
        "notes": null,
        "role_type": staff.then_some(if row.role == Role::Admin { 4 } else { 0 }),
        "custom_role_id": null,
        "moderator": staff,
        "ticket_restriction": if staff { None } else { Some("requested") },
        "only_private_comments": false,
        "restricted_agent": !staff,
        "suspended": false,
        "default_group_id": scene.state.default_group(row.id),
        "report_csv": staff,
        "user_fields": {},
    })
}

/// A group.
pub(super) fn group(scene: Scene<'_>, row: &NamedRow) -> Value {
    let created = iso_seconds(row.created_ms);
    json!({
        "url": scene.url(&format!("groups/{}", row.id)),
        "id": row.id,
        "is_public": true,
        "name": row.name,
        "description": "",
        "default": false,
        "deleted": false,
        "created_at": created,
        "updated_at": created,
    })
}

/// An organization.
pub(super) fn organization(scene: Scene<'_>, row: &NamedRow) -> Value {
    let created = iso_seconds(row.created_ms);
    json!({
        "url": scene.url(&format!("organizations/{}", row.id)),
        "id": row.id,
        "name": row.name,
        "shared_tickets": false,
        "shared_comments": false,
        "external_id": null,
        "created_at": created,
        "updated_at": created,
        "domain_names": [],
        "details": null,
        "notes": null,
        "group_id": null,
        "tags": [],
        "organization_fields": {},
    })
}
