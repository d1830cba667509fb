//! Simulated people who work in both services while deskup runs: they change what they want, when they
//! want, through the same HTTP as everybody, each with a token of their own.

pub mod act;
pub mod choose;
pub mod mischief;
pub mod plan;
pub mod play;
#[cfg(test)]
mod tests;
pub mod upheaval;

pub use plan::{Intention, Kind, PlanOptions, plan};
pub use play::{People, Played, Service};
