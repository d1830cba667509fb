//! Conflicts of random worlds, each applied one way or the other.

use domain::Side;
use stores::FaultPlan;
use stores::conflicts::{ConflictRow, ConflictState};
use tests::expect::{Faults, nothing_wrong};
use tests::hands::minutes;
use tests::seeds;
use tests::whole::{Ran, Stage, on_paused_clock};
use world::{KeptConflict, WorldOptions};

use crate::desk::{again, ask, open_conflicts};

/// In any world, each open conflict can be applied either way: then both sides hold the value, or it is said why
/// not; and afterwards deskup is silent.
#[test]
fn every_conflict_of_random_worlds_is_applied_or_answered() {
    let mut wrong = Vec::new();
    let mut applied = 0;
    for seed in seeds::random(6) {
        let (faults, count) = on_paused_clock(apply_all(seed));
        applied += count;
        let replay =
            seeds::Replay { suite: "daily", test: "every_conflict_of_random", tickets: 40, edits: 90 };
        wrong.extend(replay.report(seed, faults.into_lines()));
    }
    nothing_wrong(&wrong);
    assert!(applied > 0, "no world had a conflict that could be applied");
}

async fn apply_all(seed: u64) -> (Faults, usize) {
    let stage = Stage::open(
        WorldOptions { tickets: 40, edits: 90, seed, ..WorldOptions::default() },
        FaultPlan::none(),
    )
    .expect("a world in memory");
    stage.settle_in().await.expect("it comes to rest");
    stage.world.play(&world::Silent).await.expect("people edit");
    minutes(20).await;
    let mut random = fastrand::Rng::with_seed(seed);
    let rows = open_conflicts(&stage).await;
    for row in &rows {
        ask(&stage, row, if random.bool() { Side::Zendesk } else { Side::Clickup }).await;
    }
    minutes(20).await;
    let mut settled = Vec::new();
    let mut unanswered = Vec::new();
    for row in &rows {
        let row = again(&stage, row).await;
        match (row.state, &row.answer, &row.ask) {
            (ConflictState::Applied, ..) => settled.push(row),
            (ConflictState::Open, Some(_), None) => {}
            _ => unanswered.push(format!("conflict {} of ticket {} is {:?}", row.id, row.ticket, row.state)),
        }
    }
    let before = stage.sync_changes();
    minutes(60).await;
    let after = stage.sync_changes();
    let ran = finish(&stage, &settled).await;
    let mut faults = Faults::default();
    for line in Faults::of(&ran).into_lines().into_iter().filter(|line| !asked_for(line, &ran, &settled)) {
        faults.unless(false, || line);
    }
    for line in unanswered {
        faults.unless(false, || line);
    }
    faults.unless(before == after, || format!("{} writes after all was applied", after - before));
    (faults, settled.len())
}

/// The verdict, where conflicts that a person settled still tell of the values that were not chosen.
async fn finish(stage: &Stage, settled: &[ConflictRow]) -> Ran {
    let ran = stage.finish().await.expect("it comes to rest");
    let mut testimony = ran.testimony;
    testimony.kept.conflicts.extend(settled.iter().map(|row| KeptConflict {
        ticket: row.ticket,
        at_ms: row.at_ms,
        conflict: row.conflict.clone(),
    }));
    let (verdict, details) = world::judge::judge(&testimony);
    Ran { verdict, details, testimony }
}

/// Whether the judge found a value written once more that a person asked for: it does not know of persons.
fn asked_for(line: &str, ran: &Ran, settled: &[ConflictRow]) -> bool {
    let Some(rest) = line.strip_prefix("written twice: ") else { return false };
    let id = rest.split(':').next().unwrap_or_default();
    ran.details.judged.iter().filter(|judged| judged.edit.id == id).any(|judged| {
        settled.iter().any(|row| {
            row.ticket.to_string() == judged.edit.ticket
                && row.conflict.field.to_string() == judged.edit.field.key()
        })
    })
}
