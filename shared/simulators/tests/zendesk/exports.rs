//! The incremental exports.

use serde_json::{Value, json};

use crate::support::{START_MS, account, wait_s};

fn ids(body: &Value) -> Vec<u64> {
    body["tickets"].as_array().unwrap().iter().map(|t| t["id"].as_u64().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_last_minute_is_missing_and_cursors_continue_from_the_end() {
    let account = account();
    account.create("two").await;
    let first = account.get("/incremental/tickets/cursor?start_time=0").await.ok(200);
    assert_eq!((ids(&first), first["end_of_stream"].as_bool()), (vec![1], Some(true)));
    wait_s(59).await;
    let cursor = first["after_cursor"].as_str().unwrap();
    let path = format!("/incremental/tickets/cursor?cursor={}", cursor.replace('=', "%3D"));
    let empty = account.get(&path).await.ok(200);
    assert_eq!((ids(&empty), empty["after_cursor"].as_str()), (vec![], Some(cursor)));
    wait_s(1).await;
    let second = account.get(&path).await.ok(200);
    assert_eq!(ids(&second), [2]);
    account.put(json!({"priority": "low"})).await.ok(200);
    wait_s(61).await;
    let cursor = second["after_cursor"].as_str().unwrap();
    let third = account.get(&format!("/incremental/tickets/cursor?cursor={cursor}")).await.ok(200);
    assert_eq!(ids(&third), [1], "a changed ticket comes again");
    assert!(third["before_url"].is_null() && third.get("count").is_none());
}

#[tokio::test(start_paused = true)]
async fn pages_are_as_long_as_asked_and_links_repeat_the_parameters() {
    let account = account();
    for n in 2..=5 {
        account.create(&format!("t{n}")).await;
    }
    wait_s(61).await;
    let path = "/incremental/tickets/cursor?start_time=0&per_page=2&include=users,groups,organizations";
    let first = account.get(path).await.ok(200);
    assert_eq!((ids(&first), first["end_of_stream"].as_bool()), (vec![1, 2], Some(false)));
    assert_eq!(first["users"].as_array().unwrap().len(), 2);
    assert_eq!(first["organizations"][0]["name"], "Acme");
    let url = first["after_url"].as_str().unwrap();
    assert!(
        url.starts_with("https://z3n-simulated.") && url.contains("per_page=2") && url.contains("cursor=")
    );
    assert!(!url.contains("start_time"), "{url}");
    let cursor = first["after_cursor"].as_str().unwrap();
    let rest =
        account.get(&format!("/incremental/tickets/cursor?cursor={cursor}&per_page=1000")).await.ok(200);
    assert_eq!((ids(&rest), rest["end_of_stream"].as_bool()), (vec![3, 4, 5], Some(true)));
}

#[tokio::test(start_paused = true)]
async fn a_start_in_the_last_minute_is_refused() {
    let account = account();
    let now_s = START_MS / 1000;
    let path = |start: i64| format!("/incremental/tickets/cursor?start_time={start}");
    assert_eq!(account.get(&path(now_s - 59)).await.ok(400)["error"], "StartTimeTooRecent");
    assert_eq!(account.get(&path(now_s - 60)).await.status, 200);
    assert_eq!(account.get("/incremental/tickets/cursor?cursor=nonsense").await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn system_updates_bring_a_ticket_back_without_a_change() {
    let account = account();
    let first = account.get("/incremental/tickets/cursor?start_time=0").await.ok(200);
    account.sim.touch(1);
    wait_s(61).await;
    let cursor = first["after_cursor"].as_str().unwrap();
    let again = account.get(&format!("/incremental/tickets/cursor?cursor={cursor}")).await.ok(200);
    assert_eq!(ids(&again), [1]);
    assert_eq!(again["tickets"][0]["updated_at"], first["tickets"][0]["updated_at"]);
}

#[tokio::test(start_paused = true)]
async fn deleted_tickets_are_exported_as_deleted() {
    let account = account();
    account.call("admin", "DELETE", "/tickets/1", Value::Null).await.ok(204);
    wait_s(61).await;
    let all = account.get("/incremental/tickets/cursor?start_time=0").await.ok(200);
    assert_eq!(all["tickets"][0]["status"], "deleted");
    let kept = account.get("/incremental/tickets/cursor?start_time=0&exclude_deleted=true").await.ok(200);
    assert_eq!(ids(&kept), Vec::<u64>::new());
}

#[tokio::test(start_paused = true)]
async fn time_based_pages_keep_a_second_together_and_repeat_the_last_one() {
    let account = account();
    for n in 2..=4 {
        account.create(&format!("t{n}")).await;
    }
    wait_s(61).await;
    let first = account.get("/incremental/tickets?start_time=0&per_page=1").await.ok(200);
    let seeded_s = START_MS / 1000 - 3600;
    assert_eq!((ids(&first), first["end_time"].as_i64()), (vec![1], Some(seeded_s + 1)));
    let path = format!("/incremental/tickets?start_time={}&per_page=1", seeded_s + 1);
    let second = account.get(&path).await.ok(200);
    assert_eq!(ids(&second), [2, 3, 4], "more than per_page");
    assert_eq!(second["end_time"].as_i64(), Some(START_MS / 1000), "at the end: the last record's second");
    assert_eq!(second["end_of_stream"], true);
    assert!(second["next_page"].is_string());
}

#[tokio::test(start_paused = true)]
async fn ticket_events_tell_of_comments_and_changes() {
    let account = account();
    account.put(json!({"comment": {"body": "hello", "public": false}, "priority": "low"})).await.ok(200);
    wait_s(61).await;
    let start = START_MS / 1000 - 10;
    let path = format!("/incremental/ticket_events?start_time={start}");
    let bare = account.get(&path).await.ok(200);
    let child = &bare["ticket_events"][0]["child_events"][0];
    assert_eq!(
        (child["comment_present"].as_bool(), child["comment_public"].as_bool()),
        (Some(true), Some(false))
    );
    assert_eq!(child.get("body"), None);
    let full = account.get(&format!("{path}&include=comment_events")).await.ok(200);
    let event = &full["ticket_events"][0];
    assert_eq!(event["ticket_id"], 1);
    assert_eq!(event["updater_id"].as_i64(), Some(account.people.admin));
    let comment = &event["child_events"][0];
    assert_eq!((comment["event_type"].as_str(), comment["body"].as_str()), (Some("Comment"), Some("hello")));
    let change = &event["child_events"][1];
    assert_eq!((change["event_type"].as_str(), change["priority"].as_str()), (Some("Change"), Some("low")));
    assert_eq!(full["count"], 1);
    let all = account.get("/incremental/ticket_events?start_time=0&include=comment_events").await.ok(200);
    assert_eq!(all["ticket_events"][0]["child_events"][0]["body"], "It smokes", "seeded history too");
}
