//! Whole worlds on a calm day: everything arrives, nothing breaks, people edit on both sides.

use stores::FaultPlan;
use tests::expect::{Faults, nothing_wrong};
use tests::seeds::{self, Replay};
use tests::whole::{Stage, on_paused_clock, run};
use world::{Silent, WorldOptions};

const TICKETS: usize = 60;
const EDITS: usize = 60;

const REPLAY: Replay = Replay { suite: "flows", test: "one_seed", tickets: TICKETS, edits: EDITS };

fn play(seeds: impl IntoIterator<Item = u64>) {
    let mut wrong = Vec::new();
    for seed in seeds {
        let options = WorldOptions { tickets: TICKETS, edits: EDITS, seed, ..WorldOptions::default() };
        let faults = match run(options) {
            Ok(ran) => Faults::of_calm(&ran).into_lines(),
            Err(error) => vec![format!("{error:?}")],
        };
        wrong.extend(REPLAY.report(seed, faults));
    }
    nothing_wrong(&wrong);
}

#[test]
fn fixed_seeds_first_half() {
    play(1..=10);
}

#[test]
fn fixed_seeds_second_half() {
    play(11..=20);
}

#[test]
fn random_seeds() {
    let seeds = seeds::random(5);
    println!("seeds {seeds:?}");
    play(seeds);
}

/// For a person who plays one seed again.
#[test]
fn one_seed() {
    play([seeds::asked().unwrap_or(1)]);
}

#[test]
fn more_tickets_than_a_page_cost_as_little_as_they_can() {
    let options = WorldOptions { tickets: 1_200, edits: 0, seed: 7, ..WorldOptions::default() };
    let ran = run(options).expect("a world in memory");
    nothing_wrong(&Faults::of_calm(&ran).into_lines());
}

/// The mapping lets notes into ClickUp; then a guest is invited to three lists, and their tasks get none.
#[test]
fn internal_notes_reach_lists_without_guests_and_no_others_where_the_mapping_wants_them() {
    let mut wrong = Vec::new();
    let mut kept_out = 0;
    for seed in 1..=4 {
        let options = WorldOptions {
            tickets: TICKETS,
            edits: EDITS,
            seed,
            internal_notes: true,
            ..WorldOptions::default()
        };
        let ran = on_paused_clock(async {
            let stage = Stage::open(options, FaultPlan::none()).expect("a world in memory");
            stage.world.seed(&Silent).expect("a world in memory");
            (0..3).for_each(|list| stage.invite_guest(list));
            stage.run().await.expect("it comes to rest")
        });
        kept_out += ran.details.classes().get("not_wanted").copied().unwrap_or(0);
        let faults = Faults::of_calm(&ran).into_lines();
        wrong.extend(faults.into_iter().map(|line| format!("seed {seed}: {line}")));
    }
    nothing_wrong(&wrong);
    assert!(kept_out > 0, "some notes belong to lists that a guest can see");
}
