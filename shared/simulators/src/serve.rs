//! A simulator on a port: HTTP/1.1 over a listener, for `demo --keep` and for looking around with curl.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Full, Limited};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::http_text::{Answer, text};

/// Both services refuse larger bodies; ClickUp's attachments set the bound.
const BODY_BYTES_MAX: usize = 1 << 30;

/// Anything that answers requests: `handle` of a simulator.
pub type Handler = Arc<dyn Fn(http::Request<Bytes>) -> BoxFuture<'static, Answer> + Send + Sync>;

/// Answers every connection of the listener until the future is dropped.
pub async fn serve(listener: TcpListener, handler: Handler) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // A connection that died before it was accepted says nothing about the next one; a process without
                // file handles must not spin.
                tracing::warn!(%error, "a simulator could not accept a connection");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        let handler = handler.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(handler.clone(), request));
            let connection = hyper::server::conn::http1::Builder::new();
            if let Err(error) = connection.serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!(%error, "a connection to a simulator ended early");
            }
        });
    }
}

async fn answer(
    handler: Handler,
    request: http::Request<hyper::body::Incoming>,
) -> Result<http::Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let answer = match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => handler(http::Request::from_parts(parts, body.to_bytes())).await,
        Err(_) => text(400, "the body could not be read"),
    };
    Ok(answer.map(Full::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Talks over a real socket, hence on the real clock; it waits for nothing but the answer.
    #[tokio::test]
    async fn a_request_over_a_socket_reaches_the_handler_and_comes_back() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let handler: Handler = Arc::new(|request| {
            let said = format!("{} {} {:?}", request.method(), request.uri().path(), request.body());
            Box::pin(async move { text(418, &said) })
        });
        let server = tokio::spawn(serve(listener, handler));
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let asked = "POST /tea HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi";
        stream.writable().await.unwrap();
        assert_eq!(stream.try_write(asked.as_bytes()).unwrap(), asked.len());
        let mut heard = Vec::new();
        loop {
            stream.readable().await.unwrap();
            let mut part = [0; 1024];
            match stream.try_read(&mut part) {
                Ok(0) => break,
                Ok(length) => heard.extend_from_slice(&part[..length]),
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
            }
        }
        server.abort();
        let heard = String::from_utf8(heard).unwrap();
        assert!(heard.starts_with("HTTP/1.1 418 ") && heard.ends_with("POST /tea b\"hi\""), "{heard}");
    }
}
