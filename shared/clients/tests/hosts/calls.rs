//! Ten thousand cases through the methods of the clients: every place where an answer can name an address,
//! an id or a place to go on from.

use std::sync::Arc;

use bytes::Bytes;
use clients::clickup::{OAuthApp, exchange_code};
use clients::{
    ClickUp, ClickUpConfig, ClickUpCredentials, ExportFrom, NoPacer, Secret, TaskQuery, TokioClock,
    Transport, Zendesk, ZendeskConfig, ZendeskCredentials,
};
use domain::{NewTask, TaskId, TaskPatch, TicketId, TicketPatch};
use fastrand::Rng;
use futures::StreamExt;
use http::{Request, Response};
use serde_json::{Value as Json, json};

use crate::common::{CLICKUP, START_MS, ZENDESK};
use crate::links::hostile;
use crate::watch::{Recorder, SECRETS, Tally};

pub const CASES: usize = 10_000;

/// One case: what the services answer, and which method is called.
#[derive(Clone, Debug)]
pub struct Case {
    /// Which of [`METHODS`].
    pub method: usize,
    /// A link, an id, a cursor: whatever the answer holds.
    pub link: String,
    /// Where the second redirect leads.
    pub second: String,
    /// The status of the first answers; 200 is a page that names the link everywhere.
    pub status: u16,
    /// How many answers redirect.
    pub redirects: usize,
    /// A redirect may forget to say where to.
    pub located: bool,
}

impl Case {
    pub fn draw(random: &mut Rng) -> Self {
        let method = random.usize(..METHODS.len());
        let own = if METHODS[method].starts_with("zendesk") { "acme.zendesk.com" } else { "api.clickup.com" };
        let status = [200, 200, 200, 301, 302, 303, 307, 308][random.usize(..8)];
        Self {
            method,
            link: hostile(random, own),
            second: hostile(random, own),
            status,
            redirects: if status == 200 { 0 } else { random.usize(1..=3) },
            located: random.u8(..8) != 0,
        }
    }

    pub fn name(&self) -> String {
        let Self { status, link, second, .. } = self;
        format!("{} status {status} link {link:?} then {second:?}", METHODS[self.method])
    }

    fn answer(&self, request: &Request<Bytes>, at: usize) -> Response<Bytes> {
        // A token for whoever asks at the right place, so that the calls behind it are made.
        let asks_token = request.uri().path() == "/oauth/tokens" && self.status == 200;
        if asks_token {
            return page(&json!({ "access_token": "z-s3cret", "expires_in": 1800 }));
        }
        if at < self.redirects {
            let mut response = Response::builder().status(self.status);
            let link = if at == 0 { &self.link } else { &self.second };
            if self.located && http::HeaderValue::from_str(link).is_ok() {
                response = response.header("location", link.as_str());
            }
            return response.body(Bytes::new()).unwrap();
        }
        // Pages go on for ever as far as they are concerned; the test does not.
        page(&self.page(at < 6))
    }

    /// One answer for every reader: all members that hold an address or a place to go on from.
    fn page(&self, more: bool) -> Json {
        let link = &self.link;
        let comments: Vec<Json> = (0..25)
            .map(|n| json!({"id": format!("{link}{n}"), "date": link, "comment_text": "x", "user": {"id": 1}, "author_id": 1, "body": "x"}))
            .collect();
        json!({
            "groups": [{"id": 1, "name": "a", "url": link}], "users": [{"id": 1, "url": link, "role": "admin"}],
            "user": {"id": 1, "role": "admin", "url": link}, "group_memberships": [{"user_id": 1, "group_id": 1}],
            "tickets": [{"id": 1, "status": "open", "url": link}], "ticket": {"id": 1, "status": "open", "url": link},
            "audits": [{"id": 1, "events": []}], "comments": comments, "ticket_events": [],
            "webhooks": [{"id": link, "endpoint": link}], "webhook": {"id": link, "endpoint": link, "secret": "x"},
            "signing_secret": {"secret": "x"}, "invocations": [], "upload": {"token": link},
            "job_status": {"id": link, "url": link, "status": "completed"}, "teams": [{"id": "9001", "members": []}],
            "tasks": [], "last_page": !more, "id": link, "access_token": "c-s3cret",
            "meta": {"has_more": more, "after_cursor": if self.redirects == 0 && link.len().is_multiple_of(2) { json!(link) } else { Json::Null }},
            "links": {"next": link, "prev": link}, "next_page": link, "previous_page": link, "count": 1000,
            "after_url": link, "before_url": link, "after_cursor": link, "end_of_stream": !more, "end_time": 1,
        })
    }
}

