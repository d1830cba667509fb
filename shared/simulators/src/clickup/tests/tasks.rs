//! Tasks: made, read, changed, deleted.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_task_is_created_with_everything_and_reads_back() {
    let bench = Bench::new();
    let body = json!({
        "name": "  Broken printer \n", "description": "line one\r\nline two\r\n\n", "status": "IN PROGRESS",
        "priority": 2, "assignees": [ANN], "tags": ["VIP", "new one"], "due_date": START_MS, "due_date_time": true,
        "nonsense": 1, "notify_all": false,
        "custom_fields": [{"id": bench.drop_down.id, "value": bench.drop_down.options[2].id},
                          {"id": bench.special.id, "value": "dropped, as it is for another task type"}],
    });
    let id = bench.create(body).await;
    let task = bench.get(&format!("/api/v2/task/{id}?include_markdown_description=true")).await;
    assert_eq!(task["name"], "Broken printer");
    assert_eq!(task["description"], "line one\nline two");
    assert_eq!(task["text_content"], task["description"]);
    assert_eq!(task["markdown_description"], task["description"]);
    assert_eq!(task["status"]["status"], "in progress");
    assert_eq!(task["status"]["type"], "custom");
    assert_eq!(task["priority"]["id"], "2");
    assert_eq!(task["assignees"][0]["id"], ANN);
    assert_eq!(task["tags"][0]["name"], "new one");
    assert_eq!(task["tags"][1]["name"], "vip");
    assert_eq!(task["due_date"], START_MS.to_string());
    assert_eq!(task["date_created"], START_MS.to_string());
    assert_eq!(task["creator"]["id"], BOT);
    assert_eq!(task["list"]["id"], LIST);
    assert_eq!(task["folder"]["hidden"], true);
    assert_eq!(task["attachments"], json!([]));
    assert_eq!(task["sharing"]["public"], false);
    let field = |id: &str| {
        let fields = task["custom_fields"].as_array().unwrap();
        fields.iter().find(|field| field["id"] == id).unwrap().clone()
    };
    assert_eq!(field(&bench.drop_down.id)["value"], 2, "a drop-down reads as a position");
    assert!(field(&bench.special.id).get("value").is_none(), "an unset field has no value at all");
    let tags = bench.get(&format!("/api/v2/space/{SPACE}/tag")).await;
    let names: Vec<&str> =
        tags["tags"].as_array().unwrap().iter().filter_map(|tag| tag["name"].as_str()).collect();
    assert_eq!(names, ["known", "new one", "vip"], "a tag the Space did not have is created");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_created_is_refused_and_leaves_nothing() {
    let bench = Bench::new();
    let cases = [
        (LIST, json!({}), (400, "INPUT_005")),
        (LIST, json!({"name": "x", "status": "nowhere"}), (400, "CRTSK_001")),
        (LIST, json!({"name": "x", "priority": 9}), (400, "INPUT_901")),
        (LIST, json!({"name": "x", "assignees": [4711]}), (400, "ITEM_901")),
        (LIST, json!({"name": "x", "description": "x".repeat(256 * 1024 + 1)}), (400, "ITEM_900")),
        (LIST, json!({"name": "x", "parent": "9hx"}), (400, "ITEM_902")),
        (LIST, json!({"name": "x", "custom_fields": [{"id": "no", "value": 1}]}), (404, "FIELD_901")),
        (
            LIST,
            json!({"name": "x", "custom_fields": [{"id": bench.drop_down.id, "value": "no"}]}),
            (400, "FIELD_011"),
        ),
        ("1", json!({"name": "x"}), (404, "SUBCAT_901")),
    ];
    for (list, body, error) in cases {
        let got = bench.call("POST", &format!("/api/v2/list/{list}/task"), body.clone()).await;
        assert_eq!(got.error(), error, "{}", body.to_string().chars().take(80).collect::<String>());
    }
    assert_eq!(bench.sim.tasks(), Vec::<Value>::new());
    assert_eq!(bench.sim.changes(), Vec::new());
}

