//! The SDK's HTTP client, made of a transport: one connection pool for AWS and both services.

use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use clients::{Transport, TransportError};
use http::Uri;

/// Sends what the SDK has built and signed.
#[derive(Clone)]
pub(crate) struct Connector {
    transport: Arc<dyn Transport>,
    /// All requests go here instead, whatever host the SDK has put before the address of a call.
    endpoint: Option<Uri>,
}

impl Connector {
    pub(crate) fn new(transport: Arc<dyn Transport>, endpoint: Option<Uri>) -> Self {
        Self { transport, endpoint }
    }

    fn prepare(&self, request: HttpRequest) -> Result<http::Request<Bytes>, ConnectorError> {
        let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let (mut head, body) = request.into_parts();
        let body = body.bytes().map(Bytes::copy_from_slice).ok_or_else(|| {
            ConnectorError::user("a request with a streamed body is not sent from here".into())
        })?;
        if let Some(endpoint) = &self.endpoint {
            head.uri = onto(endpoint, &head.uri).map_err(|error| ConnectorError::user(error.into()))?;
        }
        Ok(http::Request::from_parts(head, body))
    }
}

/// The same path and query at another address.
fn onto(endpoint: &Uri, asked: &Uri) -> Result<Uri, http::Error> {
    let base = endpoint.path().trim_end_matches('/');
    let rest = asked.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    // The address may have a path of its own, which the SDK has put in front already.
    let rest = rest.strip_prefix(base).unwrap_or(rest);
    let mut parts = endpoint.clone().into_parts();
    parts.path_and_query = Some(format!("{base}{rest}").parse()?);
    Ok(Uri::from_parts(parts)?)
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            let request = this.prepare(request)?;
            let response = this.transport.send(request).await.map_err(|error| match error {
                // The SDK repeats what never arrived; what may have arrived is for our own code to settle.
                TransportError::NeverSent(_) => ConnectorError::io(error.into()),
                TransportError::Unknown(_) => ConnectorError::other(error.into(), None),
            })?;
            HttpResponse::try_from(response.map(SdkBody::from))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_of_the_host_is_dropped_where_all_goes_to_one_address() {
        let onto = |endpoint: &str, asked: &str| {
            let (endpoint, asked) = (endpoint.parse().expect("a URI"), asked.parse().expect("a URI"));
            onto(&endpoint, &asked).expect("a URI").to_string()
        };
        assert_eq!(onto("http://127.0.0.1:4566", "http://sync-127.0.0.1:4566/"), "http://127.0.0.1:4566/");
        assert_eq!(onto("http://a:1/x", "http://sync-a:1/x/y?z=1"), "http://a:1/x/y?z=1");
    }
}
