//! Comments of tasks. They are listed newest first, 25 a page; the next page is asked for by the oldest
//! one seen, which may come again.

use std::collections::BTreeSet;

use domain::{Comment, TaskId};
use futures::stream::{Stream, StreamExt};
use http::Method;
use serde_json::json;

use super::{ClickUp, convert, incomplete};
use crate::call::Call;
use crate::error::{ApiResult, ErrorKind};
use crate::pages::{self, More};
use crate::retry::Effect;
use crate::wire::clickup as wire;

/// Comments on a page. Fewer mean the last page; no flag says so.
const PER_PAGE: usize = 25;

/// The oldest comment of the page before: its date and id, both needed.
type Before = Option<(String, String)>;

impl ClickUp {
    /// All comments of a task, oldest first. Threaded replies are not among them.
    pub async fn comments(&self, id: &TaskId) -> ApiResult<Vec<Comment>> {
        let mut comments = pages::collect(self.comment_stream(id)).await?;
        comments.reverse();
        Ok(comments)
    }

    /// The comments of a task, newest first, page by page.
    pub fn comment_stream(&self, id: &TaskId) -> impl Stream<Item = ApiResult<Comment>> + Send + use<> {
        let client = self.clone();
        let id = id.clone();
        let pages = pages::entries(None, move |before: Before| {
            let client = client.clone();
            let id = id.clone();
            async move {
                let (comments, oldest) = client.comment_page(&id, before.clone()).await?;
                // The same reference again would ask for the same page for ever.
                let next = match oldest {
                    Some(place) if comments.len() >= PER_PAGE && Some(&place) != before.as_ref() => {
                        More::From(Some(place))
                    }
                    _ => More::No,
                };
                Ok((comments, next))
            }
        });
        let mut seen = BTreeSet::new();
        pages.filter(move |comment| {
            let fresh = comment.as_ref().map_or(true, |comment| seen.insert(comment.id.clone()));
            std::future::ready(fresh)
        })
    }

    /// The newest comments, up to 25, oldest first: one call.
    pub async fn recent_comments(&self, id: &TaskId) -> ApiResult<Vec<Comment>> {
        let (mut comments, _) = self.comment_page(id, None).await?;
        comments.reverse();
        Ok(comments)
    }

    async fn comment_page(&self, id: &TaskId, before: Before) -> ApiResult<(Vec<Comment>, Before)> {
        let mut call = self.get("/task/{id}/comment", format!("/api/v2/task/{id}/comment")).about(id);
        if let Some((date, comment)) = before {
            call = call.query("start", date).query("start_id", comment);
        }
        let page: wire::Comments = self.read(&call).await?;
        let wires = page.comments.into_items();
        let oldest = wires.last().and_then(|last| Some((last.date.written()?, last.id.written()?)));
        Ok((converted(&call, wires)?, oldest))
    }

    /// Threaded replies to a comment, oldest first.
    pub async fn replies(&self, comment_id: &str) -> ApiResult<Vec<Comment>> {
        let call = self
            .get("/comment/{id}/reply", format!("/api/v2/comment/{}/reply", crate::hosts::encode(comment_id)))
            .about(comment_id);
        let page: wire::Comments = self.read(&call).await?;
        let mut comments = converted(&call, page.comments.into_items())?;
        comments.sort_by_key(|comment| comment.created);
        Ok(comments)
    }

    /// Adds a comment, telling nobody, and returns its id. After an `Unknown` look for it before adding
    /// it again.
    pub async fn create_comment(&self, id: &TaskId, text: &str) -> ApiResult<String> {
        let path = format!("/api/v2/task/{id}/comment");
        let call = self
            .write(Method::POST, "/task/{id}/comment", path, Effect::Once)
            .json(&json!({ "comment_text": text, "notify_all": false }))
            .about(id);
        if text.is_empty() {
            return Err(call.error(ErrorKind::Refused).with_code("EmptyComment"));
        }
        let answer: wire::CommentCreated = self.read(&call).await?;
        // A number here, a text everywhere else.
        answer.id.written().ok_or_else(|| incomplete(&call))
    }
}

fn converted(call: &Call, wires: Vec<wire::Comment>) -> ApiResult<Vec<Comment>> {
    wires.into_iter().map(|wire| convert::comment(wire).ok_or_else(|| incomplete(call))).collect()
}
