//! A desk for the suites of `serve`: two accounts on ports, a tunnel to deskup, another one to ClickUp, colleagues
//! who edit over HTTP, and a folder with settings and credentials.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use clients::http::HttpTransport;
use clients::{
    ClickUp, ClickUpConfig, ClickUpCredentials, NoPacer, Secret, TokioClock, Zendesk, ZendeskConfig,
    ZendeskCredentials,
};
use domain::TicketId;
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;

use crate::accounts::{Accounts, Running, deskup, folder, wait_for, wall_ms};
use crate::gate::{Gate, Lead};

/// Two accounts, two tunnels, a folder.
pub struct Desk {
    pub accounts: Accounts,
    /// From outside to deskup.
    pub gate: Gate,
    /// From deskup to ClickUp.
    pub clickup: Gate,
    dir: PathBuf,
    listen: u16,
    runtime: Runtime,
    agent: Zendesk,
    member: ClickUp,
    http: HttpTransport,
}

/// A webhook as a service has it.
pub struct Hook {
    pub id: String,
    pub endpoint: String,
    pub state: String,
    pub fail_count: i64,
}

impl Desk {
    pub fn open(name: &str) -> Self {
        let accounts = Accounts::open(6, 1);
        let dir = folder(&format!("sv-{name}"));
        // Free now, and nobody else takes it meanwhile but by chance.
        let listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let gate = Gate::open(Lead::To(([127, 0, 0, 1], listen).into()));
        let address = accounts.ports.clickup_url.strip_prefix("http://").unwrap().parse().unwrap();
        let clickup = Gate::open(Lead::To(address));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (agent, member) = runtime.block_on(async { colleagues(&accounts) });
        let http = HttpTransport::new().unwrap();
        let desk = Self { accounts, gate, clickup, dir, listen, runtime, agent, member, http };
        let tunnel = format!("public_url = \"http://127.0.0.1:{}/tunnel\"\n", desk.gate.port);
        desk.write_settings(&(desk.listens() + &tunnel));
        desk.write_credentials("simulated-secret");
        desk
    }

    /// Settings of a deskup that nobody reaches from outside.
    pub fn listens(&self) -> String {
        format!("[serve]\nlisten = \"127.0.0.1:{}\"\n", self.listen)
    }

    /// The tunnel as it was.
    pub fn through(&self) -> Lead {
        Lead::To(([127, 0, 0, 1], self.listen).into())
    }

    /// Writes `deskup.toml` with this at its end.
    pub fn write_settings(&self, more: &str) {
        let ports = &self.accounts.ports;
        let clickup = format!("http://127.0.0.1:{}", self.clickup.port);
        let text = world::seedwork::settings::text(&ports.scenario, &ports.zendesk_url, &clickup);
        std::fs::write(self.dir.join("deskup.toml"), format!("{text}\n{more}")).unwrap();
    }

    /// Writes `credentials.toml`, which only we may read.
    pub fn write_credentials(&self, secret: &str) {
        let token = &self.accounts.ports.credentials()[2].1;
        let text = format!(
            "[zendesk]\nclient_id = \"deskup\"\nclient_secret = \"{secret}\"\n[clickup]\ntoken = \"{token}\"\n"
        );
        let path = self.dir.join("credentials.toml");
        let _ = std::fs::remove_file(&path);
        let mut options = std::fs::OpenOptions::new();
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.write(true).create(true).truncate(true).open(path).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    }

    /// The command in the folder; credentials are in the file.
    pub fn deskup(&self, arguments: &[&str]) -> Command {
        deskup(&self.dir, arguments)
    }

    /// Starts to serve.
    pub fn serve(&self, more: &[&str]) -> Running {
        let mut arguments = vec!["serve", "--from-now"];
        arguments.extend(more);
        Running::start(&mut self.deskup(&arguments), &self.dir)
    }

    /// What it told so far.
    pub fn told(&self) -> String {
        std::fs::read_to_string(self.dir.join("err.txt")).unwrap_or_default()
    }

