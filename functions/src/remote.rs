//! Steps that are elsewhere: each is called as a Lambda over HTTP, with the payload that the definitions send. For the
//! functions of a checkout under `cargo lambda watch`; on AWS the service itself calls them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clients::http::HttpTransport;
use clients::{Transport, TransportError};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, StatusCode};
use orchestration::registry::AnyStep;
use orchestration::{ExecutionContext, Failure, Registry, StepFailure};
use serde_json::{Value as Json, json};
use statemachines::steps::STEP_NAMES;

/// The first call of a function builds it.
const FIRST_CALL_MAX: Duration = Duration::from_secs(15 * 60);

/// On AWS a failure of the function is marked by this header of a good answer.
const FAILED: &str = "x-amz-function-error";

/// Why functions cannot be called there.
#[derive(Debug, thiserror::Error)]
pub enum NotThere {
    /// It is no address.
    #[error("`{0}` is no address such as http://127.0.0.1:9000")]
    Address(String),
    /// Nobody answers, or not as a Lambda does.
    #[error("{function} cannot be called at {url}: {reason}")]
    Function {
        /// Which one.
        function: String,
        /// Where.
        url: String,
        /// Why not.
        reason: String,
    },
    /// No request can be sent at all.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

/// Where functions are called.
#[derive(Clone)]
pub struct Remote {
    transport: Arc<dyn Transport>,
    url: String,
}

impl Remote {
    /// The server at this address.
    pub fn at(url: &str) -> Result<Self, NotThere> {
        let parsed = url.parse::<http::Uri>().ok();
        if parsed.is_none_or(|uri| uri.host().is_none() || uri.scheme_str() != Some("http")) {
            return Err(NotThere::Address(url.to_owned()));
        }
        let transport = Arc::new(HttpTransport::patient(FIRST_CALL_MAX)?);
        Ok(Self { transport, url: url.trim_end_matches('/').to_owned() })
    }

    /// Calls a function once with nothing to do, so that it is built and running when work comes.
    pub async fn wake(&self, step: &'static str) -> Result<(), NotThere> {
        let function = function(step);
        let failed =
            |reason: String| NotThere::Function { function: function.clone(), url: self.url.clone(), reason };
        let answer = self.post(&function, &Json::Null).await.map_err(|error| failed(error.to_string()))?;
        match reply(answer.0, answer.1, &answer.2) {
            // What no definition sends is refused by name: so it runs.
            Err(Some(failure)) if failure.failure == Failure::Bug => Ok(()),
            _ => Err(failed(format!("it answered with status {}", answer.0.as_u16()))),
        }
    }

    /// All steps, each called there.
    pub fn registry(&self, told: Arc<dyn Told>) -> Registry {
        STEP_NAMES.into_iter().fold(Registry::new(), |registry, name| {
            let step = RemoteStep { remote: self.clone(), name, told: told.clone() };
            registry.with_any(name, Arc::new(step))
        })
    }

    async fn post(
        &self,
        function: &str,
        payload: &Json,
    ) -> Result<(StatusCode, bool, Bytes), TransportError> {
        let uri = format!("{}/2015-03-31/functions/{function}/invocations", self.url);
        let request = Request::post(uri)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(payload.to_string()))
            .map_err(|error| TransportError::NeverSent(error.to_string()))?;
        let answer = self.transport.send(request).await?;
        Ok((answer.status(), answer.headers().contains_key(FAILED), answer.into_body()))
    }
}

/// Who wants to know what was called and what came of it.
pub trait Told: Send + Sync {
    /// A call has ended.
    fn called(&self, step: &'static str, failure: Option<Failure>);
}

struct RemoteStep {
    remote: Remote,
    name: &'static str,
    told: Arc<dyn Told>,
}

impl AnyStep for RemoteStep {
    fn call<'a>(
        &'a self,
        input: Json,
        context: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<Json, StepFailure>> {
        async move {
            let payload = json!({
                "execution": context.execution,
                "attempt": context.attempt.saturating_sub(1),
                "input": input,
            });
            let result = match self.remote.post(&function(self.name), &payload).await {
                Ok((status, marked, body)) => reply(status, marked, &body).map_err(|failure| {
                    failure.unwrap_or_else(|| {
                        StepFailure::transient(format!("{} answered with status {status}", self.name))
                    })
                }),
                Err(error) => Err(StepFailure::transient(format!("{}: {error}", self.name))),
            };
            self.told.called(self.name, result.as_ref().err().map(|failure| failure.failure));
            result
        }
        .boxed()
    }
}

/// The bin of a step: `BackfillPage` is `backfill_page`.
fn function(step: &str) -> String {
    let mut name = String::new();
    for letter in step.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// The output of a function, the failure it named, or neither: on AWS a failure comes as 200 with a header, from
/// `cargo lambda watch` as 500 without one.
fn reply(status: StatusCode, marked: bool, body: &[u8]) -> Result<Json, Option<StepFailure>> {
    let json: Json = serde_json::from_slice(body).map_err(|_| None)?;
    if status.is_success() && !marked {
        return Ok(json);
    }
    let kind = json["errorType"].as_str().ok_or(None)?;
    let message = json["errorMessage"].as_str().unwrap_or_default();
    let failure = Failure::from_name(kind).unwrap_or(Failure::Transient);
    Err(Some(StepFailure::new(failure, message)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lambda::FUNCTIONS;

    #[test]
    fn a_failure_is_read_as_aws_and_as_local_tools_tell_it() {
        let body = br#"{"errorType":"BudgetEmpty","errorMessage":"wait"}"#;
        for (status, marked) in [(200, true), (500, false)] {
            let status = StatusCode::from_u16(status).expect("it is one");
            let failure = reply(status, marked, body).expect_err("it failed").expect("it is named");
            assert_eq!((failure.failure, failure.message.as_str()), (Failure::BudgetEmpty, "wait"));
        }
        let unnamed = reply(StatusCode::OK, true, br#"{"errorType":"Runtime.ExitError"}"#);
        assert_eq!(unnamed.expect_err("it failed").map(|failure| failure.failure), Some(Failure::Transient));
        assert_eq!(reply(StatusCode::OK, false, b"{}"), Ok(json!({})));
        assert_eq!(reply(StatusCode::BAD_GATEWAY, false, b"<html>"), Err(None));
    }

    #[test]
    fn each_step_is_a_function_and_each_function_a_program() {
        for step in STEP_NAMES {
            assert!(FUNCTIONS.contains(&function(step).as_str()), "{step}");
        }
        let programs = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin");
        let files = std::fs::read_dir(programs).expect("they are there").flatten();
        let mut found: Vec<String> =
            files.filter_map(|file| Some(file.path().file_stem()?.to_string_lossy().into_owned())).collect();
        found.sort();
        let mut known = FUNCTIONS;
        known.sort_unstable();
        assert_eq!(found, known);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in ["127.0.0.1:9000", "https://x", "", "http://"] {
            assert!(matches!(Remote::at(url), Err(NotThere::Address(_))), "{url}");
        }
    }
}
