//! Files: up for a comment, down from anywhere.

use bytes::Bytes;
use http::{HeaderValue, Method};

use super::convert;
use super::{Upload, Zendesk, incomplete};
use crate::call::Call;
use crate::error::ApiResult;
use crate::pace::Api;
use crate::retry::Effect;
use crate::wire::zendesk as wire;

impl Zendesk {
    /// Uploads a file for a later comment. An upload that nobody uses is gone by itself, so a repeat
    /// harms nobody.
    pub async fn upload(&self, filename: &str, content_type: &str, bytes: Bytes) -> ApiResult<Upload> {
        let content_type = HeaderValue::try_from(content_type)
            .unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"));
        let call = Call::write(Api::Zendesk, Method::POST, "/uploads", "/api/v2/uploads", Effect::None)
            .query("filename", filename)
            .raw(content_type, bytes)
            .spends([self.limits.account()]);
        let answer: wire::OneUpload = self.read(&call).await?;
        answer.upload.take().and_then(convert::upload).ok_or_else(|| incomplete(&call))
    }

    /// Fetches a file; the host may be foreign and then gets no credentials.
    pub async fn download(&self, url: &str) -> ApiResult<Bytes> {
        self.core.download(url, self.scope).await
    }
}
