//! What people do to tasks that no sync wishes for: copies that carry the marker, recurring tasks,
//! deleted footers, tasks moved to other lists or archived. All of it is logged like any edit.

use std::time::Duration;

use fastrand::Rng;
use http::Method;
use serde_json::json;

use super::act;
use super::play::People;
use crate::seedwork::cast::{CLICKUP_SYNC_ID, Colleague};
use crate::seedwork::workspace::WORKSPACE_ID;

/// What the application can do and the API cannot.
pub trait Copier: Send + Sync {
    /// Duplicates a task as a person; false when it is not there.
    fn duplicate(&self, task: &str, actor: i64, edit: &str) -> bool;
    /// Lets a recurring task come again; `actor` becomes its creator.
    fn recur(&self, task: &str, actor: i64, edit: &str) -> bool;
}

/// A piece of mischief.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trick {
    /// A person copies a task, marker and all.
    Duplicate,
    /// A recurring task comes again, as if a person had made it.
    Recur,
    /// A recurring task comes again, as if its first creator, deskup, had made it.
    RecurAsCreator,
    /// The footer is deleted from the description.
    NoFooter,
    /// The task is moved to another list.
    Move,
    /// The task is archived.
    Archive,
}

const TRICKS: [Trick; 6] =
    [Trick::Duplicate, Trick::Recur, Trick::RecurAsCreator, Trick::NoFooter, Trick::Move, Trick::Archive];

/// A trick with its time and its dice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prank {
    /// Names it in the change log.
    pub id: String,
    /// Milliseconds after the people began.
    pub at_ms: i64,
    /// What.
    pub trick: Trick,
    /// On which task, and everything else.
    pub dice: u64,
}

/// Draws pranks: every trick in turn, from one that the seed chooses, at random times within `span_ms`.
pub fn plan(count: usize, seed: u64, span_ms: i64) -> Vec<Prank> {
    let mut random = Rng::with_seed(seed ^ 0x0bad_0bad);
    let first = usize::try_from(seed % TRICKS.len() as u64).unwrap_or(0);
    let mut pranks: Vec<Prank> = (0..count)
        .map(|n| Prank {
            id: format!("m{:05}", n + 1),
            at_ms: random.i64(0..=span_ms.max(1)),
            trick: TRICKS[(first + n) % TRICKS.len()],
            dice: random.u64(..),
        })
        .collect();
    pranks.sort_by_key(|prank| prank.at_ms);
    pranks
}

impl People<'_> {
    /// Plays pranks whose times count from `began_ms`; returns how many came off.
    pub async fn prank(&mut self, pranks: &[Prank], copier: &dyn Copier, began_ms: i64) -> u64 {
        let mut done = 0;
        for prank in pranks {
            if self.is_done(&prank.id) {
                continue;
            }
            let wait_ms = began_ms + prank.at_ms - self.now();
            if let Ok(wait_ms @ 1..) = u64::try_from(wait_ms) {
                tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            }
            done += u64::from(self.one(prank, copier).await);
        }
        done
    }

    async fn one(&mut self, prank: &Prank, copier: &dyn Copier) -> bool {
        let tickets = &self.scenario().tickets;
        if tickets.is_empty() {
            return false;
        }
        let at = usize::try_from(prank.dice % tickets.len() as u64).unwrap_or(0);
        let (Some(task), Some(who)) = (self.task(&tickets[at].id.to_string()), self.member(prank.dice >> 32))
        else {
            return false;
        };
        let actor = who.clickup.unwrap_or_default();
        match prank.trick {
            Trick::Duplicate => copier.duplicate(&task, actor, &prank.id),
            Trick::Recur => copier.recur(&task, actor, &prank.id),
            Trick::RecurAsCreator => copier.recur(&task, CLICKUP_SYNC_ID, &prank.id),
            Trick::NoFooter => self.delete_footer(who, &task, &prank.id).await,
            Trick::Move => self.move_away(who, &task, prank).await,
            Trick::Archive => {
                let body = Some(json!({ "archived": true }));
                let path = format!("/api/v2/task/{task}");
                self.to_clickup(act::clickup(who, Method::PUT, &path, body, &prank.id)).await
            }
        }
    }

    async fn delete_footer(&self, who: &Colleague, task: &str, edit: &str) -> bool {
        let Some(now) = self.read_task(who, task, edit).await else { return false };
        let text = now["description"].as_str().unwrap_or_default();
        let stripped = domain::footer::strip(text);
        if stripped == text.trim_end() {
            return false;
        }
        // An empty text would change nothing; one blank clears.
        let left = if stripped.is_empty() { " " } else { stripped.as_ref() };
        let body = Some(json!({ "description": left }));
        self.to_clickup(act::clickup(who, Method::PUT, &format!("/api/v2/task/{task}"), body, edit)).await
    }

    async fn move_away(&self, who: &Colleague, task: &str, prank: &Prank) -> bool {
        let Some(now) = self.read_task(who, task, &prank.id).await else { return false };
        let home = now["list"]["id"].as_str().unwrap_or_default();
        let lists: Vec<&str> = self.scenario().workspace.lists.iter().map(|list| list.id.as_str()).collect();
        let others: Vec<&&str> = lists.iter().filter(|list| **list != home).collect();
        let Some(to) = others.get(usize::try_from(prank.dice % 5).unwrap_or(0)) else { return false };
        let path = format!("/api/v3/workspaces/{WORKSPACE_ID}/tasks/{task}/home_list/{to}");
        let body = Some(json!({ "move_custom_fields": true }));
        self.to_clickup(act::clickup(who, Method::PUT, &path, body, &prank.id)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trick_is_played_in_turn_at_the_times_of_the_seed() {
        let pranks = plan(12, 4, 60_000);
        assert_eq!(pranks, plan(12, 4, 60_000));
        for trick in TRICKS {
            assert_eq!(pranks.iter().filter(|prank| prank.trick == trick).count(), 2);
        }
        assert!(pranks.windows(2).all(|pair| pair[0].at_ms <= pair[1].at_ms));
    }
}
