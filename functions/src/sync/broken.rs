//! What deskup does while one of its rules is broken on purpose, where that takes more than a line.

use domain::{LinkFields, bases_after_create};
use stores::links::Link;

use crate::sync::pair::Pair;
use crate::{Context, SyncError};

/// What comes sooner after a write of ours is its echo.
const ECHO_MS: i64 = 30_000;

/// Whether a write of ours is so young that whatever moved is its echo.
pub async fn wrote_lately(cx: &Context, link: &Link) -> Result<bool, SyncError> {
    let since_ms = cx.now_ms() - ECHO_MS;
    Ok(cx.store.effects().list(link.ticket).await?.iter().any(|effect| effect.sent_ms > since_ms))
}

/// As if both sides had agreed on what they hold now.
pub fn all_agreed(cx: &Context, pair: &Pair) -> LinkFields {
    bases_after_create(&pair.ticket, &pair.task, &cx.mapping).0
}
