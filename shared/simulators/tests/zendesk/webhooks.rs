//! Webhooks: setting them up, what they say, and what happens when nobody listens.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use simulators::zendesk::signature;

use crate::support::{Account, Listener, account, account_with, wait_s};

async fn subscribe(account: &Account, events: &[&str]) -> Value {
    let subscriptions: Vec<String> =
        events.iter().map(|event| format!("zen:event-type:ticket.{event}")).collect();
    let body = json!({"webhook": {
        "name": "deskup", "endpoint": "https://deskup.example/zendesk", "http_method": "POST",
        "request_format": "json", "status": "active", "subscriptions": subscriptions,
    }});
    account.call("admin", "POST", "/webhooks", body).await.ok(201)["webhook"].clone()
}

fn listen(account: &Account) -> Listener {
    let listener = Listener::default();
    account.sim.deliver_through(Arc::new(listener.clone()));
    listener
}

#[tokio::test(start_paused = true)]
async fn webhooks_are_created_listed_changed_and_deleted() {
    let account = account();
    let created = subscribe(&account, &["created"]).await;
    let id = created["id"].as_str().unwrap();
    assert_eq!(id.len(), 26);
    assert_eq!(created["created_at"], "2025-10-09T08:53:20.000000000Z", "nanoseconds in the create answer");
    assert_eq!(created["created_by"], account.people.admin.to_string());
    let shown = account.get(&format!("/webhooks/{id}")).await.ok(200);
    assert_eq!(shown["webhook"]["created_at"], "2025-10-09T08:53:20Z");
    let list = account.get("/webhooks").await.ok(200);
    assert_eq!(list["meta"], json!({"has_more": false}), "no after_cursor on the last page");
    let secret = account.get(&format!("/webhooks/{id}/signing_secret")).await.ok(200);
    assert_eq!(secret["signing_secret"]["algorithm"], "SHA256");
    assert_eq!(secret["signing_secret"]["secret"].as_str().unwrap().len(), 44);
    let change = json!({"webhook": {"status": "inactive"}});
    let changed = account.call("admin", "PATCH", &format!("/webhooks/{id}"), change).await.ok(200);
    assert_eq!(changed["webhook"]["status"], "inactive");
    account.call("admin", "DELETE", &format!("/webhooks/{id}"), Value::Null).await.ok(204);
    assert_eq!(account.get(&format!("/webhooks/{id}")).await.status, 404);
    let mixed = json!({"webhook": {"name": "x", "endpoint": "https://x.example",
        "subscriptions": ["conditional_ticket_events", "zen:event-type:ticket.created"]}});
    assert_eq!(account.call("admin", "POST", "/webhooks", mixed).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_is_signed_over_timestamp_and_raw_body() {
    let account = account();
    let listener = listen(&account);
    let webhook = subscribe(&account, &["status_changed"]).await;
    account.put(json!({"status": "open"})).await.ok(200);
    assert!(!account.sim.idle());
    wait_s(2).await;
    assert!(account.sim.idle());
    let heard = std::mem::take(&mut *listener.heard.lock().unwrap());
    assert_eq!(heard.len(), 1);
    let header = |name: &str| heard[0].headers().get(name).unwrap().to_str().unwrap();
    assert_eq!(header("x-zendesk-webhook-id"), webhook["id"]);
    assert_eq!(header("user-agent"), "Zendesk Webhook");
    assert_eq!(header("content-type"), "application/json; charset=utf-8");
    assert_eq!(header("x-zendesk-webhook-invocation-id").len(), 26);
    assert_eq!(header("x-zendesk-webhook-signature-timestamp"), "2025-10-09T08:53:21Z", "a second later");
    let text = std::str::from_utf8(heard[0].body()).unwrap();
    assert!(text.starts_with("{\n   \"account_id\": 18525119,") && text.ends_with("}\n"), "{text}");
    let expected = header("x-zendesk-webhook-signature").to_owned();
    let timestamp = header("x-zendesk-webhook-signature-timestamp").to_owned();
    let body = heard[0].body().clone();
    let path = format!("/webhooks/{}/signing_secret", webhook["id"].as_str().unwrap());
    let secret = account.get(&path).await.ok(200);
    assert_eq!(signature(secret["signing_secret"]["secret"].as_str().unwrap(), &timestamp, &body), expected);
}

#[tokio::test(start_paused = true)]
async fn the_body_has_the_events_spelling() {
    let account = account();
    let listener = listen(&account);
    subscribe(&account, &["status_changed"]).await;
    account
        .put(json!({"status": "hold", "priority": "high", "assignee_id": account.people.agent}))
        .await
        .ok(200);
    wait_s(2).await;
    let body = listener.bodies().remove(0);
    assert_eq!(body["type"], "zen:event-type:ticket.status_changed");
    assert_eq!(body["subject"], "zen:ticket:1");
    assert_eq!(body["zendesk_event_version"], "2022-11-06");
    assert_eq!(body["time"], "2025-10-09T08:53:20.000000000Z");
    assert_eq!(body["id"].as_str().unwrap().len(), 36);
    assert_eq!((&body["event"]["current"], &body["event"]["previous"]), (&json!("HOLD"), &json!("NEW")));
    assert!(body["event"]["meta"]["sequence"]["id"].is_string());
    let detail = &body["detail"];
    assert_eq!(
        (&detail["id"], &detail["status"], &detail["priority"]),
        (&json!("1"), &json!("HOLD"), &json!("HIGH"))
    );
    assert_eq!(detail["assignee_id"], account.people.agent.to_string());
    assert_eq!(detail["actor_id"], account.people.admin.to_string());
    assert_eq!(detail["description"], "It smokes");
    assert_eq!(detail["external_id"], Value::Null);
    assert!(detail.get("custom_status_id").is_none() && detail["custom_status"].is_string());
}

#[tokio::test(start_paused = true)]
async fn one_update_makes_one_event_for_each_field_that_somebody_wants() {
    let account = account();
    let people = account.people;
    let listener = listen(&account);
    let all = [
        "comment_added",
        "attachment_linked_to_comment",
        "status_changed",
        "custom_status_changed",
        "priority_changed",
        "subject_changed",
        "tags_changed",
        "custom_field_changed",
        "agent_assignment_changed",
        "group_assignment_changed",
        "type_changed",
        "task_due_at_changed",
        "external_id_changed",
        "requester_changed",
        "organization_changed",
    ];
    subscribe(&account, &all).await;
    let upload = account.upload("a.txt", b"a").await;
    let body = json!({
        "comment": {"body": "look", "public": false, "uploads": [upload["token"]]}, "status": "open",
        "priority": "low", "subject": "New", "tags": ["x"], "type": "task", "due_at": "2026-01-01T00:00:00Z",
        "custom_fields": [{"id": people.drop_down, "value": "env_live"}], "assignee_id": people.agent,
        "external_id": "e", "requester_id": people.agent,
    });
    account.put(body).await.ok(200);
    wait_s(2).await;
    let bodies = listener.bodies();
    let name =
        |body: &Value| body["type"].as_str().unwrap().trim_start_matches("zen:event-type:ticket.").to_owned();
    let told: BTreeSet<String> = bodies.iter().map(name).collect();
    assert_eq!(told, all.iter().map(|s| (*s).to_owned()).collect());
    let positions: BTreeSet<i64> =
        bodies.iter().map(|b| b["event"]["meta"]["sequence"]["position"].as_i64().unwrap()).collect();
    assert_eq!(positions, (1..=all.len() as i64).collect());
    let sequences: BTreeSet<&str> =
        bodies.iter().map(|b| b["event"]["meta"]["sequence"]["id"].as_str().unwrap()).collect();
    assert_eq!(sequences.len(), 1, "one sequence for one update");
    let of = |wanted: &str| &bodies.iter().find(|body| name(body) == wanted).unwrap()["event"];
    let comment = &of("comment_added")["comment"];
    assert_eq!((&comment["body"], &comment["is_public"]), (&json!("look"), &json!(false)));
    assert_eq!(comment["author"], json!({"id": people.admin.to_string(), "is_staff": true, "name": "admin"}));
    assert_eq!(of("tags_changed")["tags_added"], json!(["env_live", "x"]));
    assert_eq!(of("tags_changed")["tags_removed"], json!([]));
    let field = of("custom_field_changed");
    assert_eq!(
        (&field["current"]["value"], &field["custom_field"]["type"]),
        (&json!("env_live"), &json!("tagger"))
    );
    assert_eq!(field["custom_field"]["id"], people.drop_down.to_string());
    assert_eq!(of("attachment_linked_to_comment")["comment"]["attachment"]["filename"], "a.txt");
    assert_eq!(of("group_assignment_changed")["current"], people.group.to_string());
    assert_eq!(of("priority_changed")["previous"], Value::Null);
    assert_eq!(of("type_changed")["current"], "TASK");
}

#[tokio::test(start_paused = true)]
async fn a_ticket_is_born_dies_and_comes_back_in_events() {
    let account = account();
    let listener = listen(&account);
    subscribe(&account, &["created", "comment_added", "soft_deleted", "undeleted", "merged"]).await;
    let two = account.create("two").await;
    wait_s(2).await;
    account.call("admin", "DELETE", "/tickets/2", Value::Null).await.ok(204);
    wait_s(2).await;
    account.call("admin", "PUT", "/deleted_tickets/2/restore", Value::Null).await.ok(200);
    wait_s(2).await;
    account.call("admin", "POST", "/tickets/1/merge", json!({"ids": [two]})).await.ok(200);
    wait_s(5).await;
    let bodies = listener.bodies();
    let told: Vec<&str> = bodies.iter().map(|body| body["type"].as_str().unwrap()).collect();
    let names = ["created", "soft_deleted", "undeleted", "comment_added", "merged", "comment_added"];
    assert_eq!(told, names.map(|name| format!("zen:event-type:ticket.{name}")));
    assert_eq!(bodies[1]["detail"]["status"], "DELETED");
    assert_eq!(bodies[4]["event"]["target_ticket_id"], "1");
}

#[tokio::test(start_paused = true)]
async fn refused_deliveries_are_retried_by_the_table_with_fresh_timestamps() {
    let account = account();
    let listener = listen(&account);
    subscribe(&account, &["status_changed"]).await;
    let busy = Response::builder().status(503).header("retry-after", "10").body(Bytes::new()).unwrap();
    listener.script.lock().unwrap().extend([Ok(busy), Err("timed out".to_owned())]);
    account.put(json!({"status": "open"})).await.ok(200);
    wait_s(60).await;
    let heard = listener.heard.lock().unwrap();
    assert_eq!(heard.len(), 3);
    let header = |at: usize, name: &str| heard[at].headers().get(name).unwrap().clone();
    let timestamp = "x-zendesk-webhook-signature-timestamp";
    assert_ne!(header(0, timestamp), header(1, timestamp));
    let invocation = "x-zendesk-webhook-invocation-id";
    assert_eq!(header(0, invocation), header(2, invocation));
    assert_eq!(heard[0].body(), heard[2].body(), "the event keeps its id and time");
}

#[tokio::test(start_paused = true)]
async fn a_plain_500_is_never_sent_again() {
    let account = account();
    let listener = listen(&account);
    let webhook = subscribe(&account, &["status_changed"]).await;
    let broken = Response::builder().status(500).body(Bytes::new()).unwrap();
    listener.script.lock().unwrap().push_back(Ok(broken));
    account.put(json!({"status": "open"})).await.ok(200);
    wait_s(600).await;
    assert_eq!(listener.heard.lock().unwrap().len(), 1);
    assert!(account.sim.idle());
    account.put(json!({"status": "pending"})).await.ok(200);
    wait_s(5).await;
    let path = format!("/webhooks/{}/invocations", webhook["id"].as_str().unwrap());
    let fared = account.get(&path).await.ok(200)["invocations"].clone();
    let fared: Vec<(&str, Option<u64>)> = fared
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["status"].as_str().unwrap(), one["status_code"].as_u64()))
        .collect();
    assert_eq!(fared, [("success", Some(200)), ("terminated", Some(500))], "the newest first");
}

