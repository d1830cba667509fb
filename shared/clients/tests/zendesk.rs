//! What the Zendesk client asks and how it reads the answers.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::sync::Arc;

use bytes::Bytes;
use clients::{BatchEntry, ErrorKind, ExportFrom, NewTicket, NoPacer, Secret, ZendeskCredentials};
use common::*;
use domain::patch::NewTicketComment;
use domain::{TicketId, TicketPatch, UserId, Visibility};
use serde_json::{Value as Json, json};

fn id(number: u64) -> TicketId {
    TicketId::new(number).unwrap()
}

fn ticket(number: u64) -> Json {
    json!({"id": number, "status": "open", "updated_at": "2026-01-01T00:00:00Z", "custom_fields": [{"id": 4, "value": "v"}]})
}

#[tokio::test(start_paused = true)]
async fn nobody_and_end_users_are_no_credentials() {
    let me = |user: Json| {
        let script = Script::answers(vec![ok(json!({"user": user}))]);
        async move { zendesk(&script).me().await }
    };
    let person = me(json!({"id": 7, "name": "Sync", "email": "Sync@X.org", "role": "admin"})).await.unwrap();
    assert_eq!((person.id, person.email.as_deref()), (Some(UserId(7)), Some("sync@x.org")));
    let anonymous = me(json!({"id": null, "name": "Anonymous user", "role": "end-user"})).await.unwrap_err();
    assert_eq!((anonymous.kind, anonymous.code.as_deref()), (ErrorKind::Auth, Some("Anonymous")));
    assert_eq!(me(json!({"id": 8, "role": "end-user"})).await.unwrap_err().kind, ErrorKind::Auth);
}

#[tokio::test(start_paused = true)]
async fn an_api_token_is_sent_as_basic() {
    let script = Script::answers(vec![ok(json!({"ticket": ticket(1)}))]);
    let credentials = ZendeskCredentials::ApiToken { email: "a@b.c".into(), token: Secret::new("tok") };
    zendesk_as(&script, credentials, Arc::new(NoPacer)).ticket(id(1)).await.unwrap();
    assert_eq!(script.header(0, "authorization").unwrap(), "Basic YUBiLmMvdG9rZW46dG9r");
}

#[tokio::test(start_paused = true)]
async fn a_missing_ticket_is_none_and_a_wrong_address_is_an_error() {
    let script =
        Script::answers(vec![answer(404, json!({"error": "RecordNotFound", "description": "Not found"}))]);
    assert_eq!(zendesk(&script).ticket(id(1)).await.unwrap(), None);
    let script = Script::answers(vec![text(404, "")]);
    assert_eq!(zendesk(&script).ticket(id(1)).await.unwrap_err().kind, ErrorKind::Unexpected);
}

