//! Which seeds a suite plays. A failing one is printed with the commands that play it again.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Names one seed to play instead of those that a suite would draw.
pub const VARIABLE: &str = "DESKUP_SEED";

/// The seed that a person asks for.
pub fn asked() -> Option<u64> {
    std::env::var(VARIABLE).ok()?.parse().ok()
}

/// Seeds that nobody has chosen, or the one that a person asks for.
pub fn random(count: usize) -> Vec<u64> {
    match asked() {
        Some(seed) => vec![seed],
        // Small numbers, which are easier to type.
        None => (0..count).map(|_| RandomState::new().build_hasher().finish() % 1_000_000_000).collect(),
    }
}

/// Which test plays a seed again, and which demo shows it.
#[derive(Clone, Copy, Debug)]
pub struct Replay {
    /// The suite's file.
    pub suite: &'static str,
    /// The test that reads the variable.
    pub test: &'static str,
    /// Tickets of its worlds.
    pub tickets: usize,
    /// Edits in them.
    pub edits: usize,
}

impl Replay {
    /// The commands for one seed.
    pub fn commands(&self, seed: u64) -> String {
        let Self { suite, test, tickets, edits } = self;
        format!(
            "seed {seed}: again with\n  {VARIABLE}={seed} cargo test --release -p tests --test {suite} -- {test}\n  \
             cargo run --release -- demo --tickets {tickets} --edits {edits} --seed {seed} --fresh"
        )
    }

    /// The faults of one seed under the commands that play it again; nothing where there are none.
    pub fn report(&self, seed: u64, faults: Vec<String>) -> Vec<String> {
        if faults.is_empty() {
            return faults;
        }
        std::iter::once(self.commands(seed))
            .chain(faults.into_iter().map(|line| format!("    {line}")))
            .collect()
    }
}
