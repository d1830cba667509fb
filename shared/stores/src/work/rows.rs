//! Work rows as a whole: what there is, what waits, what is to come sooner.

use std::collections::{BTreeMap, BTreeSet};

use super::{Due, KIND, Work, due_key, wants};
use crate::error::StoreError;
use crate::lane::{Lane, WorkKey};
use crate::row::text;
use crate::table::{Query, Range, Write};

impl Work<'_> {
    /// Every row, due or not, in no order.
    pub async fn all(&self) -> Result<Vec<WorkKey>, StoreError> {
        let mut keys = Vec::new();
        for lane in Lane::ALL {
            for shard in self.store.shard_pks(lane.name()) {
                for row in self.store.query(KIND, Query::index("due", shard, Range::All, None)).await? {
                    let key = self.store.record_of(&row.text("pk")?);
                    keys.push(key.ok_or_else(|| KIND.corrupt("its key names no record"))?);
                }
            }
        }
        Ok(keys)
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
        for key in self.all().await? {
            let write = Write::update(KIND, &self.key(&key))
                .set("ds", text(due_key(self.store.now_ms(), &key.to_string())))
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
                let key = self.store.record_of(&row.text("pk")?);
                let key = key.ok_or_else(|| KIND.corrupt("its key names no record"))?;
                waiting.push(Due { key, ds: row.text("ds")? });
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

    /// For whoever knows that every earlier holder is gone: claims and leases end after a moment, in which requests
    /// that were on their way arrive.
    pub async fn take_over(&self, within_ms: i64) -> Result<(), StoreError> {
        let until_ms = self.store.now_ms() + within_ms;
        for key in self.all().await? {
            let write = Write::update(KIND, &self.key(&key))
                .set("ds", text(due_key(until_ms, &key.to_string())))
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
