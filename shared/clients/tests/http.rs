//! The real transport on real sockets of this machine, on the real clock.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use bytes::Bytes;
use clients::http::HttpTransport;
use clients::{Transport, TransportError};
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers one connection with those bytes after reading the request's head; gives back what it read.
async fn server(answer: &'static [u8]) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut read = Vec::new();
        while !read.windows(4).any(|part| part == b"\r\n\r\n") {
            let mut chunk = [0; 1024];
            let count = socket.read(&mut chunk).await.unwrap();
            assert!(count > 0, "the client went away");
            read.extend_from_slice(&chunk[..count]);
        }
        socket.write_all(answer).await.unwrap();
        String::from_utf8_lossy(&read).into_owned()
    });
    (base, task)
}

fn get(url: String) -> Request<Bytes> {
    Request::builder().uri(url).header("x-one", "1").body(Bytes::new()).unwrap()
}

#[tokio::test]
async fn an_answer_comes_back_whole() {
    let (base, task) = server(b"HTTP/1.1 201 Created\r\nx-two: 2\r\ncontent-length: 4\r\n\r\nbody").await;
    let response = HttpTransport::new().unwrap().send(get(format!("{base}/p?q=%20"))).await.unwrap();
    assert_eq!((response.status().as_u16(), response.body().as_ref()), (201, b"body".as_slice()));
    assert_eq!(response.headers()["x-two"], "2");
    let read = task.await.unwrap();
    assert!(read.starts_with("GET /p?q=%20 HTTP/1.1\r\n") && read.contains("x-one: 1"), "{read}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_like_any_other() {
    let (base, _task) =
        server(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n").await;
    let response = HttpTransport::new().unwrap().send(get(base)).await.unwrap();
    assert_eq!(response.status().as_u16(), 302);
}

#[tokio::test]
async fn no_connection_means_never_sent_and_a_lost_one_means_unknown() {
    let transport = HttpTransport::new().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refused = transport.send(get(format!("http://{free}/"))).await.unwrap_err();
    assert!(matches!(refused, TransportError::NeverSent(_)), "{refused}");
    let (base, _task) = server(b"").await;
    let lost = transport.send(get(base.clone())).await.unwrap_err();
    assert!(matches!(lost, TransportError::Unknown(_)), "{lost}");
    assert!(!lost.to_string().contains(&base), "no URL in the text: {lost}");
    let (base, _task) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    assert!(matches!(transport.send(get(base)).await.unwrap_err(), TransportError::Unknown(_)));
}
