//! What every call does, whatever it is about: budget, repeats, deadlines, renewal of credentials.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use clients::{
    ErrorKind, Lane, Scope, Secret, TokioClock, Transport, TransportError, Zendesk, ZendeskConfig,
    ZendeskCredentials,
};
use common::*;
use domain::patch::NewTicketComment;
use domain::{ListId, NewTask, TaskId, TicketId, TicketPatch};
use futures::future::BoxFuture;
use serde_json::json;

fn id(number: u64) -> TicketId {
    TicketId::new(number).unwrap()
}

fn ticket(number: u64) -> serde_json::Value {
    json!({"id": number, "status": "open", "updated_at": "2026-01-01T00:00:00Z"})
}

fn written(number: u64) -> serde_json::Value {
    json!({"ticket": ticket(number), "audit": {"id": 5, "events": [{"id": 6, "type": "Comment"}]}})
}

fn with_comment() -> TicketPatch {
    let comment = NewTicketComment { body: "hello".into(), ..Default::default() };
    TicketPatch { comment: Some(comment), ..Default::default() }
}

fn status(status: &str) -> TicketPatch {
    TicketPatch { status: Some(status.into()), ..Default::default() }
}

#[tokio::test(start_paused = true)]
async fn a_read_is_repeated_until_it_is_answered() {
    let script =
        Script::answers(vec![lost(), text(502, "<html>"), never_sent(), ok(json!({"ticket": ticket(1)}))]);
    let read = zendesk(&script).ticket(id(1)).await.unwrap().unwrap();
    assert_eq!((read.id, script.requests().len()), (id(1), 4));
}

/// Answers after a while, as if whoever asked had stood still.
struct Slow(Arc<Script>, Duration);

