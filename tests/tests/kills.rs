//! Worlds whose deskup is killed again and again: around requests and between them, in the backfill and while
//! people edit. Both services remember what they answered, deskup what it wrote, and nothing else survives.

#![expect(clippy::print_stdout, reason = "a suite says what it compared")]

use tests::compare;
use tests::expect::{Faults, nothing_wrong};
use tests::seeds::{self, Replay};
use tests::whole::{Kill, Ran, Scratch, process, run};
use world::{TrapAt, WorldFaults, WorldOptions};

const TICKETS: usize = 80;
const EDITS: usize = 50;
/// How often each world is killed.
const KILLS: usize = 20;
/// Requests by which a process has looked around: nothing is written before.
const PREPARED: u64 = 30;

const REPLAY: Replay = Replay { suite: "kills", test: "one_seed", tickets: TICKETS, edits: EDITS };

/// How the next process ends: the first ones in the backfill, the later ones soon after they began to work.
fn draw(random: &mut fastrand::Rng, kills: usize) -> Kill {
    let requests = match (random.u32(0..10), kills) {
        (0, _) => random.u64(1..PREPARED),
        (_, 0..6) => PREPARED + random.u64(1..120),
        _ => PREPARED + random.u64(1..35),
    };
    match random.u32(0..5) {
        0 | 1 => Kill::Around(requests, TrapAt::Before),
        2 | 3 => Kill::Around(requests, TrapAt::After),
        _ => Kill::AtMs(random.u64(500..60_000)),
    }
}

/// A world that is killed, and how many processes it took; some come to the end before their time.
fn killed(options: &WorldOptions) -> anyhow::Result<(Ran, usize)> {
    let mut random = fastrand::Rng::with_seed(options.seed ^ 0x6b11);
    let (mut kills, mut processes) = (0, 0);
    while kills < KILLS {
        anyhow::ensure!(processes < 3 * KILLS, "killed only {kills} times");
        processes += 1;
        kills += usize::from(process(options, Some(draw(&mut random, kills)))?.is_none());
    }
    let ran = process(options, None)?.ok_or_else(|| anyhow::anyhow!("nobody killed this one"))?;
    Ok((ran, processes))
}

fn options(seed: u64, scratch: &Scratch) -> WorldOptions {
    WorldOptions {
        tickets: TICKETS,
        edits: EDITS,
        seed,
        dir: Some(scratch.path().to_owned()),
        ..WorldOptions::default()
    }
}

/// The same verdict as without kills; and what nobody else edited ends as it would have.
fn one(seed: u64, name: &str) -> Vec<String> {
    let scratch = Scratch::new(&format!("kills-{name}-{seed}"));
    let options = options(seed, &scratch);
    let (ran, processes) = match killed(&options) {
        Ok(killed) => killed,
        Err(error) => return vec![format!("{error:?}")],
    };
    let mut faults = Faults::of(&ran);
    let calm = run(WorldOptions { dir: None, ..options }).expect("a world in memory");
    let (differences, compared) = compare::ends(&ran, &calm);
    faults.unless(compared >= EDITS / 10, || format!("only {compared} edits could be compared"));
    println!("seed {seed}: {KILLS} of {processes} processes killed, {compared} edits compared");
    let mut lines = faults.into_lines();
    lines.extend(differences);
    lines
}

fn play(seeds: impl IntoIterator<Item = u64>, name: &str) {
    let mut wrong = Vec::new();
    for seed in seeds {
        wrong.extend(REPLAY.report(seed, one(seed, name)));
    }
    nothing_wrong(&wrong);
}

#[test]
fn killed_twenty_times_first_half() {
    play(1..=5, "first");
}

#[test]
fn killed_twenty_times_second_half() {
    play(6..=10, "second");
}

#[test]
fn killed_twenty_times_at_random() {
    let seeds = seeds::random(2);
    println!("seeds {seeds:?}");
    play(seeds, "random");
}

/// For a person who plays one seed again.
#[test]
fn one_seed() {
    play([seeds::asked().unwrap_or(1)], "one");
}

/// A bad day and kills at once: then a reply is lost and nobody is left to wonder.
#[test]
fn killed_on_a_bad_day() {
    let mut wrong = Vec::new();
    for seed in 21..=23 {
        let scratch = Scratch::new(&format!("kills-rough-{seed}"));
        let options = WorldOptions { faults: WorldFaults::rough(), ..options(seed, &scratch) };
        let faults = match killed(&options) {
            Ok((ran, _)) => Faults::of(&ran).into_lines(),
            Err(error) => vec![format!("{error:?}")],
        };
        wrong.extend(faults.into_iter().map(|line| format!("seed {seed}: {line}")));
    }
    nothing_wrong(&wrong);
}
