//! Work rows as a whole: what there is, what waits, what is to come sooner.

use std::collections::{BTreeMap, BTreeSet};

use domain::Lane;

use super::{Claim, Due, KIND, Work, due_key, read, wants};
use crate::error::StoreError;
use crate::row::{Row, text};
use crate::table::{Query, Range, Write};
use crate::work_key::WorkKey;

impl Work<'_> {
    /// Every row, due or not, in no order.
    pub async fn all(&self) -> Result<Vec<WorkKey>, StoreError> {
        Ok(self.everything().await?.into_iter().map(|row| row.key).collect())
    }

    async fn everything(&self) -> Result<Vec<Due>, StoreError> {
        let mut all = Vec::new();
        for lane in Lane::ALL {
            for shard in self.store.shard_pks(lane.name()) {
                for row in self.store.query(KIND, Query::index("due", shard, Range::All, None)).await? {
                    all.push(self.due_row(&row)?);
                }
            }
        }
        Ok(all)
    }

    pub(super) fn due_row(&self, row: &Row) -> Result<Due, StoreError> {
        let key = self.store.record_of(&row.text("pk")?);
        let key = key.ok_or_else(|| KIND.corrupt("its key names no record"))?;
        Ok(Due { key, ds: row.text("ds")? })
    }

    /// Rows that somebody has at present, with the claims; the next to come back first. For people.
    pub async fn held(&self) -> Result<Vec<Claim>, StoreError> {
        let mut held = Vec::new();
        for due in self.everything().await? {
            let row = self.store.get(KIND, &self.key(&due.key), true).await?;
            if let Some(row) = row.filter(|row| row.item.contains_key("claim")) {
                held.push(read(&due.key, &row)?);
            }
        }
        held.retain(|claim| claim.until_ms > self.store.now_ms());
        held.sort_by_key(|claim| claim.until_ms);
        Ok(held)
    }

    /// What the row of a record wants; nothing where there is none.
    pub async fn wants(&self, key: &WorkKey) -> Result<BTreeSet<String>, StoreError> {
        let row = self.store.get(KIND, &self.key(key), true).await?;
        Ok(row.map(|row| wants(&row).into_keys().collect()).unwrap_or_default())
    }

    /// How many rows there are that did not go back for this reason.
    pub async fn open(&self, except: &str) -> Result<usize, StoreError> {
        let mut open = 0;
        for key in self.all().await? {
            let row = self.store.get(KIND, &self.key(&key), true).await?;
            open += usize::from(row.is_some_and(|row| row.text_or_empty("last_error") != except));
        }
        Ok(open)
    }

    /// Rows that went back for this reason are due now; what is claimed is left to its holder.
    pub async fn hasten(&self, reason: &str) -> Result<(), StoreError> {
        for due in self.everything().await? {
            let now_ms = self.store.now_ms();
            let write = Write::update(KIND, &self.key(&due.key))
                .set("ds", text(due_key(now_ms, &due.key.to_string(), due.queue())))
                .remove("last_error")
                .when("#last_error = :reason AND attribute_not_exists(#claim)")
                .value(":reason", text(reason));
            self.store.write(write).await?;
        }
        Ok(())
    }

    /// The row of a record as it may be claimed, whenever it is due; `None` where there is none.
    pub async fn due_of(&self, key: &WorkKey) -> Result<Option<Due>, StoreError> {
        let row = self.store.get(KIND, &self.key(key), true).await?;
        let ds = row.map(|row| row.text("ds")).transpose()?;
        Ok(ds.map(|ds| Due { key: key.clone(), ds }))
    }

    /// Every record that waits in a lane, the next due first; an eventual read.
    pub async fn waiting(&self, lane: Lane) -> Result<Vec<Due>, StoreError> {
        let mut waiting = Vec::new();
        for shard in self.store.shard_pks(lane.name()) {
            for row in self.store.query(KIND, Query::index("due", shard, Range::All, None)).await? {
                waiting.push(self.due_row(&row)?);
            }
        }
        waiting.sort_by(|a, b| a.ds.cmp(&b.ds));
        Ok(waiting)
    }

    /// Rows by lane.
    pub async fn count(&self) -> Result<BTreeMap<Lane, u64>, StoreError> {
        let mut counts = BTreeMap::new();
        for lane in Lane::ALL {
            let mut sum = 0;
            for shard in self.store.shard_pks(lane.name()) {
                sum += self.store.count(Query::index("due", shard, Range::All, None)).await?;
            }
            counts.insert(lane, sum);
        }
        Ok(counts)
    }

    /// Whether there is any row, due or not; an eventual read.
    pub async fn is_any(&self) -> Result<bool, StoreError> {
        for lane in Lane::ALL {
            if self.next_due_ms(lane).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// For whoever knows that every earlier holder is gone: claims and leases end after a moment, in which requests
    /// that were on their way arrive.
    pub async fn take_over(&self, within_ms: i64) -> Result<(), StoreError> {
        let until_ms = self.store.now_ms() + within_ms;
        for due in self.everything().await? {
            let key = due.key.clone();
            let write = Write::update(KIND, &self.key(&key))
                .set("ds", text(due_key(until_ms, &key.to_string(), due.queue())))
                .when("attribute_exists(#claim) AND #ds > :ds");
            self.store.write(write).await?;
            let ticket = match &key {
                WorkKey::Ticket(ticket) => Some(*ticket),
                WorkKey::Task(task) => self.store.links().pointer(task).await?.map(|pointer| pointer.ticket),
            };
            if let Some(ticket) = ticket {
                self.store.leases().end_by(ticket, until_ms).await?;
            }
        }
        Ok(())
    }
}
