//! Pairs that the newest look at all tasks recognised: `{i}#PAIRS` / `{ticket}#{task}`. A cache: the services
//! know better, and the next look replaces all of it.

use domain::Recognised;

use crate::error::StoreError;
use crate::row::{Kind, json};
use crate::store::Store;
use crate::table::{Key, Query, Write};

/// Operations on recognised pairs.
pub struct Pairs<'a> {
    pub(crate) store: &'a Store,
}

impl Pairs<'_> {
    /// All of them.
    pub async fn list(&self) -> Result<Vec<Recognised>, StoreError> {
        let rows = self.store.query(KIND, Query::partition(self.store.pk("PAIRS"), "")).await?;
        rows.iter().map(|row| row.json("pair")).collect()
    }

    /// Puts these in the place of those that were known.
    pub async fn replace(&self, pairs: &[Recognised]) -> Result<(), StoreError> {
        for known in self.list().await? {
            if !pairs.contains(&known) {
                self.store.write(Write::delete(KIND, &self.key(&known))).await?;
            }
        }
        for pair in pairs {
            let write = Write::update(KIND, &self.key(pair)).set("pair", json(KIND, pair)?);
            self.store.write(write).await?;
        }
        Ok(())
    }

    fn key(&self, pair: &Recognised) -> Key {
        Key::new(self.store.pk("PAIRS"), format!("{}#{}", pair.ticket, pair.task))
    }
}

const KIND: Kind = Kind::new("recognised pair", 4 * 1024);
