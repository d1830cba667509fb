//! The SDK's HTTP client when the table is in this process: `X-Amz-Target` names a method of the
//! database. Faults for tests are injected here, where the network would be.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::embedded::{self, Embedded};
use crate::error::StoreError;
use crate::faults::{Draw, FaultPlan, Faults, INTERNAL};
use crate::lag::{self, Lag};
use crate::stall::Stall;
use crate::store::{Clock, Here};

/// How [`crate::Store::injected`] names a write of a link by somebody whose lease is over: not a fault that was injected,
/// but one of ours that must never happen.
pub const FENCE_WENT_BACK: &str = "store: a stale holder wrote";

/// The database behind the SDK's seam.
#[derive(Clone)]
pub(crate) struct Connector {
    database: Database,
    faults: Option<Arc<Mutex<Faults>>>,
    lag: Arc<Lag>,
    stall: Arc<Stall>,
}

impl Connector {
    /// `lag` is shared by all who share the table.
    pub(crate) fn new(database: Database, plan: FaultPlan, lag: Arc<Lag>) -> Self {
        let faults = (!plan.is_none()).then(|| Arc::new(Mutex::new(Faults::new(plan))));
        Self { database, faults, lag, stall: Arc::default() }
    }

    fn faults(&self) -> Option<MutexGuard<'_, Faults>> {
        Some(self.faults.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let operation = operation_of(request);
        let body = request.body().bytes().unwrap_or_default();
        let draw = self.faults().map_or(Draw::Pass, |mut faults| faults.draw(operation));
        match draw {
            Draw::Pass => Ok(respond(self.replica(operation, body))),
            Draw::Refuse(code) => Ok(failure(code)),
            Draw::LoseReply => {
                // Done there, unknown here.
                let _ = self.replica(operation, body);
                Err(ConnectorError::io("the connection broke before the reply (injected)".into()))
            }
            Draw::FailAfter => {
                let _ = self.replica(operation, body);
                Ok(failure(INTERNAL))
            }
            Draw::Dead => Err(ConnectorError::io("the process is dead (injected)".into())),
            Draw::Unprocessed => Ok(self.half(operation, body)),
        }
    }

    /// As one of several replicas answers, some of which lag.
    fn replica(&self, operation: &str, body: &[u8]) -> Result<Vec<u8>, DynoxideError> {
        let ask = |operation: &str, body: &[u8]| dispatch(&self.database, operation, body);
        if !self.faults().is_some_and(|faults| faults.has_lag()) {
            return ask(operation, body);
        }
        let parsed = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
        match operation {
            "PutItem" | "UpdateItem" | "DeleteItem" => {
                let lags_ms = self.faults().and_then(|mut faults| faults.lags_ms());
                let is_link = lag::is_link(body);
                if lags_ms.is_none() && !self.lag.is_any() && !is_link {
                    return ask(operation, body);
                }
                let request = parsed(body);
                let Some(key) = lag::written(operation, &request) else { return ask(operation, body) };
                let before = match lags_ms {
                    Some(_) => ask("GetItem", lag::read_of(&request, &key).to_string().as_bytes())?,
                    None => Vec::new(),
                };
                let reply = ask(operation, body)?;
                if is_link && self.lag.fence_went_back(&key, &parsed(&reply)) {
                    self.faults().into_iter().for_each(|mut faults| faults.add(FENCE_WENT_BACK, 1));
                }
                self.lag.wrote(key, parsed(&before).get("Item").cloned(), lags_ms);
                Ok(reply)
            }
            "GetItem" | "BatchGetItem" | "Query" if self.lag.is_any() => {
                let mut reply = parsed(&ask(operation, body)?);
                let seen = || self.faults().map_or(lag::Seen::Now, |mut faults| faults.seen());
                let shown = self.lag.distort(operation, &parsed(body), &mut reply, seen);
                if let Some(mut faults) = self.faults().filter(|_| shown > 0) {
                    let name = if operation == "Query" { "store: index lagged" } else { "store: stale read" };
                    faults.add(name, shown);
                }
                Ok(reply.to_string().into_bytes())
            }
            _ => ask(operation, body),
        }
    }

    /// A batch of which the second half is left over.
    fn half(&self, operation: &str, body: &[u8]) -> HttpResponse {
        let split = serde_json::from_slice::<Value>(body).ok().and_then(|request| split_batch(&request));
        let Some((first, left)) = split else { return respond(self.replica(operation, body)) };
        let answered = self.replica(operation, first.to_string().as_bytes());
        respond(answered.map(|bytes| match serde_json::from_slice::<Value>(&bytes) {
            Ok(mut reply) => {
                reply["UnprocessedKeys"] = left;
                reply.to_string().into_bytes()
            }
            Err(_) => bytes,
        }))
    }
}

