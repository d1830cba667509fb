//! deskup's own rows as the judge may read them, wherever its table is.

use stores::Store;

use crate::deskup::{Kept, KeptConflict, LinkSeen};

/// Rows of a listing that are read at most.
const ROWS_MAX: usize = 1_000_000;

/// What deskup's table holds for the judge.
pub async fn read(store: &Store) -> anyhow::Result<Kept> {
    let mut kept = Kept { store_operations: store.operations().requests, ..Kept::default() };
    let mut from = None;
    loop {
        let page = store.links().scan(from.as_ref()).await?;
        for link in page.links {
            let Some(task) = link.task else { continue };
            let state = format!("{:?}", link.state).to_uppercase();
            kept.links.insert(link.ticket, LinkSeen { task, list: link.list, state });
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    for row in store.conflicts().list_open(ROWS_MAX).await? {
        kept.conflicts.push(KeptConflict { ticket: row.ticket, at_ms: row.at_ms, conflict: row.conflict });
    }
    kept.conflicts.sort_by_key(|row| (row.at_ms, row.ticket));
    for row in store.quarantine().list(ROWS_MAX).await? {
        kept.quarantined.push((row.record.to_string(), row.cause));
    }
    Ok(kept)
}