#[tokio::test(start_paused = true)]
async fn a_full_list_takes_no_more_and_counts_archived_tasks() {
    let bench = Bench::with(ClickUpOptions { list_tasks_max: 2, ..options() });
    let first = bench.create(json!({"name": "a"})).await;
    bench.call("PUT", &format!("/api/v2/task/{first}"), json!({"archived": true})).await;
    bench.create(json!({"name": "b"})).await;
    let got = bench.call("POST", &format!("/api/v2/list/{LIST}/task"), json!({"name": "c"})).await;
    assert_eq!(got.error(), (400, "SUBCAT_900"));
}

#[tokio::test(start_paused = true)]
async fn an_update_changes_what_it_names_and_ignores_the_rest() {
    let bench = Bench::new();
    let id = bench
        .create(json!({"name": "a", "description": "d", "priority": 1, "assignees": [ANN], "tags": ["t"]}))
        .await;
    let path = format!("/api/v2/task/{id}");
    // Body, and the member that shows the effect with its value afterwards.
    let cases = [
        (json!({"description": ""}), "description", json!("d")),
        (
            json!({"tags": ["other"], "list": OTHER_LIST, "state": "ready"}),
            "date_updated",
            json!(START_MS.to_string()),
        ),
        (
            json!({"custom_fields": [{"id": bench.text.id, "value": "x"}]}),
            "date_updated",
            json!(START_MS.to_string()),
        ),
        (json!({"description": " "}), "description", json!("")),
        (
            json!({"markdown_content": "**b** [l](https://x.example)", "description": "loses"}),
            "description",
            json!("b l"),
        ),
        (json!({"priority": null}), "priority", Value::Null),
        (json!({"due_date": START_MS, "due_date_time": true}), "due_date", json!(START_MS.to_string())),
        (json!({"due_date": null}), "due_date", Value::Null),
        (json!({"name": "b"}), "name", json!("b")),
        (json!({"archived": true}), "archived", json!(true)),
        (json!({"archived": false}), "archived", json!(false)),
    ];
    for (body, member, value) in cases {
        let got = bench.call("PUT", &path, body.clone()).await;
        assert_eq!((got.status, &got.body[member]), (200, &value), "{body}");
        assert_eq!(got.body["tags"][0]["name"], "t");
        assert_eq!(got.body["list"]["id"], LIST);
    }
    let task = bench.get(&format!("{path}?include_markdown_description=true")).await;
    assert_eq!(task["markdown_description"], "**b** [l](https://x.example)");
    bench.call("PUT", &path, json!({"description": "b l"})).await;
    let task = bench.get(&format!("{path}?include_markdown_description=true")).await;
    assert_eq!(task["markdown_description"], "b l", "writing back what was read destroys the formatting");
    let got = bench.call("PUT", &path, json!({"assignees": {"add": [SAM], "rem": [ANN]}})).await;
    assert_eq!(got.body["assignees"].as_array().unwrap().len(), 1);
    assert_eq!(got.body["assignees"][0]["id"], SAM);
    assert_eq!(bench.call("PUT", &path, json!({"status": "nowhere"})).await.error(), (400, "CRTSK_001"));
}

