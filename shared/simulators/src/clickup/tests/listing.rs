//! Tasks by filter.

use std::time::Duration;

use super::*;

async fn names(bench: &Bench, path: &str) -> Vec<String> {
    let body = bench.get(path).await;
    body["tasks"].as_array().unwrap().iter().map(|task| task["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn pages_hold_a_hundred_and_only_lists_say_which_is_the_last() {
    let bench = Bench::new();
    for number in 0..205 {
        bench.create(json!({"name": format!("t{number:03}")})).await;
        tokio::time::advance(Duration::from_millis(10)).await;
    }
    let list = format!("/api/v2/list/{LIST}/task");
    for (page, count, last) in [(0, 100, false), (1, 100, false), (2, 5, true), (3, 0, true)] {
        let body = bench.get(&format!("{list}?page={page}")).await;
        assert_eq!((body["tasks"].as_array().unwrap().len(), &body["last_page"]), (count, &json!(last)));
    }
    let team = bench.get(&format!("/api/v2/team/{TEAM}/task")).await;
    assert!(team.get("last_page").is_none());
    assert_eq!(names(&bench, &list).await[0], "t204", "newest first");
    assert_eq!(names(&bench, &format!("{list}?order_by=created&reverse=true&page=2")).await[0], "t200");
    // A full pass sees every task once.
    let mut all = Vec::new();
    for page in 0..3 {
        all.extend(names(&bench, &format!("/api/v2/team/{TEAM}/task?page={page}&reverse=true")).await);
    }
    all.dedup();
    assert_eq!(all.len(), 205);
}

#[tokio::test(start_paused = true)]
async fn filters_leave_out_what_they_should() {
    let bench = Bench::new();
    let create = async |name: &str, mut body: Value| {
        tokio::time::advance(Duration::from_secs(1)).await;
        body["name"] = json!(name);
        bench.create(body).await
    };
    let open = create(
        "open",
        json!({"tags": ["a"], "assignees": [ANN], "due_date": START_MS, "due_date_time": true}),
    )
    .await;
    create("closed", json!({"status": "Closed"})).await;
    create("child", json!({"parent": open})).await;
    let archived = create("archived", json!({})).await;
    bench.call("PUT", &format!("/api/v2/task/{archived}"), json!({"archived": true})).await;
    let value = json!([{"id": bench.drop_down.id, "value": bench.drop_down.options[1].id}]);
    create("field", json!({"custom_fields": value, "status": "in progress"})).await;
    tokio::time::advance(Duration::from_secs(60)).await;
    bench.call("PUT", &format!("/api/v2/task/{open}"), json!({"priority": 1})).await;
    let at = |seconds: i64| START_MS + seconds * 1_000;
    let filter = |operator: &str, value: &str| {
        let text =
            json!([{"field_id": bench.drop_down.id, "operator": operator, "value": value}]).to_string();
        format!("custom_fields={}", crate::http_text::encode(&text))
    };
    let option = bench.drop_down.options[1].id.as_str();
    let cases: Vec<(String, &[&str])> = vec![
        (String::new(), &["field", "open"]),
        ("include_closed=true".into(), &["field", "closed", "open"]),
        ("subtasks=true".into(), &["field", "child", "open"]),
        (format!("parent={open}"), &["child"]),
        ("order_by=updated".into(), &["open", "field"]),
        ("order_by=updated&reverse=true".into(), &["field", "open"]),
        ("statuses[]=In%20Progress".into(), &["field"]),
        ("tags[]=a".into(), &["open"]),
        (format!("assignees[]={ANN}"), &["open"]),
        (format!("date_updated_gt={}", at(5)), &["open"]),
        (format!("date_updated_gt={}&order_by=updated&reverse=true", at(4)), &["field", "open"]),
        (format!("date_created_gt={}", at(1)), &["field"]),
        (format!("date_created_gt={}", at(1) - 1), &["field", "open"]),
        (format!("date_created_lt={}", at(2)), &["open"]),
        (format!("due_date_gt={}", START_MS - 1), &["open"]),
        (filter("=", option), &["field"]),
        (filter("IS NULL", ""), &["open"]),
        (filter("!=", option), &["open"]),
        (format!("list_ids[]={OTHER_LIST}"), &[]),
        (format!("list_ids[]={LIST}&list_ids[]={OTHER_LIST}"), &["field", "open"]),
        ("project_ids[]=456".into(), &[]),
        (format!("space_ids[]={SPACE}"), &["field", "open"]),
        ("archived=true".into(), &["field", "open"]),
    ];
    for (query, wanted) in cases {
        let path = format!("/api/v2/team/{TEAM}/task?{query}");
        assert_eq!(names(&bench, &path).await, wanted, "{query}");
    }
    let list = format!("/api/v2/list/{LIST}/task");
    assert_eq!(names(&bench, &format!("{list}?archived=true")).await, ["archived"]);
    assert_eq!(names(&bench, &list).await, ["field", "open"]);
}

#[tokio::test(start_paused = true)]
async fn a_new_task_reaches_filtered_lists_after_a_while_but_is_there_at_once() {
    let faults = Faults { visibility_delay_ms: (2_000, 3_000), ..Faults::default() };
    let bench = Bench::with(ClickUpOptions { faults, ..options() });
    let id = bench.create(json!({"name": "a"})).await;
    let list = format!("/api/v2/list/{LIST}/task");
    assert_eq!(names(&bench, &list).await, Vec::<String>::new());
    bench.get(&format!("/api/v2/task/{id}")).await;
    tokio::time::advance(Duration::from_secs(3)).await;
    assert_eq!(names(&bench, &list).await, ["a"]);
}
