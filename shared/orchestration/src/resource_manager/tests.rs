//! Budgets on the paused clock: what is let through, when, and in which order.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use clients::{Api, Bucket, BudgetEmpty, Clock, Lane, LimitSeen, Need, Pacer, TokioClock};
use stores::{FaultPlan, Place, Store};

use super::{BudgetSettings, ResourceManager};

const MINUTE_MS: i64 = 60_000;
/// A full minute of the wall clock, so that windows without headers begin now.
const START_MS: i64 = 1_700_000_040_000;

struct Bench {
    clock: Arc<TokioClock>,
    store: Store,
}

impl Bench {
    fn new() -> Self {
        Self::with(FaultPlan::none())
    }

    fn with(faults: FaultPlan) -> Self {
        let clock = Arc::new(TokioClock::new(START_MS));
        let time = clock.clone();
        let store = Store::embedded_with(Place::Memory, "t", Arc::new(move || time.now_ms()), faults);
        Self { clock, store: store.expect("a store in memory opens") }
    }

    fn manager(&self) -> Arc<ResourceManager> {
        Arc::new(ResourceManager::new(self.store.clone(), self.clock.clone(), BudgetSettings::default()))
    }

    fn since_start_ms(&self) -> i64 {
        self.clock.now_ms() - START_MS
    }
}

fn need(lane: Lane, limit: u32, deadline_ms: i64) -> Need {
    let buckets = vec![Bucket::new("exports", limit, MINUTE_MS)];
    Need { api: Api::Clickup, buckets, lane, deadline_ms }
}

async fn pass(ms: i64) {
    tokio::time::advance(Duration::from_millis(ms.unsigned_abs())).await;
}

