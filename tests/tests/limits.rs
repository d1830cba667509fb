//! What the services refuse because there is no more room: text is cut with a link, a record is set aside under
//! a cause of its own, and all others converge.

use std::collections::{BTreeMap, BTreeSet};

use domain::ConflictCause;
use serde_json::json;
use stores::FaultPlan;
use tests::expect::{Faults, nothing_wrong};
use tests::hands::minutes;
use tests::whole::{Stage, on_paused_clock, run};
use world::people::act::Action;
use world::world::PlanLimits;
use world::{WorldFaults, WorldOptions};

/// What Zendesk takes in one comment.
const COMMENT_BYTES_MAX: usize = 65_535;

fn stage(limits: PlanLimits) -> Stage {
    let options = WorldOptions { tickets: 30, edits: 0, seed: 4, limits, ..WorldOptions::default() };
    Stage::open(options, FaultPlan::none()).expect("a world in memory")
}

#[test]
fn tickets_of_a_full_list_are_set_aside_and_all_others_converge() {
    let limits = PlanLimits { clickup_list_tasks_max: 12, ..PlanLimits::default() };
    let options = WorldOptions { tickets: 80, edits: 40, seed: 5, limits, ..WorldOptions::default() };
    let ran = run(options).expect("a world in memory");
    let causes: BTreeMap<&str, usize> =
        ran.testimony.kept.quarantined.iter().fold(BTreeMap::new(), |mut causes, (_, cause)| {
            *causes.entry(cause.as_str()).or_default() += 1;
            causes
        });
    let verdict = &ran.verdict;
    let left_out = (verdict.tickets - verdict.tasks) as usize;
    assert!(left_out > 10, "the lists are full: {left_out}");
    assert_eq!(causes, BTreeMap::from([("clickup_subcat_900", left_out)]));
    let linked: BTreeSet<String> = ran.testimony.kept.links.keys().map(ToString::to_string).collect();
    let differs: Vec<&String> =
        ran.details.differences.iter().map(|d| &d.ticket).filter(|ticket| linked.contains(*ticket)).collect();
    assert!(differs.is_empty(), "{differs:?}");
    assert_eq!((verdict.lost, verdict.duplicates, verdict.silence, verdict.touched_foreign), (0, 0, 0, 0));
}

#[test]
fn a_comment_that_is_too_long_is_cut_and_says_where_the_rest_is() {
    on_paused_clock(async {
        let stage = stage(PlanLimits::default());
        stage.settle_in().await.expect("it comes to rest");
        let (ticket, task) = stage.pairs().await.into_iter().next().expect("there are pairs");
        let text = "Très long. ".repeat(8_000);
        stage.on_task(&task, Action::TaskComment(text), "e1").await;
        minutes(3).await;
        let comments = stage.ticket(ticket, "comments");
        let copy = comments.as_array().and_then(|all| all.last()).expect("the copy is the newest");
        let body = copy["body"].as_str().expect("a comment has a body");
        assert!(body.contains("Très long. Très long."), "{}", body.len());
        assert!(body.len() <= COMMENT_BYTES_MAX, "{}", body.len());
        assert!(body[body.len() - 300..].contains("https://"), "{}", &body[body.len() - 300..]);
        assert!(stage.store.quarantine().list(10).await.expect("the store can be read").is_empty());
    });
}

#[test]
fn a_ticket_that_takes_no_more_comments_keeps_them_as_conflicts_and_its_fields_go_on() {
    on_paused_clock(async {
        let stage = stage(PlanLimits { zendesk_comments_max: 8, ..PlanLimits::default() });
        stage.settle_in().await.expect("it comes to rest");
        let pairs = stage.pairs().await;
        let open = |pair: &&(u64, String)| stage.ticket(pair.0, "status") == "open";
        let (ticket, task) = pairs.iter().find(open).expect("there are open tickets");
        for number in 0..10 {
            let text = format!("Comment number {number}");
            stage.on_task(task, Action::TaskComment(text), &format!("e{number}")).await;
            minutes(1).await;
        }
        stage.on_task(task, Action::Task(json!({ "name": "Renamed after all" })), "e99").await;
        minutes(3).await;
        let comments = stage.ticket(*ticket, "comments").as_array().map_or(0, Vec::len);
        assert_eq!(comments, 8);
        assert_eq!(stage.ticket(*ticket, "subject"), "Renamed after all");
        let kept = world::Deskup::kept(stage.deskup.as_ref()).await.expect("the store can be read");
        let of_comments = |row: &&world::KeptConflict| {
            row.ticket.get() == *ticket && row.conflict.field.to_string().contains("comment:")
        };
        let rows: Vec<_> = kept.conflicts.iter().filter(of_comments).collect();
        assert!(rows.len() >= 3, "{}", rows.len());
        assert!(rows.iter().all(|row| row.conflict.cause == ConflictCause::Refused));
        assert!(kept.quarantined.is_empty(), "{:?}", kept.quarantined);
    });
}

/// Comments do not move a task's date: only the sweep finds one whose webhook was lost.
#[test]
fn the_sweep_finds_a_comment_that_no_webhook_told_of() {
    on_paused_clock(async {
        let faults = WorldFaults { webhook_drop: 1.0, ..WorldFaults::default() };
        let options = WorldOptions { tickets: 30, edits: 0, seed: 8, faults, ..WorldOptions::default() };
        let stage = Stage::open(options, FaultPlan::none()).expect("a world in memory");
        stage.settle_in().await.expect("it comes to rest");
        let pairs = stage.pairs().await;
        let (ticket, task) = pairs.last().expect("there are pairs");
        stage.on_task(task, Action::TaskComment("Nobody was told of this".to_owned()), "e1").await;
        let has_copy = || stage.ticket(*ticket, "comments").to_string().contains("Nobody was told of this");
        assert!(!has_copy());
        // Thirty tasks, ten at a poll, a poll a minute.
        minutes(5).await;
        assert!(has_copy());
        let ran = stage.finish().await.expect("it comes to rest");
        nothing_wrong(&Faults::of(&ran).into_lines());
    });
}
