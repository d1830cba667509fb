//! A running deskup is given another mapping, and a wrong one: by it every pair would be written to that somebody
//! touches, although nobody changed what is written.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::expect::{Faults, nothing_wrong};
use tests::hands::minutes;
use tests::whole::{Stage, bare};
use world::people::act::Action;
use world::{Deskup, Instance, InstanceOptions};

use crate::{
    ALLOWED, Planted, finds, is_braked, logged, nothing_lost, of_tickets, reason, release_through, run,
    stage, stands, working_pairs,
};

/// What is wrong about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    /// Open tickets are done in ClickUp.
    Status,
    /// What is urgent is low, and so on.
    Priority,
    /// Each list has the tickets of another one.
    Lists,
    /// Nothing: the mapping is the same, and only written otherwise.
    Nothing,
}

/// Pairs that people touch.
const TOUCHED: usize = 50;

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "no {from:?} in\n{text}");
    text.replacen(from, to, 1)
}

/// The settings with what is wrong about them.
fn settings(stage: &Stage, wrong: Wrong) -> String {
    let right = stage.world.access().settings;
    match wrong {
        Wrong::Nothing => format!("# Nobody reads this.\n{right}"),
        Wrong::Status => replaced(&right, "open = \"to do\"", "open = \"solved\""),
        Wrong::Priority => ["urgent", "high", "normal", "low"]
            .iter()
            .zip(["low", "normal", "high", "urgent"])
            .fold(right, |text, (zendesk, clickup)| {
                replaced(&text, &format!("{zendesk} = {zendesk:?}"), &format!("{zendesk} = {clickup:?}"))
            }),
        Wrong::Lists => {
            let lists: Vec<&str> =
                stage.world.scenario().workspace.lists.iter().map(|list| list.id.as_str()).collect();
            let marked = lists.iter().fold(right, |text, list| {
                replaced(&text, &format!("list = {list:?}"), &format!("list = <{list}>"))
            });
            let next = lists.iter().cycle().skip(1);
            lists.iter().zip(next).fold(marked, |text, (list, next)| {
                replaced(&text, &format!("list = <{list}>"), &format!("list = {next:?}"))
            })
        }
    }
}

/// deskup is stopped in order, and started with these settings on the same state.
async fn restart(stage: &mut Stage, settings: String) {
    stage.world.connect(None);
    stage.deskup.stop().await;
    let before = stage.deskup.local().expect("it was prepared").cx.options.incarnation;
    let mut made = InstanceOptions::of(&stage.world, stage.store.clone());
    made.settings = settings;
    made.options.incarnation = before + 1;
    stage.deskup = Instance::new(made);
    let deskup = stage.driven();
    stage.world.connect(Some(deskup.clone()));
    stage.world.prepare(deskup.as_ref()).await.expect("the settings fit the accounts");
    stage.world.live(deskup.as_ref()).expect("it starts");
}

/// People go on with a deskup that has another mapping; it is stopped, put right and let go on.
async fn other_mapping(wrong: Wrong, planted: Planted) -> Vec<String> {
    let mut faults = Faults::default();
    let mut stage = stage(of_tickets(150, 31), Planted::Nothing, bare).await;
    let other = settings(&stage, wrong);
    restart(&mut stage, other).await;
    if planted == Planted::NothingCounts {
        stage.store.tally().allow(1_000_000).await.expect("the store can be written");
    }
    let pairs = working_pairs(&stage).await;
    let pairs: Vec<_> = match wrong {
        Wrong::Status => {
            pairs.into_iter().filter(|(ticket, _)| stage.ticket(*ticket, "status") == "open").collect()
        }
        _ => pairs,
    };
    let touched = &pairs[..TOUCHED.min(pairs.len())];
    assert!(touched.len() > ALLOWED + 10, "{}", touched.len());
    let since = logged(&stage);
    // Nothing that the mapping is about.
    for (number, (ticket, task)) in touched.iter().enumerate() {
        match number % 3 {
            0 => {
                stage
                    .on_task(
                        task,
                        Action::Task(json!({ "name": format!("Named {number}") })),
                        &format!("c{number}"),
                    )
                    .await
            }
            _ => {
                stage
                    .on_ticket(
                        *ticket,
                        json!({ "subject": format!("Named {number}") }),
                        &format!("z{number}"),
                    )
                    .await
            }
        }
    }
    minutes(5).await;
    if wrong == Wrong::Nothing {
        faults.unless(!is_braked(&stage).await, || "braked for nothing".to_owned());
        return nothing_lost(&stage, faults).await;
    }
    let said = reason(&stage).await;
    faults.unless(said.contains("look at the mapping"), || format!("another reason: {said}"));
    // A pair whose title came from ClickUp is written to on both sides.
    stands(&stage, since, ALLOWED + ALLOWED / 2, &mut faults).await;
    if planted != Planted::Nothing {
        // What was to be found is found.
        return faults.into_lines();
    }

    put_right(&mut stage, (wrong, touched, since), faults).await
}