/// Lets `n` callers of a lane run at once; each notes when it was let through.
async fn run(
    managers: &[Arc<ResourceManager>],
    bench: &Bench,
    calls: &[(Lane, u32)],
    limit: u32,
) -> Vec<(Lane, i64)> {
    let log = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    let mut n = 0;
    for (lane, count) in calls {
        for _ in 0..*count {
            let manager = managers[n % managers.len()].clone();
            let (log, clock, lane) = (log.clone(), bench.clock.clone(), *lane);
            tasks.push(tokio::spawn(async move {
                manager.acquire(&need(lane, limit, i64::MAX)).await.expect("there is no deadline");
                log.lock().expect("no panic").push((lane, clock.now_ms() - START_MS));
            }));
            n += 1;
        }
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    Arc::into_inner(log).expect("all are done").into_inner().expect("no panic")
}

fn per_minute(log: &[(Lane, i64)]) -> Vec<usize> {
    let last = log.iter().map(|(_, at)| at / MINUTE_MS).max().unwrap_or(0);
    (0..=last).map(|minute| log.iter().filter(|(_, at)| at / MINUTE_MS == minute).count()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_window_is_used_up_and_never_overdrawn() {
    let bench = Bench::new();
    let log = run(&[bench.manager()], &bench, &[(Lane::Live, 350)], 100).await;
    assert_eq!(per_minute(&log), [100, 100, 100, 50]);
}

#[tokio::test(start_paused = true)]
async fn two_processes_share_one_limit() {
    let bench = Bench::new();
    let managers = [bench.manager(), bench.manager(), bench.manager()];
    let log = run(&managers, &bench, &[(Lane::Live, 300)], 100).await;
    let minutes = per_minute(&log);
    assert!(minutes.iter().all(|n| *n <= 100), "{minutes:?}");
    // Blocks die with their window, so a process may leave a few unused.
    assert!(minutes[0] >= 90 && minutes.len() <= 4, "{minutes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_store_in_trouble_never_overdraws() {
    for seed in 0..5 {
        let bench = Bench::with(FaultPlan::hostile(seed));
        let log = run(
            &[bench.manager(), bench.manager()],
            &bench,
            &[(Lane::Live, 150), (Lane::Backfill, 100)],
            100,
        )
        .await;
        let minutes = per_minute(&log);
        assert!(minutes.iter().all(|n| *n <= 100), "seed {seed}: {minutes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_backfill_leaves_a_reserve_until_the_last_third_and_gives_it_up_by_and_by() {
    let bench = Bench::new();
    let log = run(&[bench.manager()], &bench, &[(Lane::Backfill, 200)], 100).await;
    let before = |end: i64| log.iter().filter(|(_, at)| *at < end).count();
    assert_eq!(before(40_000), 80, "a fifth is kept for the others");
    assert_eq!(before(46_000), 87, "and given up little by little when nobody came");
    assert_eq!(before(60_000), 99, "but for the last hundredth");
    assert_eq!(before(180_000), 200);
}

#[tokio::test(start_paused = true)]
async fn live_work_gets_through_while_the_backfill_waits() {
    let bench = Bench::new();
    let manager = bench.manager();
    let filling = tokio::spawn({
        let manager = manager.clone();
        async move {
            for _ in 0..150 {
                manager.acquire(&need(Lane::Backfill, 100, i64::MAX)).await.expect("there is no deadline");
            }
        }
    });
    pass(5_000).await;
    for n in 0..20 {
        manager.acquire(&need(Lane::Live, 100, i64::MAX)).await.expect("the reserve");
        assert!(bench.since_start_ms() < 6_000, "call {n} waited until {}", bench.since_start_ms());
    }
    filling.await.expect("no panic");
    assert!(bench.since_start_ms() >= MINUTE_MS);
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_are_served_by_lane_and_then_in_turn() {
    let bench = Bench::new();
    let manager = bench.manager();
    for _ in 0..100 {
        manager.acquire(&need(Lane::Live, 100, i64::MAX)).await.expect("the first window");
    }
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for (n, lane) in
        [Lane::Backfill, Lane::Live, Lane::Reconcile, Lane::Live, Lane::Backfill].into_iter().enumerate()
    {
        let (manager, order) = (manager.clone(), order.clone());
        tasks.push(tokio::spawn(async move {
            manager.acquire(&need(lane, 100, i64::MAX)).await.expect("there is no deadline");
            order.lock().expect("no panic").push(n);
        }));
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    assert_eq!(*order.lock().expect("no panic"), [1, 3, 2, 0, 4]);
    assert_eq!(bench.since_start_ms(), MINUTE_MS);
}

#[tokio::test(start_paused = true)]
async fn a_wait_past_the_deadline_is_not_begun() {
    let bench = Bench::new();
    let manager = bench.manager();
    for _ in 0..10 {
        manager.acquire(&need(Lane::Live, 10, i64::MAX)).await.expect("the first window");
    }
    let refused = manager.acquire(&need(Lane::Live, 10, START_MS + 30_000)).await;
    assert_eq!(refused, Err(BudgetEmpty { until_ms: START_MS + MINUTE_MS }));
    assert_eq!(bench.since_start_ms(), 0, "it said so at once");
    assert_eq!(manager.acquire(&need(Lane::Live, 10, START_MS + 90_000)).await, Ok(()));
    assert_eq!(bench.since_start_ms(), MINUTE_MS);
}

#[tokio::test(start_paused = true)]
async fn a_429_stops_everybody_until_it_is_over() {
    let bench = Bench::new();
    let (one, other) = (bench.manager(), bench.manager());
    one.acquire(&need(Lane::Live, 100, i64::MAX)).await.expect("a fresh window");
    one.limited(Api::Clickup, "exports", START_MS + MINUTE_MS).await;
    for manager in [one, other] {
        let refused = manager.acquire(&need(Lane::Live, 100, START_MS + 50_000)).await;
        assert_eq!(refused, Err(BudgetEmpty { until_ms: START_MS + MINUTE_MS }));
    }
}

#[tokio::test(start_paused = true)]
async fn headers_say_what_others_used_and_when_the_window_ends() {
    let bench = Bench::new();
    let manager = bench.manager();
    manager.acquire(&need(Lane::Live, 100, i64::MAX)).await.expect("a fresh window");
    let seen = |remaining, reset_ms| LimitSeen {
        bucket: "exports".into(),
        limit: Some(100),
        remaining: Some(remaining),
        reset_ms: Some(reset_ms),
        edge_ms: None,
    };
    manager.observe(Api::Clickup, &[seen(3, START_MS + 45_000)]);
    for _ in 0..3 {
        manager.acquire(&need(Lane::Live, 100, START_MS + 1)).await.expect("three are left");
    }
    for left in [2, 1, 0] {
        manager.observe(Api::Clickup, &[seen(left, START_MS + 45_000)]);
    }
    let refused = manager.acquire(&need(Lane::Live, 100, START_MS + 40_000)).await;
    assert_eq!(refused, Err(BudgetEmpty { until_ms: START_MS + 45_000 }));
    manager.acquire(&need(Lane::Live, 100, i64::MAX)).await.expect("there is no deadline");
    assert_eq!(bench.since_start_ms(), 45_000, "the service's edge counts, not the minute's");
}

#[tokio::test(start_paused = true)]
async fn a_higher_limit_in_a_header_is_used_at_once() {
    let bench = Bench::new();
    let manager = bench.manager();
    manager.acquire(&need(Lane::Live, 100, i64::MAX)).await.expect("a fresh window");
    let seen = LimitSeen {
        bucket: "exports".into(),
        limit: Some(1_000),
        remaining: Some(999),
        reset_ms: None,
        edge_ms: None,
    };
    manager.observe(Api::Clickup, &[seen]);
    let log = run(&[manager], &bench, &[(Lane::Live, 1_100)], 100).await;
    assert_eq!(per_minute(&log), [999, 101]);
}

#[tokio::test(start_paused = true)]
async fn ticket_updates_keep_to_our_share() {
    let bench = Bench::new();
    let manager = bench.manager();
    let need = |deadline_ms| Need {
        api: Api::Zendesk,
        buckets: vec![Bucket::new("calls", 700, MINUTE_MS), Bucket::new("tickets-update", 100, MINUTE_MS)],
        lane: Lane::Live,
        deadline_ms,
    };
    for _ in 0..50 {
        manager.acquire(&need(START_MS + 1_000)).await.expect("our half");
    }
    assert!(manager.acquire(&need(START_MS + 1_000)).await.is_err(), "the other half is for people");
    let account = manager.used().into_iter().find(|of| of.bucket == "calls").expect("it was used");
    assert_eq!(account.used, 50, "a refused call takes nothing of its other buckets");
}

#[tokio::test(start_paused = true)]
async fn one_ticket_takes_thirty_updates_in_ten_minutes() {
    let bench = Bench::new();
    let manager = bench.manager();
    let need = |ticket: u32| Need {
        api: Api::Zendesk,
        buckets: vec![Bucket::new(format!("ticket:{ticket}"), 30, 10 * MINUTE_MS)],
        lane: Lane::Live,
        deadline_ms: START_MS + 1,
    };
    for _ in 0..30 {
        manager.acquire(&need(7)).await.expect("thirty");
    }
    assert!(manager.acquire(&need(7)).await.is_err());
    manager.acquire(&need(8)).await.expect("another ticket is another limit");
}

#[tokio::test(start_paused = true)]
async fn one_who_goes_away_holds_up_nobody() {
    let bench = Bench::new();
    let manager = bench.manager();
    for _ in 0..10 {
        manager.acquire(&need(Lane::Live, 10, i64::MAX)).await.expect("the first window");
    }
    let gone =
        tokio::time::timeout(Duration::from_secs(1), manager.acquire(&need(Lane::Live, 10, i64::MAX))).await;
    assert!(gone.is_err(), "it waited");
    manager.acquire(&need(Lane::Backfill, 10, i64::MAX)).await.expect("there is no deadline");
    assert_eq!(bench.since_start_ms(), MINUTE_MS);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_on_the_last_of_a_lease() {
    let bench = Bench::new();
    let manager = bench.manager();
    let ticket = domain::TicketId::new(7).expect("not zero");
    let lease = manager.lease(ticket, "a").await.expect("the store works").expect("nobody has it");
    assert_eq!(manager.lease(ticket, "b").await, Ok(None));
    assert!(manager.may_send(&lease, 20_000));
    pass(30_000).await;
    assert!(!manager.may_send(&lease, 20_000));
    pass(31_000).await;
    let next = manager.lease(ticket, "b").await.expect("the store works").expect("it ran out");
    assert!(next.fence > lease.fence);
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_told_and_can_be_ended() {
    let bench = Bench::new();
    let manager = bench.manager();
    run(std::slice::from_ref(&manager), &bench, &[(Lane::Live, 100)], 100).await;
    assert_eq!(manager.waiting(), None, "nobody waits");
    let waiting = tokio::spawn({
        let manager = manager.clone();
        async move { manager.acquire(&need(Lane::Live, 100, i64::MAX)).await }
    });
    pass(1_000).await;
    let wait = manager.waiting().expect("somebody waits");
    assert_eq!((wait.bucket.as_str(), wait.until_ms), ("exports", START_MS + MINUTE_MS));
    manager.wait_no_longer();
    let ended = waiting.await.expect("no panic");
    assert_eq!(ended, Err(BudgetEmpty { until_ms: START_MS + MINUTE_MS }));
    assert!(bench.since_start_ms() < 2_000);
    assert_eq!(manager.waiting(), None);
}
