//! Several executors over one table, as on AWS: each with its own clock, weather and incarnation. They crash, come back
//! and stand still, and a delivery reaches whichever is there.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{anyhow, ensure};
use bytes::Bytes;
use clients::Clock;
use domain::Side;
use fastrand::Rng;
use functions::Options;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use stores::{FaultPlan, Stall, Store};
use tokio::sync::watch;
use world::deskup::{Effort, Kept};
use world::{Deskup, Instance, InstanceOptions, Progress, World, kept};

pub use crate::crew::Crew;
use crate::crew::Skewed;
use crate::rivals::Rivals;
use crate::weather::{Fired, Weather};

/// How far an executor's clock may be off.
const SKEW_MAX_MS: i64 = 5_000;
/// Polls less often than usual: most of what they ask is the same again.
const POLL_EVERY_MS: i64 = 600_000;
/// Where deliveries alone have to do, nobody polls before the end.
const NO_POLLS_MS: i64 = 24 * 3_600_000;
/// What others leave is looked for less often, too.
const NAP_MS: i64 = 600_000;
/// The share of deliveries whose taker dies before it has answered, and after how long at most.
const CUT_SHORT: f64 = 0.05;
const CUT_MS: u64 = 150;
/// How it is counted that webhooks were suspended.
const SUSPENDED: &str = "hook suspended";
/// How often a new executor tries to begin.
const BEGINS_MAX: u32 = 20;

/// One executor.
#[derive(Clone)]
struct Member {
    instance: Arc<Instance>,
    store: Store,
    /// Says that it is dead.
    killed: watch::Sender<bool>,
    is_ready: Arc<AtomicBool>,
}

/// All of them.
pub struct Team {
    world: Arc<World>,
    table: Store,
    crew: Crew,
    random: Mutex<Rng>,
    members: Mutex<Vec<Option<Member>>>,
    gone: Mutex<u64>,
    fired: Fired,
    calm: Arc<AtomicBool>,
    live: AtomicBool,
    poll_every_ms: i64,
    /// Edits of people who get in between.
    rivals: Arc<AtomicU64>,
    /// Deliveries that were refused and did not come again yet.
    refused: Arc<Mutex<BTreeSet<u64>>>,
}

impl Team {
    /// These executors on this table.
    pub fn new(world: Arc<World>, table: Store, crew: Crew) -> anyhow::Result<Arc<Self>> {
        let (size, seed, polls) = (crew.size, crew.seed, crew.polls);
        let team = Arc::new(Self {
            world,
            table,
            crew,
            random: Mutex::new(Rng::with_seed(seed ^ 0x7ea3)),
            members: Mutex::new(vec![None; size]),
            gone: Mutex::new(0),
            fired: Fired::default(),
            calm: Arc::new(AtomicBool::new(false)),
            live: AtomicBool::new(false),
            poll_every_ms: if polls { POLL_EVERY_MS } else { NO_POLLS_MS },
            rivals: Arc::default(),
            refused: Arc::default(),
        });
        for at in 0..size {
            let member = team.make()?;
            team.members()[at] = Some(member);
        }
        Ok(team)
    }

    /// Whether a service gave up telling of something.
    pub fn missed_any(&self) -> bool {
        !lock(&self.refused).is_empty()
    }

    /// Where they live.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// What has gone wrong so far.
    pub fn fired(&self) -> &Fired {
        &self.fired
    }

