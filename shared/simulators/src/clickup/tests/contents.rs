//! Custom fields, tags, comments and attachments.

use super::*;

#[tokio::test(start_paused = true)]
async fn custom_fields_are_written_in_one_form_and_read_in_another() {
    let bench = Bench::new();
    let id = bench.create(json!({"name": "a"})).await;
    let [one, two] = [&bench.labels.options[0].id, &bench.labels.options[1].id];
    let midnight = START_MS - 10 * 3_600_000;
    let cases = [
        (&bench.drop_down, json!({"value": bench.drop_down.options[1].id}), Ok(json!(1))),
        (&bench.drop_down, json!({"value": 2}), Ok(json!(2))),
        (&bench.drop_down, json!({"value": 3}), Err((400, "FIELD_011"))),
        (&bench.drop_down, json!({"value": "two"}), Err((400, "FIELD_011"))),
        (&bench.labels, json!({"value": [one, two]}), Ok(json!([one, two]))),
        (&bench.labels, json!({"value": [two]}), Ok(json!([two]))),
        (&bench.number, json!({"value": 23}), Ok(json!("23"))),
        (&bench.number, json!({"value": "many"}), Err((400, "FIELD_903"))),
        (&bench.checkbox, json!({"value": true}), Ok(json!("true"))),
        (&bench.text, json!({"value": "a\r\nb"}), Ok(json!("a\nb"))),
        (&bench.date, json!({"value": START_MS}), Ok(json!((midnight + 4 * 3_600_000).to_string()))),
        (
            &bench.date,
            json!({"value": START_MS, "value_options": {"time": true}}),
            Ok(json!(START_MS.to_string())),
        ),
        (&bench.special, json!({"value": "x"}), Err((400, "FIELD_902"))),
        (&bench.text, json!({}), Err((400, "FIELD_903"))),
    ];
    for (field, body, wanted) in cases {
        let got = bench.call("POST", &format!("/api/v2/task/{id}/field/{}", field.id), body.clone()).await;
        match wanted {
            Ok(value) => assert_eq!(read(&bench, &id, &field.id).await, Some(value), "{body}"),
            Err(error) => assert_eq!(got.error(), error, "{body}"),
        }
    }
    bench.call("DELETE", &format!("/api/v2/task/{id}/field/{}", bench.number.id), Value::Null).await;
    assert_eq!(read(&bench, &id, &bench.number.id).await, None);
    let logged = bench.sim.changes();
    let field = format!("custom:{}", bench.drop_down.id);
    let logged = logged.iter().find(|change| change.field == field).unwrap();
    assert_eq!(
        logged.after,
        json!(bench.drop_down.options[1].id),
        "the log has the option, not its position"
    );
}

async fn read(bench: &Bench, task: &str, field: &str) -> Option<Value> {
    let task = bench.get(&format!("/api/v2/task/{task}")).await;
    let fields = task["custom_fields"].as_array().unwrap();
    fields.iter().find(|found| found["id"] == field).unwrap().get("value").cloned()
}

#[tokio::test(start_paused = true)]
async fn tags_cost_a_call_each_and_their_names_are_decoded_and_lowered() {
    let bench = Bench::new();
    let id = bench.create(json!({"name": "a"})).await;
    for (method, tag, left) in [
        ("POST", "Late%20Delivery", json!(["late delivery"])),
        ("POST", "a%2Fb", json!(["a/b", "late delivery"])),
        ("DELETE", "LATE%20delivery", json!(["a/b"])),
        ("DELETE", "never", json!(["a/b"])),
    ] {
        let got = bench.call(method, &format!("/api/v2/task/{id}/tag/{tag}"), Value::Null).await;
        let task = bench.get(&format!("/api/v2/task/{id}")).await;
        let names: Value = task["tags"].as_array().unwrap().iter().map(|tag| tag["name"].clone()).collect();
        assert_eq!((got.status, names), (200, left), "{method} {tag}");
    }
}

#[tokio::test(start_paused = true)]
async fn comments_come_newest_first_in_pages_that_repeat_the_last_one() {
    let bench = Bench::new();
    let id = bench.create(json!({"name": "a"})).await;
    let path = format!("/api/v2/task/{id}/comment");
    for number in 0..60 {
        let got = bench
            .call("POST", &path, json!({"comment_text": format!("c{number}"), "notify_all": false}))
            .await;
        assert!(got.body["id"].is_u64() && got.body["hist_id"].is_string() && got.body["date"].is_i64());
    }
    let mut seen = Vec::new();
    let mut query = String::new();
    loop {
        let page = bench.get(&format!("{path}{query}")).await;
        let page = page["comments"].as_array().unwrap().clone();
        let last = page.last().unwrap().clone();
        seen.extend(page.iter().map(|comment| comment["comment_text"].as_str().unwrap().to_owned()));
        if page.len() < 25 {
            break;
        }
        query =
            format!("?start={}&start_id={}", last["date"].as_str().unwrap(), last["id"].as_str().unwrap());
    }
    assert_eq!(
        (seen.len(), &seen[0], &seen[24], &seen[25]),
        (62, &"c59".into(), &"c35".into(), &"c35".into())
    );
    let lone = bench.get(&format!("{path}?start=1")).await;
    assert_eq!(lone["comments"][0]["comment_text"], "c59", "one of the two is as good as none");
    let task = bench.get(&format!("/api/v2/task/{id}")).await;
    assert_eq!(task["date_updated"], task["date_created"]);
}