fn page(body: &Json) -> Response<Bytes> {
    Response::new(Bytes::from(body.to_string()))
}

/// The methods that read an address or an id from outside, or whose own call may be redirected.
pub const METHODS: &[&str] = &[
    "zendesk.download",
    "zendesk.download",
    "zendesk.download",
    "zendesk.download as client",
    "zendesk.groups",
    "zendesk.agents",
    "zendesk.comments",
    "zendesk.audits",
    "zendesk.export_tickets",
    "zendesk.export_stream",
    "zendesk.export_ticket_events",
    "zendesk.webhooks",
    "zendesk.webhook ids",
    "zendesk.me as client",
    "zendesk.update_ticket",
    "zendesk.upload",
    "zendesk.job",
    "clickup.download",
    "clickup.download",
    "clickup.download",
    "clickup.comments",
    "clickup.replies",
    "clickup.tasks",
    "clickup.create_task",
    "clickup.update_task",
    "clickup.tags",
    "clickup.fields",
    "clickup.webhooks",
    "clickup.me",
    "clickup.exchange_code",
];

pub fn zendesk(transport: Arc<dyn Transport>, as_client: bool) -> Zendesk {
    let credentials = if as_client {
        ZendeskCredentials::OAuthClient {
            client_id: "deskup".into(),
            client_secret: Secret::new(SECRETS[1].0),
            scope: "read write".into(),
        }
    } else {
        ZendeskCredentials::Bearer(Secret::new(SECRETS[0].0))
    };
    let config = ZendeskConfig { base_url: ZENDESK.into(), credentials };
    Zendesk::new(config, transport, Arc::new(NoPacer), Arc::new(TokioClock::new(START_MS)), 7).unwrap()
}

pub fn clickup(transport: Arc<dyn Transport>) -> ClickUp {
    let token = ClickUpCredentials::OAuth(Secret::new(SECRETS[2].0));
    let config = ClickUpConfig { base_url: CLICKUP.into(), token, workspace: "9001".into() };
    ClickUp::new(config, transport, Arc::new(NoPacer), Arc::new(TokioClock::new(START_MS)), 7).unwrap()
}

/// Makes the call of a case on a transport. What it gives does not matter here.
pub async fn make(case: &Case, transport: Arc<dyn Transport>) {
    let name = METHODS[case.method];
    if name.starts_with("zendesk") {
        with_zendesk(name, &zendesk(transport, name.ends_with("as client")), &case.link).await;
    } else {
        with_clickup(name, &clickup(transport.clone()), transport, &case.link).await;
    }
}

async fn with_zendesk(name: &str, zendesk: &Zendesk, link: &str) {
    let ticket = TicketId::new(1).unwrap();
    match name {
        "zendesk.groups" => drop(zendesk.groups().await),
        "zendesk.agents" => drop(zendesk.agents().await),
        "zendesk.comments" => drop(zendesk.comments(ticket).await),
        "zendesk.audits" => drop(zendesk.audits(ticket).await),
        "zendesk.export_tickets" => {
            drop(zendesk.export_tickets(ExportFrom::Cursor(link.to_owned()), 100).await);
        }
        "zendesk.export_stream" => {
            let pages = zendesk.export_stream(ExportFrom::Start(1), 100).take(4);
            drop(pages.collect::<Vec<_>>().await);
        }
        "zendesk.export_ticket_events" => drop(zendesk.export_ticket_events(1).await),
        "zendesk.webhooks" => drop(zendesk.webhooks().await),
        "zendesk.webhook ids" => {
            drop(zendesk.webhook_secret(link).await);
            drop(zendesk.renew_webhook_secret(link).await);
            drop(zendesk.webhook_invocations(link).await);
            drop(zendesk.update_webhook(link, &["x"], "active").await);
            drop(zendesk.delete_webhook(link).await);
        }
        "zendesk.me as client" => drop(zendesk.me().await),
        "zendesk.update_ticket" => {
            drop(zendesk.update_ticket(ticket, &TicketPatch::default(), "e", None).await);
        }
        "zendesk.upload" => drop(zendesk.upload(link, link, Bytes::from_static(b"x")).await),
        "zendesk.job" => drop(zendesk.job(link).await),
        _ => drop(zendesk.download(link).await),
    }
}

