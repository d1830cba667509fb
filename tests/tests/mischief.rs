//! People copy tasks, recurring tasks copy markers, footers are deleted, tasks are moved and archived, also in
//! the middle of a create whose reply is lost. Nothing of theirs is ever adopted, archived or edited.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::ConflictCause;
use simulators::Change;
use tests::expect::{Faults, nothing_wrong};
use tests::meddle::{Meddled, Meddler, Meddlers, Reply, Trick};
use tests::whole::{Kill, Ran, Scratch, Stage, on_paused_clock, process, run};
use world::{Instance, InstanceOptions, Silent, TrapAt, WorldFaults, WorldOptions};

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

/// What is done to a task before deskup hears of it: every trick alone, and the mixtures that hurt. A recurring
/// copy whose original loses its marker is left out: nothing tells the two apart.
const MIXTURES: [&[Trick]; 22] = [
    &[],
    &[Trick::Move],
    &[Trick::MoveOut],
    &[Trick::Archive],
    &[Trick::NoFooter],
    &[Trick::Delete],
    &[Trick::Title],
    &[Trick::Status],
    &[Trick::Describe],
    &[Trick::Duplicate],
    &[Trick::Recur],
    &[Trick::Move, Trick::Archive],
    &[Trick::MoveOut, Trick::Archive],
    &[Trick::Move, Trick::NoFooter],
    &[Trick::Archive, Trick::NoFooter],
    &[Trick::Title, Trick::Status, Trick::Describe],
    &[Trick::NoFooter, Trick::Title],
    &[Trick::Duplicate, Trick::Archive],
    &[Trick::Duplicate, Trick::NoFooter],
    &[Trick::Duplicate, Trick::Delete],
    &[Trick::Recur, Trick::Title, Trick::Move],
    &[Trick::MoveOut, Trick::Title],
];

/// Whether deskup can know a task for its own whose reply was lost. An archived one is listed by its list only,
/// and those outside of the mapping are not asked: then it depends on whether a webhook told of the task.
fn is_known(tricks: &[Trick], told: bool) -> Option<bool> {
    let has = |trick| tricks.contains(&trick);
    if has(Trick::Delete) || has(Trick::NoFooter) {
        return Some(false);
    }
    (told || !has(Trick::MoveOut) || !has(Trick::Archive)).then_some(true)
}

/// Each ticket has one link: to the task that people got at, or to a second one where nothing tells any more that
/// the first is deskup's; that one is not touched again.
fn fates(ran: &Ran, done: &BTreeMap<u64, Meddled>, told: bool) -> Vec<String> {
    let me = ran.testimony.rules.clickup_sync;
    let mut wrong = Vec::new();
    let mut seconds = 0;
    for (ticket, Meddled { task, tricks, reply }) in done {
        let link = ran.testimony.kept.links.iter().find(|(id, _)| id.get() == *ticket);
        let Some((_, link)) = link else {
            wrong.push(format!("ticket {ticket} is lost after {tricks:?}"));
            continue;
        };
        let kept = link.task.as_str() == task;
        let expected = if *reply == Reply::Late { Some(true) } else { is_known(tricks, told) };
        if expected.is_some_and(|expected| expected != kept) {
            wrong.push(format!("ticket {ticket}, {reply:?} {tricks:?}: the first task is linked: {kept}"));
        }
        if kept {
            continue;
        }
        seconds += 1;
        let changes = ran.testimony.clickup_changes.iter();
        let ours = changes.filter(|change| change.record == *task && change.actor == me);
        wrong.extend(ours.filter(|change| change.field != "created").map(|change| {
            format!("ticket {ticket}, {tricks:?}: deskup changed {} of the orphan {task}", change.field)
        }));
    }
    if ran.verdict.twins_seen != seconds {
        wrong.push(format!("{} second creates, {seconds} were needed", ran.verdict.twins_seen));
    }
    wrong
}

fn nothing_else_wrong(ran: &Ran) -> Vec<String> {
    let (_, touched) = copies_touched(ran);
    Faults::of(ran).into_lines().into_iter().chain(touched).collect()
}

/// A world whose people are at every new task at once, and its meddler.
fn meddled(
    options: WorldOptions,
    plan: impl Fn(usize) -> (Vec<Trick>, Reply) + Send + Sync + 'static,
) -> (Stage, Arc<Meddler>) {
    let stage = Stage::open(options, stores::FaultPlan::none()).expect("a world in memory");
    stage.world.seed(&Silent).expect("a world in memory");
    let mut options = InstanceOptions::of(&stage.world, stage.store.clone());
    let meddler = Meddler::new(options.transport, Meddlers::of(&stage.world), Box::new(plan));
    options.transport = meddler.clone();
    (Stage { deskup: Instance::new(options), ..stage }, meddler)
}

#[test]
fn between_a_create_and_its_reply() {
    let mut wrong = Vec::new();
    for seed in 1..=3 {
        let (ran, done) = on_paused_clock(async {
            let options = WorldOptions { mischief: 0, edits: 15, ..options(seed) };
            let (stage, meddler) = meddled(options, |n| {
                let reply = if n / MIXTURES.len() == 1 { Reply::Late } else { Reply::Lost };
                (MIXTURES[n % MIXTURES.len()].to_vec(), reply)
            });
            (stage.run().await.expect("it comes to rest"), meddler.done())
        });
        assert!(done.len() >= 2 * MIXTURES.len(), "people got at only {} tasks", done.len());
        let lines = fates(&ran, &done, true).into_iter().chain(nothing_else_wrong(&ran));
        wrong.extend(lines.map(|line| format!("seed {seed}: {line}")));
    }
    nothing_wrong(&wrong);
}

