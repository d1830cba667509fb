//! Whole worlds with the real deskup in them.

use std::sync::Arc;

use stores::{Place, Store};

use super::{TrapAt, World, WorldError, WorldFaults, WorldOptions};
use crate::deskup::Deskup;
use crate::judge::{Details, Verdict};
use crate::progress::Silent;

async fn live(options: WorldOptions) -> (Verdict, Details) {
    let world = World::open(options).expect("a world in memory");
    let store = Store::embedded(Place::Memory, "demo", world.store_clock()).expect("a store in memory");
    let deskup: Arc<dyn Deskup> = world.deskup(store);
    match world.run(&deskup, &Silent).await {
        Ok(verdict) => verdict,
        Err(error) => panic!("{:?}", anyhow::Error::from(error)),
    }
}

fn check((verdict, details): (Verdict, Details)) {
    println!("{}", serde_json::to_string_pretty(&verdict).expect("a verdict"));
    println!("{:?}", details.classes());
    let faults = details.faults(12);
    assert!(faults.is_empty() && verdict.is_clean(), "{}", faults.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_small_world_comes_to_rest_in_step() {
    check(live(WorldOptions { tickets: 40, edits: 40, ..WorldOptions::default() }).await);
}

#[tokio::test(start_paused = true)]
async fn so_does_one_on_a_bad_day() {
    let faults = WorldFaults::rough();
    check(
        live(WorldOptions {
            tickets: 40,
            edits: 60,
            seed: 5,
            mischief: 6,
            faults,
            ..WorldOptions::default()
        })
        .await,
    );
}

#[tokio::test(start_paused = true)]
async fn so_does_one_that_loses_webhooks() {
    let faults = WorldFaults { webhook_drop: 0.3, ..WorldFaults::default() };
    check(live(WorldOptions { tickets: 30, edits: 60, seed: 11, faults, ..WorldOptions::default() }).await);
}

#[test]
fn a_world_that_is_opened_again_goes_on_later_and_refuses_to_be_another() {
    let dir = std::env::temp_dir().join(format!("deskup-world-again-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    let options = WorldOptions { tickets: 12, seed: 4, dir: Some(dir.clone()), ..Default::default() };
    let open = |options: &WorldOptions| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            let world = World::open(options.clone())?;
            world.seed(&Silent)?;
            tokio::time::sleep(std::time::Duration::from_secs(3_600)).await;
            world.phase("live")?;
            Ok::<_, WorldError>((world.now_ms(), world.access().incarnation, world.zendesk().tickets()))
        })
    };
    let (first_ms, first, tickets) = open(&options).expect("a new world");
    let (second_ms, second, again) = open(&options).expect("the same world");
    assert!(second_ms >= first_ms + 3_600_000, "{first_ms} {second_ms}");
    assert_eq!((first, second, tickets), (1, 2, again));
    let error = open(&WorldOptions { seed: 5, ..options }).expect_err("another seed");
    assert!(error.to_string().contains("12 tickets and seed 4"), "{error}");
    let _ = std::fs::remove_dir_all(&dir);
}

/// One process: opens the world and the store, and runs until the end or until it is killed.
fn process(options: &WorldOptions, trap: Option<(u64, TrapAt)>) -> Option<(Verdict, Details)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    // Dropping the runtime drops every task where it stands, as a kill does.
    runtime.expect("a runtime").block_on(async {
        let world = World::open(options.clone()).expect("the world's files");
        let place = Place::File(options.dir.as_ref().expect("a directory").join("state.sqlite"));
        let store = Store::embedded(place, "demo", world.store_clock()).expect("the store's file");
        let deskup: Arc<dyn Deskup> = world.deskup(store);
        if let Some((after, at)) = trap {
            world.wire().set_trap(after, at);
        }
        tokio::select! {
            biased;
            () = world.wire().trapped() => None,
            result = world.run(&deskup, &Silent) => match result {
                Ok(verdict) => Some(verdict),
                Err(error) => panic!("{:?}", anyhow::Error::from(error)),
            },
        }
    })
}

#[test]
fn a_world_that_is_killed_again_and_again_comes_to_rest_in_step() {
    let dir = std::env::temp_dir().join(format!("deskup-world-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("a directory");
    let options =
        WorldOptions { tickets: 30, edits: 40, seed: 3, dir: Some(dir.clone()), ..Default::default() };
    let mut random = fastrand::Rng::with_seed(3);
    let mut killed = 0;
    for _ in 0..20 {
        let at = if random.bool() { TrapAt::Before } else { TrapAt::After };
        killed += u32::from(process(&options, Some((random.u64(1..90), at))).is_none());
    }
    assert!(killed > 3, "killed {killed} times");
    check(process(&options, None).expect("nobody kills this one"));
    let _ = std::fs::remove_dir_all(&dir);
}
