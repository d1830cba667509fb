//! How far a backfill has come, and where the polls take over from it.

use domain::{Ticket, TicketId};
use serde::{Deserialize, Serialize};
use stores::cursors::Cursor;

use crate::steps::{poll_comments, poll_tasks};
use crate::{Context, SyncError};

/// The stream under which the backfill's place is kept.
pub const STREAM: &str = "backfill";

/// Where a backfill stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Which backfill.
    pub generation: u64,
    /// The export's cursor before the page in work; the start if absent.
    pub cursor: Option<String>,
    /// The last ticket of that page up to which all are settled. A ticket that moves leaves its page for a later
    /// one, so its number in the page would not do.
    #[serde(default)]
    pub settled: Option<TicketId>,
    /// Tickets settled in all pages before.
    pub seen: u64,
    /// Whether the export's end was reached.
    #[serde(default)]
    pub exported: bool,
    /// Marks on tickets that are not settled; see `sync/link_back/batch.rs`.
    #[serde(default)]
    pub jobs: Vec<String>,
    /// Whether all of it is done.
    pub done: bool,
    /// When it began, in unix milliseconds: the polls go on from there.
    pub started_ms: i64,
    /// Fingerprint of the settings it began under: others may take tickets that it passed by.
    #[serde(default)]
    pub settings: String,
}

impl Place {
    /// Reads the place of a backfill, a fresh one if there is none of this generation.
    pub async fn load(
        cx: &Context,
        generation: u64,
        now_ms: i64,
    ) -> Result<(Place, Option<Cursor>), SyncError> {
        let cursor = cx.checkpoints.cursor(STREAM).await?;
        let place = cursor.as_ref().and_then(|c| serde_json::from_str::<Place>(&c.text).ok());
        let place = place.filter(|place| place.generation == generation).unwrap_or(Place {
            generation,
            started_ms: now_ms,
            settings: cx.mapping.settings().digest(),
            ..Place::default()
        });
        Ok((place, cursor))
    }

    /// How many tickets of the page, as it is exported now, are settled.
    pub(crate) fn offset(&self, tickets: &[Ticket]) -> usize {
        let last = self.settled.and_then(|settled| tickets.iter().position(|ticket| ticket.id == settled));
        last.map_or(0, |last| last + 1)
    }

    pub(crate) async fn save(&self, cx: &Context, cursor: &mut Option<Cursor>) -> Result<(), SyncError> {
        let text = serde_json::to_string(self).unwrap_or_default();
        *cursor = Some(cx.checkpoints.advance(STREAM, cursor.as_ref(), &text).await?);
        Ok(())
    }

    /// What people write from now on is the polls', however far the backfill comes: a ticket that moves turns up in its
    /// export again, a comment or a task does not.
    pub(crate) async fn begin_polls(&self, cx: &Context) -> Result<(), SyncError> {
        let since_s = (self.started_ms / 1_000).to_string();
        for (stream, text) in
            [(poll_comments::STREAM, since_s), (poll_tasks::STREAM, self.started_ms.to_string())]
        {
            if cx.checkpoints.cursor(stream).await?.is_none() {
                cx.checkpoints.advance(stream, None, &text).await?;
            }
        }
        Ok(())
    }
}
