//! Polls over a table that fails at each of their requests: whatever becomes of a poll, the next one finds all that has no
//! work row yet. A cursor that had passed a record without one would have lost it, because no webhook tells anything here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::{Directory, Settings, TaskId, TicketId};
use functions::steps::poll_comments::PollComments;
use functions::steps::poll_tasks::PollTasks;
use functions::steps::poll_tickets::PollTickets;
use functions::{Context, Options, local, plan};
use orchestration::{ExecutionContext, StepExecutor, StepFailure};
use serde_json::{Value as Json, json};
use statemachines::steps::{PollCommentsInput, PollOutput, PollTasksInput, PollTicketsInput};
use stores::{FaultPlan, Store, WorkKey};
use world::people::act::Action;
use world::{Deskup, InstanceOptions, WorldFaults, WorldOptions};

use crate::whole::{Stage, on_paused_clock};

/// Tickets of a world; most of them are edited.
const TICKETS: usize = 30;
/// Tickets on a page of the export: several pages, and a boundary within one second.
const PAGE: u32 = 4;
/// Tickets changed by one macro, all but the last in the same second.
const AT_ONCE: usize = 10;
/// Between edits of tasks, s: together more than what each poll looks at again.
const APART_S: u64 = 60;
/// After the last edit, s: no list is late any more, and the poll of tasks no longer reaches back to the first edits.
const REST_S: u64 = 600;
/// A poll that is tried again and again over a bad table gets through within so many times.
const TRIES_MAX: usize = 200;
/// Bad tables that each poll meets.
const BAD_TABLES: u64 = 8;
/// How long a poll may take, ms: it waits no longer for a table that is gone.
const DEADLINE_MS: i64 = 25_000;
/// A poll without an end.
const REQUESTS_MAX: u64 = 2_000;

/// The three polls that move a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Poll {
    /// The export of tickets.
    Tickets,
    /// The export of their events, for comments.
    Comments,
    /// The list of changed tasks.
    Tasks,
}

impl Poll {
    /// All of them.
    pub const ALL: [Poll; 3] = [Poll::Tickets, Poll::Comments, Poll::Tasks];

    async fn run(self, cx: &Arc<Context>) -> Result<PollOutput, StepFailure> {
        let run = plan::reading(cx);
        let (cx, run) = (cx.clone(), ExecutionContext { deadline_ms: run.now_ms() + DEADLINE_MS, ..run });
        match self {
            Poll::Tickets => PollTickets(cx).run(PollTicketsInput::default(), &run).await,
            Poll::Comments => PollComments(cx).run(PollCommentsInput::default(), &run).await,
            Poll::Tasks => PollTasks(cx).run(PollTasksInput::default(), &run).await,
        }
    }
}

/// What the suite has seen: without this it could be content with polls that never failed.
#[derive(Debug, Default)]
pub struct Seen {
    /// Moments at which each poll was cut short.
    pub crashes: BTreeMap<Poll, u64>,
    /// Polls that failed over a bad table and were tried again.
    pub failed: u64,
    /// Records that nobody would ever have looked at.
    pub lost: Vec<String>,
}

/// Plays one world: a crash at each request of each poll, and then polls over a table that is bad in all ways.
pub fn play(seed: u64) -> Seen {
    on_paused_clock(async {
        let bench = Bench::open(seed).await;
        let mut seen = Seen::default();
        for poll in Poll::ALL {
            bench.crash_everywhere(poll, &mut seen).await;
            for draws in 1..=BAD_TABLES {
                bench.over_a_bad_table(poll, seed.wrapping_mul(31) ^ draws, &mut seen).await;
            }
        }
        seen
    })
}

/// A world whose people have just edited, and the table as it was before anybody polled.
struct Bench {
    stage: Stage,
    directory: Directory,
    before: BTreeMap<String, Json>,
    edited: BTreeMap<Poll, BTreeSet<WorkKey>>,
}

impl Bench {
    async fn open(seed: u64) -> Self {
        let faults = WorldFaults { webhook_drop: 1.0, ..WorldFaults::default() };
        let options = WorldOptions {
            tickets: TICKETS,
            edits: 0,
            seed,
            unlimited: true,
            faults,
            ..WorldOptions::default()
        };
        let stage = Stage::open(options, FaultPlan::none()).expect("a world in memory");
        stage.settle_in().await.expect("it comes to rest");
        stage.deskup.stop().await;
        let made = InstanceOptions::of(&stage.world, stage.store.clone());
        let settings = Settings::parse(&made.settings).expect("the world's own settings");
        let directory =
            local::read_directory(&made.connection(), &settings).await.expect("both services answer");
        let mut bench = Self { stage, directory, before: BTreeMap::new(), edited: BTreeMap::new() };
        bench.edit().await;
        bench.before = bench.table();
        bench
    }

