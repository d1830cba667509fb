//! Budgets against the limiter of the simulated ClickUp, on the paused clock: used while work waits, never overdrawn.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use clients::{ClickUp, Clock, Lane, Scope, Transport, TransportError};
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use orchestration::{BudgetSettings, ResourceManager};
use simulators::clickup::Plan;
use stores::{FaultPlan, Store};
use tests::whole::{Stage, on_paused_clock};
use tokio::task::JoinSet;
use world::WorldOptions;
use world::world::PlanLimits;

const MINUTE_MS: i64 = 60_000;
/// Calls that an executor has in flight.
const CALLERS: usize = 4;

/// What the service let through and refused, by the end of its window.
#[derive(Clone, Default)]
struct Counted(Arc<Mutex<BTreeMap<u64, (u32, u32)>>>);

impl Counted {
    /// Windows that were seen from their beginning to their end: let through, refused.
    fn whole(&self) -> Vec<(u32, u32)> {
        let all = self.all();
        all[1..all.len() - 1].to_vec()
    }

    fn all(&self) -> Vec<(u32, u32)> {
        self.0.lock().expect("no panic").values().copied().collect()
    }
}

struct Wire {
    inner: Arc<dyn Transport>,
    counted: Counted,
}

impl Transport for Wire {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let response = self.inner.send(request).await?;
            let reset = response.headers().get("x-ratelimit-reset").and_then(|value| value.to_str().ok());
            if let Some(reset) = reset.and_then(|value| value.parse().ok()) {
                let mut windows = self.counted.0.lock().expect("no panic");
                let (let_through, refused) = windows.entry(reset).or_default();
                match response.status() {
                    StatusCode::TOO_MANY_REQUESTS => *refused += 1,
                    _ => *let_through += 1,
                }
            }
            Ok(response)
        })
    }
}

/// A clock that is off.
struct Skewed(Arc<dyn Clock>, i64);

impl Clock for Skewed {
    fn now_ms(&self) -> i64 {
        self.0.now_ms() + self.1
    }
}

struct Bench {
    stage: Stage,
    counted: Counted,
}

impl Bench {
    fn new(plan: Plan) -> Self {
        let limits = PlanLimits { clickup: plan, ..PlanLimits::default() };
        let options = WorldOptions { tickets: 1, edits: 0, limits, ..WorldOptions::default() };
        let stage = Stage::open(options, FaultPlan::none()).expect("a world in memory");
        stage.world.seed(&world::Silent).expect("a world in memory");
        Self { stage, counted: Counted::default() }
    }

    /// A client with budgets of its own over the shared table.
    fn executor(&self, skew_ms: i64, seed: u64) -> (ClickUp, Store) {
        let access = self.stage.world.access();
        let clock: Arc<dyn Clock> = Arc::new(Skewed(access.clock, skew_ms));
        let now = clock.clone();
        let faults = FaultPlan { seed, ..FaultPlan::none() };
        let store = self.stage.store.beside(Arc::new(move || now.now_ms()), faults).expect("opens");
        let store = store.expect("the table is in this process");
        let pacer = Arc::new(ResourceManager::new(store.clone(), clock.clone(), BudgetSettings::default()));
        let wire = Arc::new(Wire { inner: access.transport, counted: self.counted.clone() });
        let client = ClickUp::new(access.clickup, wire, pacer, clock, seed).expect("a valid account");
        (client, store)
    }
}

/// So many callers ask one after the other until they are dropped.
fn callers(client: &ClickUp, lane: Lane, count: usize) -> JoinSet<()> {
    let mut set = JoinSet::new();
    for _ in 0..count {
        let client = client.scoped(Scope { lane, deadline_ms: i64::MAX });
        set.spawn(async move {
            loop {
                // A refusal is counted on the wire.
                let _ = client.me().await;
            }
        });
    }
    set
}

async fn pass(minutes: u64) {
    tokio::time::sleep(Duration::from_secs(60 * minutes)).await;
}

