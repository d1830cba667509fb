//! What the ClickUp client asks and how it reads the answers.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use bytes::Bytes;
use clients::{ErrorKind, TaskQuery};
use common::*;
use domain::{ListId, NewTask, TaskId, TaskPatch, UserId};
use serde_json::{Value as Json, json};

fn task_id() -> TaskId {
    TaskId::new("9hx").unwrap()
}

fn list() -> ListId {
    ListId::new("126232272").unwrap()
}

fn task(id: &str) -> Json {
    json!({"id": id, "name": "n", "status": {"status": "to do", "type": "open"}, "list": {"id": "126232272"}, "date_updated": "5"})
}

#[tokio::test(start_paused = true)]
async fn a_personal_token_goes_without_bearer() {
    let script = Script::answers(vec![ok(json!({"user": {"id": 183, "username": "Sync"}}))]);
    assert_eq!(clickup(&script).me().await.unwrap().id, Some(UserId(183)));
    assert_eq!(script.header(0, "authorization").unwrap(), "pk_secret");
}

#[tokio::test(start_paused = true)]
async fn members_are_those_of_our_workspace() {
    let teams = json!({"teams": [{"id": "1", "members": [{"user": {"id": 1}}]},
        {"id": "9001", "members": [{"user": {"id": 2, "username": "B", "email": "B@x.org", "role": 4}}]}]});
    let script = Script::answers(vec![ok(teams)]);
    let members = clickup(&script).members().await.unwrap();
    assert_eq!(
        (members.len(), members[0].role.as_str(), members[0].email.as_deref()),
        (1, "guest", Some("b@x.org"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_workspace_that_is_not_ours_is_an_error() {
    let script = Script::answers(vec![ok(json!({"teams": []}))]);
    assert_eq!(clickup(&script).members().await.unwrap_err().kind, ErrorKind::Auth);
}

#[tokio::test(start_paused = true)]
async fn deleted_and_invisible_look_the_same() {
    for (status, body) in [
        (404, json!({"err": "Task not found, deleted", "ECODE": "ITEM_013"})),
        (401, json!({"err": "Task not found", "ECODE": "ITEM_015"})),
    ] {
        let script = Script::answers(vec![answer(status, body)]);
        assert_eq!(clickup(&script).task(&task_id()).await.unwrap(), None);
    }
    let script =
        Script::answers(vec![answer(401, json!({"err": "Team not authorized", "ECODE": "OAUTH_027"}))]);
    assert_eq!(clickup(&script).task(&task_id()).await.unwrap_err().kind, ErrorKind::Auth);
}

#[tokio::test(start_paused = true)]
async fn a_new_task_tells_nobody() {
    let script = Script::answers(vec![ok(task("9hx"))]);
    let new = NewTask {
        name: "n".into(),
        description: "d".into(),
        status: Some("to do".into()),
        priority: Some(2),
        assignees: [UserId(3)].into(),
        tags: ["a b".to_owned()].into(),
        due_date: Some(9),
        due_date_time: true,
        custom_fields: [("f".to_owned(), json!("v"))].into(),
    };
    clickup(&script).create_task(&list(), &new).await.unwrap();
    let expected = json!({"name": "n", "description": "d", "notify_all": false, "status": "to do", "priority": 2,
        "assignees": [3], "tags": ["a b"], "due_date": 9, "due_date_time": true, "custom_fields": [{"id": "f", "value": "v"}]});
    assert_eq!(script.body(0), expected);
    assert_eq!(script.lines(), ["POST /api/v2/list/126232272/task"]);
}

#[tokio::test(start_paused = true)]
async fn tags_fields_and_lists_have_calls_of_their_own() {
    let script = Script::answers(vec![ok(json!({}))]);
    let client = clickup(&script);
    client.add_tag(&task_id(), "a/b c?ü").await.unwrap();
    client.remove_tag(&task_id(), "x").await.unwrap();
    client.set_field(&task_id(), "f-1", &json!(["o"])).await.unwrap();
    client.clear_field(&task_id(), "f-1").await.unwrap();
    client.move_task(&task_id(), &list()).await.unwrap();
    let expected = [
        "POST /api/v2/task/9hx/tag/a%2Fb%20c%3F%C3%BC",
        "DELETE /api/v2/task/9hx/tag/x",
        "POST /api/v2/task/9hx/field/f-1",
        "DELETE /api/v2/task/9hx/field/f-1",
        "PUT /api/v3/workspaces/9001/tasks/9hx/home_list/126232272",
    ];
    assert_eq!(script.lines(), expected);
    assert_eq!(script.body(2), json!({"value": ["o"]}));
    for tag in ["", ".", ".."] {
        assert_eq!(client.add_tag(&task_id(), tag).await.unwrap_err().kind, ErrorKind::Refused);
    }
    assert_eq!(script.requests().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_task_update_is_repeated_after_a_lost_reply() {
    let script = Script::answers(vec![lost(), ok(task("9hx"))]);
    let patch = TaskPatch { name: Some("new".into()), ..Default::default() };
    clickup(&script).update_task(&task_id(), &patch).await.unwrap();
    assert_eq!((script.requests().len(), script.body(1)), (2, json!({"name": "new"})));
}

#[tokio::test(start_paused = true)]
async fn queries_ask_for_closed_tasks_and_subtasks() {
    let script = Script::answers(vec![ok(json!({"tasks": [task("a")], "last_page": true}))]);
    let client = clickup(&script);
    let query = TaskQuery {
        updated_gt: Some(7),
        order_by_updated: true,
        lists: vec![list()],
        page: 2,
        ..Default::default()
    };
    client.team_tasks(&query).await.unwrap();
    client
        .list_tasks(&list(), &TaskQuery { archived: true, created_gt: Some(8), ..Default::default() })
        .await
        .unwrap();
    let expected = [
        "GET /api/v2/team/9001/task?page=2&include_closed=true&subtasks=true&order_by=updated&reverse=false&date_updated_gt=7&list_ids%5B%5D=126232272",
        "GET /api/v2/list/126232272/task?page=0&include_closed=true&subtasks=true&order_by=created&reverse=false&date_created_gt=8&archived=true",
    ];
    assert_eq!(script.lines(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_page_without_the_flag_is_the_last_when_it_is_short_and_odd_tasks_are_named() {
    let full: Vec<Json> = (0..100).map(|number| task(&format!("t{number}"))).collect();
    let mut odd = full.clone();
    odd[3] = json!({"id": "odd", "status": 5});
    let script = Script::answers(vec![
        ok(json!({"tasks": full})),
        ok(json!({"tasks": odd})),
        ok(json!({"tasks": [task("z")]})),
    ]);
    let client = clickup(&script);
    let first = client.team_tasks(&TaskQuery::default()).await.unwrap();
    assert_eq!((first.tasks.len(), first.last_page), (100, false));
    let second = client.team_tasks(&TaskQuery::default()).await.unwrap();
    assert_eq!(
        (second.tasks.len(), second.last_page, second.unreadable),
        (99, false, vec!["odd".to_owned()])
    );
    assert!(client.team_tasks(&TaskQuery::default()).await.unwrap().last_page);
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_tasks_goes_through_all_pages() {
    use futures::TryStreamExt;
    let script = Script::new(|_, at| ok(json!({"tasks": [task(&format!("t{at}"))], "last_page": at == 2})));
    let tasks: Vec<_> =
        Box::pin(clickup(&script).team_task_stream(TaskQuery::default())).try_collect().await.unwrap();
    assert_eq!((tasks.len(), script.requests().len()), (3, 3));
}

fn comment(id: u64) -> Json {
    json!({"id": id.to_string(), "comment_text": format!("c{id}"), "user": {"id": 1, "username": "U"}, "date": (1000 + id).to_string()})
}

#[tokio::test(start_paused = true)]
async fn comments_are_read_to_the_last_and_repeats_dropped() {
    // Newest first, 25 a page; the reference comment comes again.
    let script = Script::new(|request, _| {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let from = query.rsplit_once("start_id=").map_or(60, |(_, id)| id.parse::<u64>().unwrap());
        ok(json!({"comments": (1..=from).rev().take(25).map(comment).collect::<Vec<_>>()}))
    });
    let client = clickup(&script);
    let comments = client.comments(&task_id()).await.unwrap();
    let expected: Vec<String> = (1..=60).map(|id| id.to_string()).collect();
    assert_eq!(comments.iter().map(|comment| comment.id.clone()).collect::<Vec<_>>(), expected);
    assert_eq!(script.lines()[1], "GET /api/v2/task/9hx/comment?start=1036&start_id=36");
    let calls = script.requests().len();
    let recent = client.recent_comments(&task_id()).await.unwrap();
    assert_eq!((recent.len(), recent[24].id.as_str(), script.requests().len()), (25, "60", calls + 1));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_repeats_for_ever_ends() {
    let script =
        Script::answers(vec![ok(json!({"comments": (1..=25).rev().map(comment).collect::<Vec<_>>()}))]);
    assert_eq!(clickup(&script).comments(&task_id()).await.unwrap().len(), 25);
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_comment_is_added_once_and_its_id_is_text() {
    let script = Script::answers(vec![ok(json!({"id": 90110164070264_u64, "hist_id": "1", "date": 5}))]);
    let client = clickup(&script);
    assert_eq!(client.create_comment(&task_id(), "text").await.unwrap(), "90110164070264");
    assert_eq!(script.body(0), json!({"comment_text": "text", "notify_all": false}));
    let script = Script::answers(vec![lost()]);
    assert_eq!(clickup(&script).create_comment(&task_id(), "t").await.unwrap_err().kind, ErrorKind::Unknown);
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_file_is_attached_as_multipart() {
    let script = Script::answers(vec![ok(json!({"id": "a.png", "version": "0", "url": "https://x/a"}))]);
    let id = clickup(&script).attach(&task_id(), "a.png", Bytes::from_static(b"\x00PNG")).await.unwrap();
    assert_eq!(id, "a.png");
    let kind = script.header(0, "content-type").unwrap();
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    let body = script.requests()[0].body().clone();
    assert!(body.starts_with(format!("--{boundary}\r\n").as_bytes()));
    assert!(body.windows(8).any(|part| part == b"\r\n\r\n\x00PNG"));
}

#[tokio::test(start_paused = true)]
async fn lists_fields_and_webhooks_are_read() {
    let script = Script::new(|request, _| match (request.method().as_str(), request.uri().path()) {
        ("GET", "/api/v2/list/126232272") => ok(
            json!({"id": "126232272", "name": "L", "space": {"id": 5}, "statuses": [{"status": "to do", "type": "open"}, {"status": "done", "type": "closed"}]}),
        ),
        ("GET", "/api/v2/list/126232272/field") => ok(
            json!({"fields": [{"id": "f", "name": "F", "type": "labels", "type_config": {"options": [{"id": "o", "label": "O"}]}}]}),
        ),
        ("GET", "/api/v2/list/126232272/member") => ok(json!({"members": [{"id": 4, "username": "M"}]})),
        ("POST", _) => ok(json!({"id": "w", "webhook": {"id": "w", "secret": "s"}})),
        ("GET", "/api/v2/team/9001/webhook") => ok(
            json!({"webhooks": [{"id": "w", "endpoint": "https://e", "events": ["taskCreated"], "health": {"status": "suspended", "fail_count": 100}}]}),
        ),
        ("DELETE", _) => answer(404, json!({"err": "Webhook not found", "ECODE": "WH_1"})),
        _ => ok(json!({})),
    });
    let client = clickup(&script);
    let info = client.list(&list()).await.unwrap();
    assert_eq!((info.space.as_str(), info.statuses.len()), ("5", 2));
    assert_eq!(client.fields(&list()).await.unwrap()[0].options, [("o".to_owned(), "O".to_owned())]);
    assert_eq!(client.list_members(&list()).await.unwrap()[0].id, Some(UserId(4)));
    let made = client.create_webhook("https://e", &["taskCreated"], Some(&list())).await.unwrap();
    assert_eq!((made.id.as_str(), made.secret.reveal()), ("w", "s"));
    let webhook = client.webhooks().await.unwrap().remove(0);
    assert_eq!((webhook.status.as_str(), webhook.fail_count), ("suspended", 100));
    client.update_webhook("w", "https://e", &["*"], "active").await.unwrap();
    client.update_webhook("w", "https://e", &["taskCreated"], "active").await.unwrap();
    let sent = [script.body(5)["events"].clone(), script.body(6)["events"].clone()];
    assert_eq!(sent, [json!("*"), json!(["taskCreated"])]);
    client.delete_webhook("gone").await.unwrap();
}
