//! ClickUp as a service in memory.
//!
//! It answers what a task sync asks for, as the documentation and the recorded answers have it; where both are silent
//! the choice is noted where it is made, and is the one that is harder on a client. Everything a request changes is
//! committed in one line of the journal before the answer is sent.
//!
//! People authenticate like anybody: `Authorization: pk_{user id}`. A request with the header `x-world-edit` stands for
//! a person in the application: it is neither limited nor does it fail by chance.

mod access;
mod attachments;
mod comments;
mod core;
mod create;
mod deliveries;
mod fields;
mod filters;
mod history;
mod ledger;
mod listing;
mod model;
mod moves;
mod multipart;
mod options;
mod people;
mod places;
mod refusal;
mod routes;
mod rows;
mod seeding;
mod state;
mod tags;
mod tasks;
#[cfg(test)]
mod tests;
mod text;
mod tx;
mod update;
mod webhooks;
mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::{Value, json};

use self::core::{Core, Inner};
use self::model::Task;
use self::state::task_seq;
use self::tx::Tx;
use self::wire::Parts;
use crate::{Change, Outbound, Overdrawn, SimError};

pub use self::model::{FieldOption, Member, Role, Status};
pub use self::options::{ClickUpOptions, Plan};
pub use self::people::PersonError;
pub use self::seeding::{FieldSeed, ListSeed, Seed, SeededField, TaskSeed};

/// A simulated ClickUp workspace. Clones share it.
#[derive(Clone)]
pub struct ClickUpSim {
    inner: Arc<Inner>,
}

impl fmt::Debug for ClickUpSim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClickUpSim").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

impl ClickUpSim {
    /// Opens a workspace, with everything its journal holds. Deliveries that were pending go on.
    pub fn open(options: ClickUpOptions) -> Result<Self, SimError> {
        let inner = Arc::new(Inner::open(options)?);
        inner.resume();
        Ok(Self { inner })
    }

    /// Answers a request, to the API or to the host of the attachments.
    pub fn handle(&self, request: Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> {
        let inner = self.inner.clone();
        Box::pin(async move { inner.answer(request) })
    }

    /// Says who takes the webhook deliveries from now on.
    pub fn set_outbound(&self, outbound: Arc<dyn Outbound>) {
        self.inner.set_outbound(outbound);
    }

    /// Fills or rearranges the workspace: no webhooks, nothing in the log of changes.
    pub fn seed<T>(&self, fill: impl FnOnce(&mut Seed<'_, '_>) -> T) -> Result<T, SimError> {
        let mut core = self.inner.core();
        let Core { state, ledger } = &mut *core;
        let mut tx = Tx::new(state, &self.inner.options, &self.inner.dice, 0, None);
        let result = fill(&mut Seed { tx: &mut tx });
        tx.events.clear();
        tx.changes.clear();
        ledger.commit(tx, None)?;
        Ok(result)
    }

    /// Whether nobody has filled it yet.
    pub fn is_empty(&self) -> bool {
        self.inner.core().state.members.is_empty()
    }

    /// Whether no webhook delivery is pending.
    pub fn idle(&self) -> bool {
        self.inner.core().state.deliveries.is_empty()
    }

    /// Every change so far, oldest first.
    pub fn changes(&self) -> Vec<Change> {
        self.inner.core().ledger.log.all().to_vec()
    }

    /// The changes numbered above `seq`.
    pub fn changes_after(&self, seq: u64) -> Vec<Change> {
        self.inner.core().ledger.log.after(seq).to_vec()
    }

    /// Answered calls of the sync's user, by endpoint (`GET /task/{id}`). Calls answered 429 are not among them.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.calls_by(self.inner.options.sync_user)
    }

    /// Answered calls of a user, by endpoint.
    pub fn calls_by(&self, user: i64) -> BTreeMap<String, u64> {
        self.inner.core().ledger.totals.calls.get(&user).cloned().unwrap_or_default()
    }

    /// How many requests were answered 429.
    pub fn rejected(&self) -> u64 {
        self.inner.core().ledger.totals.rejected
    }

    /// Windows of the limit in which more was sent than may be.
    pub fn overdrawn(&self) -> Vec<Overdrawn> {
        self.inner.core().ledger.overdrawn.all()
    }

    /// Another limit than the plan's from now on, in requests a minute.
    pub fn change_limit(&self, per_minute: u32) {
        self.inner.core().ledger.per_minute = Some(per_minute);
    }

    /// Every task as `GET` of one task shows it, archived ones included, with `comments` and their `replies`, oldest
    /// first.
    pub fn tasks(&self) -> Vec<Value> {
        let core = self.inner.core();
        core.state.tasks.values().map(|task| self.whole(&core, task)).collect()
    }

    /// One task as [`Self::tasks`] has it.
    pub fn task(&self, id: &str) -> Option<Value> {
        let core = self.inner.core();
        core.state.tasks.get(&task_seq(id)?).map(|task| self.whole(&core, task))
    }

    fn whole(&self, core: &Core, task: &Task) -> Value {
        let parts = Parts { markdown: true, attachments: true, subtasks: false };
        let mut body = wire::task(&core.state, &self.inner.options, task, parts);
        let comments = core.state.task_comments.get(&task.seq).into_iter().flatten();
        let comments = comments.filter_map(|(_, id)| core.state.comments.get(id)).map(|comment| {
            let mut body = wire::comment(&core.state, comment);
            let replies = core.state.replies.get(&comment.id).into_iter().flatten();
            let replies = replies.filter_map(|(_, id)| core.state.comments.get(id));
            body["replies"] = replies.map(|reply| wire::comment(&core.state, reply)).collect();
            body
        });
        body["comments"] = comments.collect();
        body
    }

    /// Every webhook with its health, whoever made it.
    pub fn webhooks(&self) -> Vec<Value> {
        let core = self.inner.core();
        let workspace = &self.inner.options.workspace;
        core.state.webhooks.values().map(|webhook| webhooks::render(workspace, webhook)).collect()
    }

    /// Everybody in the workspace, disabled people included.
    pub fn members(&self) -> Vec<Member> {
        self.inner.core().state.members.values().cloned().collect()
    }

    /// Every list: `{id, name, space, private, archived, members, guests}`; guests are those of the members.
    pub fn lists(&self) -> Vec<Value> {
        let core = self.inner.core();
        let guest = |id: &&i64| core.state.members.get(id).is_some_and(|member| member.role == Role::Guest);
        let lists = core.state.lists.values().map(|list| {
            let guests: Vec<i64> = list.members.iter().filter(guest).copied().collect();
            json!({
                "id": list.id, "name": list.name, "space": list.space, "private": list.private,
                "archived": list.archived, "members": list.members, "guests": guests,
            })
        });
        lists.collect()
    }
}
