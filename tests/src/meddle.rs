//! People who get to a new task before deskup hears that it is there: a transport that lets them have their way
//! between the effect of a create and its reply.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use clients::{Transport, TransportError};
use domain::footer;
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use serde_json::{Value as Json, json};
use simulators::clickup::{ClickUpSim, ListSeed};
use world::World;
use world::people::act;
use world::seedwork::cast::Colleague;
use world::seedwork::workspace::{STATUSES, WORKSPACE_ID};

/// What somebody does to a task that is a moment old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trick {
    /// Moves it to another list of the mapping.
    Move,
    /// Moves it to a list that the mapping does not know.
    MoveOut,
    /// Archives it.
    Archive,
    /// Takes the footer off the description.
    NoFooter,
    /// Deletes it.
    Delete,
    /// Gives it another name.
    Title,
    /// Gives it another status.
    Status,
    /// Writes below the description.
    Describe,
    /// Copies it, marker and all.
    Duplicate,
    /// It comes again, as if deskup had made it.
    Recur,
}

/// What becomes of the reply to the create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It arrives after them.
    Late,
    /// It never arrives.
    Lost,
}

/// What was done to the first task of a ticket.
#[derive(Clone, Debug)]
pub struct Meddled {
    /// The task.
    pub task: String,
    /// In this order.
    pub tricks: Vec<Trick>,
    /// Whether deskup heard of it.
    pub reply: Reply,
}

/// A list outside of the mapping.
pub const OUTSIDE: &str = "901199";

/// Between two tricks, and before the reply.
const MOMENT_MS: u64 = 40;
/// As long as the world's own wire waits for a reply that is lost.
const LOST_MS: u64 = 10_000;

/// People at work on tasks.
pub struct Meddlers {
    clickup: ClickUpSim,
    who: Colleague,
    me: i64,
    lists: Vec<String>,
}

impl Meddlers {
    /// The first member of the world; adds the list outside of the mapping, unless it is there.
    pub fn of(world: &World) -> Self {
        let scenario = world.scenario();
        let clickup = world.clickup().clone();
        let space = scenario.workspace.spaces[0].0.to_owned();
        if clickup.lists().iter().all(|list| list["id"] != OUTSIDE) {
            let statuses = STATUSES.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned()));
            let list = ListSeed {
                id: OUTSIDE.to_owned(),
                name: "Somebody's own".to_owned(),
                space,
                statuses: statuses.collect(),
                ..ListSeed::default()
            };
            clickup.seed(|seed| seed.add_list(list)).expect("the world can be written");
        }
        Self {
            clickup,
            who: scenario.cast.members().next().expect("a world has members").clone(),
            me: world.rules().clickup_sync,
            lists: scenario.workspace.lists.iter().map(|list| list.id.clone()).collect(),
        }
    }

    /// Plays tricks on a task, one after the other.
    pub async fn play(&self, task: &str, tricks: &[Trick]) {
        for (number, trick) in tricks.iter().enumerate() {
            tokio::time::sleep(Duration::from_millis(MOMENT_MS)).await;
            self.one(task, *trick, &format!("{task}-{number}")).await;
        }
    }

    async fn one(&self, task: &str, trick: Trick, edit: &str) {
        let now = self.clickup.task(task).unwrap_or_else(|| panic!("{trick:?}: {task} is gone"));
        let text = now["description"].as_str().unwrap_or_default();
        let actor = self.who.clickup.expect("a member has an account");
        match trick {
            Trick::Move => {
                let home = now["list"]["id"].as_str().unwrap_or_default();
                let to = self.lists.iter().find(|list| *list != home).expect("there are several lists");
                self.move_to(task, to, edit).await;
            }
            Trick::MoveOut => self.move_to(task, OUTSIDE, edit).await,
            Trick::Archive => self.put(task, json!({ "archived": true }), edit).await,
            Trick::NoFooter => {
                let left = footer::strip(text);
                assert_ne!(left, text, "{task} has a footer");
                let left = if left.is_empty() { " " } else { left.as_ref() };
                self.put(task, json!({ "description": left }), edit).await;
            }
            Trick::Delete => self.send(Method::DELETE, &format!("/api/v2/task/{task}"), None, edit).await,
            Trick::Title => self.put(task, json!({ "name": format!("Renamed at once {task}") }), edit).await,
            Trick::Status => self.put(task, json!({ "status": "on hold" }), edit).await,
            Trick::Describe => {
                self.put(task, json!({ "description": format!("{text}\nSeen by {task}.") }), edit).await;
            }
            Trick::Duplicate => {
                self.clickup.duplicate_task(task, actor, None).expect("the task is there");
            }
            Trick::Recur => {
                self.clickup.recur_task(task, self.me, None).expect("the task is there");
            }
        }
    }

    async fn move_to(&self, task: &str, list: &str, edit: &str) {
        let path = format!("/api/v3/workspaces/{WORKSPACE_ID}/tasks/{task}/home_list/{list}");
        self.send(Method::PUT, &path, Some(json!({ "move_custom_fields": true })), edit).await;
    }

    async fn put(&self, task: &str, body: Json, edit: &str) {
        self.send(Method::PUT, &format!("/api/v2/task/{task}"), Some(body), edit).await;
    }

    async fn send(&self, method: Method, path: &str, body: Option<Json>, edit: &str) {
        let request = act::clickup(&self.who, method, path, body, edit).expect("a member has an account");
        let answer = self.clickup.handle(request).await;
        assert!(answer.status().is_success(), "{path}: {} {:?}", answer.status(), answer.body());
    }
}

