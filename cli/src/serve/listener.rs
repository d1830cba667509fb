//! A small HTTP/1 server for webhooks. It stands behind a tunnel or proxy, yet expects nothing good of whoever
//! connects: bodies, heads, waits and connections have bounds.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// Anything that answers requests.
pub type Handler = Arc<dyn Fn(Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> + Send + Sync>;

/// What a stranger may use up.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of a body.
    pub body_bytes: usize,
    /// Until a head is read.
    pub head: Duration,
    /// Until a body is read.
    pub body: Duration,
    /// Connections at once; who comes then waits to be accepted.
    pub connections: usize,
    /// How long a connection may last, all in all.
    pub connection: Duration,
    /// How long requests under way may take once the listener stops.
    pub ending: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            // Deliveries are smaller; the intake has the same bound.
            body_bytes: 1024 * 1024,
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            connections: 128,
            connection: Duration::from_secs(60),
            ending: Duration::from_secs(8),
        }
    }
}

/// A head is not larger than this.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// Without file handles a process must not spin.
const ACCEPT_AGAIN_MS: u64 = 50;

/// Answers until it is told to stop; then it accepts nobody and lets those finish who have begun.
pub async fn listen(listener: TcpListener, handler: Handler, bounds: Bounds, stop: watch::Receiver<bool>) {
    let permits = Arc::new(Semaphore::new(bounds.connections));
    let mut connections = JoinSet::new();
    let mut stopping = stop.clone();
    loop {
        while connections.try_join_next().is_some() {}
        let next = async {
            // A closed semaphore would mean that we closed it.
            let permit = permits.clone().acquire_owned().await.ok();
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            biased;
            _ = stopping.wait_for(|stop| *stop) => break,
            next = next => next,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(serve(stream, handler.clone(), bounds, stop.clone(), permit));
            }
            Err(error) => {
                // A connection that died before it was accepted says nothing about the next one.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(ACCEPT_AGAIN_MS)).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn serve(
    stream: TcpStream,
    handler: Handler,
    bounds: Bounds,
    mut stop: watch::Receiver<bool>,
    _permit: Option<OwnedSemaphorePermit>,
) {
    let service = service_fn(move |request| answer(handler.clone(), bounds, request));
    let connection = hyper::server::conn::http1::Builder::new()
        // One delivery, one connection: who keeps connections for later would keep others out.
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        biased;
        ended = connection.as_mut() => return note(ended),
        _ = stop.wait_for(|stop| *stop) => {}
        () = tokio::time::sleep(bounds.connection) => {}
    }
    connection.as_mut().graceful_shutdown();
    if let Ok(ended) = tokio::time::timeout(bounds.ending, connection).await {
        note(ended);
    }
}

fn note(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn answer(
    handler: Handler,
    bounds: Bounds,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let read = Limited::new(body, bounds.body_bytes).collect();
    let answer = match tokio::time::timeout(bounds.body, read).await {
        Ok(Ok(body)) => handler(Request::from_parts(parts, body.to_bytes())).await,
        Ok(Err(error)) if error.is::<LengthLimitError>() => status(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => status(StatusCode::BAD_REQUEST),
        Err(_) => status(StatusCode::REQUEST_TIMEOUT),
    };
    Ok(answer.map(Full::new))
}

/// An answer without words.
pub fn status(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    struct Server {
        address: std::net::SocketAddr,
        stop: watch::Sender<bool>,
        task: tokio::task::JoinHandle<()>,
    }

    /// Real sockets and a real clock: the bounds are short, and nothing is waited for but the server's answer.
    async fn server(bounds: Bounds) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it has one");
        let handler: Handler = Arc::new(|request| {
            let said = format!("{} {} {}", request.method(), request.uri().path(), request.body().len());
            Box::pin(async move { Response::new(Bytes::from(said)) })
        });
        let (stop, stopped) = watch::channel(false);
        Server { address, stop, task: tokio::spawn(listen(listener, handler, bounds, stopped)) }
    }

    fn short() -> Bounds {
        let moment = Duration::from_millis(200);
        Bounds {
            body_bytes: 100,
            head: moment,
            body: moment,
            connections: 2,
            connection: 20 * moment,
            ending: moment,
        }
    }

    /// Sends bytes and reads to the end of what comes.
    async fn ask(server: &Server, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(server.address).await.expect("it listens");
        stream.write_all(bytes).await.expect("it reads");
        let mut heard = Vec::new();
        // A connection that is cut is an end too.
        let _ = stream.read_to_end(&mut heard).await;
        String::from_utf8_lossy(&heard).into_owned()
    }

    #[tokio::test]
    async fn requests_are_answered_and_large_ones_refused() {
        let server = server(short()).await;
        let post = |length: usize| {
            let head = format!(
                "POST /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
            );
            [head.into_bytes(), vec![b'x'; length]].concat()
        };
        let heard = ask(&server, &post(100)).await;
        assert!(heard.starts_with("HTTP/1.1 200") && heard.ends_with("POST /x 100"), "{heard}");
        assert!(ask(&server, &post(101)).await.starts_with("HTTP/1.1 413"));
        let chunked = b"POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nffffff\r\n";
        let endless = [chunked.as_slice(), &[b'x'; 4_000]].concat();
        assert!(ask(&server, &endless).await.starts_with("HTTP/1.1 413"));
        let head = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(2 * HEAD_BYTES_MAX));
        let heard = ask(&server, head.as_bytes()).await;
        assert!(!heard.starts_with("HTTP/1.1 200"), "{heard}");
    }

    #[tokio::test]
    async fn who_dawdles_is_let_go_and_the_others_come_to_their_turn() {
        let server = server(short()).await;
        let mut slow = Vec::new();
        // All the connections there are: a head that never ends, and a body that never comes.
        for begun in ["GET / HTTP/1.1\r\nhost: a", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nx"]
        {
            let mut stream = TcpStream::connect(server.address).await.expect("it listens");
            stream.write_all(begun.as_bytes()).await.expect("it reads");
            slow.push(stream);
        }
        let heard = ask(&server, b"GET /turn HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
        assert!(heard.ends_with("GET /turn 0"), "{heard}");
        for mut stream in slow {
            let mut heard = String::new();
            let _ = stream.read_to_string(&mut heard).await;
            assert!(!heard.starts_with("HTTP/1.1 200"), "{heard}");
        }
        // Nobody keeps a connection for later.
        let mut kept = Vec::new();
        for _ in 0..3 {
            let mut stream = TcpStream::connect(server.address).await.expect("it listens");
            stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("it reads");
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).await.expect("it ends");
            assert!(heard.starts_with(b"HTTP/1.1 200"));
            kept.push(stream);
        }
    }

    #[tokio::test]
    async fn when_told_it_accepts_nobody_and_ends() {
        let server = server(short()).await;
        let mut kept = TcpStream::connect(server.address).await.expect("it listens");
        kept.write_all(b"GET /a HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("it reads");
        let mut first = [0; 12];
        kept.read_exact(&mut first).await.expect("an answer");
        server.stop.send_replace(true);
        server.task.await.expect("it ends");
        assert!(TcpStream::connect(server.address).await.is_err());
        let mut rest = Vec::new();
        let _ = kept.read_to_end(&mut rest).await;
    }
}
