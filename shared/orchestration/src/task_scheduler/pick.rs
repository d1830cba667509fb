//! Which of many due records go first. Pure.

use std::collections::{BTreeMap, VecDeque};

use stores::WorkKey;
use stores::work::Due;

/// Up to `limit` of the due rows, in the order in which they are to be served: in turn one of each queue, the queue first
/// whose next row has the earliest deadline; in a queue by deadline. Without one of its own a row has to be served
/// `bound_ms` after it was due, so that nobody is overtaken for ever.
pub(super) fn pick(
    rows: Vec<Due>,
    limit: usize,
    bound_ms: i64,
    deadlines: &BTreeMap<WorkKey, i64>,
) -> Vec<Due> {
    let mut queues: BTreeMap<Option<String>, VecDeque<(i64, Due)>> = BTreeMap::new();
    let mut rows: Vec<(i64, Due)> = rows
        .into_iter()
        .map(|row| {
            let usual = row.at_ms() + bound_ms;
            (deadlines.get(&row.key).map_or(usual, |own| usual.min(*own)), row)
        })
        .collect();
    rows.sort_by(|a, b| (a.0, &a.1.ds).cmp(&(b.0, &b.1.ds)));
    for (deadline, row) in rows {
        let queue = row.queue().map(str::to_owned);
        queues.entry(queue).or_default().push_back((deadline, row));
    }
    let mut picked = Vec::new();
    while picked.len() < limit && !queues.is_empty() {
        // One round: the heads of all queues, by deadline.
        let mut heads: Vec<(i64, Due)> = queues.values_mut().filter_map(VecDeque::pop_front).collect();
        heads.sort_by(|a, b| (a.0, &a.1.ds).cmp(&(b.0, &b.1.ds)));
        picked.extend(heads.into_iter().map(|(_, row)| row));
        queues.retain(|_, queue| !queue.is_empty());
    }
    picked.truncate(limit);
    picked
}

#[cfg(test)]
mod tests {
    use domain::TicketId;
    use proptest::prelude::*;

    use super::*;

    const BOUND_MS: i64 = 60_000;

    fn row(ticket: u64, due_ms: i64, queue: Option<u8>) -> Due {
        let key = WorkKey::Ticket(TicketId::new(ticket).expect("it is not zero"));
        let queue = queue.map(|queue| format!("@q{queue}")).unwrap_or_default();
        Due { ds: format!("{due_ms:015}#{key}{queue}"), key }
    }

    fn key(ticket: u64) -> WorkKey {
        row(ticket, 0, None).key
    }

    fn tickets(rows: &[Due]) -> Vec<String> {
        rows.iter().map(|row| row.key.to_string()).collect()
    }

    #[test]
    fn a_quiet_queue_does_not_wait_for_a_noisy_one() {
        let mut rows: Vec<Due> = (1..=100).map(|n| row(n, 1_000, Some(1))).collect();
        rows.push(row(500, 9_000, Some(2)));
        let picked = pick(rows, 4, BOUND_MS, &BTreeMap::new());
        assert_eq!(tickets(&picked)[1], "T#500");
    }

    #[test]
    fn a_service_level_that_ends_soon_goes_before_what_was_due_earlier() {
        let rows = vec![row(1, 1_000, Some(1)), row(2, 2_000, Some(1)), row(3, 3_000, Some(1))];
        let soon = BTreeMap::from([(key(3), 30_000)]);
        assert_eq!(tickets(&pick(rows.clone(), 2, BOUND_MS, &soon)), ["T#3", "T#1"]);
        let far = BTreeMap::from([(key(3), 10_000_000)]);
        assert_eq!(
            tickets(&pick(rows, 2, BOUND_MS, &far)),
            ["T#1", "T#2"],
            "a far one gives no right to wait"
        );
    }

    fn rows() -> impl Strategy<Value = Vec<Due>> {
        let one = (0_i64..100_000, proptest::option::of(0_u8..4));
        proptest::collection::vec(one, 0..60).prop_map(|rows| {
            rows.into_iter().zip(1..).map(|((due_ms, queue), ticket)| row(ticket, due_ms, queue)).collect()
        })
    }

    proptest! {
        #[test]
        fn each_queue_gets_its_part_and_the_most_pressing_of_it(
            rows in rows(),
            limit in 1_usize..50,
            pressing in proptest::collection::btree_map(1_u64..60, 0_i64..100_000, 0..6),
        ) {
            let deadlines: BTreeMap<WorkKey, i64> =
                pressing.into_iter().map(|(ticket, at_ms)| (key(ticket), at_ms)).collect();
            let deadline = |row: &Due| {
                let usual = row.at_ms() + BOUND_MS;
                deadlines.get(&row.key).map_or(usual, |own| usual.min(*own))
            };
            let picked = pick(rows.clone(), limit, BOUND_MS, &deadlines);
            prop_assert_eq!(picked.len(), limit.min(rows.len()));
            let mut queues: BTreeMap<Option<&str>, (usize, usize)> = BTreeMap::new();
            for row in &rows {
                queues.entry(row.queue()).or_default().0 += 1;
            }
            for row in &picked {
                queues.entry(row.queue()).or_default().1 += 1;
            }
            let most = queues.values().map(|(_, taken)| *taken).max().unwrap_or(0);
            for (waiting, taken) in queues.values() {
                prop_assert!(*taken + 1 >= most || taken == waiting, "a queue got less and has more");
            }
            for left in rows.iter().filter(|row| !picked.contains(row)) {
                for taken in picked.iter().filter(|taken| taken.queue() == left.queue()) {
                    prop_assert!(deadline(taken) <= deadline(left), "{:?} before {:?}", taken, left);
                }
            }
        }
    }
}
