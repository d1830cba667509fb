//! Work row of a record: `{i}#T#{ticket}` or `{i}#C#{task}` / `WORK`; index `due`.

mod rows;

use std::collections::{BTreeMap, BTreeSet};

use domain::Lane;
use planted::Bug;

use crate::error::StoreError;
use crate::quarantine::Quarantined;
use crate::row::{Kind, Row, number, padded, text};
use crate::store::Store;
use crate::table::{Key, Query, Range, Write, Wrote};
use crate::work_key::WorkKey;

/// Why a record should be looked at.
#[derive(Clone, Copy, Debug)]
pub struct Hint<'a> {
    /// How urgent.
    pub lane: Lane,
    /// How long to wait for more of the same burst; only the first hint of a burst counts.
    pub delay_ms: i64,
    /// What to look at; hints of one row add up. Lower-case letters only.
    pub wants: &'a [&'a str],
    /// When it happened, as the event says; the newest of a row is kept.
    pub event_ms: i64,
    /// The group or list that it belongs to, where that is known: who waits there shares a part with its like. Letters
    /// and digits only; the first hint of a row counts.
    pub queue: Option<&'a str>,
}

/// A row that may be claimed: the index proposes, the claim decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The record.
    pub key: WorkKey,
    /// The index key as seen.
    pub ds: String,
}

/// Due rows of a lane, as far as they were looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// The oldest first.
    pub rows: Vec<Due>,
    /// Whether there may be more.
    pub cut: bool,
}

/// A row that is ours for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The record.
    pub key: WorkKey,
    /// Proof that the claim is ours.
    pub token: String,
    /// Hints seen by this claim.
    pub seq: u64,
    /// Its lane.
    pub lane: Lane,
    /// The group or list it belongs to.
    pub queue: Option<String>,
    /// What to look at.
    pub wants: BTreeSet<String>,
    /// Failures so far.
    pub attempts: u32,
    /// When the first hint came, ms.
    pub first_ms: i64,
    /// The newest event's time, ms.
    pub event_ms: i64,
    /// When it goes back by itself, ms.
    pub until_ms: i64,
}

/// What became of a row that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// It is deleted.
    Gone,
    /// Hints came meanwhile: it is due again.
    Again,
    /// Somebody else has it by now.
    Lost,
}

/// Operations on work rows.
pub struct Work<'a> {
    pub(crate) store: &'a Store,
}

