//! Everything that runs in Lambda: the steps of the workflows, the webhook intake and the dispatcher. Each
//! is an ordinary async function over a [`Context`], so that a Lambda, the embedded engine and a test all
//! call the same thing.

pub mod context;
pub mod directory;
pub mod dispatcher;
pub mod error;
pub mod local;
pub mod steps;
pub mod sync;
pub mod webhook;

pub use context::{Context, Options, WebhookSecrets};
pub use error::SyncError;
