//! What functions that are started anew work by: `{i}#SYS` / `CONFIG`. The settings, and who and what there is in both
//! accounts as last read, so that a start asks nobody else.

use crate::error::StoreError;
use crate::row::{Kind, number, text};
use crate::store::Store;
use crate::table::{Key, Write, Wrote};
use crate::texts;

/// The settings and the directory as they were last pushed or read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Text of `deskup.toml`.
    pub settings: String,
    /// The directory as JSON.
    pub directory: String,
    /// Raised with every change.
    pub version: u64,
    /// When both accounts were last read, ms.
    pub read_ms: i64,
}

/// Operations on the configuration.
pub struct Configurations<'a> {
    pub(crate) store: &'a Store,
}

/// The hash of a text that is kept beside the row because it is long.
const KEPT: &str = "kept:";
/// What fits beside the rest into one row.
const INLINE_BYTES_MAX: usize = 150 * 1024;
const KIND: Kind = Kind::new("configuration", 350 * 1024);

impl Configurations<'_> {
    /// What is in force (consistent read).
    pub async fn get(&self) -> Result<Option<Configuration>, StoreError> {
        let Some(row) = self.store.get(KIND, &self.key(), true).await? else { return Ok(None) };
        Ok(Some(Configuration {
            settings: self.fetch(row.text("settings")?).await?,
            directory: self.fetch(row.text("directory")?).await?,
            version: row.number("version")?,
            read_ms: row.number("read_ms")?,
        }))
    }

    /// Replaces what was in force when this was read (`version`; 0 for nothing); `Stale` if somebody was faster.
    pub async fn put(&self, configuration: &Configuration) -> Result<(), StoreError> {
        let write = Write::update(KIND, &self.key())
            .set("settings", text(self.keep(&configuration.settings).await?))
            .set("directory", text(self.keep(&configuration.directory).await?))
            .set("read_ms", number(configuration.read_ms))
            .set("version", number(configuration.version + 1))
            .when("attribute_not_exists(#version) OR #version = :seen")
            .value(":seen", number(configuration.version));
        match self.store.write(write).await? {
            Wrote::Yes(_) => Ok(()),
            Wrote::No(_) => Err(KIND.stale()),
        }
    }

    async fn keep(&self, long: &str) -> Result<String, StoreError> {
        if long.len() <= INLINE_BYTES_MAX {
            return Ok(long.to_owned());
        }
        Ok(format!("{KEPT}{}", texts::keep(self.store, &self.key().pk, long, None).await?))
    }

    async fn fetch(&self, kept: String) -> Result<String, StoreError> {
        let Some(hash) = kept.strip_prefix(KEPT) else { return Ok(kept) };
        let text = texts::fetch(self.store, &self.key().pk, hash).await?;
        text.ok_or_else(|| KIND.corrupt("a part of it is gone"))
    }

    fn key(&self) -> Key {
        Key::new(self.store.pk("SYS"), "CONFIG")
    }
}
