//! Requests to the table: what a write is ([`Write`]), how it is sent until its fate is known, and reads.

mod expressions;
mod failures;
mod reads;
#[cfg(test)]
mod tests;
mod write;
mod writes;

use std::time::Duration;

use crate::row::{Item, text};
use crate::store::Store;

pub(crate) use reads::{Query, Range};
pub(crate) use write::{Write, Wrote};

/// Tries of one request, the first included; the waits between them add up to about 1.5 s.
const TRIES: u32 = 6;
/// The first wait; each further one doubles.
const WAIT_MS: u64 = 50;

/// Key of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl Key {
    pub(crate) fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    pub(crate) fn item(&self) -> Item {
        Item::from([("pk".to_owned(), text(&self.pk)), ("sk".to_owned(), text(&self.sk))])
    }
}

impl Store {
    pub(crate) async fn wait_before(&self, attempt: u32) {
        if attempt > 0 {
            let ms = WAIT_MS << (attempt - 1);
            tokio::time::sleep(Duration::from_millis(ms + self.jitter(ms / 2))).await;
        }
    }
}