/// Which tricks are played on the `n`th new task, and what becomes of its reply.
pub type Plan = dyn Fn(usize) -> (Vec<Trick>, Reply) + Send + Sync;

/// deskup's transport, with people at its other end.
pub struct Meddler {
    wire: Arc<dyn Transport>,
    people: Meddlers,
    plan: Box<Plan>,
    done: Mutex<BTreeMap<u64, Meddled>>,
}

impl Meddler {
    /// Lets people at the first task of each ticket.
    pub fn new(wire: Arc<dyn Transport>, people: Meddlers, plan: Box<Plan>) -> Arc<Self> {
        Arc::new(Self { wire, people, plan, done: Mutex::default() })
    }

    /// What was done, by ticket.
    pub fn done(&self) -> BTreeMap<u64, Meddled> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes the first task of a ticket with what becomes of it.
    fn begin(&self, task: &Json) -> Option<Meddled> {
        let marker = footer::parse(task["description"].as_str()?)?;
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if done.contains_key(&marker.ticket.get()) {
            return None;
        }
        let (tricks, reply) = (self.plan)(done.len());
        let meddled = Meddled { task: task["id"].as_str()?.to_owned(), tricks, reply };
        done.insert(marker.ticket.get(), meddled.clone());
        Some(meddled)
    }

    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let creates = request.method() == Method::POST
            && request.uri().path().starts_with("/api/v2/list/")
            && request.uri().path().ends_with("/task");
        let response = self.wire.send(request).await?;
        if !creates || !response.status().is_success() {
            return Ok(response);
        }
        let task: Json = serde_json::from_slice(response.body()).expect("a task");
        let Some(meddled) = self.begin(&task) else { return Ok(response) };
        self.people.play(&meddled.task, &meddled.tricks).await;
        match meddled.reply {
            Reply::Late => {
                tokio::time::sleep(Duration::from_millis(MOMENT_MS)).await;
                Ok(response)
            }
            Reply::Lost => {
                tokio::time::sleep(Duration::from_millis(LOST_MS)).await;
                Err(TransportError::Unknown("no answer".to_owned()))
            }
        }
    }
}

impl Transport for Meddler {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.carry(request))
    }
}
