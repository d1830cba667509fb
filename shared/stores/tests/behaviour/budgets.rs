//! Budget windows: never overdrawn, whoever books.

use proptest::prelude::*;
use stores::Store;
use stores::budgets::{Grant, WindowKey};

use crate::bench::{Bench, START_MS};

crate::on_every_table!(
    a_window_grants_its_limit_and_no_more,
    a_reserve_is_kept,
    what_the_service_saw_counts,
    a_429_ends_a_window,
    what_is_given_back_can_be_booked,
    a_raised_limit_holds_for_all,
);

const RESET_MS: i64 = START_MS + 60_000;

fn window() -> WindowKey {
    WindowKey { api: "clickup".into(), bucket: "token".into(), start_ms: START_MS }
}

async fn grant(store: &Store, k: u32, reserve_percent: u32) -> u32 {
    match store.budgets().grant(&window(), k, 100, reserve_percent, RESET_MS).await.expect("books") {
        Grant::Granted { until_ms, .. } => {
            assert_eq!(until_ms, RESET_MS);
            k
        }
        Grant::Empty { until_ms, .. } => {
            assert_eq!(until_ms, RESET_MS);
            0
        }
    }
}

async fn used(bench: &Bench) -> u32 {
    bench.store.budgets().get(&window()).await.expect("reads").expect("it was opened").used
}

async fn a_window_grants_its_limit_and_no_more(bench: &Bench) {
    let mut granted = 0;
    for _ in 0..6 {
        granted += grant(&bench.store, 25, 0).await;
    }
    // A lost reply may book twice, which is on the safe side.
    assert!(granted <= 100, "{granted}");
    assert!(used(bench).await <= 100);
    let next = WindowKey { start_ms: RESET_MS, ..window() };
    let fresh = bench.store.budgets().grant(&next, 25, 100, 0, RESET_MS + 60_000).await;
    assert!(matches!(fresh, Ok(Grant::Granted { .. })), "{fresh:?}");
}

async fn a_reserve_is_kept(bench: &Bench) {
    for _ in 0..20 {
        grant(&bench.store, 10, 20).await;
    }
    assert!(used(bench).await <= 80);
    let empty = bench.store.budgets().grant(&window(), 10, 100, 20, RESET_MS).await.expect("books");
    assert!(matches!(empty, Grant::Empty { left: 0, .. }), "{empty:?}");
    assert_eq!(grant(&bench.store, 10, 0).await, 10, "the reserve is there for others");
    let refused =
        bench.store.budgets().grant(&WindowKey { bucket: "b".into(), ..window() }, 9, 10, 20, RESET_MS).await;
    assert!(matches!(refused, Ok(Grant::Empty { left: 8, .. })), "a first booking keeps it too: {refused:?}");
}

async fn what_the_service_saw_counts(bench: &Bench) {
    let budgets = bench.store.budgets();
    grant(&bench.store, 10, 0).await;
    budgets.seen_used(&window(), 95, 100, RESET_MS).await.expect("notes");
    budgets.seen_used(&window(), 20, 100, RESET_MS).await.expect("an older header changes nothing");
    assert_eq!(used(bench).await, 95);
    assert_eq!(grant(&bench.store, 10, 0).await, 0);
    assert_eq!(grant(&bench.store, 5, 0).await, 5);
}

async fn a_429_ends_a_window(bench: &Bench) {
    grant(&bench.store, 10, 0).await;
    bench.store.budgets().spent(&window(), 100, RESET_MS).await.expect("notes");
    assert_eq!(grant(&bench.store, 1, 0).await, 0);
    let other = WindowKey { bucket: "fresh".into(), ..window() };
    bench.store.budgets().spent(&other, 100, RESET_MS).await.expect("notes in a window nobody opened");
    let refused = bench.store.budgets().grant(&other, 1, 100, 0, RESET_MS).await;
    assert!(matches!(refused, Ok(Grant::Empty { left: 0, .. })), "{refused:?}");
}

async fn what_is_given_back_can_be_booked(bench: &Bench) {
    let budgets = bench.store.budgets();
    budgets.seen_used(&window(), 100, 100, RESET_MS).await.expect("notes");
    budgets.give_back(&window(), 10).await.expect("returns");
    assert_eq!(used(bench).await, 90);
    assert_eq!(grant(&bench.store, 10, 0).await, 10);
    bench.pass(60_000);
    budgets.give_back(&window(), 10).await.expect("too late, and harmless");
    assert_eq!(used(bench).await, 100);
}

async fn a_raised_limit_holds_for_all(bench: &Bench) {
    let budgets = bench.store.budgets();
    budgets.seen_used(&window(), 100, 100, RESET_MS).await.expect("opens");
    budgets.seen_limit(&window(), 300).await.expect("notes");
    let grant = budgets.grant(&window(), 25, 100, 0, RESET_MS).await;
    let stands = matches!(grant, Ok(Grant::Granted { limit: 300, .. }));
    assert!(stands, "the row's limit counts, not the caller's: {grant:?}");
}

/// Several callers at once, with lost replies and throttling between them, waits and all.
async fn many_callers(seed: u64, limit: u32, sizes: Vec<(u32, u32)>) -> (u32, u32) {
    let bench = Bench::hostile(seed);
    let mut tasks = Vec::new();
    for (k, reserve) in sizes {
        let store = bench.store.clone();
        tasks.push(tokio::spawn(async move {
            match store.budgets().grant(&window(), k, limit, reserve, RESET_MS).await {
                Ok(Grant::Granted { .. }) => k,
                // What the store did not answer is not sent.
                Ok(Grant::Empty { .. }) | Err(_) => 0,
            }
        }));
    }
    let mut granted = 0;
    for task in tasks {
        granted += task.await.expect("no panic");
    }
    let booked = bench.store.budgets().get(&window()).await.expect("reads").map_or(0, |window| window.used);
    (granted, booked)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is asked for by whomever, in whatever order replies are lost: what is granted is booked, and
    /// what is booked is within the limit.
    #[test]
    fn a_window_is_never_overdrawn(
        seed in any::<u64>(),
        limit in 1_u32..200,
        sizes in proptest::collection::vec((1_u32..=25, prop_oneof![Just(0_u32), Just(10), Just(20)]), 1..30),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let (granted, booked) = runtime.expect("a runtime").block_on(many_callers(seed, limit, sizes));
        prop_assert!(granted <= booked, "{granted} granted, {booked} booked");
        prop_assert!(booked <= limit, "{booked} of {limit}");
    }
}

/// Real threads on one store: compare-and-set holds without any help of the runtime.
#[test]
fn threads_share_a_window() {
    let bench = Bench::memory();
    let granted: u32 = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                let store = bench.store.clone();
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
                    runtime.expect("a runtime").block_on(async {
                        let mut sum = 0;
                        for _ in 0..25 {
                            sum += grant(&store, 3, 0).await;
                        }
                        sum
                    })
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().expect("no panic")).sum()
    });
    assert_eq!(granted, 99, "33 blocks of three");
}