/// deskup dies while all its creates are under way; before it is back, people are at the tasks.
#[test]
fn in_the_middle_of_a_create() {
    let mut wrong = Vec::new();
    let mut pranks = 0;
    for seed in 1..=6 {
        let scratch = Scratch::new(&format!("mischief-{seed}"));
        let options =
            WorldOptions { dir: Some(scratch.path().to_owned()), mischief: 0, edits: 15, ..options(seed) };
        let killed =
            process(&options, Some(Kill::Around(AMONG_CREATES, TrapAt::After))).expect("the world's files");
        assert!(killed.is_none(), "it is killed among its creates");
        let (done, ran) = on_paused_clock(async {
            let stage = Stage::open(options, stores::FaultPlan::none()).expect("the world's files");
            let done = on_every_task(&stage, seed as usize).await;
            (done, stage.run().await)
        });
        assert!(done.len() > 10, "only {} tasks were there to play with", done.len());
        pranks += done.len();
        let ran = ran.expect("it comes to rest");
        let lines = fates(&ran, &done, false).into_iter().chain(nothing_else_wrong(&ran));
        wrong.extend(lines.map(|line| format!("seed {seed}: {line}")));
    }
    nothing_wrong(&wrong);
    assert!(pranks > 3 * MIXTURES.len(), "only {pranks} tasks were there to play with");
}

/// Plays the mixtures on the tasks that are there. The reply of those that are linked had arrived.
async fn on_every_task(stage: &Stage, first: usize) -> BTreeMap<u64, Meddled> {
    let people = Meddlers::of(&stage.world);
    let linked: BTreeSet<String> = stage.pairs().await.into_iter().map(|(_, task)| task).collect();
    let mut done = BTreeMap::new();
    for (number, task) in stage.world.clickup().tasks().iter().enumerate() {
        let id = task["id"].as_str().expect("a task has an id").to_owned();
        let text = task["description"].as_str().expect("a task has a description");
        let marker = domain::footer::parse(text).expect("deskup made it");
        let tricks = MIXTURES[(first * 5 + number) % MIXTURES.len()].to_vec();
        people.play(&id, &tricks).await;
        let reply = if linked.contains(&id) { Reply::Late } else { Reply::Lost };
        done.insert(marker.ticket.get(), Meddled { task: id, tricks, reply });
    }
    done
}

/// Lists show new tasks later than deskup waits for them, and no webhook tells of any: then it makes a second
/// one. When the first shows up it is archived, unless people touched it; then it stays, and they are told.
#[test]
fn a_second_task_is_archived_unless_people_touched_it() {
    const TOUCHES: [&[Trick]; 5] =
        [&[], &[Trick::Title], &[Trick::Status], &[Trick::Move], &[Trick::Describe]];
    let (ran, done) = on_paused_clock(async {
        let faults = WorldFaults {
            webhook_drop: 1.0,
            visibility_delay_ms: (90_000, 90_000),
            ..WorldFaults::default()
        };
        let options = WorldOptions { tickets: 20, edits: 0, mischief: 0, faults, ..options(3) };
        let (stage, meddler) = meddled(options, |n| (TOUCHES[n % TOUCHES.len()].to_vec(), Reply::Lost));
        (stage.run().await.expect("it comes to rest"), meddler.done())
    });
    assert_eq!((done.len(), ran.verdict.twins_seen), (20, 20), "every first task was out of sight");
    let me = ran.testimony.rules.clickup_sync;
    let mut wrong = Vec::new();
    for (ticket, Meddled { task, tricks, .. }) in &done {
        let changes = ran.testimony.clickup_changes.iter();
        let ours: Vec<&str> = changes
            .filter(|change| change.record == *task && change.actor == me && change.field != "created")
            .map(|change| change.field.as_str())
            .collect();
        let listed = ran
            .testimony
            .kept
            .conflicts
            .iter()
            .any(|row| row.ticket.get() == *ticket && row.conflict.cause == ConflictCause::Twin);
        let expected = if tricks.is_empty() { (vec!["archived"], false) } else { (vec!["comment"], true) };
        if (ours.clone(), listed) != expected {
            wrong.push(format!("{tricks:?}: deskup changed {ours:?}, listed: {listed}"));
        }
    }
    let faults = nothing_else_wrong(&ran).into_iter();
    // What is done to twins answers nobody's edit.
    wrong.extend(faults.filter(|line| !line.starts_with("written without cause")));
    nothing_wrong(&wrong);
}

/// The same, but webhooks arrive: then the probe knows where to look, and makes no second task.
#[test]
fn a_webhook_tells_the_probe_of_a_task_that_no_list_shows_yet() {
    let ran = on_paused_clock(async {
        let faults = WorldFaults { visibility_delay_ms: (90_000, 90_000), ..WorldFaults::default() };
        let options = WorldOptions { tickets: 20, edits: 10, mischief: 0, faults, ..options(3) };
        let (stage, _) = meddled(options, |_| (Vec::new(), Reply::Lost));
        stage.run().await.expect("it comes to rest")
    });
    nothing_wrong(&Faults::of_calm(&ran).into_lines());
}
