//! Who may do what, and how a refusal looks.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use simulators::zendesk::Role;

use crate::support::{account, wait_s};

#[tokio::test(start_paused = true)]
async fn wrong_credentials_are_401_except_for_users_me_which_shows_nobody() {
    let account = account();
    let request = |path: &str| {
        Request::builder()
            .uri(format!("https://account.zendesk.example/api/v2{path}"))
            .header("authorization", "Bearer wrong")
            .body(Bytes::new())
            .unwrap()
    };
    let refused = account.send(request("/tickets/1")).await;
    assert_eq!((refused.status, refused.body), (401, json!({"error": "Couldn't authenticate you"})));
    let nobody = account.send(request("/users/me")).await.ok(200);
    assert_eq!(nobody["user"]["name"], "Anonymous user");
    assert_eq!(nobody["user"]["id"], Value::Null);
    let me = account.get("/users/me.json").await.ok(200);
    assert_eq!(
        (me["user"]["role"].as_str(), me["user"]["id"].as_i64()),
        (Some("admin"), Some(account.people.admin))
    );
}

#[tokio::test(start_paused = true)]
async fn client_credentials_give_a_token_for_thirty_minutes() {
    let account = account();
    let ask = |secret: &str| {
        let body = json!({
            "grant_type": "client_credentials", "client_id": "deskup", "client_secret": secret, "scope": "read",
        });
        Request::builder()
            .method("POST")
            .uri("https://account.zendesk.example/oauth/tokens")
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_string()))
            .unwrap()
    };
    assert_eq!(account.send(ask("guess")).await.status, 401);
    let answer = account.send(ask("hush")).await.ok(200);
    assert_eq!((answer["expires_in"].as_i64(), answer["token_type"].as_str()), (Some(1800), Some("bearer")));
    assert_eq!(answer.get("refresh_token"), None);
    let token = answer["access_token"].as_str().unwrap().to_owned();
    let with_token = |method: &str| {
        let body = json!({"ticket": {"priority": "low"}}).to_string();
        Request::builder()
            .method(method)
            .uri("https://account.zendesk.example/api/v2/tickets/1")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Bytes::from(body))
            .unwrap()
    };
    assert_eq!(account.send(with_token("GET")).await.status, 200);
    assert_eq!(account.send(with_token("PUT")).await.status, 403, "the scope does not cover writes");
    wait_s(1801).await;
    assert_eq!(account.send(with_token("GET")).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn tokens_are_revoked_and_roles_taken_away_and_given_back() {
    let account = account();
    let admin = account.people.admin;
    let start = "/incremental/tickets/cursor?start_time=0";
    account.sim.seed(|seed| seed.change_user(admin, Role::Agent, true)).unwrap();
    assert_eq!(account.get(start).await.status, 403);
    account.sim.seed(|seed| seed.change_user(admin, Role::Admin, false)).unwrap();
    assert_eq!(account.get(start).await.status, 401);
    account.sim.seed(|seed| seed.change_user(admin, Role::Admin, true)).unwrap();
    assert_eq!(account.get(start).await.status, 200);
    let ask = json!({"grant_type": "client_credentials", "client_id": "deskup", "client_secret": "hush"});
    let ask = Request::post("https://account.zendesk.example/oauth/tokens")
        .header("content-type", "application/json")
        .body(Bytes::from(ask.to_string()))
        .unwrap();
    let token = account.send(ask).await.ok(200)["access_token"].as_str().unwrap().to_owned();
    let me = || {
        Request::get("https://account.zendesk.example/api/v2/tickets/1")
            .header("authorization", format!("Bearer {token}"))
            .body(Bytes::new())
            .unwrap()
    };
    assert_eq!(account.send(me()).await.status, 200);
    account.sim.seed(|seed| seed.revoke_tokens(admin)).unwrap();
    assert_eq!(account.send(me()).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn exports_need_an_admin_and_tickets_an_agent() {
    let account = account();
    let start = "/incremental/tickets/cursor?start_time=0";
    assert_eq!(account.call("agent", "GET", start, Value::Null).await.status, 403);
    assert_eq!(account.get(start).await.status, 200);
    assert_eq!(account.call("customer", "GET", "/tickets/1", Value::Null).await.status, 403);
    assert_eq!(account.call("agent", "GET", "/webhooks", Value::Null).await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn unknown_routes_and_members_without_a_place_are_noticed() {
    let account = account();
    assert_eq!(account.get("/views").await.status, 501);
    assert_eq!(account.call("admin", "PATCH", "/tickets/1", Value::Null).await.status, 501);
    assert_eq!(account.put(json!({"email_ccs": []})).await.status, 501);
}

#[tokio::test(start_paused = true)]
async fn error_bodies_are_as_documented() {
    let account = account();
    let missing = account.get("/tickets/99").await.ok(404);
    assert_eq!(missing, json!({"error": "RecordNotFound", "description": "Not found"}));
    let malformed = account.get("/tickets/x").await.ok(400);
    assert_eq!(malformed["error"]["title"], "Invalid attribute");
    let many: Vec<String> = (1..=101).map(|id| id.to_string()).collect();
    let many = account.get(&format!("/tickets/show_many?ids={}", many.join(","))).await.ok(400);
    assert_eq!((many["error"].as_str(), many["max_count"].as_i64()), (Some("TooManyValues"), Some(100)));
}

#[tokio::test(start_paused = true)]
async fn people_groups_and_settings_are_listed() {
    let account = account();
    let agents = account.get("/users?role[]=agent&role[]=admin&page[size]=2").await.ok(200);
    assert_eq!(agents["users"].as_array().unwrap().len(), 2);
    assert_eq!(agents["meta"]["has_more"], true);
    let next = agents["meta"]["after_cursor"].as_str().unwrap();
    let next = account
        .get(&format!("/users?role[]=agent&role[]=admin&page[size]=2&page[after]={next}"))
        .await
        .ok(200);
    assert_eq!(next["users"][0]["id"].as_i64(), Some(account.people.loner));
    assert_eq!(next["meta"]["has_more"], false);
    assert!(next["links"]["next"].is_string(), "the last page still names a next link");
    let found = account.get("/users/search?query=email:AGENT@example.com").await.ok(200);
    assert_eq!(
        (found["count"].as_i64(), found["users"][0]["id"].as_i64()),
        (Some(1), Some(account.people.agent))
    );
    assert_eq!(found["users"][0]["default_group_id"].as_u64(), Some(account.people.group));
    let ids = format!("/users/show_many?ids={},{},5", account.people.admin, account.people.customer);
    assert_eq!(account.get(&ids).await.ok(200)["users"].as_array().unwrap().len(), 2);
    assert_eq!(account.get("/group_memberships").await.ok(200)["count"], 3);
    assert_eq!(account.get("/groups").await.ok(200)["groups"][0]["name"], "Support");
    let ids = format!("/organizations/show_many?ids={}", account.people.organization);
    assert_eq!(account.get(&ids).await.ok(200)["organizations"][0]["name"], "Acme");
    let fields = account.get("/ticket_fields").await.ok(200);
    let fields = fields["ticket_fields"].as_array().unwrap();
    let drop_down = fields.iter().find(|field| field["type"] == "tagger").unwrap();
    assert_eq!(drop_down["custom_field_options"][1]["value"], "env_test");
    assert!(fields.iter().any(|field| field["type"] == "tickettype"));
    let statuses = account.get("/custom_statuses").await.ok(200);
    assert_eq!(statuses["custom_statuses"].as_array().unwrap().len(), 6);
    assert_eq!(account.get("/triggers").await.ok(200)["triggers"], json!([]));
    assert_eq!(
        account.get("/account/settings").await.ok(200)["settings"]["limits"]["attachment_size"],
        52_428_800
    );
}
