//! The same over real sockets: an account on one port, a foreign host on another, and the transport that is
//! used against the real services. What arrives at the foreign one is read from the socket, byte by byte.

use std::sync::{Arc, Mutex};

use clients::http::HttpTransport;
use clients::{
    ClickUp, ClickUpConfig, ClickUpCredentials, Clock, Lane, NoPacer, Scope, Secret, TokioClock, Zendesk,
    ZendeskConfig, ZendeskCredentials,
};
use domain::TicketId;
use fastrand::Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::common::START_MS;

const CASES: usize = 400;
const SECRET: &str = "p0rt-s3cret";

/// A server on a port that keeps the head of every request.
struct Server {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

/// What the account answers next: a status and a place.
type Script = Arc<Mutex<(u16, String)>>;

async fn server(script: Script) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = heads.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, kept.clone(), script.clone()));
        }
    });
    Server { port, heads }
}

async fn serve(mut socket: TcpStream, heads: Arc<Mutex<Vec<String>>>, script: Script) {
    let mut read = Vec::new();
    while !read.windows(4).any(|part| part == b"\r\n\r\n") {
        let mut chunk = [0; 2048];
        match socket.read(&mut chunk).await {
            Ok(count) if count > 0 => read.extend_from_slice(&chunk[..count]),
            _ => return,
        }
    }
    heads.lock().unwrap().push(String::from_utf8_lossy(&read).into_owned());
    let (status, link) = script.lock().unwrap().clone();
    let text = serde_json::Value::from(link.as_str()).to_string();
    let body = format!(
        r#"{{"groups":[],"comments":[],"meta":{{"has_more":true}},"links":{{"next":{text}}},"next_page":{text}}}"#
    );
    let location = if status == 200 { String::new() } else { format!("location: {link}\r\n") };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} X\r\n{location}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    drop(socket.write_all(answer.as_bytes()).await);
}

/// Another way to write an address of this machine, with one of the two ports.
fn link(random: &mut Rng, own: u16, foreign: u16) -> String {
    let mut piece = |from: &[&'static str]| {
        // The first of each list is the plain one.
        if random.u8(..3) == 0 { from[random.usize(..from.len())] } else { from[0] }
    };
    let scheme = piece(&["http://", "//", "HTTP://", "http:/", "http:\\\\", "ht\ttp://", "https://"]);
    let user = piece(&["", "127.0.0.1:OWN@", "user@", "127.0.0.1:OWN\\@", "127.0.0.1:OWN#@"]);
    let host = piece(&[
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "127.1",
        "0x7f.1",
        "2130706433",
        "127.0.0.1.",
        "[::ffff:127.0.0.1]",
        "127.0.0.2",
    ]);
    let port = piece(&[":FOREIGN", ":OWN", "", ":0FOREIGN"]);
    let path = piece(&[
        "/",
        "/api/v2/groups?page[after]=x",
        "//127.0.0.1:FOREIGN/x",
        "?127.0.0.1:OWN",
        "#@127.0.0.1:OWN",
    ]);
    [scheme, user, host, port, path]
        .concat()
        .replace("OWN", &own.to_string())
        .replace("FOREIGN", &foreign.to_string())
}

#[tokio::test]
async fn hundreds_of_hostile_answers_over_sockets_show_nothing_to_the_foreign_port() {
    let script: Script = Arc::new(Mutex::new((200, String::new())));
    let (own, foreign) =
        (server(script.clone()).await, server(Arc::new(Mutex::new((200, "/".into())))).await);
    let base_url = format!("http://127.0.0.1:{}", own.port);
    let transport = Arc::new(HttpTransport::new().unwrap());
    let clock = Arc::new(TokioClock::new(START_MS));
    let credentials = ZendeskCredentials::Bearer(Secret::new(SECRET));
    let config = ZendeskConfig { base_url: base_url.clone(), credentials };
    let zendesk = Zendesk::new(config, transport.clone(), Arc::new(NoPacer), clock.clone(), 1).unwrap();
    let token = ClickUpCredentials::Personal(Secret::new(SECRET));
    let config = ClickUpConfig { base_url, token, workspace: "1".into() };
    let clickup = ClickUp::new(config, transport, Arc::new(NoPacer), clock.clone(), 1).unwrap();
    let mut random = Rng::with_seed(11);
    for _ in 0..CASES {
        // A refusal to connect is repeated after a real wait; the deadline leaves no room for one.
        let scope = Scope { lane: Lane::Live, deadline_ms: clock.now_ms() + 400 };
        let (zendesk, clickup) = (zendesk.scoped(scope), clickup.scoped(scope));
        let link = link(&mut random, own.port, foreign.port);
        let status = [200, 301, 302, 303, 307, 308][random.usize(..6)];
        *script.lock().unwrap() = (status, link.replace(['\t'], ""));
        match random.u8(..6) {
            0 => drop(zendesk.groups().await),
            1 => drop(clickup.me().await),
            2 => drop(zendesk.ticket(TicketId::new(1).unwrap()).await),
            3 => drop(clickup.download(&link).await),
            4 => drop(zendesk.download("/attachments/1").await),
            _ => drop(zendesk.download(&link).await),
        }
    }
    let own_heads = own.heads.lock().unwrap().clone();
    let foreign_heads = foreign.heads.lock().unwrap().clone();
    let rightful = own_heads.iter().filter(|head| head.contains(SECRET)).count();
    println!(
        "{CASES} cases: {rightful} requests with a credential to the account, {} to the foreign port",
        foreign_heads.len()
    );
    let leaks: Vec<&String> = foreign_heads.iter().filter(|head| head.contains(SECRET)).collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
    let elsewhere = |head: &&String| {
        let host =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("host: ").map(str::to_owned));
        head.contains(SECRET) && host != Some(format!("127.0.0.1:{}", own.port))
    };
    let renamed: Vec<&String> = own_heads.iter().filter(elsewhere).collect();
    assert!(renamed.is_empty(), "another name for the same port is another host: {renamed:#?}");
    assert!(rightful > CASES / 2 && foreign_heads.len() > CASES / 10);
}
