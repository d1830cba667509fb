//! The vocabulary of running work: an orchestrator on an engine, the context of a step, the steps themselves, the
//! progress of executions, what runs next, and the managers of budgets, checkpoints, recovery and syncs that are waited for.

pub mod checkpoint_manager;
pub mod context;
pub mod engine;
pub mod orchestrator;
pub mod recovery_manager;
pub mod registry;
pub mod resource_manager;
pub mod step;
pub mod sync_manager;
pub mod task_scheduler;
pub mod workflow_state;

pub use asl::WorkflowDefinition;
pub use checkpoint_manager::CheckpointManager;
pub use context::{ExecutionContext, Random};
pub use engine::{EmbeddedEngine, Engine, EngineError, Event, Outcome, Start, StepFunctionsEngine, Totals};
pub use orchestrator::WorkflowOrchestrator;
pub use recovery_manager::{Halt, Noted, RecoveryManager};
pub use registry::Registry;
pub use resource_manager::{BudgetSettings, ResourceManager, Room};
pub use step::{Failure, StepExecutor, StepFailure};
pub use sync_manager::SyncManager;
pub use task_scheduler::TaskScheduler;
pub use workflow_state::WorkflowState;
