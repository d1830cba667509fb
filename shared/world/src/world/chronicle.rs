//! The world's own log beside those of the services: which phase began when, which requests of deskup
//! were seen on the wire, which webhooks reached it. It survives a kill like the services do, and tells a
//! reopened world what time it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use simulators::{Journal, SimError};

use crate::judge::testimony::{Calls, Mark};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Line {
    /// What the world was drawn from.
    Born { tickets: usize, seed: u64, internal_notes: bool },
    /// A process opened it.
    Open { at: i64 },
    /// A phase began.
    Phase { at: i64, name: String },
    /// A request of deskup.
    Call { at: i64, api: String, endpoint: String },
    /// A webhook of a change to a task reached deskup.
    Told { at: i64, task: String, of: i64 },
    /// One was sent, and deskup did not take it: the service will try again, a few times.
    Untold { at: i64, task: String, of: i64 },
}

#[derive(Debug, Default)]
struct Told {
    born: Option<(usize, u64, bool)>,
    incarnation: u64,
    newest_ms: i64,
    calls: Calls,
    marks: Vec<Mark>,
    delivered: BTreeSet<(String, i64)>,
    refused: BTreeMap<(String, i64), u32>,
}

impl Told {
    fn take(&mut self, line: Line) {
        let at = match line {
            Line::Born { tickets, seed, internal_notes } => {
                self.born = Some((tickets, seed, internal_notes));
                return;
            }
            Line::Open { at } => {
                self.incarnation += 1;
                at
            }
            Line::Phase { at, name } => {
                self.marks.push(Mark { phase: name, at_ms: at, calls: self.calls.clone() });
                at
            }
            Line::Call { at, api, endpoint } => {
                *self.calls.entry(api).or_default().entry(endpoint).or_default() += 1;
                at
            }
            Line::Told { at, task, of } => {
                self.delivered.insert((task, of));
                at
            }
            Line::Untold { at, task, of } => {
                *self.refused.entry((task, of)).or_default() += 1;
                at
            }
        };
        self.newest_ms = self.newest_ms.max(at);
    }
}

/// The log.
#[derive(Debug)]
pub struct Chronicle {
    inner: Mutex<(Journal, Told)>,
}

impl Chronicle {
    /// Opens or begins the log; without a path it lives in memory.
    pub fn open(path: Option<&Path>) -> Result<Self, SimError> {
        let mut told = Told::default();
        let journal = match path {
            Some(path) => Journal::open(path, |line: Line| told.take(line))?,
            None => Journal::memory(),
        };
        Ok(Self { inner: Mutex::new((journal, told)) })
    }

    fn inner(&self) -> MutexGuard<'_, (Journal, Told)> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, line: Line) -> Result<(), SimError> {
        let mut inner = self.inner();
        inner.0.append(&line)?;
        inner.1.take(line);
        Ok(())
    }

    /// Tickets, seed and whether notes are mirrored, if the world was opened before.
    pub fn born(&self) -> Option<(usize, u64, bool)> {
        self.inner().1.born
    }

    /// Notes what the world is drawn from.
    pub fn bear(&self, tickets: usize, seed: u64, internal_notes: bool) -> Result<(), SimError> {
        self.write(Line::Born { tickets, seed, internal_notes })
    }

    /// Notes that a process opened the world.
    pub fn opened(&self, at: i64) -> Result<(), SimError> {
        self.write(Line::Open { at })
    }

    /// Notes that a phase begins.
    pub fn phase(&self, at: i64, name: &str) -> Result<(), SimError> {
        self.write(Line::Phase { at, name: name.to_owned() })
    }

    /// Notes a request of deskup.
    pub fn call(&self, at: i64, api: &str, endpoint: String) {
        if let Err(error) = self.write(Line::Call { at, api: api.to_owned(), endpoint }) {
            tracing::error!(%error, "a request was not counted");
        }
    }

    /// Notes that deskup was told of a change of a task, or did not let itself be told.
    pub fn told(&self, at: i64, task: String, of: i64, taken: bool) {
        let line = if taken { Line::Told { at, task, of } } else { Line::Untold { at, task, of } };
        if let Err(error) = self.write(line) {
            tracing::error!(%error, "a webhook was not noted");
        }
    }

    /// How many processes opened the world, this one included.
    pub fn incarnation(&self) -> u64 {
        self.inner().1.incarnation
    }

    /// The newest moment in the log.
    pub fn newest_ms(&self) -> i64 {
        self.inner().1.newest_ms
    }

    /// When a phase first began.
    pub fn began(&self, phase: &str) -> Option<i64> {
        self.inner().1.marks.iter().find(|mark| mark.phase == phase).map(|mark| mark.at_ms)
    }

    /// How much time a phase took, all its runs together, up to `now_ms`.
    pub fn took_ms(&self, phase: &str, now_ms: i64) -> i64 {
        let inner = self.inner();
        let marks = &inner.1.marks;
        let ends = marks.iter().skip(1).map(|mark| mark.at_ms).chain([now_ms]);
        marks
            .iter()
            .zip(ends)
            .filter(|(mark, _)| mark.phase == phase)
            .map(|(mark, end)| end - mark.at_ms)
            .sum()
    }

    /// Every mark so far.
    pub fn marks(&self) -> Vec<Mark> {
        self.inner().1.marks.clone()
    }

    /// Every call so far.
    pub fn calls(&self) -> Calls {
        self.inner().1.calls.clone()
    }

    /// The number of calls so far.
    pub fn calls_total(&self) -> u64 {
        self.inner().1.calls.values().flat_map(BTreeMap::values).sum()
    }

    /// Webhooks of tasks that reached deskup.
    pub fn delivered(&self) -> BTreeSet<(String, i64)> {
        self.inner().1.delivered.clone()
    }

    /// How often deskup did not take a webhook of a task.
    pub fn refused(&self) -> BTreeMap<(String, i64), u32> {
        self.inner().1.refused.clone()
    }
}
