//! Webhooks: what is sent, signed how, and what becomes of those that fail.

use std::time::Duration;

use super::*;
use crate::clickup::deliveries::signature;

#[tokio::test(start_paused = true)]
async fn each_change_brings_the_documented_deliveries() {
    let bench = Bench::new();
    let id = bench.create(json!({"name": "a", "description": "old"})).await;
    bench.hook(json!({})).await;
    let path = format!("/api/v2/task/{id}");
    let field = format!("{path}/field/{}", bench.drop_down.id);
    let move_path = format!("/api/v3/workspaces/{TEAM}/tasks/{id}/home_list/{OTHER_LIST}");
    let twin = |own: &str, field: &str| vec![format!("{own} {field}"), format!("taskUpdated {field}")];
    let cases: [(&str, &str, Value, Vec<String>); 15] = [
        ("PUT", &path, json!({"status": "ready"}), twin("taskStatusUpdated", "status")),
        ("PUT", &path, json!({"priority": 2}), twin("taskPriorityUpdated", "priority")),
        ("PUT", &path, json!({"assignees": {"add": [ANN]}}), twin("taskAssigneeUpdated", "assignee_add")),
        ("PUT", &path, json!({"assignees": {"rem": [ANN]}}), twin("taskAssigneeUpdated", "assignee_rem")),
        ("PUT", &path, json!({"due_date": START_MS}), twin("taskDueDateUpdated", "due_date")),
        ("PUT", &path, json!({"name": "b"}), vec!["taskUpdated name".into()]),
        ("PUT", &path, json!({"description": "new"}), vec!["taskUpdated content".into()]),
        ("PUT", &path, json!({"archived": true}), vec!["taskUpdated archived".into()]),
        ("PUT", &path, json!({"name": "b"}), vec![]),
        ("POST", &format!("{path}/tag/vip"), Value::Null, twin("taskTagUpdated", "tag")),
        ("POST", &field, json!({"value": 1}), vec!["taskUpdated custom_field".into()]),
        (
            "POST",
            &format!("{path}/comment"),
            json!({"comment_text": "x"}),
            twin("taskCommentPosted", "comment"),
        ),
        (
            "PUT",
            &move_path,
            json!({"status_mappings": [{"source_status_id": format!("sc{LIST}_2"), "destination_status_id": format!("sc{OTHER_LIST}_1")}]}),
            vec![
                "spaceUpdated".into(),
                "taskMoved section_moved".into(),
                "taskStatusUpdated status".into(),
                "taskUpdated section_moved".into(),
                "taskUpdated status".into(),
            ],
        ),
        ("DELETE", &path, Value::Null, vec!["taskDeleted".into()]),
        (
            "POST",
            &format!("/api/v2/list/{LIST}/task"),
            json!({"name": "c"}),
            vec!["taskCreated status".into(), "taskStatusUpdated status".into()],
        ),
    ];
    for (method, path, body, wanted) in cases {
        let got = bench.call(method, path, body.clone()).await;
        assert!(got.status < 300, "{method} {path} {body}: {}", got.body);
        bench.settle().await;
        assert_eq!(bench.receiver.names(), wanted, "{method} {path} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn payloads_have_the_recorded_shapes() {
    let bench = Bench::new();
    let id = bench.create(json!({"name": "a"})).await;
    let hook = bench.hook(json!({})).await;
    let path = format!("/api/v2/task/{id}");
    let sent = async |method: &str, path: &str, body: Value| {
        bench.call_as(ANN, method, path, body).await;
        bench.settle().await;
        bench.receiver.take()
    };
    let status = sent("PUT", &path, json!({"status": "in progress"})).await;
    assert_eq!(status[0]["history_items"], status[1]["history_items"], "twins share the item, id and all");
    assert_eq!((&status[0]["task_id"], &status[0]["webhook_id"]), (&json!(id), &hook["id"]));
    let item = &status[0]["history_items"][0];
    assert_eq!(
        (&item["parent_id"], &item["type"], &item["user"]["id"]),
        (&json!(LIST), &json!(1), &json!(ANN))
    );
    assert_eq!(item["id"].as_str().unwrap().len(), 19);
    assert_eq!(
        item["before"],
        json!({"status": "to do", "color": "#7b68ee", "orderindex": 0, "type": "open"})
    );
    assert_eq!(item["data"], json!({"status_type": "custom"}));

    let assigned = sent("PUT", &path, json!({"assignees": {"add": [SAM]}})).await;
    let item = &assigned[0]["history_items"][0];
    assert!(item.get("before").is_none() && item["after"]["id"] == SAM);

    let content = sent("PUT", &path, json!({"description": "a\nb"})).await;
    let item = &content[0]["history_items"][0];
    let delta: Value = serde_json::from_str(item["after"].as_str().unwrap()).unwrap();
    assert_eq!((&item["before"], &delta["ops"][0]["insert"]), (&Value::Null, &json!("a")));

    let due = sent("PUT", &path, json!({"due_date": START_MS, "due_date_time": true})).await;
    assert_eq!(due[0]["history_items"][0]["after"], START_MS.to_string());
    assert_eq!(due[0]["history_items"][0]["data"]["due_date_time"], true);

    let field = format!("{path}/field/{}", bench.drop_down.id);
    let custom = sent("POST", &field, json!({"value": 1})).await;
    let item = &custom[0]["history_items"][0];
    assert_eq!(item["after"], bench.drop_down.options[1].id, "in webhooks a drop-down is the option's UUID");
    assert_eq!(item["custom_field"]["type"], "drop_down");

    let posted = sent("POST", &format!("{path}/comment"), json!({"comment_text": "hi"})).await;
    let comment = posted[0]["history_items"][0].clone();
    assert_eq!(comment["comment"]["text_content"], "hi\n");
    assert_eq!(comment["after"], comment["comment"]["id"]);
    let edited = format!("/api/v2/comment/{}", comment["after"].as_str().unwrap());
    let edited =
        sent("PUT", &edited, json!({"comment_text": "ho", "resolved": false, "assignee": null})).await;
    assert_eq!(edited[0]["event"], "taskCommentUpdated");
    let item = &edited[0]["history_items"][0];
    assert_eq!(
        (&item["id"], &item["date"]),
        (&comment["id"], &comment["date"]),
        "an edit repeats the post's item"
    );
    assert_eq!(item["comment"]["comment"][0]["text"], "ho");

    let deleted = sent("DELETE", &path, Value::Null).await;
    assert_eq!(deleted, [json!({"event": "taskDeleted", "task_id": id, "webhook_id": hook["id"]})]);
}

#[tokio::test(start_paused = true)]
async fn an_attachment_on_a_task_sends_nothing() {
    let bench = Bench::new();
    let id = bench.create(json!({"name": "a"})).await;
    bench.hook(json!({})).await;
    let mut request = request(BOT, "POST", &format!("/api/v2/task/{id}/attachment"), Value::Null);
    request.headers_mut().insert("Content-Type", "multipart/form-data; boundary=B".parse().unwrap());
    let body =
        "--B\r\nContent-Disposition: form-data; name=\"attachment\"; filename=\"a\"\r\n\r\nx\r\n--B--\r\n";
    *request.body_mut() = Bytes::from(body);
    assert_eq!(send(&bench.sim, request).await.status, 200);
    assert!(bench.sim.idle());
}

#[tokio::test(start_paused = true)]
async fn deliveries_are_signed_over_their_raw_body() {
    let bench = Bench::new();
    let hook = bench.hook(json!({})).await;
    bench.create(json!({"name": "a"})).await;
    bench.settle().await;
    let seen = bench.receiver.seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    for request in seen.iter() {
        let wanted = signature(hook["secret"].as_str().unwrap(), request.body());
        assert_eq!(request.headers()["x-signature"], wanted.as_str());
        assert_eq!(request.uri(), "https://hooks.example/clickup");
    }
    // The documented vector.
    let body =
        r#"{"webhook_id":"7689a169-a000-4985-8676-6902b96d6627","event":"taskCreated","task_id":"c0j"}"#;
    assert_eq!(
        signature("secret", body.as_bytes()),
        "4830bf524f6e29a3e8da953936c6f21c1fea2b9669b825d3e1be293ef3416c8c"
    );
    let Some(folder) = std::env::var_os("DESKUP_FIXTURES") else { return };
    let path = std::path::Path::new(&folder).join("clickup/webhooks/signature_vectors.json");
    let vectors: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for vector in vectors["vectors"].as_array().unwrap() {
        let text = |name: &str| vector[name].as_str().unwrap();
        assert_eq!(signature(text("secret"), text("body").as_bytes()), text("expected_signature_header"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_hears_of_its_most_specific_place_only() {
    let bench = Bench::new();
    let hook = bench.hook(json!({"space_id": 789, "list_id": OTHER_LIST, "events": ["taskCreated"]})).await;
    assert_eq!((&hook["space_id"], &hook["list_id"]), (&Value::Null, &json!(901_101)));
    assert_eq!(hook["events"], json!(["taskCreated"]));
    bench.create(json!({"name": "a"})).await;
    assert!(bench.sim.idle());
    bench.call("POST", &format!("/api/v2/list/{OTHER_LIST}/task"), json!({"name": "b"})).await;
    bench.settle().await;
    assert_eq!(bench.receiver.names(), ["taskCreated status"]);
}

#[tokio::test(start_paused = true)]
async fn webhooks_belong_to_their_maker_and_are_made_once() {
    let bench = Bench::new();
    let hook = bench.hook(json!({})).await;
    let path = format!("/api/v2/team/{TEAM}/webhook");
    let again = json!({"endpoint": "https://hooks.example/clickup", "events": "*"});
    assert_eq!(bench.call("POST", &path, again.clone()).await.error(), (400, "OAUTH_171"));
    assert_eq!(bench.call("POST", &path, json!({"endpoint": "x"})).await.error(), (400, "WEBHOOK_902"));
    assert_eq!(bench.get(&path).await["webhooks"][0], hook);
    assert_eq!(bench.call_as(ANN, "GET", &path, Value::Null).await.body["webhooks"], json!([]));
    let own = format!("/api/v2/webhook/{}", hook["id"].as_str().unwrap());
    assert_eq!(bench.call_as(ANN, "DELETE", &own, Value::Null).await.error(), (404, "WEBHOOK_901"));
    assert_eq!(
        bench.call("PUT", &own, json!({"endpoint": "https://x.example"})).await.error(),
        (400, "WEBHOOK_902")
    );
    assert_eq!(bench.call("DELETE", &own, Value::Null).await.status, 200);
    bench.create(json!({"name": "a"})).await;
    assert!(bench.sim.idle());
}

#[tokio::test(start_paused = true)]
async fn an_event_is_tried_five_times_and_then_dropped() {
    let bench = Bench::new();
    bench.hook(json!({"events": ["taskCreated"]})).await;
    // No answer in time counts like a bad one.
    *bench.receiver.answers.lock().unwrap() = vec![500, 0, 503, 404, 500];
    bench.create(json!({"name": "a"})).await;
    bench.settle().await;
    assert_eq!(bench.receiver.take().len(), 5);
    assert_eq!(bench.sim.webhooks()[0]["health"], json!({"status": "failing", "fail_count": 1}));
    *bench.receiver.answers.lock().unwrap() = vec![204];
    bench.create(json!({"name": "b"})).await;
    bench.settle().await;
    assert_eq!(bench.receiver.take().len(), 1);
    assert_eq!(bench.sim.webhooks()[0]["health"], json!({"status": "active", "fail_count": 0}));
}

#[tokio::test(start_paused = true)]
async fn too_many_failures_or_a_401_suspend_until_revived() {
    for (status, events) in [(500, 100), (401, 1), (410, 1)] {
        let bench = Bench::new();
        let hook = bench.hook(json!({"events": ["taskCreated"]})).await;
        *bench.receiver.answers.lock().unwrap() = vec![status];
        for _ in 0..events {
            assert_ne!(bench.sim.webhooks()[0]["health"]["status"], "suspended");
            bench.create(json!({"name": "a"})).await;
            bench.settle().await;
        }
        assert_eq!(bench.sim.webhooks()[0]["health"]["status"], "suspended", "{status}");
        bench.create(json!({"name": "lost"})).await;
        assert!(bench.sim.idle());
        bench.receiver.take();
        let own = format!("/api/v2/webhook/{}", hook["id"].as_str().unwrap());
        let body = json!({"endpoint": hook["endpoint"], "events": "*", "status": "active"});
        let got = bench.call("PUT", &own, body).await;
        assert_eq!(got.body["webhook"]["health"], json!({"status": "active", "fail_count": 0}));
        assert_eq!(got.body["webhook"]["events"].as_array().unwrap().len(), 28);
        bench.settle().await;
        assert_eq!(bench.receiver.take().len(), 0, "nothing is resent");
    }
}

#[tokio::test(start_paused = true)]
async fn the_webhook_of_a_disabled_user_falls_silent() {
    let bench = Bench::new();
    let hook = json!({"endpoint": "https://hooks.example/ann", "events": "*"});
    bench.call_as(ANN, "POST", &format!("/api/v2/team/{TEAM}/webhook"), hook).await;
    bench.sim.seed(|seed| seed.disable_member(ANN)).unwrap();
    bench.create(json!({"name": "a"})).await;
    assert!(bench.sim.idle());
    assert_eq!(bench.sim.webhooks()[0]["health"]["status"], "active", "and nobody is told");
}

#[tokio::test(start_paused = true)]
async fn nobody_hears_of_lists_they_do_not_see() {
    let bench = Bench::new();
    let hook = json!({"endpoint": "https://hooks.example/ann", "events": "*"});
    bench.call_as(ANN, "POST", &format!("/api/v2/team/{TEAM}/webhook"), hook).await;
    bench.sim.seed(|seed| seed.set_access(LIST, &[SAM], true)).unwrap();
    bench.create(json!({"name": "a"})).await;
    assert!(bench.sim.idle());
    bench.sim.seed(|seed| seed.set_access(LIST, &[ANN], true)).unwrap();
    bench.create(json!({"name": "b"})).await;
    bench.settle().await;
    assert_eq!(bench.receiver.take().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn faults_drop_double_and_delay_deliveries() {
    for (faults, copies) in [
        (Faults { webhook_drop: 1.0, ..Faults::default() }, 0),
        (Faults { webhook_duplicate: 1.0, ..Faults::default() }, 4),
    ] {
        let bench = Bench::with(ClickUpOptions { faults, ..options() });
        bench.hook(json!({})).await;
        bench.create(json!({"name": "a"})).await;
        bench.settle().await;
        assert_eq!(bench.receiver.take().len(), copies);
    }
    let faults = Faults { webhook_delay_ms: (5_000, 9_000), ..Faults::default() };
    let bench = Bench::with(ClickUpOptions { faults, ..options() });
    bench.hook(json!({})).await;
    bench.create(json!({"name": "a"})).await;
    tokio::time::sleep(Duration::from_millis(4_900)).await;
    assert_eq!(bench.receiver.take().len(), 0);
    tokio::time::sleep(Duration::from_millis(4_200)).await;
    assert_eq!(bench.receiver.take().len(), 2);
}