/// The settings are corrected, the brake is released, and what the wrong mapping has written is put back.
async fn put_right(
    stage: &mut Stage,
    (wrong, touched, since): (Wrong, &[(u64, String)], (usize, usize)),
    faults: Faults,
) -> Vec<String> {
    let mut faults = faults;
    let right = stage.world.access().settings;
    restart(stage, right).await;
    faults.unless(is_braked(stage).await, || "a start released it".to_owned());
    release_through(stage).await;
    minutes(10).await;
    // What was written by the wrong mapping is found by comparing all pairs.
    let dispatcher = stage.deskup.local().expect("deskup runs").dispatcher.clone();
    let swept = dispatcher.sweep("person").await.expect("it runs").succeeded();
    faults.unless(swept, || "not all pairs could be compared".to_owned());
    minutes(10).await;
    for (number, (ticket, _)) in touched.iter().enumerate() {
        let title = stage.ticket(*ticket, "subject");
        faults.unless(title == format!("Named {number}"), || format!("ticket {ticket}: {title}"));
    }
    let (rewritten, put_back) = by_the_mapping(stage, wrong, since);
    println!("{wrong:?}: {rewritten} rewritten, {put_back} put back");
    faults.unless(rewritten > 0 && rewritten <= ALLOWED, || format!("{rewritten} rewritten"));
    faults.unless(put_back == rewritten, || format!("{put_back} of {rewritten} put back"));
    let mut lines = nothing_lost(stage, faults).await;
    // Nobody but the mapping wanted these, and they are counted above.
    lines.retain(|line| !line.starts_with("written without cause: "));
    lines
}

/// Tasks in which deskup changed what the mapping is about, and those of them that are as they were.
fn by_the_mapping(stage: &Stage, wrong: Wrong, since: (usize, usize)) -> (usize, usize) {
    let field = match wrong {
        Wrong::Status => "status",
        Wrong::Priority => "priority",
        Wrong::Lists => "list",
        Wrong::Nothing => return (0, 0),
    };
    let me = stage.world.rules().clickup_sync;
    let changes = stage.world.clickup().changes();
    let mut ends: BTreeMap<&str, (&Value, &Value)> = BTreeMap::new();
    for change in changes[since.1..].iter().filter(|change| change.actor == me && change.field == field) {
        ends.entry(&change.record).or_insert((&change.before, &change.after)).1 = &change.after;
    }
    (ends.len(), ends.values().filter(|(first, last)| first == last).count())
}

#[test]
fn statuses_that_are_mapped_wrongly_stop_everything() {
    nothing_wrong(&run(other_mapping(Wrong::Status, Planted::Nothing)));
}

#[test]
fn priorities_that_are_mapped_wrongly_stop_everything() {
    nothing_wrong(&run(other_mapping(Wrong::Priority, Planted::Nothing)));
}

#[test]
fn routes_that_lead_to_other_lists_stop_everything() {
    nothing_wrong(&run(other_mapping(Wrong::Lists, Planted::Nothing)));
}

#[test]
fn a_mapping_that_says_the_same_stops_nothing() {
    nothing_wrong(&run(other_mapping(Wrong::Nothing, Planted::Nothing)));
}

#[test]
fn the_checks_find_a_brake_that_is_never_pulled() {
    for wrong in [Wrong::Status, Wrong::Priority, Wrong::Lists] {
        let found = run(other_mapping(wrong, Planted::NothingCounts));
        finds(&found, &["not braked", "changed before anybody was asked", "another reason"]);
    }
}
