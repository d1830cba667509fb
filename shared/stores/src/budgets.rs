//! Budget window: `{i}#B#{api}#{bucket}` / `W#{window}`; 1 day.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::error::StoreError;
use crate::row::{Kind, Row, expires, number, padded};
use crate::store::Store;
use crate::table::{Key, Query, Write, Wrote};

/// One window of one limit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WindowKey {
    /// `zendesk` or `clickup`, with the token's fingerprint where there is more than one.
    pub api: String,
    /// Which limit.
    pub bucket: String,
    /// Start of the window, ms.
    pub start_ms: i64,
}

/// What a window holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its name: when it began, as whoever made it took it.
    pub start_ms: i64,
    /// Requests granted, or seen to be used by the service, whichever is more.
    pub used: u32,
    /// The limit.
    pub limit: u32,
    /// When it ends, ms.
    pub reset_ms: i64,
    /// Whether the service said when it ends.
    pub is_told: bool,
    /// A 429 was seen: nothing more until the end.
    pub spent: bool,
    /// Who booked how much, by process.
    pub holders: BTreeMap<String, u32>,
}

/// The answer to a request for budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// All of it.
    Granted {
        /// When the block dies, ms.
        until_ms: i64,
        /// The limit that stands.
        limit: u32,
        /// What is booked in all, this included.
        used: u32,
    },
    /// Nothing: not enough is left below the ceiling.
    Empty {
        /// When the window ends, ms.
        until_ms: i64,
        /// What is left for callers without a reserve, as far as known.
        left: u32,
    },
}

/// Operations on budget windows.
pub struct Budgets<'a> {
    pub(crate) store: &'a Store,
}

impl Budgets<'_> {
    /// Books `k` requests if `used + k <= limit - reserve`, where the reserve is a percentage of the
    /// limit. `limit` and `reset_ms` count only for the first of a window; then what stands counts.
    pub async fn grant(
        &self,
        key: &WindowKey,
        k: u32,
        limit: u32,
        reserve_percent: u32,
        reset_ms: i64,
    ) -> Result<Grant, StoreError> {
        let mut limit = limit;
        let mut until_ms = reset_ms;
        loop {
            let top = ceiling(limit, reserve_percent);
            // A condition cannot add, so the sum is made here; `lim` guards the ceiling it was made from.
            let write = Write::update(KIND, &self.key(key))
                .add("used", i64::from(k))
                .add(self.holder(), i64::from(k))
                .when("attribute_exists(#pk) AND #used <= :room AND #lim = :lim AND attribute_not_exists(#spent)")
                .value(":room", number(i64::from(top) - i64::from(k)))
                .value(":lim", number(limit))
                .returning();
            let stands = match self.store.write(write).await? {
                Wrote::Yes(item) => {
                    let used = read(&Row::new(KIND, item))?.used;
                    return Ok(Grant::Granted { until_ms, limit, used });
                }
                Wrote::No(Some(item)) => Some(read(&Row::new(KIND, item))?),
                Wrote::No(None) => self.first(key, k, limit, reserve_percent, reset_ms).await?,
            };
            let Some(window) = stands else { return Ok(Grant::Granted { until_ms, limit, used: k }) };
            (limit, until_ms) = (window.limit, window.reset_ms);
            let room = ceiling(limit, reserve_percent).saturating_sub(window.used);
            if window.spent || room < k {
                return Ok(Grant::Empty { until_ms, left: if window.spent { 0 } else { room } });
            }
        }
    }

    /// The service says that this much is used: never less afterwards.
    pub async fn seen_used(
        &self,
        key: &WindowKey,
        used: u32,
        limit: u32,
        reset_ms: i64,
    ) -> Result<(), StoreError> {
        let write = self
            .open(key, limit, reset_ms)
            .set("used", number(used))
            .when("attribute_not_exists(#used) OR #used < :used");
        self.store.write(write).await.map(drop)
    }
    /// The service says what the limit is.
    pub async fn seen_limit(&self, key: &WindowKey, limit: u32) -> Result<(), StoreError> {
        let write = Write::update(KIND, &self.key(key))
            .set("lim", number(limit))
            .when("attribute_exists(#pk) AND #lim <> :lim");
        self.store.write(write).await.map(drop)
    }
    /// The service says when the window ends. What it said before stands where the two are half a window apart: one of
    /// them is then of another window.
    pub async fn seen_edge(&self, key: &WindowKey, reset_ms: i64, window_ms: i64) -> Result<(), StoreError> {
        let write = Write::update(KIND, &self.key(key))
            .set("reset_ms", number(reset_ms))
            .set("told", AttributeValue::Bool(true))
            .value(":low", number(reset_ms - window_ms / 2))
            .value(":high", number(reset_ms + window_ms / 2))
            .when("attribute_exists(#pk) AND (attribute_not_exists(#told) OR (#reset_ms <> :reset_ms AND #reset_ms BETWEEN :low AND :high))");
        self.store.write(write).await.map(drop)
    }
    /// A 429: nothing more in this window, for everybody.
    pub async fn spent(&self, key: &WindowKey, limit: u32, until_ms: i64) -> Result<(), StoreError> {
        let write = self
            .open(key, limit, until_ms)
            .set_by("#used = if_not_exists(#used, :zero)")
            .value(":zero", number(0))
            .set("spent", AttributeValue::Bool(true));
        self.store.write(write).await.map(drop)
    }
    /// Returns what was not used; harmless when the window is over.
    pub async fn give_back(&self, key: &WindowKey, k: u32) -> Result<(), StoreError> {
        let write = Write::update(KIND, &self.key(key))
            .add("used", -i64::from(k))
            .add(self.holder(), -i64::from(k))
            .when("#used >= :k AND #reset_ms > :now")
            .value(":k", number(k))
            .value(":now", number(self.store.now_ms()));
        self.store.write(write).await.map(drop)
    }
    /// The window as it stands (consistent read).
    pub async fn get(&self, key: &WindowKey) -> Result<Option<Window>, StoreError> {
        let row = self.store.get(KIND, &self.key(key), true).await?;
        row.map(|row| read(&row)).transpose()
    }
    /// The newest window of a limit, for a status page.
    pub async fn newest(&self, api: &str, bucket: &str) -> Result<Option<Window>, StoreError> {
        let partition = self.store.pk(format_args!("B#{api}#{bucket}"));
        let rows = self.store.query(KIND, Query::partition(partition, "W#").newest_first(1)).await?;
        rows.first().map(read).transpose()
    }
}