impl Transport for Slow {
    fn send(
        &self,
        request: http::Request<bytes::Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<bytes::Bytes>, TransportError>> {
        Box::pin(async {
            let answer = self.0.send(request).await;
            tokio::time::sleep(self.1).await;
            answer
        })
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_answer_tells_nothing_of_limits() {
    for (seconds, told) in [(1, 1), (60, 0)] {
        let headers = [("x-rate-limit", "34"), ("x-rate-limit-remaining", "33"), ("ratelimit-reset", "60")];
        let script = Script::answers(vec![with(ok(json!({"ticket": ticket(1)})), &headers)]);
        let ledger = Arc::new(Ledger::default());
        let config = ZendeskConfig {
            base_url: ZENDESK.into(),
            credentials: ZendeskCredentials::Bearer(Secret::new("z-secret")),
        };
        let slow = Arc::new(Slow(script, Duration::from_secs(seconds)));
        let clock = Arc::new(TokioClock::new(START_MS));
        let zendesk = Zendesk::new(config, slow, ledger.clone(), clock, 7).unwrap();
        assert!(zendesk.ticket(id(1)).await.unwrap().is_some(), "the answer itself is as good as any");
        assert_eq!(ledger.seen.lock().unwrap().len(), told, "after {seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_comment_whose_reply_is_lost_is_never_sent_again() {
    for answer in [lost(), text(500, ""), text(504, "gateway"), ok(json!("nonsense"))] {
        let script = Script::answers(vec![answer]);
        let error = zendesk(&script).update_ticket(id(1), &with_comment(), "e1", None).await.unwrap_err();
        assert_eq!((error.kind, script.requests().len()), (ErrorKind::Unknown, 1), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_comment_that_never_left_or_was_not_done_is_sent_again() {
    let deadlock = || with(answer(503, json!({"error": "DatabaseDeadlock"})), &[("retry-after", "7")]);
    let script = Script::answers(vec![never_sent(), deadlock(), ok(written(1))]);
    let start = tokio::time::Instant::now();
    let updated = zendesk(&script).update_ticket(id(1), &with_comment(), "e1", None).await.unwrap();
    assert_eq!((updated.audit.comment_ids, script.requests().len()), (vec![6], 3));
    assert!(start.elapsed() >= Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_a_conflict_unless_our_own_lost_write_may_be_its_cause() {
    let conflict = || answer(409, json!({"error": "UpdateConflict"}));
    let stamp = Some("2026-01-01T00:00:00Z");
    let script = Script::answers(vec![conflict()]);
    let error = zendesk(&script).update_ticket(id(1), &status("open"), "e", stamp).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Conflict, Some("UpdateConflict")));
    let script = Script::answers(vec![lost(), conflict()]);
    let error = zendesk(&script).update_ticket(id(1), &status("open"), "e", stamp).await.unwrap_err();
    assert_eq!((error.kind, script.requests().len()), (ErrorKind::Unknown, 2));
    // Not sent at all is no cause.
    let script = Script::answers(vec![never_sent(), conflict()]);
    let error = zendesk(&script).update_ticket(id(1), &status("open"), "e", stamp).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
}

#[tokio::test(start_paused = true)]
async fn a_task_is_created_at_most_once() {
    let list = ListId::new("1").unwrap();
    for (answers, kind, sent) in [
        (vec![lost()], ErrorKind::Unknown, 1),
        (vec![text(502, "")], ErrorKind::Unknown, 1),
        (vec![never_sent()], ErrorKind::Transient, 5),
        (vec![answer(400, json!({"err": "Status not found"}))], ErrorKind::Refused, 1),
    ] {
        let script = Script::answers(answers);
        let error = clickup(&script).create_task(&list, &NewTask::default()).await.unwrap_err();
        assert_eq!((error.kind, script.requests().len()), (kind, sent), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_429_waits_as_told_and_tells_the_pacer_which_bucket_is_spent() {
    let limited = with(
        text(429, "Number of allowed API requests per minute exceeded"),
        &[("retry-after", "93"), ("Zendesk-RateLimit-tickets-update", "total=100; remaining=0; resets=93")],
    );
    let script = Script::answers(vec![limited, ok(written(1))]);
    let ledger = Arc::new(Ledger::default());
    let client = zendesk_as(&script, ZendeskCredentials::Bearer(Secret::new("t")), ledger.clone());
    let start = tokio::time::Instant::now();
    client.update_ticket(id(1), &with_comment(), "e", None).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(93));
    let expected: Vec<String> = ["account", "tickets-update", "ticket:1"].map(str::to_owned).into();
    assert_eq!(*ledger.granted.lock().unwrap(), [expected.clone(), expected]);
    assert_eq!(*ledger.limited.lock().unwrap(), [("tickets-update".to_owned(), START_MS + 93_000)]);
    let seen = ledger.seen.lock().unwrap();
    assert_eq!(
        (seen[0].bucket.as_str(), seen[0].limit, seen[0].remaining),
        ("tickets-update", Some(100), Some(0))
    );
}

#[tokio::test(start_paused = true)]
async fn no_wait_passes_the_deadline() {
    let reset = ((START_MS + 40_000) / 1_000).to_string();
    let headers =
        [("X-RateLimit-Limit", "100"), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", reset.as_str())];
    let limited = with(answer(429, json!({"err": "Rate limit reached", "ECODE": "APP_002"})), &headers);
    let script = Script::answers(vec![limited]);
    let start = tokio::time::Instant::now();
    let scope = Scope { lane: Lane::Backfill, deadline_ms: START_MS + 30_000 };
    let error = clickup(&script).scoped(scope).task(&TaskId::new("a").unwrap()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::RateLimited { until_ms: START_MS + 40_000 });
    assert_eq!((start.elapsed(), script.requests().len()), (Duration::ZERO, 1));
}

#[tokio::test(start_paused = true)]
async fn after_the_deadline_nothing_is_sent() {
    let script = Script::answers(vec![ok(json!({"ticket": ticket(1)}))]);
    let client = zendesk(&script).scoped(Scope { lane: Lane::Live, deadline_ms: START_MS + 1_000 });
    tokio::time::advance(Duration::from_secs(1)).await;
    let error = client.ticket(id(1)).await.unwrap_err();
    assert_eq!((error.kind, script.requests().len()), (ErrorKind::Transient, 0));
}

#[tokio::test(start_paused = true)]
async fn an_empty_budget_sends_nothing_and_says_until_when() {
    let script = Script::answers(vec![lost()]);
    let ledger = Arc::new(Ledger { grants_max: Some(0), ..Default::default() });
    let error = clickup_with(&script, ledger).task(&TaskId::new("a").unwrap()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::BudgetEmpty { until_ms: START_MS + 60_000 });
    assert_eq!(script.requests().len(), 0);
    // A budget that ends after a lost reply does not make the write undone.
    let script = Script::answers(vec![lost()]);
    let ledger = Arc::new(Ledger { grants_max: Some(1), ..Default::default() });
    let client = zendesk_as(&script, ZendeskCredentials::Bearer(Secret::new("t")), ledger);
    let error = client.update_ticket(id(1), &status("open"), "e", None).await.unwrap_err();
    assert_eq!((error.kind, script.requests().len()), (ErrorKind::Unknown, 1));
}

fn oauth() -> ZendeskCredentials {
    ZendeskCredentials::OAuthClient {
        client_id: "deskup".into(),
        client_secret: Secret::new("s3cret"),
        scope: "read write".into(),
    }
}

#[tokio::test(start_paused = true)]
async fn fifty_callers_share_one_token_and_one_renewal() {
    // Tokens count up; the service refuses all but the newest, and forgets the first one at the 60th call.
    let mut issued = 0;
    let script = Script::new(move |request, at| {
        if request.uri().path() == "/oauth/tokens" {
            issued += 1;
            return ok(json!({"access_token": format!("t{issued}"), "expires_in": 1800}));
        }
        if at > 60 && issued == 1
            || request.headers()["authorization"] != format!("Bearer t{issued}").as_str()
        {
            return answer(401, json!({"error": "invalid_token"}));
        }
        ok(json!({"ticket": ticket(1)}))
    });
    let client = zendesk_as(&script, oauth(), Arc::new(clients::NoPacer));
    for _ in 0..2 {
        let calls = (0..50).map(|_| {
            let client = client.clone();
            async move { client.ticket(id(1)).await }
        });
        for result in futures::future::join_all(calls).await {
            result.unwrap();
        }
    }
    let tokens = script.lines().iter().filter(|line| line.contains("/oauth/tokens")).count();
    assert_eq!(tokens, 2, "one at first, one after the 401s");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_it_ends_and_wrong_ones_are_not_asked_for_again() {
    let script = Script::new(|request, _| match request.uri().path() {
        "/oauth/tokens" => ok(json!({"access_token": "t", "expires_in": 600})),
        _ => ok(json!({"ticket": ticket(1)})),
    });
    let client = zendesk_as(&script, oauth(), Arc::new(clients::NoPacer));
    client.ticket(id(1)).await.unwrap();
    tokio::time::advance(Duration::from_secs(500)).await;
    client.ticket(id(1)).await.unwrap();
    tokio::time::advance(Duration::from_secs(50)).await;
    client.ticket(id(1)).await.unwrap();
    let expected = [
        "POST /oauth/tokens",
        "GET /api/v2/tickets/1",
        "GET /api/v2/tickets/1",
        "POST /oauth/tokens",
        "GET /api/v2/tickets/1",
    ];
    assert_eq!(script.lines(), expected);
    assert_eq!(script.header(0, "authorization"), None);
    assert_eq!(script.body(0)["grant_type"], "client_credentials");

    let script = Script::new(|request, _| match request.uri().path() {
        "/oauth/tokens" => ok(json!({"access_token": "t"})),
        _ => answer(401, json!({"error": "Couldn't authenticate you"})),
    });
    let client = zendesk_as(&script, oauth(), Arc::new(clients::NoPacer));
    let error = client.ticket(id(1)).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Auth, Some("CouldNotAuthenticate")));
    assert_eq!(script.requests().len(), 4, "two tokens, two tries");
}

#[tokio::test(start_paused = true)]
async fn errors_and_debug_hold_no_text_and_no_credential() {
    let secret_text = "my card is 4111";
    let body = json!({"error": secret_text, "description": secret_text, "details": {"subject": [{"description": secret_text}]}});
    let script = Script::answers(vec![with(answer(422, body), &[("x-request-id", "r-1")])]);
    let patch = TicketPatch { subject: Some(secret_text.into()), ..Default::default() };
    let error = zendesk(&script).update_ticket(id(12), &patch, "e", None).await.unwrap_err();
    assert_eq!(error.fields, ["subject"]);
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("4111") && shown.contains("(12)") && shown.contains("r-1"), "{shown}");
    assert!(!format!("{:?}", oauth()).contains("s3cret"));
    let sent = format!("{:?}", script.requests());
    assert!(!sent.contains("z-secret"), "the header value is marked as sensitive");
}

#[tokio::test(start_paused = true)]
async fn dropped_members_are_counted() {
    let warn = r#"{:allowed_parameters=>{:controller=>"tickets", :action=>"update", :unpermitted_keys=>["ticket.id"], :invalid_values=>[]}}"#;
    let script = Script::answers(vec![ok(written(1)), with(ok(written(1)), &[("x-zendesk-api-warn", warn)])]);
    let client = zendesk(&script);
    let other = client.clone();
    other.update_ticket(id(1), &status("open"), "e", None).await.unwrap();
    assert_eq!(client.warnings(), 0);
    other.update_ticket(id(1), &status("open"), "e", None).await.unwrap();
    assert_eq!(client.warnings(), 1);
}
