//! Who has asked to be woken when: `{i}#WAKE` / second. Several may wish for the same moment; one asks for it.

use crate::error::StoreError;
use crate::row::{Kind, number};
use crate::store::Store;
use crate::table::{Key, Write};

/// Operations on moments.
pub struct Wakes<'a> {
    pub(crate) store: &'a Store,
}

/// After this a moment is long past.
const KEPT_S: i64 = 3_600;
const KIND: Kind = Kind::new("wake", 1024);

impl Wakes<'_> {
    /// Takes the moment; false if somebody has it already.
    pub async fn book(&self, at_ms: i64) -> Result<bool, StoreError> {
        let second = at_ms.div_euclid(1_000);
        let key = Key::new(self.store.pk("WAKE"), format!("{second:012}"));
        let write = Write::put_new(KIND, &key).set("exp", number(second + KEPT_S));
        Ok(self.store.write(write).await?.happened())
    }
}
