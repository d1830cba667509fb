//! Worlds whose deskup is killed again and again: around requests and between them, in the backfill and while
//! people edit. Both services remember what they answered, deskup what it wrote, and nothing else survives.

#![expect(clippy::print_stdout, reason = "a suite says what it compared")]

use std::path::Path;

use tests::compare;
use tests::expect::{Faults, nothing_wrong};
use tests::planted;
use tests::seeds::{self, Replay};
use tests::whole::{Kill, Ran, Scratch, Wrap, bare, process_over, run};
use world::{TrapAt, WorldFaults, WorldOptions};

const TICKETS: usize = 80;
const EDITS: usize = 50;
/// How often each world is killed.
const KILLS: usize = 20;
/// Requests by which a process has looked around: nothing is written before.
const PREPARED: u64 = 30;
/// The first of these kills come in the backfill, the next one when people have begun, the rest while they edit.
const EARLY_KILLS: usize = 6;
/// Fields, tags and comments that must be the same in both lives, at least.
const COMPARED_MIN: usize = EDITS * 3 / 5;
/// The same where people begin while tasks are still looked for: then they edit other tickets than in a calm life.
const COMPARED_EARLY_MIN: usize = EDITS / 8;

const REPLAY: Replay = Replay { suite: "kills", test: "one_seed", tickets: TICKETS, edits: EDITS };

/// How a world lives, and what a test plants in it to see that the check finds it.
#[derive(Clone, Copy)]
struct Life {
    tickets: usize,
    edits: usize,
    kills: usize,
    /// Stands between deskup and the wire.
    wrap: Wrap,
    /// Is done to the world's directory after each kill.
    while_dead: fn(&Path),
}

/// Nothing is planted.
const HONEST: Life = Life { tickets: TICKETS, edits: EDITS, kills: KILLS, wrap: bare, while_dead: |_| () };

/// Small worlds in which something is: they die in the backfill, where most is under way.
const PLANTED: Life = Life { tickets: 40, edits: 10, kills: 4, ..HONEST };

/// How the next process ends: the first ones in the backfill, the later ones soon after they began to work.
fn draw(random: &mut fastrand::Rng, kills: usize) -> Kill {
    if kills == EARLY_KILLS {
        return Kill::AmongEdits(random.u64(0..20_000));
    }
    let requests = match (random.u32(0..10), kills) {
        (0, _) => random.u64(1..PREPARED),
        (_, 0..EARLY_KILLS) => PREPARED + random.u64(1..120),
        _ => PREPARED + random.u64(1..35),
    };
    match random.u32(0..5) {
        0 | 1 => Kill::Around(requests, TrapAt::Before),
        2 | 3 => Kill::Around(requests, TrapAt::After),
        _ => Kill::AtMs(random.u64(500..60_000)),
    }
}

/// A world that is killed, and how many processes it took; some come to the end before their time.
fn killed(options: &WorldOptions, life: Life) -> anyhow::Result<(Ran, usize)> {
    let mut random = fastrand::Rng::with_seed(options.seed ^ 0x6b11);
    let (mut kills, mut processes) = (0, 0);
    while kills < life.kills {
        anyhow::ensure!(processes < 3 * life.kills, "killed only {kills} times");
        processes += 1;
        if process_over(options, Some(draw(&mut random, kills)), life.wrap)?.is_none() {
            kills += 1;
            options.dir.as_deref().into_iter().for_each(life.while_dead);
        }
    }
    let ran = process_over(options, None, life.wrap)?;
    Ok((ran.ok_or_else(|| anyhow::anyhow!("nobody killed this one"))?, processes))
}

fn options(seed: u64, life: Life, scratch: &Scratch) -> WorldOptions {
    WorldOptions {
        tickets: life.tickets,
        edits: life.edits,
        seed,
        // In every other world people find all tasks when they begin.
        edits_once_linked: !seed.is_multiple_of(2),
        dir: Some(scratch.path().to_owned()),
        ..WorldOptions::default()
    }
}

/// The same verdict as without kills; and what nobody else edited ends as it would have.
fn one(seed: u64, life: Life, name: &str) -> Vec<String> {
    let scratch = Scratch::new(&format!("kills-{name}-{seed}"));
    let options = options(seed, life, &scratch);
    let (ran, processes) = match killed(&options, life) {
        Ok(killed) => killed,
        Err(error) => return vec![format!("{error:?}")],
    };
    let mut faults = Faults::of_told(&ran);
    let late = options.edits_once_linked;
    let calm = run(WorldOptions { dir: None, ..options }).expect("a world in memory");
    let (differences, compared) = compare::ends(&ran, &calm);
    let least = if late { COMPARED_MIN } else { COMPARED_EARLY_MIN };
    faults.unless(compared.total() >= least * life.edits / EDITS, || format!("only {compared:?}"));
    let edited = ran.testimony.marks.iter().filter(|mark| mark.phase == "edits").count();
    let (unprovable, refused) = (ran.verdict.unprovable, ran.testimony.refused.values().sum::<u32>());
    println!(
        "seed {seed}: {} of {processes} processes killed, {edited} saw people edit; {refused} webhooks refused, \
         {unprovable} unprovable; {compared:?}",
        life.kills
    );
    let mut lines = faults.into_lines();
    lines.extend(differences);
    lines
}

fn play(seeds: impl IntoIterator<Item = u64>, name: &str) {
    let mut wrong = Vec::new();
    for seed in seeds {
        wrong.extend(REPLAY.report(seed, one(seed, HONEST, name)));
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
        let options = WorldOptions { faults: WorldFaults::rough(), ..options(seed, HONEST, &scratch) };
        let faults = match killed(&options, HONEST) {
            Ok((ran, _)) => Faults::of_told(&ran).into_lines(),
            Err(error) => vec![format!("{error:?}")],
        };
        wrong.extend(faults.into_iter().map(|line| format!("seed {seed}: {line}")));
    }
    nothing_wrong(&wrong);
}

/// What the check says of a world with a planted fault.
fn finds(life: Life, name: &str, kinds: &[&str]) {
    let lines = one(1, life, name);
    for kind in kinds {
        assert!(lines.iter().any(|line| line.starts_with(kind)), "nothing {kind:?} in\n{}", lines.join("\n"));
    }
}

#[test]
fn the_check_is_content_with_a_small_world() {
    assert_eq!(one(1, PLANTED, "small"), Vec::<String>::new());
}

#[test]
fn the_check_finds_a_deskup_that_forgets_everything() {
    finds(Life { while_dead: planted::all_forgotten, ..PLANTED }, "forgets", &["duplicates", "second task"]);
}

#[test]
fn the_check_finds_a_deskup_that_takes_its_intents_for_deeds() {
    let life = Life { while_dead: planted::intents_taken_for_deeds, ..PLANTED };
    finds(life, "deeds", &["converged", "differs"]);
}

#[test]
fn the_check_finds_a_deskup_that_sends_its_creates_twice() {
    finds(Life { wrap: planted::twice, ..PLANTED }, "twice", &["duplicates", "second task"]);
}

#[test]
fn the_comparison_finds_every_kind_of_write_that_is_swallowed() {
    let life = Life { edits: EDITS, wrap: planted::swallowing, ..PLANTED };
    let lines = one(1, life, "swallowed").join("\n");
    for place in ["Field(Title)", "Tag(", "Comment("] {
        let found = lines.lines().any(|line| line.starts_with("ticket ") && line.contains(place));
        assert!(found, "no difference of {place:?} in\n{lines}");
    }
}
