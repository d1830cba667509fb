//! Changing tickets: what is kept, refused, dropped and coupled.

use serde_json::{Value, json};

use crate::support::{account, wait_s};

#[tokio::test(start_paused = true)]
async fn a_safe_update_loses_against_a_newer_change() {
    let account = account();
    let read = account.ticket().await["updated_at"].clone();
    account.put(json!({"priority": "low"})).await.ok(200);
    // `false` means the same as `true`.
    for safe in [json!(true), json!(false)] {
        let lost = account
            .put(json!({"priority": "high", "safe_update": safe, "updated_stamp": read}))
            .await
            .ok(409);
        assert_eq!(lost["error"], "UpdateConflict");
        assert!(lost["description"].as_str().unwrap().starts_with("Safe Update prevented the update"));
    }
    account.put(json!({"priority": "high", "updated_stamp": read})).await.ok(200);
    let fresh = account.ticket().await["updated_at"].clone();
    account.put(json!({"priority": "urgent", "safe_update": true, "updated_stamp": fresh})).await.ok(200);
}

#[tokio::test(start_paused = true)]
async fn two_changes_within_one_second_cannot_be_told_apart() {
    let account = account();
    let stamp = account.put(json!({"priority": "low"})).await.ok(200)["ticket"]["updated_at"].clone();
    account.put(json!({"priority": "normal"})).await.ok(200);
    account.put(json!({"priority": "high", "safe_update": true, "updated_stamp": stamp})).await.ok(200);
}

#[tokio::test(start_paused = true)]
async fn updated_at_moves_with_events_only_and_the_generated_time_always() {
    let account = account();
    let before = account.ticket().await;
    wait_s(90).await;
    let same = account.put(json!({"subject": "Printer"})).await.ok(200);
    assert_eq!(same["ticket"]["updated_at"], before["updated_at"]);
    assert_eq!(same["audit"]["events"], json!([]));
    assert!(same["ticket"]["generated_timestamp"].as_i64() > before["generated_timestamp"].as_i64());
    assert_eq!(account.sim.changes(), []);
}

#[tokio::test(start_paused = true)]
async fn unknown_and_read_only_members_are_dropped_with_a_warning_header() {
    let account = account();
    let body = json!({"id": 9, "description": "other", "created_at": "2020-01-01T00:00:00Z", "priority": "low",
                      "due_at": "2026-01-01T00:00:00Z"});
    let answer = account.put(body).await;
    assert_eq!(
        answer.header("x-zendesk-api-warn"),
        Some(
            "{:allowed_parameters=>{:controller=>\"tickets\", :action=>\"update\", \
             :unpermitted_keys=>[\"ticket.id\", \"ticket.created_at\"], :invalid_values=>[\"ticket.due_at\"]}}"
        )
    );
    let ticket = &answer.ok(200)["ticket"];
    assert_eq!(
        (ticket["description"].as_str(), ticket["priority"].as_str()),
        (Some("It smokes"), Some("low"))
    );
    assert_eq!(account.put(json!({"priority": "high"})).await.header("x-zendesk-api-warn"), None);
}

