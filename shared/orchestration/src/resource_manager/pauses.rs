//! Pauses of a service: a person's, and our own after it refused too much.
//!
//! A refusal that one window explains is ordinary. Where window after window is refused although each was taken for
//! open, our picture of the limit is wrong or somebody else uses it up, and asking on only makes it worse.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use clients::Api;
use stores::switches::SwitchName;
use stores::{Store, StoreError};

/// A look at the switches is good for so long.
const LOOK_MS: i64 = 2_000;
/// A pause without an end is looked at again after this.
const AGAIN_MS: i64 = 5_000;
/// So many windows in a row with a refusal are one too many.
const STRIKES: u32 = 5;
/// The first pause of our own; each further refusal doubles it.
const FIRST_MS: i64 = 60_000;
const LONGEST_MS: i64 = 15 * 60_000;
/// Windows of a row follow each other within this time.
const ROW_MS: i64 = 120_000;

/// What this process knows of pauses.
#[derive(Default)]
pub(super) struct Pauses(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// When the switch was read last, and until when it pauses (0: not).
    read: BTreeMap<Api, (i64, i64)>,
    /// Refused windows in a row, and when the last one ended.
    strikes: BTreeMap<(Api, String), (u32, i64)>,
}

impl Pauses {
    /// Until when nothing is asked of a service, ms; 0 if nothing is in the way.
    pub(super) async fn until_ms(&self, store: &Store, api: Api) -> Result<i64, StoreError> {
        let now_ms = store.now_ms();
        if let Some((at_ms, until_ms)) = self.known().read.get(&api)
            && now_ms - at_ms < LOOK_MS
        {
            return Ok(*until_ms);
        }
        let switch = store.switches().get(SwitchName::Budget(api.side())).await?;
        let until_ms = switch.map_or(0, |on| on.until_ms.unwrap_or(i64::MAX).min(now_ms + AGAIN_MS));
        self.known().read.insert(api, (now_ms, until_ms));
        Ok(until_ms)
    }

    /// A window was refused. After too many in a row the service is left alone for a while, by everybody.
    pub(super) async fn refused(
        &self,
        store: &Store,
        api: Api,
        bucket: &str,
        until_ms: i64,
    ) -> Result<(), StoreError> {
        // One ticket's own limit says nothing about the account.
        if bucket.starts_with("ticket:") {
            return Ok(());
        }
        let now_ms = store.now_ms();
        let Some(strikes) = self.known().strike(api, bucket, now_ms, until_ms) else { return Ok(()) };
        if strikes < STRIKES {
            return Ok(());
        }
        let pause_ms = FIRST_MS.saturating_mul(1 << (strikes - STRIKES).min(10)).min(LONGEST_MS);
        let reason = format!("{api} refused {strikes} windows of its limit `{bucket}` in a row");
        tracing::warn!(%api, bucket, strikes, pause_ms, "nothing is asked of the service for a while");
        let name = SwitchName::Budget(api.side());
        store.switches().set_until(name, &reason, "deskup", now_ms + pause_ms).await?;
        self.known().read.remove(&api);
        Ok(())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Counts a refusal; `None` if its window was counted already.
    fn strike(&mut self, api: Api, bucket: &str, now_ms: i64, until_ms: i64) -> Option<u32> {
        let (count, last_ms) = self.strikes.entry((api, bucket.to_owned())).or_default();
        if now_ms < *last_ms {
            return None;
        }
        *count = if now_ms - *last_ms <= ROW_MS { *count + 1 } else { 1 };
        *last_ms = until_ms.max(now_ms);
        Some(*count)
    }
}
