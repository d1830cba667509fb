//! Everything that runs in Lambda: the steps of the workflows, the webhook intake and the dispatcher. Each
//! is an ordinary async function over a [`Context`], so that a Lambda, the embedded engine and a test all
//! call the same thing.

pub mod access;
pub mod accounts;
pub mod backfill;
pub mod context;
pub mod credentials;
pub mod directory;
pub mod dispatcher;
pub mod error;
pub mod halt;
pub mod hooks;
pub mod lambda;
pub mod local;
pub mod names;
pub mod person;
pub mod plan;
mod queue;
pub mod reach;
pub mod registration;
pub mod remote;
pub mod rotation;
pub mod run;
pub mod steps;
pub mod sync;
pub mod webhook;

pub use context::{Activity, Context, Options};
pub use error::SyncError;