#[test]
fn a_thousand_a_minute_are_used_up_and_none_is_refused() {
    on_paused_clock(async {
        let bench = Bench::new(Plan::BusinessPlus);
        let executors: Vec<_> = (0..3).map(|seed| bench.executor(0, seed)).collect();
        let work: Vec<_> = executors.iter().map(|(client, _)| callers(client, Lane::Backfill, 20)).collect();
        pass(7).await;
        drop(work);
        let windows = bench.counted.whole();
        let (used, refused): (u32, u32) = windows.iter().fold((0, 0), |sum, w| (sum.0 + w.0, sum.1 + w.1));
        let allowed = 1_000 * windows.len() as u32;
        let writes: u64 = executors.iter().map(|(_, store)| store.operations().requests["UpdateItem"]).sum();
        let calls: u32 = bench.counted.all().iter().map(|(used, _)| used).sum();
        assert!(windows.len() >= 5);
        assert!(used * 100 >= allowed * 99 && used <= allowed, "{windows:?}");
        assert_eq!(refused, 0, "{windows:?}");
        assert!(writes as f64 <= 0.05 * f64::from(calls), "{writes} writes for {calls} calls");
    });
}

#[test]
fn a_hundred_a_minute_are_used_up_by_one_holder() {
    on_paused_clock(async {
        let bench = Bench::new(Plan::Business);
        let (client, _) = bench.executor(0, 1);
        let work = callers(&client, Lane::Live, 10);
        pass(7).await;
        drop(work);
        let windows = bench.counted.whole();
        assert!(
            windows.iter().all(|(used, refused)| (97..=100).contains(used) && *refused == 0),
            "{windows:?}"
        );
    });
}

#[test]
fn who_asks_seldom_never_waits() {
    on_paused_clock(async {
        let bench = Bench::new(Plan::Business);
        let (client, store) = bench.executor(0, 1);
        let clock = bench.stage.world.access().clock;
        // Calls come to lie on both sides of many edges, and in the second that headers leave out.
        for number in 0..600_u64 {
            let begun_ms = clock.now_ms();
            client.me().await.expect("an answer");
            let took_ms = clock.now_ms() - begun_ms;
            assert!(took_ms < 10_000, "call {number} waited for {took_ms} ms: {:?}", bench.counted.all());
            tokio::time::sleep(Duration::from_millis(2_900 + number % 7 * 100)).await;
        }
        let newest = store.budgets().newest("clickup", "token").await.expect("a table").expect("a window");
        assert!(newest.used <= 40, "{newest:?}");
        assert!(bench.counted.all().iter().all(|(_, refused)| *refused == 0));
    });
}

#[test]
fn sixty_four_executors_with_clocks_of_their_own_that_crash_overdraw_nothing() {
    for (plan, block) in [(Plan::Business, 5), (Plan::BusinessPlus, 32)] {
        for skew_max_ms in [0, 5_000] {
            on_paused_clock(async {
                let bench = Bench::new(plan);
                let mut random = fastrand::Rng::with_seed(7);
                let mut seed = 0;
                let mut begin = |random: &mut fastrand::Rng| {
                    seed += 1;
                    let (client, _) = bench.executor(random.i64(-skew_max_ms..=skew_max_ms), seed);
                    callers(&client, Lane::Live, CALLERS)
                };
                let mut executors: Vec<_> = (0..64).map(|_| begin(&mut random)).collect();
                let ends_ms = bench.stage.world.now_ms() + 8 * MINUTE_MS;
                let mut crashes = 0;
                while bench.stage.world.now_ms() < ends_ms {
                    tokio::time::sleep(Duration::from_millis(random.u64(2_000..20_000))).await;
                    let at = random.usize(..executors.len());
                    executors[at] = begin(&mut random);
                    crashes += 1;
                }
                drop(executors);
                let (windows, limit) = (bench.counted.whole(), plan.requests_per_minute());
                let used: u32 = windows.iter().map(|(used, _)| used).sum();
                let lost = limit * windows.len() as u32 - used;
                println!("{limit} a minute, clocks +-{skew_max_ms} ms, {crashes} crashes: {windows:?}");
                assert!(windows.len() >= 3, "{windows:?}");
                assert!(windows.iter().all(|(used, refused)| *used <= limit && *refused == 0), "{windows:?}");
                assert!(
                    lost <= crashes * (block + CALLERS as u32),
                    "{lost} lost by {crashes} crashes: {windows:?}"
                );
            });
        }
    }
}
