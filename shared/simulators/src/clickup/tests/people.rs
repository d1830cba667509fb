//! What people do to tasks: copy them, let them recur, move them.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_copy_has_the_footer_fields_and_tags_but_another_creator() {
    let bench = Bench::new();
    let id = bench
        .create(json!({
            "name": "a", "description": "text\n\n[marker:1:abc]", "tags": ["t"], "assignees": [ANN], "status": "ready",
            "custom_fields": [{"id": bench.number.id, "value": 7}],
        }))
        .await;
    bench.call("POST", &format!("/api/v2/task/{id}/comment"), json!({"comment_text": "x"})).await;
    bench.hook(json!({})).await;
    let copy = bench.sim.duplicate_task(&id, ANN, Some("e1")).unwrap();
    let again = bench.sim.recur_task(&id, BOT, None).unwrap();
    let task = bench.sim.task(&copy).unwrap();
    let original = bench.sim.task(&id).unwrap();
    for member in ["name", "description", "custom_fields", "assignees", "status", "list"] {
        assert_eq!(task[member], original[member], "{member}");
    }
    assert_eq!((&task["creator"]["id"], &task["comments"]), (&json!(ANN), &json!([])));
    let recurred = bench.sim.task(&again).unwrap();
    assert_eq!((&recurred["status"]["status"], &recurred["creator"]["id"]), (&json!("to do"), &json!(BOT)));
    bench.settle().await;
    assert_eq!(bench.receiver.take().len(), 4, "people's tasks send webhooks like any");
    let log = bench.sim.changes();
    let logged = log.iter().find(|change| change.record == copy).unwrap();
    assert_eq!(
        (logged.actor, &logged.after["copy_of"], logged.edit.as_deref()),
        (ANN, &json!(id), Some("e1"))
    );
    assert_eq!(bench.sim.duplicate_task("9hx", ANN, None).unwrap_err().code, "ITEM_015");
}

#[tokio::test(start_paused = true)]
async fn a_move_keeps_the_task_and_maps_its_status() {
    let bench = Bench::new();
    let value = json!([{"id": bench.number.id, "value": 7}]);
    let id = bench.create(json!({"name": "a", "status": "in progress", "custom_fields": value})).await;
    let child = bench.create(json!({"name": "b", "parent": id})).await;
    let path = |list: &str| format!("/api/v3/workspaces/{TEAM}/tasks/{id}/home_list/{list}");
    let refused = bench.call("PUT", &path(OTHER_LIST), json!({})).await;
    assert_eq!((refused.status, &refused.body["status"]), (400, &json!(400)), "{}", refused.body);
    assert!(refused.body["message"].is_string() && refused.body["trace_id"].is_i64());
    assert_eq!(bench.call("PUT", &path("1"), json!({})).await.status, 404);
    let mapping = json!({"status_mappings": [
        {"source_status_id": format!("sc{LIST}_1"), "destination_status_id": format!("sc{OTHER_LIST}_1")}]});
    let moved = bench.call("PUT", &path(OTHER_LIST), mapping).await;
    assert_eq!(moved.body, json!({"data": {"task_id": id, "new_list_id": OTHER_LIST}}));
    let task = bench.get(&format!("/api/v2/task/{id}")).await;
    assert_eq!((&task["list"]["id"], &task["status"]["status"]), (&json!(OTHER_LIST), &json!("working")));
    assert_eq!(task["custom_fields"], json!([]), "the new list does not have the field");
    assert_eq!(bench.get(&format!("/api/v2/task/{child}")).await["list"]["id"], OTHER_LIST);
    let back = json!({"status_mappings": [
        {"source_status_id": format!("sc{OTHER_LIST}_1"), "destination_status_id": format!("sc{LIST}_0")}]});
    bench.call("PUT", &path(LIST), back).await;
    let task = bench.sim.task(&id).unwrap();
    let field =
        task["custom_fields"].as_array().unwrap().iter().find(|f| f["id"] == bench.number.id).unwrap();
    assert_eq!(field["value"], "7", "hidden, not lost");
    bench.call("PUT", &path(OTHER_LIST), json!({"move_custom_fields": true})).await;
    let task = bench.sim.task(&id).unwrap();
    assert_eq!(task["custom_fields"].as_array().unwrap().len(), 7);
    let list = bench.get(&format!("/api/v2/list/{OTHER_LIST}/task?subtasks=true")).await;
    assert_eq!(list["tasks"].as_array().unwrap().len(), 2);
    let forbidden = Bench::with(ClickUpOptions { moves_allowed: false, ..options() });
    let id = forbidden.create(json!({"name": "a"})).await;
    let path = format!("/api/v3/workspaces/{TEAM}/tasks/{id}/home_list/{OTHER_LIST}");
    assert_eq!(forbidden.call("PUT", &path, json!({})).await.status, 403);
}
