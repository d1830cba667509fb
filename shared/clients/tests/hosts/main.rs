//! Credentials go to the account's own host only, whatever a link, a page or a redirect says.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod calls;
#[path = "../common/mod.rs"]
mod common;
mod links;
mod planted;
mod ports;
mod rule;
mod watch;