impl Work<'_> {
    /// How soon a row comes back when hints came while it was worked on.
    pub const DEBOUNCE_MS: i64 = 1_000;

    /// Notes that a record should be looked at; true if it was not noted before. Repeatable.
    pub async fn hint(&self, key: &WorkKey, hint: Hint<'_>) -> Result<bool, StoreError> {
        let now = self.store.now_ms();
        let record = key.to_string();
        let mut write = Write::update(KIND, &self.key(key))
            .set_by("#seq = if_not_exists(#seq, :zero) + :one")
            .set_by("#dp = if_not_exists(#dp, :dp)")
            .set_by("#ds = if_not_exists(#ds, :ds)")
            .set_by("#lane = if_not_exists(#lane, :lane)")
            .set_by("#lane_rank = if_not_exists(#lane_rank, :lane_rank)")
            .set_by("#first_ms = if_not_exists(#first_ms, :now)")
            .set_by("#event_ms = if_not_exists(#event_ms, :event_ms)")
            .value(":event_ms", number(hint.event_ms))
            .value(":zero", number(0))
            .value(":one", number(1))
            .value(":dp", text(self.store.shard_pk(hint.lane.name(), &record)))
            .value(":ds", text(due_key(now + hint.delay_ms, &record, hint.queue)))
            .value(":lane", text(hint.lane.name()))
            .value(":lane_rank", number(hint.lane.rank()))
            .value(":now", number(now))
            .returning_old();
        if hint.queue.is_some_and(|name| !name.bytes().all(|b| b.is_ascii_alphanumeric())) {
            return Err(KIND.corrupt("a queue is not letters and digits"));
        }
        for want in hint.wants {
            if want.is_empty() || !want.bytes().all(|b| b.is_ascii_lowercase()) {
                return Err(KIND.corrupt("a want is not lower-case letters"));
            }
            write = write.set_by(format!("#w_{want} = if_not_exists(#seq, :zero) + :one"));
        }
        let Wrote::Yes(old) = self.store.write(write).await? else { return Err(KIND.stale()) };
        let old = Row::new(KIND, old);
        if old.number_maybe::<u64>("seq")?.is_none() {
            return Ok(true);
        }
        // Not in the write above: one that is sent twice must not go back to its own.
        if old.number_or_zero::<i64>("event_ms")? < hint.event_ms {
            self.keep_newer_event(key, hint.event_ms).await?;
        }
        if old.number::<u8>("lane_rank")? > hint.lane.rank() {
            self.hurry(key, &old, hint, now).await?;
        }
        Ok(false)
    }
    /// When the next row of a lane is due, ms.
    pub async fn next_due_ms(&self, lane: Lane) -> Result<Option<i64>, StoreError> {
        let mut next = None;
        for shard in self.store.shard_pks(lane.name()) {
            let rows = self.store.query(KIND, Query::index("due", shard, Range::All, Some(1))).await?;
            if let Some(row) = rows.first() {
                let due = due_ms(&row.text("ds")?)?;
                next = Some(next.map_or(due, |known: i64| known.min(due)));
            }
        }
        Ok(next)
    }
    /// Rows that are due now, the oldest first; of each shard this many at most.
    pub async fn due(&self, lane: Lane, of_shard: usize) -> Result<View, StoreError> {
        let bound = due_key(self.store.now_ms(), "~", None);
        let mut view = View::default();
        for shard in self.store.shard_pks(lane.name()) {
            let query = Query::index("due", shard, Range::UpTo(bound.clone()), Some(of_shard));
            let rows = self.store.query(KIND, query).await?;
            view.cut |= rows.len() == of_shard;
            for row in rows {
                view.rows.push(self.due_row(&row)?);
            }
        }
        view.rows.sort_by(|a, b| a.ds.cmp(&b.ds));
        Ok(view)
    }
    /// Takes a row for `visibility_ms`; `None` if somebody was faster.
    pub async fn claim(&self, due: &Due, visibility_ms: i64) -> Result<Option<Claim>, StoreError> {
        let until_ms = self.store.now_ms() + visibility_ms;
        let write = Write::update(KIND, &self.key(&due.key))
            .set("claim", text(self.store.token()))
            .set("ds", text(due_key(until_ms, &due.key.to_string(), due.queue())))
            .when("#ds = :seen")
            .value(":seen", text(&due.ds))
            .returning();
        match self.store.write(write).await? {
            Wrote::Yes(item) => read(&due.key, &Row::new(KIND, item)).map(Some),
            Wrote::No(_) => Ok(None),
        }
    }
    /// A claim by its token, if it still holds.
    pub async fn get_claim(&self, key: &WorkKey, token: &str) -> Result<Option<Claim>, StoreError> {
        let Some(row) = self.store.get(KIND, &self.key(key), true).await? else { return Ok(None) };
        if row.text_maybe("claim").as_deref() != Some(token) {
            return Ok(None);
        }
        read(key, &row).map(Some)
    }
    /// The record was looked at.
    pub async fn done(&self, claim: &Claim) -> Result<Finished, StoreError> {
        let delete = Write::delete(KIND, &self.key(&claim.key));
        let delete = if planted::is(Bug::WorkRowDeleted) {
            delete
        } else {
            delete
                .when("#seq = :seq AND #claim = :mine")
                .value(":seq", number(claim.seq))
                .value(":mine", text(&claim.token))
        };
        match self.store.write(delete).await? {
            Wrote::Yes(_) => Ok(Finished::Gone),
            Wrote::No(None) => Ok(Finished::Lost),
            Wrote::No(Some(item)) => self.again(claim, Row::new(KIND, item)).await,
        }
    }
    /// It failed and comes back; counts as an attempt. False if the claim is lost.
    pub async fn retry(&self, claim: &Claim, delay_ms: i64, error_name: &str) -> Result<bool, StoreError> {
        let write = self.back(claim, delay_ms, error_name).set("attempts", number(claim.attempts + 1));
        Ok(self.store.write(write).await?.happened())
    }
    /// It could not be tried (no budget, paused) and comes back; does not count as an attempt.
    pub async fn postpone(&self, claim: &Claim, delay_ms: i64, reason: &str) -> Result<bool, StoreError> {
        Ok(self.store.write(self.back(claim, delay_ms, reason)).await?.happened())
    }
    /// It failed for good: put aside with its cause. False if the claim is lost.
    pub async fn quarantine(
        &self,
        claim: &Claim,
        cause: &str,
        fingerprint: &str,
    ) -> Result<bool, StoreError> {
        let row = Quarantined {
            record: claim.key.clone(),
            part: None,
            cause: cause.to_owned(),
            fingerprint: fingerprint.to_owned(),
            seq: claim.seq,
            attempts: claim.attempts,
            at_ms: self.store.now_ms(),
            what: None,
        };
        self.store.quarantine().put(&row).await?;
        let write = Write::delete(KIND, &self.key(&claim.key))
            .when("#claim = :mine")
            .value(":mine", text(&claim.token));
        Ok(self.store.write(write).await?.happened())
    }
}

const KIND: Kind = Kind::new("work row", 8 * 1024);

/// Stands in no record's key.
const QUEUE: char = '@';

impl Due {
    /// When it is due, ms.
    pub fn at_ms(&self) -> i64 {
        due_ms(&self.ds).unwrap_or(0)
    }

