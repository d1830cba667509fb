//! When many counterparts are gone at once, something is wrong that deskup cannot judge: it stops all lanes,
//! touches nothing more, and goes on when a person says so.

use std::time::Duration;

use serde_json::json;
use stores::switches::SwitchName;
use stores::tally::Tally;
use stores::{FaultPlan, Store};
use tests::expect::{Faults, nothing_wrong};
use tests::hands::minutes;
use tests::whole::{Stage, on_paused_clock};
use world::WorldOptions;
use world::people::act::Action;

/// Links that may go the same way before the brake is pulled.
const ALLOWED: usize = 20;

/// What a test plants in deskup's state to see that its check finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Planted {
    Nothing,
    /// What is counted is forgotten at once, as if any number were allowed.
    NothingCounts,
    /// The count is full before anything happened, as if none were allowed.
    AllCounted,
}

/// A world that has come to rest; then the fault is planted.
async fn stage(seed: u64, planted: Planted) -> Stage {
    let options = WorldOptions { tickets: 120, edits: 0, seed, ..WorldOptions::default() };
    let stage = Stage::open(options, FaultPlan::none()).expect("a world in memory");
    stage.settle_in().await.expect("it comes to rest");
    match planted {
        Planted::Nothing => {}
        Planted::NothingCounts => {
            tokio::spawn(forget(stage.store.clone()));
        }
        Planted::AllCounted => {
            let full = Tally { suspended: ALLOWED as u64, ..Tally::default() };
            stage.store.tally().add(&full).await.expect("the store can be written");
        }
    }
    stage
}

