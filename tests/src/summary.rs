//! What became of histories: one by one, and many together.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What became of a history.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// What is wrong with it, in words.
    pub wrong: Vec<String>,
    /// What the judge counted: lost, duplicated, leaked, diverged, windows of limits that were overdrawn.
    pub counts: [u64; 5],
    /// Records.
    pub records: u64,
    /// Edits of people.
    pub edits: u64,
    /// Edits that nothing can be proven of.
    pub unprovable: u64,
    /// Writes that an executor made again, or undid, because it could not know better: harmless, and counted.
    pub again: u64,
    /// How often each fault took effect.
    pub fired: BTreeMap<&'static str, u64>,
    /// Requests to the table.
    pub store_operations: u64,
    /// Virtual time.
    pub lasted_ms: i64,
    /// A hash over everything that both services changed.
    pub trace: u64,
}

impl Outcome {
    /// Whether all is as it must be.
    pub fn is_clean(&self) -> bool {
        self.wrong.is_empty()
    }

    /// What is wrong, under the command that plays it again.
    pub fn report(&self) -> String {
        let mut text = format!(
            "seed {}: again with\n  cargo run --release -p tests --bin simulate -- --histories 1 --seed {}",
            self.seed, self.seed
        );
        for line in &self.wrong {
            // Writing to a string does not fail.
            let _ = write!(text, "\n    {line}");
        }
        text
    }
}

/// Many histories together.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many.
    pub histories: u64,
    /// Lost, duplicated, leaked, diverged, overdrawn.
    pub counts: [u64; 5],
    /// Records, edits, unprovable edits, writes made again, faults that took effect, requests to the table, minutes.
    pub sums: [u64; 7],
    /// Faults by name.
    pub fired: BTreeMap<&'static str, u64>,
    /// Histories that are not clean.
    pub failed: Vec<Outcome>,
}

impl Summary {
    /// One more.
    pub fn add(&mut self, outcome: Outcome) {
        self.histories += 1;
        for (sum, count) in self.counts.iter_mut().zip(outcome.counts) {
            *sum += count;
        }
        let minutes = u64::try_from(outcome.lasted_ms / 60_000).unwrap_or(0);
        let faults = outcome.fired.values().sum();
        let of_one = [
            outcome.records,
            outcome.edits,
            outcome.unprovable,
            outcome.again,
            faults,
            outcome.store_operations,
            minutes,
        ];
        for (sum, one) in self.sums.iter_mut().zip(of_one) {
            *sum += one;
        }
        for (name, count) in &outcome.fired {
            *self.fired.entry(name).or_default() += count;
        }
        if !outcome.is_clean() {
            self.failed.push(outcome);
        }
    }

    /// The share of edits that nothing can be proven of.
    pub fn exempt_percent(&self) -> f64 {
        self.sums[2] as f64 * 100.0 / self.sums[1].max(1) as f64
    }

    /// The one line that says it all.
    pub fn line(&self) -> String {
        let [lost, duplicated, leaked, diverged, overdrawn] = self.counts;
        format!(
            "histories {}, lost {lost}, duplicated {duplicated}, leaked {leaked}, diverged {diverged}, \
             overdrawn {overdrawn}",
            self.histories
        )
    }

    /// Means, and how often each fault took effect.
    pub fn details(&self) -> String {
        let mean = |at: usize| self.sums[at] as f64 / self.histories.max(1) as f64;
        let fired: Vec<String> = self.fired.iter().map(|(name, count)| format!("{name} {count}")).collect();
        format!(
            "each: {:.1} records, {:.1} edits, {:.1} faults, {:.0} requests to the table, {:.0} minutes\n\
             unprovable {} of {} edits ({:.2} %), made again {}\nfaults: {}",
            mean(0),
            mean(1),
            mean(4),
            mean(5),
            mean(6),
            self.sums[2],
            self.sums[1],
            self.exempt_percent(),
            self.sums[3],
            fired.join(", ")
        )
    }
}

/// Plays seeds on all cores; `each` is told of every one that ends, and says whether to go on.
pub fn play_all(
    seeds: std::ops::Range<u64>,
    play: impl Fn(u64) -> Outcome + Sync,
    each: impl Fn(&Summary) -> bool + Sync,
) -> Summary {
    let next = AtomicU64::new(seeds.start);
    let summary = Mutex::new(Summary::default());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let outcome = play(seed);
                    let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
                    summary.add(outcome);
                    if !each(&summary) {
                        next.store(seeds.end, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    summary.into_inner().unwrap_or_else(PoisonError::into_inner)
}
