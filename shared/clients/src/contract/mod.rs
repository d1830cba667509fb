//! Checks recorded answers against the wire types the clients use: each is read and written back and
//! must be the same JSON. Used by the contract test; `walk` takes any folder of the fixtures' layout.

mod compare;
mod endpoint;
mod index;
mod routes;
mod samples;

use std::fmt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value as Json;

use crate::classify::classify;
use crate::events::{ClickupEvent, ZendeskEvent};
use crate::lenient;
use crate::pace::Api;
use endpoint::Endpoint;
use index::Index;

/// What came of a walk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Bodies that were read without loss.
    pub parsed: usize,
    /// Bodies left out: which, and why.
    pub skipped: Vec<(String, String)>,
    /// Bodies that lost something or could not be read: which, and where.
    pub failed: Vec<(String, String)>,
}

impl Report {
    fn add(&mut self, name: String, outcome: Outcome) {
        match outcome {
            Ok(()) => self.parsed += 1,
            Err(Miss::Skipped(why)) => self.skipped.push((name, why)),
            Err(Miss::Failed(why)) => self.failed.push((name, why)),
        }
    }
}

/// One line for each body left out or lost, and the sums at the end.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, why) in &self.skipped {
            writeln!(f, "skipped  {name}: {why}")?;
        }
        for (name, why) in &self.failed {
            writeln!(f, "FAILED   {name}: {why}")?;
        }
        let Self { parsed, skipped, failed } = self;
        write!(f, "fixtures: {parsed} parsed, {} skipped, {} failed", skipped.len(), failed.len())
    }
}

/// Why a body does not count as parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Miss {
    Skipped(String),
    Failed(String),
}

type Outcome = Result<(), Miss>;

fn skipped(why: impl Into<String>) -> Miss {
    Miss::Skipped(why.into())
}

fn failed(why: impl Into<String>) -> Miss {
    Miss::Failed(why.into())
}

/// Walks `{folder}/zendesk` and `{folder}/clickup`, or a folder that is one of them.
pub fn walk(folder: &Path) -> std::io::Result<Report> {
    let mut report = Report::default();
    let mut found = false;
    for (api, name) in [(Api::Zendesk, "zendesk"), (Api::Clickup, "clickup")] {
        let inside = folder.join(name);
        let root = if folder.ends_with(name) { folder.to_owned() } else { inside };
        if !root.is_dir() {
            continue;
        }
        found = true;
        let index = Index::read(&root.join("INDEX.md"));
        for path in files(&root)? {
            let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            let bytes = std::fs::read(&path)?;
            file(&mut report, api, &name, &bytes, index.endpoint(&name));
        }
    }
    if found {
        Ok(report)
    } else {
        let why = "there is neither a `zendesk` nor a `clickup` folder";
        Err(std::io::Error::new(std::io::ErrorKind::NotFound, why))
    }
}

/// The same checks on a few bodies of our own, for a machine without fixtures.
pub fn own_samples() -> Report {
    let mut report = Report::default();
    for (api, name, body) in samples::ALL {
        file(&mut report, *api, name, body.as_bytes(), None);
    }
    report
}

/// Our own samples read with a type that drops what it does not know: shows that the check can fail.
pub fn lossy_samples() -> Report {
    let mut report = Report::default();
    for (_, name, body) in samples::ALL.iter().filter(|(_, name, _)| name.contains("GET_tickets")) {
        let outcome = serde_json::from_str(body)
            .map_err(|_| "not JSON".to_owned())
            .and_then(|json| compare::lossless::<samples::Lossy>(&json));
        report.add((*name).to_owned(), outcome.map_err(failed));
    }
    report
}

