//! What a world is made of before anybody moves: who is there, which tickets, which lists, and the
//! mapping between them. All of it is drawn from one seed.

pub mod canary;
pub mod cast;
pub mod install;
pub mod settings;
pub mod texts;
pub mod tickets;
pub mod workspace;
