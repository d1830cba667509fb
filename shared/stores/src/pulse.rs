//! What was heard of each service, and what only its cursors found: `{i}#PULSE` / `{z or c}`. Webhooks that fall
//! silent are seen by this: cursors go on finding news that no delivery told of.
//! When a stream was last read to its end: `{i}#PULSE` / `S#{stream}`; its cursor stands still where nothing happens.

use domain::Side;

use crate::error::StoreError;
use crate::row::{Kind, Row, number};
use crate::store::Store;
use crate::table::{Key, Write};

/// Signs of life of one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// When a delivery was last accepted, ms.
    pub heard_ms: Option<i64>,
    /// When a cursor last found what no delivery had told, ms.
    pub found_ms: Option<i64>,
    /// When the first of those since the last delivery was found, ms.
    pub found_since_ms: Option<i64>,
    /// How many were found since the last delivery.
    pub found: u64,
    /// Writes of ours that no delivery confirmed in time, since the last delivery.
    pub unconfirmed: u64,
}

/// Operations on pulses.
pub struct Pulses<'a> {
    pub(crate) store: &'a Store,
}

impl Pulses<'_> {
    /// Deliveries are noted at most this often.
    pub const NOTE_EVERY_MS: i64 = 5_000;

    /// A delivery was accepted. Writes at most every [`Pulses::NOTE_EVERY_MS`].
    pub async fn heard(&self, side: Side) -> Result<(), StoreError> {
        let now = self.store.now_ms();
        {
            let mut noted = self.store.progress();
            let last = noted.get(&memory(side)).copied().unwrap_or(i64::MIN);
            if now < last.saturating_add(Self::NOTE_EVERY_MS) {
                return Ok(());
            }
            noted.insert(memory(side), now);
        }
        let write = Write::update(KIND, &self.key(side))
            .set("heard_ms", number(now))
            .remove("found")
            .remove("found_since_ms")
            .remove("unconfirmed");
        self.store.write(write).await.map(drop)
    }

    /// A cursor found this many records that no delivery had told of.
    pub async fn found(&self, side: Side, count: u32) -> Result<(), StoreError> {
        if count == 0 {
            return Ok(());
        }
        let now = self.store.now_ms();
        let write = Write::update(KIND, &self.key(side))
            .set("found_ms", number(now))
            .set_by("#found_since_ms = if_not_exists(#found_since_ms, :now)")
            .value(":now", number(now))
            .add("found", i64::from(count));
        // What was heard before counts no more: the next delivery must be written down.
        self.store.progress().remove(&memory(side));
        self.store.write(write).await.map(drop)
    }

    /// A stream was read to its end, whether or not anything was new.
    pub async fn looked(&self, stream: &str) -> Result<(), StoreError> {
        let write = Write::update(KIND, &self.stream(stream)).set("looked_ms", number(self.store.now_ms()));
        self.store.write(write).await.map(drop)
    }

    /// When a stream was last read to its end, ms.
    pub async fn looked_ms(&self, stream: &str) -> Result<Option<i64>, StoreError> {
        let row = self.store.get(KIND, &self.stream(stream), true).await?;
        row.map_or(Ok(None), |row| row.number_maybe("looked_ms"))
    }

    /// No delivery confirmed a write of ours in time.
    pub async fn unconfirmed(&self, side: Side) -> Result<(), StoreError> {
        self.store.progress().remove(&memory(side));
        self.store.write(Write::update(KIND, &self.key(side)).add("unconfirmed", 1)).await.map(drop)
    }

    /// The pulse of a service (consistent read).
    pub async fn get(&self, side: Side) -> Result<Pulse, StoreError> {
        let row = self.store.get(KIND, &self.key(side), true).await?;
        row.map_or_else(|| Ok(Pulse::default()), |row| read(&row))
    }
}

const KIND: Kind = Kind::new("pulse", 1024);

/// Under which name this process remembers its last note.
fn memory(side: Side) -> String {
    format!("pulse#{}", side.letter())
}

impl Pulses<'_> {
    fn key(&self, side: Side) -> Key {
        Key::new(self.store.pk("PULSE"), side.letter().to_string())
    }

    fn stream(&self, stream: &str) -> Key {
        Key::new(self.store.pk("PULSE"), format!("S#{stream}"))
    }
}

fn read(row: &Row) -> Result<Pulse, StoreError> {
    Ok(Pulse {
        heard_ms: row.number_maybe("heard_ms")?,
        found_ms: row.number_maybe("found_ms")?,
        found_since_ms: row.number_maybe("found_since_ms")?,
        found: row.number_or_zero("found")?,
        unconfirmed: row.number_or_zero("unconfirmed")?,
    })
}
