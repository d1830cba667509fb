//! Faults that a suite plants to see its own check fail: what stands between deskup and the wire, and what is
//! done to its state while it is dead. Nothing of deskup knows about them.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use clients::{Transport, TransportError};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use serde_json::Value as Json;
use stores::Store;
use stores::comments::MapState;

use crate::whole::{INSTALLATION, on_paused_clock, state_of};

type Answer = Result<Response<Bytes>, TransportError>;

fn body(response: &Response<Bytes>) -> Json {
    serde_json::from_slice(response.body()).unwrap_or_default()
}

fn with_body(response: Response<Bytes>, body: &Json) -> Response<Bytes> {
    response.map(|_| Bytes::from(body.to_string()))
}

/// Sends every create of a task twice, as somebody does who repeats whatever he likes.
pub fn twice(wire: Arc<dyn Transport>) -> Arc<dyn Transport> {
    struct Twice(Arc<dyn Transport>);
    impl Transport for Twice {
        fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Answer> {
            async move {
                let path = request.uri().path();
                if request.method() == Method::POST && path.contains("/list/") && path.ends_with("/task") {
                    self.0.send(request.clone()).await?;
                }
                self.0.send(request).await
            }
            .boxed()
        }
    }
    Arc::new(Twice(wire))
}

/// Swallows the first new title, the first new tag and the first comment of somebody who edits on their way to a
/// task: the service never hears of them, and deskup reads that they are set.
pub fn swallowing(wire: Arc<dyn Transport>) -> Arc<dyn Transport> {
    struct Swallowing(Arc<dyn Transport>, Mutex<BTreeSet<&'static str>>);
    impl Transport for Swallowing {
        fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Answer> {
            async move {
                let first =
                    |kind| self.1.lock().unwrap_or_else(PoisonError::into_inner).insert(kind).then_some(kind);
                match kind_of(&request).and_then(first) {
                    Some("title") => {
                        let asked: Json = serde_json::from_slice(request.body()).unwrap_or_default();
                        let mut look = request;
                        *look.method_mut() = Method::GET;
                        *look.body_mut() = Bytes::new();
                        let answer = self.0.send(look).await?;
                        let mut task = body(&answer);
                        task["name"] = asked["name"].clone();
                        Ok(with_body(answer, &task))
                    }
                    Some("comment") => Ok(Response::new(Bytes::from_static(b"{\"id\": 1}"))),
                    Some(_) => Ok(Response::new(Bytes::from_static(b"{}"))),
                    None => self.0.send(request).await,
                }
            }
            .boxed()
        }
    }
    Arc::new(Swallowing(wire, Mutex::default()))
}

/// What a request means to write on a task, of what is swallowed.
fn kind_of(request: &Request<Bytes>) -> Option<&'static str> {
    let path = request.uri().path();
    let asked: Json = serde_json::from_slice(request.body()).unwrap_or_default();
    if !path.contains("/task/") {
        None
    } else if request.method() == Method::PUT && asked["name"].is_string() {
        Some("title")
    } else if request.method() == Method::POST && path.contains("/tag/") {
        Some("tag")
    } else {
        // People's comments end in the names of their edits; those of the backfill do not.
        asked["comment_text"].as_str().filter(|text| text.contains("(e0")).map(|_| "comment")
    }
}

/// Skips a ticket in the export whenever it was in it before: a cursor that steps over what moved.
pub fn skipping(wire: Arc<dyn Transport>) -> Arc<dyn Transport> {
    struct Skipping(Arc<dyn Transport>, Mutex<BTreeSet<String>>);
    impl Transport for Skipping {
        fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Answer> {
            async move {
                let is_export = request.uri().path().contains("/incremental/tickets");
                let answer = self.0.send(request).await?;
                let mut page = body(&answer);
                let Some(tickets) = page["tickets"].as_array_mut().filter(|_| is_export) else {
                    return Ok(answer);
                };
                let mut known = self.1.lock().unwrap_or_else(PoisonError::into_inner);
                tickets.retain(|ticket| known.insert(ticket["id"].to_string()));
                Ok(with_body(answer, &page))
            }
            .boxed()
        }
    }
    Arc::new(Skipping(wire, Mutex::default()))
}

/// Loses everything that deskup remembers.
pub fn all_forgotten(dir: &Path) {
    for name in ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm"] {
        // A file that was never written is forgotten already.
        let _ = std::fs::remove_file(dir.join(name));
    }
}

/// Takes every copy that was about to be made for made.
pub fn intents_taken_for_deeds(dir: &Path) {
    on_paused_clock(async {
        let store = Store::embedded(state_of(dir), INSTALLATION, Arc::new(|| 0)).expect("nobody uses it");
        let comments = store.comments();
        let mut from = None;
        loop {
            let page = store.links().scan(from.as_ref()).await.expect("the store can be read");
            for ticket in page.links.iter().map(|link| link.ticket) {
                let rows = comments.list(ticket).await.expect("the store can be read");
                for ((side, id), row) in rows.iter().filter(|(_, row)| row.state == MapState::Intent) {
                    let done = comments.done(ticket, *side, id, &row.nonce, "1").await;
                    done.expect("the store can be written");
                }
            }
            from = page.next;
            if from.is_none() {
                return;
            }
        }
    });
}
