//! Rate limits and their headers.

use serde_json::{Value, json};

use crate::support::{account, account_with, wait_s};

#[tokio::test(start_paused = true)]
async fn the_account_has_a_limit_per_minute() {
    let account = account_with(|options| options.requests_per_min = 3);
    for remaining in ["2", "1", "0"] {
        let answer = account.get("/tickets/1").await;
        assert_eq!(answer.header("x-rate-limit-remaining"), Some(remaining));
        assert_eq!(answer.header("rate-limit"), Some("3"), "the older spelling");
    }
    let refused = account.get("/groups").await;
    assert_eq!(refused.status, 429);
    assert_eq!(&refused.raw[..], b"Number of allowed API requests per minute exceeded", "plain text");
    assert_eq!(refused.header("ratelimit-remaining"), Some("0"), "the newer spelling");
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    wait_s(seconds).await;
    assert_eq!(account.get("/tickets/1").await.status, 200);
    assert_eq!(account.sim.rejected_by(account.people.admin), 1);
}

#[tokio::test(start_paused = true)]
async fn one_user_updates_one_ticket_thirty_times_in_ten_minutes() {
    let account = account();
    for n in 0..30 {
        let answer = account.put(json!({"subject": format!("s{n}")})).await;
        assert_eq!(answer.status, 200);
        if n == 0 {
            let header = answer.header("zendesk-ratelimit-per-ticket-updates");
            assert_eq!(header, Some("total=30; remaining=29; resets=600"));
            assert!(
                answer
                    .header("zendesk-rate-limit-tickets-update")
                    .unwrap()
                    .starts_with("total=100; remaining=99")
            );
        }
    }
    let refused = account.put(json!({"subject": "more"})).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("600")));
    let body = json!({"ticket": {"subject": "somebody else"}});
    account.call("agent", "PUT", "/tickets/1", body).await.ok(200);
    let other = account.create("another").await;
    account
        .call("admin", "PUT", &format!("/tickets/{other}"), json!({"ticket": {"subject": "x"}}))
        .await
        .ok(200);
    wait_s(600).await;
    account.put(json!({"subject": "later"})).await.ok(200);
}

#[tokio::test(start_paused = true)]
async fn the_account_updates_tickets_a_hundred_times_a_minute() {
    let account = account_with(|options| options.updates_per_min = 2);
    account.put(json!({"priority": "low"})).await.ok(200);
    let tags = account.call("agent", "PUT", "/tickets/1/tags", json!({"tags": ["a"]})).await;
    assert!(tags.header("zendesk-ratelimit-tickets-update").unwrap().starts_with("total=2; remaining=0"));
    let refused = account.put(json!({"priority": "high"})).await;
    assert_eq!(refused.body["error"], "APIRateLimitExceeded");
    assert_eq!(account.get("/tickets/1").await.status, 200, "other requests have room");
}

#[tokio::test(start_paused = true)]
async fn ten_incremental_requests_a_minute_without_a_header_of_their_own() {
    let account = account();
    for n in 0..10 {
        let path =
            ["/incremental/tickets/cursor?start_time=0", "/incremental/ticket_events?start_time=0"][n % 2];
        let answer = account.get(path).await;
        assert_eq!(answer.status, 200);
        assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("zendesk-rate")));
    }
    let refused = account.get("/incremental/tickets?start_time=0").await;
    let description = "Number of allowed incremental export API requests per minute exceeded";
    assert_eq!(refused.status, 429);
    assert_eq!(refused.body, json!({"error": "APIRateLimitExceeded", "description": description}));
}

#[tokio::test(start_paused = true)]
async fn the_webhooks_api_has_its_own_bucket_and_lists_say_so() {
    let account = account();
    let webhooks = account.get("/webhooks").await;
    assert_eq!(webhooks.header("x-rate-limit"), Some("100"));
    assert_eq!(webhooks.header("rate-limit-reset"), None);
    let list = account.get("/tickets").await;
    assert!(
        list.header("zendesk-rate-limit-tickets-index")
            .unwrap()
            .starts_with("total=100; remaining=99; resets=")
    );
    assert!(list.header("ratelimit-reset").is_some());
    assert!(list.header("x-request-id").is_some());
    assert_eq!(list.header("x-zendesk-api-version"), Some("v2"));
}

#[tokio::test(start_paused = true)]
async fn without_limits_nothing_is_counted_and_headers_tell_of_plenty() {
    let account = account_with(|options| {
        options.unlimited = true;
        options.requests_per_min = 1;
    });
    for _ in 0..3 {
        let answer = account.get("/tickets/1").await;
        assert_eq!((answer.status, answer.header("x-rate-limit")), (200, Some("1000000")));
    }
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted_by_user_and_endpoint() {
    let mut account = account();
    account.get("/tickets/1").await;
    account.get("/tickets/99").await;
    account.call("agent", "GET", "/tickets/1", Value::Null).await;
    assert_eq!(account.sim.calls_by(account.people.admin).get("GET /tickets/{id}"), Some(&2));
    assert_eq!(account.sim.calls_by(account.people.agent).len(), 1);
    assert!(account.sim.calls().is_empty(), "no sync user was named");
    account = crate::support::account_with(|options| options.sync_user = 6_130_900_000_256);
    assert_eq!(account.people.admin, 6_130_900_000_256);
    account.get("/tickets/1").await;
    assert_eq!(account.sim.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn faults_hit_the_sync_only_and_before_anything_happens() {
    let account = account_with(|options| {
        options.sync_user = 6_130_900_000_256;
        options.faults.server_error = 1.0;
    });
    let failed = account.put(json!({"priority": "low"})).await;
    assert!(matches!(failed.status, 502 | 503), "{}", failed.status);
    assert_eq!(account.sim.changes(), []);
    let body = json!({"ticket": {"priority": "low"}});
    account.call("agent", "PUT", "/tickets/1", body).await.ok(200);
}
