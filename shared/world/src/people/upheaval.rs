//! What people do to whole records: tickets are deleted, restored, merged and closed, tasks deleted, archived and brought
//! back. The seed decides which, when and to what.

use std::time::Duration;

use fastrand::Rng;
use http::Method;
use serde_json::{Value as Json, json};

use super::People;
use super::act;
use crate::seedwork::cast::Colleague;

/// What is done to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// A ticket is deleted.
    DeleteTicket,
    /// It is brought back.
    RestoreTicket,
    /// A ticket is merged into another one, which closes it.
    Merge,
    /// A ticket is closed for good.
    Close,
    /// A task is deleted.
    DeleteTask,
    /// A task is archived.
    Archive,
    /// It is brought back.
    Unarchive,
}

/// One after the other, to the same record.
const TURNS: [&[Turn]; 6] = [
    &[Turn::DeleteTicket, Turn::RestoreTicket],
    &[Turn::Merge],
    &[Turn::DeleteTask],
    &[Turn::Archive, Turn::Unarchive],
    &[Turn::Close],
    &[Turn::DeleteTicket],
];

/// Between a turn and the next one to the same record.
const BETWEEN_MS: (i64, i64) = (5_000, 600_000);

/// A turn with its time and its dice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upheaval {
    /// Names it in the change log.
    pub id: String,
    /// Milliseconds after the people began.
    pub at_ms: i64,
    /// What.
    pub turn: Turn,
    /// To which record, and everything else.
    pub dice: u64,
}

/// Draws what happens, at random times within `span_ms`.
pub fn plan(count: usize, seed: u64, span_ms: i64) -> Vec<Upheaval> {
    let mut random = Rng::with_seed(seed ^ 0x0dd_ba11);
    let mut all = Vec::new();
    for n in 0..count {
        let (mut at_ms, dice) = (random.i64(0..=span_ms.max(1)), random.u64(..));
        for (step, turn) in TURNS[random.usize(0..TURNS.len())].iter().enumerate() {
            all.push(Upheaval { id: format!("u{:04}{step}", n + 1), at_ms, turn: *turn, dice });
            at_ms += random.i64(BETWEEN_MS.0..=BETWEEN_MS.1);
        }
    }
    all.sort_by_key(|one| one.at_ms);
    all
}

impl People<'_> {
    /// Does what was drawn, at times that count from `began_ms`; returns how much came off.
    pub async fn upset(&mut self, upheavals: &[Upheaval], began_ms: i64) -> u64 {
        let mut done = 0;
        for one in upheavals {
            if self.is_done(&one.id) {
                continue;
            }
            if let Ok(wait_ms @ 1..) = u64::try_from(began_ms + one.at_ms - self.now()) {
                tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            }
            done += u64::from(self.turn(one).await);
        }
        done
    }

    async fn turn(&mut self, one: &Upheaval) -> bool {
        let tickets = &self.scenario().tickets;
        let pick = |dice: u64| tickets.get(usize::try_from(dice % tickets.len().max(1) as u64).unwrap_or(0));
        let (Some(ticket), Some(other)) = (pick(one.dice), pick(one.dice + 1)) else { return false };
        let task = self.task(&ticket.id.to_string());
        let (Some(agent), Some(member)) = (self.scenario().cast.agents().next(), self.member(one.dice >> 32))
        else {
            return false;
        };
        let ticket_path = format!("/api/v2/tickets/{}", ticket.id);
        let zendesk = |method, path: &str, body| act::zendesk(agent, method, path, body, &one.id);
        match one.turn {
            Turn::DeleteTicket => self.to_zendesk(zendesk(Method::DELETE, &ticket_path, None)).await,
            Turn::RestoreTicket => {
                let path = format!("/api/v2/deleted_tickets/{}/restore", ticket.id);
                self.to_zendesk(zendesk(Method::PUT, &path, None)).await
            }
            Turn::Merge => {
                let path = format!("/api/v2/tickets/{}/merge", other.id);
                let body = json!({
                    "ids": [ticket.id],
                    "target_comment": format!("Request #{} was merged into this one", ticket.id),
                    "source_comment": format!("This request was merged into #{}", other.id),
                    "target_comment_is_public": one.dice.is_multiple_of(2),
                    "source_comment_is_public": one.dice.is_multiple_of(3),
                });
                self.to_zendesk(zendesk(Method::POST, &path, Some(body))).await
            }
            Turn::Close => {
                let body = json!({ "ticket": { "status": "closed" } });
                self.to_zendesk(zendesk(Method::PUT, &ticket_path, Some(body))).await
            }
            Turn::DeleteTask => self.on_task(member, task, Method::DELETE, None, &one.id).await,
            Turn::Archive | Turn::Unarchive => {
                let body = json!({ "archived": one.turn == Turn::Archive });
                self.on_task(member, task, Method::PUT, Some(body), &one.id).await
            }
        }
    }

    async fn on_task(
        &self,
        who: &Colleague,
        task: Option<String>,
        method: Method,
        body: Option<Json>,
        edit: &str,
    ) -> bool {
        let Some(task) = task else { return false };
        self.to_clickup(act::clickup(who, method, &format!("/api/v2/task/{task}"), body, edit)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_brought_back_was_taken_away_before() {
        for seed in 0..200 {
            let all = plan(3, seed, 60_000);
            assert_eq!(all, plan(3, seed, 60_000));
            for (at, one) in all.iter().enumerate().filter(|(_, one)| one.turn == Turn::RestoreTicket) {
                let taken = |before: &Upheaval| (before.turn, before.dice) == (Turn::DeleteTicket, one.dice);
                assert!(all[..at].iter().any(taken), "seed {seed}");
            }
        }
    }
}
