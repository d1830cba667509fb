//! Plays histories of the whole system, as many as are asked for, and says what became of them.
//!
//!     cargo run --release -p tests --bin simulate -- --histories 100000 [--seed S]
//!
//! With `--features switches`, `--break RULE` breaks one of the rules of `planted::Bug`.
//!
//! A failing seed is printed with the command that plays it again. Exit code 1: something is wrong with one.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people who test")]

use std::process::ExitCode;
use std::sync::Mutex;

use tests::history::play;
use tests::summary::{Outcome, Summary, play_all};

/// Failing seeds that are printed.
const SHOWN: usize = 20;

/// How often progress is told.
const EVERY: u64 = 100;

fn main() -> ExitCode {
    let Some(Asked { histories, seed, play }) = asked(std::env::args().skip(1)) else {
        eprintln!("usage: simulate --histories N [--seed S] [--break RULE, in a build with switches]");
        return ExitCode::from(2);
    };
    let began = cpu_s();
    let shown = Mutex::new(0);
    let summary = play_all(seed..seed.saturating_add(histories), play, |so_far| {
        tell(so_far, &shown, histories);
        true
    });
    println!("{}", summary.details());
    let per_s = summary.histories as f64 / (cpu_s() - began).max(0.001);
    println!("{per_s:.1} histories per CPU second");
    println!("exempt edits: {:.2} % (at most 1)", summary.exempt_percent());
    println!("{}", summary.line());
    let is_good = summary.failed.is_empty() && summary.exempt_percent() <= 1.0;
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell(so_far: &Summary, shown: &Mutex<usize>, histories: u64) {
    let Ok(mut shown) = shown.lock() else { return };
    for failed in so_far.failed.iter().skip(*shown).take(SHOWN.saturating_sub(*shown)) {
        eprintln!("{}", failed.report());
        *shown += 1;
    }
    if so_far.histories.is_multiple_of(EVERY) {
        eprintln!("{} of {histories}, {} not clean", so_far.histories, so_far.failed.len());
    }
}

type Play = Box<dyn Fn(u64) -> Outcome + Sync>;

struct Asked {
    histories: u64,
    seed: u64,
    play: Play,
}

fn asked(mut words: impl Iterator<Item = String>) -> Option<Asked> {
    let (mut histories, mut seed, mut plays): (_, _, Play) = (None, 1, Box::new(play));
    while let Some(word) = words.next() {
        let value = words.next()?;
        match word.as_str() {
            "--histories" => histories = Some(value.parse().ok()?),
            "--seed" => seed = value.parse().ok()?,
            "--break" => plays = broken(&value)?,
            _ => return None,
        }
    }
    Some(Asked { histories: histories?, seed, play: plays })
}

#[cfg(feature = "switches")]
fn broken(rule: &str) -> Option<Play> {
    let bug = planted::Bug::ALL.into_iter().find(|bug| format!("{bug:?}") == rule)?;
    Some(Box::new(move |seed| tests::history::play_broken(bug, seed)))
}

#[cfg(not(feature = "switches"))]
fn broken(_: &str) -> Option<Play> {
    None
}

/// CPU time of this process so far, in seconds.
fn cpu_s() -> f64 {
    // utime and stime are the 14th and 15th fields; the name before them may hold spaces.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
