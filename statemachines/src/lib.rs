//! Which steps run, and in which order: no IO, no async.
//!
//! `steps` declares each step once with its name, input and output; a workflow file arranges them. The compiled
//! definitions are committed under `asl/` and compared by a test.

pub mod steps;
pub mod ticket_sync;

pub use ticket_sync::TicketSyncWorkflow;
