//! A folder whose deskup runs on AWS: which stack it is, its table in place of a state file, its state machines in
//! place of the embedded engine.

mod link;
mod push;
mod run;
mod signing;

pub use link::Link;
pub use push::{PushArgs, attach, push};
pub use run::{backfill, catch_up, sweep};
pub use signing::SigningKeeper;
