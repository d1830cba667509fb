//! Deliveries of finished edits, in every order and again and again: one state comes of them.

use std::collections::BTreeSet;

use domain::{Evidence, FieldKey, Side, Timestamp, UserId};

use crate::echo::Pair;
use crate::sample::{mapping, ticket};

/// What a delivery tells: which field of which side, and when.
type Told = (Side, FieldKey, i64);

/// Six edits of people, three on each side; two fields were changed on both.
fn edited() -> (Pair, Vec<Told>) {
    let mut pair = Pair::new(ticket(), mapping());
    pair.ticket.subject = Some("Changed in Zendesk".into());
    pair.ticket.priority = Some("urgent".into());
    pair.ticket.tags.insert("vip".into());
    pair.task.name = "Changed in ClickUp".into();
    pair.task.assignees = [UserId(103)].into();
    pair.task.tags.remove("printer");
    let told = [
        (Side::Zendesk, FieldKey::Title),
        (Side::Clickup, FieldKey::Title),
        (Side::Zendesk, FieldKey::Priority),
        (Side::Clickup, FieldKey::Tags),
        (Side::Zendesk, FieldKey::Tags),
        (Side::Clickup, FieldKey::Assignee),
    ];
    let times = (0..).map(|n| 1_700_000_200_000 + n * 1_000);
    (pair, told.into_iter().zip(times).map(|((side, field), at)| (side, field, at)).collect())
}

/// All orders of so many.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for next in 0..count {
        all = all
            .iter()
            .flat_map(|order: &Vec<usize>| {
                (0..=order.len()).map(|at| {
                    let mut longer = order.clone();
                    longer.insert(at, next);
                    longer
                })
            })
            .collect();
    }
    all
}

/// What both sides hold, what they agree on, and what is kept for a person.
fn end(order: &[usize], random: &mut fastrand::Rng) -> String {
    let (mut pair, told) = edited();
    let mut evidence = Evidence::default();
    for (position, delivery) in order.iter().enumerate() {
        // Every delivery may come again with a later one.
        let again = random.usize(..=position);
        for (side, field, at) in [*delivery, order[again]].map(|n| &told[n]) {
            evidence.changed.insert((*side, field.clone()), Timestamp(*at));
            let decision = pair.decide_with(&evidence);
            pair.apply(&decision);
        }
    }
    assert!(pair.decide_with(&evidence).is_empty(), "{order:?}");
    let bases: Vec<_> = pair.fields.iter().map(|(key, base)| (key, &base.z, &base.c, base.parted)).collect();
    let kept: BTreeSet<String> = pair
        .kept
        .iter()
        .map(|row| format!("{:?} {:?} {:?} {:?}", row.field, row.cause, row.zendesk, row.clickup))
        .collect();
    format!("{:?}\n{:?}\n{bases:?}\n{kept:?}", pair.ticket, pair.task)
}

#[test]
fn all_orders_and_repetitions_of_six_deliveries_end_in_one_state() {
    let mut random = fastrand::Rng::with_seed(6);
    let orders = orders(6);
    assert_eq!(orders.len(), 720);
    let ends: BTreeSet<String> = orders.iter().map(|order| end(order, &mut random)).collect();
    assert_eq!(ends.len(), 1, "{:#?}", ends.iter().take(2).collect::<Vec<_>>());
    let end = ends.first().unwrap();
    assert!(end.contains("BothChanged"), "what lost is kept: {end}");
}
