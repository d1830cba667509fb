//! A transport that answers from a script and remembers what it was asked.
#![allow(dead_code, reason = "every test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use clients::{
    Api, BudgetEmpty, ClickUp, ClickUpConfig, ClickUpCredentials, LimitSeen, Need, NoPacer, Pacer, Secret,
    TokioClock, Transport, TransportError, Zendesk, ZendeskConfig, ZendeskCredentials,
};
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::Value as Json;

pub const START_MS: i64 = 1_767_225_600_000;
pub const ZENDESK: &str = "https://acme.zendesk.com";
pub const CLICKUP: &str = "https://api.clickup.com";

type Answer = Result<Response<Bytes>, TransportError>;
type Handler = Box<dyn FnMut(&Request<Bytes>, usize) -> Answer + Send>;

/// Answers with a function of the request and its number from 0.
pub struct Script {
    state: Mutex<(Handler, Vec<Request<Bytes>>)>,
}

impl Script {
    pub fn new(handler: impl FnMut(&Request<Bytes>, usize) -> Answer + Send + 'static) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new((Box::new(handler), Vec::new())) })
    }

    /// These answers, one after the other; the last one again and again.
    pub fn answers(answers: Vec<Answer>) -> Arc<Self> {
        Self::new(move |_, at| answers[at.min(answers.len() - 1)].clone())
    }

    pub fn requests(&self) -> Vec<Request<Bytes>> {
        self.state.lock().unwrap().1.clone()
    }

    /// Method and path with query of each request.
    pub fn lines(&self) -> Vec<String> {
        let line = |request: &Request<Bytes>| {
            let path = request.uri().path_and_query().map(|path| path.as_str()).unwrap_or_default();
            format!("{} {path}", request.method())
        };
        self.requests().iter().map(line).collect()
    }

    pub fn body(&self, at: usize) -> Json {
        serde_json::from_slice(self.requests()[at].body()).unwrap()
    }

    pub fn header(&self, at: usize, name: &str) -> Option<String> {
        self.requests()[at].headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    }
}

impl Transport for Script {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Answer> {
        let answer = {
            let mut state = self.state.lock().unwrap();
            let at = state.1.len();
            let answer = (state.0)(&request, at);
            state.1.push(request);
            answer
        };
        Box::pin(async move {
            // Others get their turn, as with a network.
            tokio::task::yield_now().await;
            answer
        })
    }
}

pub fn ok(body: Json) -> Answer {
    answer(200, body)
}

pub fn answer(status: u16, body: Json) -> Answer {
    text(status, &body.to_string())
}

pub fn text(status: u16, body: &str) -> Answer {
    Ok(Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap())
}

pub fn with(answer: Answer, headers: &[(&str, &str)]) -> Answer {
    let mut response = answer?;
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        response.headers_mut().append(name, value.parse().unwrap());
    }
    Ok(response)
}

pub fn lost() -> Answer {
    Err(TransportError::Unknown("timeout".into()))
}

pub fn never_sent() -> Answer {
    Err(TransportError::NeverSent("connection refused".into()))
}

pub fn zendesk(script: &Arc<Script>) -> Zendesk {
    zendesk_as(script, ZendeskCredentials::Bearer(Secret::new("z-secret")), Arc::new(NoPacer))
}

pub fn zendesk_as(script: &Arc<Script>, credentials: ZendeskCredentials, pacer: Arc<dyn Pacer>) -> Zendesk {
    let config = ZendeskConfig { base_url: ZENDESK.into(), credentials };
    Zendesk::new(config, script.clone(), pacer, Arc::new(TokioClock::new(START_MS)), 7).unwrap()
}

pub fn clickup(script: &Arc<Script>) -> ClickUp {
    clickup_with(script, Arc::new(NoPacer))
}

pub fn clickup_with(script: &Arc<Script>, pacer: Arc<dyn Pacer>) -> ClickUp {
    let token = ClickUpCredentials::Personal(Secret::new("pk_secret"));
    let config = ClickUpConfig { base_url: CLICKUP.into(), token, workspace: "9001".into() };
    ClickUp::new(config, script.clone(), pacer, Arc::new(TokioClock::new(START_MS)), 7).unwrap()
}

/// A pacer that remembers, and refuses once a number of grants is used up.
#[derive(Default)]
pub struct Ledger {
    pub granted: Mutex<Vec<Vec<String>>>,
    pub seen: Mutex<Vec<LimitSeen>>,
    pub limited: Mutex<Vec<(String, i64)>>,
    pub grants_max: Option<usize>,
}

impl Pacer for Ledger {
    fn acquire<'a>(&'a self, need: &'a Need) -> BoxFuture<'a, Result<(), BudgetEmpty>> {
        let mut granted = self.granted.lock().unwrap();
        let empty = self.grants_max.is_some_and(|max| granted.len() >= max);
        if !empty {
            granted.push(need.buckets.iter().map(|bucket| bucket.name.clone()).collect());
        }
        let answer = if empty { Err(BudgetEmpty { until_ms: START_MS + 60_000 }) } else { Ok(()) };
        Box::pin(std::future::ready(answer))
    }

    fn observe(&self, _api: Api, seen: &[LimitSeen]) {
        self.seen.lock().unwrap().extend_from_slice(seen);
    }

    fn limited<'a>(&'a self, _api: Api, bucket: &'a str, until_ms: i64) -> BoxFuture<'a, ()> {
        self.limited.lock().unwrap().push((bucket.to_owned(), until_ms));
        Box::pin(std::future::ready(()))
    }
}
