//! What deskup wrote while people edited: which edit caused it, and whether anything was written when
//! nothing had happened.

use std::collections::{BTreeMap, BTreeSet};

use domain::Side;
use simulators::Change;

use super::canon::Field;
use super::edits::{Fate, Judged, What};
use super::pairs::Pairs;
use super::records;
use super::testimony::Testimony;

/// A write request of deskup that changed something: side, record and moment name it, because deskup's
/// requests to one record take time and never share a millisecond.
type Request = (Side, String, i64);

/// What was written in the live phase.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Writes {
    /// Requests that changed something.
    pub total: u64,
    /// Edits that were mirrored by a write and did not coincide with another.
    pub edits: u64,
    /// Writes of exactly what these changed; a request that answers two edits counts once for each.
    pub attributed: u64,
    /// Edits whose own thing was written by more than one request, with their number.
    pub several: Vec<(String, u64)>,
    /// Requests that no edit explains.
    pub unexplained: Vec<String>,
    /// Requests after everything had settled.
    pub after_settled: Vec<String>,
}

impl Writes {
    /// Requests per edit; 0 without edits.
    pub fn per_edit(&self) -> f64 {
        if self.edits == 0 { 0.0 } else { self.attributed as f64 / self.edits as f64 }
    }
}

/// Attributes every write of the live phase.
pub fn attribute(testimony: &Testimony, pairs: &Pairs, judged: &[Judged]) -> Writes {
    let live_ms = mark(testimony, "live").unwrap_or(i64::MAX);
    let changes = sync_changes(testimony);
    let mut writes = Writes::default();
    let mut all: BTreeMap<Request, Vec<&str>> = BTreeMap::new();
    for (side, change) in &changes {
        if change.at_ms >= live_ms && change.field != "created" {
            let request = (*side, change.record.clone(), change.at_ms);
            all.entry(request).or_default().push(&change.field);
        }
    }
    writes.total = all.len() as u64;
    let index = by_record(&changes);
    let mut explained: BTreeSet<Request> = BTreeSet::new();
    for case in judged {
        let caused = caused_by(testimony, pairs, &index, judged, case);
        explained.extend(caused.keys().cloned());
        let counts = case.fate == Fate::Mirrored && case.needs_write && !case.coincides;
        if !counts || case.edit.at_ms < live_ms {
            continue;
        }
        let own = caused.values().filter(|answer| **answer == Answer::Own).count() as u64;
        writes.edits += 1;
        writes.attributed += own;
        if own > 1 {
            writes.several.push((case.edit.id.clone(), own));
        }
    }
    explained.extend(copies(&changes));
    writes.unexplained = all.iter().filter(|(request, _)| !explained.contains(*request)).map(show).collect();
    if let Some(settled_ms) = settled_after_the_last_edit(testimony) {
        writes.after_settled =
            all.iter().filter(|((_, _, at_ms), _)| *at_ms > settled_ms).map(show).collect();
    }
    writes
}

/// Copies of comments and files explain themselves: a backfill may make them late. That none is made twice
/// is counted elsewhere.
fn copies(changes: &[(Side, &Change)]) -> Vec<Request> {
    let copy = |change: &Change| match change.field.as_str() {
        "comment" => domain::conversation::parse_origin(&records::text(&change.after["body"])).is_some(),
        other => other == "attachment",
    };
    changes
        .iter()
        .filter(|(_, change)| copy(change))
        .map(|(side, change)| (*side, change.record.clone(), change.at_ms))
        .collect()
}

fn show(((side, record, at_ms), fields): (&Request, &Vec<&str>)) -> String {
    format!("{side} {record} at {at_ms}: {}", fields.join(", "))
}

/// The first mark of a name.
fn mark(testimony: &Testimony, phase: &str) -> Option<i64> {
    testimony.marks.iter().find(|mark| mark.phase == phase).map(|mark| mark.at_ms)
}

/// When the world first was settled after the last change by a person.
fn settled_after_the_last_edit(testimony: &Testimony) -> Option<i64> {
    let rules = &testimony.rules;
    let people = |side: Side, changes: &[Change]| {
        changes.iter().filter(|change| rules.is_person(side, change.actor)).map(|change| change.at_ms).max()
    };
    let last = people(Side::Zendesk, &testimony.zendesk_changes)
        .max(people(Side::Clickup, &testimony.clickup_changes))
        .unwrap_or(0);
    testimony.marks.iter().find(|mark| mark.phase == "settled" && mark.at_ms >= last).map(|mark| mark.at_ms)
}

