//! Somebody, or an automation, closes a large part of all tickets or tasks at once.

use std::time::Duration;

use domain::Side;
use serde_json::json;
use tests::expect::{Faults, nothing_wrong};
use tests::hands::minutes;
use tests::whole::{Stage, bare};
use world::WorldOptions;
use world::people::act::Action;

use crate::{
    ALLOWED, Planted, changed_since, finds, is_braked, logged, nothing_lost, of_tickets, reason,
    release_through, run, stage, stands, working_pairs,
};

/// How many are closed.
const CLOSED: usize = 60;

/// In Zendesk by both words for it by turns, so that neither alone is on more than half of them. ClickUp's closed tasks
/// leave their tickets open: nobody but Zendesk itself closes a ticket.
async fn close(stage: &Stage, side: Side, pairs: &[(u64, String)]) {
    for (number, (ticket, task)) in pairs.iter().enumerate() {
        let edit = format!("s{ticket}");
        match side {
            Side::Zendesk => {
                let word = ["solved", "closed"][number % 2];
                stage.on_ticket(*ticket, json!({ "status": word }), &edit).await;
            }
            Side::Clickup => stage.on_task(task, Action::Task(json!({ "status": "solved" })), &edit).await,
        }
    }
}

/// Whether both sides say that the work is over.
fn is_over(stage: &Stage, (ticket, task): &(u64, String)) -> bool {
    let status = stage.ticket(*ticket, "status");
    let task = stage.world.clickup().task(task).expect("it is there");
    (status == "solved" || status == "closed")
        && (task["status"]["type"] == "done" || task["status"]["type"] == "closed")
}

/// All at once, and while it stands people go on on both sides.
async fn at_once(side: Side, planted: Planted) -> Vec<String> {
    let mut faults = Faults::default();
    let stage = stage(of_tickets(200, 21), planted, bare).await;
    let pairs = working_pairs(&stage).await;
    assert!(pairs.len() > CLOSED + 2, "{}", pairs.len());
    let since = logged(&stage);
    close(&stage, side, &pairs[..CLOSED]).await;
    minutes(5).await;
    let words = ["would be closed", "would change their status"];
    let said = reason(&stage).await;
    faults.unless(words.iter().any(|words| said.contains(words)), || format!("another reason: {said}"));
    let [(renamed, _), (commented, on_task), ..] = &pairs[CLOSED..] else { panic!("there are more") };
    stage.on_ticket(*renamed, json!({ "subject": "Renamed meanwhile" }), "e1").await;
    stage.on_task(on_task, Action::TaskComment("Said meanwhile".to_owned()), "e2").await;
    // Somebody sees the mistake and takes one back.
    let (taken_back, of_taken_back) = &pairs[0];
    match side {
        Side::Zendesk => stage.on_ticket(*taken_back, json!({ "status": "open" }), "e3").await,
        Side::Clickup => {
            stage.on_task(of_taken_back, Action::Task(json!({ "status": "in progress" })), "e3").await;
        }
    }
    stands(&stage, since, ALLOWED, &mut faults).await;
    if planted != Planted::Nothing {
        // What was to be found is found.
        return faults.into_lines();
    }

    release_through(&stage).await;
    minutes(20).await;
    let over = pairs[1..CLOSED].iter().filter(|pair| is_over(&stage, pair)).count();
    faults.unless(over == CLOSED - 1, || format!("{over} are closed on both sides"));
    faults.unless(!is_over(&stage, &pairs[0]), || "what was taken back is closed".to_owned());
    let comments = stage.ticket(*commented, "comments").to_string();
    faults.unless(comments.contains("Said meanwhile"), || "the comment did not arrive".to_owned());
    nothing_lost(&stage, faults).await
}

