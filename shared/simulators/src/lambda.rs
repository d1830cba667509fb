//! What the process of one Lambda talks to: the runtime API, on a port of this machine. It hands out one event at a
//! time and takes the answer, or the failure that the function named.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::AbortHandle;

use crate::http_text::{Answer, text};
use crate::serve::{Handler, serve};

/// Every path begins with it.
const BASE: &str = "/2018-06-01/runtime/";

/// What came of an event: the body of the answer, or that of the failure.
pub type Reply = Result<Bytes, Bytes>;

/// The runtime API of one process.
pub struct RuntimeApi {
    address: String,
    shared: Arc<Shared>,
    events: mpsc::UnboundedSender<Event>,
    task: AbortHandle,
}

struct Shared {
    queue: tokio::sync::Mutex<mpsc::UnboundedReceiver<Event>>,
    open: Mutex<Option<(u64, oneshot::Sender<Reply>)>>,
    asked: AtomicU64,
    polls: AtomicU64,
    polled: Notify,
}

struct Event {
    payload: Bytes,
    deadline_ms: i64,
    reply: oneshot::Sender<Reply>,
}

impl RuntimeApi {
    /// Opens it on a free port.
    pub async fn open() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (events, queue) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            queue: tokio::sync::Mutex::new(queue),
            open: Mutex::default(),
            asked: AtomicU64::new(0),
            polls: AtomicU64::new(0),
            polled: Notify::new(),
        });
        let served = shared.clone();
        let handler: Handler = Arc::new(move |request| {
            let shared = served.clone();
            Box::pin(async move { shared.handle(request).await })
        });
        let task = tokio::spawn(serve(listener, handler)).abort_handle();
        Ok(Self { address, shared, events, task })
    }

    /// What the process finds in `AWS_LAMBDA_RUNTIME_API`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Waits until the process has asked for its first event: then its init is over.
    pub async fn ready(&self) {
        loop {
            let polled = self.shared.polled.notified();
            if self.shared.polls.load(Ordering::SeqCst) > 0 {
                return;
            }
            polled.await;
        }
    }

    /// Hands out an event and waits for what comes of it; `None` where the process dropped it.
    pub async fn invoke(&self, payload: Bytes, deadline_ms: i64) -> Option<Reply> {
        let (reply, told) = oneshot::channel();
        self.events.send(Event { payload, deadline_ms, reply }).ok()?;
        told.await.ok()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    async fn handle(&self, request: Request<Bytes>) -> Answer {
        let Some(path) = request.uri().path().strip_prefix(BASE).map(str::to_owned) else {
            return text(404, "no such path of the runtime API");
        };
        let parts: Vec<&str> = path.split('/').collect();
        match (request.method(), &parts[..]) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => self.end(id, Ok(request.into_body())),
            (&Method::POST, ["invocation", id, "error"]) => self.end(id, Err(request.into_body())),
            (&Method::POST, ["init", "error"]) => text(202, ""),
            _ => text(404, "no such path of the runtime API"),
        }
    }

    async fn next(&self) -> Answer {
        self.polls.fetch_add(1, Ordering::SeqCst);
        self.polled.notify_waiters();
        let Some(event) = self.queue.lock().await.recv().await else { return text(500, "it is over") };
        let id = self.asked.fetch_add(1, Ordering::SeqCst);
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some((id, event.reply));
        let answer = http::Response::builder()
            .header("Lambda-Runtime-Aws-Request-Id", id.to_string())
            .header("Lambda-Runtime-Deadline-Ms", event.deadline_ms.to_string())
            .header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:local:000000000000:function:here")
            .header("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000;Sampled=0")
            .body(event.payload);
        answer.unwrap_or_else(|_| text(500, "the event cannot be handed out"))
    }

    fn end(&self, id: &str, reply: Reply) -> Answer {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        match open {
            Some((ours, sender)) if id.parse() == Ok(ours) => {
                // Whoever asked may have gone.
                let _ = sender.send(reply);
                let mut taken = text(202, "");
                *taken.status_mut() = StatusCode::ACCEPTED;
                taken
            }
            _ => text(400, "no such event is open"),
        }
    }
}
