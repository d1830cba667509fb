//! The installation itself: `{i}#SYS` / `INSTALL`. When it began, and whether it was told to run or to stop: the
//! difference between a deskup that was stopped and one that fell over.

use crate::error::StoreError;
use crate::row::{Kind, Row, number, text};
use crate::store::Store;
use crate::table::{Key, Write};

/// What is known of an installation as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Installed {
    /// When it began, ms: its first opening, or its earliest link where that was not written down.
    pub created_ms: i64,
    /// When a process last began to keep both sides in step, ms.
    pub started_ms: Option<i64>,
    /// What that process said it was.
    pub started_as: String,
    /// When a process last ended in order, ms.
    pub stopped_ms: Option<i64>,
}

impl Installed {
    /// Whether somebody began to keep both sides in step and nobody ended it in order.
    pub fn should_run(&self) -> bool {
        self.started_ms.is_some_and(|started| self.stopped_ms.is_none_or(|stopped| stopped < started))
    }
}

/// Operations on the installation's row.
pub struct Installation<'a> {
    pub(crate) store: &'a Store,
}

impl Installation<'_> {
    /// The row (consistent read).
    pub async fn get(&self) -> Result<Installed, StoreError> {
        let row = self.store.get(KIND, &self.key(), true).await?;
        row.map_or_else(|| Ok(Installed::default()), |row| read(&row))
    }

    /// A process begins to keep both sides in step; `what` says which.
    pub async fn started(&self, what: &str) -> Result<(), StoreError> {
        let write = self.write().set("started_ms", number(self.store.now_ms())).set("started_as", text(what));
        self.store.write(write).await.map(drop)
    }

    /// That process ends in order.
    pub async fn stopped(&self) -> Result<(), StoreError> {
        self.store.write(self.write().set("stopped_ms", number(self.store.now_ms()))).await.map(drop)
    }
}

/// Sort key of the row.
pub(crate) const SK: &str = "INSTALL";
const KIND: Kind = Kind::new("installation", 4 * 1024);

impl Installation<'_> {
    fn key(&self) -> Key {
        Key::new(self.store.pk("SYS"), SK)
    }

    fn write(&self) -> Write {
        Write::update(KIND, &self.key())
            .set_by("#created_ms = if_not_exists(#created_ms, :now)")
            .value(":now", number(self.store.now_ms()))
    }
}

fn read(row: &Row) -> Result<Installed, StoreError> {
    Ok(Installed {
        created_ms: row.number_or_zero("created_ms")?,
        started_ms: row.number_maybe("started_ms")?,
        started_as: row.text_or_empty("started_as"),
        stopped_ms: row.number_maybe("stopped_ms")?,
    })
}