/// Half of them before the edge of a window of the count, half of them after it: ten minutes are ten minutes.
async fn around_an_edge(planted: Planted) -> Vec<String> {
    let mut faults = Faults::default();
    let stage = stage(of_tickets(150, 22), planted, bare).await;
    let pairs = working_pairs(&stage).await;
    let window_ms = stores::tally::TallyRows::WINDOW_MS;
    let to_edge_ms = window_ms - stage.world.now_ms().rem_euclid(window_ms);
    let before_ms = (to_edge_ms + window_ms - 90_000) % window_ms;
    tokio::time::sleep(Duration::from_millis(before_ms.unsigned_abs())).await;
    let since = logged(&stage);
    close(&stage, Side::Zendesk, &pairs[..ALLOWED - 4]).await;
    minutes(2).await;
    faults.unless(!is_braked(&stage).await, || "braked too early".to_owned());
    close(&stage, Side::Zendesk, &pairs[ALLOWED - 4..2 * (ALLOWED - 4)]).await;
    minutes(3).await;
    stands(&stage, since, ALLOWED, &mut faults).await;
    if planted != Planted::Nothing {
        // What was to be found is found.
        return faults.into_lines();
    }
    release_through(&stage).await;
    minutes(10).await;
    nothing_lost(&stage, faults).await
}

/// Of more than a thousand links 2 % are more than twenty.
async fn of_many(planted: Planted) -> Vec<String> {
    let mut faults = Faults::default();
    let options = WorldOptions { unlimited: true, ..of_tickets(1_300, 23) };
    let stage = stage(options, Planted::Nothing, bare).await;
    // What was looked at while they were brought over is longer ago.
    minutes(20).await;
    let dispatcher = stage.deskup.local().expect("deskup runs").dispatcher.clone();
    assert!(dispatcher.sweep("person").await.expect("it runs").succeeded());
    if planted == Planted::NothingCounts {
        stage.store.tally().allow(1_000_000).await.expect("the store can be written");
    }
    let touched = stage.store.tally().get().await.expect("the store can be read").touched;
    let bound = usize::try_from(touched / 50).expect("a small number");
    assert!(bound > ALLOWED + 2, "{touched} were looked at");
    let pairs = working_pairs(&stage).await;
    let since = logged(&stage);
    close(&stage, Side::Clickup, &pairs[..ALLOWED + 2]).await;
    minutes(2).await;
    faults.unless(!is_braked(&stage).await, || format!("braked at {}", ALLOWED + 2));
    let changed = changed_since(&stage, since);
    faults.unless(changed == ALLOWED + 2, || format!("{changed} of {} are closed", ALLOWED + 2));
    close(&stage, Side::Clickup, &pairs[ALLOWED + 2..200]).await;
    minutes(2).await;
    // Who is looked at meanwhile counts, too.
    stands(&stage, since, bound + 4, &mut faults).await;
    if planted != Planted::Nothing {
        // What was to be found is found.
        return faults.into_lines();
    }
    release_through(&stage).await;
    minutes(20).await;
    let over = pairs[..200].iter().filter(|pair| is_over(&stage, pair)).count();
    faults.unless(over == 200, || format!("{over} are closed on both sides"));
    nothing_lost(&stage, faults).await
}

#[test]
fn tickets_that_are_closed_at_once_stop_everything_until_a_person_lets_them_through() {
    nothing_wrong(&run(at_once(Side::Zendesk, Planted::Nothing)));
}

#[test]
fn tasks_that_are_closed_at_once_stop_everything_until_a_person_lets_them_through() {
    nothing_wrong(&run(at_once(Side::Clickup, Planted::Nothing)));
}

#[test]
fn a_window_of_the_count_that_ends_lets_no_more_through() {
    nothing_wrong(&run(around_an_edge(Planted::Nothing)));
}

#[test]
fn of_more_than_a_thousand_links_two_percent_may_be_closed() {
    nothing_wrong(&run(of_many(Planted::Nothing)));
}

#[test]
fn the_checks_find_a_brake_that_is_never_pulled() {
    for side in [Side::Zendesk, Side::Clickup] {
        let found = run(at_once(side, Planted::NothingCounts));
        finds(&found, &["not braked", "changed before anybody was asked", "another reason"]);
    }
    finds(
        &run(around_an_edge(Planted::NothingCounts)),
        &["not braked", "32 changed before anybody was asked"],
    );
    finds(&run(of_many(Planted::NothingCounts)), &["not braked", "200 changed before anybody was asked"]);
}

#[test]
fn the_check_finds_a_brake_that_goes_off_by_itself() {
    let found = run(at_once(Side::Clickup, Planted::GoesOff));
    finds(&found, &["not braked", "changed before anybody was asked"]);
}
