//! What the judge says, in the words of the demo's `--json`.

use std::collections::BTreeMap;

use domain::Side;
use serde::Serialize;

use super::converged::Difference;
use super::edits::{Edit, Judged};
use super::leaks::Leak;
use super::testimony::Calls;
use super::writes::Writes;

/// The verdict on a world.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verdict {
    /// Tickets in Zendesk.
    pub tickets: u64,
    /// Live tasks that deskup made.
    pub tasks: u64,
    /// Tickets whose link names such a task.
    pub linked: u64,
    /// Tickets where every field is the same, or has its conflict row; rounded down.
    pub converged_percent: f64,
    /// Live second tasks, comments and files copied twice, and tasks of others that were adopted.
    pub duplicates: u64,
    /// Second creates for a ticket, whatever became of them.
    pub twins_seen: u64,
    /// Edits that are nowhere.
    pub lost: u64,
    /// Edits overwritten by a write whose own webhook was never delivered, and values put back whose webhook was not.
    pub unprovable: u64,
    /// Edits that the other side cannot take; each is kept, or it is lost.
    pub unmirrorable: u64,
    /// Internal text in public comments, or in ClickUp where it may not be.
    pub leaked_internal: u64,
    /// Conflict rows.
    pub conflicts: u64,
    /// Edits of the simulated people.
    pub edits: u64,
    /// Requests of deskup that changed something since people began to edit.
    pub writes: u64,
    /// Such requests per edit that needed one and did not coincide with another.
    pub writes_per_edit: f64,
    /// Writes after everything had settled, second runs included: 0 is right.
    pub silence: u64,
    /// Reads, creates and link-backs of the backfill, per ticket.
    pub calls_per_new_ticket: f64,
    /// The fewest that are possible.
    pub least_calls_per_new_ticket: f64,
    /// Calls of the backfill for comments and attachments.
    pub talk_calls: u64,
    /// Calls to learn who and what there is, and to register webhooks.
    pub prepare_calls: u64,
    /// Calls since people began to edit.
    pub live_calls: u64,
    /// All calls by service and endpoint.
    pub api_calls: Calls,
    /// Changes to tasks that deskup did not make: 0 is right.
    pub touched_foreign: u64,
    /// Records in quarantine.
    pub quarantined: u64,
    /// State transitions of all executions.
    pub transitions: u64,
    /// Executions.
    pub executions: u64,
    /// Where deskup keeps its state.
    pub state_file: Option<String>,
    /// The seed of the world.
    pub seed: u64,
}

impl Verdict {
    /// Whether nothing is wrong: what a demo exits by.
    pub fn is_clean(&self) -> bool {
        self.converged_percent >= 100.0
            && [self.duplicates, self.lost, self.leaked_internal, self.silence, self.touched_foreign]
                .iter()
                .all(|count| *count == 0)
    }
}

/// An edit that is not simply mirrored, and why that is in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exempted {
    /// The edit.
    pub id: String,
    /// `unmirrorable`, `kept`, `superseded`, `not_wanted`, `no_counterpart` or `unprovable`.
    pub class: &'static str,
    /// One sentence.
    pub why: String,
    /// The ticket.
    pub ticket: String,
    /// The field.
    pub field: String,
    /// Where the edit was made.
    pub side: Side,
}

/// Everything behind the numbers.
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// Edits that are exempted, one by one.
    pub exempted: Vec<Exempted>,
    /// Edits that are lost.
    pub lost: Vec<Edit>,
    /// Fields, comments and files that differ without explanation.
    pub differences: Vec<Difference>,
    /// Second tasks: ticket and task.
    pub duplicate_tasks: Vec<(String, String)>,
    /// Links to tasks of others: ticket and task.
    pub adopted: Vec<(String, String)>,
    /// Comments and files copied twice: record and original.
    pub copied_twice: Vec<(String, String)>,
    /// Internal text in the wrong place.
    pub leaks: Vec<Leak>,
    /// Changes to tasks that deskup did not make.
    pub foreign_writes: Vec<String>,
    /// Fields that differ and have their conflict row.
    pub fields_explained: u64,
    /// Every edit with what became of it.
    pub judged: Vec<Judged>,
    /// What was written and why.
    pub writes: Writes,
}

impl Details {
    /// Exempted edits by class.
    pub fn classes(&self) -> BTreeMap<&'static str, u64> {
        let mut classes = BTreeMap::new();
        for exempted in &self.exempted {
            *classes.entry(exempted.class).or_default() += 1;
        }
        classes
    }

    /// The faults in words, one a line, for a failing test or a person: at most `most` of each kind.
    pub fn faults(&self, most: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let mut say = |what: &str, found: Vec<String>| {
            let more = found.len().saturating_sub(most);
            lines.extend(found.into_iter().take(most).map(|line| format!("{what}: {line}")));
            if more > 0 {
                lines.push(format!("{what}: and {more} more"));
            }
        };
        let pairs = |list: &[(String, String)]| list.iter().map(|(a, b)| format!("{a} and {b}")).collect();
        say("differs", self.differences.iter().map(|d| format!("ticket {}: {}", d.ticket, d.what)).collect());
        say("lost", self.lost.iter().map(|edit| format!("{edit:?}")).collect());
        say("second task", pairs(&self.duplicate_tasks));
        say("adopted", pairs(&self.adopted));
        say("copied twice", pairs(&self.copied_twice));
        say("leaked", self.leaks.iter().map(|leak| format!("{leak:?}")).collect());
        say("not ours and changed", self.foreign_writes.clone());
        say("written after settling", self.writes.after_settled.clone());
        say("written twice", self.writes.several.iter().map(|(id, n)| format!("{id}: {n}")).collect());
        say("written without cause", self.writes.unexplained.clone());
        lines
    }
}
