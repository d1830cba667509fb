//! People copy tasks, recurring tasks copy markers, footers are deleted, tasks are moved and archived, also in
//! the middle of a create whose reply is lost. Nothing of theirs is ever adopted, archived or edited.

use simulators::Change;
use tests::expect::{Faults, nothing_wrong};
use tests::whole::{Kill, Ran, Scratch, Stage, on_paused_clock, process, run};
use world::{TrapAt, WorldFaults, WorldOptions};

/// Pieces of mischief in each world: every trick a few times.
const PRANKS: usize = 30;

/// A request in the middle of fifty creates: deskup has looked around, and read every ticket's comments.
const AMONG_CREATES: u64 = 115;

fn options(seed: u64) -> WorldOptions {
    WorldOptions { tickets: 50, edits: 40, seed, mischief: PRANKS, ..WorldOptions::default() }
}

/// Tasks that people or the service made, and what deskup did to them.
fn copies_touched(ran: &Ran) -> (usize, Vec<String>) {
    let changes = &ran.testimony.clickup_changes;
    let me = ran.testimony.rules.clickup_sync;
    let is_copy = |change: &&Change| {
        change.field == "created" && (change.actor != me || change.after.get("copy_of").is_some())
    };
    let copies: Vec<&str> = changes.iter().filter(is_copy).map(|change| change.record.as_str()).collect();
    let touched = changes
        .iter()
        .filter(|change| {
            change.actor == me && change.field != "created" && copies.contains(&change.record.as_str())
        })
        .map(|change| format!("deskup changed {} of the copy {}", change.field, change.record))
        .collect();
    (copies.len(), touched)
}

fn check(name: &str, seed: u64, ran: anyhow::Result<Ran>) -> Vec<String> {
    let ran = match ran {
        Ok(ran) => ran,
        Err(error) => return vec![format!("{name}, seed {seed}: {error:?}")],
    };
    let (copies, touched) = copies_touched(&ran);
    let mut faults = Faults::of(&ran);
    faults.unless(copies >= PRANKS / 4, || {
        format!("only {copies} copies were made: the pranks did not come off")
    });
    let lines = faults.into_lines().into_iter().chain(touched);
    lines.map(|line| format!("{name}, seed {seed}: {line}")).collect()
}

#[test]
fn copies_and_recurring_tasks_stay_what_they_are() {
    let wrong: Vec<String> = (1..=6).flat_map(|seed| check("calm", seed, run(options(seed)))).collect();
    nothing_wrong(&wrong);
}

#[test]
fn also_when_replies_are_lost_and_markers_are_looked_for() {
    let faults = WorldFaults { lose_reply: 0.08, lose_request: 0.04, ..WorldFaults::rough() };
    let wrong: Vec<String> = (11..=15)
        .flat_map(|seed| check("rough", seed, run(WorldOptions { faults: faults.clone(), ..options(seed) })))
        .collect();
    nothing_wrong(&wrong);
}

/// deskup dies while all its creates are under way; before it is back, people copy, move and archive the tasks.
#[test]
fn in_the_middle_of_a_create() {
    let mut wrong = Vec::new();
    for seed in 1..=4 {
        let scratch = Scratch::new(&format!("mischief-{seed}"));
        let options = WorldOptions { dir: Some(scratch.path().to_owned()), mischief: 0, ..options(seed) };
        let killed =
            process(&options, Some(Kill::Around(AMONG_CREATES, TrapAt::After))).expect("the world's files");
        assert!(killed.is_none(), "it is killed among its creates");
        let (pranks, ran) = on_paused_clock(async {
            let stage = Stage::open(options, stores::FaultPlan::none()).expect("the world's files");
            let pranks = on_every_task(&stage);
            (pranks, stage.run().await)
        });
        assert!(pranks > 10, "only {pranks} tasks were there to play with");
        let ran = ran.expect("it comes to rest");
        let mut faults = Faults::of(&ran);
        faults.unless(ran.verdict.tasks == ran.verdict.tickets, || format!("{} tasks", ran.verdict.tasks));
        let (_, touched) = copies_touched(&ran);
        let lines = faults.into_lines().into_iter().chain(touched);
        wrong.extend(lines.map(|line| format!("seed {seed}: {line}")));
    }
    nothing_wrong(&wrong);
}

/// Copies each task that nobody has linked yet, as a person, and lets it recur as deskup.
fn on_every_task(stage: &Stage) -> usize {
    let clickup = stage.world.clickup();
    let person = stage.world.scenario().cast.members().find_map(|member| member.clickup).expect("members");
    let me = stage.world.rules().clickup_sync;
    let tasks = clickup.tasks();
    for (number, task) in tasks.iter().enumerate() {
        let id = task["id"].as_str().expect("a task has an id");
        let done = match number % 2 {
            0 => clickup.duplicate_task(id, person, None),
            _ => clickup.recur_task(id, me, None),
        };
        done.expect("the task is there");
    }
    tasks.len()
}
