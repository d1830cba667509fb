//! Small worlds for plans: a desk without webhooks, people who edit while deskup is down, and deskups that come
//! and go on one state.

mod tally;
mod tampering;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use functions::local::{self, ConnectError, Connection, Local};
use functions::plan::file::PlanFile;
use functions::plan::{self, Plan, Stage, Watch};
use functions::run::{self, Phase, Progress, Step};
use serde_json::{Value as Json, json};
use stores::links::Link;
use stores::{Place, Store};
use tests::planned::Ledger;
use world::people::act::Action;
use world::{Deskup, Instance, InstanceOptions, Silent, World, WorldFaults, WorldOptions};

pub use tally::Tally;
pub use tampering::Tamper;
use tampering::Tampering;

/// What a world is like.
#[derive(Clone, Debug)]
pub struct Setting {
    pub seed: u64,
    pub tickets: usize,
    /// Edits after a first sync.
    pub edits: usize,
    /// Whether there was a first sync, and of how many tickets.
    pub synced: Option<u32>,
    /// Whether deskup's state was lost after it.
    pub lost: bool,
    pub link_back: &'static str,
    pub internal_notes: bool,
    pub closed: bool,
    pub limit: Option<u32>,
    /// Requests and replies get lost, and services fail.
    pub rough: bool,
}

impl Setting {
    /// One of many, by its seed.
    pub fn drawn(seed: u64) -> Self {
        let tickets = 5 + (seed % 6) as usize;
        let synced = match seed % 4 {
            0 | 1 => Some(5_000),
            2 => Some(3),
            _ => None,
        };
        Self {
            seed,
            tickets,
            edits: if synced.is_some() { 10 } else { 0 },
            synced,
            lost: synced.is_some() && seed.is_multiple_of(9),
            link_back: ["none", "external_id", "tag"][(seed % 3) as usize],
            internal_notes: seed.is_multiple_of(2),
            closed: !seed.is_multiple_of(5),
            limit: seed.is_multiple_of(11).then_some(4),
            rough: false,
        }
    }
}

/// Nobody looks.
pub struct Watching;

impl Watch for Watching {
    fn stage(&self, _: Stage, _: u64, _: Option<u64>) {}
}

impl Progress for Watching {
    fn step(&self, _: Phase, _: &Step) {}
}

/// Both services, and the state that deskups leave.
pub struct Desk {
    pub world: World,
    setting: Setting,
    store: Store,
    /// A line more in `[sync]`.
    more: String,
    incarnation: Cell<u64>,
    /// What the pilot's limit is for the next deskup.
    limit: Cell<Option<u32>>,
}

/// Changes that both services had logged at a moment.
pub type Marks = (u64, u64);

impl Desk {
    /// Services with people and tickets, and no deskup yet.
    pub async fn open(setting: Setting) -> Self {
        let options = WorldOptions {
            tickets: setting.tickets,
            edits: setting.edits,
            seed: setting.seed,
            internal_notes: setting.internal_notes,
            faults: if setting.rough { WorldFaults::rough() } else { WorldFaults::default() },
            ..WorldOptions::default()
        };
        let world = World::open(options).unwrap();
        world.seed(&Silent).unwrap();
        let store = Store::embedded(Place::Memory, "demo", world.store_clock()).unwrap();
        let limit = Cell::new(setting.limit);
        Self { world, setting, store, more: String::new(), incarnation: Cell::new(0), limit }
    }

    /// The same after a first sync, and after people have edited both sides while deskup was down.
    pub async fn synced(setting: Setting) -> Self {
        let desk = Self::open(Setting { limit: setting.limit, ..setting.clone() }).await;
        desk.limit.set(setting.synced.or(Some(5_000)));
        let local = desk.connect(None).await;
        assert!(local.dispatcher.backfill(1).await.unwrap().succeeded());
        let report = run::unplanned(&local, &Watching).await;
        assert!(report.is_ok(), "{report:?}");
        drop(local);
        desk.limit.set(setting.limit);
        desk.world.play(&Silent).await.unwrap();
        if let Some((_, task)) = desk.pairs().await.into_iter().next() {
            desk.attach(&task).await;
        }
        minutes(3).await;
        desk
    }

    /// The same services and state under settings with one line more.
    pub fn with(self, more: &str) -> Self {
        Self { more: format!("{}{more}\n", self.more), ..self }
    }

    /// The same services, and a state that knows nothing.
    pub fn forgotten(self) -> Self {
        let store = Store::embedded(Place::Memory, "demo", self.world.store_clock()).unwrap();
        Self { store, ..self }
    }

