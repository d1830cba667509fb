//! Runs compiled states-language definitions in process, with the meaning, the
//! errors and the history of the service.
//!
//! Evaluation is pure and synchronous (`data`, `jsonata`, `jsonpath`, `choice`,
//! `retry`). Only `flow` and `states` touch time, tasks and the history. Time is
//! tokio's, so that a test under its paused clock waits for nothing.

mod choice;
mod context;
mod data;
mod execution;
mod fault;
mod flow;
mod hash;
mod history;
mod intrinsics;
mod jsonata;
mod jsonpath;
mod limits;
mod options;
mod random;
mod retry;
mod run;
mod scope;
mod states;
mod stop;
mod tasks;
mod template;
pub mod texts;
mod timestamp;

pub use execution::{Event, Execution, Status};
pub use jsonata::check_expression;
pub use limits::Limits;
pub use options::{Clock, Observer, Options, tokio_clock};
pub use run::run;
pub use stop::Stop;
pub use tasks::{Heartbeat, Iteration, TaskReply, TaskRequest, Tasks, lambda_result};
