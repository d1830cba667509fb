//! Waiting for calm: no delivery under way, no work due, and polls that find nothing.

use std::time::Duration;

use super::{World, WorldError};
use crate::deskup::Deskup;

/// Between two looks.
const LOOK_MS: u64 = 500;
const LOOK_MAX_MS: u64 = 5_000;
/// Between two polls: the export leaves out its last minute, so a poll sooner would see less.
const POLL_MS: u64 = 65_000;
/// Polls in a row that must find nothing.
const QUIET_POLLS: usize = 2;
/// When a world that does not come to rest is given up, besides the quiet polls: well above the longest
/// delay in deskup.
const PATIENCE_MS: i64 = 6 * 3_600_000;

impl World {
    /// Waits until nothing moves any more. Time passes: virtual time under a paused clock.
    pub async fn settle(&self, deskup: &dyn Deskup) -> Result<(), WorldError> {
        self.phase("settle")?;
        self.rest(deskup).await?;
        self.phase("settled")
    }

    /// Waits until no delivery is under way and no work is due, without asking for anything that was not told.
    pub async fn quiet(&self, deskup: &dyn Deskup) -> Result<(), WorldError> {
        self.wait_until_idle(deskup, self.now_ms() + PATIENCE_MS).await
    }

    /// As [`World::settle`], without marking it.
    pub(super) async fn rest(&self, deskup: &dyn Deskup) -> Result<(), WorldError> {
        let wanted = self.quiet_polls();
        let polling_ms = i64::try_from(wanted as u64 * POLL_MS).unwrap_or(i64::MAX / 2);
        let until_ms = self.now_ms() + PATIENCE_MS + polling_ms;
        let mut quiet = 0;
        while quiet < wanted {
            self.wait_until_idle(deskup, until_ms).await?;
            let before = self.sync_changes();
            tokio::time::sleep(Duration::from_millis(POLL_MS)).await;
            deskup.poll().await.map_err(WorldError::Deskup)?;
            self.wait_until_idle(deskup, until_ms).await?;
            quiet = if self.sync_changes() == before { quiet + 1 } else { 0 };
        }
        Ok(())
    }

    /// A comment whose webhook was lost is found only when the sweep comes round to its task, so a world
    /// that loses webhooks, or whose deskup was down for a while, waits for a whole round.
    fn quiet_polls(&self) -> usize {
        if self.options.faults.webhook_drop == 0.0 && self.chronicle.incarnation() <= 1 {
            return QUIET_POLLS;
        }
        QUIET_POLLS + self.options.tickets.div_ceil(functions::Options::default().sweep_tasks.max(1))
    }

    async fn wait_until_idle(&self, deskup: &dyn Deskup, until_ms: i64) -> Result<(), WorldError> {
        let (mut idle_looks, mut look_ms) = (0, LOOK_MS);
        // Twice in a row: a delivery may have ended and its work not yet begun.
        while idle_looks < 2 {
            let services = self.zendesk.idle() && self.clickup.idle();
            let idle = services && deskup.idle().await.map_err(WorldError::Deskup)?;
            idle_looks = if idle { idle_looks + 1 } else { 0 };
            if self.now_ms() > until_ms {
                let what = if services { "deskup has work left" } else { "webhooks are not taken" };
                return Err(WorldError::Restless { what });
            }
            // Who is busy for long is looked at less and less often.
            look_ms = if idle { LOOK_MS } else { LOOK_MAX_MS.min(look_ms + LOOK_MS / 2) };
            tokio::time::sleep(Duration::from_millis(look_ms)).await;
        }
        Ok(())
    }

    /// How many changes deskup has made in both services.
    fn sync_changes(&self) -> usize {
        let rules = &self.rules;
        let zendesk =
            self.zendesk.changes().iter().filter(|change| change.actor == rules.zendesk_sync).count();
        zendesk + self.clickup.changes().iter().filter(|change| change.actor == rules.clickup_sync).count()
    }
}
