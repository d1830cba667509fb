//! The real transport: one `reqwest` client with its pool, rustls on ring, the Mozilla roots. It follows
//! no redirect and repeats nothing: all decisions are taken above it.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;

use crate::transport::{Transport, TransportError};

/// A request is given up after this. Whoever holds a lease sends nothing when less of it is left.
pub const REQUEST_TIMEOUT_MS: u64 = 30_000;
const CONNECT_TIMEOUT_MS: u64 = 10_000;
/// A larger answer is not read to its end. Zendesk's files end at 50 MB.
const ANSWER_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Sends over the network.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    client: reqwest::Client,
}

impl HttpTransport {
    /// A client with its own pool.
    pub fn new() -> Result<Self, TransportError> {
        Self::patient(Duration::from_millis(REQUEST_TIMEOUT_MS))
    }

    /// The same, for requests that may take longer than those to a service.
    pub fn patient(timeout: Duration) -> Result<Self, TransportError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(Duration::from_millis(CONNECT_TIMEOUT_MS))
            .timeout(timeout)
            .build()
            .map_err(|error| TransportError::NeverSent(cause(&error)))?;
        Ok(Self { client })
    }

    /// The same pool for others who bring their own protocol.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    async fn exchange(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let host = request.uri().host().map(str::to_ascii_lowercase);
        let request =
            reqwest::Request::try_from(request).map_err(|error| TransportError::NeverSent(cause(&error)))?;
        // The credential rule was asked with another parser than the one that connects: both must see
        // the same host.
        if request.url().host_str().map(str::to_ascii_lowercase) != host {
            return Err(TransportError::NeverSent("the host of the URL is ambiguous".to_owned()));
        }
        let mut response = self.client.execute(request).await.map_err(|error| failed(&error))?;
        let mut answer = http::Response::new(Bytes::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                // An answer that repeating would not make smaller.
                *answer.status_mut() = http::StatusCode::PAYLOAD_TOO_LARGE;
                return Ok(answer);
            }
            body.extend_from_slice(&chunk);
        }
        *answer.body_mut() = body.freeze();
        Ok(answer)
    }
}

impl Transport for HttpTransport {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(self.exchange(request))
    }
}

/// A handed-in ring provider: no process-wide default is set or needed.
fn tls() -> rustls::ClientConfig {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    let mut config = match builder.with_safe_default_protocol_versions() {
        Ok(builder) => builder.with_root_certificates(roots).with_no_client_auth(),
        Err(_) => unreachable!("ring supports the default protocol versions"),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// Without a connection nothing was sent; after that anything may have happened.
fn failed(error: &reqwest::Error) -> TransportError {
    if error.is_connect() || error.is_builder() {
        TransportError::NeverSent(cause(error))
    } else {
        TransportError::Unknown(cause(error))
    }
}

/// The chain of causes without the URL, which may hold ids of files.
fn cause(error: &reqwest::Error) -> String {
    use std::error::Error;
    let mut text = if error.is_timeout() { "timeout".to_owned() } else { String::new() };
    let mut next = error.source();
    while let Some(source) = next {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
