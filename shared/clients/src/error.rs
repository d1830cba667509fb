//! What went wrong with a call, in the words the rest of deskup decides by. An error names the call
//! and the ids in it, never a text, a token or what a body said in prose.

use crate::pace::Api;

/// The result of every call.
pub type ApiResult<T> = Result<T, ApiError>;

/// What a caller can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The record is not there, or not visible to us.
    NotFound,
    /// Somebody changed the record since it was read: read and decide again.
    Conflict,
    /// The service understood and said no; the same call will be refused again.
    Refused,
    /// The credentials are wrong or lack a right.
    Auth,
    /// The service said to wait longer than the deadline allows. The call did not happen.
    RateLimited {
        /// When it may be tried again.
        until_ms: i64,
    },
    /// Our own accounting says there is no budget before the deadline. The call did not happen.
    BudgetEmpty {
        /// When there will be some.
        until_ms: i64,
    },
    /// It certainly did not happen, or repeating it later is safe.
    Transient,
    /// It may have happened: look before repeating.
    Unknown,
    /// An answer we cannot make sense of.
    Unexpected,
}

impl ErrorKind {
    /// Whether trying again later can help without looking first.
    pub fn is_worth_repeating(self) -> bool {
        matches!(self, ErrorKind::RateLimited { .. } | ErrorKind::BudgetEmpty { .. } | ErrorKind::Transient)
    }

    /// Whether the call may have been carried out, or may still be.
    pub fn may_have_happened(self) -> bool {
        matches!(self, ErrorKind::Unknown | ErrorKind::Unexpected)
    }
}

/// A call that did not end well.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{api}: {what}: {}", self.reason())]
pub struct ApiError {
    /// What to do about it.
    pub kind: ErrorKind,
    /// Which service.
    pub api: Api,
    /// Method, endpoint template and ids.
    pub what: String,
    /// The status, if there was an answer.
    pub status: Option<u16>,
    /// The service's own code, such as `UpdateConflict` or `OAUTH_027`.
    pub code: Option<String>,
    /// Names of the fields the service complained of, such as `status` for a closed ticket.
    pub fields: Vec<String>,
    /// For the service's support.
    pub request_id: Option<String>,
}

impl ApiError {
    /// An error before or without an answer.
    pub fn new(api: Api, what: impl Into<String>, kind: ErrorKind) -> Self {
        Self { kind, api, what: what.into(), status: None, code: None, fields: Vec::new(), request_id: None }
    }

    /// The same with a code of ours or of the service.
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Whether the record is missing.
    pub fn is_not_found(&self) -> bool {
        self.kind == ErrorKind::NotFound
    }

    fn reason(&self) -> String {
        let mut text = match self.kind {
            ErrorKind::NotFound => "not found".to_owned(),
            ErrorKind::Conflict => "changed in between".to_owned(),
            ErrorKind::Refused => "refused".to_owned(),
            ErrorKind::Auth => "not authorized".to_owned(),
            ErrorKind::RateLimited { until_ms } => format!("rate limited until {until_ms} ms"),
            ErrorKind::BudgetEmpty { until_ms } => format!("no API budget until {until_ms} ms"),
            ErrorKind::Transient => "failed for now".to_owned(),
            ErrorKind::Unknown => "the outcome is unknown".to_owned(),
            ErrorKind::Unexpected => "an answer that makes no sense".to_owned(),
        };
        if let Some(status) = self.status {
            text.push_str(&format!(", status {status}"));
        }
        if let Some(code) = &self.code {
            text.push_str(&format!(", code {code}"));
        }
        if !self.fields.is_empty() {
            text.push_str(&format!(", fields {}", self.fields.join(" ")));
        }
        if let Some(id) = &self.request_id {
            text.push_str(&format!(", request {id}"));
        }
        text
    }
}
