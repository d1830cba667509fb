//! One call before it is sent and its answer after. A call knows its endpoint's template, so that errors
//! and logs can name it without naming contents.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::error::{ApiError, ApiResult, ErrorKind};
use crate::hosts;
use crate::pace::{Api, Bucket};
use crate::retry::Effect;

/// Everything about one call but the host and the credentials.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub api: Api,
    pub method: Method,
    /// Such as `/tickets/{id}`, for people.
    pub template: &'static str,
    /// The real path, from the host's root.
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    pub body: Option<(HeaderValue, Bytes)>,
    pub idempotency_key: Option<HeaderValue>,
    /// What repeating it does; decides about retries.
    pub effect: Effect,
    /// The first is what unnamed limit headers speak of.
    pub buckets: Vec<Bucket>,
    /// Ids for people, such as `12`.
    pub about: String,
    /// Without credentials: only to get some.
    pub anonymous: bool,
}

impl Call {
    /// A read of that path; the template is the path unless said otherwise.
    pub fn get(api: Api, template: &'static str, path: impl Into<String>) -> Self {
        Self {
            api,
            method: Method::GET,
            template,
            path: path.into(),
            query: Vec::new(),
            body: None,
            idempotency_key: None,
            effect: Effect::None,
            buckets: Vec::new(),
            about: String::new(),
            anonymous: false,
        }
    }

    /// A write.
    pub fn write(
        api: Api,
        method: Method,
        template: &'static str,
        path: impl Into<String>,
        effect: Effect,
    ) -> Self {
        Self { method, effect, ..Self::get(api, template, path) }
    }

    pub fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    pub fn json(mut self, body: &impl Serialize) -> Self {
        // Our own bodies are maps and numbers; they always have a JSON form.
        let bytes = serde_json::to_vec(body).unwrap_or_default();
        self.body = Some((HeaderValue::from_static("application/json"), Bytes::from(bytes)));
        self
    }

    pub fn raw(mut self, content_type: HeaderValue, bytes: Bytes) -> Self {
        self.body = Some((content_type, bytes));
        self
    }

    pub fn spends(mut self, buckets: impl IntoIterator<Item = Bucket>) -> Self {
        self.buckets.extend(buckets);
        self
    }

    pub fn about(mut self, ids: impl ToString) -> Self {
        self.about = ids.to_string();
        self
    }

    /// Method, template and ids.
    pub fn what(&self) -> String {
        let about = if self.about.is_empty() { String::new() } else { format!(" ({})", self.about) };
        format!("{} {}{about}", self.method, self.template)
    }

    /// The path with its query, encoded.
    pub fn path_and_query(&self) -> String {
        let mut text = self.path.clone();
        for (at, (name, value)) in self.query.iter().enumerate() {
            text.push(if at == 0 { '?' } else { '&' });
            text.push_str(&hosts::encode(name));
            text.push('=');
            text.push_str(&hosts::encode(value));
        }
        text
    }

    /// An error of this call.
    pub fn error(&self, kind: ErrorKind) -> ApiError {
        ApiError::new(self.api, self.what(), kind)
    }

    pub fn is_write(&self) -> bool {
        self.effect != Effect::None
    }

    /// An answer of success that cannot be read: what was written is written.
    pub fn unreadable(&self, request_id: Option<String>) -> ApiError {
        let kind = if self.is_write() { ErrorKind::Unknown } else { ErrorKind::Unexpected };
        ApiError { request_id, ..self.error(kind).with_code("UnreadableAnswer") }
    }
}

/// An answer with a status of success.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// Parses the body. What serde says is dropped: it quotes contents.
    pub fn json<T: DeserializeOwned>(&self, call: &Call) -> ApiResult<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            tracing::warn!(what = call.what(), line, column, "an answer could not be read");
            call.unreadable(request_id(&self.headers))
        })
    }

    /// Parses a page whose entries may be odd: as a whole if possible, else entry by entry. Gives the
    /// page and the ids of the entries left out.
    pub fn page<P, T>(&self, call: &Call, member: &str) -> ApiResult<(P, Vec<String>)>
    where
        P: DeserializeOwned,
        T: DeserializeOwned,
    {
        if let Ok(page) = serde_json::from_slice(&self.body) {
            return Ok((page, Vec::new()));
        }
        let mut page: Json = self.json(call)?;
        let mut unreadable = Vec::new();
        if let Some(entries) = page.get_mut(member).and_then(Json::as_array_mut) {
            entries.retain(|entry| {
                let fits = serde_json::from_value::<T>(entry.clone()).is_ok();
                if !fits {
                    unreadable.push(entry_id(entry));
                }
                fits
            });
        }
        match serde_json::from_value(page) {
            Ok(page) => Ok((page, unreadable)),
            Err(_) => Err(call.unreadable(request_id(&self.headers))),
        }
    }
}

/// The id of an entry that is otherwise odd.
pub(crate) fn entry_id(entry: &Json) -> String {
    match entry.get("id") {
        Some(Json::String(id)) => id.chars().take(64).collect(),
        Some(Json::Number(id)) => id.to_string(),
        _ => "?".to_owned(),
    }
}

/// Either service's name for it; Zendesk sends it twice at times.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    let value = ["x-request-id", "x-zendesk-request-id", "x-clickup-request-id"]
        .iter()
        .find_map(|name| headers.get(*name))?;
    let text = value.to_str().ok()?;
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte));
    fits.then(|| text.chars().take(100).collect())
}
