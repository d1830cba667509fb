//! What is kept about requests: the journal, the log of changes, the counts of calls, the rate limit.

use std::collections::BTreeMap;

use super::deliveries;
use super::options::ClickUpOptions;
use super::rows::{Line, Row, Totals};
use super::state::State;
use super::tx::Tx;
use crate::http_text::{self, Answer};
use crate::overdrawn::{Book, Overdrawn};
use crate::{Change, ChangeLog, Journal, SimError};

const WINDOW_MS: i64 = 60_000;
/// A journal shorter than this is read quickly enough as it is. Tests write fewer lines.
const COMPACT_LINES_MIN: u64 = if cfg!(test) { 300 } else { 20_000 };
/// So many records or changes share a line of a compacted journal.
const COMPACT_CHUNK: usize = 100;

/// The books of a simulator.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    journal: Journal,
    pub log: ChangeLog,
    pub totals: Totals,
    /// By user. A personal and an OAuth token of one user share it, which the service would not do.
    windows: BTreeMap<i64, Window>,
    pub overdrawn: Book,
    /// Another limit than the plan's.
    pub per_minute: Option<u32>,
}

/// A fixed minute: it begins with the first request after the one before ended.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    start_ms: i64,
    used: u32,
    /// Those refused included.
    sent: u32,
    /// The highest limit while it lasted.
    limit: u32,
}

/// What the rate limit says to a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quota {
    limit: u32,
    remaining: u32,
    reset_ms: i64,
}

impl Quota {
    /// Sets the headers. The reset is in Unix seconds.
    pub fn mark(self, answer: &mut Answer) {
        let reset_s = (self.reset_ms + 999).div_euclid(1_000);
        http_text::set_header(answer, "X-RateLimit-Limit", &self.limit.to_string());
        http_text::set_header(answer, "X-RateLimit-Remaining", &self.remaining.to_string());
        http_text::set_header(answer, "X-RateLimit-Reset", &reset_s.to_string());
    }

    /// The same, spent.
    pub fn spent(self) -> Self {
        Self { remaining: 0, ..self }
    }
}

/// Which call a commit belongs to.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    pub label: String,
    pub limited: bool,
}

impl Ledger {
    /// Opens the journal and rebuilds state and books from it.
    pub fn open(options: &ClickUpOptions, state: &mut State) -> Result<Self, SimError> {
        let mut ledger = Self::default();
        let Some(path) = &options.journal else { return Ok(ledger) };
        let journal = Journal::open(path, |line| ledger.replay(line, state, options))?;
        ledger.journal = journal;
        let kept = state.rows().count() + ledger.log.all().len();
        if ledger.journal.lines() > COMPACT_LINES_MIN.max(2 * kept as u64) {
            ledger.compact(state)?;
        }
        Ok(ledger)
    }

    /// Grows with every run on the same journal: seeds the dice anew, so that they do not repeat themselves.
    pub fn incarnation(&self) -> u64 {
        self.journal.lines()
    }

    fn replay(&mut self, line: Line, state: &mut State, options: &ClickUpOptions) {
        for row in line.put {
            state.put(row);
        }
        for key in &line.gone {
            state.remove(key);
        }
        if let Some(counters) = line.counters {
            state.counters = counters;
        }
        if let Some(totals) = line.totals {
            state.deleted.clone_from(&totals.deleted);
            self.totals = totals;
        }
        self.log.restore(line.changes);
        if let Some(label) = line.call {
            if line.limited {
                let _ = self.take(line.by, line.at, options.requests_per_minute());
            }
            self.count(line.by, label, line.rejected);
        }
    }

    fn count(&mut self, user: i64, label: String, rejected: bool) {
        if rejected {
            self.totals.rejected += 1;
        } else {
            *self.totals.calls.entry(user).or_default().entry(label).or_default() += 1;
        }
    }

    /// Spends one request of a user's window, or says when there is more.
    pub fn take(&mut self, user: i64, now_ms: i64, limit: u32) -> Result<Quota, Quota> {
        let window = self.windows.entry(user).or_default();
        if now_ms >= window.start_ms + WINDOW_MS {
            *window = Window { start_ms: now_ms, ..Window::default() };
        }
        window.sent += 1;
        window.limit = window.limit.max(limit);
        self.overdrawn.note(Overdrawn {
            bucket: "token".to_owned(),
            begins_ms: window.start_ms,
            ends_ms: window.start_ms + WINDOW_MS,
            ours: window.sent,
            allowed: window.limit,
        });
        let free = limit.saturating_sub(window.used);
        let quota = |remaining| Quota { limit, remaining, reset_ms: window.start_ms + WINDOW_MS };
        if free == 0 {
            return Err(quota(0));
        }
        let quota = quota(free - 1);
        window.used += 1;
        Ok(quota)
    }

    /// Books a request that was answered 429.
    pub fn reject(&mut self, user: i64, now_ms: i64, label: String) -> Result<(), SimError> {
        let line =
            Line { at: now_ms, by: user, call: Some(label.clone()), rejected: true, ..Line::default() };
        self.journal.append(&line)?;
        self.count(user, label, true);
        Ok(())
    }

    /// Commits what was done, together with the deliveries it brings, before anybody hears of it. When the journal
    /// cannot take it, nothing was done. Returns the new deliveries.
    pub fn commit(&mut self, mut tx: Tx<'_>, call: Option<Counted>) -> Result<Vec<u64>, SimError> {
        let started = deliveries::enqueue(&mut tx);
        let mut changes = std::mem::take(&mut tx.changes);
        for (seq, change) in (self.log.next_seq()..).zip(&mut changes) {
            change.seq = seq;
        }
        if self.journal.is_durable() {
            let (put, gone) = tx.touched();
            let idle = put.is_empty() && gone.is_empty();
            if idle && call.is_none() {
                return Ok(started);
            }
            let line = Line {
                at: tx.now,
                by: tx.actor,
                call: call.as_ref().map(|call| call.label.clone()),
                limited: call.as_ref().is_some_and(|call| call.limited),
                put,
                gone,
                changes: changes.clone(),
                counters: (!idle).then_some(tx.state.counters),
                ..Line::default()
            };
            if let Err(error) = self.journal.append(&line) {
                tx.roll_back();
                return Err(error);
            }
        }
        self.log.restore(changes);
        if let Some(call) = call {
            self.count(tx.actor, call.label, false);
        }
        Ok(started)
    }

    /// Rewrites the journal as what it amounts to.
    fn compact(&mut self, state: &State) -> Result<(), SimError> {
        let totals = Totals { deleted: state.deleted.clone(), ..self.totals.clone() };
        let head = Line { totals: Some(totals), counters: Some(state.counters), ..Line::default() };
        let rows: Vec<Row> = state.rows().collect();
        let rows = rows.chunks(COMPACT_CHUNK).map(|rows| Line { put: rows.to_vec(), ..Line::default() });
        let changes = self.log.all().chunks(COMPACT_CHUNK);
        let changes = changes.map(|changes: &[Change]| Line { changes: changes.to_vec(), ..Line::default() });
        self.journal.compact([head].into_iter().chain(rows).chain(changes))
    }
}
