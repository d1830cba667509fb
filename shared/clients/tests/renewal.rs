//! Credentials over time: tokens that end while fifty callers work, that are refused for good, that are
//! replaced by a person; and which refusals speak of the token at all.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clients::clickup::{OAuthApp, exchange_code};
use clients::{
    ClickUpCredentials, ErrorKind, Lane, NoAccess, NoPacer, Scope, Secret, TokioClock, ZendeskCredentials,
};
use common::*;
use domain::{TaskId, TicketId};
use serde_json::json;

const CALLERS: usize = 50;
const CALLS_EACH: u32 = 40;
/// Of a token, in the service's own time.
const LIFETIME_S: u64 = 600;

fn oauth() -> ZendeskCredentials {
    ZendeskCredentials::OAuthClient {
        client_id: "deskup".into(),
        client_secret: Secret::new("s3cret"),
        scope: "read write".into(),
    }
}

fn ticket() -> TicketId {
    TicketId::new(1).unwrap()
}

/// A service whose tokens live ten minutes and which counts those it gave and those it refused.
fn service() -> (Arc<Script>, Arc<AtomicU64>, Arc<AtomicU64>) {
    let started = tokio::time::Instant::now();
    let (given, refused) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (count, late) = (given.clone(), refused.clone());
    let script = Script::new(move |request, _| {
        let now_s = started.elapsed().as_secs();
        if request.uri().path() == "/oauth/tokens" {
            count.fetch_add(1, Ordering::Relaxed);
            return ok(
                json!({"access_token": format!("until.{}", now_s + LIFETIME_S), "expires_in": LIFETIME_S}),
            );
        }
        let header = request.headers()["authorization"].to_str().unwrap();
        let until_s: u64 = header.strip_prefix("Bearer until.").unwrap().parse().unwrap();
        if now_s >= until_s {
            late.fetch_add(1, Ordering::Relaxed);
            return answer(401, json!({"error": "invalid_token"}));
        }
        ok(json!({"ticket": {"id": 1, "status": "open", "updated_at": "2026-01-01T00:00:00Z"}}))
    });
    (script, given, refused)
}

#[tokio::test(start_paused = true)]
async fn fifty_callers_outlive_many_tokens_and_fetch_each_once() {
    let (script, given, refused) = service();
    let client = zendesk_as(&script, oauth(), Arc::new(NoPacer));
    let callers = (0..CALLERS).map(|caller| {
        let client = client.clone();
        async move {
            let mut random = fastrand::Rng::with_seed(caller as u64);
            for _ in 0..CALLS_EACH {
                client.ticket(ticket()).await.unwrap().unwrap();
                tokio::time::sleep(Duration::from_secs(random.u64(10..70))).await;
            }
        }
    });
    let began = tokio::time::Instant::now();
    futures::future::join_all(callers).await;
    // Each is renewed a minute before its end, by one caller for all.
    let most = began.elapsed().as_secs() / (LIFETIME_S - 60) + 1;
    let given = given.load(Ordering::Relaxed);
    assert!(given > 2 && given <= most, "{given} tokens in {:?}", began.elapsed());
    assert_eq!(refused.load(Ordering::Relaxed), 0, "a token ended on its way");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_refused_is_asked_for_once_by_fifty_callers() {
    let script = Script::new(|_, _| answer(401, json!({"error": "invalid_client"})));
    let client = zendesk_as(&script, oauth(), Arc::new(NoPacer));
    let calls = (0..CALLERS).map(|_| client.ticket(ticket()));
    for result in futures::future::join_all(calls).await {
        let error = result.unwrap_err();
        assert_eq!((error.kind, error.no_access()), (ErrorKind::Auth, Some(NoAccess::Credentials)));
        assert_eq!(error.code.as_deref(), Some("invalid_client"));
    }
    assert_eq!(script.requests().len(), 1);
    // It is no final word: later it is asked again.
    tokio::time::advance(Duration::from_secs(5)).await;
    assert!(client.ticket(ticket()).await.is_err());
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_limit_on_tokens_is_kept_by_whoever_comes_next() {
    let script = Script::new(|_, _| {
        let mut limited = answer(429, json!({"error": "TooManyRequests"})).unwrap();
        limited.headers_mut().insert("retry-after", "90".parse().unwrap());
        Ok(limited)
    });
    let client = zendesk_as(&script, oauth(), Arc::new(NoPacer));
    let within = |ms: i64| client.scoped(Scope { lane: Lane::Live, deadline_ms: START_MS + ms });
    for second in [0, 20, 40] {
        let error = within((second + 10) * 1_000).ticket(ticket()).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::RateLimited { .. }), "{error}");
        tokio::time::advance(Duration::from_secs(20)).await;
    }
    assert_eq!(script.requests().len(), 1);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(within(130_000).ticket(ticket()).await.is_err());
    assert_eq!(script.requests().len(), 2);
}

