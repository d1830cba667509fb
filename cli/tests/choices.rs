//! What a person decides on real accounts on ports: a conflict is applied by the command alone, or by the deskup that
//! runs; the others look on through it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod accounts;

use std::path::Path;
use std::sync::{Arc, mpsc};

use accounts::{Accounts, Running, folder, said, wait_for, wall_ms};
use clients::http::HttpTransport;
use clients::{
    ClickUpConfig, ClickUpCredentials, Clock, Secret, ZendeskConfig, ZendeskCredentials, ZendeskLimits,
};
use functions::Options;
use functions::local::{self, Connection, Local};
use serde_json::{Value as Json, json};
use stores::{Place, Store, WorkKey};
use world::people::act::Action;

struct Wall;

impl Clock for Wall {
    fn now_ms(&self) -> i64 {
        wall_ms()
    }
}

/// A deskup in this process, on the state of a folder.
async fn connected(accounts: &Accounts, dir: &Path) -> (Store, Local) {
    let store = Store::embedded(Place::File(dir.join("deskup.sqlite")), "local", Arc::new(wall_ms)).unwrap();
    let ports = &accounts.ports;
    let [(_, client_id), (_, secret), (_, token)] = ports.credentials();
    let connection = Connection {
        store: store.clone(),
        transport: Arc::new(HttpTransport::new().unwrap()),
        clock: Arc::new(Wall),
        settings: accounts.settings(),
        zendesk: ZendeskConfig {
            base_url: ports.zendesk_url.clone(),
            credentials: ZendeskCredentials::OAuthClient {
                client_id,
                client_secret: Secret::new(secret),
                scope: "read write".to_owned(),
            },
        },
        zendesk_limits: ZendeskLimits::default(),
        clickup: ClickUpConfig {
            base_url: ports.clickup_url.clone(),
            token: ClickUpCredentials::Personal(Secret::new(token)),
            workspace: ports.workspace().to_owned(),
        },
        clickup_per_min: 10_000,
        seed: 1,
        options: Options { incarnation: store.incarnation(), ..Options::default() },
    };
    let local = local::connect(connection).await.unwrap();
    (store, local)
}

