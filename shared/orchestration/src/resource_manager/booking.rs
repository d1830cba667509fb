//! Booking a block of a window in the store: under which name, how much, and what the book has to be told.

use clients::{Api, Bucket};
use stores::StoreError;
use stores::budgets::{Grant, WindowKey};

use super::bucket::{BucketState, Claim, Taken};
use super::order::Order;
use super::queue::Turn;
use super::{ResourceManager, State};

impl ResourceManager {
    /// Books a block in the store.
    pub(super) async fn book(&self, api: Api, wanted: &Bucket, turn: Turn) -> Result<(), StoreError> {
        let _one = self.booking.lock().await;
        let key = (api, wanted.name.clone());
        let paused_until = self.pauses.until_ms(&self.store, api).await?;
        self.agree(&key).await?;
        let claim = turn.claim_at(self.clock.now_ms());
        let Some((order, window_ms)) = self.order(&key, turn, claim, paused_until) else { return Ok(()) };
        let window =
            |start_ms: i64| WindowKey { api: api.name().to_owned(), bucket: wanted.name.clone(), start_ms };
        let budgets = self.store.budgets();
        let name = window(order.name_ms);
        if let Some(limit) = order.limit_seen {
            budgets.seen_limit(&name, limit).await?;
        }
        // Calls in flight at the edge are booked in both windows.
        let mut size = order.size + order.carried;
        let mut usable = order.size;
        let book = async |size: u32| {
            budgets.grant(&name, size, order.limit, order.reserve_percent, order.edge_ms).await
        };
        let mut grant = book(size).await?;
        if let Grant::Empty { left, .. } = grant
            && left > order.carried
        {
            size = left;
            usable = left - order.carried;
            grant = book(size).await?;
        }
        if order.is_edge_news {
            budgets.seen_edge(&name, order.edge_ms, window_ms).await?;
        }
        if let (Grant::Granted { .. }, Some(windows)) = (&grant, order.or) {
            let apart = windows * window_ms;
            let other = window(order.name_ms + apart);
            let other = budgets.grant(&other, usable, order.limit, 0, order.edge_ms + apart).await?;
            if matches!(other, Grant::Empty { .. }) {
                budgets.give_back(&name, size).await?;
                // Once the edge is surely behind us, this window alone is asked.
                self.tell(&key, |bucket| bucket.unsure(claim));
                return Ok(());
            }
        }
        // Others use this limit too: the book must not promise what they have used.
        if let (Grant::Granted { used, .. }, Some(seen)) = (&grant, order.used_seen)
            && seen > used - size
        {
            budgets.seen_used(&name, seen + size, order.limit, order.edge_ms).await?;
        }
        self.tell(&key, |bucket| bucket.granted(claim, &order, &grant, usable));
        Ok(())
    }

    /// What to book now; nothing if somebody booked, or somebody more urgent came, while we waited for our turn to book.
    fn order(
        &self,
        key: &(Api, String),
        turn: Turn,
        claim: Claim,
        paused_until: i64,
    ) -> Option<(Order, i64)> {
        let now = self.clock.now_ms();
        let mut state = self.state();
        let State { buckets, queue, .. } = &mut *state;
        let bucket = buckets.get_mut(key)?;
        bucket.roll(now);
        bucket.paused(paused_until);
        if !matches!(bucket.look(claim, now), Taken::Book) || queue.more_urgent(key, turn) {
            return None;
        }
        let reserve = self.reserve(claim.rank);
        // Of a reserve, who waited long takes what it needs itself, and nothing for those behind it.
        let for_one = reserve < self.reserve(claim.lane);
        Some((bucket.order(reserve, for_one, now), bucket.window_ms()))
    }

    fn tell(&self, key: &(Api, String), news: impl FnOnce(&mut BucketState)) {
        if let Some(bucket) = self.state().buckets.get_mut(key) {
            news(bucket);
        }
        self.changed.notify_waiters();
    }

    /// Once a window, before the first booking: others may have other ideas of where it ends.
    async fn agree(&self, key: &(Api, String)) -> Result<(), StoreError> {
        if self.state().buckets.get(key).is_none_or(BucketState::is_agreed) {
            return Ok(());
        }
        let newest = self.store.budgets().newest(key.0.name(), &key.1).await?;
        if let Some(bucket) = self.state().buckets.get_mut(key) {
            bucket.agree(newest.as_ref(), self.clock.now_ms());
        }
        Ok(())
    }

    /// What a lane leaves of a window to those before it.
    pub(super) fn reserve(&self, rank: u8) -> u32 {
        match rank {
            0 | 1 => 0,
            2 => self.settings.reconcile_reserve_percent,
            3 => self.settings.backfill_reserve_percent,
            _ => self.settings.report_reserve_percent,
        }
    }
}