#[tokio::test(start_paused = true)]
async fn many_tickets_are_read_a_hundred_a_call() {
    let script = Script::new(|request, _| {
        let query = request.uri().query().unwrap().replace("%2C", ",");
        let ids = query.strip_prefix("ids=").unwrap().split(',').map(|id| ticket(id.parse().unwrap()));
        ok(json!({"tickets": ids.collect::<Vec<_>>(), "next_page": null, "count": 1}))
    });
    let ids: Vec<TicketId> = (1..=250).map(id).collect();
    assert_eq!(zendesk(&script).tickets(&ids).await.unwrap().len(), 250);
    assert_eq!(script.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_safe_update_carries_its_stamp_and_its_effect() {
    let audit = json!({"id": 9, "author_id": 7, "created_at": "2026-01-01T00:00:00Z", "metadata": {"custom": {"deskup_effect": "e1"}},
        "events": [{"id": 1, "type": "Change", "field_name": "status", "value": "solved", "previous_value": "open"},
                   {"id": 2, "type": "Notification"}, {"id": 3, "type": "Comment", "public": false}]});
    let script = Script::answers(vec![ok(json!({"ticket": ticket(1), "audit": audit}))]);
    let comment =
        NewTicketComment { body: "b".into(), visibility: Visibility::Public, uploads: vec!["up".into()] };
    let patch = TicketPatch { status: Some("solved".into()), comment: Some(comment), ..Default::default() };
    let updated =
        zendesk(&script).update_ticket(id(1), &patch, "e1", Some("2026-01-01T00:00:00Z")).await.unwrap();
    assert_eq!(updated.audit.effect_id(), Some("e1"));
    assert_eq!((updated.audit.id, updated.audit.comment_ids.as_slice()), (9, [3].as_slice()));
    assert_eq!(
        (updated.audit.changes[0].field.as_str(), &updated.audit.changes[0].previous),
        ("status", &json!("open"))
    );
    let expected = json!({"ticket": {"status": "solved", "comment": {"body": "b", "public": true, "uploads": ["up"]},
        "metadata": {"deskup_effect": "e1"}, "updated_stamp": "2026-01-01T00:00:00Z", "safe_update": true}});
    assert_eq!((script.lines(), script.body(0)), (vec!["PUT /api/v2/tickets/1".to_owned()], expected));
    assert_eq!(updated.ticket.custom_fields[&4], json!("v"));
}

#[tokio::test(start_paused = true)]
async fn a_ticket_is_created_with_one_key_over_all_repeats() {
    let created = answer(201, json!({"ticket": ticket(5), "audit": {"id": 1, "events": []}}));
    let script =
        Script::answers(vec![lost(), answer(409, json!({"error": "IdempotentRequestInProgress"})), created]);
    let made = zendesk(&script).create_ticket(&NewTicket::default(), "key-1").await.unwrap();
    assert_eq!((made.ticket.id, script.requests().len()), (id(5), 3));
    assert!((0..3).all(|at| script.header(at, "idempotency-key").as_deref() == Some("key-1")));
    assert!(zendesk(&script).create_ticket(&NewTicket::default(), "").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn bulk_updates_take_fields_only_and_are_sent_once() {
    let job = json!({"job_status": {"id": "V3-1", "status": "queued", "total": 2, "progress": null, "results": null}});
    let script = Script::answers(vec![ok(job)]);
    let client = zendesk(&script);
    let solved = TicketPatch { status: Some("solved".into()), ..Default::default() };
    let entry = |n: u64, patch: TicketPatch| BatchEntry { ticket: id(n), patch, updated_stamp: None };
    let renamed = TicketPatch { subject: Some("s".into()), ..Default::default() };
    let safe = BatchEntry { updated_stamp: Some("2026-01-01T00:00:00Z".into()), ..entry(2, renamed) };
    assert_eq!(client.update_many(&[entry(1, solved.clone()), safe]).await.unwrap(), "V3-1");
    assert_eq!(
        script.body(0),
        json!({"tickets": [
            {"status": "solved", "id": 1},
            {"subject": "s", "id": 2, "updated_stamp": "2026-01-01T00:00:00Z", "safe_update": true},
        ]})
    );
    let comment = TicketPatch { comment: Some(NewTicketComment::default()), ..Default::default() };
    assert_eq!(client.update_many(&[entry(1, comment)]).await.unwrap_err().kind, ErrorKind::Refused);
    assert!(client.update_many(&[]).await.is_err());
    let script = Script::answers(vec![lost()]);
    assert_eq!(zendesk(&script).update_many(&[entry(1, solved)]).await.unwrap_err().kind, ErrorKind::Unknown);
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_finished_job_tells_each_item() {
    let results = json!([{"action": "update", "status": "Updated", "success": true, "id": 2},
        {"id": 1, "success": false, "error": "UpdateConflict", "details": "x"}]);
    let job = |results: Json| json!({"job_status": {"id": "V3-1", "status": "completed", "total": null, "results": results}});
    let script = Script::answers(vec![ok(job(results)), ok(job(json!({"success": true})))]);
    let client = zendesk(&script);
    let job = client.job("V3-1").await.unwrap();
    assert!(job.is_finished());
    let told: Vec<_> = job.results.iter().map(|one| (one.id, one.success, one.error.as_deref())).collect();
    assert_eq!(told, [(Some(2), true, None), (Some(1), false, Some("UpdateConflict"))]);
    assert!(client.job("V3-1").await.unwrap().results[0].success);
}

#[tokio::test(start_paused = true)]
async fn many_jobs_are_asked_for_in_one_call_and_unknown_ones_are_left_out() {
    let known = json!({"job_statuses": [{"id": "V3-2", "status": "working"}]});
    let script = Script::answers(vec![ok(known)]);
    let jobs = zendesk(&script).jobs(&["V3-1".to_owned(), "V3-2".to_owned()]).await.unwrap();
    assert_eq!(
        jobs.iter().map(|job| (job.id.as_str(), job.is_finished())).collect::<Vec<_>>(),
        [("V3-2", false)]
    );
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_export_goes_on_from_its_cursor_and_keeps_it_at_the_end() {
    let page = |tickets: Json, cursor: &str, end: bool| {
        ok(
            json!({"tickets": tickets, "users": [{"id": 3, "name": "R", "role": "end-user"}], "groups": [{"id": 4, "name": "G"}],
            "organizations": [{"id": 5, "name": "O"}], "after_cursor": cursor, "after_url": "https://evil.example/x", "end_of_stream": end}),
        )
    };
    let deleted = json!({"id": 2, "status": "deleted", "updated_at": "2026-01-01T00:00:00Z"});
    let script =
        Script::answers(vec![page(json!([ticket(1)]), "c1==", false), page(json!([deleted]), "c2==", true)]);
    let client = zendesk(&script);
    let first = client.export_tickets(ExportFrom::Start(1_700_000_000), 1000).await.unwrap();
    assert_eq!((first.tickets.len(), first.end_of_stream), (1, false));
    assert_eq!((first.groups, first.organizations), (vec![(4, "G".to_owned())], vec![(5, "O".to_owned())]));
    let second = client.export_tickets(ExportFrom::Cursor(first.after_cursor.unwrap()), 1000).await.unwrap();
    assert!(second.tickets[0].is_deleted() && second.end_of_stream);
    assert_eq!(second.after_cursor.as_deref(), Some("c2=="));
    let lines = script.lines();
    assert!(lines[0].ends_with("&start_time=1700000000") && !lines[0].contains("cursor="), "{}", lines[0]);
    assert!(lines[1].ends_with("&cursor=c1%3D%3D") && !lines[1].contains("start_time"), "{}", lines[1]);
    assert!(script.requests().iter().all(|request| request.uri().host() == Some("acme.zendesk.com")));
}

#[tokio::test(start_paused = true)]
async fn one_odd_ticket_does_not_stop_an_export_and_is_named() {
    let odd = json!({"id": 2, "status": {"odd": true}});
    let no_status = json!({"id": 3, "updated_at": "2026-01-01T00:00:00Z"});
    let body = json!({"tickets": [ticket(1), odd, no_status, ticket(4)], "after_cursor": "c", "end_of_stream": true});
    let script = Script::answers(vec![ok(body)]);
    let page = zendesk(&script).export_tickets(ExportFrom::Start(1), 1000).await.unwrap();
    assert_eq!(page.tickets.iter().map(|ticket| ticket.id.get()).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(page.unreadable, ["2", "3"]);
}

#[tokio::test(start_paused = true)]
async fn the_event_export_brings_comments_in_full() {
    let comment = json!({"id": 11, "type": "Comment", "event_type": "Comment", "author_id": 8, "body": "hi", "public": true,
        "created_at": "2026-01-01T00:00:00Z", "attachments": []});
    let event = json!({"id": 1, "ticket_id": 7, "timestamp": 1_767_225_600, "updater_id": 8, "event_type": "Audit",
        "child_events": [comment, {"id": 12, "event_type": "Change", "status": "open", "previous_value": "new", "type": ["odd"]}],
        "metadata": {"custom": {"deskup_effect": "e"}}});
    let script = Script::answers(vec![ok(
        json!({"ticket_events": [event, {"id": 2}], "end_time": 1_767_225_601, "end_of_stream": false}),
    )]);
    let page = zendesk(&script).export_ticket_events(1_767_225_000).await.unwrap();
    let event = &page.events[0];
    assert_eq!((event.ticket, event.at.ms(), event.updater), (id(7), 1_767_225_600_000, Some(UserId(8))));
    assert_eq!((event.comments[0].body.as_str(), event.comments[0].visibility), ("hi", Visibility::Public));
    assert_eq!(event.comments[0].custom_metadata, Some(json!({"deskup_effect": "e"})));
    assert_eq!(
        (page.end_time_s, page.end_of_stream, page.unreadable),
        (1_767_225_601, false, vec!["2".to_owned()])
    );
}

#[tokio::test(start_paused = true)]
async fn lists_end_when_the_answer_says_so_and_not_before() {
    let comment = |id: u64| json!({"id": id, "author_id": -1, "body": format!("c{id}"), "created_at": "2026-01-01T00:00:00Z"});
    let page = |comments: Json, more: bool, cursor: Json| {
        ok(
            json!({"comments": comments, "users": [{"id": 5, "name": "Five"}], "meta": {"has_more": more, "after_cursor": cursor},
            "links": {"next": "https://other.zendesk.com:443/api/v2/tickets/1/comments.json?page%5Bafter%5D=link"}}),
        )
    };
    let script = Script::answers(vec![
        page(json!([comment(1)]), true, json!("a=")),
        page(json!([]), true, Json::Null),
        page(json!([comment(2)]), false, json!("b")),
    ]);
    let comments = zendesk(&script).comments(id(1)).await.unwrap();
    assert_eq!(comments.iter().map(|comment| comment.body.as_str()).collect::<Vec<_>>(), ["c1", "c2"]);
    assert!(
        comments.iter().all(|comment| comment.visibility == Visibility::Internal),
        "unknown means internal"
    );
    let lines = script.lines();
    assert!(
        lines[0].contains("page%5Bsize%5D=100") && lines[1].ends_with("&page%5Bafter%5D=a%3D"),
        "{lines:?}"
    );
    assert_eq!(lines[2], "GET /api/v2/tickets/1/comments.json?page%5Bafter%5D=link");
    assert_eq!((lines.len(), script.requests()[2].uri().host()), (3, Some("acme.zendesk.com")));
}

#[tokio::test(start_paused = true)]
async fn agents_come_with_their_groups_and_system_authors_are_not_fetched() {
    let script = Script::new(|request, _| match request.uri().path() {
        "/api/v2/users" => ok(
            json!({"users": [{"id": 1, "name": "A", "role": "agent", "active": true}, {"id": 2, "role": "admin", "suspended": true}], "meta": {"has_more": false}}),
        ),
        "/api/v2/group_memberships" => ok(
            json!({"group_memberships": [{"user_id": 1, "group_id": 10}, {"user_id": 1, "group_id": 11}, {"user_id": 3, "group_id": 10}], "meta": {"has_more": false}}),
        ),
        _ => ok(json!({"users": [{"id": 1, "name": "A"}]})),
    });
    let client = zendesk(&script);
    let agents = client.agents().await.unwrap();
    assert_eq!((agents[0].groups.len(), agents[1].groups.len(), agents[1].active), (2, 0, false));
    assert!(script.lines()[0].contains("role%5B%5D=agent&role%5B%5D=admin"));
    assert_eq!(client.people(&[UserId(-1), UserId(1), UserId(1)]).await.unwrap().len(), 1);
    assert!(script.lines()[2].ends_with("ids=1"));
    assert_eq!(client.people(&[UserId(-1)]).await.unwrap().len(), 0);
    assert_eq!(script.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_file_goes_up_as_it_is() {
    let upload =
        json!({"upload": {"token": "tok", "expires_at": "2026-01-01T01:00:00Z", "attachment": {"id": 1}}});
    let script = Script::answers(vec![lost(), answer(201, upload)]);
    let up = zendesk(&script).upload("a b&c.txt", "text/plain", Bytes::from_static(b"data")).await.unwrap();
    assert_eq!((up.token.as_str(), up.expires.map(|time| time.ms())), ("tok", Some(START_MS + 3_600_000)));
    assert_eq!(script.lines()[1], "POST /api/v2/uploads?filename=a%20b%26c.txt");
    assert_eq!(script.header(1, "content-type").as_deref(), Some("text/plain"));
    assert_eq!(script.requests()[1].body().as_ref(), b"data");
}

#[tokio::test(start_paused = true)]
async fn webhooks_are_made_listed_and_removed() {
    let webhook = json!({"id": "01H", "name": "n", "endpoint": "https://e", "status": "active", "subscriptions": ["zen:event-type:ticket.created"]});
    let script = Script::new(move |request, _| match (request.method().as_str(), request.uri().path()) {
        ("POST", _) => answer(201, json!({"webhook": webhook.clone()})),
        ("DELETE", "/api/v2/webhooks/01H") => text(204, ""),
        ("DELETE", _) => answer(404, json!({"error": "RecordNotFound"})),
        (_, "/api/v2/webhooks/01H/signing_secret") => {
            ok(json!({"signing_secret": {"secret": "s", "algorithm": "SHA256"}}))
        }
        _ => ok(json!({"webhooks": [webhook.clone()], "meta": {"has_more": false}})),
    });
    let client = zendesk(&script);
    let made = client.create_webhook("n", "https://e", &["zen:event-type:ticket.created"]).await.unwrap();
    assert_eq!(client.webhooks().await.unwrap(), [made]);
    assert_eq!(client.webhook_secret("01H").await.unwrap().reveal(), "s");
    client.delete_webhook("01H").await.unwrap();
    client.delete_webhook("gone").await.unwrap();
}
