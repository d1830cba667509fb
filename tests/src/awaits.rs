//! One executor, nothing goes wrong, and a crash at one moment: a small world is lived once to see when anything was under
//! way, and then again for each of these moments.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clients::{Transport, TransportError};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use stores::{FaultPlan, Place, Store};
use world::{Deskup, Silent, World, WorldOptions};

use crate::expect::Faults;
use crate::team::{Crew, Team};
use crate::whole::{INSTALLATION, Ran, Wrap, on_paused_clock};

/// How long a request to the table takes at most, ms: half of it before its effect.
const TABLE_MS: u64 = 6;
/// How long a request to a service waits before and after its effect, ms.
const WIRE_MS: u64 = 2;
/// After a request to the table began, this may be under way, ms: it, and a request to a service.
const BUSY_MS: u64 = TABLE_MS + 2 * WIRE_MS + 2;
/// After a crash somebody starts the executor again, s.
const DOWN_S: u64 = 1;
/// What is left over after the last edit, s.
const REST_S: u64 = 60;

/// What a world is made of.
pub fn small(seed: u64) -> WorldOptions {
    WorldOptions { tickets: 2, edits: 5, seed, spacing_ms: 8_000, ..WorldOptions::default() }
}

/// Every request takes its time, so that it can be interrupted before its effect and after it.
struct Slow(Arc<dyn Transport>);

impl Transport for Slow {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        async move {
            tokio::time::sleep(Duration::from_millis(WIRE_MS)).await;
            let answer = self.0.send(request).await;
            tokio::time::sleep(Duration::from_millis(WIRE_MS)).await;
            answer
        }
        .boxed()
    }
}

/// Over this wire.
pub fn slow(wire: Arc<dyn Transport>) -> Arc<dyn Transport> {
    Arc::new(Slow(wire))
}

/// Milliseconds after the backfill began in which something was under way, of a life without a crash.
pub fn moments(seed: u64) -> anyhow::Result<Vec<u64>> {
    let (ran, began) = on_paused_clock(live(seed, None, slow))?;
    let wrong = Faults::of_told(&ran).into_lines();
    anyhow::ensure!(wrong.is_empty(), "without a crash: {}", wrong.join("; "));
    let mut moments = Vec::new();
    for (at, ms) in began.iter().enumerate() {
        let until = began.get(at + 1).copied().unwrap_or(u64::MAX).min(ms + BUSY_MS);
        moments.extend(*ms..until);
    }
    Ok(moments)
}

/// What is wrong with a world whose executor crashed this long after the backfill began.
pub fn crashed(seed: u64, at_ms: u64, wrap: Wrap) -> Vec<String> {
    let lines = match on_paused_clock(live(seed, Some(at_ms), wrap)) {
        Ok((ran, _)) => Faults::of_told(&ran).into_lines(),
        Err(error) => vec![format!("{error:?}")],
    };
    lines.into_iter().map(|line| format!("seed {seed}, crash after {at_ms} ms: {line}")).collect()
}

/// A life, and when requests to the table began in it.
async fn live(seed: u64, crash_ms: Option<u64>, wrap: Wrap) -> anyhow::Result<(Ran, Vec<u64>)> {
    let world = Arc::new(World::open(small(seed))?);
    let clock = world.access().clock;
    let now = Arc::new(move || clock.now_ms());
    let table = Store::embedded_with(Place::Memory, INSTALLATION, now, FaultPlan::none())?;
    let faults = FaultPlan { takes_ms: TABLE_MS, ..FaultPlan::none() };
    let crew = Crew { size: 1, seed, wrap, polls: true, marks: false, table: faults };
    let team = Team::new(world.clone(), table, crew)?;
    team.calm_down();
    let deskup: Arc<dyn Deskup> = team.clone();
    world.seed(&Silent)?;
    world.connect(Some(deskup.clone()));
    world.prepare(deskup.as_ref()).await?;

    let began = std::sync::Mutex::new(Vec::new());
    let life = async {
        let mut crash = crash_ms;
        let begun = tokio::time::Instant::now();
        let until = |ms: u64| tokio::time::sleep_until(begun + Duration::from_millis(ms));
        loop {
            tokio::select! {
                biased;
                () = until(crash.unwrap_or_default()), if crash.is_some() => {
                    crash = None;
                    revive(&team).await?;
                }
                done = world.backfill(deskup.as_ref(), &Silent) => break done?,
            }
        }
        world.live(deskup.as_ref())?;
        let play = async {
            world.play(&Silent).await?;
            tokio::time::sleep(Duration::from_secs(REST_S)).await;
            anyhow::Ok(())
        };
        let trouble = async {
            let Some(ms) = crash else { return anyhow::Ok(()) };
            until(ms).await;
            revive(&team).await
        };
        let (played, troubled) = futures::join!(play, trouble);
        played.and(troubled)
    };
    if crash_ms.is_some() {
        life.await?;
    } else {
        tokio::select! {
            biased;
            done = life => done?,
            () = watch(&team, &began) => {}
        }
    }
    world.settle(deskup.as_ref()).await?;
    world.second_run(deskup.as_ref(), &Silent).await?;
    let (verdict, details) = world.judge(deskup.as_ref()).await?;
    let testimony = world.testimony(deskup.as_ref()).await?;
    deskup.stop().await;
    world.connect(None);
    Ok((Ran { verdict, details, testimony }, began.into_inner().unwrap_or_default()))
}

/// Drops the executor where it stands; another one begins a moment later.
async fn revive(team: &Team) -> anyhow::Result<()> {
    team.crash(0);
    tokio::time::sleep(Duration::from_secs(DOWN_S)).await;
    team.fill_up().await
}

/// Notes in which milliseconds requests to the table began.
async fn watch(team: &Team, began: &std::sync::Mutex<Vec<u64>>) {
    let mut known = team.store_operations();
    for ms in 0_u64.. {
        let total = team.store_operations();
        if total > known
            && let Ok(mut began) = began.lock()
        {
            known = total;
            began.push(ms);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
