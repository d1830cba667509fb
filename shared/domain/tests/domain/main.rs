//! The domain as others use it: settings and their mistakes, decisions as data, and the properties that
//! merging and mirroring must have.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

mod apply;
mod conversation;
mod create;
mod decide;
mod delays;
mod echo;
mod edits;
mod history;
mod merge;
mod orders;
mod people;
mod proposal;
mod sample;
mod services;
mod settings;
