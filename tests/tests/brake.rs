//! When many counterparts are gone at once, something is wrong that deskup cannot judge: it stops all lanes,
//! touches nothing more, and goes on when a person says so.

use serde_json::json;
use stores::FaultPlan;
use stores::switches::SwitchName;
use tests::expect::{Faults, nothing_wrong};
use tests::hands::minutes;
use tests::whole::{Stage, on_paused_clock};
use world::WorldOptions;
use world::people::act::Action;

/// Links that may go the same way before the brake is pulled.
const ALLOWED: usize = 20;

async fn stage(seed: u64) -> Stage {
    let options = WorldOptions { tickets: 120, edits: 0, seed, ..WorldOptions::default() };
    let stage = Stage::open(options, FaultPlan::none()).expect("a world in memory");
    stage.settle_in().await.expect("it comes to rest");
    stage
}

async fn is_braked(stage: &Stage) -> bool {
    stage.store.switches().get(SwitchName::Brake).await.expect("the store can be read").is_some()
}

async fn release(stage: &Stage) {
    stage
        .deskup
        .local()
        .expect("it is prepared")
        .cx
        .recovery
        .release()
        .await
        .expect("the store can be written");
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

#[test]
fn twenty_deleted_tasks_are_an_ordinary_day() {
    on_paused_clock(async {
        let stage = stage(1).await;
        let pairs = open_pairs(&stage).await;
        let before = stage.sync_changes();
        for (_, task) in &pairs[..ALLOWED] {
            stage.delete_task(task).await;
        }
        minutes(5).await;
        assert!(!is_braked(&stage).await);
        assert_eq!(suspended(&stage).await, ALLOWED);
        let (ticket, task) = &pairs[ALLOWED + 1];
        stage.on_task(task, Action::Task(json!({ "name": "Renamed meanwhile" })), "e1").await;
        minutes(2).await;
        assert_eq!(stage.ticket(*ticket, "subject"), "Renamed meanwhile");
        assert_eq!(stage.sync_changes(), before + 1, "the tickets of deleted tasks are left alone");
    });
}

#[test]
fn more_deleted_tasks_stop_everything_until_a_person_releases_it() {
    on_paused_clock(async {
        let stage = stage(2).await;
        let pairs = open_pairs(&stage).await;
        let before = stage.sync_changes();
        for (_, task) in &pairs[..ALLOWED + 15] {
            stage.delete_task(task).await;
        }
        minutes(5).await;
        assert!(is_braked(&stage).await);
        assert!(suspended(&stage).await <= ALLOWED, "those above the bound are not touched");

        let (ticket, task) = &pairs[ALLOWED + 16];
        stage.on_task(task, Action::Task(json!({ "name": "Renamed meanwhile" })), "e1").await;
        minutes(30).await;
        assert_ne!(stage.ticket(*ticket, "subject"), "Renamed meanwhile", "all lanes pause");
        assert_eq!(stage.sync_changes(), before, "nothing is written while the brake is on");

        release(&stage).await;
        minutes(10).await;
        assert!(!is_braked(&stage).await, "fifteen more are within the bound");
        assert_eq!(suspended(&stage).await, ALLOWED + 15);
        assert_eq!(stage.ticket(*ticket, "subject"), "Renamed meanwhile", "work goes on where it stood");
        assert_eq!(stage.sync_changes(), before + 1);
    });
}

/// An admin hides lists from deskup: for it that looks like deleted tasks. Nothing is closed or made again, and
/// when the lists are back, what people edited meanwhile is mirrored.
#[test]
fn tasks_that_become_invisible_at_once_stop_everything_and_come_back() {
    on_paused_clock(async {
        let stage = stage(3).await;
        let pairs = open_pairs(&stage).await;
        let lists: Vec<String> =
            stage.world.scenario().workspace.lists.iter().map(|list| list.id.clone()).collect();
        let before = stage.sync_changes();
        lists.iter().for_each(|list| stage.show_list(list, false));
        for (number, (ticket, _)) in pairs.iter().take(ALLOWED + 20).enumerate() {
            stage
                .on_ticket(*ticket, json!({ "subject": format!("Renamed {number}") }), &format!("e{number}"))
                .await;
        }
        minutes(30).await;
        assert!(is_braked(&stage).await);
        assert_eq!(stage.sync_changes(), before, "nothing is written, nothing is made a second time");

        lists.iter().for_each(|list| stage.show_list(list, true));
        release(&stage).await;
        minutes(30).await;
        assert!(!is_braked(&stage).await);
        assert_eq!(suspended(&stage).await, 0, "the sweep finds those that were suspended");
        let ran = stage.finish().await.expect("it comes to rest");
        nothing_wrong(&Faults::of(&ran).into_lines());
    });
}
