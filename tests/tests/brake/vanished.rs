//! Counterparts that are gone, or that deskup may no longer see: ClickUp answers alike for both.

use std::sync::Arc;

use bytes::Bytes;
use clients::{Transport, TransportError};
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use serde_json::json;
use tests::expect::{Faults, nothing_wrong};
use tests::hands::minutes;
use tests::whole::{Stage, Wrap, bare};
use world::people::act::Action;

use crate::{
    ALLOWED, Planted, changed_since, finds, is_braked, logged, nothing_lost, of_tickets, open_pairs, reason,
    release, run, stands, suspended,
};

async fn stage(seed: u64, planted: Planted) -> Stage {
    crate::stage(of_tickets(120, seed), planted, bare).await
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
    let count = suspended(&stage).await.len();
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
    let count = suspended(&stage).await.len();
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
    let count = suspended(&stage).await.len();
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
    let count = suspended(&stage).await.len();
    faults.unless(count == 0, || format!("the sweep left {count} suspended"));
    let ran = stage.finish().await.expect("it comes to rest");
    let mut lines = faults.into_lines();
    lines.extend(Faults::of(&ran).into_lines());
    lines
}

/// What ClickUp says of a task that lies in a place which was taken from the token's user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// 404, `ITEM_015`.
    NotFound,
    /// 401, `OAUTH_027`, although the token opens the Workspace.
    NotAuthorized,
}

impl Says {
    fn wrap(self) -> Wrap {
        match self {
            Says::NotFound => bare,
            Says::NotAuthorized => |inner| Arc::new(NotAuthorized { inner }),
        }
    }
}

/// The wire to a ClickUp that takes what may not be seen for another Workspace's.
struct NotAuthorized {
    inner: Arc<dyn Transport>,
}

impl Transport for NotAuthorized {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let is_of_task = request.uri().path().starts_with("/api/v2/task/");
        let answer = self.inner.send(request);
        Box::pin(async move {
            let mut answer = answer.await?;
            let hidden = serde_json::from_slice::<serde_json::Value>(answer.body());
            if is_of_task && hidden.is_ok_and(|body| body["ECODE"] == "ITEM_015") {
                *answer.status_mut() = StatusCode::UNAUTHORIZED;
                *answer.body_mut() =
                    Bytes::from_static(br#"{"err":"Team not authorized","ECODE":"OAUTH_027"}"#);
                answer.headers_mut().remove("content-length");
            }
            Ok(answer)
        })
    }
}

/// deskup's user is taken out of a Space while people go on on both sides. Other Spaces stay open, and so does the
/// account.
async fn space_revoked(says: Says, planted: Planted) -> Vec<String> {
    let mut faults = Faults::default();
    let stage = crate::stage(of_tickets(160, 4), planted, says.wrap()).await;
    let lists = &stage.world.scenario().workspace.lists;
    let space = lists[0].space;
    let taken: Vec<&str> =
        lists.iter().filter(|list| list.space == space).map(|list| list.id.as_str()).collect();
    assert!(taken.len() < lists.len(), "there is another Space");
    let is_taken = |task: &str| {
        let task = stage.world.clickup().task(task).expect("it is there");
        taken.iter().any(|list| task["list"]["id"] == *list)
    };
    let (inside, outside): (Vec<_>, Vec<_>) =
        open_pairs(&stage).await.into_iter().partition(|(_, task)| is_taken(task));
    assert!(inside.len() > 2 * ALLOWED && !outside.is_empty(), "{} and {}", inside.len(), outside.len());
    taken.iter().for_each(|list| stage.show_list(list, false));
    let since = logged(&stage);
    for (number, (ticket, _)) in inside.iter().take(2 * ALLOWED).enumerate() {
        stage
            .on_ticket(*ticket, json!({ "subject": format!("Renamed {number}") }), &format!("z{number}"))
            .await;
    }
    minutes(5).await;
    faults.unless(reason(&stage).await.contains("not visible"), || "another reason".to_owned());
    let before = suspended(&stage).await;
    faults.unless(before.len() <= ALLOWED, || format!("{} suspended before anybody was asked", before.len()));
    faults.unless(outside.iter().all(|(ticket, _)| !before.contains(ticket)), || "others as well".to_owned());
    let (_, seen) = &outside[0];
    stage.on_task(seen, Action::Task(json!({ "name": "Renamed in ClickUp" })), "c1").await;
    stands(&stage, since, 0, &mut faults).await;
    faults.unless(suspended(&stage).await == before, || "suspended under the brake".to_owned());
    if planted != Planted::Nothing {
        // What was to be found is found.
        return faults.into_lines();
    }

    taken.iter().for_each(|list| stage.show_list(list, true));
    // The other side was edited as well while deskup did not see it.
    let (both, of_both) = &inside[0];
    stage.on_task(of_both, Action::Task(json!({ "name": "Renamed meanwhile" })), "c2").await;
    stage.on_task(of_both, Action::TaskComment("Who sees this?".to_owned()), "c3").await;
    release(&stage).await;
    minutes(30).await;
    let left = suspended(&stage).await.len();
    faults.unless(left == 0, || format!("{left} are left suspended"));
    faults.unless(stage.ticket(outside[0].0, "subject") == "Renamed in ClickUp", || "work stands".to_owned());
    faults.unless(stage.ticket(*both, "subject") == "Renamed 0", || "the owner's name is lost".to_owned());
    faults.unless(changed_since(&stage, since) > 2 * ALLOWED, || "the edits did not arrive".to_owned());
    nothing_lost(&stage, faults).await
}

#[test]
fn twenty_deleted_tasks_are_an_ordinary_day() {
    nothing_wrong(&run(ordinary_day(Planted::Nothing)));
}

#[test]
fn more_deleted_tasks_stop_everything_until_a_person_releases_it() {
    nothing_wrong(&run(many_deleted(Planted::Nothing)));
}

#[test]
fn tasks_that_become_invisible_at_once_stop_everything_and_come_back() {
    nothing_wrong(&run(lists_hidden(Planted::Nothing)));
}

#[test]
fn a_space_whose_tasks_are_not_found_any_more_stops_everything_and_comes_back() {
    nothing_wrong(&run(space_revoked(Says::NotFound, Planted::Nothing)));
}

#[test]
fn a_space_whose_tasks_answer_not_authorized_stops_everything_and_comes_back() {
    nothing_wrong(&run(space_revoked(Says::NotAuthorized, Planted::Nothing)));
}

#[test]
fn the_checks_find_a_brake_that_is_never_pulled() {
    let deleted = run(many_deleted(Planted::NothingCounts));
    finds(
        &deleted,
        &["not braked", "35 suspended before anybody was asked", "a lane goes on under the brake"],
    );
    finds(&run(lists_hidden(Planted::NothingCounts)), &["not braked"]);
    let revoked = run(space_revoked(Says::NotAuthorized, Planted::NothingCounts));
    finds(&revoked, &["not braked", "40 suspended before anybody was asked", "changes under the brake"]);
}

#[test]
fn the_check_finds_a_brake_that_is_pulled_too_early() {
    finds(&run(ordinary_day(Planted::AllCounted)), &["braked on an ordinary day"]);
}

#[test]
fn the_check_finds_a_brake_that_goes_off_by_itself() {
    let revoked = run(space_revoked(Says::NotFound, Planted::GoesOff));
    finds(&revoked, &["not braked", "40 suspended before anybody was asked"]);
}