fn sync_changes(testimony: &Testimony) -> Vec<(Side, &Change)> {
    let rules = &testimony.rules;
    let of = |side: Side, changes: &'_ [Change]| -> Vec<usize> {
        (0..changes.len()).filter(|at| changes[*at].actor == rules.sync_user(side)).collect()
    };
    let mut found = Vec::new();
    for (side, changes) in
        [(Side::Zendesk, &testimony.zendesk_changes), (Side::Clickup, &testimony.clickup_changes)]
    {
        found.extend(of(side, changes).into_iter().map(|at| (side, &changes[at])));
    }
    found
}

type Index<'a> = BTreeMap<(Side, &'a str), Vec<&'a Change>>;

fn by_record<'a>(changes: &[(Side, &'a Change)]) -> Index<'a> {
    let mut index = Index::new();
    for (side, change) in changes {
        index.entry((*side, change.record.as_str())).or_default().push(change);
    }
    index
}

/// What a request of deskup is to an edit. One that carries several edits' fields is an answer to each of them,
/// by that field alone; a request that changed nothing is not in the log, and is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    /// It follows from the edit and says something else.
    Aside,
    /// It says what the edit said.
    Own,
}

/// The requests that an edit caused: changes of the same field on either side after it and before the
/// next edit of that field, or the copies of a comment, or the note that tells of a description.
fn caused_by(
    testimony: &Testimony,
    pairs: &Pairs,
    index: &Index<'_>,
    judged: &[Judged],
    case: &Judged,
) -> BTreeMap<Request, Answer> {
    let edit = &case.edit;
    let Some(task) = pairs.task_of.get(&edit.ticket) else { return BTreeMap::new() };
    let until_ms = judged
        .iter()
        .filter(|other| {
            other.edit.ticket == edit.ticket
                && same_thing(&other.edit.what, edit.what_name(), &other.edit.field, &edit.field)
        })
        .map(|other| other.edit.at_ms)
        .filter(|at_ms| *at_ms > edit.at_ms)
        .min()
        .unwrap_or(i64::MAX);
    let mut caused = BTreeMap::new();
    for (side, record) in [(Side::Zendesk, edit.ticket.as_str()), (Side::Clickup, task.as_str())] {
        for change in index.get(&(side, record)).into_iter().flatten() {
            let in_time =
                change.at_ms >= edit.at_ms && (change.at_ms < until_ms || edit.field == Field::Comment);
            if !in_time || change.field == "created" {
                continue;
            }
            if let Some(answer) = answer(testimony, side, change, case) {
                let request = (side, record.to_owned(), change.at_ms);
                let strongest = caused.entry(request).or_insert(answer);
                *strongest = answer.max(*strongest);
            }
        }
    }
    caused
}

fn same_thing(what: &What, name: Option<&str>, other: &Field, field: &Field) -> bool {
    other == field
        && match (what, name) {
            (What::Tag { name: tag, .. }, Some(name)) => tag == name,
            (What::Comment(_), _) => false,
            _ => true,
        }
}

impl super::edits::Edit {
    /// The tag, where the edit is about one.
    fn what_name(&self) -> Option<&str> {
        match &self.what {
            What::Tag { name, .. } => Some(name),
            _ => None,
        }
    }
}

/// What a change of deskup's is to an edit, if anything.
fn answer(testimony: &Testimony, side: Side, change: &Change, case: &Judged) -> Option<Answer> {
    if reassigned(side, change, case) {
        return Some(Answer::Aside);
    }
    says_it(testimony, side, change, case).then_some(Answer::Own)
}

/// Whether a change of deskup's is of the thing that an edit changed.
fn says_it(testimony: &Testimony, side: Side, change: &Change, case: &Judged) -> bool {
    let rules = &testimony.rules;
    let Some(field) = rules.field_of(side, &change.field) else { return false };
    match (&case.edit.what, &field) {
        (What::Comment(comment), Field::Comment) => {
            let head = records::text(&change.after["body"]);
            let head = head.lines().next().unwrap_or_default();
            side != case.edit.side
                && head.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == comment.id)
        }
        // The note that tells of an edited description.
        (What::Value { .. }, Field::Comment) => {
            case.edit.field == Field::Description
                && side == Side::Zendesk
                && domain::conversation::parse_origin(&records::text(&change.after["body"])).is_none()
        }
        (What::Tag { name, .. }, Field::Tags) => {
            let (before, after) =
                (rules.canon(side, &field, &change.before), rules.canon(side, &field, &change.after));
            before.members().contains(name) != after.members().contains(name)
        }
        (What::Value { .. }, other) => {
            *other == case.edit.field
                && rules.canon(side, other, &change.before) != rules.canon(side, other, &change.after)
        }
        _ => false,
    }
}

/// A task that is opened again gets the assignee that it was spared while the work was over. Such a write
/// has its cause, and is not the write of the edit itself.
fn reassigned(side: Side, change: &Change, case: &Judged) -> bool {
    let nobody = change.before.as_array().is_none_or(Vec::is_empty);
    side == Side::Clickup && change.field == "assignee" && nobody && case.edit.field == Field::Status
}
