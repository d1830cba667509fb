//! Counts of ten minutes that the brake looks at: `{i}#TALLY` / `W#{window}`; 1 day.

use std::collections::BTreeMap;

use crate::error::StoreError;
use crate::row::{Kind, Row, expires, number};
use crate::store::Store;
use crate::table::{Key, Write};

/// What happened to links in a window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Links that were looked at with a result.
    pub touched: u64,
    /// Links whose counterpart vanished.
    pub suspended: u64,
    /// Links closed.
    pub closed: u64,
    /// Status changes by what they change to.
    pub status: BTreeMap<String, u64>,
    /// How many alike a person lets through, above what is allowed anyway.
    pub allowed: u64,
}

/// Operations on tallies.
pub struct TallyRows<'a> {
    pub(crate) store: &'a Store,
}

impl TallyRows<'_> {
    /// Length of a window.
    pub const WINDOW_MS: i64 = 600_000;

    /// Adds to the current window; returns what stands.
    pub async fn add(&self, delta: &Tally) -> Result<Tally, StoreError> {
        let mut write =
            Write::update(KIND, &self.key()).set("exp", expires(self.store.now_ms(), 1)).returning();
        for (name, n) in
            [("touched", delta.touched), ("suspended", delta.suspended), ("closed", delta.closed)]
        {
            if n > 0 {
                write = write.add(name, i64::try_from(n).unwrap_or(i64::MAX));
            }
        }
        for (status, n) in &delta.status {
            write = write.add(attribute(status), i64::try_from(*n).unwrap_or(i64::MAX));
        }
        let item = self.store.write(write).await?.or_stale(KIND)?;
        read(&Row::new(KIND, item))
    }
    /// Forgets the current window: a person looked at it and let work go on.
    pub async fn clear(&self) -> Result<(), StoreError> {
        self.store.write(Write::delete(KIND, &self.key())).await.map(drop)
    }

    /// A person lets this many through, in this window and the next: what waits comes back within both.
    pub async fn allow(&self, count: u64) -> Result<(), StoreError> {
        let now = self.store.now_ms();
        for at_ms in [now, now + Self::WINDOW_MS] {
            let write = Write::update(KIND, &self.key_at(at_ms))
                .set("allowed", number(count))
                .set("exp", expires(now, 1));
            self.store.write(write).await?;
        }
        Ok(())
    }

    /// The current window.
    pub async fn get(&self) -> Result<Tally, StoreError> {
        self.at(self.store.now_ms()).await
    }

    /// The window of that time, as long as it is kept.
    pub async fn at(&self, at_ms: i64) -> Result<Tally, StoreError> {
        match self.store.get(KIND, &self.key_at(at_ms), true).await? {
            Some(row) => read(&row),
            None => Ok(Tally::default()),
        }
    }
}

const KIND: Kind = Kind::new("tally", 64 * 1024);
/// Attributes of statuses start so; the name follows in hexadecimal, since it may be anything.
const STATUS: &str = "s_";

impl TallyRows<'_> {
    fn key(&self) -> Key {
        self.key_at(self.store.now_ms())
    }

    fn key_at(&self, at_ms: i64) -> Key {
        let start = at_ms.div_euclid(Self::WINDOW_MS) * Self::WINDOW_MS;
        Key::new(self.store.pk("TALLY"), format!("W#{}", crate::row::padded(start)))
    }
}

fn attribute(status: &str) -> String {
    status.bytes().fold(STATUS.to_owned(), |name, byte| format!("{name}{byte:02x}"))
}

fn status(attribute: &str) -> Option<String> {
    let hex = attribute.strip_prefix(STATUS)?;
    let bytes =
        hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()
}

fn read(row: &Row) -> Result<Tally, StoreError> {
    let mut counts = BTreeMap::new();
    for name in row.item.keys() {
        if let Some(status) = status(name) {
            counts.insert(status, row.number(name)?);
        }
    }
    Ok(Tally {
        touched: row.number_or_zero("touched")?,
        suspended: row.number_or_zero("suspended")?,
        closed: row.number_or_zero("closed")?,
        status: counts,
        allowed: row.number_or_zero("allowed")?,
    })
}
