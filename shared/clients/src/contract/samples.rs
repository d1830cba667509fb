//! A few bodies of our own, in the services' shapes, for a machine without recordings.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::pace::Api;

/// Service, name as a fixture file would have it, body.
pub(super) const ALL: &[(Api, &str, &str)] = &[
    (
        Api::Zendesk,
        "own/GET_tickets.json",
        r#"{"exchanges":[{"request":{"method":"GET","url":"https://x.zendesk.com/api/v2/incremental/tickets/cursor.json?start_time=1"},
        "response":{"status":200,"headers":{},"body":{"tickets":[{"id":7,"subject":null,"status":"later_invented",
        "custom_fields":[{"id":1,"value":["a"]},{"id":2,"value":null}],"tags":[],"created_at":"2026-01-02T03:04:05Z",
        "updated_at":"2026-01-02T03:04:05Z","requester_id":-1,"new_member":{"deep":[1.5,null]}}],
        "after_cursor":"MTY5","before_url":null,"end_of_stream":true}}}]}"#,
    ),
    (
        Api::Zendesk,
        "own/GET_ticket_comments.json",
        r#"{"comments":[{"id":9,"type":"Comment","author_id":-1,"body":"b","public":false,"created_at":"2026-01-02T03:04:05Z",
        "attachments":[{"id":3,"file_name":"a.txt","size":2,"content_url":"https://y/a"}],"metadata":{"custom":{}}}],
        "meta":{"has_more":false,"after_cursor":null},"links":{"next":null}}"#,
    ),
    (Api::Zendesk, "errors/429_plain_text.txt", "Number of allowed API requests per minute exceeded"),
    (Api::Zendesk, "errors/409_conflict.json", r#"{"error":"UpdateConflict","description":"…"}"#),
    (
        Api::Zendesk,
        "webhooks/own_event.json",
        r#"{"type":"zen:event-type:ticket.priority_changed","account_id":1,"id":"e","subject":"zen:ticket:7",
        "time":"2026-01-02T03:04:05.123456789Z","detail":{"id":"7","tags":null},"event":{"current":"HIGH","previous":null}}"#,
    ),
    (
        Api::Clickup,
        "own/GET_list_task.json",
        r#"{"tasks":[{"id":"9hx","name":"n","status":{"status":"to do","type":"open","orderindex":0},"priority":null,
        "list":{"id":"126232272"},"date_updated":"1642736073330","custom_fields":[{"id":"u","type":"drop_down",
        "type_config":{"options":[{"id":"o","name":"a","orderindex":0}]},"value":0}]}],"last_page":true}"#,
    ),
    (
        Api::Clickup,
        "own/POST_task_comment.json",
        r#"{"id":90110164070264,"hist_id":"4697736615798917760","date":1755803061841}"#,
    ),
    (Api::Clickup, "errors/401_team.json", r#"{"err":"Team not authorized","ECODE":"OAUTH_027"}"#),
    (
        Api::Clickup,
        "webhooks/own_deleted.json",
        r#"{"event":"taskDeleted","task_id":"9hx","webhook_id":"w"}"#,
    ),
];

/// What a careless client would use: it drops members and turns null into nothing.
#[derive(Serialize, Deserialize)]
pub(super) struct Lossy {
    #[serde(default)]
    exchanges: Vec<LossyExchange>,
}

#[derive(Serialize, Deserialize)]
struct LossyExchange {
    request: Json,
}