/// Zendesk answers a token that was revoked with 200 and its anonymous user.
#[tokio::test(start_paused = true)]
async fn whoever_is_nobody_asks_for_a_new_token_first() {
    let tokens = AtomicU64::new(0);
    let script = Script::new(move |request, _| match request.uri().path() {
        "/oauth/tokens" => {
            let token = format!("t{}", tokens.fetch_add(1, Ordering::Relaxed));
            ok(json!({"access_token": token, "expires_in": 1800}))
        }
        _ if request.headers()["authorization"] == "Bearer t0" => {
            ok(json!({"user": {"id": null, "name": "Anonymous user", "role": "end-user"}}))
        }
        _ => ok(json!({"user": {"id": 7, "name": "Sync", "email": "sync@x.org", "role": "admin"}})),
    });
    let client = zendesk_as(&script, oauth(), Arc::new(NoPacer));
    assert!(client.me().await.unwrap().id.is_some());
    assert_eq!(script.requests().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_missing_right_is_no_reason_for_a_new_token() {
    let script = Script::new(|request, _| match request.uri().path() {
        "/oauth/tokens" => ok(json!({"access_token": "t", "expires_in": 1800})),
        _ => answer(403, json!({"error": "Forbidden", "description": "Forbidden"})),
    });
    let client = zendesk_as(&script, oauth(), Arc::new(NoPacer));
    let error = client.ticket(ticket()).await.unwrap_err();
    assert_eq!((error.kind, error.no_access()), (ErrorKind::Auth, Some(NoAccess::Right)));
    assert_eq!(script.lines(), ["POST /oauth/tokens", "GET /api/v2/tickets/1"]);
}

#[tokio::test(start_paused = true)]
async fn new_credentials_reach_every_clone_and_a_refusal_is_told() {
    let script = Script::new(|request, _| match request.headers()["authorization"].as_bytes() {
        b"Bearer new" => {
            ok(json!({"ticket": {"id": 1, "status": "open", "updated_at": "2026-01-01T00:00:00Z"}}))
        }
        _ => answer(401, json!({"error": "Couldn't authenticate you"})),
    });
    let client = zendesk(&script);
    let other = client.clone();
    assert!(other.ticket(ticket()).await.is_err());
    tokio::time::timeout(Duration::from_secs(1), client.refused()).await.unwrap();
    client.change_credentials(ZendeskCredentials::Bearer(Secret::new("new"))).unwrap();
    assert!(other.ticket(ticket()).await.unwrap().is_some());
    let told = tokio::time::timeout(Duration::from_secs(1), client.refused()).await;
    assert!(told.is_err(), "what is allowed is not told");
}

#[tokio::test(start_paused = true)]
async fn another_workspace_is_told_from_another_token() {
    let task = TaskId::new("abc").unwrap();
    for (code, expected) in [("OAUTH_027", NoAccess::Workspace), ("OAUTH_025", NoAccess::Credentials)] {
        let script = Script::answers(vec![answer(401, json!({"err": "no", "ECODE": code}))]);
        let client = clickup(&script);
        assert_eq!(client.task(&task).await.unwrap_err().no_access(), Some(expected), "{code}");
        client.change_credentials(ClickUpCredentials::OAuth(Secret::new("token"))).unwrap();
        let _ = client.task(&task).await;
        assert_eq!(script.header(1, "authorization").as_deref(), Some("Bearer token"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_becomes_a_token_and_is_sent_once() {
    let app = OAuthApp { client_id: "app".into(), client_secret: Secret::new("s3cret") };
    let clock = Arc::new(TokioClock::new(START_MS));
    let script = Script::answers(vec![ok(json!({"access_token": "1_abc", "token_type": "Bearer"}))]);
    let token = exchange_code(CLICKUP, &app, "code", script.clone(), clock.clone()).await.unwrap();
    assert_eq!(token.reveal(), "1_abc");
    assert_eq!(script.lines(), ["POST /api/v2/oauth/token"]);
    assert_eq!(script.header(0, "authorization"), None);
    assert_eq!(script.body(0), json!({"client_id": "app", "client_secret": "s3cret", "code": "code"}));
    for (answers, kind) in [
        (vec![lost()], ErrorKind::Unknown),
        (vec![answer(401, json!({"err": "no", "ECODE": "OAUTH_010"}))], ErrorKind::Auth),
        (vec![ok(json!({"access_token": ""}))], ErrorKind::Auth),
    ] {
        let script = Script::answers(answers);
        let error = exchange_code(CLICKUP, &app, "code", script.clone(), clock.clone()).await.unwrap_err();
        assert_eq!((error.kind, script.requests().len()), (kind, 1));
    }
    assert_eq!(
        app.page("https://x/y"),
        "https://app.clickup.com/api?client_id=app&redirect_uri=https%3A%2F%2Fx%2Fy"
    );
}
