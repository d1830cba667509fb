//! Jobs: updates of many tickets, merges.

use serde_json::{Value, json};

use crate::support::{Account, account, account_with, wait_s};

async fn finished(account: &Account, started: Value) -> Value {
    let id = started["job_status"]["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("V3-") && id.len() == 35, "{id}");
    for _ in 0..30 {
        let job = account.get(&format!("/job_statuses/{id}")).await.ok(200)["job_status"].clone();
        if job["status"] == "completed" {
            return job;
        }
        assert_eq!(job["results"], Value::Null, "no results before the end");
        wait_s(1).await;
    }
    panic!("the job never ended");
}

#[tokio::test(start_paused = true)]
async fn one_change_for_all_runs_in_the_background() {
    let account = account();
    account.create("two").await;
    account.call("admin", "PUT", "/tickets/2", json!({"ticket": {"status": "closed"}})).await.ok(200);
    let body = json!({"ticket": {"additional_tags": ["bulk"], "priority": "low"}});
    let started = account.call("admin", "PUT", "/tickets/update_many?ids=1,2,9", body).await.ok(200);
    assert_eq!(started["job_status"]["status"], "queued");
    assert_eq!(started["job_status"]["progress"], Value::Null);
    assert_eq!(account.ticket().await["tags"], json!([]));
    assert!(!account.sim.idle());
    let job = finished(&account, started).await;
    assert_eq!((job["total"].as_i64(), job["progress"].as_i64()), (Some(3), Some(3)));
    assert_eq!(job["results"][0], json!({"action": "update", "status": "Updated", "success": true, "id": 1}));
    assert_eq!(
        (&job["results"][1]["success"], &job["results"][1]["error"]),
        (&json!(false), &json!("RecordInvalid"))
    );
    assert_eq!(job["results"][2]["error"], "RecordNotFound");
    assert_eq!(account.ticket().await["tags"], json!(["bulk"]));
    assert!(account.sim.idle());
    let many =
        account.get(&format!("/job_statuses/show_many?ids={}", job["id"].as_str().unwrap())).await.ok(200);
    assert_eq!(many["job_statuses"][0]["status"], "completed");
}

#[tokio::test(start_paused = true)]
async fn different_changes_are_always_safe() {
    let account = account();
    let stamp = account.ticket().await["updated_at"].clone();
    account.create("two").await;
    wait_s(2).await;
    let alone = json!({"tickets": [{"id": 1, "priority": "low", "safe_update": true}]});
    assert_eq!(account.call("admin", "PUT", "/tickets/update_many", alone).await.status, 400);
    let body = json!({"tickets": [
        {"id": 1, "priority": "low", "safe_update": true, "updated_stamp": stamp},
        {"id": 2, "priority": "high"},
    ]});
    let started = account.call("admin", "PUT", "/tickets/update_many", body).await.ok(200);
    // Somebody is faster than the job.
    account.call("agent", "PUT", "/tickets/1", json!({"ticket": {"priority": "urgent"}})).await.ok(200);
    let job = finished(&account, started).await;
    assert_eq!(job["results"][0]["error"], "UpdateConflict");
    assert_eq!(job["results"][1]["success"], true);
    assert_eq!(account.ticket().await["priority"], "urgent");
}

#[tokio::test(start_paused = true)]
async fn a_job_is_forgotten_after_a_while() {
    let account = account_with(|options| options.job_kept_ms = 60_000);
    let body = json!({"ticket": {"priority": "low"}});
    let started = account.call("admin", "PUT", "/tickets/update_many?ids=1", body).await.ok(200);
    let id = finished(&account, started).await["id"].as_str().unwrap().to_owned();
    wait_s(61).await;
    assert_eq!(account.get(&format!("/job_statuses/{id}")).await.status, 404);
    let many = account.get(&format!("/job_statuses/show_many?ids={id}")).await.ok(200);
    assert_eq!(many["job_statuses"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn more_than_thirty_jobs_are_refused() {
    let account = account();
    let body = json!({"ticket": {"priority": "low"}});
    for _ in 0..30 {
        account.call("admin", "PUT", "/tickets/update_many?ids=1", body.clone()).await.ok(200);
    }
    let refused = account.call("admin", "PUT", "/tickets/update_many?ids=1", body).await.ok(429);
    assert_eq!(
        (refused["error"].as_str(), refused["current_job_ids"].as_array().unwrap().len()),
        (Some("TooManyJobs"), 30)
    );
}

#[tokio::test(start_paused = true)]
async fn a_merge_closes_its_sources_and_comments_on_both_sides() {
    let account = account();
    let two = account.create("two").await;
    let body = json!({"ids": [1], "target_comment": "took 1", "target_comment_is_public": false});
    let started = account.call("admin", "POST", &format!("/tickets/{two}/merge"), body).await.ok(200);
    let job = finished(&account, started).await;
    assert_eq!(job["results"][0]["success"], true, "{job}");
    let source = account.ticket().await;
    assert_eq!((source["status"].as_str(), &source["tags"]), (Some("closed"), &json!(["closed_by_merge"])));
    let target = account.sim.ticket(two).unwrap();
    assert_eq!(
        (&target["comments"][1]["body"], &target["comments"][1]["public"]),
        (&json!("took 1"), &json!(false))
    );
    let itself = account.call("admin", "POST", "/tickets/2/merge", json!({"ids": [2]})).await.ok(422);
    assert_eq!(itself["error"], "SourceInvalid");
}