    /// What a monitor sees; nothing if nobody listens.
    pub fn health(&self) -> Option<u16> {
        let url = format!("http://127.0.0.1:{}/healthz", self.listen);
        let request = http::Request::get(url).body(bytes::Bytes::new()).unwrap();
        let answer = self.runtime.block_on(clients::Transport::send(&self.http, request));
        answer.ok().map(|answer| answer.status().as_u16())
    }

    /// Waits until it works.
    #[track_caller]
    pub fn is_healthy(&self) {
        wait_for("it to work", || (self.health() == Some(200)).then_some(()));
    }

    /// Waits until it works and both services deliver to it.
    #[track_caller]
    pub fn is_ready(&self) {
        self.is_healthy();
        // Zendesk is registered first.
        let registered = || !self.accounts.ports.clickup.webhooks().is_empty();
        wait_for("the webhooks", || registered().then_some(()));
    }

    /// What `status` says.
    fn status(&self) -> Json {
        let output = self.deskup(&["status", "--json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// What should wake somebody; a monitor must see by the exit code that there is something.
    #[track_caller]
    pub fn alarms(&self) -> Vec<String> {
        let output = self.deskup(&["status", "--json"]).output().unwrap();
        let status: Json = serde_json::from_slice(&output.stdout).unwrap();
        let alarms: Vec<String> = status["alarms"]
            .as_array()
            .unwrap()
            .iter()
            .map(|alarm| alarm["kind"].to_string().replace('"', ""))
            .collect();
        assert_eq!(output.status.code(), Some(i32::from(!alarms.is_empty())), "{alarms:?}");
        alarms
    }

    /// How many rows of a kind there are.
    pub fn count(&self, kind: &str) -> u64 {
        let status = self.status();
        let counts = status[kind].as_object().map(|counts| counts.values().filter_map(Json::as_u64).sum());
        counts.unwrap_or_default()
    }

    /// Waits until so many pairs are linked and nothing is left to do.
    #[track_caller]
    pub fn is_calm(&self, linked: u64) {
        wait_for("calm", || {
            let status = self.status();
            let waiting: u64 = status["work"].as_object()?.values().filter_map(Json::as_u64).sum();
            (status["links"]["linked"].as_u64() == Some(linked) && waiting == 0).then_some(())
        });
    }

    /// Waits until everything stands still, and gives the reason.
    #[track_caller]
    pub fn paused(&self) -> String {
        wait_for("the pause", || (self.health() == Some(503)).then_some(()));
        self.status()["paused"].to_string()
    }

    /// Waits until a live execution runs.
    #[track_caller]
    pub fn is_busy(&self) {
        wait_for("an execution", || {
            let status = self.status();
            let executions = status["executions"].as_array().cloned().unwrap_or_default();
            let runs = |row: &Json| row["workflow"] == "ticket-sync-live" && row["status"] == "RUNNING";
            executions.iter().any(runs).then_some(())
        });
    }

    /// An agent changes a ticket, over HTTP.
    pub fn on_ticket(&self, ticket: u64, field: &str, value: &str) {
        let ticket = TicketId::new(ticket).unwrap();
        let mut patch = domain::TicketPatch::default();
        match field {
            "priority" => patch.priority = Some(Some(value.to_owned())),
            other => panic!("no test changes the ticket's {other}"),
        }
        self.runtime.block_on(self.agent.update_ticket(ticket, &patch, "by hand", None)).unwrap();
    }

    /// A member changes a task, over HTTP.
    pub fn on_task(&self, task: &str, field: &str, value: &str) {
        let task = domain::TaskId::new(task).unwrap();
        let mut patch = domain::TaskPatch::default();
        match field {
            "name" => patch.name = Some(value.to_owned()),
            other => panic!("no test changes the task's {other}"),
        }
        self.runtime.block_on(self.member.update_task(&task, &patch)).unwrap();
    }

    /// Waits for the task of a ticket.
    #[track_caller]
    pub fn task_of(&self, ticket: u64) -> String {
        let marker = format!("/agent/tickets/{ticket}");
        wait_for("the task of a ticket", || {
            let tasks = self.accounts.ports.clickup.tasks();
            let found = tasks.iter().find(|task| {
                let text = task["description"].as_str().unwrap_or_default();
                text.split(&marker).nth(1).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
            });
            found.and_then(|task| task["id"].as_str()).map(str::to_owned)
        })
    }

    /// A task that no ticket has.
    pub fn any_task(&self) -> String {
        let list = self.accounts.ports.scenario.workspace.lists[0].id.clone();
        let list = domain::ListId::new(list).unwrap();
        let task =
            domain::NewTask { name: "A task of ClickUp's own".to_owned(), ..domain::NewTask::default() };
        self.runtime.block_on(self.member.create_task(&list, &task)).unwrap().id.as_str().to_owned()
    }

    /// Waits until a task is in ClickUp's lists: a new one is missing from them for a while.
    #[track_caller]
    pub fn is_listed(&self, task: &str) {
        wait_for("the task in the lists", || {
            let page = self.runtime.block_on(self.member.team_tasks(&clients::TaskQuery::default())).unwrap();
            page.tasks.iter().any(|listed| listed.id.as_str() == task).then_some(())
        });
    }

    /// Waits until a task has a value.
    #[track_caller]
    pub fn task_shows(&self, task: &str, pointer: &str, value: &str) {
        wait_for(&format!("{pointer} of the task to be {value}; told: {}", self.told()), || {
            let shown = self.accounts.ports.clickup.task(task)?;
            (shown.pointer(pointer) == Some(&json!(value))).then_some(())
        });
    }

    /// Waits until a ticket has a value.
    #[track_caller]
    pub fn ticket_shows(&self, ticket: u64, field: &str, value: &str) {
        wait_for(&format!("{field} of the ticket to be {value}"), || {
            let shown = self.accounts.ports.zendesk.ticket(ticket)?;
            (shown[field] == value).then_some(())
        });
    }

    /// The webhooks of both services as `webhooks list` shows them.
    pub fn hooks(&self) -> Vec<Hook> {
        let output = self.deskup(&["webhooks", "list", "--json"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let shown: Json = serde_json::from_slice(&output.stdout).unwrap();
        let text = |hook: &Json, name: &str| hook[name].as_str().unwrap_or_default().to_owned();
        let hook = |hook: &Json| Hook {
            id: text(hook, "id"),
            endpoint: text(hook, "endpoint"),
            state: text(hook, "state"),
            fail_count: hook["fail_count"].as_i64().unwrap_or_default(),
        };
        shown["webhooks"].as_array().unwrap().iter().map(hook).collect()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // A failing test leaves its folder for a look.
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

fn colleagues(accounts: &Accounts) -> (Zendesk, ClickUp) {
    let ports = &accounts.ports;
    let both = |who: &&world::seedwork::cast::Colleague| who.zendesk.is_some() && who.clickup.is_some();
    let who = ports.scenario.cast.colleagues.iter().find(both).unwrap();
    let transport = Arc::new(HttpTransport::new().unwrap());
    let clock = Arc::new(TokioClock::new(wall_ms()));
    let credentials = ZendeskCredentials::ApiToken {
        email: who.email.clone(),
        token: Secret::new(format!("token-{}", who.zendesk.unwrap())),
    };
    let config = ZendeskConfig { base_url: ports.zendesk_url.clone(), credentials };
    let zendesk = Zendesk::new(config, transport.clone(), Arc::new(NoPacer), clock.clone(), 1).unwrap();
    let config = ClickUpConfig {
        base_url: ports.clickup_url.clone(),
        token: ClickUpCredentials::Personal(Secret::new(format!("pk_{}", who.clickup.unwrap()))),
        workspace: ports.workspace().to_owned(),
    };
    let clickup = ClickUp::new(config, transport, Arc::new(NoPacer), clock, 1).unwrap();
    (zendesk, clickup)
}
