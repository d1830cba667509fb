//! Creating and reading tickets, comments and files.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::support::{account, account_with, wait_s};

#[tokio::test(start_paused = true)]
async fn a_create_answers_with_ticket_and_audit() {
    let account = account();
    let people = account.people;
    let body = json!({"ticket": {
        "subject": "  Broken\r\nscreen ", "comment": {"body": "one<br>two\r\nthree  ", "public": false},
        "priority": "high", "tags": ["Beta alpha"], "requester_id": people.customer,
        "assignee_id": people.agent, "metadata": {"effect": "e1"},
    }});
    let answer = account.call("agent", "POST", "/tickets", body).await;
    assert!(answer.header("location").unwrap().ends_with("/api/v2/tickets/2.json"));
    let body = answer.ok(201);
    let ticket = &body["ticket"];
    assert_eq!(ticket["subject"], "Broken screen");
    assert_eq!(ticket["description"], "onetwo\nthree  ");
    assert_eq!(ticket["tags"], json!(["alpha", "beta"]));
    assert_eq!(ticket["is_public"], false);
    assert_eq!(ticket["organization_id"].as_u64(), Some(people.organization), "the requester's");
    assert_eq!(ticket["group_id"].as_u64(), Some(people.group), "the assignee's default group");
    assert_eq!(ticket["fields"], ticket["custom_fields"]);
    assert_eq!(body["audit"]["metadata"]["custom"], json!({"effect": "e1"}));
    let events = body["audit"]["events"].as_array().unwrap();
    assert_eq!(events[0]["type"], "Comment");
    let assignee = events.iter().find(|event| event["field_name"] == "assignee_id").unwrap();
    assert_eq!(assignee["value"], people.agent.to_string(), "ids inside audits are strings");
    assert_eq!(
        account.sim.changes().iter().map(|c| c.field.as_str()).collect::<Vec<_>>(),
        ["created", "comment"]
    );
    let empty = account.call("agent", "POST", "/tickets", json!({"ticket": {"subject": "x"}})).await;
    assert_eq!(empty.status, 422, "a comment is required");
}

#[tokio::test(start_paused = true)]
async fn the_same_idempotency_key_gives_the_first_answer_for_two_hours() {
    let account = account();
    let body = json!({"ticket": {"subject": "once", "comment": {"body": "x"}}});
    let headers = [("idempotency-key", "k1")];
    let send = || account.call_with("admin", "POST", "/tickets", body.clone(), &headers);
    let first = send().await;
    assert_eq!(first.header("x-idempotency-lookup"), Some("miss"));
    wait_s(60).await;
    let second = send().await;
    assert_eq!(second.header("x-idempotency-lookup"), Some("hit"));
    assert_eq!(first.raw, second.raw);
    let other = json!({"ticket": {"subject": "twice", "comment": {"body": "x"}}});
    let refused = account.call_with("admin", "POST", "/tickets", other, &headers).await.ok(400);
    assert_eq!(refused["error"], "IdempotentRequestError");
    assert_eq!(account.sim.ticket_count(), 2);
    wait_s(2 * 3600).await;
    assert_eq!(send().await.header("x-idempotency-lookup"), Some("miss"));
    assert_eq!(account.sim.ticket_count(), 3);
}

