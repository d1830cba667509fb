//! A crash at every moment at which a step waits for something, before and after its effect: nothing is lost, nothing is
//! done twice, and both sides end in step.

#![expect(clippy::print_stdout, reason = "a suite says how much it has tried")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tests::awaits::{crashed, moments, slow};
use tests::expect::nothing_wrong;
use tests::whole::Wrap;
use tests::{planted, seeds};

/// Worlds that are lived again and again.
const SEEDS: [u64; 2] = [1, 2];

/// Of so many moments, the ordinary run takes one; a request takes several.
const STRIDE: usize = 3;

/// What is wrong after a crash at each of these moments, on all cores.
fn at_each(seed: u64, moments: &[u64], wrap: Wrap) -> Vec<String> {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(ms) = moments.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let lines = crashed(seed, *ms, wrap);
                    wrong.lock().expect("no other thread panics").extend(lines);
                }
            });
        }
    });
    wrong.into_inner().expect("no thread panicked")
}

fn walk(stride: usize) {
    let seeds = seeds::asked().map_or(SEEDS.to_vec(), |seed| vec![seed]);
    let mut wrong = Vec::new();
    for seed in seeds {
        let moments: Vec<u64> = moments(seed).expect("a calm life").into_iter().step_by(stride).collect();
        let lines = at_each(seed, &moments, slow);
        println!("seed {seed}: crashed at {} moments", moments.len());
        wrong.extend(lines);
    }
    nothing_wrong(&wrong);
}

#[test]
fn a_crash_at_any_moment_loses_nothing_and_does_nothing_twice() {
    walk(STRIDE);
}

#[test]
#[ignore = "a few minutes: every moment, not one of three"]
fn a_crash_at_every_moment_loses_nothing_and_does_nothing_twice() {
    walk(1);
}

#[test]
fn a_create_that_is_sent_twice_is_found() {
    let moments = moments(1).expect("a calm life");
    let middle = moments[moments.len() / 2];
    assert!(!crashed(1, middle, planted::twice).is_empty());
}
