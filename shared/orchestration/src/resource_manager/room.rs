//! How much work the budgets leave room for, for whoever decides what is begun.

use clients::{Api, Lane};
use stores::StoreError;
use stores::budgets::ceiling;

use super::ResourceManager;

/// Limits of whole accounts: every call takes one of its service's.
pub(super) const ACCOUNTS: [(Api, &str); 2] = [(Api::Zendesk, "account"), (Api::Clickup, "token")];
/// A lane that leaves a reserve looks again after this: the reserve is given up late in a window.
const AGAIN_MS: i64 = 5_000;

/// What the budgets have for a lane at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// So many calls, of the service that has fewer left.
    Calls(u32),
    /// Nothing before then, ms.
    Until(i64),
}

impl ResourceManager {
    /// What both accounts have for a lane: what the book says, and what this process has booked. Work that would only
    /// wait for a limit need not be claimed.
    pub async fn room(&self, lane: Lane) -> Result<Room, StoreError> {
        let mut calls = u32::MAX;
        for (api, bucket) in ACCOUNTS {
            let paused_until = self.pauses.until_ms(&self.store, api).await?;
            if paused_until > 0 {
                return Ok(Room::Until(paused_until));
            }
            let now = self.clock.now_ms();
            let Some(window) = self.store.budgets().newest(api.name(), bucket).await? else { continue };
            if window.reset_ms <= now {
                continue;
            }
            let reserve = self.reserve(lane.rank());
            let left = match window.spent {
                true => 0,
                false => ceiling(window.limit, reserve).saturating_sub(window.used),
            };
            let left = left + self.booked(api, bucket, lane, now);
            if left == 0 {
                let again = if reserve > 0 && !window.spent { now + AGAIN_MS } else { window.reset_ms };
                return Ok(Room::Until(again.min(window.reset_ms)));
            }
            calls = calls.min(left);
        }
        Ok(Room::Calls(calls))
    }

    fn booked(&self, api: Api, bucket: &str, lane: Lane, now: i64) -> u32 {
        let state = self.state();
        let known = state.buckets.get(&(api, bucket.to_owned()));
        known.filter(|bucket| !bucket.is_over(now)).map_or(0, |bucket| bucket.booked(lane.rank()))
    }
}
