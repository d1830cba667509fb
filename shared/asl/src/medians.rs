//! How long steps take, as measured: medians over what executions told. They decide where an order that does not nest is
//! cut, and nothing else; the same samples in any order give the same medians.

use std::collections::BTreeMap;

/// Samples of one step that are kept: the newest, since what a step does changes with its code.
const SAMPLES_MAX: usize = 1_000;

/// Medians by the name that a step has in its workflow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Medians(BTreeMap<String, f64>);

impl Medians {
    /// A table of `(step, milliseconds)`, as an author writes it. Of a step that is listed twice the last counts; times
    /// that are no number, and negative ones, are left out.
    pub fn of_ms<'a>(table: impl IntoIterator<Item = (&'a str, f64)>) -> Medians {
        let good = table.into_iter().filter(|(_, ms)| ms.is_finite() && *ms >= 0.0);
        Medians(good.map(|(step, ms)| (step.to_owned(), ms)).collect())
    }

    /// The median of a step, in milliseconds.
    pub fn ms(&self, step: &str) -> Option<f64> {
        self.0.get(step).copied()
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(step, ms)| (step.as_str(), *ms))
    }
}

/// Collects how long each visit to a state took, retries and their waits included, from events of histories.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    ms: BTreeMap<String, Vec<i64>>,
}

impl Samples {
    /// Takes in the history of one execution: `(when in unix ms, kind, state)` in the order of the events, where kind
    /// is what the service calls it (`TaskStateEntered`) and only events of a state have one. A visit that did not
    /// end is no sample. Iterations of a Map enter one state at once and cannot be told apart by these three, so visits
    /// are paired first in, first out: their sum is right, which is what a median of many comes from.
    pub fn add<'a>(&mut self, history: impl IntoIterator<Item = (i64, &'a str, Option<&'a str>)>) {
        let mut entered: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for (at_ms, kind, state) in history {
            let Some(state) = state else { continue };
            if kind.ends_with("StateEntered") {
                entered.entry(state).or_default().push(at_ms);
            } else if kind.ends_with("StateExited")
                && let Some(open) = entered.get_mut(state).filter(|open| !open.is_empty())
            {
                let took = at_ms - open.remove(0);
                self.ms.entry(state.to_owned()).or_default().push(took.max(0));
            }
        }
    }

    /// The medians; of an even number of samples the lower one, so that it is a time that was measured.
    pub fn medians(&self) -> Medians {
        let median = |times: &Vec<i64>| {
            let mut newest = times[times.len().saturating_sub(SAMPLES_MAX)..].to_vec();
            newest.sort_unstable();
            newest.get((newest.len().saturating_sub(1)) / 2).map(|ms| *ms as f64)
        };
        Medians(self.ms.iter().filter_map(|(step, times)| Some((step.clone(), median(times)?))).collect())
    }
}
