//! A plan and the run that carries it out: over many small worlds the changes made are the changes planned, field
//! by field and comment by comment, as the logs of both services tell it. A plan changes nothing, and what
//! changed since is not forced.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod planning;

use std::collections::BTreeSet;

use domain::plan::Kind;
use functions::plan;
use functions::plan::file::PlanFile;
use functions::run::{self, RunError};
use planning::{Desk, Setting, Tamper, Watching, minutes};
use serde_json::json;
use tests::seeds;
use tests::whole::on_paused_clock;
use world::Deskup;

/// Worlds of the large comparison.
const WORLDS: usize = 200;

/// Threads that play them.
const THREADS: usize = 2;

#[test]
fn the_changes_made_are_the_changes_planned() {
    let all: Vec<u64> = match seeds::asked() {
        Some(seed) => vec![seed],
        None => (1..=WORLDS as u64).collect(),
    };
    let next = std::sync::atomic::AtomicUsize::new(0);
    let faults = std::sync::Mutex::new(Vec::new());
    let tally = std::sync::Mutex::new(planning::Tally::default());
    std::thread::scope(|threads| {
        for _ in 0..THREADS {
            threads.spawn(|| {
                while let Some(seed) = all.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let (found, seen) = on_paused_clock(planning::compare(Setting::drawn(*seed), None));
                    tally.lock().unwrap().add(&seen);
                    if !found.is_empty() {
                        faults.lock().unwrap().push(format!("seed {seed}:\n    {}", found.join("\n    ")));
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{} worlds differ\n{}", faults.len(), faults.join("\n"));
    let tally = tally.into_inner().unwrap();
    println!("{tally:?}");
    if seeds::asked().is_none() {
        tally.assert_everything_was_met();
    }
}

#[test]
fn also_when_requests_and_replies_get_lost() {
    let mut faults = Vec::new();
    for seed in [1, 2, 3, 5, 7, 8, 13, 19, 21, 27, 34, 45] {
        let setting = Setting { rough: true, ..Setting::drawn(seed) };
        let (found, _) = on_paused_clock(planning::compare(setting, None));
        if !found.is_empty() {
            faults.push(format!("seed {seed}:\n    {}", found.join("\n    ")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_field_that_is_dropped_or_added_on_the_way_is_found() {
    for (tamper, word) in [
        (Tamper::DropStatus, "planned and not made"),
        (Tamper::AddPriority, "made and not planned"),
        (Tamper::ChangeComment, "made and not planned"),
    ] {
        let setting = Setting { tickets: 12, ..Setting::drawn(7) };
        let (found, _) = on_paused_clock(planning::compare(setting, Some(tamper)));
        assert!(found.iter().any(|line| line.contains(word)), "{tamper:?}: {found:?}");
    }
}

#[test]
fn a_plan_changes_nothing() {
    on_paused_clock(async {
        let desk = Desk::synced(Setting { tickets: 14, edits: 16, ..Setting::drawn(11) }).await;
        let before = (desk.changes(), desk.links().await, desk.effects().await);
        let local = desk.connect(None).await;
        let made = plan::make(&local.cx, &plan::Unwatched).await.unwrap();
        assert!(made.writes() > 0, "there is something to do");
        assert_eq!(before, (desk.changes(), desk.links().await, desk.effects().await));
        assert_eq!(desk.rows().await, 0, "no work was noted");
    });
}

#[test]
fn what_changed_since_the_plan_is_left_out_and_planned_again() {
    on_paused_clock(async {
        let desk = Desk::open(Setting { tickets: 10, closed: true, ..Setting::drawn(23) }).await;
        let local = desk.connect(None).await;
        let file = PlanFile::of(&local.cx, plan::make(&local.cx, &plan::Unwatched).await.unwrap());
        let open: Vec<u64> = desk.open_tickets();
        let (renamed, spoken) = (open[0], open[1]);
        desk.on_ticket(renamed, json!({ "subject": "Something else" })).await;
        desk.on_ticket(spoken, json!({ "comment": { "body": "One more thing.", "public": true } })).await;
        minutes(3).await;
        let report = run::planned(&local, &file, &Watching).await.unwrap();
        let left: BTreeSet<u64> = report.left.keys().map(|ticket| ticket.get()).collect();
        assert_eq!(left, BTreeSet::from([renamed, spoken]));
        let linked: BTreeSet<u64> = desk.pairs().await.into_keys().collect();
        assert_eq!(linked.len(), 8);
        assert!(linked.is_disjoint(&left), "what was left out is untouched");
        let next = report.next.unwrap();
        let again: BTreeSet<u64> = next.plan.records.iter().map(|record| record.ticket.get()).collect();
        assert_eq!(again, left);

        let local = desk.connect(None).await;
        let report = run::planned(&local, &next, &Watching).await.unwrap();
        assert!(report.left.is_empty() && report.next.is_none());
        assert_eq!(desk.pairs().await.len(), 10);
    });
}

#[test]
fn a_plan_of_other_settings_or_changed_by_hand_is_refused() {
    on_paused_clock(async {
        let desk = Desk::open(Setting { tickets: 6, ..Setting::drawn(5) }).await;
        let local = desk.connect(None).await;
        let file = PlanFile::of(&local.cx, plan::make(&local.cx, &plan::Unwatched).await.unwrap());
        let read = PlanFile::read(&file.text()).unwrap();
        assert_eq!(read, file, "what is written reads back");
        let refused = |file: PlanFile| {
            let local = &local;
            async move {
                match run::planned(local, &file, &Watching).await {
                    Err(RunError::Unfit(why)) => why.to_string(),
                    other => panic!("{other:?}"),
                }
            }
        };
        let said = refused(PlanFile { settings: "0".repeat(16), ..file.clone() }).await;
        assert!(said.contains("deskup.toml"), "{said}");
        let mut elsewhere = file.clone();
        elsewhere.installation.workspace = "4711".to_owned();
        let said = refused(elsewhere).await;
        assert!(said.contains("4711"), "{said}");
        let mut forged = file.clone();
        forged.plan.records[0].fields.pop();
        let said = refused(forged).await;
        assert!(said.contains("by hand"), "{said}");
        assert_eq!(desk.changes(), 0);
    });
}

#[test]
fn a_first_run_that_nobody_looked_at_stays_small() {
    on_paused_clock(async {
        let desk = Desk::open(Setting { tickets: 60, closed: true, ..Setting::drawn(7) }).await;
        let local = desk.connect(None).await;
        let refused = run::unplanned(&local, &Watching).await;
        assert!(matches!(refused, Err(RunError::Unconfirmed { writes }) if writes >= 60), "{refused:?}");
        assert_eq!((desk.changes(), desk.pairs().await.len()), (0, 0));
        // Once a plan was confirmed and carried out, the same settings need none.
        let file = PlanFile::of(&local.cx, plan::make(&local.cx, &plan::Unwatched).await.unwrap());
        run::planned(&local, &file, &Watching).await.unwrap();
        let local = desk.connect(None).await;
        let report = run::unplanned(&local, &Watching).await.unwrap();
        assert_eq!((report.writes, report.linked), (0, 60));
    });
}

#[test]
fn a_pilot_takes_so_many_and_the_live_lane_too() {
    on_paused_clock(async {
        let setting = Setting { tickets: 12, limit: Some(5), closed: true, ..Setting::drawn(31) };
        let desk = Desk::open(setting).await;
        let local = desk.connect(None).await;
        let made = plan::make(&local.cx, &plan::Unwatched).await.unwrap();
        assert_eq!(made.count(Kind::Create), 5);
        let planned: BTreeSet<u64> = made.records.iter().map(|record| record.ticket.get()).collect();
        run::unplanned(&local, &Watching).await.unwrap();
        assert_eq!(desk.pairs().await.into_keys().collect::<BTreeSet<_>>(), planned);
        // Somebody works on a ticket that is not of the pilot, while deskup listens.
        let outside = desk.open_tickets().into_iter().find(|ticket| !planned.contains(ticket)).unwrap();
        let live = desk.listen().await;
        desk.on_ticket(outside, json!({ "comment": { "body": "Any news?", "public": true } })).await;
        minutes(4).await;
        live.stop().await;
        assert_eq!(desk.pairs().await.len(), 5, "the pilot is full");
    });
}

#[test]
fn a_ticket_out_of_scope_gets_no_task_and_a_linked_one_stays_linked() {
    on_paused_clock(async {
        let desk = Desk::open(Setting { tickets: 16, closed: false, ..Setting::drawn(41) }).await;
        let local = desk.connect(None).await;
        run::unplanned(&local, &Watching).await.unwrap();
        let done = |status: &str| matches!(status, "solved" | "closed");
        for (ticket, status) in desk.statuses() {
            assert_eq!(desk.pairs().await.contains_key(&ticket), !done(&status), "{ticket} is {status}");
        }
        let (old, _) = desk.statuses().into_iter().find(|(_, status)| status == "solved").unwrap();
        let (linked, task) = desk.pairs().await.into_iter().next().unwrap();
        let live = desk.listen().await;
        desk.on_ticket(old, json!({ "priority": "urgent" })).await;
        desk.solve(linked).await;
        minutes(4).await;
        desk.on_ticket(linked, json!({ "subject": "Solved, and renamed" })).await;
        minutes(4).await;
        live.stop().await;
        assert!(!desk.pairs().await.contains_key(&old), "a webhook alone brings nothing into the scope");
        assert_eq!(desk.pairs().await.get(&linked), Some(&task));
        assert_eq!(desk.task(&task)["name"], "Solved, and renamed");
    });
}

#[test]
fn pairs_that_people_made_wait_for_a_word() {
    on_paused_clock(async {
        let setting = Setting { tickets: 9, closed: true, ..Setting::drawn(53) };
        let desk = Desk::open(setting.clone()).await;
        let open = desk.open_tickets();
        let (by_text, by_tag) = (open[0], open[1]);
        let url = format!("Details: {}{by_text}", desk.ticket_url());
        let first = desk.make_task("Made by hand", &url).await;
        let second = desk.make_task("Also by hand", "no address").await;
        desk.on_ticket(by_tag, json!({ "tags": [format!("clickup-{second}")] })).await;
        minutes(3).await;

        let local = desk.connect(None).await;
        let asked = plan::make(&local.cx, &plan::Unwatched).await.unwrap();
        let waiting: BTreeSet<u64> = asked.left.keys().map(|ticket| ticket.get()).collect();
        assert_eq!(waiting, BTreeSet::from([by_text, by_tag]), "{:?}", asked.left);
        run::unplanned(&local, &Watching).await.unwrap();
        assert_eq!(desk.pairs().await.len(), 7, "neither got a second task");

        let desk = desk.with("adopt = \"link\"");
        let local = desk.connect(None).await;
        let file = PlanFile::of(&local.cx, plan::make(&local.cx, &plan::Unwatched).await.unwrap());
        assert_eq!(file.plan.count(Kind::Link), 2, "{:?}", file.plan.left);
        let since = desk.marks();
        let report = run::planned(&local, &file, &Watching).await.unwrap();
        assert!(report.left.is_empty(), "{:?}", report.left);
        assert_eq!(desk.differences(&file.plan, since).await, Vec::<String>::new());
        let pairs = desk.pairs().await;
        assert_eq!((pairs.get(&by_text), pairs.get(&by_tag)), (Some(&first), Some(&second)));
        assert!(desk.conflicts_of(by_text).await > 0, "what differed is kept");
        assert_eq!(desk.tasks(), 9, "no third task was made");
    });
}