    /// The group or list it belongs to, where that is known.
    pub fn queue(&self) -> Option<&str> {
        queue(&self.ds)
    }
}

impl Work<'_> {
    fn key(&self, key: &WorkKey) -> Key {
        Key::new(self.store.record_pk(key), "WORK")
    }

    async fn keep_newer_event(&self, key: &WorkKey, event_ms: i64) -> Result<(), StoreError> {
        let write = Write::update(KIND, &self.key(key))
            .set("event_ms", number(event_ms))
            .when("attribute_exists(#pk) AND #event_ms < :event_ms");
        self.store.write(write).await.map(drop)
    }

    /// A more urgent hint moves the row to its lane. A claimed row keeps its time: its holder is at work.
    async fn hurry(&self, key: &WorkKey, old: &Row, hint: Hint<'_>, now: i64) -> Result<(), StoreError> {
        let record = key.to_string();
        let write = Write::update(KIND, &self.key(key))
            .set("lane", text(hint.lane.name()))
            .set("lane_rank", number(hint.lane.rank()))
            .set("dp", text(self.store.shard_pk(hint.lane.name(), &record)));
        let write = match old.text_maybe("claim") {
            Some(claim) => {
                write.when("#lane_rank > :lane_rank AND #claim = :seen").value(":seen", text(claim))
            }
            None => write
                .set("ds", text(due_key(now + hint.delay_ms, &record, hint.queue)))
                .when("#lane_rank > :lane_rank AND attribute_not_exists(#claim)"),
        };
        self.store.write(write).await.map(drop)
    }

    /// Hints came while the row was worked on: due again soon, with what they want only.
    async fn again(&self, claim: &Claim, mut row: Row) -> Result<Finished, StoreError> {
        loop {
            if row.text_maybe("claim").as_deref() != Some(claim.token.as_str()) {
                return Ok(Finished::Lost);
            }
            let now = self.store.now_ms();
            let mut write = Write::update(KIND, &self.key(&claim.key))
                .set(
                    "ds",
                    text(due_key(now + Self::DEBOUNCE_MS, &claim.key.to_string(), claim.queue.as_deref())),
                )
                .set("attempts", number(0))
                .set("first_ms", number(now))
                .remove("claim")
                .remove("last_error")
                .when("#claim = :mine AND #seq = :seen")
                .value(":mine", text(&claim.token))
                .value(":seen", number(row.number::<u64>("seq")?));
            for (want, seq) in wants(&row) {
                if seq <= claim.seq {
                    write = write.remove(format!("w_{want}"));
                }
            }
            match self.store.write(write).await? {
                Wrote::Yes(_) => return Ok(Finished::Again),
                Wrote::No(Some(item)) => row = Row::new(KIND, item),
                Wrote::No(None) => return Ok(Finished::Lost),
            }
        }
    }

    fn back(&self, claim: &Claim, delay_ms: i64, reason: &str) -> Write {
        let due = due_key(self.store.now_ms() + delay_ms, &claim.key.to_string(), claim.queue.as_deref());
        Write::update(KIND, &self.key(&claim.key))
            .set("ds", text(due))
            .set("last_error", text(reason))
            .remove("claim")
            .when("#claim = :mine")
            .value(":mine", text(&claim.token))
    }
}

/// The index's order; the queue comes last, so that whoever knows nothing of queues reads it all the same.
fn due_key(due_ms: i64, record: &str, queue: Option<&str>) -> String {
    let queue = queue.map(|name| format!("{QUEUE}{name}")).unwrap_or_default();
    format!("{}#{record}{queue}", padded(due_ms))
}

fn queue(ds: &str) -> Option<&str> {
    ds.rsplit_once(QUEUE).map(|(_, name)| name)
}

fn due_ms(ds: &str) -> Result<i64, StoreError> {
    let ms = ds.split('#').next().and_then(|ms| ms.parse().ok());
    ms.ok_or_else(|| KIND.corrupt("its due time is not a number"))
}

/// What is wanted, with the hint that wanted it last.
fn wants(row: &Row) -> BTreeMap<String, u64> {
    row.item
        .iter()
        .filter_map(|(name, value)| {
            let seq = value.as_n().ok()?.parse().ok()?;
            Some((name.strip_prefix("w_")?.to_owned(), seq))
        })
        .collect()
}

fn read(key: &WorkKey, row: &Row) -> Result<Claim, StoreError> {
    Ok(Claim {
        key: key.clone(),
        token: row.text("claim")?,
        seq: row.number("seq")?,
        lane: row.word("lane")?,
        queue: queue(&row.text("ds")?).map(str::to_owned),
        wants: wants(row).into_keys().collect(),
        attempts: row.number_or_zero("attempts")?,
        first_ms: row.number_or_zero("first_ms")?,
        event_ms: row.number_or_zero("event_ms")?,
        until_ms: due_ms(&row.text("ds")?)?,
    })
}
