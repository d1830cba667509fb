//! Links, pointers and leases.

use std::collections::BTreeMap;

use domain::{FieldBase, FieldKey, LinkFields, Side, Value};
use stores::links::{Link, LinkState, LinkedAs, OwnValue, Pointer};
use stores::{Intended, StoreError};

use crate::bench::{Bench, task, ticket};

crate::on_every_table!(
    a_link_goes_from_intent_to_linked,
    an_intent_is_put_once,
    an_unknown_create_is_probed_and_tried_again,
    a_change_over_an_old_version_is_refused,
    an_older_fence_cannot_write,
    everything_in_a_link_reads_back,
    a_task_belongs_to_one_ticket,
    many_links_are_read_at_once,
    all_links_are_found_page_by_page,
    each_link_is_in_one_segment,
    a_link_that_grows_too_large_is_refused,
    a_lease_has_one_holder_and_a_growing_fence,
);

pub fn fields() -> LinkFields {
    let base = |z: Value, c: Value| FieldBase { z, c, ..FieldBase::default() };
    let tags = Value::Set(["a", "b c"].map(str::to_owned).into());
    BTreeMap::from([
        (FieldKey::Title, base(Value::Text("Ä title\n\"quoted\"".into()), Value::Hash("ab".into()))),
        (FieldKey::Custom("order".into()), FieldBase { parted: true, rounds: 2, ..FieldBase::default() }),
        (FieldKey::Tags, base(tags.clone(), tags)),
        (FieldKey::DueDate, base(Value::Date(-1), Value::Null)),
    ])
}

pub fn linked_as(id: &str) -> LinkedAs {
    LinkedAs {
        task: task(id),
        list: Some("901".parse().expect("an id")),
        routes: "r1".into(),
        fields: fields(),
        z_stamp: "2026-11-22T10:00:00Z".into(),
        c_updated: 1_700_000_000_123,
        cz: Some("17".into()),
        cc: None,
        origin: "backfill#1".into(),
    }
}

pub async fn linked(bench: &Bench, n: u64) -> Link {
    let links = bench.store.links();
    let (Intended::New(link) | Intended::Existing(link)) =
        links.intend(ticket(n), "n1", 1, "x", &stores::links::Sent::default()).await.expect("intends");
    links.put_pointer(&task(&format!("t{n}")), ticket(n), "n1").await.expect("points");
    links.linked(&link, linked_as(&format!("t{n}"))).await.expect("links")
}

async fn a_link_goes_from_intent_to_linked(bench: &Bench) {
    let link = linked(bench, 7).await;
    assert_eq!(link.state, LinkState::Linked);
    assert_eq!(link.fields, fields());
    assert_eq!(bench.store.links().get(ticket(7)).await, Ok(Some(link)));
    let pointer = Pointer { ticket: ticket(7), nonce: "n1".into() };
    assert_eq!(bench.store.links().pointer(&task("t7")).await, Ok(Some(pointer)));
    assert_eq!(bench.store.links().get(ticket(8)).await, Ok(None));
}

async fn an_intent_is_put_once(bench: &Bench) {
    let links = bench.store.links();
    let Intended::New(first) =
        links.intend(ticket(7), "n1", 1, "x", &stores::links::Sent::default()).await.expect("intends")
    else {
        panic!("nobody was before")
    };
    let second =
        links.intend(ticket(7), "n2", 2, "y", &stores::links::Sent::default()).await.expect("finds it");
    assert_eq!(second, Intended::Existing(first));
}

async fn an_unknown_create_is_probed_and_tried_again(bench: &Bench) {
    let links = bench.store.links();
    let (Intended::New(intent) | Intended::Existing(intent)) =
        links.intend(ticket(7), "n1", 1, "x", &stores::links::Sent::default()).await.expect("intends");
    let probe = links.mark_probe(&intent, bench.now_ms() + 5).await.expect("marks");
    assert_eq!((probe.state, probe.probe_ms), (LinkState::Probe, bench.now_ms() + 5));
    let again = links.renew_intent(&probe, "n2", "y", &stores::links::Sent::default()).await.expect("renews");
    assert_eq!(
        (again.state, again.nonce.as_str(), again.nonces.as_slice()),
        (LinkState::Intent, "n2", &["n1".into()][..])
    );
    let late = links.linked(&intent, linked_as("t7")).await;
    assert_eq!(late, Err(StoreError::Stale { item: "link" }), "the old nonce no longer links");
    assert_eq!(links.linked(&again, linked_as("t7")).await.expect("links").state, LinkState::Linked);
}

async fn a_change_over_an_old_version_is_refused(bench: &Bench) {
    let links = bench.store.links();
    let read = linked(bench, 7).await;
    let mut change = read.clone();
    change.z_stamp = "later".into();
    let written = links.update(&change, 1).await.expect("updates");
    assert_eq!((written.ver, written.z_stamp.as_str()), (read.ver + 1, "later"));
    assert!(links.update(&change, 1).await.is_err_and(|error| error.is_stale()));
    let closed = links.set_state(&written, LinkState::Closed, 1).await.expect("closes");
    assert_eq!((closed.state, closed.fields), (LinkState::Closed, fields()));
}