/// Faster than deskup can look at more pairs than are allowed, and for as long as it looks at those that are gone.
async fn forget(store: Store) {
    for _ in 0..4_000 {
        store.tally().clear().await.expect("the store can be written");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn is_braked(stage: &Stage) -> bool {
    stage.store.switches().get(SwitchName::Brake).await.expect("the store can be read").is_some()
}

async fn release(stage: &Stage) {
    let local = stage.deskup.local().expect("it is prepared");
    local.cx.recovery.release().await.expect("the store can be written");
}

async fn suspended(stage: &Stage) -> usize {
    let kept = world::Deskup::kept(stage.deskup.as_ref()).await.expect("the store can be read");
    kept.links.values().filter(|link| link.state == "SUSPENDED").count()
}

/// Open tickets with their tasks.
async fn open_pairs(stage: &Stage) -> Vec<(u64, String)> {
    let pairs = stage.pairs().await;
    pairs.into_iter().filter(|(ticket, _)| stage.ticket(*ticket, "status") != "closed").collect()
}

/// As many deleted tasks as are allowed: the rest goes on.
async fn ordinary_day(planted: Planted) -> Vec<String> {
    let mut faults = Faults::default();
    let stage = stage(1, planted).await;
    let pairs = open_pairs(&stage).await;
    let before = stage.sync_changes();
    for (_, task) in &pairs[..ALLOWED] {
        stage.delete_task(task).await;
    }
    minutes(5).await;
    faults.unless(!is_braked(&stage).await, || "braked on an ordinary day".to_owned());
    let count = suspended(&stage).await;
    faults.unless(count == ALLOWED, || format!("{count} suspended of {ALLOWED} that are gone"));
    let (ticket, task) = &pairs[ALLOWED + 1];
    stage.on_task(task, Action::Task(json!({ "name": "Renamed meanwhile" })), "e1").await;
    minutes(2).await;
    let title = stage.ticket(*ticket, "subject");
    faults.unless(title == "Renamed meanwhile", || format!("work stands still: {title}"));
    let changes = stage.sync_changes() - before;
    // The tickets of deleted tasks are left alone.
    faults.unless(changes == 1, || format!("{changes} changes for one edit"));
    faults.into_lines()
}

/// More deleted tasks than are allowed: everything stands still until a person says otherwise.
async fn many_deleted(planted: Planted) -> Vec<String> {
    let mut faults = Faults::default();
    let stage = stage(2, planted).await;
    let pairs = open_pairs(&stage).await;
    let before = stage.sync_changes();
    for (_, task) in &pairs[..ALLOWED + 15] {
        stage.delete_task(task).await;
    }
    minutes(5).await;
    faults.unless(is_braked(&stage).await, || "not braked".to_owned());
    let count = suspended(&stage).await;
    faults.unless(count <= ALLOWED, || format!("{count} suspended before anybody was asked"));

    let (ticket, task) = &pairs[ALLOWED + 16];
    stage.on_task(task, Action::Task(json!({ "name": "Renamed meanwhile" })), "e1").await;
    minutes(30).await;
    let title = stage.ticket(*ticket, "subject");
    faults.unless(title != "Renamed meanwhile", || "a lane goes on under the brake".to_owned());
    let changes = stage.sync_changes() - before;
    faults.unless(changes == 0, || format!("{changes} changes under the brake"));

    release(&stage).await;
    minutes(10).await;
    // Fifteen more are within the bound.
    faults.unless(!is_braked(&stage).await, || "braked again after the release".to_owned());
    let count = suspended(&stage).await;
    faults.unless(count == ALLOWED + 15, || format!("{count} suspended after the release"));
    let title = stage.ticket(*ticket, "subject");
    faults.unless(title == "Renamed meanwhile", || format!("work does not go on: {title}"));
    let changes = stage.sync_changes() - before;
    faults.unless(changes == 1, || format!("{changes} changes for one edit"));
    faults.into_lines()
}

/// An admin hides lists from deskup: for it that looks like deleted tasks. Nothing is closed or made again, and
/// when the lists are back, what people edited meanwhile is mirrored.
async fn lists_hidden(planted: Planted) -> Vec<String> {
    let mut faults = Faults::default();
    let stage = stage(3, planted).await;
    let pairs = open_pairs(&stage).await;
    let lists: Vec<String> =
        stage.world.scenario().workspace.lists.iter().map(|list| list.id.clone()).collect();
    let before = stage.sync_changes();
    lists.iter().for_each(|list| stage.show_list(list, false));
    for (number, (ticket, _)) in pairs.iter().take(ALLOWED + 20).enumerate() {
        let renamed = json!({ "subject": format!("Renamed {number}") });
        stage.on_ticket(*ticket, renamed, &format!("e{number}")).await;
    }
    minutes(30).await;
    faults.unless(is_braked(&stage).await, || "not braked".to_owned());
    let changes = stage.sync_changes() - before;
    // Nothing is written, nothing is made a second time.
    faults.unless(changes == 0, || format!("{changes} changes under the brake"));

    lists.iter().for_each(|list| stage.show_list(list, true));
    release(&stage).await;
    minutes(30).await;
    faults.unless(!is_braked(&stage).await, || "braked again after the release".to_owned());
    let count = suspended(&stage).await;
    faults.unless(count == 0, || format!("the sweep left {count} suspended"));
    let ran = stage.finish().await.expect("it comes to rest");
    let mut lines = faults.into_lines();
    lines.extend(Faults::of(&ran).into_lines());
    lines
}

#[test]
fn twenty_deleted_tasks_are_an_ordinary_day() {
    nothing_wrong(&on_paused_clock(ordinary_day(Planted::Nothing)));
}

#[test]
fn more_deleted_tasks_stop_everything_until_a_person_releases_it() {
    nothing_wrong(&on_paused_clock(many_deleted(Planted::Nothing)));
}

#[test]
fn tasks_that_become_invisible_at_once_stop_everything_and_come_back() {
    nothing_wrong(&on_paused_clock(lists_hidden(Planted::Nothing)));
}

#[test]
fn the_checks_find_a_brake_that_is_never_pulled() {
    let deleted = on_paused_clock(many_deleted(Planted::NothingCounts));
    for line in ["not braked", "35 suspended before anybody was asked", "a lane goes on under the brake"] {
        assert!(deleted.iter().any(|found| found == line), "nothing of {line:?} in {deleted:?}");
    }
    let hidden = on_paused_clock(lists_hidden(Planted::NothingCounts));
    assert!(hidden.iter().any(|found| found == "not braked"), "{hidden:?}");
}

#[test]
fn the_check_finds_a_brake_that_is_pulled_too_early() {
    let found = on_paused_clock(ordinary_day(Planted::AllCounted));
    assert!(found.iter().any(|line| line == "braked on an ordinary day"), "{found:?}");
}
