//! Redrive: an execution that failed runs again as a new one, by the definition of today, with its old input. Steps
//! that kept their answers then do not run again where name, input and form still fit.

use asl::CompiledWorkflow;
use clients::Lane;
use domain::field::sha256_hex;
use futures::StreamExt;
use futures::stream;
use stores::StoreError;
use stores::executions::{Ended, ExecutionRow};

use crate::engine::{Engine, EngineError, Outcome, Start};
use crate::orchestrator::WorkflowOrchestrator;
use crate::recovery_manager::RecoveryManager;

/// Redrives that run at once: all draw on the same budgets.
const AT_ONCE: usize = 10;

/// The service's longest name of an execution, in characters.
const NAME_MAX: usize = 80;

/// Why an execution cannot be redriven.
#[derive(Debug, thiserror::Error)]
pub enum RedriveError {
    /// It is not over.
    #[error("execution {0} still runs: stop it first, or wait for its end")]
    Running(String),
    /// It did what it should.
    #[error("execution {0} has succeeded: there is nothing to redrive")]
    Succeeded(String),
    /// Its input is not known any more.
    #[error(
        "execution {0} cannot be redriven: an earlier version of deskup kept only the size of its input; start the workflow anew"
    )]
    NoInput(String),
    /// This version has no such workflow.
    #[error("execution {execution} cannot be redriven: this version of deskup has no workflow {workflow}")]
    NoWorkflow {
        /// Which execution.
        execution: String,
        /// Its workflow.
        workflow: String,
    },
    /// The store failed.
    #[error("execution {execution} could not be looked at")]
    Store {
        /// Which execution.
        execution: String,
        /// Why.
        source: StoreError,
    },
    /// The new execution could not be started or waited for.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A redrive that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It runs under this id.
    Now(String),
    /// Somebody has redriven it before, under this id.
    Before(String),
}

/// What came of one redrive.
#[derive(Debug)]
pub struct Redriven {
    /// The execution that had failed.
    pub of: String,
    /// Its workflow.
    pub workflow: String,
    /// The new execution's end; as far as it is, where somebody else had begun it.
    pub end: Result<Outcome, RedriveError>,
}

impl Redriven {
    /// Whether the new execution reached its end.
    pub fn succeeded(&self) -> bool {
        self.end.as_ref().is_ok_and(Outcome::succeeded)
    }
}

impl RecoveryManager {
    /// Executions that failed and that nothing redrives, the oldest first.
    pub async fn failed(&self, which: &Ended, limit: usize) -> Result<Vec<ExecutionRow>, StoreError> {
        self.store.executions().ended(which, limit).await
    }

    /// Starts a failed execution again by this definition. Asked twice, it is done once: the new one's name follows
    /// from the old one's.
    pub async fn redrive<E: Engine>(
        &self,
        orchestrator: &WorkflowOrchestrator<E>,
        workflow: &CompiledWorkflow,
        of: &ExecutionRow,
        actor: &str,
    ) -> Result<Begun, RedriveError> {
        match of.status.as_str() {
            "RUNNING" => return Err(RedriveError::Running(of.id.clone())),
            "SUCCEEDED" => return Err(RedriveError::Succeeded(of.id.clone())),
            _ => {}
        }
        let failed = |source| RedriveError::Store { execution: of.id.clone(), source };
        let input = self.store.executions().input(&of.id).await.map_err(failed)?;
        let input = input.and_then(|input| serde_json::from_str(&input).ok());
        let input = input.ok_or_else(|| RedriveError::NoInput(of.id.clone()))?;
        let start = Start {
            name: Some(name(of)),
            trigger: "redrive".to_owned(),
            actor: actor.to_owned(),
            lane: lane(&of.lane),
        };
        let begun = match orchestrator.start_again(workflow, input, start, of).await {
            Ok(id) => Begun::Now(id),
            Err(EngineError::NameTaken(id)) => Begun::Before(id),
            Err(error) => return Err(error.into()),
        };
        // After the start: should this be lost, the name is found taken the next time.
        let (Begun::Now(id) | Begun::Before(id)) = &begun;
        self.store.executions().redriven(&of.id, id).await.map_err(failed)?;
        Ok(begun)
    }

    /// Redrives all of these and waits for their ends, some at once; tells of each as it ends.
    pub async fn redrive_all<E: Engine>(
        &self,
        orchestrator: &WorkflowOrchestrator<E>,
        definitions: &[&CompiledWorkflow],
        failed: &[ExecutionRow],
        actor: &str,
        mut told: impl FnMut(&Redriven),
    ) -> Vec<Redriven> {
        let mut ends = stream::iter(failed)
            .map(|of| async move {
                let end = self.again(orchestrator, definitions, of, actor).await;
                Redriven { of: of.id.clone(), workflow: of.workflow.clone(), end }
            })
            .buffer_unordered(AT_ONCE);
        let mut all = Vec::with_capacity(failed.len());
        while let Some(end) = ends.next().await {
            told(&end);
            all.push(end);
        }
        all
    }

    async fn again<E: Engine>(
        &self,
        orchestrator: &WorkflowOrchestrator<E>,
        definitions: &[&CompiledWorkflow],
        of: &ExecutionRow,
        actor: &str,
    ) -> Result<Outcome, RedriveError> {
        let workflow = definitions.iter().find(|definition| definition.name == of.workflow);
        let workflow = workflow.ok_or_else(|| RedriveError::NoWorkflow {
            execution: of.id.clone(),
            workflow: of.workflow.clone(),
        })?;
        match self.redrive(orchestrator, workflow, of, actor).await? {
            Begun::Now(id) => Ok(orchestrator.wait(&id).await?),
            Begun::Before(id) => {
                let row = orchestrator.describe(&id).await?;
                Ok(Outcome::of(row.ok_or(EngineError::Unknown(id))?))
            }
        }
    }
}

/// The name of the next execution in a chain of redrives: the first one's, and how many there were.
fn name(of: &ExecutionRow) -> String {
    let first = of.answers_from.last().unwrap_or(&of.id);
    let suffix = format!("-r{}", of.answers_from.len() + 1);
    if first.len() + suffix.len() <= NAME_MAX {
        return format!("{first}{suffix}");
    }
    let hash = &sha256_hex(first.as_bytes())[..16];
    let kept: String = first.chars().take(NAME_MAX - suffix.len() - hash.len() - 1).collect();
    format!("{kept}-{hash}{suffix}")
}

/// The lane it ran in; rows of before have none.
fn lane(name: &str) -> Lane {
    let lanes = [Lane::Live, Lane::Reconcile, Lane::Backfill];
    lanes.into_iter().find(|lane| lane.name() == name).unwrap_or(Lane::Reconcile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_redrives_count_from_the_first_and_never_grow_too_long() {
        let row = |id: &str, from: &[&str]| ExecutionRow {
            id: id.to_owned(),
            answers_from: from.iter().map(|id| (*id).to_owned()).collect(),
            ..ExecutionRow::default()
        };
        assert_eq!(name(&row("sweep-7", &[])), "sweep-7-r1");
        assert_eq!(name(&row("sweep-7-r1", &["sweep-7"])), "sweep-7-r2");
        let long = "x".repeat(80);
        let (one, two) = (name(&row(&long, &[])), name(&row("any", &["before", &long])));
        assert_eq!((one.len(), two.len()), (80, 80));
        assert_ne!(one, two);
    }
}