/// A folder whose state has every ticket linked, and one ticket that both sides renamed at once.
fn disputed(accounts: &Accounts, name: &str) -> (std::path::PathBuf, u64, String) {
    let dir = folder(name);
    std::fs::write(dir.join("deskup.toml"), accounts.settings()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (ticket, task) = runtime.block_on(async {
        let (store, local) = connected(accounts, &dir).await;
        assert!(local.dispatcher.backfill(1).await.unwrap().succeeded());
        let links = store.links().scan(None).await.unwrap().links;
        let open = |link: &&stores::links::Link| {
            accounts.ports.zendesk.ticket(link.ticket.get()).is_some_and(|ticket| ticket["status"] == "open")
        };
        let link = links.iter().find(open).unwrap();
        let (ticket, task) = (link.ticket, link.task.clone().unwrap());
        renamed(accounts, ticket.get(), task.as_str()).await;
        let hint = stores::work::Hint {
            lane: stores::Lane::Live,
            delay_ms: 0,
            wants: &["z", "c"],
            event_ms: 0,
            queue: None,
        };
        store.work().hint(&WorkKey::Ticket(ticket), hint).await.unwrap();
        assert!(local.dispatcher.one(&WorkKey::Ticket(ticket), "test").await.unwrap().succeeded());
        (ticket.get(), task.to_string())
    });
    assert_eq!(names(accounts, ticket, &task), ["Named in Zendesk", "Named in Zendesk"]);
    (dir, ticket, task)
}

async fn renamed(accounts: &Accounts, ticket: u64, task: &str) {
    let cast = &accounts.ports.scenario.cast;
    let (agent, member) = (cast.agents().next().unwrap(), cast.members().next().unwrap());
    let on_ticket = Action::Ticket(json!({ "subject": "Named in Zendesk" }));
    let request = on_ticket.request(agent, &ticket.to_string(), "e1").unwrap();
    assert!(accounts.ports.zendesk.handle(request).await.status().is_success());
    let on_task = Action::Task(json!({ "name": "Named in ClickUp" }));
    let request = on_task.request(member, task, "e2").unwrap();
    assert!(accounts.ports.clickup.handle(request).await.status().is_success());
}

fn names(accounts: &Accounts, ticket: u64, task: &str) -> [String; 2] {
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    let (ticket, task) =
        (accounts.ports.zendesk.ticket(ticket).unwrap(), accounts.ports.clickup.task(task).unwrap());
    [text(&ticket["subject"]), text(&task["name"])]
}

#[track_caller]
fn json_of(accounts: &Accounts, dir: &Path, arguments: &[&str]) -> Json {
    let mut all = arguments.to_vec();
    all.push("--json");
    let output = accounts.deskup(dir, &all).output().unwrap();
    let (out, error) = said(&output);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {error}");
    serde_json::from_str(&out).unwrap()
}

fn conflict(accounts: &Accounts, dir: &Path) -> Json {
    let listed = json_of(accounts, dir, &["conflicts"]);
    let rows = listed["conflicts"].as_array().unwrap();
    rows.iter().find(|row| row["field"] == "title").expect("the name that lost is kept").clone()
}

#[test]
fn where_nothing_runs_the_command_applies_one_value_and_writes_nothing_else() {
    let accounts = Accounts::open(12, 3);
    let (dir, ticket, task) = disputed(&accounts, "alone");
    let row = conflict(&accounts, &dir);
    let id = row["id"].as_str().unwrap();
    let before = accounts.changes();

    let mut wrong = accounts.deskup(&dir, &["conflicts", "apply", id, "clickup"]);
    let output = wrong.env("DESKUP_CLICKUP_TOKEN", "pk_wrong").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{:?}", said(&output));
    assert!(!said(&output).1.contains("pk_wrong"), "a secret is never repeated");
    assert_eq!(conflict(&accounts, &dir)["asked"], Json::Null, "what nobody can do is not asked for");
    let nobody = accounts::deskup(&dir, &["conflicts", "apply", id, "clickup"]).output().unwrap();
    assert_eq!(nobody.status.code(), Some(2));
    assert!(said(&nobody).1.contains("credentials are missing"), "{:?}", said(&nobody));

    let pause = json_of(&accounts, &dir, &["pause", "urgent", "--reason", "a test"]);
    assert_eq!(pause["paused"][0]["lane"], "urgent");
    let waits = accounts.deskup(&dir, &["conflicts", "apply", id, "clickup"]).output().unwrap();
    assert_eq!(waits.status.code(), Some(1), "{:?}", said(&waits));
    assert!(said(&waits).1.contains("a test"), "{:?}", said(&waits));
    assert_eq!(accounts.changes(), before, "paused is paused");
    json_of(&accounts, &dir, &["resume"]);

    let applied = json_of(&accounts, &dir, &["conflicts", "apply", id, "clickup"]);
    assert_eq!((&applied["state"], &applied["settled"]["side"]), (&json!("applied"), &json!("clickup")));
    assert_eq!(names(&accounts, ticket, &task), ["Named in ClickUp", "Named in ClickUp"]);
    assert_eq!(accounts.changes(), before + 2, "one write on each side and nothing else");
    let twice = json_of(&accounts, &dir, &["conflicts", "apply", id, "clickup"]);
    assert_eq!(twice["settled"], applied["settled"]);
    assert_eq!(accounts.changes(), before + 2);
    let explained = json_of(&accounts, &dir, &["explain", &task, "title"]);
    let why = explained["fields"][0]["why"].as_str().unwrap();
    assert!(why.contains("applied by"), "{why}");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_field_that_was_changed_since_is_asked_about() {
    let accounts = Accounts::open(12, 4);
    let (dir, ticket, task) = disputed(&accounts, "since");
    let id = conflict(&accounts, &dir)["id"].as_str().unwrap().to_owned();
    // A person renames the ticket, and deskup has seen it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let agent = accounts.ports.scenario.cast.agents().next().unwrap();
        let newer =
            Action::Ticket(json!({ "subject": "Named again" })).request(agent, &ticket.to_string(), "e3");
        assert!(accounts.ports.zendesk.handle(newer.unwrap()).await.status().is_success());
        let (store, local) = connected(&accounts, &dir).await;
        let key = WorkKey::Ticket(domain::TicketId::new(ticket).unwrap());
        let hint = stores::work::Hint {
            lane: stores::Lane::Live,
            delay_ms: 0,
            wants: &["z"],
            event_ms: 0,
            queue: None,
        };
        store.work().hint(&key, hint).await.unwrap();
        assert!(local.dispatcher.one(&key, "test").await.unwrap().succeeded());
    });
    assert_eq!(names(&accounts, ticket, &task), ["Named again", "Named again"]);
    let before = accounts.changes();
    let asked = accounts.deskup(&dir, &["conflicts", "apply", &id, "clickup"]).output().unwrap();
    assert_eq!(asked.status.code(), Some(2));
    let (_, error) = said(&asked);
    assert!(error.contains("Named again") && error.contains("--yes"), "{error}");
    assert_eq!(accounts.changes(), before);
    json_of(&accounts, &dir, &["conflicts", "apply", &id, "clickup", "--yes"]);
    assert_eq!(names(&accounts, ticket, &task), ["Named in ClickUp", "Named in ClickUp"]);
    std::fs::remove_dir_all(&dir).unwrap();
}

