//! Accepted event: the record's partition / `EV#{z or c}#{event id}#{hash}`; 14 days.

use domain::history::Member;
use domain::{FieldKey, Side, Value};
use serde_json::Value as Json;

use crate::error::StoreError;
use crate::row::{Kind, Row, number, text};
use crate::store::Store;
use crate::table::{Key, Query, Write};
use crate::texts;
use crate::work_key::{WorkKey, side};

/// What an event proved.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The record it is about.
    pub record: WorkKey,
    /// Who sent it.
    pub provider: Side,
    /// Id of the event or of the history item.
    pub event_id: String,
    /// Hash of the value, so that twin deliveries of one change are one row.
    pub hash: String,
    /// Who did it; `None` where the event does not say.
    pub actor: Option<i64>,
    /// When it happened, ms.
    pub at_ms: i64,
    /// Which field, where the event says.
    pub field: Option<FieldKey>,
    /// The value before.
    pub before: Option<Value>,
    /// The value after.
    pub after: Option<Value>,
    /// Who came or went, where the event says that instead.
    pub member: Option<Member>,
    /// When it was accepted, ms; the store says so.
    pub taken_ms: i64,
}

/// Operations on evidence.
pub struct EvidenceRows<'a> {
    pub(crate) store: &'a Store,
}

impl EvidenceRows<'_> {
    /// Whether this event was accepted before; an eventual read, since dedup only saves work.
    pub async fn seen(
        &self,
        record: &WorkKey,
        provider: Side,
        event_id: &str,
        hash: &str,
    ) -> Result<bool, StoreError> {
        let key = self.key(record, provider, event_id, hash);
        Ok(self.store.get(KIND, &key, false).await?.is_some())
    }
    /// Accepts an event; false if it was there.
    pub async fn put(&self, evidence: &Evidence) -> Result<bool, StoreError> {
        let pk = self.store.record_pk(&evidence.record);
        let exp = self.store.now_ms() / 1_000 + DAYS * 86_400;
        let before = keep_maybe(self.store, &pk, evidence.before.as_ref(), exp).await?;
        let after = keep_maybe(self.store, &pk, evidence.after.as_ref(), exp).await?;
        let key = self.key(&evidence.record, evidence.provider, &evidence.event_id, &evidence.hash);
        let write = Write::put_new(KIND, &key)
            .set("at_ms", number(evidence.at_ms))
            .set("taken_ms", number(self.store.now_ms()))
            .set("exp", number(exp))
            .set_maybe("actor", evidence.actor.map(number))
            .set_maybe("field", evidence.field.as_ref().map(|field| text(field.to_string())))
            .set_maybe("before", before.map(|value| text(value.to_string())))
            .set_maybe("after", after.map(|value| text(value.to_string())))
            .set_maybe("member", evidence.member.as_ref().map(|member| text(member.to_string())));
        Ok(self.store.write(write).await?.happened())
    }
    /// All that is known of a record, by event id.
    pub async fn list(&self, record: &WorkKey) -> Result<Vec<Evidence>, StoreError> {
        let pk = self.store.record_pk(record);
        let mut list = Vec::new();
        for row in self.store.query(KIND, Query::partition(pk.clone(), "EV#")).await? {
            let (provider, event_id, hash) = parse_key(&row.sk()?)?;
            list.push(Evidence {
                record: record.clone(),
                provider,
                event_id,
                hash,
                actor: row.number_maybe("actor")?,
                at_ms: row.number("at_ms")?,
                taken_ms: row.number_maybe("taken_ms")?.unwrap_or_default(),
                field: row
                    .text_maybe("field")
                    .map(|name| name.parse())
                    .transpose()
                    .map_err(|e: String| KIND.corrupt(e))?,
                before: fetch_maybe(self.store, &pk, &row, "before").await?,
                after: fetch_maybe(self.store, &pk, &row, "after").await?,
                member: row
                    .text_maybe("member")
                    .map(|member| member.parse())
                    .transpose()
                    .map_err(|e: String| KIND.corrupt(e))?,
            });
        }
        Ok(list)
    }
}

/// How long evidence can matter.
const DAYS: i64 = 14;
const KIND: Kind = Kind::new("evidence", 8 * 1024);

impl EvidenceRows<'_> {
    fn key(&self, record: &WorkKey, provider: Side, event_id: &str, hash: &str) -> Key {
        // The hash comes last and has no `#`, so the event's id may contain anything.
        Key::new(self.store.record_pk(record), format!("EV#{}#{event_id}#{hash}", provider.letter()))
    }
}

fn parse_key(sk: &str) -> Result<(Side, String, String), StoreError> {
    let parse = || {
        let (letter, rest) = sk.strip_prefix("EV#")?.split_once('#')?;
        let (event_id, hash) = rest.rsplit_once('#')?;
        Some((side(letter)?, event_id.to_owned(), hash.to_owned()))
    };
    parse().ok_or_else(|| KIND.corrupt("its key is not an event's"))
}

async fn keep_maybe(
    store: &Store,
    pk: &str,
    value: Option<&Value>,
    exp: i64,
) -> Result<Option<Json>, StoreError> {
    match value {
        Some(value) => texts::keep_value(store, pk, value, Some(exp)).await.map(Some),
        None => Ok(None),
    }
}

async fn fetch_maybe(store: &Store, pk: &str, row: &Row, name: &str) -> Result<Option<Value>, StoreError> {
    match row.text_maybe(name) {
        Some(_) => texts::fetch_value(store, pk, row.json(name)?).await.map(Some),
        None => Ok(None),
    }
}