#[tokio::test(start_paused = true)]
async fn lists_page_by_cursor_and_by_offset() {
    let account = account();
    for n in 2..=5 {
        account.create(&format!("t{n}")).await;
    }
    account.call("admin", "DELETE", "/tickets/3", Value::Null).await.ok(204);
    let ids = |body: &Value| -> Vec<u64> {
        body["tickets"].as_array().unwrap().iter().map(|t| t["id"].as_u64().unwrap()).collect()
    };
    let first = account.get("/tickets?page[size]=2").await.ok(200);
    assert_eq!((ids(&first), first["meta"]["has_more"].as_bool()), (vec![1, 2], Some(true)));
    let cursor = first["meta"]["after_cursor"].as_str().unwrap();
    let rest = account.get(&format!("/tickets?page[size]=2&page[after]={cursor}")).await.ok(200);
    assert_eq!((ids(&rest), rest["meta"]["has_more"].as_bool()), (vec![4, 5], Some(false)));
    let offset = account.get("/tickets?per_page=3").await.ok(200);
    assert_eq!((ids(&offset), offset["count"].as_i64()), (vec![1, 2, 4], Some(4)));
    assert!(offset["next_page"].as_str().unwrap().contains("page=2"));
    assert_eq!(offset.get("meta"), None, "without page[size] there are no cursors");
    assert_eq!(account.get("/tickets?page=101").await.status, 400);
    let newest = account.get("/tickets?sort=-id&page[size]=1").await.ok(200);
    assert_eq!(ids(&newest), [5]);
    let many = account.get("/tickets/show_many?ids=5,3,77,1&include=users").await.ok(200);
    assert_eq!(ids(&many), [5, 1], "missing and deleted ones are left out");
    assert_eq!(many["users"].as_array().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn external_ids_are_not_unique() {
    let account = account();
    for _ in 0..2 {
        let id = account.create("t").await;
        let body = json!({"ticket": {"external_id": "x/1"}});
        account.call("admin", "PUT", &format!("/tickets/{id}"), body).await.ok(200);
    }
    let found = account.get("/tickets?external_id=x%2F1").await.ok(200);
    assert_eq!(found["tickets"].as_array().unwrap().len(), 2);
    account.call("admin", "PUT", "/tickets/2", json!({"ticket": {"external_id": null}})).await.ok(200);
    assert_eq!(account.get("/tickets?external_id=x%2F1").await.ok(200)["tickets"][0]["id"], 3);
}

#[tokio::test(start_paused = true)]
async fn files_travel_by_upload_and_live_on_another_host() {
    let account = account();
    let upload = account.upload("crash%20log.txt", b"boom").await;
    assert_eq!(upload["expires_at"], "2025-10-09T09:53:20Z", "60 minutes");
    let comment = json!({"comment": {"body": "see file", "public": false, "uploads": [upload["token"]]}});
    let audit = account.put(comment.clone()).await.ok(200)["audit"].clone();
    let attachment = &audit["events"][0]["attachments"][0];
    assert_eq!(
        (attachment["file_name"].as_str(), attachment["size"].as_i64()),
        (Some("crash log.txt"), Some(4))
    );
    let url = attachment["content_url"].as_str().unwrap();
    assert!(url.starts_with("https://files.zdusercontent.example/"), "{url}");
    let content = account.send(Request::get(url).body(Bytes::new()).unwrap()).await;
    assert_eq!(
        (content.status, &content.raw[..], content.header("content-type")),
        (200, &b"boom"[..], Some("text/plain"))
    );
    assert_eq!(account.sim.credential_leaks(), 0);
    let leaky = Request::get(url).header("authorization", "Bearer x").body(Bytes::new()).unwrap();
    account.send(leaky).await;
    assert_eq!(account.sim.credential_leaks(), 1);
    assert_eq!(account.put(comment).await.status, 422, "a token works once");
    let late = account.upload("late.txt", b"late").await;
    wait_s(3601).await;
    let late = json!({"comment": {"body": "late", "uploads": late["token"]}});
    assert_eq!(account.put(late).await.status, 422, "and for an hour");
    let hasty = account_with(|options| options.upload_token_ms = 500);
    let upload = hasty.upload("late.txt", b"late").await;
    wait_s(1).await;
    let late = json!({"comment": {"body": "late", "uploads": upload["token"]}});
    assert_eq!(hasty.put(late).await.status, 422, "or as the account has it");
}

#[tokio::test(start_paused = true)]
async fn comments_are_listed_oldest_first_with_their_audits() {
    let account = account();
    let people = account.people;
    account.put(json!({"comment": {"body": "a & b\n\nc", "public": false}})).await.ok(200);
    wait_s(1).await;
    account
        .put(json!({"comment": {"html_body": "<p>hi &amp; bye</p>", "author_id": people.customer}}))
        .await
        .ok(200);
    let list = account.get("/tickets/1/comments?page[size]=2").await.ok(200);
    assert_eq!(list["comments"][0]["body"], "It smokes");
    assert_eq!(list["comments"][1]["public"], false);
    assert!(list["comments"][1]["html_body"].as_str().unwrap().contains("<p dir=\"auto\">a &amp; b</p>"));
    let cursor = list["meta"]["after_cursor"].as_str().unwrap();
    let rest = account.get(&format!("/tickets/1/comments?page[size]=2&page[after]={cursor}")).await.ok(200);
    let last = &rest["comments"][0];
    assert_eq!(
        (last["body"].as_str(), last["author_id"].as_i64()),
        (Some("hi & bye"), Some(people.customer))
    );
    assert_eq!(last["public"], true, "what an end user writes is public");
    let newest = account.get("/tickets/1/comments?sort=-created_at&page[size]=1&include=users").await.ok(200);
    assert_eq!(newest["comments"][0]["id"], last["id"]);
    assert_eq!(newest["users"][0]["name"], "customer");
    let audits = account.get("/tickets/1/audits").await.ok(200);
    assert_eq!(audits["audits"].as_array().unwrap().len(), 3);
    assert_eq!(audits["audits"][2]["id"], last["audit_id"]);
    assert_eq!(audits["audits"][2]["author_id"].as_i64(), Some(people.admin));
}

#[tokio::test(start_paused = true)]
async fn a_full_ticket_takes_no_comment_but_other_changes() {
    let account = account_with(|options| options.comments_max = 2);
    account.put(json!({"comment": {"body": "second"}})).await.ok(200);
    let full = account.put(json!({"comment": {"body": "third"}, "priority": "low"})).await.ok(422);
    assert_eq!(full["error"], "RecordInvalid");
    assert_eq!(account.ticket().await["priority"], Value::Null);
    account.put(json!({"priority": "low"})).await.ok(200);
    let long = "x".repeat(65_536);
    assert_eq!(account.put(json!({"comment": {"body": long}})).await.status, 422);
}

#[tokio::test(start_paused = true)]
async fn deleted_tickets_are_gone_until_they_are_restored() {
    let account = account();
    account.call("agent", "DELETE", "/tickets/1", Value::Null).await.ok(204);
    assert_eq!(account.get("/tickets/1").await.status, 404);
    assert_eq!(account.get("/deleted_tickets").await.ok(200)["deleted_tickets"][0]["id"], 1);
    let restored = account.call("agent", "PUT", "/deleted_tickets/1/restore", Value::Null).await.ok(200);
    assert_eq!(restored, json!({}));
    assert_eq!(account.ticket().await["status"], "new");
    let log: Vec<_> = account.sim.changes().into_iter().map(|c| (c.field, c.after)).collect();
    assert_eq!(log, [("deleted".to_owned(), json!(true)), ("deleted".to_owned(), json!(false))]);
}

#[tokio::test(start_paused = true)]
async fn customers_speak_through_requests() {
    let account = account();
    account.put(json!({"status": "solved"})).await.ok(200);
    let comment = json!({"request": {"comment": {"body": "Still smokes"}}});
    let answer = account.call("customer", "PUT", "/requests/1", comment).await.ok(200);
    assert_eq!(answer["request"]["status"], "open", "the requester's comment reopens");
    let new = json!({"request": {"subject": "Again", "comment": {"body": "Hello"}, "status": "solved"}});
    let answer = account.call("customer", "POST", "/requests", new).await.ok(201);
    assert_eq!(answer["request"]["status"], "new", "customers cannot set a status");
    let id = answer["request"]["id"].as_u64().unwrap();
    assert_eq!(account.sim.ticket(id).unwrap()["requester_id"].as_i64(), Some(account.people.customer));
}
