//! Somebody who works in both accounts over HTTP, and the judge of what came of it.

use std::cell::Cell;
use std::sync::Arc;

use clients::Transport;
use clients::http::HttpTransport;
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;
use world::judge::judge;
use world::people::act::Action;
use world::seedwork::cast::Colleague;
use world::{Details, Ports, Verdict};

use crate::accounts::{Accounts, wait_for};
use crate::cloud::Cloud;

/// A colleague with an account on both sides.
pub struct People {
    ports: Arc<Ports>,
    runtime: Runtime,
    http: HttpTransport,
    who: Colleague,
    edits: Cell<u32>,
}

impl People {
    pub fn of(accounts: &Accounts) -> Self {
        let ports = accounts.ports.clone();
        let both = |who: &&Colleague| who.zendesk.is_some() && who.clickup.is_some();
        let who = ports.scenario.cast.colleagues.iter().find(both).unwrap().clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { ports, runtime, http: HttpTransport::new().unwrap(), who, edits: Cell::new(0) }
    }

    /// An edit on Zendesk: members of the ticket.
    #[track_caller]
    pub fn on_ticket(&self, ticket: u64, members: Json) {
        self.act(&Action::Ticket(members), &ticket.to_string(), &self.ports.zendesk_url);
    }

    /// An edit on ClickUp: members of the task.
    #[track_caller]
    pub fn on_task(&self, task: &str, members: Json) {
        self.act(&Action::Task(members), task, &self.ports.clickup_url);
    }

    /// A comment on a task.
    #[track_caller]
    pub fn comment_on_task(&self, task: &str, text: &str) {
        self.act(&Action::TaskComment(text.to_owned()), task, &self.ports.clickup_url);
    }

    #[track_caller]
    fn act(&self, action: &Action, record: &str, url: &str) {
        self.edits.set(self.edits.get() + 1);
        let mut request = action.request(&self.who, record, &format!("edit-{}", self.edits.get())).unwrap();
        let path = request.uri().path_and_query().unwrap().to_string();
        *request.uri_mut() = format!("{url}{path}").parse().unwrap();
        let answer = self.runtime.block_on(self.http.send(request)).unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }

    /// How many edits there were.
    pub fn edits(&self) -> u32 {
        self.edits.get()
    }

    /// Open tickets: the others take no change.
    pub fn open_tickets(&self) -> Vec<u64> {
        let open = |ticket: &&Json| !matches!(ticket["status"].as_str(), Some("closed" | "solved"));
        self.ports.zendesk.tickets().iter().filter(open).filter_map(|ticket| ticket["id"].as_u64()).collect()
    }

    /// The task of a ticket.
    #[track_caller]
    pub fn task_of(&self, ticket: u64) -> String {
        let marker = format!("/agent/tickets/{ticket}");
        wait_for("the task of a ticket", || {
            let tasks = self.ports.clickup.tasks();
            let found = tasks.iter().find(|task| {
                let text = task["description"].as_str().unwrap_or_default();
                text.split(&marker).nth(1).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
            });
            found.and_then(|task| task["id"].as_str()).map(str::to_owned)
        })
    }

    /// Waits until a task has a value.
    #[track_caller]
    pub fn task_shows(&self, task: &str, pointer: &str, value: &str) {
        wait_for(&format!("{pointer} of task {task} to be {value}"), || {
            let shown = self.ports.clickup.task(task)?;
            (shown.pointer(pointer) == Some(&json!(value))).then_some(())
        });
    }

    /// Waits until a ticket has a value.
    #[track_caller]
    pub fn ticket_shows(&self, ticket: u64, field: &str, value: &str) {
        wait_for(&format!("{field} of ticket {ticket} to be {value}"), || {
            let shown = self.ports.zendesk.ticket(ticket)?;
            (shown[field] == value).then_some(())
        });
    }

    /// Waits until a record somewhere holds a text: a comment that was mirrored.
    #[track_caller]
    pub fn is_told(&self, what: &str, text: &str, records: impl Fn(&Ports) -> Vec<Json>) {
        wait_for(what, || {
            records(&self.ports).iter().any(|one| one.to_string().contains(text)).then_some(())
        });
    }

    /// The verdict on the stack, by what both services and the stack's own table hold.
    pub fn judged(&self, cloud: &Cloud, live_ms: i64) -> (Verdict, Details) {
        let kept = self.runtime.block_on(world::kept::read(&cloud.store())).unwrap();
        judge(&self.ports.testimony(kept, live_ms))
    }
}
