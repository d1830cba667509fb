//! Quarantine of a record or a part of it: the record's partition / `QU` or `QU#{part}`; index `list`.

use crate::error::StoreError;
use crate::row::{Kind, Row, number, text};
use crate::store::Store;
use crate::table::{Key, Query, Range, Write};
use crate::work_key::WorkKey;

/// A record (or one comment or file of it) that failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The record.
    pub record: WorkKey,
    /// A part of it, such as `CM#z#123`; the whole record if absent.
    pub part: Option<String>,
    /// A fixed name such as `link_too_large`.
    pub cause: String,
    /// Groups what failed alike.
    pub fingerprint: String,
    /// Hints seen when it was put aside.
    pub seq: u64,
    /// Attempts made.
    pub attempts: u32,
    /// When, ms.
    pub at_ms: i64,
    /// What was attempted where, and what the service said to it, without text of the ticket; rows of before have none.
    pub what: Option<String>,
}

/// Operations on quarantined records.
pub struct Quarantine<'a> {
    pub(crate) store: &'a Store,
}

impl Quarantine<'_> {
    /// Puts a record aside (its newest cause stands).
    pub async fn put(&self, row: &Quarantined) -> Result<(), StoreError> {
        let record = row.record.to_string();
        let write = Write::update(KIND, &self.key(&row.record, row.part.as_deref()))
            .set("cause", text(&row.cause))
            .set("fingerprint", text(&row.fingerprint))
            .set("seq", number(row.seq))
            .set("attempts", number(row.attempts))
            .set("at_ms", number(row.at_ms))
            .set_maybe("what", row.what.as_ref().map(text))
            .set("lp", text(self.store.shard_pk("QUARANTINE", &record)))
            .set("ls", text(format!("{}#{record}", row.fingerprint)));
        self.store.write(write).await.map(drop)
    }
    /// Adds what was attempted to a row that stands.
    pub async fn tell(&self, record: &WorkKey, what: &str) -> Result<(), StoreError> {
        let what: String = what.chars().take(WHAT_CHARS_MAX).collect();
        let write = Write::update(KIND, &self.key(record, None))
            .set("what", text(what))
            .when("attribute_exists(#pk)");
        self.store.write(write).await.map(drop)
    }
    /// The record itself.
    pub async fn get(&self, record: &WorkKey) -> Result<Option<Quarantined>, StoreError> {
        let row = self.store.get(KIND, &self.key(record, None), true).await?;
        row.map(|row| self.read(&row)).transpose()
    }
    /// Takes it back: the record, or one part.
    pub async fn remove(&self, record: &WorkKey, part: Option<&str>) -> Result<(), StoreError> {
        self.store.write(Write::delete(KIND, &self.key(record, part))).await.map(drop)
    }
    /// What is put aside, grouped by fingerprint.
    pub async fn list(&self, limit: usize) -> Result<Vec<Quarantined>, StoreError> {
        let mut keys = Vec::new();
        for shard in self.store.shard_pks("QUARANTINE") {
            for row in self.store.query(KIND, Query::index("list", shard, Range::All, Some(limit))).await? {
                keys.push((row.text("ls")?, Key::new(row.text("pk")?, row.sk()?)));
            }
        }
        keys.sort_by(|a, b| a.0.cmp(&b.0));
        let mut rows = Vec::new();
        for (_, key) in keys.into_iter().take(limit) {
            // The index proposes, the row decides.
            if let Some(row) = self.store.get(KIND, &key, true).await? {
                rows.push(self.read(&row)?);
            }
        }
        Ok(rows)
    }
}

/// A sentence, no more.
const WHAT_CHARS_MAX: usize = 300;
const KIND: Kind = Kind::new("quarantine row", 16 * 1024);

impl Quarantine<'_> {
    fn key(&self, record: &WorkKey, part: Option<&str>) -> Key {
        let sk = part.map_or_else(|| "QU".to_owned(), |part| format!("QU#{part}"));
        Key::new(self.store.record_pk(record), sk)
    }

    fn read(&self, row: &Row) -> Result<Quarantined, StoreError> {
        Ok(Quarantined {
            record: self
                .store
                .record_of(&row.text("pk")?)
                .ok_or_else(|| KIND.corrupt("its key names no record"))?,
            part: row.sk()?.strip_prefix("QU#").map(str::to_owned),
            cause: row.text("cause")?,
            fingerprint: row.text("fingerprint")?,
            seq: row.number_or_zero("seq")?,
            attempts: row.number_or_zero("attempts")?,
            at_ms: row.number("at_ms")?,
            what: row.text_maybe("what"),
        })
    }
}