    /// Nothing more goes wrong by itself.
    pub fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
        self.members().iter().flatten().filter_map(|one| one.store.stall()).for_each(Stall::not_at_write);
    }

    /// How often each fault took effect so far.
    pub fn all_fired(&self) -> BTreeMap<&'static str, u64> {
        let mut all = self.fired.all();
        for (name, times) in self.members().iter().flatten().flat_map(|one| one.store.injected()) {
            *all.entry(name).or_default() += times;
        }
        all
    }

    /// Requests to the table, of all executors that ever were.
    pub fn store_operations(&self) -> u64 {
        let now: u64 = self.members().iter().flatten().map(|one| one.store.operations().total()).sum();
        now + *lock(&self.gone)
    }

    /// Drops an executor where it stands.
    pub fn crash(&self, at: usize) {
        let Some(member) = self.members().get_mut(at).and_then(Option::take) else { return };
        self.fired.add("crash");
        member.killed.send_replace(true);
        member.instance.abort();
        if let Ok(local) = member.instance.local() {
            local.engine.abort_all();
        }
        self.bury(&member);
    }

    /// An executor ends in order, and another one takes its place.
    pub async fn deploy(&self, at: usize) -> anyhow::Result<()> {
        let Some(member) = self.members().get_mut(at).and_then(Option::take) else { return Ok(()) };
        self.fired.add("deploy");
        member.instance.stop().await;
        self.bury(&member);
        self.fill_up().await
    }

    fn bury(&self, member: &Member) {
        *lock(&self.gone) += member.store.operations().total();
        self.fired.add_all(member.store.injected());
    }

    /// An executor stands still for so long, in the middle of whatever it does.
    pub fn freeze(&self, at: usize, time: Duration) {
        let members = self.members();
        let Some(stall) = members.get(at).and_then(|member| member.as_ref()?.store.stall()) else { return };
        self.fired.add("freeze");
        stall.begin(time);
    }

    /// An executor stands still for so long when it is about to write a link.
    pub fn freeze_at_write(&self, at: usize, time: Duration) {
        let members = self.members();
        let Some(stall) = members.get(at).and_then(|member| member.as_ref()?.store.stall()) else { return };
        self.fired.add("freeze at a write");
        stall.begin_at_write(time);
    }

    /// Whether ClickUp told nobody of anything for a while.
    pub fn was_suspended(&self) -> bool {
        self.fired.all().contains_key(SUSPENDED)
    }

    /// ClickUp tells nobody of anything, until somebody looks after it.
    pub fn suspend_webhook(&self) -> anyhow::Result<()> {
        if self.world.clickup().seed(|account| account.suspend_webhooks())? {
            self.fired.add(SUSPENDED);
        }
        Ok(())
    }

    /// All links are compared with both sides, as once a week.
    pub async fn sweep(&self) -> anyhow::Result<()> {
        let member = self.first()?;
        let swept = member.instance.local()?.dispatcher.sweep("world").await?;
        ensure!(swept.succeeded(), "the sweep failed: {swept:?}");
        Ok(())
    }

    /// Whoever is missing begins anew.
    pub async fn fill_up(&self) -> anyhow::Result<()> {
        let size = self.members().len();
        for at in 0..size {
            if self.members()[at].is_some() {
                continue;
            }
            let member = self.make()?;
            self.members()[at] = Some(member.clone());
            begin(&member).await?;
            if self.live.load(Ordering::Relaxed) {
                member.instance.start_live();
            }
        }
        Ok(())
    }

    fn make(&self) -> anyhow::Result<Member> {
        let (skew_ms, seed) = {
            let mut random = lock(&self.random);
            (random.i64(-SKEW_MAX_MS..=SKEW_MAX_MS), random.u64(..))
        };
        let clock: Arc<dyn Clock> = Arc::new(Skewed(self.world.access().clock, skew_ms));
        let faults = FaultPlan { seed, ..self.crew.table.clone() };
        let now = clock.clone();
        let store = self.table.beside(Arc::new(move || now.now_ms()), faults)?;
        let store = store.ok_or_else(|| anyhow!("the table is in this process"))?;
        let mut made = InstanceOptions::of(&self.world, store.clone());
        if self.crew.marks {
            made.settings = made.settings.replace("[sync]", "[sync]\nlink_back = \"external_id\"");
        }
        let wire = (self.crew.wrap)(made.transport.clone());
        let (fired, calm) = (self.fired.clone(), self.calm.clone());
        let wire = Rivals::new(wire, self.world.clone(), seed, self.rivals.clone(), fired, calm);
        let world_clock = self.world.access().clock;
        let weather =
            Weather::new(wire, world_clock, store.clone(), seed, self.fired.clone(), self.calm.clone());
        let numbers = Options { poll_every_ms: self.poll_every_ms, nap_ms: NAP_MS, ..made.options.clone() };
        let options = InstanceOptions { transport: weather.clone(), clock, options: numbers, ..made };
        let (killed, _) = watch::channel(false);
        let is_ready = Arc::default();
        Ok(Member { instance: Instance::new(options), store, killed, is_ready })
    }

    /// After how long whoever takes a delivery dies, if he does.
    fn cut_ms(&self) -> Option<u64> {
        let mut random = lock(&self.random);
        let cut = random.f64() < CUT_SHORT && !self.calm.load(Ordering::Relaxed);
        cut.then(|| {
            self.fired.add("delivery cut short");
            random.u64(0..=CUT_MS)
        })
    }

    fn members(&self) -> MutexGuard<'_, Vec<Option<Member>>> {
        lock(&self.members)
    }

    fn ready(&self) -> Vec<Member> {
        let is_ready = |member: &&Member| member.is_ready.load(Ordering::Relaxed);
        self.members().iter().flatten().filter(is_ready).cloned().collect()
    }

    /// The table as whoever looks from outside sees it.
    pub(crate) fn table(&self) -> &Store {
        &self.table
    }

    /// Any executor that is there.
    pub(crate) fn someone(&self, random: &mut Rng) -> Option<Arc<Instance>> {
        let ready = self.ready();
        let at = (!ready.is_empty()).then(|| random.usize(0..ready.len()))?;
        Some(ready[at].instance.clone())
    }

    fn first(&self) -> anyhow::Result<Member> {
        self.ready().into_iter().next().ok_or_else(|| anyhow!("no executor is there"))
    }
}

