//! Somebody on the way who changes what deskup sends.

use std::sync::Arc;

use bytes::Bytes;
use clients::{Transport, TransportError};
use futures::future::BoxFuture;
use serde_json::{Value as Json, json};

/// What somebody on the way does to deskup's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tamper {
    DropStatus,
    AddPriority,
    ChangeComment,
}

/// A wire with such a somebody.
pub struct Tampering {
    pub inner: Arc<dyn Transport>,
    pub how: Tamper,
}

impl Transport for Tampering {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let create = parts.method == http::Method::POST && path.ends_with("/task");
        let comment = parts.method == http::Method::POST && path.ends_with("/comment");
        let mut json: Json = serde_json::from_slice(&body).unwrap_or(Json::Null);
        let changed = match self.how {
            Tamper::DropStatus if create => {
                json.as_object_mut().is_some_and(|o| o.remove("status").is_some())
            }
            Tamper::AddPriority if create => {
                let none = json["priority"].is_null();
                if none {
                    json["priority"] = json!(1);
                }
                none
            }
            Tamper::ChangeComment if comment => {
                json["comment_text"] = json!("Something that nobody wrote.");
                true
            }
            _ => false,
        };
        let body = if changed {
            parts.headers.remove(http::header::CONTENT_LENGTH);
            Bytes::from(json.to_string())
        } else {
            body
        };
        self.inner.send(http::Request::from_parts(parts, body))
    }
}
