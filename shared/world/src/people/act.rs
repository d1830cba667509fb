//! An edit as the requests that a person's browser sends.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value as Json, json};
use simulators::changes::EDIT_HEADER;

use crate::seedwork::cast::Colleague;
use crate::seedwork::settings::{CLICKUP_URL, ZENDESK_URL};

/// What a person changes on a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Members of the body of `PUT /tickets/{id}`.
    Ticket(Json),
    /// Members of the body of `PUT /task/{id}`.
    Task(Json),
    /// One tag more on a task.
    AddTag(String),
    /// One tag less on a task.
    RemoveTag(String),
    /// A custom field of a task; `None` clears it.
    Field(String, Option<Json>),
    /// A comment on a task.
    TaskComment(String),
}

impl Action {
    /// The one request that does it.
    pub fn request(&self, who: &Colleague, record: &str, edit: &str) -> Option<Request<Bytes>> {
        Some(match self {
            Action::Ticket(members) => {
                let body = json!({ "ticket": members });
                zendesk(who, Method::PUT, &format!("/api/v2/tickets/{record}"), Some(body), edit)?
            }
            Action::Task(members) => {
                clickup(who, Method::PUT, &format!("/api/v2/task/{record}"), Some(members.clone()), edit)?
            }
            Action::AddTag(tag) => {
                let path = format!("/api/v2/task/{record}/tag/{}", encoded(tag));
                clickup(who, Method::POST, &path, Some(json!({})), edit)?
            }
            Action::RemoveTag(tag) => {
                let path = format!("/api/v2/task/{record}/tag/{}", encoded(tag));
                clickup(who, Method::DELETE, &path, None, edit)?
            }
            Action::Field(field, Some(value)) => {
                let path = format!("/api/v2/task/{record}/field/{field}");
                clickup(who, Method::POST, &path, Some(json!({ "value": value })), edit)?
            }
            Action::Field(field, None) => {
                clickup(who, Method::DELETE, &format!("/api/v2/task/{record}/field/{field}"), None, edit)?
            }
            Action::TaskComment(text) => {
                let body = json!({ "comment_text": text, "notify_all": false });
                clickup(who, Method::POST, &format!("/api/v2/task/{record}/comment"), Some(body), edit)?
            }
        })
    }
}

/// A look at a ticket; the edit's name makes it a person's look, which costs no budget.
pub fn read_ticket(who: &Colleague, ticket: &str, edit: &str) -> Option<Request<Bytes>> {
    zendesk(who, Method::GET, &format!("/api/v2/tickets/{ticket}"), None, edit)
}

/// A look at a task.
pub fn read_task(who: &Colleague, task: &str, edit: &str) -> Option<Request<Bytes>> {
    clickup(who, Method::GET, &format!("/api/v2/task/{task}"), None, edit)
}

/// A request of an agent; `None` for somebody without an account.
pub fn zendesk(
    who: &Colleague,
    method: Method,
    path: &str,
    body: Option<Json>,
    edit: &str,
) -> Option<Request<Bytes>> {
    let login = format!("{}/token:token-{}", who.email, who.zendesk?);
    let authorization = format!("Basic {}", STANDARD.encode(login));
    request(&format!("{ZENDESK_URL}{path}"), method, &authorization, body, edit)
}

/// A request of a member; `None` for somebody without an account.
pub fn clickup(
    who: &Colleague,
    method: Method,
    path: &str,
    body: Option<Json>,
    edit: &str,
) -> Option<Request<Bytes>> {
    request(&format!("{CLICKUP_URL}{path}"), method, &format!("pk_{}", who.clickup?), body, edit)
}

fn request(
    url: &str,
    method: Method,
    authorization: &str,
    body: Option<Json>,
    edit: &str,
) -> Option<Request<Bytes>> {
    let body = body.map_or_else(Bytes::new, |json| Bytes::from(json.to_string()));
    Request::builder()
        .method(method)
        .uri(url)
        .header("authorization", authorization)
        .header("content-type", "application/json")
        .header(EDIT_HEADER, edit)
        .body(body)
        .ok()
}

/// A tag as one segment of a path.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
