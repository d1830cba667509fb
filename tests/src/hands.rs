//! People of a world who do one thing at a time, for suites that decide themselves what happens when.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use serde_json::{Value as Json, json};
use simulators::clickup::{Member, Role};
use world::people::act::{self, Action};

use crate::whole::Stage;

/// Lets virtual time pass.
pub async fn minutes(count: u64) {
    tokio::time::sleep(Duration::from_secs(60 * count)).await;
}

impl Stage {
    /// The task of each ticket, by the links of deskup, in the order of the tickets.
    pub async fn pairs(&self) -> Vec<(u64, String)> {
        let kept = world::Deskup::kept(self.deskup.as_ref()).await.expect("the store can be read");
        kept.links.iter().map(|(ticket, link)| (ticket.get(), link.task.to_string())).collect()
    }

    /// An agent changes a ticket.
    pub async fn on_ticket(&self, ticket: u64, members: Json, edit: &str) {
        let who = self.world.scenario().cast.agents().next().expect("a world has agents");
        let request = Action::Ticket(members).request(who, &ticket.to_string(), edit);
        let answer = self.world.zendesk().handle(request.expect("an agent has an account")).await;
        assert!(answer.status().is_success(), "ticket {ticket}: {}", answer.status());
    }

    /// A member changes a task.
    pub async fn on_task(&self, task: &str, action: Action, edit: &str) {
        let who = self.world.scenario().cast.members().next().expect("a world has members");
        let request = action.request(who, task, edit);
        let answer = self.world.clickup().handle(request.expect("a member has an account")).await;
        assert!(answer.status().is_success(), "task {task}: {}", answer.status());
    }

    /// A member hangs a text file on a task.
    pub async fn hang_file(&self, task: &str, name: &str, text: &str) {
        let who = self.world.scenario().cast.members().next().expect("a world has members");
        let path = format!("/api/v2/task/{task}/attachment");
        let request =
            act::clickup(who, http::Method::POST, &path, None, "file").expect("a member has an account");
        let (mut head, _) = request.into_parts();
        head.headers.insert("content-type", HeaderValue::from_static("multipart/form-data; boundary=x"));
        let body = format!(
            "--x\r\nContent-Disposition: form-data; name=\"attachment\"; filename=\"{name}\"\r\n\
             Content-Type: text/plain\r\n\r\n{text}\r\n--x--\r\n"
        );
        let request = http::Request::from_parts(head, Bytes::from(body));
        let answer = self.world.clickup().handle(request).await;
        assert!(answer.status().is_success(), "task {task}: {}", answer.status());
    }

    /// A member deletes a task.
    pub async fn delete_task(&self, task: &str) {
        let who = self.world.scenario().cast.members().next().expect("a world has members");
        let path = format!("/api/v2/task/{task}");
        let request = act::clickup(who, http::Method::DELETE, &path, None, "deleted");
        let answer = self.world.clickup().handle(request.expect("a member has an account")).await;
        assert!(answer.status().is_success(), "task {task}: {}", answer.status());
    }

    /// An admin hides a list from everybody but one member, from deskup too, or shows it to all again.
    pub fn show_list(&self, list: &str, shown: bool) {
        let who = self.world.scenario().cast.members().find_map(|member| member.clickup);
        let me = self.world.rules().clickup_sync;
        let clickup = self.world.clickup();
        let deskup =
            clickup.members().into_iter().find(|member| member.id == me).expect("deskup is a member");
        let seeded = clickup.seed(|seed| {
            // Owners and admins see every list.
            seed.add_member(Member { role: Role::Member, ..deskup });
            seed.set_access(list, &who.into_iter().collect::<Vec<_>>(), !shown);
        });
        seeded.expect("a world in memory");
    }

    /// An admin invites somebody from outside to one list.
    pub fn invite_guest(&self, list: usize) {
        let list = self.world.scenario().workspace.lists[list].id.clone();
        let guest = Member { id: 777, username: "Gwen".to_owned(), role: Role::Guest, ..Member::default() };
        let seeded = self.world.clickup().seed(|seed| {
            seed.add_member(guest);
            seed.set_access(&list, &[777], false);
        });
        seeded.expect("a world in memory");
    }

    /// What deskup has changed so far in both services.
    pub fn sync_changes(&self) -> usize {
        let rules = self.world.rules();
        let zendesk = self.world.zendesk().changes();
        let clickup = self.world.clickup().changes();
        zendesk.iter().filter(|change| change.actor == rules.zendesk_sync).count()
            + clickup.iter().filter(|change| change.actor == rules.clickup_sync).count()
    }

    /// The value of a ticket's field.
    pub fn ticket(&self, ticket: u64, field: &str) -> Json {
        self.world.zendesk().ticket(ticket).map_or(json!(null), |ticket| ticket[field].clone())
    }
}