    fn options(&self, tamper: Option<Tamper>) -> InstanceOptions {
        self.incarnation.set(self.incarnation.get() + 1);
        let mut options = InstanceOptions::of(&self.world, self.store.clone());
        let sync = format!("[sync]\nlink_back = {:?}\n{}", self.setting.link_back, self.more);
        let limit = self.limit.get().map(|limit| format!("limit = {limit}\n")).unwrap_or_default();
        let scope = format!("closed = {}\n{limit}", self.setting.closed);
        options.settings = options.settings.replace("[sync]\n", &sync).replace("closed = true\n", &scope);
        options.options.incarnation = self.incarnation.get();
        options.options.confirm_within_ms = 0;
        if let Some(how) = tamper {
            options.transport = Arc::new(Tampering { inner: options.transport, how });
        }
        options
    }

    /// A deskup on the state, as the command connects it.
    pub async fn connect(&self, tamper: Option<Tamper>) -> Local {
        loop {
            match self.try_to_connect(tamper).await {
                Ok(local) => return local,
                // On a bad day whoever starts it tries again.
                Err(error) => assert!(self.setting.rough, "{error}"),
            }
        }
    }

    async fn try_to_connect(&self, tamper: Option<Tamper>) -> Result<Local, ConnectError> {
        let options = self.options(tamper);
        local::connect(Connection {
            store: options.store,
            transport: options.transport,
            clock: options.clock,
            settings: options.settings,
            zendesk: options.zendesk,
            zendesk_limits: options.zendesk_limits,
            clickup: options.clickup,
            clickup_per_min: options.clickup_per_min,
            seed: options.seed,
            options: options.options,
        })
        .await
    }

    /// A deskup that hears of every change.
    pub async fn listen(&self) -> Arc<Instance> {
        let instance = Instance::new(self.options(None));
        instance.prepare().await.unwrap();
        self.world.connect(Some(instance.clone()));
        instance.start_live();
        instance
    }

    pub fn marks(&self) -> Marks {
        let last = |changes: Vec<simulators::Change>| changes.last().map_or(0, |change| change.seq);
        (last(self.world.zendesk().changes()), last(self.world.clickup().changes()))
    }

    /// Changes that deskup made.
    pub fn changes(&self) -> usize {
        let rules = self.world.rules();
        let zendesk = self.world.zendesk().changes();
        let clickup = self.world.clickup().changes();
        zendesk.iter().filter(|change| change.actor == rules.zendesk_sync).count()
            + clickup.iter().filter(|change| change.actor == rules.clickup_sync).count()
    }

    pub async fn links(&self) -> Vec<Link> {
        let mut links = self.store.links().scan(None).await.unwrap().links;
        links.sort_by_key(|link| link.ticket);
        links
    }

    /// Effect rows of all tickets.
    pub async fn effects(&self) -> usize {
        let mut count = 0;
        for link in self.links().await {
            count += self.store.effects().list(link.ticket).await.unwrap().len();
        }
        count
    }

    /// Work rows.
    pub async fn rows(&self) -> u64 {
        self.store.work().count().await.unwrap().values().sum()
    }

    pub async fn conflicts_of(&self, ticket: u64) -> usize {
        let rows = self.store.conflicts().list_open(10_000).await.unwrap();
        rows.iter().filter(|row| row.ticket.get() == ticket).count()
    }

    /// The task of each linked ticket.
    pub async fn pairs(&self) -> BTreeMap<u64, String> {
        let linked = self.links().await.into_iter();
        linked.filter_map(|link| Some((link.ticket.get(), link.task?.to_string()))).collect()
    }

    pub async fn differences(&self, plan: &Plan, since: Marks) -> Vec<String> {
        Ledger::new(&self.world, self.pairs().await, self.setting.link_back).differences(plan, since)
    }

    pub fn statuses(&self) -> BTreeMap<u64, String> {
        let tickets = self.world.zendesk().tickets();
        let status = |ticket: &Json| {
            Some((ticket["id"].as_u64()?, ticket["status"].as_str().unwrap_or_default().to_owned()))
        };
        tickets.iter().filter_map(status).collect()
    }

    pub fn open_tickets(&self) -> Vec<u64> {
        let statuses = self.statuses().into_iter();
        statuses.filter(|(_, s)| !matches!(s.as_str(), "solved" | "closed")).map(|(id, _)| id).collect()
    }

    pub fn tasks(&self) -> usize {
        self.world.clickup().tasks().len()
    }

    pub fn task(&self, task: &str) -> Json {
        self.world.clickup().task(task).unwrap()
    }

    pub fn ticket_url(&self) -> String {
        format!("{}/agent/tickets/", self.world.access().zendesk.base_url)
    }