#[tokio::test(start_paused = true)]
async fn deliveries_can_be_lost_and_doubled() {
    for (drop, duplicate, expected) in [(1.0, 0.0, 0), (0.0, 1.0, 2)] {
        let account = account_with(|options| {
            options.faults.webhook_drop = drop;
            options.faults.webhook_duplicate = duplicate;
            options.faults.webhook_delay_ms = (500, 20_000);
        });
        let listener = listen(&account);
        subscribe(&account, &["status_changed"]).await;
        account.put(json!({"status": "open"})).await.ok(200);
        wait_s(30).await;
        let bodies = listener.bodies();
        assert_eq!(bodies.len(), expected);
        assert!(bodies.windows(2).all(|pair| pair[0]["id"] == pair[1]["id"]), "the same event");
    }
}

/// Runs when `DESKUP_FIXTURES` names the folder of recordings; the vector's secret is Zendesk's public test secret.
#[test]
fn the_signature_is_that_of_the_recorded_vector() {
    let Ok(folder) = std::env::var("DESKUP_FIXTURES") else {
        eprintln!("skipped: DESKUP_FIXTURES is not set");
        return;
    };
    let folder = std::path::Path::new(&folder).join("zendesk/webhooks");
    let vectors = std::fs::read(folder.join("signature_vectors.json")).unwrap();
    let vectors: Value = serde_json::from_slice(&vectors).unwrap();
    for vector in vectors["vectors"].as_array().unwrap() {
        let text = |name: &str| vector[name].as_str().unwrap();
        let body = std::fs::read(folder.join(text("body_file"))).unwrap();
        let expected = text("expected_signature_header");
        assert_eq!(signature(text("secret"), text("timestamp_header"), &body), expected);
    }
}
