//! Whether both sides say the same, field by field, or a conflict row explains why not.

use domain::Side;

use super::canon::{Canon, Field};
use super::pairs::Pairs;
use super::records::Record;
use super::talk;
use super::testimony::Testimony;
use crate::deskup::KeptConflict;

/// Something that is not the same on both sides and that nothing explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The ticket.
    pub ticket: String,
    /// Its task, if there is one.
    pub task: Option<String>,
    /// What differs.
    pub what: String,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Convergence {
    /// Tickets that have a live or archived task of their own.
    pub linked: u64,
    /// Tickets where everything is the same or explained.
    pub converged: u64,
    /// What is not.
    pub differences: Vec<Difference>,
    /// Fields that differ and have their conflict row.
    pub explained: u64,
}

/// Compares every pair.
pub fn compare(testimony: &Testimony, pairs: &Pairs) -> Convergence {
    let mut found = Convergence::default();
    for (id, ticket) in &pairs.tickets {
        let before = found.differences.len();
        match pairs.task_of.get(id).map(|task| (task, pairs.tasks.get(task))) {
            // Deleted by a person: there is nothing to keep in step any more.
            _ if pairs.gone.contains(id) => {}
            Some((_, None)) => {}
            Some((_, Some(task))) => {
                found.linked += 1;
                compare_pair(testimony, ticket, task, &mut found);
            }
            None => found.differences.push(Difference {
                ticket: id.clone(),
                task: None,
                what: "there is no task".to_owned(),
            }),
        }
        found.converged += u64::from(found.differences.len() == before);
    }
    found
}

fn compare_pair(testimony: &Testimony, ticket: &Record, task: &Record, found: &mut Convergence) {
    let mut differ = |what: String| {
        found.differences.push(Difference { ticket: ticket.id.clone(), task: Some(task.id.clone()), what });
    };
    for (field, zendesk) in &ticket.fields {
        let clickup = task.fields.get(field).unwrap_or(&Canon::Null);
        if testimony.rules.same(field, zendesk, clickup) || unassigned_by_rule(field, ticket, task) {
            continue;
        }
        if explained(testimony, ticket, field, zendesk, clickup) {
            found.explained += 1;
        } else {
            differ(format!("{}: {zendesk:?} and {clickup:?}", field.key()));
        }
    }
    for (side, comment) in talk::not_copied(testimony, ticket, task) {
        if side == Side::Clickup && comment_kept(testimony, ticket, task, &comment) {
            found.explained += 1;
        } else {
            differ(format!("{side} comment {comment} has no copy"));
        }
    }
    for name in talk::files_missing(testimony, ticket, task) {
        differ(format!("the task does not have the file {name:?}"));
    }
}

/// Nobody is assigned to a task whose work is over, so that nobody is told of old work.
fn unassigned_by_rule(field: &Field, ticket: &Record, task: &Record) -> bool {
    let over = |record: &Record| {
        let done = ["solved", "closed"].map(|word| Canon::Text(word.to_owned()));
        record.fields.get(&Field::Status).is_some_and(|status| done.contains(status))
    };
    *field == Field::Assignee
        && task.fields.get(field).is_none_or(|people| people.members().is_empty())
        && (over(ticket) || over(task))
}

/// A conflict row for exactly these two values.
fn explained(
    testimony: &Testimony,
    ticket: &Record,
    field: &Field,
    zendesk: &Canon,
    clickup: &Canon,
) -> bool {
    rows(testimony, ticket, field).any(|row| {
        let rules = &testimony.rules;
        rules.canon_kept(Side::Zendesk, field, &row.conflict.zendesk).matches(zendesk)
            && rules.canon_kept(Side::Clickup, field, &row.conflict.clickup).matches(clickup)
    })
}

/// The conflict rows of a field.
pub fn rows<'a>(
    testimony: &'a Testimony,
    ticket: &'a Record,
    field: &'a Field,
) -> impl Iterator<Item = &'a KeptConflict> {
    let key = field.key();
    testimony
        .kept
        .conflicts
        .iter()
        .filter(move |row| row.ticket.to_string() == ticket.id && row.conflict.field.to_string() == key)
}

/// Whether a comment that the ticket cannot take was kept for a person to see: in a conflict row that
/// holds its text, or in quarantine under its id.
pub fn comment_kept(testimony: &Testimony, ticket: &Record, task: &Record, comment: &str) -> bool {
    let Some(body) = task.comments.iter().find(|known| known.id == comment).map(|known| &known.body) else {
        return false;
    };
    let in_rows = testimony.kept.conflicts.iter().any(|row| {
        row.ticket.to_string() == ticket.id
            && matches!(&row.conflict.clickup, domain::Value::Text(text) if text.contains(body.as_str()))
    });
    let set_aside = testimony.kept.quarantined.iter().any(|(record, cause)| {
        (record.contains(comment) || cause.contains(comment))
            && (record.contains(&ticket.id) || record.contains(&task.id))
    });
    in_rows || set_aside
}
