//! The error bodies of the service: they are not uniform, and a client has to read them all.

use serde_json::{Value, json};

use crate::http_text::{Answer, json as json_answer, text};

/// A request that is answered with an error.
#[derive(Debug)]
pub(super) struct Refusal(Box<(u16, Value)>);

impl Refusal {
    pub(super) fn new(status: u16, body: Value) -> Self {
        Self(Box::new((status, body)))
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, json!({"error": "RecordNotFound", "description": "Not found"}))
    }

    pub(super) fn unauthenticated() -> Self {
        Self::new(401, json!({"error": "Couldn't authenticate you"}))
    }

    pub(super) fn forbidden() -> Self {
        Self::new(403, json!({"error": "Forbidden", "description": "Forbidden"}))
    }

    /// A malformed id in the path: here `error` is an object.
    pub(super) fn bad_id(place: &str) -> Self {
        let message = format!(
            "You passed an invalid value for the id attribute. Invalid parameter: id must be an integer from {place}"
        );
        Self::new(400, json!({"error": {"title": "Invalid attribute", "message": message}}))
    }

    /// One field is not acceptable.
    pub(super) fn invalid(field: &str, description: &str, code: &str) -> Self {
        let details = json!({ field: [{"description": description, "error": code}] });
        Self::record_invalid(details)
    }

    /// The ticket is closed: here the detail has no `error` member.
    pub(super) fn closed() -> Self {
        Self::record_invalid(json!({"status": [{"description": "Status: closed prevents ticket update"}]}))
    }

    fn record_invalid(details: Value) -> Self {
        Self::new(
            422,
            json!({"error": "RecordInvalid", "description": "Record validation errors", "details": details}),
        )
    }

    pub(super) fn conflict() -> Self {
        let description = "Safe Update prevented the update due to outdated ticket data. \
                           Please fetch the latest ticket data and try again.";
        Self::new(409, json!({"error": "UpdateConflict", "description": description}))
    }

    pub(super) fn bad_request(error: &str, description: &str) -> Self {
        Self::new(400, json!({"error": error, "description": description}))
    }

    /// The request is fine, the simulator does not know how: a new call must be noticed.
    pub(super) fn unknown(what: &str) -> Self {
        Self::new(
            501,
            json!({"error": "NotImplemented", "description": format!("The simulator has no {what}")}),
        )
    }

    pub(super) fn body(&self) -> &Value {
        &self.0.1
    }

    pub(super) fn into_answer(self) -> Answer {
        let (status, body) = *self.0;
        match body {
            Value::String(plain) => text(status, &plain),
            body => json_answer(status, &body),
        }
    }
}
