//! The same seed gives the same trace, in another process too: every change of both services, every call of
//! deskup, every execution with its steps.

use std::process::Command;

use domain::field::sha256_hex;
use tests::whole::{Stage, on_paused_clock};
use world::{WorldFaults, WorldOptions};

/// Seeds that are played twice.
const SEEDS: u64 = 50;
/// Tells the test to play the seeds and print their traces.
const CHILD: &str = "DESKUP_TRACES";
/// What a line of the child begins with.
const MARK: &str = "trace ";

/// All that can be seen of a life, in one hash.
fn trace(seed: u64) -> String {
    // Every other world has a bad day: faults are drawn from the seed too.
    let faults = if seed.is_multiple_of(2) { WorldFaults::rough() } else { WorldFaults::default() };
    let options = WorldOptions { tickets: 10, edits: 12, seed, faults, ..WorldOptions::default() };
    on_paused_clock(async {
        let stage = Stage::open(options, stores::FaultPlan::none()).expect("a world in memory");
        let ran = stage.run().await.expect("it comes to rest");
        let executions = stage.store.executions().list(10_000).await.expect("the store can be read");
        assert!(executions.len() > 3, "the executions are part of the trace");
        let seen = format!(
            "{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
            ran.testimony.zendesk_changes,
            ran.testimony.clickup_changes,
            ran.verdict,
            ran.testimony.kept.conflicts,
            executions,
        );
        sha256_hex(seen.as_bytes())
    })
}

#[test]
fn fifty_seeds_give_the_same_traces_in_two_processes() {
    let here: Vec<String> = (1..=SEEDS).map(|seed| format!("{MARK}{seed} {}", trace(seed))).collect();
    if std::env::var(CHILD).is_ok() {
        println!("\n{}", here.join("\n"));
        return;
    }
    let program = std::env::current_exe().expect("a test knows itself");
    let output = Command::new(program)
        .args(["fifty_seeds", "--nocapture", "--test-threads", "1"])
        .env(CHILD, "1")
        .output()
        .expect("a test can be started again");
    let text = String::from_utf8_lossy(&output.stdout);
    let there: Vec<&str> = text.lines().filter(|line| line.starts_with(MARK)).collect();
    assert_eq!(here, there);
}

#[test]
fn other_seeds_give_other_traces() {
    assert_ne!(trace(1), trace(3));
}
