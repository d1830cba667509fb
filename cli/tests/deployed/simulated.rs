//! What steps ask the table for on days that a short test of the stack does not see: in worlds with mischief, with faults of
//! the services and of the table, without webhooks, with marks in Zendesk, and in a pilot; all in this process.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::TicketId;
use stores::work::Hint;
use stores::{FaultPlan, Lane, Place, Store, WorkKey};
use world::{Deskup, Instance, InstanceOptions, Silent, World, WorldFaults, WorldOptions};

use crate::grants::Called;

/// A change of the settings: what is put in the place of what.
type Change = (&'static str, &'static str);

const MARKS: Change = ("[sync]\n", "[sync]\nlink_back = \"external_id\"\nadopt = \"link\"\n");
const PILOT: Change = ("closed = true", "closed = true\nlimit = 10");

/// In this world nothing is backfilled: who is linked, live work has linked.
const ALREADY_LIVE: u64 = 6;

/// Every action that a step has asked for, as its function would.
pub fn calls() -> BTreeSet<Called> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let silent = WorldFaults { webhook_drop: 1.0, ..WorldFaults::default() };
    let days = [
        (1, WorldFaults::rough(), None),
        (2, WorldFaults::rough(), None),
        (3, WorldFaults::rough(), Some(MARKS)),
        (4, silent, None),
        (5, WorldFaults::default(), Some(PILOT)),
        (ALREADY_LIVE, WorldFaults::default(), Some(PILOT)),
    ];
    let mut calls = BTreeSet::new();
    for (seed, faults, change) in days {
        for (step, action) in runtime.block_on(made(seed, faults, change)) {
            calls.insert(Called { function: step.to_owned(), action: format!("dynamodb:{action}") });
        }
    }
    calls
}

async fn made(
    seed: u64,
    faults: WorldFaults,
    change: Option<Change>,
) -> BTreeSet<(&'static str, &'static str)> {
    let options =
        WorldOptions { tickets: 40, edits: 60, seed, mischief: 20, faults, ..WorldOptions::default() };
    let world = World::open(options).unwrap();
    let hostile = FaultPlan::hostile(seed);
    let store = Store::embedded_with(Place::Memory, "main", world.store_clock(), hostile).unwrap();
    let mut made = InstanceOptions::of(&world, store.clone());
    if let Some((from, to)) = change {
        assert!(made.settings.contains(from), "{}", made.settings);
        made.settings = made.settings.replace(from, to);
    }
    let deskup: Arc<dyn Deskup> = Instance::new(made);
    world.seed(&Silent).unwrap();
    world.connect(Some(deskup.clone()));
    world.prepare(deskup.as_ref()).await.unwrap();
    if seed == ALREADY_LIVE {
        hint_all(&world, &store).await;
        world.live(deskup.as_ref()).unwrap();
    } else {
        world.backfill(deskup.as_ref(), &Silent).await.unwrap();
        world.live(deskup.as_ref()).unwrap();
        world.play(&Silent).await.unwrap();
    }
    world.settle(deskup.as_ref()).await.unwrap();
    deskup.stop().await;
    store.operations().made
}

async fn hint_all(world: &World, store: &Store) {
    for ticket in world.zendesk().tickets() {
        let key = WorkKey::Ticket(TicketId::new(ticket["id"].as_u64().unwrap()).unwrap());
        let hint = Hint { lane: Lane::Live, delay_ms: 0, wants: &["zendesk"], event_ms: 0, queue: None };
        store.work().hint(&key, hint).await.unwrap();
    }
}