async fn an_older_fence_cannot_write(bench: &Bench) {
    let links = bench.store.links();
    let link = linked(bench, 7).await;
    let newer = links.update(&link, 5).await.expect("a higher fence writes");
    assert!(links.update(&newer, 4).await.is_err_and(|error| error.is_stale()));
    assert!(links.set_state(&newer, LinkState::Suspended, 4).await.is_err_and(|error| error.is_stale()));
    assert_eq!(links.get(ticket(7)).await.expect("reads").map(|link| link.fence), Some(5));
}

async fn everything_in_a_link_reads_back(bench: &Bench) {
    let links = bench.store.links();
    let mut link = linked(bench, 7).await;
    link.own = vec![OwnValue {
        side: Side::Clickup,
        field: FieldKey::Status,
        value: Value::Text("done".into()),
        effect: "e1".into(),
        until_ms: 9,
    }];
    link.cc = Some("c9".into());
    link.cz = None;
    link.z_bucket = (1_700_000_000_000, 28);
    link.nonces = vec!["n0".into()];
    let written = links.update(&link, 1).await.expect("updates");
    assert_eq!(written, Link { ver: link.ver + 1, ..link.clone() });
    assert_eq!(links.get(ticket(7)).await, Ok(Some(written.clone())));
    let emptied = Link { own: Vec::new(), z_bucket: (0, 0), cc: None, ..written };
    let emptied = links.update(&emptied, 1).await.expect("updates");
    assert_eq!(links.get(ticket(7)).await, Ok(Some(emptied)), "what is gone does not come back");
}

async fn a_task_belongs_to_one_ticket(bench: &Bench) {
    let links = bench.store.links();
    links.put_pointer(&task("t1"), ticket(7), "n1").await.expect("points");
    links.put_pointer(&task("t1"), ticket(7), "n2").await.expect("again, for the same ticket");
    let taken = links.put_pointer(&task("t1"), ticket(8), "n3").await;
    assert_eq!(taken, Err(StoreError::TaskTaken { ticket: ticket(7) }));
    assert_eq!(links.pointer(&task("t1")).await.expect("reads").map(|p| p.nonce), Some("n2".into()));
}

async fn many_links_are_read_at_once(bench: &Bench) {
    let links = bench.store.links();
    for n in 1..=120 {
        links.intend(ticket(n * 2), "n", 1, "x", &stores::links::Sent::default()).await.expect("intends");
    }
    let asked: Vec<_> = (1..=250).map(ticket).collect();
    let found = links.get_many(&asked).await.expect("reads");
    let expected: Vec<_> = (1..=120).map(|n| ticket(n * 2)).collect();
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), expected);
    assert_eq!(links.get_many(&[]).await, Ok(BTreeMap::new()));
}

async fn all_links_are_found_page_by_page(bench: &Bench) {
    for n in 1..=30 {
        linked(bench, n).await;
    }
    let mut found = Vec::new();
    let mut from = None;
    loop {
        let page = bench.store.links().scan(from.as_ref()).await.expect("scans");
        found.extend(page.links.into_iter().map(|link| link.ticket.get()));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    found.sort_unstable();
    assert_eq!(found, (1..=30).collect::<Vec<_>>(), "links, and not the pointers that share their sort key");
}

async fn each_link_is_in_one_segment(bench: &Bench) {
    for n in 1..=60 {
        linked(bench, n).await;
    }
    let mut found = Vec::new();
    for segment in 0..7 {
        let before = found.len();
        let mut from = None;
        loop {
            let page = bench.store.links().segment(segment, 7, from.as_ref()).await.expect("scans");
            found.extend(page.links.into_iter().map(|link| link.ticket.get()));
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        assert!(found.len() - before < 40, "segment {segment} has more than its share");
    }
    found.sort_unstable();
    assert_eq!(found, (1..=60).collect::<Vec<_>>());
}

async fn a_link_that_grows_too_large_is_refused(bench: &Bench) {
    let link = linked(bench, 7).await;
    let mut large = link.clone();
    for n in 0..400 {
        let base = FieldBase { z: Value::Text("x".repeat(200)), ..FieldBase::default() };
        large.fields.insert(FieldKey::Custom(format!("field{n}")), base);
    }
    let refused = bench.store.links().update(&large, 1).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { item: "link", limit: 65_536, .. })), "{refused:?}");
    assert_eq!(bench.store.links().get(ticket(7)).await, Ok(Some(link)), "nothing was half-written");
}

async fn a_lease_has_one_holder_and_a_growing_fence(bench: &Bench) {
    let leases = bench.store.leases();
    let first = leases.acquire(ticket(7), "a", 60_000).await.expect("asks").expect("nobody has it");
    assert_eq!(leases.acquire(ticket(7), "b", 60_000).await, Ok(None));
    leases.release(&first).await.expect("releases");
    let second = leases.acquire(ticket(7), "b", 60_000).await.expect("asks").expect("it is free");
    assert!(second.fence > first.fence);
    leases.release(&first).await.expect("a late release is harmless");
    assert_eq!(leases.acquire(ticket(7), "a", 60_000).await, Ok(None), "it did not free another's lease");
    bench.pass(60_001);
    let third = leases.acquire(ticket(7), "a", 60_000).await.expect("asks").expect("it ran out");
    assert!(third.fence > second.fence);
}
