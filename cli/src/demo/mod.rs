//! The whole sync on two simulated services, in this process and in virtual time.

mod bar;
mod keep;
mod lambdas;
mod place;
mod report;

pub use lambdas::EnvFile;

use std::sync::Arc;
use std::time::Instant;

use simulators::clickup::Plan as ClickUpPlan;
use stores::Store;
use world::price::{Cost, Usage};
use world::world::PlanLimits;
use world::{Deskup, Details, Instance, Verdict, World, WorldError, WorldOptions};

use crate::args::{DemoArgs, Plan};
use crate::failure::Failed;
use crate::installation::Installation;
use crate::query::{Labels, conflicts};
use crate::terminal;

/// A demo that was played to its end.
pub struct Played {
    /// The judge's verdict.
    pub verdict: Verdict,
    /// What is behind it.
    pub details: Details,
    /// How long the backfill took in the world's time, in milliseconds.
    pub backfill_ms: i64,
    /// Calls to ClickUp during the backfill.
    pub backfill_clickup_calls: u64,
    /// How long all of it took here, in milliseconds.
    pub shown_ms: i64,
    /// What it would have cost.
    pub cost: Cost,
}

/// Runs `deskup demo`.
pub fn run(args: &DemoArgs) -> anyhow::Result<()> {
    place::prepare(args)?;
    // A port that is taken should be said before half a minute of work, not after.
    let ports = if args.keep { Some(keep::reserve(args.port)?) } else { None };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    let result = runtime.block_on(async {
        let began = Instant::now();
        let world = open(args)?;
        let now = world.access().clock;
        let store = Installation::at(&args.dir).store_in(Arc::new(move || now.now_ms()))?;
        place::write_settings(&args.dir, &world.access().settings)?;
        let instance = Instance::in_world(&world, store.clone());
        let deskup: Arc<dyn Deskup> = instance.clone();
        let played = play(args, &world, &instance, &deskup, began).await?;
        show(args, &world, &deskup, &store, &played).await?;
        match ports {
            Some(ports) => keep::serve(args, &world, &instance, &store, ports).await?,
            None => deskup.stop().await,
        }
        if played.verdict.is_clean() {
            Ok(())
        } else {
            Err(Failed::result("the judge found faults; see above"))
        }
    });
    result.map_err(|error| {
        if !place::is_full(&args.dir) && !is_io_trouble(&error) {
            return error;
        }
        let dir = args.dir.display();
        Failed::state(format!(
            "there is no more room in {dir}, the disk is full or its files may not grow: make room, and the same \
             command goes on where it was ({error})"
        ))
    })
}

/// Whether the state's file or a journal could not be written: SQLite has words for it and no code that reaches us.
fn is_io_trouble(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.to_string().contains("disk I/O error"))
}

fn open(args: &DemoArgs) -> anyhow::Result<World> {
    let options = WorldOptions {
        tickets: args.tickets as usize,
        edits: args.edits as usize,
        seed: args.seed,
        csv: args.tickets_file.clone(),
        dir: Some(args.dir.clone()),
        limits: PlanLimits { clickup: plan(args.plan), ..PlanLimits::default() },
        unlimited: args.unlimited,
        mischief: if args.mischief { (args.tickets as usize / 20).max(3) } else { 0 },
        state_file: Some(Installation::at(&args.dir).state_file()),
        ..WorldOptions::default()
    };
    World::open(options).map_err(|error| match error {
        WorldError::OtherWorld { .. } | WorldError::Scenario(_) => Failed::usage(chain(&error)),
        WorldError::Simulator(_) | WorldError::Directory { .. } => Failed::state(chain(&error)),
        WorldError::Deskup(_) | WorldError::Restless { .. } => error.into(),
    })
}

/// An error with its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

fn plan(plan: Plan) -> ClickUpPlan {
    match plan {
        Plan::Business => ClickUpPlan::Business,
        Plan::BusinessPlus => ClickUpPlan::BusinessPlus,
        Plan::Enterprise => ClickUpPlan::Enterprise,
    }
}

async fn play(
    args: &DemoArgs,
    world: &World,
    instance: &Instance,
    deskup: &Arc<dyn Deskup>,
    began: Instant,
) -> anyhow::Result<Played> {
    let bar = bar::Bar::new(args.json);
    world.seed(&bar)?;
    world.connect(Some(deskup.clone()));
    world.prepare(deskup.as_ref()).await?;
    let before = clickup_calls(world);
    world.backfill(deskup.as_ref(), &bar).await?;
    let backfill_clickup_calls = clickup_calls(world) - before;
    world.live(deskup.as_ref())?;
    world.play(&bar).await?;
    bar.settling();
    world.settle(deskup.as_ref()).await?;
    world.second_run(deskup.as_ref(), &bar).await?;
    let (verdict, details) = world.judge(deskup.as_ref()).await?;
    bar.clear();
    Ok(Played {
        verdict,
        details,
        backfill_ms: world.took_ms("backfill"),
        backfill_clickup_calls,
        shown_ms: i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX),
        cost: Usage::of(instance.local()?).cost(),
    })
}

fn clickup_calls(world: &World) -> u64 {
    world.calls().get("clickup").map(|calls| calls.values().sum()).unwrap_or_default()
}

async fn show(
    args: &DemoArgs,
    world: &World,
    deskup: &Arc<dyn Deskup>,
    store: &Store,
    played: &Played,
) -> anyhow::Result<()> {
    if args.json {
        terminal::data(&report::json(args, played)?.to_string());
        return Ok(());
    }
    let kept = deskup.kept().await?;
    let labels = Labels::load(&Installation::at(&args.dir), store).await?;
    let open = conflicts::list(store, &labels, None, kept.conflicts.len()).await?;
    terminal::data(&report::text(args, world, &kept, &open, played));
    Ok(())
}
