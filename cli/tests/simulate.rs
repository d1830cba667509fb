//! `deskup simulate` as a process: two accounts that answer, and files on a host of their own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod accounts;

use accounts::{Running, deskup, folder, wait_for};
use serde_json::Value as Json;

#[test]
fn two_accounts_answer_and_tell_how_to_use_them() {
    let dir = folder("simulate");
    let mut command = deskup(&dir, &["simulate", "--port", "0", "--tickets", "5", "--json"]);
    let mut running = Running::start(&mut command, &dir);
    let facts: Json = wait_for("the facts", || {
        serde_json::from_str(&std::fs::read_to_string(dir.join("out.txt")).unwrap()).ok()
    });
    assert_eq!(facts["tickets"], 5);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let get = |url: String, token: Option<&str>| {
        let transport = clients::http::HttpTransport::new().unwrap();
        let mut request = http::Request::get(url).body(bytes::Bytes::new()).unwrap();
        if let Some(token) = token {
            request.headers_mut().insert("authorization", token.parse().unwrap());
        }
        runtime.block_on(clients::Transport::send(&transport, request)).unwrap()
    };
    let token = facts["credentials"]["DESKUP_CLICKUP_TOKEN"].as_str().unwrap();
    let user = get(format!("{}/api/v2/user", facts["clickup_url"].as_str().unwrap()), Some(token));
    assert_eq!(user.status(), 200);
    let nobody = get(format!("{}/api/v2/users/me", facts["zendesk_url"].as_str().unwrap()), None);
    let nobody: Json = serde_json::from_slice(nobody.body()).unwrap();
    assert!(nobody["user"]["id"].is_null(), "without credentials Zendesk answers 200 and nobody");
    running.signal("TERM");
    assert!(running.end().success());
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_port_that_is_taken_is_named() {
    let dir = folder("simulate-port");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = deskup(&dir, &["simulate", "--port", &port]).output().unwrap();
    let (_, error) = accounts::said(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(error.contains(&port) && error.contains("--port"), "{error}");
    std::fs::remove_dir_all(&dir).unwrap();
}
