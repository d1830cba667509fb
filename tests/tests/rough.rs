//! Worlds in which much goes wrong: requests and replies are lost, services refuse, the table throttles,
//! webhooks come twice, late, in another order, or never. Nothing may be lost and nothing done twice.

use stores::FaultPlan;
use tests::expect::{Faults, nothing_wrong};
use tests::whole::{Ran, run_with};
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

/// Plays seeds in this weather and gives back what they came to.
fn play(weather: &Weather, seeds: impl IntoIterator<Item = u64>) -> Vec<Ran> {
    let mut wrong = Vec::new();
    let mut all = Vec::new();
    for seed in seeds {
        match run_with(options(seed, weather.faults.clone()), (weather.store)(seed)) {
            Ok(ran) => {
                let faults = Faults::of(&ran).into_lines();
                wrong.extend(faults.into_iter().map(|line| format!("{}, seed {seed}: {line}", weather.name)));
                all.push(ran);
            }
            Err(error) => wrong.push(format!("{}, seed {seed}: {error:?}", weather.name)),
        }
    }
    nothing_wrong(&wrong);
    all
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