#[tokio::test(start_paused = true)]
async fn due_dates_are_for_tasks_only() {
    let account = account();
    let due = json!("2026-01-02T03:04:05Z");
    assert_eq!(account.put(json!({"due_at": due})).await.ok(200)["ticket"]["due_at"], Value::Null);
    assert_eq!(account.put(json!({"type": "task", "due_at": due})).await.ok(200)["ticket"]["due_at"], due);
    assert_eq!(account.put(json!({"type": "question"})).await.ok(200)["ticket"]["due_at"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn closed_tickets_cannot_be_changed() {
    let account = account();
    account.put(json!({"status": "closed"})).await.ok(200);
    let refused = account.put(json!({"comment": {"body": "x"}})).await.ok(422);
    let details = json!({"status": [{"description": "Status: closed prevents ticket update"}]});
    assert_eq!(refused["details"], details);
    assert_eq!(account.call("admin", "PUT", "/tickets/1/tags", json!({"tags": ["x"]})).await.status, 422);
    let follow_up = json!({"ticket": {"comment": {"body": "again"}, "via_followup_source_id": 1}});
    account.call("admin", "POST", "/tickets", follow_up).await.ok(201);
    assert_eq!(
        account.get("/tickets/2/related").await.ok(200)["ticket_related"]["followup_source_ids"],
        json!([1])
    );
}

#[tokio::test(start_paused = true)]
async fn statuses_and_custom_statuses_go_in_pairs() {
    let account = account();
    let waiting = account.people.waiting;
    let ticket = account.put(json!({"custom_status_id": waiting})).await.ok(200)["ticket"].clone();
    assert_eq!(ticket["status"], "pending");
    let same = account.put(json!({"status": "pending"})).await.ok(200)["ticket"].clone();
    assert_eq!(same["custom_status_id"].as_u64(), Some(waiting), "the category did not change");
    let solved = account.put(json!({"status": "solved"})).await.ok(200)["ticket"].clone();
    assert_ne!(solved["custom_status_id"].as_u64(), Some(waiting));
    let torn = account.put(json!({"status": "open", "custom_status_id": waiting})).await;
    assert_eq!(torn.status, 422);
    assert_eq!(account.put(json!({"status": "sleeping"})).await.status, 422);
}

#[tokio::test(start_paused = true)]
async fn drop_down_fields_and_tags_move_together() {
    let account = account();
    let (field, text) = (account.people.drop_down, account.people.text_field);
    let value = |ticket: &Value, id: u64| {
        let fields = ticket["custom_fields"].as_array().unwrap();
        fields.iter().find(|f| f["id"].as_u64() == Some(id)).unwrap()["value"].clone()
    };
    let set = |tag: Value| json!({"custom_fields": [{"id": field, "value": tag}], "tags": ["vip"]});
    let ticket = account.put(set(json!("env_live"))).await.ok(200)["ticket"].clone();
    assert_eq!(ticket["tags"], json!(["env_live", "vip"]));
    let ticket =
        account.put(json!({"fields": [{"id": field, "value": "env_test"}]})).await.ok(200)["ticket"].clone();
    assert_eq!(ticket["tags"], json!(["env_test", "vip"]));
    let ticket = account.put(json!({"tags": ["vip"]})).await.ok(200)["ticket"].clone();
    assert_eq!(value(&ticket, field), Value::Null, "removing the tag clears the field");
    let ticket = account.put(json!({"tags": "vip ENV_live"})).await.ok(200)["ticket"].clone();
    assert_eq!(value(&ticket, field), "env_live");
    assert_eq!(account.put(set(json!("env_none"))).await.status, 422);
    let ticket =
        account.put(json!({"custom_fields": [{"id": text, "value": 7}]})).await.ok(200)["ticket"].clone();
    assert_eq!(value(&ticket, text), "7");
    let unknown = account.put(json!({"custom_fields": [{"id": 1, "value": "x"}]})).await;
    assert!(unknown.header("x-zendesk-api-warn").unwrap().contains("custom_fields.1"));
}

#[tokio::test(start_paused = true)]
async fn the_assignee_is_an_agent_of_the_group() {
    let account = account();
    let people = account.people;
    for (assignee, group) in
        [(people.customer, people.group), (people.loner, people.group), (people.agent, people.other_group)]
    {
        let refused = account.put(json!({"assignee_id": assignee, "group_id": group})).await.ok(422);
        assert!(refused["details"]["assignee_id"].is_array(), "{refused}");
    }
    let ticket = account.put(json!({"assignee_email": "agent@example.com"})).await.ok(200)["ticket"].clone();
    assert_eq!(ticket["group_id"].as_u64(), Some(people.group));
    assert_eq!(account.put(json!({"assignee_id": 5})).await.status, 422);
    let moved = account.put(json!({"group_id": people.other_group})).await.ok(200)["ticket"].clone();
    assert_eq!(moved["assignee_id"], Value::Null, "the assignee is not in the new group");
}

#[tokio::test(start_paused = true)]
async fn the_organization_is_the_requesters() {
    let account = account();
    let people = account.people;
    let moved = account.put(json!({"requester_id": people.agent})).await.ok(200)["ticket"].clone();
    assert_eq!(moved["organization_id"], Value::Null);
    assert_eq!(account.put(json!({"organization_id": people.organization})).await.status, 422);
}

#[tokio::test(start_paused = true)]
async fn tag_endpoints_add_replace_and_remove() {
    let account = account();
    let tags = |method: &'static str, body: Value| account.call("admin", method, "/tickets/1/tags", body);
    assert_eq!(tags("PUT", json!({"tags": ["b", "A"]})).await.ok(200)["tags"], json!(["a", "b"]));
    assert_eq!(tags("PUT", json!({"tags": ["c"]})).await.ok(200)["tags"], json!(["a", "b", "c"]));
    assert_eq!(tags("DELETE", json!({"tags": ["a"]})).await.ok(200)["tags"], json!(["b", "c"]));
    assert_eq!(tags("POST", json!({"tags": ["z"]})).await.ok(201)["tags"], json!(["z"]));
    assert_eq!(account.get("/tickets/1/tags").await.ok(200)["tags"], json!(["z"]));
    let stale = json!({"tags": ["y"], "updated_stamp": "2020-01-01T00:00:00Z", "safe_update": "true"});
    assert_eq!(tags("PUT", stale).await.status, 409);
}

#[tokio::test(start_paused = true)]
async fn a_solved_ticket_reopens_when_its_requester_comments() {
    let account = account();
    let customer = account.people.customer;
    account.put(json!({"status": "solved"})).await.ok(200);
    account.put(json!({"comment": {"body": "by an agent"}})).await.ok(200);
    assert_eq!(account.ticket().await["status"], "solved");
    let reopened = account.put(json!({"comment": {"body": "no", "author_id": customer}})).await.ok(200);
    assert_eq!(reopened["ticket"]["status"], "open");
}

#[tokio::test(start_paused = true)]
async fn every_change_is_logged_with_its_actor_and_edit() {
    let account = account();
    let body =
        json!({"ticket": {"subject": "New", "tags": ["x"], "comment": {"body": "hi", "public": false}}});
    account.call_with("agent", "PUT", "/tickets/1", body, &[("x-world-edit", "e-7")]).await.ok(200);
    let changes = account.sim.changes();
    let told: Vec<_> = changes.iter().map(|c| (c.field.as_str(), &c.before, &c.after)).collect();
    let agent = account.people.agent;
    let comment = json!({"id": changes[0].after["id"], "public": false, "body": "hi", "author": agent});
    assert_eq!(
        told,
        [
            ("comment", &Value::Null, &comment),
            ("title", &json!("Printer"), &json!("New")),
            ("tags", &json!([]), &json!(["x"])),
        ]
    );
    assert!(changes.iter().all(|c| c.actor == agent && c.edit.as_deref() == Some("e-7") && c.record == "1"));
    assert_eq!(changes.iter().map(|c| c.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(account.sim.changes_after(2).len(), 1);
}
