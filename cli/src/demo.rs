//! The whole sync on two simulated services, in this process.

use std::sync::Arc;

use stores::{Place, Store};
use world::{Deskup, Instance, Silent, World, WorldOptions};

use crate::args::DemoArgs;
use crate::failure::Failed;
use crate::{query, terminal};

/// Runs `deskup demo`.
pub fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    runtime.block_on(play(args))
}

async fn play(args: &DemoArgs) -> anyhow::Result<()> {
    let world = World::open(WorldOptions {
        tickets: args.tickets as usize,
        edits: args.edits as usize,
        seed: args.seed,
        csv: args.tickets_file.clone(),
        unlimited: args.unlimited,
        ..WorldOptions::default()
    })?;
    let now = world.access().clock;
    let store = Store::embedded(Place::Memory, query::INSTALLATION, Arc::new(move || now.now_ms()))
        .map_err(|error| Failed::store(&error))?;
    let deskup: Arc<dyn Deskup> = Instance::in_world(&world, store);
    let (verdict, details) = world.run(&deskup, &Silent).await?;
    terminal::data(&serde_json::to_string_pretty(&verdict)?);
    for line in details.faults(10) {
        terminal::talk(&line);
    }
    Ok(())
}
