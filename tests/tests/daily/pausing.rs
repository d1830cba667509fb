//! Lanes that a person pauses, records that a person puts back, and the brake that a person releases.

use std::collections::BTreeSet;

use functions::person;
use orchestration::recovery_manager;
use serde_json::json;
use stores::switches::SwitchName;
use stores::{Lane, WorkKey};
use tests::expect::{Faults, nothing_wrong};
use tests::hands::minutes;
use tests::whole::{Stage, on_paused_clock};
use world::WorldOptions;
use world::people::act::Action;
use world::world::PlanLimits;

use crate::desk::{JO, calm, pairs_in, settled};

#[test]
fn nothing_is_written_while_all_lanes_are_paused_not_even_what_is_in_work() {
    on_paused_clock(async {
        let stage = calm(15).await;
        let pairs = pairs_in(&stage, "open").await;
        for (number, (ticket, task)) in pairs.iter().enumerate() {
            let comment = json!({ "subject": format!("Renamed {number}"), "comment": { "body": "One", "public": true } });
            stage.on_ticket(*ticket, comment, &format!("z{number}")).await;
            stage.on_task(task, Action::TaskComment("Two".to_owned()), &format!("c{number}")).await;
        }
        // Until the first of them is written: the others are in work or due.
        let before = stage.sync_changes();
        while stage.sync_changes() == before {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        for lane in Lane::ALL {
            person::pause(&stage.store, lane, "a test", JO).await.expect("the store can be written");
        }
        // What was on the wire when the pause began still arrives.
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        let paused = stage.sync_changes();
        assert!(paused < before + 2 * pairs.len(), "there is something left to write");
        minutes(90).await;
        assert_eq!(stage.sync_changes(), paused, "nothing is written");
        assert!(
            stage.store.quarantine().list(10).await.expect("the store can be read").is_empty(),
            "nothing is set aside for it"
        );
        for lane in Lane::ALL {
            person::resume(&stage.store, lane).await.expect("the store can be written");
        }
        nothing_wrong(&Faults::of(&stage.finish().await.expect("it comes to rest")).into_lines());
    });
}

#[test]
fn a_paused_lane_stops_and_the_others_go_on() {
    on_paused_clock(async {
        let stage = calm(16).await;
        let (ticket, task) = pairs_in(&stage, "open").await.remove(0);
        let first = person::pause(&stage.store, Lane::Live, "maintenance", JO).await.expect("writes");
        let second = person::pause(&stage.store, Lane::Live, "another reason", "al").await.expect("writes");
        assert_eq!(
            (second.reason.as_str(), second.by.as_str()),
            ("maintenance", JO),
            "the first reason stands"
        );
        assert_eq!(first, second);
        stage.on_task(&task, Action::Task(json!({ "name": "While paused" })), "e1").await;
        minutes(20).await;
        assert_ne!(stage.ticket(ticket, "subject"), "While paused");
        assert!(person::resume(&stage.store, Lane::Live).await.expect("writes"));
        assert!(!person::resume(&stage.store, Lane::Live).await.expect("writes"), "it was resumed");
        minutes(5).await;
        assert_eq!(stage.ticket(ticket, "subject"), "While paused");
    });
}

#[test]
fn a_record_that_is_put_back_is_looked_at_as_a_whole() {
    on_paused_clock(async {
        let limits = PlanLimits { clickup_list_tasks_max: 12, ..PlanLimits::default() };
        let stage =
            settled(WorldOptions { tickets: 80, edits: 0, seed: 5, limits, ..WorldOptions::default() }).await;
        let aside = stage.store.quarantine().list(1_000).await.expect("the store can be read");
        assert!(aside.len() > 10, "the lists are full: {}", aside.len());
        let tasks = stage.world.clickup().tasks().len();
        // Room for one: a task is deleted from a full list.
        let (_, task) = stage.pairs().await.remove(0);
        stage.delete_task(&task).await;
        for row in &aside {
            person::retry(&stage.store, row).await.expect("the store can be written");
        }
        assert!(
            stage.store.quarantine().list(1_000).await.expect("reads").is_empty(),
            "all are in the queue"
        );
        minutes(15).await;
        let left = stage.store.quarantine().list(1_000).await.expect("the store can be read");
        assert_eq!(left.len(), aside.len() - 1, "one found room, the others are set aside again");
        assert_eq!(stage.world.clickup().tasks().len(), tasks, "one was deleted and one was made");
        let linked: BTreeSet<u64> = stage.pairs().await.into_iter().map(|(ticket, _)| ticket).collect();
        let made = aside.iter().filter(|row| !left.iter().any(|other| other.record == row.record));
        for row in made {
            let WorkKey::Ticket(ticket) = row.record else { panic!("{:?}", row.record) };
            assert!(linked.contains(&ticket.get()));
        }
    });
}

#[test]
fn a_release_shows_what_waits_and_lets_it_through() {
    on_paused_clock(async {
        let stage =
            settled(WorldOptions { tickets: 160, edits: 0, seed: 7, ..WorldOptions::default() }).await;
        let pairs = pairs_in(&stage, "open").await;
        assert!(pairs.len() > 45, "{}", pairs.len());
        for (number, (ticket, _)) in pairs[..45].iter().enumerate() {
            stage.on_ticket(*ticket, json!({ "status": "solved" }), &format!("e{number}")).await;
        }
        minutes(5).await;
        let braked = person::braked(&stage.store).await.expect("the store can be read");
        let brake = braked.brake.expect("a bulk edit pulls it");
        assert!(brake.reason.contains("ClickUp"), "{}", brake.reason);
        let (status, count) =
            braked.tally.status.iter().max_by_key(|(_, count)| **count).expect("it counted");
        assert!(status.contains("ClickUp") && *count > 20, "{status}: {count}");
        let waiting: u64 = braked.waiting.values().sum();
        assert!(waiting >= 25, "{waiting}");
        assert!(!braked.first.is_empty());
        let solved = |stage: &Stage| {
            let done = |task: &str| {
                stage.world.clickup().task(task).is_some_and(|task| {
                    task["status"]["type"] != "open" && task["status"]["type"] != "custom"
                })
            };
            pairs[..45].iter().filter(|(_, task)| done(task)).count()
        };
        let at_brake = solved(&stage);
        assert!(at_brake <= 20, "{at_brake}");

        // An hour later the tally's window is long over, and it can still be read.
        minutes(60).await;
        let later = person::braked(&stage.store).await.expect("the store can be read");
        assert_eq!(later.tally, braked.tally);
        assert_eq!(solved(&stage), at_brake, "nothing goes on by itself");

        recovery_manager::release(&stage.store, 0).await.expect("the store can be written");
        minutes(10).await;
        assert!(is_braked(&stage).await, "twenty more, and it is pulled again");
        assert!(solved(&stage) < 45);
        let waiting: u64 = person::braked(&stage.store).await.expect("reads").waiting.values().sum();
        recovery_manager::release(&stage.store, waiting).await.expect("the store can be written");
        minutes(15).await;
        assert!(!is_braked(&stage).await);
        assert_eq!(solved(&stage), 45, "all that waited went through");
    });
}

async fn is_braked(stage: &Stage) -> bool {
    stage.store.switches().get(SwitchName::Brake).await.expect("the store can be read").is_some()
}
