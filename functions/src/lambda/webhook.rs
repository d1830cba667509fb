//! The intake as a Lambda behind a function URL.

use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clients::Clock;
use domain::Side;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::{Value as Json, json};
use std::sync::Arc;

use crate::hooks::{Asked, Source};
use crate::lambda::context::Base;
use crate::lambda::environment::Environment;
use crate::lambda::logs::{self, Metric};
use crate::lambda::secrets::Signing;
use crate::lambda::{Stillborn, WallClock, live, wake};
use crate::webhook::{self, Answered};

/// Runs the intake as a Lambda.
pub fn main() -> ExitCode {
    live(serve())
}

async fn serve() -> Result<(), Stillborn> {
    logs::begin();
    let base = Base::new(Environment::read(), false)?;
    base.environment.queue_url()?;
    let source = Arc::new(Kept {
        session: base.session.clone(),
        secret: base.environment.webhooks_secret()?.to_owned(),
    });
    match base.context().await {
        Ok(cx) => cx.hooks.ask_from(source.clone()),
        Err(error) => tracing::warn!(%error, "not ready yet"),
    }
    let (base, source) = (&base, &source);
    let handler = service_fn(|event: LambdaEvent<Json>| async move {
        Ok::<Json, Diagnostic>(answer(base, source, event.payload).await)
    });
    lambda_runtime::run(handler).await.map_err(|error| Stillborn::Runtime(error.to_string()))
}

/// The secrets as Secrets Manager keeps them.
struct Kept {
    session: aws::Session,
    secret: String,
}

impl Source for Kept {
    fn ask(&self, side: Side) -> BoxFuture<'_, Asked> {
        async move {
            let text =
                aws::secrets::get(&self.session, &self.secret).await.map_err(|error| error.to_string())?;
            Ok(Signing::read(&text).holding(side, WallClock.now_ms()))
        }
        .boxed()
    }
}

async fn answer(base: &Base, source: &Arc<Kept>, event: Json) -> Json {
    let Some(request) = request(&event) else { return response(&webhook::status(StatusCode::BAD_REQUEST)) };
    let side = match webhook::side(request.uri().path()) {
        Some(side) if *request.method() == Method::POST => side,
        Some(_) => return response(&webhook::status(StatusCode::METHOD_NOT_ALLOWED)),
        None => return response(&webhook::status(StatusCode::NOT_FOUND)),
    };
    let cx = match base.context().await {
        Ok(cx) => cx,
        Err(error) => {
            tracing::warn!(%side, %error, "a delivery could not be taken");
            return response(&webhook::later(side));
        }
    };
    cx.hooks.ask_from(source.clone());
    let Answered { response: answered, wake_ms } = webhook::handle(&cx, side, request).await;
    if let (Some(delay_ms), Ok(queue)) = (wake_ms, base.environment.queue_url()) {
        wake::send(&base.session, queue, delay_ms).await;
    }
    // Lambda itself counts and times what is taken; a line for each would cost more than the call.
    if answered.status() == StatusCode::FORBIDDEN {
        let refused = Metric { name: "RefusedDeliveries", unit: "Count", value: 1.0 };
        logs::metrics(base.environment.stack(), Some(("side", logs::dimension(side))), &[refused]);
    }
    response(&answered)
}

/// A function URL's event (payload format 2.0) as the request that it was.
fn request(event: &Json) -> Option<Request<Bytes>> {
    let method = event["requestContext"]["http"]["method"].as_str()?;
    let path = event["rawPath"].as_str()?;
    let body = event["body"].as_str().unwrap_or_default();
    let body = match event["isBase64Encoded"].as_bool().unwrap_or(false) {
        true => STANDARD.decode(body).ok()?.into(),
        false => Bytes::copy_from_slice(body.as_bytes()),
    };
    let mut request = Request::builder().method(method).uri(path).body(body).ok()?;
    for (name, value) in event["headers"].as_object()? {
        let (Ok(name), Some(Ok(value))) =
            (name.parse::<HeaderName>(), value.as_str().map(HeaderValue::from_str))
        else {
            continue;
        };
        request.headers_mut().insert(name, value);
    }
    Some(request)
}

fn response(response: &Response<Bytes>) -> Json {
    let headers: serde_json::Map<String, Json> = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.into())))
        .collect();
    json!({
        "statusCode": response.status().as_u16(),
        "headers": headers,
        "body": String::from_utf8_lossy(response.body()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_raw_bytes_are_what_was_signed() {
        let event = json!({
            "rawPath": "/zendesk", "headers": {"x-a": "b", "bad name": "c"}, "body": "eyLDpCJ9",
            "isBase64Encoded": true, "requestContext": {"http": {"method": "POST"}},
        });
        let asked = request(&event).expect("it is one");
        assert_eq!(&asked.body()[..], "{\"\u{e4}\"}".as_bytes());
        assert_eq!(asked.headers().len(), 1);
        assert!(request(&json!({})).is_none());
        let told = response(&webhook::later(Side::Zendesk));
        assert_eq!((&told["statusCode"], &told["headers"]["retry-after"]), (&json!(503), &json!("10")));
    }
}