    /// Many tickets within a second, with comments; tasks one by one.
    async fn edit(&mut self) {
        let mut pairs = self.stage.pairs().await;
        pairs.retain(|(ticket, _)| self.stage.ticket(*ticket, "status") != "closed");
        assert!(pairs.len() > 2 * AT_ONCE, "{} tickets can be edited", pairs.len());
        let (by_agents, by_members) = pairs.split_at(AT_ONCE);
        for (n, (ticket, _)) in by_agents.iter().enumerate() {
            if n == AT_ONCE - 1 {
                // One later than the others: the export of events begins with the whole last second again.
                tokio::time::sleep(Duration::from_secs(APART_S)).await;
            }
            let members =
                json!({ "subject": format!("Macro {n}"), "comment": { "body": "Done", "public": true } });
            self.stage.on_ticket(*ticket, members, &format!("macro {n}")).await;
        }
        for (n, (_, task)) in by_members.iter().enumerate() {
            tokio::time::sleep(Duration::from_secs(APART_S)).await;
            self.stage
                .on_task(task, Action::Task(json!({ "name": format!("Task {n}") })), &format!("task {n}"))
                .await;
        }
        tokio::time::sleep(Duration::from_secs(REST_S)).await;
        let ticket = |id: u64| WorkKey::Ticket(TicketId::new(id).expect("an id"));
        let tickets: BTreeSet<WorkKey> = by_agents.iter().map(|(id, _)| ticket(*id)).collect();
        let task = |id: &String| WorkKey::Task(TaskId::new(id.clone()).expect("an id"));
        let tasks = by_members.iter().map(|(_, id)| task(id)).collect();
        self.edited =
            [(Poll::Tickets, tickets.clone()), (Poll::Comments, tickets), (Poll::Tasks, tasks)].into();
    }

    /// A process that has just begun, over this view of the table.
    fn process(&self, faults: FaultPlan) -> Arc<Context> {
        let store = self.view(faults);
        let options = Options { page_size: PAGE, ..Options::default() };
        let made = InstanceOptions { options, ..InstanceOptions::of(&self.stage.world, store) };
        let settings = Settings::parse(&made.settings).expect("the world's own settings");
        Arc::new(
            local::assemble(made.connection(), &settings, &self.directory).expect("they fit the accounts"),
        )
    }

    fn view(&self, faults: FaultPlan) -> Store {
        let view = self.stage.store.beside(self.stage.world.store_clock(), faults).expect("the table opens");
        view.expect("the table is in this process")
    }

    /// The poll dies after its first request, after its second, and so on, until it gets to its end.
    async fn crash_everywhere(&self, poll: Poll, seen: &mut Seen) {
        for after in 0..REQUESTS_MAX {
            let ended = poll.run(&self.process(FaultPlan::dying(after))).await.is_ok();
            self.next_poll(poll, &format!("a crash after {after} requests"), seen).await;
            self.put_back();
            if ended {
                return;
            }
            *seen.crashes.entry(poll).or_default() += 1;
        }
        seen.lost.push(format!("{poll:?}: no end after {REQUESTS_MAX} requests"));
    }

    /// Requests are refused, fail half way, or are carried out and not answered; the process lives on and tries again.
    async fn over_a_bad_table(&self, poll: Poll, draws: u64, seen: &mut Seen) {
        let bad = FaultPlan { throttle: 0.3, conflict: 0.2, internal: 0.2, ..FaultPlan::hostile(draws) };
        let cx = self.process(bad);
        let mut ended = false;
        for _ in 0..TRIES_MAX {
            ended = poll.run(&cx).await.is_ok();
            if ended {
                break;
            }
            seen.failed += 1;
        }
        if !ended {
            seen.lost.push(format!("{poll:?}: draws {draws}: not through after {TRIES_MAX} tries"));
        }
        self.next_poll(poll, &format!("a bad table (draws {draws})"), seen).await;
        self.put_back();
    }

    /// Nothing stands in the way of the next polls. What they do not see has to have its row.
    async fn next_poll(&self, poll: Poll, after: &str, seen: &mut Seen) {
        let cx = self.process(FaultPlan::none());
        while !poll.run(&cx).await.expect("nothing fails").caught_up {}
        let rows: BTreeSet<WorkKey> = cx.store.work().all().await.expect("reads").into_iter().collect();
        let passed: Vec<String> = self.edited[&poll].difference(&rows).map(ToString::to_string).collect();
        if !passed.is_empty() {
            seen.lost.push(format!("{poll:?}: after {after} nobody looks at {}", passed.join(", ")));
        }
    }

    /// All items by their keys.
    fn table(&self) -> BTreeMap<String, Json> {
        let items = self.ask("Scan", &json!({ "ConsistentRead": true }));
        assert!(items["LastEvaluatedKey"].is_null(), "one page");
        let items = items["Items"].as_array().cloned().unwrap_or_default();
        items.into_iter().map(|item| (key(&item).to_string(), item)).collect()
    }

    /// The table as it was before anybody polled.
    fn put_back(&self) {
        let now = self.table();
        for (name, item) in &now {
            if !self.before.contains_key(name) {
                self.ask("DeleteItem", &json!({ "Key": key(item) }));
            }
        }
        for (name, item) in &self.before {
            if now.get(name) != Some(item) {
                self.ask("PutItem", &json!({ "Item": item }));
            }
        }
    }

    fn ask(&self, operation: &str, request: &Json) -> Json {
        let mut request = request.clone();
        request["TableName"] = json!(self.stage.store.table_name());
        let answer = self.stage.store.answer(operation, request.to_string().as_bytes());
        let (status, body) = answer.expect("the table is in this process");
        assert_eq!(status, 200, "{operation}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).expect("JSON")
    }
}

fn key(item: &Json) -> Json {
    json!({ "pk": item["pk"], "sk": item["sk"] })
}
