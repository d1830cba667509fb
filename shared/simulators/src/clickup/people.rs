//! What people do in the application that the API has no call for.

use std::sync::Arc;

use serde_json::json;

use super::core::{Core, Inner};
use super::model::Task;
use super::refusal::{self, Refusal};
use super::tx::Tx;
use super::{ClickUpSim, create, deliveries};

/// How far a recurring task's next one is away.
const RECUR_MS: i64 = 7 * 86_400_000;

/// Why a person could not do it, with the code the API would give.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct PersonError {
    /// Such as `ITEM_015`.
    pub code: &'static str,
    message: &'static str,
}

impl From<Refusal> for PersonError {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code, message: refusal.err }
    }
}

impl ClickUpSim {
    /// Duplicates a task as a person would: name, description with whatever footer is in it, fields, tags and people are
    /// copied; comments and files are not. Returns the copy's id.
    pub fn duplicate_task(&self, task: &str, actor: i64, edit: Option<&str>) -> Result<String, PersonError> {
        self.copy(task, actor, edit, |task| task)
    }

    /// Lets a recurring task come again: a copy with the list's first status, due a week later. `actor` becomes its
    /// creator; in the service that may well be the creator of the original.
    pub fn recur_task(&self, task: &str, actor: i64, edit: Option<&str>) -> Result<String, PersonError> {
        self.copy(task, actor, edit, |task| Task {
            status: String::new(),
            due_ms: task.due_ms.map(|due| due + RECUR_MS),
            ..task
        })
    }

    fn copy(
        &self,
        id: &str,
        actor: i64,
        edit: Option<&str>,
        alter: impl FnOnce(Task) -> Task,
    ) -> Result<String, PersonError> {
        self.inner.act(actor, edit, |tx| {
            let original = tx.task(id)?.clone();
            let mut copy = alter(Task {
                creator: actor,
                archived: false,
                public: false,
                closed_ms: None,
                done_ms: None,
                ..original
            });
            if copy.status.is_empty() {
                let first = tx.state.lists.get(&copy.list).and_then(|list| list.statuses.first());
                copy.status = first.ok_or(refusal::STATUS_UNKNOWN)?.status.clone();
            }
            Ok(create::add(tx, copy, json!({"copy_of": id}))?.id)
        })
    }
}

impl Inner {
    /// Does something as a person, outside the API: it is logged, journalled and told by webhooks like any request.
    fn act<T>(
        self: &Arc<Self>,
        actor: i64,
        edit: Option<&str>,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, Refusal>,
    ) -> Result<T, PersonError> {
        let (result, started) = {
            let mut core = self.core();
            let Core { state, ledger } = &mut *core;
            let mut tx = Tx::new(state, &self.options, &self.dice, actor, edit.map(str::to_owned));
            match work(&mut tx) {
                Ok(result) => (result, ledger.commit(tx, None).map_err(|_| refusal::NOT_KEPT)?),
                Err(refusal) => {
                    tx.roll_back();
                    return Err(refusal.into());
                }
            }
        };
        for number in started {
            deliveries::start(self, number);
        }
        Ok(result)
    }
}
