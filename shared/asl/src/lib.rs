//! The Amazon States Language as data: a typed model of its states, the checks that Step Functions makes at
//! creation, and a builder that compiles a workflow written in Rust to a definition.
//!
//! Nothing here executes a definition (that is `runner`), reads a file or knows of async code: a definition is a
//! value, and two people who compile the same source get the same bytes.

pub mod check;
pub mod compile;
mod copies;
mod emit;
pub mod expression;
pub mod medians;
pub mod mistake;
pub mod model;
pub mod names;
pub mod nest;
pub mod operator;
pub mod parse;
pub mod report;
mod resolve;
pub mod retry;
pub mod step;
pub mod types;
pub mod workflow;
pub mod write;

pub use check::{check, validate};
pub use compile::CompiledWorkflow;
pub use mistake::{Code, Mistake};
pub use model::{Flow, Kind, Machine, QueryLanguage, State, StateKind};
pub use parse::parse;
pub use workflow::{Block, Step, WorkflowDefinition};
