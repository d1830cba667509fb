//! Seats of a pilot.

use std::collections::BTreeSet;

use domain::TicketId;

use crate::bench::{Bench, ticket};

crate::on_every_table!(
    seats_go_by_order_and_stay,
    whoever_is_linked_already_counts,
    nobody_gets_the_seat_of_another_at_the_same_time,
);

fn tickets(numbers: &[u64]) -> Vec<TicketId> {
    numbers.iter().copied().map(ticket).collect()
}

async fn seats_go_by_order_and_stay(bench: &Bench) {
    let seats = bench.store.seats();
    let first = seats.take(&tickets(&[9, 3, 7]), 2).await.expect("takes");
    assert_eq!(first, BTreeSet::from([ticket(3), ticket(9)]));
    assert_eq!(
        seats.take(&tickets(&[7, 9]), 2).await,
        Ok(BTreeSet::from([ticket(9)])),
        "who has one keeps it"
    );
    assert_eq!(seats.take(&tickets(&[7, 1]), 3).await, Ok(BTreeSet::from([ticket(7)])), "one seat more");
    assert_eq!(seats.taken().await.map(|taken| taken.len()), Ok(3));
}

async fn whoever_is_linked_already_counts(bench: &Bench) {
    let seats = bench.store.seats();
    seats.note(&tickets(&[1, 2, 3])).await.expect("notes");
    assert_eq!(seats.take(&tickets(&[4, 2]), 2).await, Ok(BTreeSet::from([ticket(2)])));
}

async fn nobody_gets_the_seat_of_another_at_the_same_time(bench: &Bench) {
    let seats = bench.store.seats();
    let mut takers = tokio::task::JoinSet::new();
    for number in 1..=12 {
        let store = bench.store.clone();
        takers.spawn(async move { store.seats().take(&[ticket(number)], 5).await.expect("takes").len() });
    }
    let got: usize = takers.join_all().await.into_iter().sum();
    assert_eq!((got, seats.taken().await.map(|taken| taken.len())), (5, Ok(5)));
}