/// A deskup that serves in a thread of this process, lending its state.
struct Serving {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Serving {
    fn start(accounts: &Arc<Accounts>, dir: &Path) -> Self {
        let (accounts, dir) = (accounts.clone(), dir.to_owned());
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (ready, is_ready) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let (store, local) = connected(&accounts, &dir).await;
                let _lending = store.lend().unwrap().unwrap();
                let serving = tokio::spawn(local.dispatcher.clone().run());
                ready.send(()).unwrap();
                let _ = stopped.await;
                local.dispatcher.stop();
                serving.await.unwrap();
            });
        });
        is_ready.recv().unwrap();
        Self { stop: Some(stop), thread: Some(thread) }
    }

    fn end(mut self) {
        let _ = self.stop.take().unwrap().send(());
        self.thread.take().unwrap().join().unwrap();
    }
}

#[test]
fn a_deskup_that_runs_applies_what_another_process_asks_for() {
    let accounts = Arc::new(Accounts::open(12, 5));
    let (dir, ticket, task) = disputed(&accounts, "guest");
    let serving = Serving::start(&accounts, &dir);
    let status = accounts.deskup(&dir, &["status", "--json"]).output().unwrap();
    let status: Json = serde_json::from_slice(&status.stdout).unwrap();
    assert!(status["holder"]["who"].as_str().unwrap().contains("process"), "{status}");
    let id = conflict(&accounts, &dir)["id"].as_str().unwrap().to_owned();
    let before = accounts.changes();
    json_of(&accounts, &dir, &["pause", "--reason", "look first"]);
    json_of(&accounts, &dir, &["resume"]);
    let applied = json_of(&accounts, &dir, &["conflicts", "apply", &id, "clickup"]);
    assert_eq!(applied["state"], "applied");
    assert_eq!(names(&accounts, ticket, &task), ["Named in ClickUp", "Named in ClickUp"]);
    assert_eq!(accounts.changes(), before + 2);
    serving.end();
    let stopped = wait_for("the state to be free", || {
        let output = accounts.deskup(&dir, &["status", "--json"]).output().unwrap();
        let status: Json = serde_json::from_slice(&output.stdout).ok()?;
        status["holder"].is_null().then_some(status)
    });
    assert_eq!(stopped["should_run"], false, "it was stopped in order: {stopped}");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn who_only_has_a_look_at_the_state_is_waited_for() {
    let accounts = Accounts::open(3, 5);
    let dir = folder("ch-look");
    std::fs::write(dir.join("deskup.toml"), accounts.settings()).unwrap();
    let place = Place::File(dir.join("deskup.sqlite"));
    let look = Store::embedded(place, "local", Arc::new(wall_ms)).unwrap();
    let mut waiting = Running::start(&mut accounts.deskup(&dir, &["run", "ticket-sync"]), &dir);
    for _ in 0..10 {
        accounts::pause();
        assert!(waiting.0.try_wait().unwrap().is_none(), "it waits");
    }
    drop(look);
    let ended = waiting.end();
    assert!(ended.success(), "{}", std::fs::read_to_string(dir.join("err.txt")).unwrap());
    std::fs::remove_dir_all(&dir).unwrap();
}
