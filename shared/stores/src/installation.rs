//! The installation itself: `{i}#SYS` / `INSTALL`. Opening a state writes it.

use crate::error::StoreError;
use crate::row::{Kind, Row};
use crate::store::Store;
use crate::table::Key;

/// What is known of an installation as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Installed {
    /// When it began, ms: its first opening, or its earliest link where that was not written down.
    pub created_ms: i64,
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
}

/// Sort key of the row.
pub(crate) const SK: &str = "INSTALL";
const KIND: Kind = Kind::new("installation", 4 * 1024);

impl Installation<'_> {
    fn key(&self) -> Key {
        Key::new(self.store.pk("SYS"), SK)
    }
}

fn read(row: &Row) -> Result<Installed, StoreError> {
    Ok(Installed { created_ms: row.number_or_zero("created_ms")? })
}
