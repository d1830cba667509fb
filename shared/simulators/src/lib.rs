//! Zendesk and ClickUp as services in memory, for tests, the demo and local runs; and what a Lambda's process talks to.
//!
//! Each simulator answers HTTP requests as the recorded service does: status codes, error bodies, limits, pagination
//! quirks, signed webhooks. It keeps its contents in memory and, when given a file, in a journal that survives the
//! process, as the outside world would. Nothing here knows the rest of the workspace: a simulator that shared types
//! with our clients could not catch their mistakes. Nothing deployed sees this crate.

pub mod changes;
pub mod clickup;
pub mod clock;
pub mod error;
pub mod faults;
pub mod http_text;
pub mod journal;
pub mod lambda;
pub mod outbound;
pub mod overdrawn;
pub mod serve;
pub mod zendesk;

pub use changes::{Change, ChangeLog};
pub use clock::SimClock;
pub use error::SimError;
pub use faults::{Dice, Faults};
pub use journal::Journal;
pub use outbound::Outbound;
pub use overdrawn::Overdrawn;
pub use serve::serve;
