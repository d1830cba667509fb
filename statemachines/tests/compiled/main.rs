//! Compiled definitions under the runner: what the graph says holds in the execution, by virtual time.

mod again;
mod graphs;
mod machine;
mod structures;
mod ticket_sync;
