//! What a world needs of deskup to drive it: one small trait, so that the tests and the `demo`
//! command share every phase. The world never looks inside; it only starts, waits, asks and kills.

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::{Conflict, ListId, Side, TaskId, TicketId};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::progress::Progress;

/// A running deskup: its engine, its store and its clients, wired to a world.
///
/// Every future may be dropped at any await point, which is what a `kill -9` looks like from inside.
pub trait Deskup: Send + Sync {
    /// Reads who and what there is on both sides, checks the mapping and registers the webhooks.
    /// Repeatable. Its calls are counted apart from those of the backfill.
    fn prepare(&self) -> BoxFuture<'_, anyhow::Result<()>>;

    /// Brings every ticket over, or goes on where an earlier process was killed. Returns at once when
    /// there is nothing left.
    fn backfill<'a>(&'a self, progress: &'a dyn Progress) -> BoxFuture<'a, anyhow::Result<()>>;

    /// Starts the live lane and the periodic polls in the background, until [`Deskup::stop`] or
    /// [`Deskup::abort`].
    fn start_live(&self);

    /// Ends the live lane in order: what was claimed is finished or handed back.
    fn stop(&self) -> BoxFuture<'_, ()>;

    /// Drops everything at once and writes nothing more, as a killed process would.
    fn abort(&self);

    /// Whether nothing is due or being worked on: no work row, no effect without outcome, no running
    /// execution besides the standing polls. Work due later (a probe, an unconfirmed write) is not idle.
    fn idle(&self) -> BoxFuture<'_, anyhow::Result<bool>>;

    /// Runs every poll once, now, and waits for it.
    fn poll(&self) -> BoxFuture<'_, anyhow::Result<()>>;

    /// Answers one webhook delivery.
    fn webhook(&self, side: Side, request: http::Request<Bytes>)
    -> BoxFuture<'static, http::Response<Bytes>>;

    /// What deskup itself holds: the judge reads its conflict rows, and nothing else of its opinion.
    fn kept(&self) -> BoxFuture<'_, anyhow::Result<Kept>>;

    /// Executions and transitions so far, for the price.
    fn effort(&self) -> Effort;
}

/// The rows of deskup's store that the judge may read.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Every conflict row, oldest first.
    pub conflicts: Vec<KeptConflict>,
    /// The links in state LINKED, CLOSED or SUSPENDED, with their task.
    pub links: BTreeMap<TicketId, LinkSeen>,
    /// Records in quarantine with their cause, for people to read in the verdict's details.
    pub quarantined: Vec<(String, String)>,
    /// Requests to the store by name.
    pub store_operations: BTreeMap<String, u64>,
}

/// A conflict row.
#[derive(Clone, Debug)]
pub struct KeptConflict {
    /// The ticket it belongs to.
    pub ticket: TicketId,
    /// When it was recorded, in milliseconds, where the row says.
    pub at_ms: i64,
    /// What was kept.
    pub conflict: Conflict,
}

/// A link as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkSeen {
    /// The one task of the ticket.
    pub task: TaskId,
    /// The list deskup believes it is in.
    pub list: Option<ListId>,
    /// The state's name.
    pub state: String,
}

/// What deskup spent on itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effort {
    /// Executions by workflow.
    pub executions: BTreeMap<String, u64>,
    /// State transitions by workflow.
    pub transitions: BTreeMap<String, u64>,
}

impl Effort {
    /// Executions of all workflows.
    pub fn executions_total(&self) -> u64 {
        self.executions.values().sum()
    }

    /// Transitions of all workflows.
    pub fn transitions_total(&self) -> u64 {
        self.transitions.values().sum()
    }
}
