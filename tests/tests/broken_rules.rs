//! Each rule that keeps both sides in step is broken once, with all other faults on: the simulation has to find it, and
//! the same seed has to be clean while the rule holds.

use ::planted::Bug;
use tests::history::{play, play_all, play_broken};

/// A broken rule is found within so many histories.
const WITHIN: u64 = 1_000;

/// The first seed that has found each.
const FIRST: [(Bug, u64); 16] = [
    (Bug::ProbeSkipped, 1),
    (Bug::MarkerLeftOut, 1),
    (Bug::CopiedMarkerBelieved, 1),
    (Bug::FenceNotChecked, 1),
    (Bug::OwnLateMirrored, 1),
    (Bug::LastWriterWins, 1),
    (Bug::EchoByTimestamp, 1),
    (Bug::NormalFormOfLaterRead, 1),
    (Bug::CursorByTime, 1),
    (Bug::WorkRowDeleted, 1),
    (Bug::DedupFirst, 1),
    (Bug::RepeatsEverything, 1),
    (Bug::CopiesNotLookedFor, 1),
    (Bug::OverwrittenNotKept, 1),
    (Bug::AuditIgnored, 1),
    (Bug::InternalIsPublic, 1),
];

/// The first seed that finds it.
fn search(bug: Bug) -> Option<u64> {
    let summary = play_all(1..WITHIN + 1, |seed| play_broken(bug, seed), |so_far| so_far.failed.is_empty());
    summary.failed.iter().map(|failed| failed.seed).min()
}

fn is_found(bug: Bug, first: u64) -> Result<(), String> {
    let seed = if play_broken(bug, first).is_clean() {
        let seed = search(bug).ok_or_else(|| format!("{bug:?} is not found within {WITHIN} histories"))?;
        println!("{bug:?} is found by seed {seed} now, not by {first}");
        seed
    } else {
        first
    };
    let sound = play(seed);
    if sound.is_clean() { Ok(()) } else { Err(format!("with nothing broken: {}", sound.report())) }
}

#[test]
fn every_broken_rule_is_found() {
    assert_eq!(FIRST.map(|(bug, _)| bug), Bug::ALL);
    let wrong: Vec<String> = FIRST.iter().filter_map(|(bug, first)| is_found(*bug, *first).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
