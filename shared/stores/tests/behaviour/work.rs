//! Work rows: hints, claims, coming back, going aside.

use std::collections::BTreeSet;

use stores::work::{Claim, Finished, Hint};
use stores::{Lane, WorkKey};

use crate::bench::{Bench, START_MS, task, ticket};

crate::on_every_table!(
    hints_of_a_burst_are_one_row,
    the_oldest_is_due_first_and_nothing_before_its_time,
    one_of_many_gets_the_claim,
    a_row_that_nobody_finishes_comes_back,
    hints_that_come_meanwhile_make_it_due_again,
    a_failed_row_comes_back_and_counts,
    what_waits_for_a_reason_can_be_hastened,
    what_a_dead_holder_has_comes_back_soon,
    a_more_urgent_hint_moves_the_row,
    a_poisoned_row_goes_aside,
    the_newest_event_is_kept,
    the_row_of_one_record_can_be_claimed_whenever_it_is_due,
);

fn hint<'a>(lane: Lane, wants: &'a [&'a str], delay_ms: i64) -> Hint<'a> {
    Hint { lane, delay_ms, wants, event_ms: START_MS, queue: None }
}

fn key(n: u64) -> WorkKey {
    WorkKey::Ticket(ticket(n))
}

async fn claim(bench: &Bench, lane: Lane) -> Option<Claim> {
    let due = bench.store.work().due(lane, 1).await.expect("asks").rows;
    match due.first() {
        Some(due) => bench.store.work().claim(due, 60_000).await.expect("claims"),
        None => None,
    }
}

fn set(wants: &[&str]) -> BTreeSet<String> {
    wants.iter().map(|want| (*want).to_owned()).collect()
}

async fn hints_of_a_burst_are_one_row(bench: &Bench) {
    let work = bench.store.work();
    work.hint(&key(7), hint(Lane::Live, &["z"], 2_000)).await.expect("hints");
    for _ in 0..3 {
        bench.pass(500);
        assert_eq!(work.hint(&key(7), hint(Lane::Live, &["c", "cc"], 2_000)).await, Ok(false));
    }
    assert_eq!(
        work.next_due_ms(Lane::Live).await,
        Ok(Some(START_MS + 2_000)),
        "the first hint sets the time"
    );
    assert_eq!(work.count().await.expect("counts")[&Lane::Live], 1);
    bench.pass(500);
    let claim = claim(bench, Lane::Live).await.expect("it is due");
    assert_eq!((claim.wants.clone(), claim.first_ms), (set(&["z", "c", "cc"]), START_MS));
    assert_eq!(work.get_claim(&key(7), &claim.token).await, Ok(Some(claim.clone())));
    assert_eq!(work.done(&claim).await, Ok(Finished::Gone));
    assert_eq!(work.count().await.expect("counts")[&Lane::Live], 0);
    assert_eq!(work.get_claim(&key(7), &claim.token).await, Ok(None));
}

async fn the_oldest_is_due_first_and_nothing_before_its_time(bench: &Bench) {
    let work = bench.store.work();
    for (n, delay_ms) in [(1, 3_000), (2, 1_000), (3, 2_000), (4, 60_000)] {
        work.hint(&key(n), hint(Lane::Reconcile, &["z"], delay_ms)).await.expect("hints");
    }
    work.hint(&WorkKey::Task(task("t5")), hint(Lane::Reconcile, &["c"], 1_500)).await.expect("hints");
    bench.pass(3_000);
    let due = work.due(Lane::Reconcile, 10).await.expect("asks").rows;
    let keys: Vec<WorkKey> = due.into_iter().map(|due| due.key).collect();
    assert_eq!(keys, [key(2), WorkKey::Task(task("t5")), key(3), key(1)]);
    let few = work.due(Lane::Reconcile, 2).await.expect("asks").rows;
    assert_eq!([&few[0].key, &few[1].key], [&key(2), &WorkKey::Task(task("t5"))]);
    assert!(few.len() <= 2 * bench.store.shards() as usize, "so many of each shard, and no more");
    assert_eq!(work.due(Lane::Live, 10).await.map(|view| view.rows), Ok(Vec::new()), "lanes are apart");
}

async fn one_of_many_gets_the_claim(bench: &Bench) {
    let work = bench.store.work();
    work.hint(&key(7), hint(Lane::Live, &["z"], 0)).await.expect("hints");
    let due = work.due(Lane::Live, 1).await.expect("asks").rows;
    let mut claims = Vec::new();
    for _ in 0..5 {
        claims.extend(work.claim(&due[0], 60_000).await.expect("claims"));
    }
    assert_eq!(claims.len(), 1);
    assert_eq!(
        work.due(Lane::Live, 1).await.map(|view| view.rows),
        Ok(Vec::new()),
        "it is not due while it is worked on"
    );
}

async fn a_row_that_nobody_finishes_comes_back(bench: &Bench) {
    let work = bench.store.work();
    work.hint(&key(7), hint(Lane::Live, &["z"], 0)).await.expect("hints");
    let lost = claim(bench, Lane::Live).await.expect("it is due");
    bench.pass(60_001);
    let next = claim(bench, Lane::Live).await.expect("it came back");
    assert_ne!(lost.token, next.token);
    assert_eq!(work.done(&lost).await, Ok(Finished::Lost));
    assert_eq!(work.retry(&lost, 1, "Transient").await, Ok(false));
    assert_eq!(work.quarantine(&lost, "bug", "f").await, Ok(false));
    assert_eq!(work.done(&next).await, Ok(Finished::Gone));
}

async fn hints_that_come_meanwhile_make_it_due_again(bench: &Bench) {
    let work = bench.store.work();
    work.hint(&key(7), hint(Lane::Live, &["z", "zc"], 0)).await.expect("hints");
    let first = claim(bench, Lane::Live).await.expect("it is due");
    work.hint(&key(7), hint(Lane::Live, &["c"], 0)).await.expect("hints");
    assert_eq!(work.done(&first).await, Ok(Finished::Again));
    assert_eq!(claim(bench, Lane::Live).await, None, "not at once");
    bench.pass(1_000);
    let second = claim(bench, Lane::Live).await.expect("soon after");
    assert_eq!((second.wants.clone(), second.attempts), (set(&["c"]), 0), "only what came meanwhile");
    assert_eq!(work.done(&second).await, Ok(Finished::Gone));
}

async fn a_failed_row_comes_back_and_counts(bench: &Bench) {
    let work = bench.store.work();
    work.hint(&key(7), hint(Lane::Live, &["z"], 0)).await.expect("hints");
    let first = claim(bench, Lane::Live).await.expect("it is due");
    assert_eq!(work.retry(&first, 5_000, "Transient").await, Ok(true));
    assert_eq!(work.get_claim(&key(7), &first.token).await, Ok(None));
    bench.pass(5_000);
    let second = claim(bench, Lane::Live).await.expect("it came back");
    assert_eq!((second.attempts, second.wants.clone()), (1, set(&["z"])));
    assert_eq!(work.postpone(&second, 5_000, "BudgetEmpty").await, Ok(true));
    bench.pass(5_000);
    let third = claim(bench, Lane::Live).await.expect("it came back");
    assert_eq!(third.attempts, 1, "what could not be tried is no attempt");
}

async fn what_waits_for_a_reason_can_be_hastened(bench: &Bench) {
    let work = bench.store.work();
    for (n, reason) in [(7, "Unplanned"), (8, "BudgetEmpty")] {
        work.hint(&key(n), hint(Lane::Live, &["z"], 0)).await.expect("hints");
        let first = claim(bench, Lane::Live).await.expect("it is due");
        assert_eq!(work.postpone(&first, 900_000, reason).await, Ok(true));
    }
    assert_eq!(work.open("Unplanned").await, Ok(1));
    work.hasten("Unplanned").await.expect("hastens");
    assert_eq!(work.open("Unplanned").await, Ok(2), "what is due now has no reason to wait");
    let due = claim(bench, Lane::Live).await.expect("it is due");
    assert_eq!((due.key.clone(), due.attempts), (key(7), 0));
    assert_eq!(claim(bench, Lane::Live).await, None, "the other one waits");
    assert_eq!(work.postpone(&due, 900_000, "Unplanned").await, Ok(true));
    bench.pass(900_000);
    let held = claim(bench, Lane::Live).await.expect("it came back");
    work.hasten("Unplanned").await.expect("hastens");
    assert_eq!(work.get_claim(&held.key, &held.token).await, Ok(Some(held)), "its holder goes on");
}

async fn what_a_dead_holder_has_comes_back_soon(bench: &Bench) {
    let work = bench.store.work();
    work.hint(&key(7), hint(Lane::Live, &["z"], 0)).await.expect("hints");
    let dead = claim(bench, Lane::Live).await.expect("it is due");
    work.hint(&key(8), hint(Lane::Live, &["z"], 90_000)).await.expect("hints");
    let leases = bench.store.leases();
    leases.acquire(ticket(7), "dead", 120_000).await.expect("asks").expect("it is free");
    work.take_over(30_000).await.expect("takes over");
    bench.pass(29_999);
    assert_eq!(claim(bench, Lane::Live).await, None);
    assert_eq!(leases.acquire(ticket(7), "heir", 1).await, Ok(None));
    bench.pass(2);
    let heir = claim(bench, Lane::Live).await.expect("it came back");
    assert_eq!((heir.key.clone(), heir.attempts), (key(7), 0));
    assert!(leases.acquire(ticket(7), "heir", 1).await.expect("asks").is_some());
    assert_eq!(work.done(&dead).await, Ok(Finished::Lost), "who was not dead after all is shut out");
    bench.pass(30_000);
    assert_eq!(
        work.due(Lane::Live, 9).await.expect("asks").rows.len(),
        0,
        "what nobody holds keeps its time"
    );
    bench.pass(30_000);
    assert_eq!(work.due(Lane::Live, 9).await.expect("asks").rows[0].key, key(8));
}

async fn a_more_urgent_hint_moves_the_row(bench: &Bench) {
    let work = bench.store.work();
    work.hint(&key(7), hint(Lane::Backfill, &["z"], 600_000)).await.expect("hints");
    work.hint(&key(7), hint(Lane::Live, &["c"], 0)).await.expect("hints");
    work.hint(&key(7), hint(Lane::Reconcile, &["c"], 0)).await.expect("a less urgent hint moves nothing");
    let claim = claim(bench, Lane::Live).await.expect("it is due at once");
    assert_eq!((claim.lane, claim.wants.clone()), (Lane::Live, set(&["z", "c"])));
    assert_eq!(work.done(&claim).await, Ok(Finished::Gone));
    work.hint(&key(8), hint(Lane::Backfill, &["z"], 0)).await.expect("hints");
    let held = crate::work::claim(bench, Lane::Backfill).await.expect("it is due");
    work.hint(&key(8), hint(Lane::Live, &["c"], 0)).await.expect("hints");
    assert_eq!(work.due(Lane::Live, 1).await.map(|view| view.rows), Ok(Vec::new()), "its holder is at work");
    assert_eq!(work.done(&held).await, Ok(Finished::Again));
    bench.pass(1_000);
    assert_eq!(work.due(Lane::Live, 1).await.expect("asks").rows.len(), 1);
}

async fn a_poisoned_row_goes_aside(bench: &Bench) {
    let work = bench.store.work();
    work.hint(&key(7), hint(Lane::Live, &["z"], 0)).await.expect("hints");
    let claim = claim(bench, Lane::Live).await.expect("it is due");
    assert_eq!(work.quarantine(&claim, "rejected", "f1").await, Ok(true));
    assert_eq!(work.count().await.expect("counts")[&Lane::Live], 0);
    let row = bench.store.quarantine().get(&key(7)).await.expect("reads").expect("it is there");
    assert_eq!((row.cause.as_str(), row.fingerprint.as_str(), row.seq), ("rejected", "f1", claim.seq));
    assert_eq!(bench.store.quarantine().list(10).await, Ok(vec![row]));
    bench.store.quarantine().remove(&key(7), None).await.expect("takes it back");
    assert_eq!(bench.store.quarantine().list(10).await, Ok(Vec::new()));
}

async fn the_newest_event_is_kept(bench: &Bench) {
    let work = bench.store.work();
    for event_ms in [50, 70, 60] {
        let hint = Hint { lane: Lane::Live, delay_ms: 0, wants: &["z"], event_ms, queue: None };
        work.hint(&key(7), hint).await.expect("hints");
    }
    assert_eq!(claim(bench, Lane::Live).await.map(|claim| claim.event_ms), Some(70));
}

async fn the_row_of_one_record_can_be_claimed_whenever_it_is_due(bench: &Bench) {
    let work = bench.store.work();
    assert_eq!(work.due_of(&key(7)).await, Ok(None));
    for (n, delay_ms) in [(7, 60_000), (8, 1_000)] {
        work.hint(&key(n), hint(Lane::Live, &["apply"], delay_ms)).await.expect("hints");
    }
    let waiting = work.waiting(Lane::Live).await.expect("lists");
    let waiting: Vec<_> = waiting.iter().map(|due| (due.key.clone(), due.at_ms())).collect();
    assert_eq!(waiting, [(key(8), START_MS + 1_000), (key(7), START_MS + 60_000)]);
    assert_eq!(work.waiting(Lane::Backfill).await, Ok(Vec::new()));
    let due = work.due_of(&key(7)).await.expect("reads").expect("it is there");
    let claim = work.claim(&due, 90_000).await.expect("claims").expect("nobody was faster");
    assert_eq!(claim.wants, set(&["apply"]));
    assert_eq!(work.claim(&due, 90_000).await, Ok(None), "once");
}
