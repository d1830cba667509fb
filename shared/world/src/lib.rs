//! A whole world on one thread, one clock and one seed: a simulated Zendesk, a simulated ClickUp, the
//! people who work in both, deskup between them, and a judge who believes none of them.

pub mod deskup;
pub mod instance;
pub mod judge;
pub mod kept;
pub mod people;
pub mod ports;
pub mod price;
pub mod progress;
pub mod scenario;
pub mod seedwork;
pub mod world;

pub use deskup::{Deskup, Effort, Kept, KeptConflict, LinkSeen};
pub use instance::{Instance, InstanceOptions};
pub use judge::{Details, Verdict};
pub use ports::{Ports, PortsError, PortsOptions};
pub use progress::{Phase, Progress, Silent, Step};
pub use world::{Access, TrapAt, World, WorldError, WorldFaults, WorldOptions};
