//! Each rule that keeps both sides in step is broken once, with all other faults on: the simulation has to find it, and
//! the same seed has to be clean while the rule holds.

#![expect(clippy::print_stdout, reason = "says which seed finds what by now")]

use ::planted::Bug;
use tests::cursors::{self, Poll};
use tests::history::{play, play_broken};
use tests::summary::play_all;

/// A broken rule is found within so many histories.
const WITHIN: u64 = 1_000;

/// A seed that has found each.
const FIRST: [(Bug, u64); 16] = [
    (Bug::ProbeSkipped, 6),
    (Bug::MarkerLeftOut, 15),
    (Bug::CopiedMarkerBelieved, 1),
    (Bug::OwnLateMirrored, 41),
    (Bug::LastWriterWins, 2),
    (Bug::EchoByTimestamp, 1),
    (Bug::FenceNotChecked, 2),
    (Bug::WorkRowDeleted, 152),
    (Bug::RepeatsEverything, 6),
    (Bug::CopiesNotLookedFor, 6),
    (Bug::OverwrittenNotKept, 4),
    (Bug::AuditIgnored, 884),
    (Bug::InternalIsPublic, 1),
    (Bug::RefreshAlone, 1),
    (Bug::RetryInside, 1),
    (Bug::JobResultIgnored, 23),
];

/// What polls that are cut short at each of their requests find, and in which of them. Histories have not found the last one.
const FOUND_BY_POLLS: [(Bug, &[Poll]); 2] =
    [(Bug::CursorFirst, &Poll::ALL), (Bug::CursorByTime, &[Poll::Tickets])];

/// What a thousand histories have not found: whatever else guards the same thing is in the way.
const NOT_FOUND_YET: [Bug; 3] = [Bug::NormalFormOfLaterRead, Bug::DedupFirst, Bug::BlockKept];

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
    let by_polls = FOUND_BY_POLLS.iter().map(|(bug, _)| *bug);
    let mut all: Vec<Bug> = FIRST.iter().map(|(bug, _)| *bug).chain(by_polls).chain(NOT_FOUND_YET).collect();
    all.sort();
    assert_eq!(all, Bug::ALL);
    let wrong: Vec<String> = FIRST.iter().filter_map(|(bug, first)| is_found(*bug, *first).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_cursor_that_passes_too_much_is_found_in_each_poll_that_has_it() {
    for (bug, polls) in FOUND_BY_POLLS {
        let lost = ::planted::with(Some(bug), || cursors::play(7)).lost;
        for poll in polls {
            let found = lost.iter().any(|line| line.starts_with(&format!("{poll:?}: ")));
            assert!(found, "{bug:?} in {poll:?} is not found among {lost:?}");
        }
    }
    assert_eq!(cursors::play(7).lost, Vec::<String>::new(), "with nothing broken");
}