/// Whoever starts an executor starts it again when it could not begin.
async fn begin(member: &Member) -> anyhow::Result<()> {
    let mut killed = member.killed.subscribe();
    let mut last = anyhow!("it was killed");
    for _ in 0..BEGINS_MAX {
        tokio::select! {
            biased;
            _ = killed.wait_for(|dead| *dead) => return Ok(()),
            begun = member.instance.prepare() => match begun {
                Ok(()) => {
                    member.is_ready.store(true, Ordering::Relaxed);
                    return Ok(());
                }
                Err(error) => last = error,
            }
        }
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    }
    Err(last)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answered(member: Member, side: Side, request: Request<Bytes>) -> Response<Bytes> {
    let mut killed = member.killed.subscribe();
    tokio::select! {
        biased;
        _ = killed.wait_for(|dead| *dead) => refused(),
        answer = member.instance.webhook(side, request) => answer,
    }
}

fn refused() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}

impl Deskup for Team {
    fn prepare(&self) -> BoxFuture<'_, anyhow::Result<()>> {
        async move {
            let members: Vec<Member> = self.members().iter().flatten().cloned().collect();
            for member in &members {
                begin(member).await?;
            }
            Ok(())
        }
        .boxed()
    }

    fn backfill<'a>(&'a self, progress: &'a dyn Progress) -> BoxFuture<'a, anyhow::Result<()>> {
        async move { self.first()?.instance.backfill(progress).await }.boxed()
    }

    fn start_live(&self) {
        self.live.store(true, Ordering::Relaxed);
        self.ready().iter().for_each(|member| member.instance.start_live());
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        async move {
            for member in self.ready() {
                member.instance.stop().await;
            }
        }
        .boxed()
    }

    fn abort(&self) {
        (0..self.members().len()).for_each(|at| self.crash(at));
    }

    fn idle(&self) -> BoxFuture<'_, anyhow::Result<bool>> {
        async move {
            let runs =
                |member: &Member| member.instance.local().is_ok_and(|local| local.dispatcher.is_running());
            // They share one table, so it is asked once.
            Ok(!self.ready().iter().any(runs) && !self.table.work().is_any().await?)
        }
        .boxed()
    }

    fn poll(&self) -> BoxFuture<'_, anyhow::Result<()>> {
        async move { self.first()?.instance.poll().await }.boxed()
    }

    fn webhook(&self, side: Side, request: Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> {
        let mut hash = DefaultHasher::new();
        request.body().hash(&mut hash);
        let (body, refusals) = (hash.finish(), self.refused.clone());
        let ready = self.ready();
        let at = (!ready.is_empty()).then(|| lock(&self.random).usize(0..ready.len()));
        let member = at.map(|at| ready[at].clone());
        let cut_ms = self.cut_ms();
        async move {
            // Nobody hears of it where whoever took it stands still for longer than the service waits.
            lock(&refusals).insert(body);
            let answer = match member {
                Some(member) => {
                    let whole = answered(member, side, request);
                    let within = Duration::from_millis(cut_ms.unwrap_or(u64::from(u32::MAX)));
                    tokio::time::timeout(within, whole).await.unwrap_or_else(|_| refused())
                }
                None => refused(),
            };
            // With a signature that nobody knows it would not come again, either.
            if answer.status().is_success() {
                lock(&refusals).remove(&body);
            }
            answer
        }
        .boxed()
    }

    fn kept(&self) -> BoxFuture<'_, anyhow::Result<Kept>> {
        kept::read(&self.table).boxed()
    }

    fn effort(&self) -> Effort {
        Effort::default()
    }
}