const KIND: Kind = Kind::new("budget window", 16 * 1024);
/// Attributes that say who booked how much start so.
const HOLDER: &str = "by_";

impl Budgets<'_> {
    fn key(&self, key: &WindowKey) -> Key {
        Key::new(
            self.store.pk(format_args!("B#{}#{}", key.api, key.bucket)),
            format!("W#{}", padded(key.start_ms)),
        )
    }

    fn holder(&self) -> String {
        format!("{HOLDER}{}", self.store.process())
    }

    /// Makes the window with the first booking; what stands if there is one.
    async fn first(
        &self,
        key: &WindowKey,
        k: u32,
        limit: u32,
        reserve_percent: u32,
        reset_ms: i64,
    ) -> Result<Option<Window>, StoreError> {
        let fits = k <= ceiling(limit, reserve_percent);
        let write = Write::put_new(KIND, &self.key(key))
            .set("used", number(if fits { k } else { 0 }))
            .set_named(self.holder(), number(if fits { k } else { 0 }))
            .set("lim", number(limit))
            .set("reset_ms", number(reset_ms))
            .set("exp", expires(reset_ms, 1));
        match self.store.write(write).await? {
            Wrote::Yes(_) if fits => Ok(None),
            Wrote::Yes(item) | Wrote::No(Some(item)) => read(&Row::new(KIND, item)).map(Some),
            Wrote::No(None) => Err(KIND.stale()),
        }
    }

    /// An update that makes the window where it is missing.
    fn open(&self, key: &WindowKey, limit: u32, reset_ms: i64) -> Write {
        Write::update(KIND, &self.key(key))
            .set_by("#lim = if_not_exists(#lim, :first_lim)")
            .value(":first_lim", number(limit))
            .set_by("#reset_ms = if_not_exists(#reset_ms, :first_reset)")
            .value(":first_reset", number(reset_ms))
            .set("exp", expires(reset_ms, 1))
    }
}

/// What callers with this reserve may use in all.
pub fn ceiling(limit: u32, reserve_percent: u32) -> u32 {
    // The reserve is rounded up: a small limit keeps at least one request for those who are urgent.
    let reserve = (u64::from(limit) * u64::from(reserve_percent)).div_ceil(100);
    limit.saturating_sub(u32::try_from(reserve).unwrap_or(u32::MAX))
}

fn read(row: &Row) -> Result<Window, StoreError> {
    let mut holders = BTreeMap::new();
    for name in row.item.keys() {
        if let Some(process) = name.strip_prefix(HOLDER) {
            let booked = row.number::<i64>(name)?;
            holders.insert(process.to_owned(), u32::try_from(booked).unwrap_or(0));
        }
    }
    holders.retain(|_, booked| *booked > 0);
    let start_ms = row.sk()?.strip_prefix("W#").and_then(|start| start.parse().ok());
    Ok(Window {
        start_ms: start_ms.ok_or_else(|| KIND.corrupt("its key names no window"))?,
        holders,
        used: row.number("used")?,
        limit: row.number("lim")?,
        reset_ms: row.number("reset_ms")?,
        is_told: row.item.contains_key("told"),
        spent: row.item.contains_key("spent"),
    })
}
