//! All state of deskup: one DynamoDB table through `aws-sdk-dynamodb`, on AWS and embedded alike.
//!
//! One stored thing has one file: its key layout in the first lines, its type, the handle with the
//! operations, its codec and its tests. [`Store`] hands out the handles.
//!
//! Rules that hold everywhere: a decision rests on a consistent read or a condition; an item is
//! changed by `UpdateItem` with named attributes, so that what a newer version wrote survives; a lost
//! reply is read back and never guessed; expiry is compared in code.

pub mod attachments;
pub mod budgets;
pub mod checkpoints;
pub mod comments;
pub mod configuration;
pub mod conflicts;
mod connector;
mod copies;
pub mod cursors;
pub mod effects;
pub mod embedded;
pub mod error;
pub mod evidence;
pub mod executions;
pub mod faults;
#[cfg(unix)]
pub mod guest;
pub mod installation;
pub mod jobs;
mod lag;
pub mod leases;
pub mod links;
mod migration;
pub mod names;
pub mod operations;
pub mod pairs;
pub mod plans;
pub mod pulse;
pub mod quarantine;
mod row;
mod schema;
pub mod seats;
pub mod service;
pub mod slas;
mod stall;
pub mod store;
pub mod switches;
mod table;
pub mod tally;
pub mod texts;
pub mod wakes;
pub mod work;
pub mod work_key;

pub use connector::FENCE_WENT_BACK;
/// Work rows and switches are by lane.
pub use domain::Lane;
pub use embedded::{Holder, Place};
pub use error::StoreError;
pub use faults::FaultPlan;
pub use operations::Operations;
pub use stall::Stall;
pub use store::{Clock, Intended, SHARDS, Store};
pub use work_key::WorkKey;
