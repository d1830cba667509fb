//! Random histories: several executors, people on both sides, an hour, and everything that goes wrong at once. Nothing may
//! be lost, nothing done twice, and all must end the same on both sides. `simulate` plays more of them.

use tests::history::{play, play_over};
use tests::summary::{Outcome, Summary, play_all};
use tests::whole::Wrap;
use tests::{planted, seeds};

/// Histories of an ordinary run.
const HISTORIES: u64 = 2_000;

/// A planted fault is found within so many.
const WITHIN: u64 = 1_000;

/// What is known and not repaired. 1435: somebody who took a task over between a write and its repetition. 1517: a second
/// task, put away again.
const KNOWN: [u64; 2] = [1435, 1517];

fn all_clean(summary: &Summary) {
    let news = summary.failed.iter().filter(|one| !KNOWN.contains(&one.seed));
    let failed: Vec<String> = news.map(Outcome::report).collect();
    assert!(failed.is_empty(), "{}\n{}", failed.join("\n"), summary.line());
    assert!(summary.exempt_percent() <= 1.0, "{}", summary.details());
}

#[test]
fn histories_lose_nothing_and_do_nothing_twice() {
    if let Some(seed) = seeds::asked() {
        return all_clean(&play_all(seed..seed + 1, play, |_| true));
    }
    let summary = play_all(1..HISTORIES + 1, play, |so_far| so_far.failed.len() < 10);
    println!("{}\n{}", summary.details(), summary.line());
    all_clean(&summary);
    let still: Vec<u64> = summary.failed.iter().map(|one| one.seed).collect();
    assert!(
        KNOWN.iter().all(|seed| still.contains(seed)),
        "repaired by now: {KNOWN:?}, still failing: {still:?}"
    );
    let faults = summary.sums[4] / summary.histories;
    assert!(faults >= 5, "too little goes wrong: {faults} faults a history");
}

/// How many histories it takes to find a fault, at most [`WITHIN`].
fn found_after(wrap: Wrap) -> Option<u64> {
    let summary = play_all(1..WITHIN + 1, |seed| play_over(seed, wrap), |so_far| so_far.failed.is_empty());
    (!summary.failed.is_empty()).then_some(summary.histories)
}

#[test]
fn a_write_that_is_swallowed_is_found() {
    let found = found_after(planted::swallowing);
    assert!(found.is_some());
}

#[test]
fn a_create_that_is_sent_twice_is_found() {
    let found = found_after(planted::twice);
    assert!(found.is_some());
}

#[test]
fn the_same_seed_has_the_same_trace() {
    for seed in [3, 14, 159] {
        let (one, other) = (play(seed), play(seed));
        assert_eq!(one.trace, other.trace, "seed {seed}");
        assert_eq!(one.store_operations, other.store_operations, "seed {seed}");
    }
}
