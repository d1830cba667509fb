//! The check: which requests carry something secret, and whether the host they go to may see it. The target
//! is told by the parser that would really connect, not by the one the rule was asked with.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use clients::{Transport, TransportError};
use futures::future::BoxFuture;
use http::{Request, Response};

/// The credentials of these tests, each with the host that may see it.
pub const SECRETS: [(&str, &str); 4] = [
    ("z-s3cret", "acme.zendesk.com"),
    ("z-client-s3cret", "acme.zendesk.com"),
    ("c-s3cret", "api.clickup.com"),
    ("c-client-s3cret", "api.clickup.com"),
];

/// The secret that a request would show to a host that may not see it.
pub fn leak(request: &Request<Bytes>) -> Option<&'static str> {
    let url = reqwest::Url::parse(&request.uri().to_string()).ok();
    let goes_to = |host: &str| {
        url.as_ref().is_some_and(|url| {
            url.scheme() == "https"
                && url.host_str() == Some(host)
                && url.port_or_known_default() == Some(443)
                && url.username().is_empty()
        })
    };
    SECRETS.iter().find(|(secret, host)| holds(request, secret) && !goes_to(host)).map(|(secret, _)| *secret)
}

/// Whether a secret is anywhere in a request: address, headers, body.
pub fn holds(request: &Request<Bytes>, secret: &str) -> bool {
    let within = |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
    within(request.uri().to_string().as_bytes())
        || request.headers().values().any(|value| within(value.as_bytes()))
        || within(request.body())
}

/// Names for this machine and its network, which no request may go to.
pub fn is_inside(request: &Request<Bytes>) -> bool {
    let host = request.uri().host().unwrap_or_default().to_ascii_lowercase();
    let host = host.trim_end_matches('.');
    host.starts_with('[')
        || ["localhost", "internal", "local"].iter().any(|end| host.rsplit('.').next() == Some(end))
        || host.rsplit('.').next().is_some_and(|last| {
            last.starts_with("0x") || !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit())
        })
}

/// What many cases showed.
#[derive(Debug, Default)]
pub struct Tally {
    pub cases: usize,
    pub requests: usize,
    /// Requests with a credential to the host it belongs to: without these nothing was tried.
    pub rightful: usize,
    /// Requests to foreign hosts, which were reached without a credential.
    pub foreign: usize,
    pub leaks: Vec<String>,
    pub inside: Vec<String>,
}

impl Tally {
    /// Books the requests of one case.
    pub fn book(&mut self, what: &str, requests: &[Request<Bytes>]) {
        self.cases += 1;
        for request in requests {
            self.requests += 1;
            let has_secret = SECRETS.iter().any(|(secret, _)| holds(request, secret));
            match leak(request) {
                Some(secret) => self.leaks.push(format!("{what}: {secret} to {}", request.uri())),
                None if has_secret => self.rightful += 1,
                None => self.foreign += usize::from(!is_own(request)),
            }
            if is_inside(request) {
                self.inside.push(format!("{what}: {}", request.uri()));
            }
        }
    }
}

fn is_own(request: &Request<Bytes>) -> bool {
    let host = request.uri().host().unwrap_or_default().to_ascii_lowercase();
    SECRETS.iter().any(|(_, own)| *own == host)
}

type Answer = Result<Response<Bytes>, TransportError>;

type Answers = Box<dyn Fn(&Request<Bytes>, usize) -> Answer + Send + Sync>;

/// A transport that writes down what it was asked and answers by a function of the request and its number.
pub struct Recorder {
    answer: Answers,
    seen: Mutex<Vec<Request<Bytes>>>,
}

impl Recorder {
    pub fn new(answer: impl Fn(&Request<Bytes>, usize) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { answer: Box::new(answer), seen: Mutex::default() })
    }

    pub fn seen(&self) -> Vec<Request<Bytes>> {
        self.seen.lock().unwrap().clone()
    }
}

impl Transport for Recorder {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Answer> {
        let mut seen = self.seen.lock().unwrap();
        let answer = (self.answer)(&request, seen.len());
        seen.push(request);
        Box::pin(std::future::ready(answer))
    }
}
