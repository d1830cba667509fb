//! Whole worlds for the suites: the real deskup between two simulated services, on one thread, one seed and
//! a paused clock. A process of deskup is a runtime that is dropped; what survives it is in a directory.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clients::Transport;
use stores::{FaultPlan, Place, Store};
use world::judge::{Details, Testimony};
use world::{Deskup, Instance, InstanceOptions, Silent, TrapAt, Verdict, World, WorldOptions};

/// What stands between deskup and the wire; see `planted` for some that do harm.
pub type Wrap = fn(Arc<dyn Transport>) -> Arc<dyn Transport>;

/// Nothing does.
pub fn bare(wire: Arc<dyn Transport>) -> Arc<dyn Transport> {
    wire
}

/// What a world came to.
pub struct Ran {
    /// The judge's numbers.
    pub verdict: Verdict,
    /// What is behind them.
    pub details: Details,
    /// What the judge was shown.
    pub testimony: Testimony,
}

/// Runs something on a thread of its own clock: time passes when nothing else is left to do.
pub fn on_paused_clock<T>(work: impl Future<Output = T>) -> T {
    start_log();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime needs no more than memory").block_on(work)
}

/// With `DESKUP_LOG` set, as for the command, a replayed seed tells what it does.
fn start_log() {
    if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env("DESKUP_LOG") {
        // Another test of this process may have started it.
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    }
}

/// A world in memory with its deskup, before anything has happened.
pub struct Stage {
    /// Both services, their people and the wire.
    pub world: World,
    /// deskup's state.
    pub store: Store,
    /// deskup.
    pub deskup: Arc<Instance>,
}

impl Stage {
    /// Opens a world and a store for it, both in the options' directory or both in memory.
    pub fn open(options: WorldOptions, faults: FaultPlan) -> anyhow::Result<Self> {
        Self::open_over(options, faults, bare)
    }

    /// The same with something between deskup and the wire.
    pub fn open_over(options: WorldOptions, faults: FaultPlan, wrap: Wrap) -> anyhow::Result<Self> {
        let place = options.dir.as_deref().map_or(Place::Memory, state_of);
        let world = World::open(options)?;
        let store = Store::embedded_with(place, INSTALLATION, world.store_clock(), faults)?;
        let made = InstanceOptions::of(&world, store.clone());
        let transport = wrap(made.transport.clone());
        let deskup = Instance::new(InstanceOptions { transport, ..made });
        Ok(Self { world, store, deskup })
    }

    /// The same deskup as the world knows it.
    pub fn driven(&self) -> Arc<dyn Deskup> {
        self.deskup.clone()
    }

    /// Seeds both services, connects deskup, brings every ticket over, starts the live lane and gives it time.
    pub async fn settle_in(&self) -> anyhow::Result<()> {
        let deskup = self.driven();
        self.world.seed(&Silent)?;
        self.world.connect(Some(deskup.clone()));
        self.world.prepare(deskup.as_ref()).await?;
        self.world.backfill(deskup.as_ref(), &Silent).await?;
        self.world.live(deskup.as_ref())?;
        crate::hands::minutes(5).await;
        Ok(())
    }

    /// Waits for calm, runs everything a second time, and judges.
    pub async fn finish(&self) -> anyhow::Result<Ran> {
        let deskup = self.driven();
        self.world.settle(deskup.as_ref()).await?;
        self.world.second_run(deskup.as_ref(), &Silent).await?;
        let ran = self.judge().await?;
        deskup.stop().await;
        Ok(ran)
    }

    /// The verdict on the world as it is.
    pub async fn judge(&self) -> anyhow::Result<Ran> {
        let deskup = self.driven();
        let (verdict, details) = self.world.judge(deskup.as_ref()).await?;
        let testimony = self.world.testimony(deskup.as_ref()).await?;
        Ok(Ran { verdict, details, testimony })
    }

    /// The whole life of a world.
    pub async fn run(&self) -> anyhow::Result<Ran> {
        let deskup = self.driven();
        self.world.run(&deskup, &Silent).await?;
        self.judge().await
    }
}

/// What the table calls this deskup.
pub const INSTALLATION: &str = "demo";

/// deskup's state in a world's directory.
pub fn state_of(dir: &Path) -> Place {
    Place::File(dir.join("state.sqlite"))
}

/// Runs a whole world whose store has these faults.
pub fn run_with(options: WorldOptions, faults: FaultPlan) -> anyhow::Result<Ran> {
    run_over(options, faults, bare)
}

/// The same with something between deskup and the wire.
pub fn run_over(options: WorldOptions, faults: FaultPlan, wrap: Wrap) -> anyhow::Result<Ran> {
    on_paused_clock(async {
        let stage = Stage::open_over(options, faults, wrap)?;
        stage.run().await
    })
}

/// Runs a whole world.
pub fn run(options: WorldOptions) -> anyhow::Result<Ran> {
    run_with(options, FaultPlan::none())
}

/// How a process of deskup ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    /// At its `n`th request.
    Around(u64, TrapAt),
    /// This long after it began, wherever it then is.
    AtMs(u64),
    /// This long after people began to edit.
    AmongEdits(u64),
}

/// Between two looks at whether people have begun.
const LOOK: std::time::Duration = std::time::Duration::from_secs(1);

/// One process on a world in a directory: it runs to the end, or until it is killed. Dropping the runtime
/// drops every task of deskup where it stands.
pub fn process(options: &WorldOptions, kill: Option<Kill>) -> anyhow::Result<Option<Ran>> {
    process_over(options, kill, bare)
}

/// The same with something between deskup and the wire.
pub fn process_over(options: &WorldOptions, kill: Option<Kill>, wrap: Wrap) -> anyhow::Result<Option<Ran>> {
    on_paused_clock(async {
        let stage = Stage::open_over(options.clone(), FaultPlan::none(), wrap)?;
        let killed = async {
            match kill {
                Some(Kill::Around(after, at)) => {
                    stage.world.wire().set_trap(after, at);
                    stage.world.wire().trapped().await;
                }
                Some(Kill::AtMs(ms)) => tokio::time::sleep(std::time::Duration::from_millis(ms)).await,
                Some(Kill::AmongEdits(ms)) => {
                    while stage.world.chronicle().began("edits").is_none() {
                        tokio::time::sleep(LOOK).await;
                    }
                    tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = killed => Ok(None),
            ran = stage.run() => ran.map(Some),
        }
    })
}

/// A directory for one test, gone when it ends well. A failing test leaves it for a look.
pub struct Scratch(PathBuf);

impl Scratch {
    /// An empty directory of this name.
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("deskup-{name}-{}", std::process::id()));
        // What is not there need not be removed.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("the temporary directory can be written");
        Self(path)
    }

    /// Where.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
