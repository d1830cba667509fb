//! Counts that the brake looks at: `{i}#TALLY` / `W#{window}`; 1 day.
//!
//! A row has ten minutes, and each count in it twice: the sum, and the sums of its minutes. The brake looks back ten
//! minutes from any moment on, so it adds to a row the minutes of the row before that are not over for so long.

use std::collections::BTreeMap;

use crate::error::StoreError;
use crate::row::{Kind, Row, expires, number};
use crate::store::Store;
use crate::table::{Key, Write};

/// What happened to links in the last ten minutes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Links that were looked at with a result.
    pub touched: u64,
    /// Links whose counterpart vanished.
    pub suspended: u64,
    /// Links closed.
    pub closed: u64,
    /// Links written to although nobody changed either side: the mapping was.
    pub mapped: u64,
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

    /// Adds to now; returns what stands.
    pub async fn add(&self, delta: &Tally) -> Result<Tally, StoreError> {
        let now_ms = self.store.now_ms();
        let key = self.key_at(now_ms);
        let mut write = Write::update(KIND, &key).set("exp", expires(now_ms, 1)).returning();
        for (name, n) in delta.counts().into_iter().filter(|(_, n)| *n > 0) {
            let n = i64::try_from(n).unwrap_or(i64::MAX);
            write = write.add(format!("m{}_{name}", minute(now_ms)), n).add(name, n);
        }
        let item = self.store.write(write).await?.or_stale(KIND)?;
        let now = read(&Row::new(KIND, item))?;
        self.with_the_window_before(now, now_ms).await
    }
    /// Forgets what counts now: a person looked at it and let work go on.
    pub async fn clear(&self) -> Result<(), StoreError> {
        let now_ms = self.store.now_ms();
        for at_ms in [now_ms - Self::WINDOW_MS, now_ms] {
            self.store.write(Write::delete(KIND, &self.key_at(at_ms))).await?;
        }
        Ok(())
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

    /// What stands now.
    pub async fn get(&self) -> Result<Tally, StoreError> {
        self.at(self.store.now_ms()).await
    }

    /// What stood at that time, with what its window counted afterwards; as long as it is kept.
    pub async fn at(&self, at_ms: i64) -> Result<Tally, StoreError> {
        let row = self.store.get(KIND, &self.key_at(at_ms), true).await?;
        let now = row.map(|row| read(&row)).transpose()?.unwrap_or_default();
        self.with_the_window_before(now, at_ms).await
    }
}

const KIND: Kind = Kind::new("tally", 64 * 1024);
/// Attributes of statuses start so; the name follows in hexadecimal, since it may be anything.
const STATUS: &str = "s_";
const MINUTE_MS: i64 = 60_000;

impl TallyRows<'_> {
    async fn with_the_window_before(&self, now: Tally, at_ms: i64) -> Result<Tally, StoreError> {
        let before = self.store.get(KIND, &self.key_at(at_ms - Self::WINDOW_MS), true).await?;
        let Some(before) = before else { return Ok(now) };
        // What a person let through then is no news now.
        let excused = if now.allowed == 0 { before.number_or_zero("allowed")? } else { 0 };
        let mut sum = now;
        for (name, n) in late_minutes(&before, minute(at_ms))?.counts() {
            sum.add(&name, if name == "touched" { n } else { n.saturating_sub(excused) });
        }
        Ok(sum)
    }

    fn key_at(&self, at_ms: i64) -> Key {
        let start = at_ms.div_euclid(Self::WINDOW_MS) * Self::WINDOW_MS;
        Key::new(self.store.pk("TALLY"), format!("W#{}", crate::row::padded(start)))
    }
}

impl Tally {
    /// Its counts by their attributes.
    fn counts(&self) -> Vec<(String, u64)> {
        let fixed = [
            ("touched", self.touched),
            ("suspended", self.suspended),
            ("closed", self.closed),
            ("mapped", self.mapped),
        ];
        let fixed = fixed.into_iter().map(|(name, n)| (name.to_owned(), n));
        fixed.chain(self.status.iter().map(|(status, n)| (attribute(status), *n))).collect()
    }

    fn add(&mut self, attribute: &str, n: u64) {
        let count = match (attribute, status(attribute)) {
            ("touched", _) => &mut self.touched,
            ("suspended", _) => &mut self.suspended,
            ("closed", _) => &mut self.closed,
            ("mapped", _) => &mut self.mapped,
            (_, Some(status)) if n > 0 => self.status.entry(status).or_default(),
            _ => return,
        };
        *count += n;
    }
}

/// Which minute of its window a moment is in.
fn minute(at_ms: i64) -> i64 {
    at_ms.rem_euclid(TallyRows::WINDOW_MS) / MINUTE_MS
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
    let mut tally = Tally { allowed: row.number_or_zero("allowed")?, ..Tally::default() };
    for name in row.item.keys().filter(|name| name.starts_with(STATUS)) {
        tally.add(name, row.number(name)?);
    }
    for name in ["touched", "suspended", "closed", "mapped"] {
        tally.add(name, row.number_or_zero(name)?);
    }
    Ok(tally)
}

/// What a row counted in its minutes from this one on: all of it, and at most a minute more, lies within ten minutes.
fn late_minutes(row: &Row, from: i64) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    for name in row.item.keys() {
        let of_minute = name.strip_prefix('m').and_then(|rest| rest.split_once('_'));
        let Some((at, count)) = of_minute else { continue };
        if at.parse::<i64>().is_ok_and(|at| at >= from) {
            tally.add(count, row.number(name)?);
        }
    }
    Ok(tally)
}
