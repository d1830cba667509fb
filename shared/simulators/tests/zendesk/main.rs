//! The simulated Zendesk through its front door: every rule that a client can feel.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

mod access;
mod durability;
mod exports;
mod jobs;
mod limits;
mod openapi;
mod support;
mod tickets;
mod updates;
mod webhooks;