async fn with_clickup(name: &str, clickup: &ClickUp, transport: Arc<dyn Transport>, link: &str) {
    let task = TaskId::new("abc").unwrap();
    match name {
        "clickup.comments" => drop(clickup.comment_stream(&task).take(80).collect::<Vec<_>>().await),
        "clickup.replies" => drop(clickup.replies(link).await),
        "clickup.tasks" => drop(clickup.team_task_stream(TaskQuery::default()).collect::<Vec<_>>().await),
        "clickup.create_task" => {
            drop(clickup.create_task(&domain::ListId::new("1").unwrap(), &NewTask::default()).await);
        }
        "clickup.update_task" => drop(clickup.update_task(&task, &TaskPatch::default()).await),
        "clickup.tags" => {
            drop(clickup.add_tag(&task, link).await);
            drop(clickup.remove_tag(&task, link).await);
        }
        "clickup.fields" => {
            drop(clickup.set_field(&task, link, &json!(1)).await);
            drop(clickup.clear_field(&task, link).await);
        }
        "clickup.webhooks" => {
            drop(clickup.webhooks().await);
            drop(clickup.update_webhook(link, link, &["*"], "active").await);
            drop(clickup.delete_webhook(link).await);
        }
        "clickup.me" => drop(clickup.me().await),
        "clickup.exchange_code" => {
            let client_secret = Secret::new(SECRETS[3].0);
            let app = OAuthApp { client_id: "app".into(), client_secret };
            let clock = Arc::new(TokioClock::new(START_MS));
            drop(exchange_code(CLICKUP, &app, link, transport, clock).await);
        }
        _ => drop(clickup.download(link).await),
    }
}

/// The services of a case.
pub fn recorder(case: &Case) -> Arc<Recorder> {
    let told = case.clone();
    Recorder::new(move |request, at| Ok(told.answer(request, at)))
}

/// Plays cases, each on a fresh recorder that `around` may put something in front of.
pub fn play(cases: &[Case], around: impl Fn(Arc<Recorder>) -> Arc<dyn Transport>) -> Tally {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    let mut tally = Tally::default();
    for case in cases {
        let recorder = recorder(case);
        runtime.block_on(make(case, around(recorder.clone())));
        tally.book(&case.name(), &recorder.seen());
    }
    tally
}

pub fn drawn(count: usize) -> Vec<Case> {
    let mut random = Rng::with_seed(3);
    (0..count).map(|_| Case::draw(&mut random)).collect()
}

#[test]
fn ten_thousand_hostile_answers_show_no_credential_to_a_foreign_host() {
    let tally = play(&drawn(CASES), |recorder| recorder);
    println!(
        "{} cases, {} requests: {} with a credential to its own host, {} to foreign hosts without one",
        tally.cases, tally.requests, tally.rightful, tally.foreign
    );
    assert_eq!(tally.cases, CASES);
    assert!(tally.leaks.is_empty(), "{:#?}", &tally.leaks[..tally.leaks.len().min(10)]);
    assert!(tally.inside.is_empty(), "{:#?}", &tally.inside[..tally.inside.len().min(10)]);
    // The cases do try something: credentials are used, and foreign hosts are reached.
    assert!(tally.rightful > CASES, "{tally:?}");
    assert!(tally.foreign > CASES / 50, "{tally:?}");
}

#[test]
fn every_method_is_among_the_cases() {
    let cases = drawn(CASES);
    for (method, name) in METHODS.iter().enumerate() {
        let mine: Vec<&Case> = cases.iter().filter(|case| case.method == method).collect();
        for status in [200, 301, 302, 303, 307, 308] {
            assert!(mine.iter().any(|case| case.status == status), "{name} with {status}");
        }
        assert!(mine.iter().any(|case| case.redirects > 0 && !case.located), "{name} without a location");
    }
}
