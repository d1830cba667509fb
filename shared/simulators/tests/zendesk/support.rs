//! An account with a few people in it, and short ways to talk to it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use serde_json::{Value, json};
use simulators::Outbound;
use simulators::clock::tokio_clock;
use simulators::zendesk::{
    FieldKind, FieldSeed, Role, Status, TicketSeed, UserSeed, ZendeskOptions, ZendeskSim,
};

/// When every test begins.
pub const START_MS: i64 = 1_760_000_000_000;

pub struct Account {
    pub sim: ZendeskSim,
    pub people: People,
}

#[derive(Clone, Copy, Debug)]
pub struct People {
    pub admin: i64,
    pub agent: i64,
    /// An agent who is in no group.
    pub loner: i64,
    pub customer: i64,
    pub group: u64,
    pub other_group: u64,
    pub organization: u64,
    pub drop_down: u64,
    pub text_field: u64,
    pub waiting: u64,
}

pub struct Answered {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub raw: Bytes,
}

impl Answered {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The answer's body, which must have this status.
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.raw));
        self.body
    }
}

/// Seeds the people and one ticket: number 1, an hour old, by the customer.
pub fn fill(sim: &ZendeskSim) -> People {
    sim.seed(|data| {
        let organization = data.add_organization("Acme");
        let mut user = |name: &str, role, organization| {
            let email = Some(format!("{name}@example.com"));
            data.add_user(UserSeed { name: name.to_owned(), email, role, organization, external_id: None })
        };
        let admin = user("admin", Role::Admin, None);
        let agent = user("agent", Role::Agent, None);
        let loner = user("loner", Role::Agent, None);
        let customer = user("customer", Role::EndUser, Some(organization));
        let (group, other_group) = (data.add_group("Support"), data.add_group("Sales"));
        data.add_member(group, admin);
        data.add_member(group, agent);
        data.add_member(other_group, admin);
        let options =
            vec![("env_live".to_owned(), "Live".to_owned()), ("env_test".to_owned(), "Test".to_owned())];
        let drop_down =
            data.add_field(FieldSeed { title: "Environment".to_owned(), kind: FieldKind::Tagger, options });
        let text_field = data.add_field(FieldSeed {
            title: "Order".to_owned(),
            kind: FieldKind::Text,
            options: Vec::new(),
        });
        let waiting = data.add_custom_status(Status::Pending, "Waiting for parts");
        data.add_oauth_client("deskup", "hush", admin);
        data.add_ticket(TicketSeed {
            organization: Some(organization),
            ..TicketSeed::new(customer, "Printer", "It smokes", START_MS - 3_600_000)
        });
        let (agent, loner) = (agent, loner);
        People {
            admin,
            agent,
            loner,
            customer,
            group,
            other_group,
            organization,
            drop_down,
            text_field,
            waiting,
        }
    })
    .unwrap()
}

pub fn options() -> ZendeskOptions {
    ZendeskOptions::new(tokio_clock(START_MS))
}

pub fn account() -> Account {
    account_with(|_| {})
}

pub fn account_with(change: impl FnOnce(&mut ZendeskOptions)) -> Account {
    let mut options = options();
    change(&mut options);
    let sim = ZendeskSim::open(options).unwrap();
    let people = fill(&sim);
    Account { sim, people }
}

pub fn basic(name: &str, id: i64) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}@example.com/token:token-{id}")))
}

impl Account {
    pub fn authorization(&self, name: &str) -> String {
        let id = match name {
            "admin" => self.people.admin,
            "agent" => self.people.agent,
            "loner" => self.people.loner,
            _ => self.people.customer,
        };
        basic(name, id)
    }

    pub async fn send(&self, request: Request<Bytes>) -> Answered {
        let answer = self.sim.handle(request).await;
        let (parts, raw) = answer.into_parts();
        let body = serde_json::from_slice(&raw).unwrap_or_default();
        Answered { status: parts.status.as_u16(), headers: parts.headers, body, raw }
    }

    /// A request by a named person with a JSON body (null: none).
    pub async fn call(&self, who: &str, method: &str, path: &str, body: Value) -> Answered {
        self.call_with(who, method, path, body, &[]).await
    }

    pub async fn call_with(
        &self,
        who: &str,
        method: &str,
        path: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> Answered {
        let bytes = if body.is_null() { Bytes::new() } else { serde_json::to_vec(&body).unwrap().into() };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("https://account.zendesk.example/api/v2{path}"))
            .header("authorization", self.authorization(who))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(bytes).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answered {
        self.call("admin", "GET", path, Value::Null).await
    }

    /// Changes ticket 1 as the admin.
    pub async fn put(&self, ticket: Value) -> Answered {
        self.call("admin", "PUT", "/tickets/1", json!({ "ticket": ticket })).await
    }

    /// Creates a ticket as the admin; its id.
    pub async fn create(&self, subject: &str) -> u64 {
        let body = json!({"ticket": {"subject": subject, "comment": {"body": "text"}}});
        self.call("admin", "POST", "/tickets", body).await.ok(201)["ticket"]["id"].as_u64().unwrap()
    }

    pub async fn ticket(&self) -> Value {
        self.get("/tickets/1").await.ok(200)["ticket"].clone()
    }

    pub async fn upload(&self, name: &str, content: &'static [u8]) -> Value {
        let request = Request::builder()
            .method("POST")
            .uri(format!("https://account.zendesk.example/api/v2/uploads?filename={name}"))
            .header("authorization", self.authorization("admin"))
            .header("content-type", "text/plain")
            .body(Bytes::from_static(content))
            .unwrap();
        self.send(request).await.ok(201)["upload"].clone()
    }
}

pub async fn wait_s(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

type Answer = Result<Response<Bytes>, String>;

/// Receives webhooks and answers them with a script; 200 when the script has ended.
#[derive(Clone, Default)]
pub struct Listener {
    pub heard: Arc<Mutex<Vec<Request<Bytes>>>>,
    pub script: Arc<Mutex<VecDeque<Answer>>>,
}

impl Outbound for Listener {
    fn post(&self, request: Request<Bytes>) -> BoxFuture<'static, Answer> {
        self.heard.lock().unwrap().push(request);
        let answer = self.script.lock().unwrap().pop_front();
        Box::pin(async move { answer.unwrap_or_else(|| Ok(Response::new(Bytes::new()))) })
    }
}

impl Listener {
    pub fn bodies(&self) -> Vec<Value> {
        self.heard.lock().unwrap().iter().map(|r| serde_json::from_slice(r.body()).unwrap()).collect()
    }
}