#[tokio::test(start_paused = true)]
async fn closing_sets_the_times_and_reopening_clears_them() {
    let bench = Bench::new();
    let id = bench.create(json!({"name": "a"})).await;
    for (status, done, closed) in
        [("ready", true, false), ("closed", true, true), ("to do", false, false), ("CLOSED", true, true)]
    {
        let got = bench.call("PUT", &format!("/api/v2/task/{id}"), json!({"status": status})).await;
        let seen = (got.body["date_done"].is_string(), got.body["date_closed"].is_string());
        assert_eq!(seen, (done, closed), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_without_a_time_is_four_in_the_morning_of_its_writer() {
    let bench = Bench::new();
    let id = bench.create(json!({"name": "a", "due_date": START_MS})).await;
    let day = START_MS - 6 * 3_600_000;
    assert_eq!(bench.get(&format!("/api/v2/task/{id}")).await["due_date"], day.to_string());
    let path = format!("/api/v2/task/{id}");
    bench.call_as(ANN, "PUT", &path, json!({"due_date": START_MS, "due_date_time": false})).await;
    assert_eq!(
        bench.get(&path).await["due_date"],
        (day - 2 * 3_600_000).to_string(),
        "Ann lives two hours east"
    );
}

#[tokio::test(start_paused = true)]
async fn a_deleted_task_is_gone_and_says_so() {
    let bench = Bench::new();
    let id = bench.create(json!({"name": "a"})).await;
    let child = bench.create(json!({"name": "b", "parent": id})).await;
    bench.call("POST", &format!("/api/v2/task/{id}/comment"), json!({"comment_text": "x"})).await;
    let got = bench.call("DELETE", &format!("/api/v2/task/{id}"), Value::Null).await;
    assert_eq!((got.status, got.body), (204, Value::Null));
    for id in [&id, &child] {
        for (method, path) in [("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/comment")] {
            let got = bench.call(method, &format!("/api/v2/task/{id}{path}"), Value::Null).await;
            assert_eq!(got.error(), (404, "ITEM_013"), "{method} {path}");
        }
    }
    assert_eq!(bench.call("GET", "/api/v2/task/9hx", Value::Null).await.error(), (404, "ITEM_015"));
}

#[tokio::test(start_paused = true)]
async fn a_space_may_allow_one_assignee_only() {
    let bench = Bench::new();
    bench.sim.seed(|seed| seed.add_single_assignee_space(SPACE, "Support")).unwrap();
    let id = bench.create(json!({"name": "a", "assignees": [ANN, SAM]})).await;
    let got = bench.call("PUT", &format!("/api/v2/task/{id}"), json!({"assignees": {"add": [SAM]}})).await;
    let ids: Vec<_> =
        got.body["assignees"].as_array().unwrap().iter().map(|user| user["id"].clone()).collect();
    assert_eq!(ids, [json!(SAM)]);
}

#[tokio::test(start_paused = true)]
async fn every_change_is_logged_field_by_field_with_its_author() {
    let bench = Bench::new();
    let id = bench.create(json!({"name": "a"})).await;
    let mut edit = request(
        ANN,
        "PUT",
        &format!("/api/v2/task/{id}"),
        json!({"name": "b", "status": "ready", "priority": 3}),
    );
    edit.headers_mut().insert("x-world-edit", "e7".parse().unwrap());
    send(&bench.sim, edit).await;
    bench.call("POST", &format!("/api/v2/task/{id}/tag/VIP"), Value::Null).await;
    bench.call("POST", &format!("/api/v2/task/{id}/comment"), json!({"comment_text": "hello"})).await;
    let log = bench.sim.changes();
    let rows: Vec<_> = log.iter().map(|c| (c.seq, c.actor, c.field.as_str(), c.edit.as_deref())).collect();
    assert_eq!(
        rows,
        [
            (1, BOT, "created", None),
            (2, ANN, "title", Some("e7")),
            (3, ANN, "status", Some("e7")),
            (4, ANN, "priority", Some("e7")),
            (5, BOT, "tags", None),
            (6, BOT, "comment", None),
        ]
    );
    assert!(log.iter().all(|change| change.record == id));
    assert_eq!((&log[2].before, &log[2].after), (&json!("to do"), &json!("ready")));
    assert_eq!((&log[4].before, &log[4].after), (&json!([]), &json!(["vip"])));
    assert_eq!((&log[5].after["body"], &log[5].after["public"]), (&json!("hello"), &json!(false)));
    assert_eq!(bench.sim.changes_after(4).len(), 2);
}