#[tokio::test(start_paused = true)]
async fn comments_are_edited_answered_and_deleted() {
    let bench = Bench::new();
    let task = bench.create(json!({"name": "a"})).await;
    let path = format!("/api/v2/task/{task}/comment");
    let blocks = json!({"comment": [{"text": "bold", "attributes": {"bold": true}}, {"text": "\n"}]});
    let id = bench.call("POST", &path, blocks.clone()).await.body["id"].to_string();
    let found = bench.get(&path).await["comments"][0].clone();
    assert_eq!((&found["comment_text"], &found["comment"]), (&json!("bold"), &blocks["comment"]));
    let reply = format!("/api/v2/comment/{id}/reply");
    bench.call_as(ANN, "POST", &reply, json!({"comment_text": "yes"})).await;
    let found = bench.get(&path).await["comments"].clone();
    assert_eq!((found.as_array().unwrap().len(), &found[0]["reply_count"]), (1, &json!(1)), "{found}");
    assert_eq!(bench.get(&reply).await["comments"][0]["user"]["id"], ANN);
    let edit = json!({"comment_text": "plain\r\n", "assignee": SAM, "resolved": true});
    bench.call("PUT", &format!("/api/v2/comment/{id}"), edit).await;
    let found = bench.get(&path).await["comments"][0].clone();
    assert_eq!((&found["comment_text"], &found["resolved"]), (&json!("plain"), &json!(true)));
    assert_eq!(found["assignee"]["id"], SAM);
    assert_eq!(found["comment"][1]["attributes"]["block-id"], format!("block-{id}-0"));
    assert_eq!(bench.sim.task(&task).unwrap()["comments"][0]["replies"][0]["comment_text"], "yes");
    bench.call("DELETE", &format!("/api/v2/comment/{id}"), Value::Null).await;
    assert_eq!(bench.get(&path).await["comments"], json!([]));
    assert_eq!(bench.call("GET", &reply, Value::Null).await.error(), (404, "COMMENT_901"));
    assert_eq!(bench.call("POST", &path, json!({"comment_text": "\n"})).await.error(), (400, "COMMENT_902"));
}

#[tokio::test(start_paused = true)]
async fn comments_move_date_updated_only_where_the_option_says_so() {
    let bench = Bench::with(ClickUpOptions { comments_move_date_updated: true, ..options() });
    let id = bench.create(json!({"name": "a"})).await;
    tokio::time::advance(std::time::Duration::from_secs(5)).await;
    bench.call("POST", &format!("/api/v2/task/{id}/comment"), json!({"comment_text": "x"})).await;
    assert_eq!(
        bench.get(&format!("/api/v2/task/{id}")).await["date_updated"],
        (START_MS + 5_000).to_string()
    );
}

#[tokio::test(start_paused = true)]
async fn files_are_uploaded_listed_with_their_task_and_served_by_another_host_without_a_token() {
    let bench = Bench::with(ClickUpOptions { storage_bytes_max: Some(8), ..options() });
    let id = bench.create(json!({"name": "a"})).await;
    let upload = |text: &str| {
        let body = format!(
            "--B\r\nContent-Disposition: form-data; name=\"attachment\"; filename=\"a log.txt\"\r\nContent-Type: text/plain\r\n\r\n{text}\r\n--B--\r\n"
        );
        let mut request = request(BOT, "POST", &format!("/api/v2/task/{id}/attachment"), Value::Null);
        request.headers_mut().insert("Content-Type", "multipart/form-data; boundary=B".parse().unwrap());
        *request.body_mut() = Bytes::from(body);
        request
    };
    let got = send(&bench.sim, upload("12345")).await;
    assert_eq!(
        (got.status, &got.body["title"], &got.body["extension"]),
        (200, &json!("a log.txt"), &json!("txt"))
    );
    let task = bench.get(&format!("/api/v2/task/{id}")).await;
    assert_eq!(task["attachments"][0]["url"], got.body["url"]);
    assert_eq!(task["attachments"][0]["size"], 5);
    let listed = bench.get(&format!("/api/v2/list/{LIST}/task")).await;
    assert!(listed["tasks"][0].get("attachments").is_none());
    let url = got.body["url"].as_str().unwrap();
    assert!(url.starts_with(&format!("https://t{TEAM}.p.clickup-attachments.example/")), "{url}");
    let plain = Request::get(url).body(Bytes::new()).unwrap();
    let file = bench.sim.handle(plain).await;
    assert_eq!((file.status().as_u16(), &file.body()[..]), (200, &b"12345"[..]));
    let with_token = Request::get(url).header("Authorization", "pk_1").body(Bytes::new()).unwrap();
    assert_eq!(bench.sim.handle(with_token).await.status().as_u16(), 400);
    assert_eq!(send(&bench.sim, upload("6789")).await.error(), (400, "GBUSED_005"));
}
