//! A cursor never passes a record whose work row is not written, wherever a poll is cut short.

use tests::cursors::{Poll, play};
use tests::seeds;

/// What a life must have seen at least of each poll, so that it says something.
const CRASHES_MIN: u64 = 15;

fn never_passes(seed: u64) {
    let seen = play(seed);
    assert!(seen.lost.is_empty(), "{}={seed}:\n{}", seeds::VARIABLE, seen.lost.join("\n"));
    for poll in Poll::ALL {
        let crashes = seen.crashes.get(&poll).copied().unwrap_or_default();
        assert!(crashes >= CRASHES_MIN, "seed {seed}: {poll:?} was cut short {crashes} times only");
    }
    assert!(seen.failed > 0, "seed {seed}: no poll failed over a bad table");
}

#[test]
fn a_cursor_never_passes_what_is_not_durable() {
    never_passes(7);
}

/// Seeds that nobody has chosen; `DESKUP_SEED` names one.
#[test]
fn nor_does_it_in_worlds_that_nobody_has_chosen() {
    seeds::random(2).into_iter().for_each(never_passes);
}
