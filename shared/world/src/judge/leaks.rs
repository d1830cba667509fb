//! Internal text where it does not belong: every internal text has a canary, so a leak is a word in the
//! wrong place.

use std::collections::BTreeSet;

use super::pairs::Pairs;
use super::records::Record;
use super::talk;
use super::testimony::Testimony;
use crate::seedwork::canary;

/// A canary where it may not be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    /// The word.
    pub canary: String,
    /// The record it was found in.
    pub record: String,
    /// Where in it.
    pub place: String,
}

/// Looks through every text of both services.
pub fn find(testimony: &Testimony, pairs: &Pairs) -> Vec<Leak> {
    let mut leaks = BTreeSet::new();
    let sync = testimony.rules.zendesk_sync;
    // A canary that a person made public is theirs to make public.
    let published: BTreeSet<&str> = pairs
        .tickets
        .values()
        .flat_map(|ticket| ticket.comments.iter())
        .filter(|comment| comment.public && comment.author != sync)
        .flat_map(|comment| canary::find(&comment.body))
        .collect();
    for ticket in pairs.tickets.values() {
        for comment in ticket.comments.iter().filter(|comment| comment.public && comment.author == sync) {
            note(&mut leaks, &comment.body, &published, &ticket.id, "a public comment");
        }
        for text in &ticket.texts {
            note(&mut leaks, text, &published, &ticket.id, "the ticket itself");
        }
    }
    let notes = internal_of_zendesk(pairs, sync);
    for task in pairs.tasks.values().filter(|task| !talk::notes_allowed(testimony, task)) {
        let of_zendesk = |text: &str, place: &str, leaks: &mut BTreeSet<Leak>| {
            for word in canary::find(text).into_iter().filter(|word| notes.contains(*word)) {
                if !published.contains(word) {
                    leaks.insert(Leak { canary: word.into(), record: task.id.clone(), place: place.into() });
                }
            }
        };
        for comment in &task.comments {
            of_zendesk(&comment.body, "a comment of the task", &mut leaks);
        }
        for text in &task.texts {
            of_zendesk(text, "the task itself", &mut leaks);
        }
    }
    leaks.into_iter().collect()
}

fn note(leaks: &mut BTreeSet<Leak>, text: &str, published: &BTreeSet<&str>, record: &str, place: &str) {
    for word in canary::find(text).into_iter().filter(|word| !published.contains(word)) {
        leaks.insert(Leak { canary: word.into(), record: record.into(), place: place.into() });
    }
}

/// Canaries of notes that agents wrote. What ClickUp's people wrote is at home in ClickUp.
fn internal_of_zendesk(pairs: &Pairs, sync: i64) -> BTreeSet<String> {
    pairs
        .tickets
        .values()
        .flat_map(|ticket: &Record| ticket.comments.iter())
        .filter(|comment| !comment.public && comment.author != sync)
        .flat_map(|comment| canary::find(&comment.body))
        .map(str::to_owned)
        .collect()
}
