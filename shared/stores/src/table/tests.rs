//! What holds for every write: newer rows are left alone, unknown attributes survive, a lost reply is settled
//! by the item, and nothing depends on anything but the seed.

use std::sync::Arc;

use super::{Key, Write, Wrote};
use crate::error::StoreError;
use crate::faults::FaultPlan;
use crate::row::{Kind, Row, number, text};
use crate::schema::{LEAST, VERSION};
use crate::store::Store;
use crate::{Lane, Place, WorkKey};

const KIND: Kind = Kind::new("test item", 1_000);

fn store(faults: FaultPlan) -> Store {
    Store::embedded_with(Place::Memory, "t", Arc::new(|| 1_700_000_000_000), faults)
        .expect("a store in memory opens")
}

fn key() -> Key {
    Key::new("t#X", "ITEM")
}

async fn read(store: &Store) -> Row {
    store.get(KIND, &key(), true).await.expect("reads").expect("it is there")
}

/// Puts an item as a newer version of this code would.
async fn put_newer(store: &Store, mr: u32) {
    let write = Write::update(KIND, &key())
        .set_by("#future = :future")
        .value(":future", text("kept"))
        .set("n", number(1));
    store.write(write).await.expect("writes");
    let raise = store.client().update_item().table_name(store.table()).set_key(Some(key().item()));
    raise
        .update_expression("SET #mr = :mr, #v = :mr")
        .expression_attribute_names("#mr", "mr")
        .expression_attribute_names("#v", "v")
        .expression_attribute_values(":mr", number(mr))
        .send()
        .await
        .expect("raises");
}

#[tokio::test(start_paused = true)]
async fn rows_that_need_newer_code_are_left_alone() {
    let store = store(FaultPlan::none());
    put_newer(&store, VERSION + 1).await;
    let newer = StoreError::NewerRecord { item: "test item", needs: VERSION + 1, ours: VERSION };
    let update = store.write(Write::update(KIND, &key()).set("n", number(2))).await;
    assert_eq!(update.err(), Some(newer.clone()));
    let delete = store.write(Write::delete(KIND, &key())).await;
    assert_eq!(delete.err(), Some(newer.clone()));
    let put = store.write(Write::put_new(KIND, &key())).await;
    assert_eq!(put.err(), Some(newer), "also where the item is only in the way");
    assert_eq!(read(&store).await.number::<u32>("n"), Ok(1), "reading is allowed");
}

#[tokio::test(start_paused = true)]
async fn what_a_newer_version_added_survives_an_update() {
    let store = store(FaultPlan::none());
    put_newer(&store, VERSION).await;
    store.write(Write::update(KIND, &key()).set("n", number(2))).await.expect("writes");
    let row = read(&store).await;
    assert_eq!((row.text("future").as_deref(), row.number::<u32>("n")), (Ok("kept"), Ok(2)));
    assert_eq!(row.number::<u32>("mr"), Ok(VERSION));
}

#[tokio::test(start_paused = true)]
async fn every_item_says_what_it_is() {
    let store = store(FaultPlan::none());
    let hint = crate::work::Hint { lane: Lane::Live, delay_ms: 0, wants: &["z"], event_ms: 0, queue: None };
    store.work().hint(&WorkKey::Ticket(domain::TicketId::new(7).expect("an id")), hint).await.expect("hints");
    store.write(Write::put_new(KIND, &key())).await.expect("puts");
    for (key, name) in [(Key::new("t#T#7", "WORK"), "work row"), (key(), "test item")] {
        let row = store.get(KIND, &key, true).await.expect("reads").expect("it is there");
        assert_eq!(
            (row.text("t").as_deref(), row.number("v"), row.number("mr")),
            (Ok(name), Ok(VERSION), Ok(LEAST))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_reply_is_lost_happens_once() {
    // Half of all replies are lost, so most of these writes are sent more than once.
    for seed in 0..40 {
        let store = store(FaultPlan { seed, lost_reply: 0.5, ..FaultPlan::none() });
        let add = || Write::update(KIND, &key()).add("n", 1).returning();
        for n in 1..=5 {
            match store.write(add()).await {
                Ok(Wrote::Yes(item)) => {
                    assert_eq!(Row::new(KIND, item).number::<u32>("n"), Ok(n), "seed {seed}")
                }
                // Six losses in a row: said to be unknown, never guessed.
                Err(StoreError::Unknown { .. }) => break,
                other => panic!("seed {seed}: {other:?}"),
            }
        }
        let put = store.write(Write::put_new(KIND, &Key::new("t#X", "OTHER")).set("n", number(1))).await;
        assert!(matches!(put, Ok(Wrote::Yes(_)) | Err(StoreError::Unknown { .. })), "seed {seed}: {put:?}");
        let delete = store.write(Write::delete(KIND, &Key::new("t#X", "OTHER"))).await;
        assert!(
            matches!(delete, Ok(Wrote::Yes(_)) | Err(StoreError::Unknown { .. })),
            "seed {seed}: {delete:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn another_writer_is_not_mistaken_for_us() {
    let store = store(FaultPlan { seed: 3, lost_reply: 0.5, ..FaultPlan::none() });
    let first = store.write(Write::put_new(KIND, &key()).set("n", number(1))).await.expect("puts");
    assert!(first.happened());
    for _ in 0..20 {
        match store.write(Write::put_new(KIND, &key()).set("n", number(2))).await {
            Ok(Wrote::No(Some(item))) => assert_eq!(Row::new(KIND, item).number::<u32>("n"), Ok(1)),
            Err(StoreError::Unknown { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_always_busy_is_said_to_be() {
    for (plan, name) in [
        (FaultPlan { throttle: 1.0, ..FaultPlan::none() }, "throttled"),
        (FaultPlan { conflict: 1.0, ..FaultPlan::none() }, "in conflict"),
    ] {
        let store = store(plan);
        let refused = store.write(Write::update(KIND, &key()).set("n", number(1))).await;
        assert_eq!(refused.err(), Some(StoreError::Throttled { operation: "UpdateItem" }), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_makes_the_same_run() {
    async fn run() -> (crate::Operations, Vec<String>, u128) {
        let start = tokio::time::Instant::now();
        let store = store(FaultPlan::hostile(11));
        let mut tokens = Vec::new();
        for n in 1..=50 {
            let record = WorkKey::Ticket(domain::TicketId::new(n).expect("an id"));
            let hint =
                crate::work::Hint { lane: Lane::Live, delay_ms: 0, wants: &["z"], event_ms: 0, queue: None };
            store.work().hint(&record, hint).await.expect("hints");
        }
        for due in store.work().due(Lane::Live, 50).await.expect("asks").rows {
            let claim = store.work().claim(&due, 1_000).await.expect("claims").expect("nobody else");
            tokens.push(format!("{} {}", claim.key, claim.token));
        }
        (store.operations(), tokens, start.elapsed().as_millis())
    }
    let first = run().await;
    assert!(first.2 > 0, "some requests were repeated after a wait");
    assert_eq!(first, run().await);
}