    pub async fn on_ticket(&self, ticket: u64, members: Json) {
        let who = self.world.scenario().cast.agents().next().unwrap();
        let request = Action::Ticket(members).request(who, &ticket.to_string(), "by hand").unwrap();
        let answer = self.world.zendesk().handle(request).await;
        assert!(answer.status().is_success(), "ticket {ticket}: {:?}", answer.body());
    }

    /// Solves a ticket, which needs an assignee of its group.
    pub async fn solve(&self, ticket: u64) {
        let group = self.world.zendesk().ticket(ticket).unwrap()["group_id"].as_i64().unwrap();
        let agent = self.world.scenario().cast.agents_of(group).next().unwrap().zendesk;
        self.on_ticket(ticket, json!({ "assignee_id": agent, "status": "solved" })).await;
    }

    /// A member hangs a file on a task, and renames it: a file alone is nowhere told of.
    async fn attach(&self, task: &str) {
        let who = self.world.scenario().cast.members().find_map(|member| member.clickup).unwrap();
        let body = "--x\r\nContent-Disposition: form-data; name=\"attachment\"; filename=\"trace.txt\"\r\n\
                    Content-Type: text/plain\r\n\r\nline one\r\n--x--\r\n";
        let call = |method: &str, path: String, kind: &str, body: String| {
            http::Request::builder()
                .method(method)
                .uri(format!("https://x/api/v2/task/{task}{path}"))
                .header("authorization", format!("pk_{who}"))
                .header("content-type", kind.to_owned())
                .body(Bytes::from(body))
                .unwrap()
        };
        let file = call("POST", "/attachment".to_owned(), "multipart/form-data; boundary=x", body.to_owned());
        let name = json!({ "name": "Renamed beside the file" }).to_string();
        let named = call("PUT", String::new(), "application/json", name);
        for request in [file, named] {
            let answer = self.world.clickup().handle(request).await;
            assert!(answer.status().is_success(), "{:?}", answer.body());
        }
    }

    /// A member makes a task in the first list.
    pub async fn make_task(&self, name: &str, description: &str) -> String {
        let list = self.world.scenario().workspace.lists[0].id.clone();
        let who = self.world.scenario().cast.members().find_map(|member| member.clickup).unwrap();
        let body = json!({ "name": name, "description": description });
        let request = http::Request::post(format!("https://x/api/v2/list/{list}/task"))
            .header("authorization", format!("pk_{who}"))
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let answer = self.world.clickup().handle(request).await;
        let task: Json = serde_json::from_slice(answer.body()).unwrap();
        task["id"].as_str().unwrap().to_owned()
    }
}

/// Lets virtual time pass.
pub async fn minutes(count: u64) {
    tokio::time::sleep(Duration::from_secs(60 * count)).await;
}

/// Plans a world and carries the plan out; gives what differs between the two.
pub async fn compare(setting: Setting, tamper: Option<Tamper>) -> (Vec<String>, Tally) {
    let mut desk = match setting.synced {
        Some(_) => Desk::synced(setting.clone()).await,
        None => Desk::open(setting.clone()).await,
    };
    if setting.lost {
        desk = desk.forgotten().with("adopt = \"link\"");
    }
    let local = desk.connect(tamper).await;
    let before = desk.changes();
    let made = plan::make(&local.cx, &plan::Unwatched).await.unwrap();
    let mut faults = Vec::new();
    if desk.changes() != before {
        faults.push("the plan changed something".to_owned());
    }
    let tally = Tally::of(&made);
    let since = desk.marks();
    // A plan on paper holds back what it does not name; without one nothing does.
    let paper = setting.seed.is_multiple_of(3) || made.writes() > run::UNCONFIRMED_WRITES_MAX;
    let report = if paper {
        run::planned(&local, &PlanFile::of(&local.cx, made.clone()), &Watching).await
    } else {
        run::unplanned(&local, &Watching).await
    };
    match report {
        Ok(report) => {
            faults
                .extend(report.left.iter().map(|(ticket, why)| format!("left out: ticket {ticket}: {why}")));
            if report.set_aside > 0 {
                faults.push(format!("{} records were set aside", report.set_aside));
            }
        }
        Err(error) => faults.push(format!("the run failed: {:?}", error)),
    }
    faults.extend(desk.differences(&made, since).await);
    if tamper.is_none() {
        drop(local);
        let local = desk.connect(None).await;
        let after = plan::make(&local.cx, &plan::Unwatched).await.unwrap();
        let rest = after.records.iter().filter(|record| !record.calls.is_empty());
        faults.extend(rest.map(|record| format!("not settled: {record:?}")));
    }
    (faults, tally)
}
