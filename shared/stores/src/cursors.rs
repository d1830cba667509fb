//! Cursor of a stream: `{i}#CUR#{stream}` / `NOW`; its history `V#{version}`, 30 days.

use crate::error::StoreError;
use crate::row::{Kind, Row, expires, number, padded, text as text_value};
use crate::store::Store;
use crate::table::{Key, Query, Write};

/// How far a stream was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The provider's text, or a watermark.
    pub text: String,
    /// Raised by every step forward.
    pub ver: u64,
    /// Raised by a restore.
    pub generation: u64,
    /// When it was written, ms.
    pub at_ms: i64,
}

/// Operations on cursors.
pub struct Cursors<'a> {
    pub(crate) store: &'a Store,
}

impl Cursors<'_> {
    /// The cursor of a stream (consistent read).
    pub async fn get(&self, stream: &str) -> Result<Option<Cursor>, StoreError> {
        let row = self.store.get(KIND, &self.key(stream), true).await?;
        row.map(|row| read(&row)).transpose()
    }
    /// Steps forward from what was read; `Stale` if somebody else did. Only after all of the page is safe.
    pub async fn advance(
        &self,
        stream: &str,
        from: Option<&Cursor>,
        text: &str,
    ) -> Result<Cursor, StoreError> {
        let next = Cursor {
            text: text.to_owned(),
            ver: from.map_or(1, |cursor| cursor.ver + 1),
            generation: from.map_or(0, |cursor| cursor.generation),
            at_ms: self.store.now_ms(),
        };
        self.replace(stream, from, &next).await?;
        Ok(next)
    }
    /// Goes back to an earlier version: a new generation, so that readers of the old one stop.
    pub async fn restore(&self, stream: &str, ver: u64) -> Result<Option<Cursor>, StoreError> {
        let Some(now) = self.get(stream).await? else { return Ok(None) };
        let Some(row) = self.store.get(KIND, &self.version_key(stream, ver), true).await? else {
            return Ok(None);
        };
        if self.is_expired(&row)? {
            return Ok(None);
        }
        let next = Cursor {
            text: read(&row)?.text,
            ver: now.ver + 1,
            generation: now.generation + 1,
            at_ms: self.store.now_ms(),
        };
        self.replace(stream, Some(&now), &next).await?;
        Ok(Some(next))
    }
    /// Versions that can be restored, newest first.
    pub async fn history(&self, stream: &str, limit: usize) -> Result<Vec<Cursor>, StoreError> {
        let query = Query::partition(self.pk(stream), "V#").newest_first(limit);
        let mut versions = Vec::new();
        for row in self.store.query(KIND, query).await? {
            if !self.is_expired(&row)? {
                versions.push(read(&row)?);
            }
        }
        Ok(versions)
    }
    /// All streams with their cursors, for a status page. `streams` names them: the table is not scanned.
    pub async fn get_all(&self, streams: &[&str]) -> Result<Vec<(String, Cursor)>, StoreError> {
        let mut found = Vec::new();
        for stream in streams {
            if let Some(cursor) = self.get(stream).await? {
                found.push(((*stream).to_owned(), cursor));
            }
        }
        Ok(found)
    }
}

/// Versions can be restored for so long.
const HISTORY_DAYS: i64 = 30;
const KIND: Kind = Kind::new("cursor", 4 * 1024);

impl Cursors<'_> {
    fn pk(&self, stream: &str) -> String {
        self.store.pk(format_args!("CUR#{stream}"))
    }

    fn key(&self, stream: &str) -> Key {
        Key::new(self.pk(stream), "NOW")
    }

    fn version_key(&self, stream: &str, ver: u64) -> Key {
        Key::new(self.pk(stream), format!("V#{}", padded(i64::try_from(ver).unwrap_or(i64::MAX))))
    }

    /// Whoever sweeps the table may be late by days; a version that has expired is gone all the same.
    fn is_expired(&self, row: &Row) -> Result<bool, StoreError> {
        Ok(row.number_or_zero::<i64>("exp")? <= self.store.now_ms() / 1_000)
    }

    /// First the cursor, then its history: a crash between them costs a version nobody restores.
    async fn replace(&self, stream: &str, from: Option<&Cursor>, next: &Cursor) -> Result<(), StoreError> {
        let write = match from {
            None => Write::put_new(KIND, &self.key(stream)),
            Some(read) => Write::update(KIND, &self.key(stream))
                .when("#ver = :read AND #generation = :gen")
                .value(":read", number(read.ver))
                .value(":gen", number(read.generation)),
        };
        self.store.write(fields(write, next)).await?.or_stale(KIND)?;
        let history = Write::update(KIND, &self.version_key(stream, next.ver));
        let history = fields(history, next).set("exp", expires(next.at_ms, HISTORY_DAYS));
        self.store.write(history).await.map(drop)
    }
}

fn fields(write: Write, cursor: &Cursor) -> Write {
    write
        .set("cursor", text_value(&cursor.text))
        .set("ver", number(cursor.ver))
        .set("generation", number(cursor.generation))
        .set("at_ms", number(cursor.at_ms))
}

fn read(row: &Row) -> Result<Cursor, StoreError> {
    Ok(Cursor {
        text: row.text("cursor")?,
        ver: row.number("ver")?,
        generation: row.number_or_zero("generation")?,
        at_ms: row.number("at_ms")?,
    })
}
