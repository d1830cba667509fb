//! Service levels of tickets.

use stores::slas::Sla;

use crate::bench::{Bench, START_MS, task, ticket};

crate::on_every_table!(
    service_levels_are_listed_by_their_ends,
    what_was_told_later_stands_whichever_comes_first,
    one_that_is_over_is_listed_no_more,
);

const HOUR_MS: i64 = 3_600_000;

async fn listed(bench: &Bench, within_ms: i64) -> Vec<Sla> {
    bench.store.slas().until(START_MS + within_ms, 10).await.expect("the store can be read")
}

async fn service_levels_are_listed_by_their_ends(bench: &Bench) {
    let slas = bench.store.slas();
    let ends = [(1, 3 * HOUR_MS), (2, HOUR_MS), (3, 9 * HOUR_MS)];
    for (number, within_ms) in ends {
        let of = (number == 2).then(|| task("t2"));
        let breach_ms = Some(START_MS + within_ms);
        slas.note(ticket(number), of.as_ref(), START_MS, breach_ms).await.expect("notes");
    }
    let second = Sla { ticket: ticket(2), task: Some(task("t2")), breach_ms: START_MS + HOUR_MS };
    let first = Sla { ticket: ticket(1), task: None, breach_ms: START_MS + 3 * HOUR_MS };
    assert_eq!(listed(bench, 4 * HOUR_MS).await, [second.clone(), first]);
    assert_eq!(slas.until(START_MS + 4 * HOUR_MS, 1).await, Ok(vec![second]));
}

async fn what_was_told_later_stands_whichever_comes_first(bench: &Bench) {
    let slas = bench.store.slas();
    for (told_ms, breach_ms) in [(20, Some(2 * HOUR_MS)), (10, Some(HOUR_MS)), (15, None)] {
        let breach_ms = breach_ms.map(|ms| START_MS + ms);
        slas.note(ticket(1), None, START_MS + told_ms, breach_ms).await.expect("notes");
    }
    let ends: Vec<i64> = listed(bench, 4 * HOUR_MS).await.iter().map(|sla| sla.breach_ms).collect();
    assert_eq!(ends, [START_MS + 2 * HOUR_MS]);
}

async fn one_that_is_over_is_listed_no_more(bench: &Bench) {
    let slas = bench.store.slas();
    slas.note(ticket(1), None, START_MS, Some(START_MS + HOUR_MS)).await.expect("notes");
    slas.note(ticket(1), None, START_MS + 10, None).await.expect("notes");
    assert_eq!(listed(bench, 4 * HOUR_MS).await, []);
    // Told before it was over, and late.
    slas.note(ticket(1), None, START_MS + 5, Some(START_MS + HOUR_MS)).await.expect("notes");
    assert_eq!(listed(bench, 4 * HOUR_MS).await, []);
    slas.note(ticket(1), None, START_MS + 20, Some(START_MS + HOUR_MS)).await.expect("notes");
    assert_eq!(listed(bench, 4 * HOUR_MS).await.len(), 1, "the next target");
}