impl Here for Connector {
    /// For a request that came another way; faults are for those of this process.
    fn serve(&self, operation: &str, body: &[u8]) -> (u16, Vec<u8>) {
        match dispatch(&self.database, operation, body) {
            Ok(body) => (200, body),
            Err(error) => (error.status_code(), error.to_json().into_bytes()),
        }
    }

    fn beside(&self, installation: &str, clock: &Clock, faults: FaultPlan) -> Result<Embedded, StoreError> {
        embedded::beside((&self.database, &self.lag), installation, clock, faults)
    }

    fn stall(&self) -> &Stall {
        &self.stall
    }

    fn injected(&self) -> BTreeMap<&'static str, u64> {
        self.faults().map(|faults| faults.injected()).unwrap_or_default()
    }
}

fn operation_of(request: &HttpRequest) -> &str {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    target.rsplit('.').next().unwrap_or_default()
}

fn is_link_write(request: &HttpRequest) -> bool {
    operation_of(request) == "UpdateItem" && lag::is_link(request.body().bytes().unwrap_or_default())
}

/// A `BatchGetItem` with the first half of its keys, and the other half as `UnprocessedKeys`.
fn split_batch(request: &Value) -> Option<(Value, Value)> {
    let (table, asked) = request["RequestItems"].as_object()?.iter().next()?;
    let keys = asked["Keys"].as_array()?;
    let middle = keys.len().div_ceil(2);
    if middle == keys.len() {
        return None;
    }
    let with = |keys: &[Value]| {
        let mut part = asked.clone();
        part["Keys"] = Value::Array(keys.to_vec());
        serde_json::json!({ table.clone(): part })
    };
    let mut first = request.clone();
    first["RequestItems"] = with(&keys[..middle]);
    Some((first, with(&keys[middle..])))
}

fn dispatch(database: &Database, operation: &str, body: &[u8]) -> Result<Vec<u8>, DynoxideError> {
    fn call<Q: DeserializeOwned, A: Serialize>(
        body: &[u8],
        run: impl FnOnce(Q) -> Result<A, DynoxideError>,
    ) -> Result<Vec<u8>, DynoxideError> {
        let request = serde_json::from_slice(body).map_err(|error| {
            DynoxideError::ValidationException(format!("the request cannot be read: {error}"))
        })?;
        serde_json::to_vec(&run(request)?).map_err(|error| {
            DynoxideError::InternalServerError(format!("the answer cannot be written: {error}"))
        })
    }
    match operation {
        "GetItem" => call(body, |request| database.get_item(request)),
        "PutItem" => call(body, |request| database.put_item(request)),
        "UpdateItem" => call(body, |request| database.update_item(request)),
        "DeleteItem" => call(body, |request| database.delete_item(request)),
        "Query" => call(body, |request| database.query(request)),
        "Scan" => call(body, |request| database.scan(request)),
        "BatchGetItem" => call(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => call(body, |request| database.batch_write_item(request)),
        "TransactWriteItems" => call(body, |request| database.transact_write_items(request)),
        "TransactGetItems" => call(body, |request| database.transact_get_items(request)),
        "DescribeTable" => call(body, |request| database.describe_table(request)),
        "ListTables" => call(body, |request| database.list_tables(request)),
        other => Err(DynoxideError::ValidationException(format!("`{other}` is not served in the process"))),
    }
}

fn respond(answer: Result<Vec<u8>, DynoxideError>) -> HttpResponse {
    match answer {
        Ok(body) => response(200, body),
        Err(error) => response(error.status_code(), error.to_json().into_bytes()),
    }
}

fn failure(code: &str) -> HttpResponse {
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"injected"}}"#);
    response(if code == INTERNAL { 500 } else { 400 }, body.into_bytes())
}

/// An answer as the SDK reads it.
pub(crate) fn response(status: u16, body: Vec<u8>) -> HttpResponse {
    let status = StatusCode::try_from(status).unwrap_or_else(|_| internal());
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    response
}

fn internal() -> StatusCode {
    http::StatusCode::INTERNAL_SERVER_ERROR.into()
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let takes_ms = self.faults().map_or(0, |mut faults| faults.takes_ms());
        if takes_ms == 0 {
            return HttpConnectorFuture::ready(self.answer(&request));
        }
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            let half = Duration::from_millis(takes_ms).div_f64(2.0);
            tokio::time::sleep(half).await;
            if is_link_write(&request) {
                this.stall.at_write();
            }
            if this.stall.is_on() {
                // It is under way, whether its sender waits for it or not.
                let late = tokio::spawn(async move {
                    this.stall.is_over().await;
                    this.answer(&request)
                });
                return late.await.unwrap_or_else(|error| Err(ConnectorError::other(error.into(), None)));
            }
            let answer = this.answer(&request);
            tokio::time::sleep(half).await;
            this.stall.is_over().await;
            answer
        })
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
