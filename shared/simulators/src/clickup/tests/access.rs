//! Tokens, limits, and what one may see.

use std::time::Duration;

use super::*;

async fn with_header(bench: &Bench, authorization: Option<&str>, path: &str) -> Got {
    let mut request = request(BOT, "GET", path, Value::Null);
    match authorization {
        Some(text) => request.headers_mut().insert("Authorization", text.parse().unwrap()),
        None => request.headers_mut().remove("Authorization"),
    };
    send(&bench.sim, request).await
}

#[tokio::test(start_paused = true)]
async fn tokens_are_told_apart_by_their_codes() {
    let bench = Bench::new();
    let arranged = bench.sim.seed(|seed| {
        seed.add_oauth_token("tok", ANN);
        seed.add_oauth_code("code", "app", "hush", SAM);
        seed.disable_member(GUEST);
    });
    arranged.unwrap();
    for (header, path, error) in [
        (None, "/api/v2/user", (401, "OAUTH_017")),
        (Some("pk_1"), "/api/v2/user", (401, "OAUTH_025")),
        (Some("nonsense"), "/api/v2/user", (401, "OAUTH_025")),
        (Some("pk_200"), "/api/v2/user", (401, "OAUTH_025")),
        (Some("Bearer pk_9001"), "/api/v2/user", (401, "OAUTH_019")),
        (Some("Bearer code"), "/api/v2/user", (401, "OAUTH_019")),
        (Some("pk_9001"), "/api/v2/team/1/task", (401, "OAUTH_027")),
        (Some("pk_9001"), "/api/v2/team/1/space", (401, "OAUTH_027")),
        (Some("Bearer tok"), "/api/v2/user", (200, "")),
    ] {
        assert_eq!(with_header(&bench, header, path).await.error(), error, "{header:?} {path}");
    }
    let exchange = async |secret: &str| {
        let body = json!({"client_id": "app", "client_secret": secret, "code": "code"});
        bench.call("POST", "/api/v2/oauth/token", body).await
    };
    assert_eq!(exchange("wrong").await.error(), (401, "OAUTH_010"));
    let token = exchange("hush").await.body["access_token"].as_str().unwrap().to_owned();
    let me = with_header(&bench, Some(&format!("Bearer {token}")), "/api/v2/user").await;
    assert_eq!(me.body["user"]["id"], SAM);
    assert_eq!(exchange("hush").await.status, 401, "a code is good once");
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_a_fixed_minute_per_token() {
    let bench = Bench::with(ClickUpOptions { unlimited: false, ..options() });
    let header = |got: &Got, name: &str| got.headers[name].to_str().unwrap().parse::<i64>().unwrap();
    for used in 1..=100 {
        let got = bench.call("GET", "/api/v2/user", Value::Null).await;
        assert_eq!((got.status, header(&got, "x-ratelimit-remaining")), (200, 100 - used));
        assert_eq!(header(&got, "x-ratelimit-limit"), 100);
        tokio::time::advance(Duration::from_millis(60)).await;
    }
    let got = bench.call("GET", "/api/v2/user", Value::Null).await;
    assert_eq!(got.error(), (429, "APP_002"));
    assert_eq!(got.body["err"], "Rate limit reached");
    assert_eq!(header(&got, "x-ratelimit-reset"), START_MS / 1_000 + 60, "a Unix time in seconds");
    assert_eq!(bench.call_as(ANN, "GET", "/api/v2/user", Value::Null).await.status, 200, "another token");
    let mut edit = request(BOT, "GET", "/api/v2/user", Value::Null);
    edit.headers_mut().insert("x-world-edit", "e".parse().unwrap());
    assert_eq!(send(&bench.sim, edit).await.status, 200, "a person in the application is not limited");
    tokio::time::advance(Duration::from_secs(54)).await;
    assert_eq!(header(&bench.call("GET", "/api/v2/user", Value::Null).await, "x-ratelimit-remaining"), 99);
    assert_eq!(bench.sim.rejected(), 1);
    assert_eq!(bench.sim.calls()["GET /user"], 102);
    assert_eq!(bench.sim.calls_by(ANN)["GET /user"], 1);
}

#[tokio::test(start_paused = true)]
async fn faults_strike_before_anything_happens() {
    let faults = Faults { server_error: 0.5, too_many: 0.2, seed: 7, ..Faults::default() };
    let bench = Bench::with(ClickUpOptions { faults, ..options() });
    let mut seen = std::collections::BTreeMap::<bool, usize>::new();
    let mut limited = 0;
    for _ in 0..100 {
        let got = bench.call("POST", &format!("/api/v2/list/{LIST}/task"), json!({"name": "a"})).await;
        *seen.entry(got.status == 200).or_default() += 1;
        limited += u64::from(got.status == 429);
    }
    assert_eq!(bench.sim.tasks().len(), seen[&true]);
    assert!(seen[&true] > 10 && seen[&false] > 30 && limited > 5, "{seen:?} {limited}");
    assert_eq!(bench.sim.rejected(), limited);
}

#[tokio::test(start_paused = true)]
async fn unknown_routes_answer_501() {
    let bench = Bench::new();
    for (method, path) in [
        ("GET", "/api/v2/goal/1"),
        ("PATCH", "/api/v2/task/1"),
        ("GET", "/"),
        ("GET", "/api/v3/workspaces/1/docs"),
    ] {
        assert_eq!(bench.call(method, path, Value::Null).await.status, 501, "{method} {path}");
    }
    assert!(bench.sim.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn guests_and_outsiders_see_only_what_they_are_invited_to() {
    let bench = Bench::new();
    let id = bench.create(json!({"name": "a"})).await;
    let other = bench.call("POST", &format!("/api/v2/list/{OTHER_LIST}/task"), json!({"name": "b"})).await;
    let other = other.body["id"].as_str().unwrap().to_owned();
    let see = async |user: i64, task: &str| {
        bench.call_as(user, "GET", &format!("/api/v2/task/{task}"), Value::Null).await.status
    };
    assert_eq!((see(GUEST, &id).await, see(GUEST, &other).await), (200, 404));
    let tasks = bench.call_as(GUEST, "GET", &format!("/api/v2/team/{TEAM}/task"), Value::Null).await;
    assert_eq!(tasks.body["tasks"].as_array().unwrap().len(), 1);
    let got = bench.call_as(GUEST, "GET", &format!("/api/v2/list/{OTHER_LIST}"), Value::Null).await;
    assert_eq!(got.error(), (403, "ACCESS_083"));
    bench.sim.seed(|seed| seed.set_access(LIST, &[SAM], true)).unwrap();
    assert_eq!((see(ANN, &id).await, see(SAM, &id).await, see(BOT, &id).await), (404, 200, 200));
    let members = bench.get(&format!("/api/v2/list/{LIST}/member")).await;
    assert_eq!(members["members"][0]["id"], SAM);
    bench.sim.seed(|seed| seed.set_access(LIST, &[SAM, GUEST], false)).unwrap();
    let lists = bench.sim.lists();
    assert_eq!(lists[0]["guests"], json!([GUEST]));
    let members = bench.get(&format!("/api/v2/task/{id}/member")).await;
    assert_eq!(members["members"].as_array().unwrap().iter().filter(|member| member["role"] == 4).count(), 1);
    assert!(bench.sim.seed(|seed| seed.share_task(&id, true)).unwrap());
    assert_eq!(bench.get(&format!("/api/v2/task/{id}")).await["sharing"]["public"], true);
}

#[tokio::test(start_paused = true)]
async fn the_directory_has_roles_and_members_without_an_address() {
    let bench = Bench::new();
    let teams = bench.get("/api/v2/team").await;
    let members = teams["teams"][0]["members"].as_array().unwrap();
    let rows: Vec<_> = members.iter().map(|m| (m["user"]["id"].clone(), m["user"]["role"].clone())).collect();
    assert_eq!(
        rows,
        [(json!(ANN), json!(3)), (json!(SAM), json!(3)), (json!(GUEST), json!(4)), (json!(BOT), json!(2))]
    );
    assert_eq!(members[1]["user"]["email"], Value::Null);
    let list = bench.get(&format!("/api/v2/list/{LIST}")).await;
    let names: Vec<_> = list["statuses"].as_array().unwrap().iter().map(|s| s["status"].clone()).collect();
    assert_eq!(names, ["to do", "in progress", "ready", "Closed"]);
    assert_eq!(list["space"]["id"], SPACE);
    let ids = |body: Value, name: &str| -> Vec<Value> {
        body[name].as_array().unwrap().iter().map(|row| row["id"].clone()).collect()
    };
    assert_eq!(ids(bench.get(&format!("/api/v2/team/{TEAM}/space")).await, "spaces"), [SPACE]);
    assert_eq!(ids(bench.get(&format!("/api/v2/space/{SPACE}/list")).await, "lists"), [LIST]);
    assert_eq!(ids(bench.get(&format!("/api/v2/space/{SPACE}/folder")).await, "folders"), ["456"]);
    assert_eq!(ids(bench.get("/api/v2/folder/456/list").await, "lists"), [OTHER_LIST]);
    assert_eq!(ids(bench.get(&format!("/api/v2/list/{LIST}/field")).await, "fields").len(), 7);
    assert_eq!(bench.call("GET", "/api/v2/list/1", Value::Null).await.error(), (404, "SUBCAT_901"));
}
