//! What the sync cost in API calls, from what the world saw on the wire.

use super::testimony::{Calls, Testimony, add_calls, calls_between};

/// Tickets on one page of Zendesk's export.
const EXPORT_PAGE: u64 = 1_000;

/// Calls by phase.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spent {
    /// All calls of deskup.
    pub all: Calls,
    /// Reads, creates and link-backs of the backfill.
    pub backfill: u64,
    /// Comments and attachments of the backfill.
    pub talk: u64,
    /// Reading who and what there is, registering webhooks.
    pub prepare: u64,
    /// Since people began to edit.
    pub live: u64,
}

/// Attributes every call to the phase that was running.
pub fn spent(testimony: &Testimony) -> Spent {
    let mut spent = Spent::default();
    for (mark, next) in testimony.marks.iter().zip(testimony.marks.iter().skip(1)) {
        let calls = calls_between(&mark.calls, &next.calls);
        match mark.phase.as_str() {
            "backfill" => {
                spent.backfill += count(&calls, |endpoint| !is_talk(endpoint));
                spent.talk += count(&calls, is_talk);
            }
            "prepare" => spent.prepare += count(&calls, |_| true),
            "live" | "edits" | "settle" => spent.live += count(&calls, |_| true),
            _ => {}
        }
        add_calls(&mut spent.all, &calls);
    }
    spent
}

/// The fewest calls that can bring a ticket over: its create, and its share of the export's pages.
pub fn least_per_new_ticket(tickets: u64) -> f64 {
    if tickets == 0 { 0.0 } else { 1.0 + tickets.div_ceil(EXPORT_PAGE) as f64 / tickets as f64 }
}

fn is_talk(endpoint: &str) -> bool {
    ["comment", "attachment", "upload", "ticket_events", "files"].iter().any(|word| endpoint.contains(word))
}

fn count(calls: &Calls, counts: impl Fn(&str) -> bool) -> u64 {
    let endpoints = calls.values().flatten();
    endpoints.filter(|(endpoint, _)| counts(endpoint)).map(|(_, count)| count).sum()
}
