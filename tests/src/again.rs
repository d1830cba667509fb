//! What is started twice: executions under one name, steps over rows that others serve or that are done, executions that
//! ended badly, by another version of their definition. And an executor that is replaced in order, as when a new version
//! is deployed.

use std::time::Duration;

use asl::CompiledWorkflow;
use clients::Lane;
use fastrand::Rng;
use functions::plan::reading;
use functions::steps::sync_records::SyncRecords;
use orchestration::engine::{Engine, EngineError, Start};
use orchestration::recovery_manager::redrive::Begun;
use orchestration::{ExecutionContext, StepExecutor, WorkflowOrchestrator};
use serde_json::Value as Json;
use statemachines::TicketSyncWorkflow;
use statemachines::steps::{Claimed, SyncRecordsInput};
use stores::executions::{Ended, ExecutionRow};

use crate::history::Recipe;
use crate::team::Team;

/// Executions that are looked at.
const LOOKED_AT: usize = 20;
/// How long a step may take that is called twice.
const STEP_MS: i64 = 120_000;
/// After how long one is called again that is over.
const OVER_MS: (u64, u64) = (60_000, 300_000);
/// How often and for how long a row is waited for that somebody serves.
const LOOK_EVERY: Duration = Duration::from_millis(300);
const LOOKS: u32 = 400;
/// The next version goes on as a new execution after so many events.
const EVENTS_MAX: u64 = 1_000;

impl Team {
    /// Somebody starts things again, in some histories.
    pub async fn start_all_again(&self, recipe: &Recipe) -> anyhow::Result<()> {
        let mut random = Rng::with_seed(recipe.seed ^ 0xa6a1);
        let times = if random.u8(0..3) == 0 { random.usize(2..=6) } else { 0 };
        for _ in 0..times {
            tokio::time::sleep(Duration::from_millis(random.u64(20_000..=500_000))).await;
            self.start_again(recipe, &mut random).await?;
        }
        Ok(())
    }

    async fn start_again(&self, recipe: &Recipe, random: &mut Rng) -> anyhow::Result<()> {
        match random.u8(0..4) {
            0 => self.step_twice(random).await,
            1 => self.name_twice(random).await,
            2 => self.redrive_one(random).await,
            _ => self.deploy(random.usize(0..recipe.executors)).await,
        }
    }

    /// A step is called while another executor serves the same rows, and once more when that is long over.
    async fn step_twice(&self, random: &mut Rng) -> anyhow::Result<()> {
        let mut held = Vec::new();
        for _ in 0..LOOKS {
            held = self.table().work().held().await?;
            if !held.is_empty() {
                break;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let claims: Vec<Claimed> = held
            .into_iter()
            .map(|claim| Claimed { key: claim.key.to_string(), token: claim.token })
            .collect();
        if claims.is_empty() {
            return Ok(());
        }
        for (name, wait_ms) in
            [("step twice", 0), ("step of a finished task", random.u64(OVER_MS.0..=OVER_MS.1))]
        {
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            let Some(instance) = self.someone(random) else { continue };
            let local = instance.local()?;
            let run = ExecutionContext {
                execution: format!("again-{}", random.u32(..)),
                lane: Lane::Live,
                deadline_ms: local.cx.now_ms() + STEP_MS,
                ..reading(&local.cx)
            };
            let input = SyncRecordsInput { claims: claims.clone() };
            self.fired().add(name);
            // Whether it fails is its caller's matter; the judge sees what it did.
            let called = SyncRecords(local.cx.clone());
            drop(
                tokio::time::timeout(Duration::from_millis(STEP_MS.unsigned_abs()), called.run(input, &run))
                    .await,
            );
        }
        Ok(())
    }

    /// An execution is started under a name that another one has.
    async fn name_twice(&self, random: &mut Rng) -> anyhow::Result<()> {
        let Some(instance) = self.someone(random) else { return Ok(()) };
        let local = instance.local()?;
        let Ok(newest) = local.engine.list(LOOKED_AT).await else { return Ok(()) };
        let Some((row, version)) = one_of(newest, random) else { return Ok(()) };
        let (Some(workflow), Ok(input)) =
            (definition(&version, &row), serde_json::from_str::<Json>(&row.input))
        else {
            return Ok(());
        };
        let start = Start {
            name: Some(row.id.clone()),
            trigger: "world".to_owned(),
            actor: "world".to_owned(),
            lane: Lane::Reconcile,
        };
        self.fired().add("name twice");
        match local.engine.run(workflow, input, start).await {
            Err(EngineError::NameTaken(_) | EngineError::Store { .. } | EngineError::Dropped(_)) => {}
            other => self.fired().found(format!("an execution had the name of another one: {other:?}")),
        }
        Ok(())
    }

    /// An execution that ended badly runs again, by the next version of its definition.
    async fn redrive_one(&self, random: &mut Rng) -> anyhow::Result<()> {
        let Some(instance) = self.someone(random) else { return Ok(()) };
        let local = instance.local()?;
        let Ok(failed) = local.cx.recovery.failed(&Ended::default(), LOOKED_AT).await else { return Ok(()) };
        let Some((row, version)) = one_of(failed, random) else { return Ok(()) };
        let Some(workflow) = definition(&version, &row) else { return Ok(()) };
        let orchestrator = WorkflowOrchestrator::new(local.engine.clone());
        if let Ok(Begun::Now(id)) = local.cx.recovery.redrive(&orchestrator, workflow, &row, "world").await {
            self.fired().add("redrive");
            drop(orchestrator.wait(&id).await);
        }
        Ok(())
    }
}

/// One of these executions, and the next version of all definitions.
fn one_of(mut rows: Vec<ExecutionRow>, random: &mut Rng) -> Option<(ExecutionRow, TicketSyncWorkflow)> {
    let at = (!rows.is_empty()).then(|| random.usize(0..rows.len()))?;
    Some((rows.swap_remove(at), TicketSyncWorkflow::with_events_max(EVENTS_MAX)))
}

fn definition<'a>(version: &'a TicketSyncWorkflow, row: &ExecutionRow) -> Option<&'a CompiledWorkflow> {
    version.definitions().into_iter().find(|definition| definition.name == row.workflow)
}