/// One file: a recording of several exchanges, or a single body.
fn file(report: &mut Report, api: Api, name: &str, bytes: &[u8], indexed: Option<&str>) {
    let display = format!("{}/{name}", api.name());
    if name.ends_with(".md") {
        return;
    }
    let json: Option<Json> = serde_json::from_slice(bytes).ok();
    if let Some(exchanges) = json.as_ref().and_then(|json| json.get("exchanges")).and_then(Json::as_array) {
        for (number, exchange) in exchanges.iter().enumerate() {
            let endpoint = Endpoint::of_exchange(exchange);
            let name = format!("{display}#{} {endpoint}", number + 1);
            let body = exchange.pointer("/response/body").cloned().unwrap_or(Json::Null);
            let headers = header_map(exchange.pointer("/response/headers"));
            report.add(name.clone(), exchanged(api, &endpoint, &headers, &body));
            for (number, payload) in deliveries(&body).into_iter().enumerate() {
                report.add(format!("{name} delivery {}", number + 1), event(api, payload.as_bytes()));
            }
        }
        return;
    }
    let about = indexed.unwrap_or_default();
    let endpoint = Endpoint::of_file(name, about);
    let outcome = if name.contains("signature_vectors") {
        Err(skipped("signature vectors have a test of their own"))
    } else if name.starts_with("webhooks") || about.starts_with("webhook delivery") {
        event(api, bytes)
    } else if name.starts_with("errors") || endpoint.status.is_some_and(|status| status >= 400) {
        error(api, endpoint.status, &HeaderMap::new(), bytes)
    } else {
        match json {
            Some(json) => routes::check(api, &endpoint, &json),
            None => Err(skipped("not JSON")),
        }
    };
    report.add(format!("{display} {endpoint}"), outcome);
}

/// One recorded exchange.
fn exchanged(api: Api, endpoint: &Endpoint, headers: &HeaderMap, body: &Json) -> Outcome {
    if endpoint.status.is_some_and(|status| status >= 400) {
        let bytes = match body {
            Json::Null => Bytes::new(),
            Json::String(text) => Bytes::from(text.clone()),
            other => Bytes::from(other.to_string()),
        };
        return error(api, endpoint.status, headers, &bytes);
    }
    match body {
        Json::Null => Err(skipped("no body")),
        Json::String(text) if text.trim().is_empty() => Err(skipped("no body")),
        Json::String(_) => Err(skipped("not JSON")),
        json => routes::check(api, endpoint, json),
    }
}

/// An error goes through the same functions as in a call. A JSON body that names its error must give a
/// code; a status of failure must give a kind.
fn error(api: Api, status: Option<u16>, headers: &HeaderMap, body: &[u8]) -> Outcome {
    let said = lenient::read(body);
    let names_its_error = serde_json::from_slice::<Json>(body)
        .is_ok_and(|json| ["error", "err", "ECODE"].iter().any(|member| json.get(member).is_some()));
    if names_its_error && said.code.is_none() {
        return Err(failed("the error has no code"));
    }
    let Some(status) = status else { return Ok(()) };
    let status = StatusCode::from_u16(status).map_err(|_| failed("not a status"))?;
    match classify(api, status, headers, body, &[], 0) {
        Some(_) => Ok(()),
        None => Err(failed("the error counts as success")),
    }
}

/// A delivery goes through the event types of the webhook intake.
fn event(api: Api, body: &[u8]) -> Outcome {
    let json: Json = serde_json::from_slice(body).map_err(|_| failed("not JSON"))?;
    let no_event = || match api {
        // The body of a trigger is whatever the account put into its template.
        Api::Zendesk if !json["type"].as_str().is_some_and(|kind| kind.starts_with("zen:")) => {
            skipped("not an event: made by a trigger's template")
        }
        Api::Clickup if json.get("event").is_none() => skipped("not an event: made by an automation"),
        _ => failed("not read as an event"),
    };
    let (written, changes) = match api {
        Api::Zendesk => {
            let event = ZendeskEvent::parse(body).map_err(|_| no_event())?;
            (serde_json::to_value(&event), event.changes())
        }
        Api::Clickup => {
            let event = ClickupEvent::parse(body).map_err(|_| no_event())?;
            (serde_json::to_value(&event), event.changes())
        }
    };
    let written = written.map_err(|_| failed("cannot be written back"))?;
    compare::same(&json, &written).map_err(failed)?;
    if changes.is_empty() { Err(failed("an event without a change")) } else { Ok(()) }
}

/// Bodies that Zendesk's record of its own deliveries holds.
fn deliveries(body: &Json) -> Vec<&str> {
    let attempts = body.get("attempts").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    attempts.iter().filter_map(|attempt| attempt.pointer("/request/payload")?.as_str()).collect()
}

fn header_map(headers: Option<&Json>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers.and_then(Json::as_object).into_iter().flatten() {
        let values = match value {
            Json::Array(values) => values.clone(),
            single => vec![single.clone()],
        };
        for value in values.iter().filter_map(Json::as_str) {
            let (name, value) = (http::HeaderName::try_from(name), http::HeaderValue::try_from(value));
            if let (Ok(name), Ok(value)) = (name, value) {
                map.append(name, value);
            }
        }
    }
    map
}

/// All files below, in order of their names.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}
