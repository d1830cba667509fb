//! Worlds in which much goes wrong: requests and replies are lost, services refuse, the table throttles,
//! webhooks come twice, late, in another order, or never. Nothing may be lost and nothing done twice.

use stores::FaultPlan;
use tests::expect::{Faults, nothing_wrong};
use tests::planted;
use tests::whole::{Ran, Wrap, bare, run_over};
use world::{WorldFaults, WorldOptions};

/// A kind of bad day.
struct Weather {
    name: &'static str,
    faults: WorldFaults,
    /// Whether the table has faults too.
    store: fn(u64) -> FaultPlan,
}

fn calm_store(_seed: u64) -> FaultPlan {
    FaultPlan::none()
}

fn options(seed: u64, faults: WorldFaults) -> WorldOptions {
    WorldOptions { tickets: 40, edits: 60, seed, faults, ..WorldOptions::default() }
}

/// What is wrong with one world in this weather, and what it came to.
fn check(weather: &Weather, seed: u64, wrap: Wrap) -> (Vec<String>, Option<Ran>) {
    match run_over(options(seed, weather.faults.clone()), (weather.store)(seed), wrap) {
        Ok(ran) => (Faults::of(&ran).into_lines(), Some(ran)),
        Err(error) => (vec![format!("{error:?}")], None),
    }
}

/// Plays seeds in this weather and gives back what they came to.
fn play(weather: &Weather, seeds: impl IntoIterator<Item = u64>) -> Vec<Ran> {
    let mut wrong = Vec::new();
    let mut all = Vec::new();
    for seed in seeds {
        let (faults, ran) = check(weather, seed, bare);
        wrong.extend(faults.into_iter().map(|line| format!("{}, seed {seed}: {line}", weather.name)));
        all.extend(ran);
    }
    nothing_wrong(&wrong);
    all
}

/// What the check says when something is planted between deskup and the wire.
fn finds(weather: &Weather, wrap: Wrap, kinds: &[&str]) {
    let (lines, _) = check(weather, 1, wrap);
    for kind in kinds {
        assert!(lines.iter().any(|line| line.starts_with(kind)), "nothing {kind:?} in\n{}", lines.join("\n"));
    }
}

#[test]
fn requests_and_replies_are_lost_and_services_refuse() {
    let faults = WorldFaults::rough();
    let all = play(&Weather { name: "rough", faults, store: calm_store }, 1..=6);
    let unprovable: u64 = all.iter().map(|ran| ran.verdict.unprovable).sum();
    assert_eq!(unprovable, 0, "every webhook is delivered on this day");
}

#[test]
fn webhooks_are_never_delivered_and_cursors_tell() {
    let faults = WorldFaults { webhook_drop: 1.0, ..WorldFaults::default() };
    let all = play(&Weather { name: "no webhooks", faults, store: calm_store }, 1..=3);
    let mirrored = |ran: &Ran| {
        ran.details.judged.iter().filter(|judged| judged.fate == world::judge::edits::Fate::Mirrored).count()
    };
    assert!(all.iter().all(|ran| mirrored(ran) > 20), "people's edits reach the other side all the same");
}

#[test]
fn some_webhooks_are_dropped() {
    let faults = WorldFaults { webhook_drop: 0.3, ..WorldFaults::default() };
    play(&Weather { name: "drops", faults, store: calm_store }, 11..=15);
}

#[test]
fn the_table_throttles_and_loses_replies() {
    let faults = WorldFaults::default();
    play(&Weather { name: "table", faults, store: FaultPlan::hostile }, 1..=5);
}

#[test]
fn deliveries_come_twice_and_in_another_order() {
    let faults =
        WorldFaults { webhook_duplicate: 0.6, webhook_delay_ms: (50, 40_000), ..WorldFaults::default() };
    let all = play(&Weather { name: "order", faults, store: calm_store }, 1..=6);
    let unprovable: u64 = all.iter().map(|ran| ran.verdict.unprovable).sum();
    assert_eq!(unprovable, 0, "every webhook is delivered on this day");
}

#[test]
fn everything_at_once() {
    let faults = WorldFaults { webhook_drop: 0.1, ..WorldFaults::rough() };
    play(&Weather { name: "everything", faults, store: FaultPlan::hostile }, 31..=34);
}

#[test]
fn the_check_finds_a_write_that_is_swallowed() {
    let weather = Weather { name: "swallowed", faults: WorldFaults::default(), store: calm_store };
    finds(&weather, planted::swallowing, &["lost"]);
}

#[test]
fn the_check_finds_a_cursor_that_steps_over_what_moved() {
    let faults = WorldFaults { webhook_drop: 1.0, ..WorldFaults::default() };
    let weather = Weather { name: "skipped", faults, store: calm_store };
    finds(&weather, planted::skipping, &["converged", "differs", "lost"]);
}
