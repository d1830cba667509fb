//! Comments and files: which are copies of which, and which may be copied at all.

use std::collections::BTreeMap;

use domain::Side;

use super::canon::squeeze;
use super::pairs::Pairs;
use super::records::{CommentSeen, Record};
use super::testimony::Testimony;

/// A copy longer than this may be cut by a service's limit: only the beginning is compared.
const COMPARED_CHARS: usize = 4_000;

/// Whether an internal note of this ticket may be shown in its task.
pub fn notes_allowed(testimony: &Testimony, task: &Record) -> bool {
    testimony.rules.internal_notes && !task.public && !testimony.guest_lists.contains(&task.list)
}

/// Whether a comment has to have a copy on the other side.
pub fn wanted(testimony: &Testimony, side: Side, comment: &CommentSeen, task: &Record) -> bool {
    let by_a_person = comment.author != testimony.rules.sync_user(side);
    let may_be_shown = side == Side::Clickup || comment.public || notes_allowed(testimony, task);
    by_a_person && may_be_shown && !comment.body.trim().is_empty()
}

/// The copies of a comment among the comments of the other side: they name its id and its author in the
/// first line and hold its text.
pub fn copies<'a>(
    testimony: &Testimony,
    side: Side,
    comment: &CommentSeen,
    others: &'a [CommentSeen],
) -> Vec<&'a CommentSeen> {
    let sync = testimony.rules.sync_user(side.other());
    others
        .iter()
        .filter(|other| other.author == sync)
        .filter(|other| {
            let head = other.body.lines().next().unwrap_or_default();
            let names_id = head.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == comment.id);
            let names_author =
                testimony.rules.name(side, comment.author).is_none_or(|name| head.contains(name));
            names_id && names_author && holds(&other.body, &comment.body)
        })
        .collect()
}

fn holds(copy: &str, original: &str) -> bool {
    let start: String = squeeze(original).chars().take(COMPARED_CHARS).collect();
    squeeze(copy).contains(&start)
}

/// Comments that were copied twice, as (record with the copies, original comment).
pub fn copied_twice(testimony: &Testimony, pairs: &Pairs) -> Vec<(String, String)> {
    let mut twice = Vec::new();
    for (ticket, task) in linked(pairs) {
        for (side, from, to) in [(Side::Zendesk, ticket, task), (Side::Clickup, task, ticket)] {
            for comment in originals(testimony, side, from) {
                for _ in copies(testimony, side, comment, &to.comments).iter().skip(1) {
                    twice.push((to.id.clone(), comment.id.clone()));
                }
            }
        }
        for name in extra_files(testimony, ticket, task) {
            twice.push((task.id.clone(), name));
        }
    }
    twice
}

/// Comments whose copy is missing, as (ticket, side, comment).
pub fn not_copied(testimony: &Testimony, ticket: &Record, task: &Record) -> Vec<(Side, String)> {
    let mut missing = Vec::new();
    for (side, from, to) in [(Side::Zendesk, ticket, task), (Side::Clickup, task, ticket)] {
        for comment in originals(testimony, side, from) {
            if wanted(testimony, side, comment, task)
                && copies(testimony, side, comment, &to.comments).is_empty()
            {
                missing.push((side, comment.id.clone()));
            }
        }
    }
    missing
}

/// Files of the ticket that the task does not have.
pub fn files_missing(testimony: &Testimony, ticket: &Record, task: &Record) -> Vec<String> {
    let have = count(task.files.iter().map(|file| file.name.as_str()));
    let want = count(files_wanted(testimony, ticket, task));
    want.into_iter()
        .filter(|(name, n)| have.get(name).copied().unwrap_or(0) < *n)
        .map(|(name, _)| name.to_owned())
        .collect()
}

fn extra_files(testimony: &Testimony, ticket: &Record, task: &Record) -> Vec<String> {
    let sync = testimony.rules.clickup_sync;
    let have = count(task.files.iter().filter(|file| file.by == sync).map(|file| file.name.as_str()));
    let origin = count(ticket.files.iter().map(|file| file.name.as_str()));
    have.into_iter()
        .filter(|(name, n)| origin.get(name).copied().unwrap_or(0) < *n)
        .map(|(name, _)| name.to_owned())
        .collect()
}

fn files_wanted<'a>(
    testimony: &Testimony,
    ticket: &'a Record,
    task: &Record,
) -> impl Iterator<Item = &'a str> {
    let notes = notes_allowed(testimony, task);
    let sync = testimony.rules.zendesk_sync;
    ticket
        .files
        .iter()
        .filter(move |file| file.by != sync && (file.public || notes))
        .map(|file| file.name.as_str())
}

fn count<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// The comments of a record that are not copies: a ticket's first one is its description.
fn originals<'a>(
    testimony: &Testimony,
    side: Side,
    record: &'a Record,
) -> impl Iterator<Item = &'a CommentSeen> {
    let sync = testimony.rules.sync_user(side);
    let skip = usize::from(side == Side::Zendesk);
    record.comments.iter().skip(skip).filter(move |comment| comment.author != sync)
}

/// Tickets whose task is there.
pub fn linked(pairs: &Pairs) -> impl Iterator<Item = (&Record, &Record)> {
    pairs
        .task_of
        .iter()
        .filter_map(|(ticket, task)| Some((pairs.tickets.get(ticket)?, pairs.tasks.get(task)?)))
}
