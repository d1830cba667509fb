//! What deskup does while one of its rules is broken on purpose, where that takes more than a line.

use clients::{ExportFrom, ExportPage};
use domain::{LinkFields, bases_after_create};
use stores::cursors::Cursor;
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

/// The changed tickets from the time that was kept for a cursor.
pub fn export_from(cursor: &str) -> ExportFrom {
    cursor.parse().map_or_else(|_| ExportFrom::Cursor(cursor.to_owned()), ExportFrom::Start)
}

/// The time of a page's newest ticket, for a cursor.
pub fn after(page: &ExportPage) -> Option<String> {
    let newest = page.tickets.iter().map(|ticket| ticket.updated.ms() / 1_000 + 1).max();
    newest.map(|time_s| time_s.to_string()).or_else(|| page.after_cursor.clone())
}

/// Steps on to what a poll has only read.
pub async fn step_on(
    cx: &Context,
    stream: &str,
    cursor: &mut Option<Cursor>,
    to: &str,
) -> Result<(), SyncError> {
    if cursor.as_ref().is_none_or(|cursor| cursor.text != to) {
        *cursor = Some(cx.checkpoints.advance(stream, cursor.as_ref(), to).await?);
    }
    Ok(())
}

/// As if both sides had agreed on what they hold now.
pub fn all_agreed(cx: &Context, pair: &Pair) -> LinkFields {
    bases_after_create(&pair.ticket, &pair.task, &cx.mapping).0
}
