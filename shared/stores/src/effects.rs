//! Effect, which is also the audit row: `{i}#T#{ticket}` / `FX#{time}#{effect id}`; index `due` while unconfirmed.

use std::collections::BTreeMap;

use domain::{FieldKey, Side, TicketId, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::error::StoreError;
use crate::row::{Kind, Row, json, number, padded, text, word};
use crate::store::Store;
use crate::table::{Key, Query, Range, Write};
use crate::texts;

/// What kind of write it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectKind {
    /// Fields of a record.
    Fields,
    /// A new task.
    Create,
    /// A comment.
    Comment,
    /// A file.
    Attachment,
    /// Another home list.
    Move,
    /// A mark on the ticket that names the task.
    LinkBack,
}

/// Where an effect stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EffectState {
    /// Written down, not sent.
    Planned,
    /// The request may be on its way.
    Sent,
    /// The service took it.
    Done,
    /// The service refused it.
    Refused,
    /// The reply was lost.
    Unknown,
    /// A webhook, an audit or a late fetch proved it (or proved that it never landed).
    Confirmed,
}

/// A value before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What the target held.
    pub before: Value,
    /// What it should hold.
    pub after: Value,
}

/// One write to a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// Its id; goes out with the write where the service takes one.
    pub id: String,
    /// The ticket whose link it belongs to.
    pub ticket: TicketId,
    /// When it was planned, ms; part of its key.
    pub at_ms: i64,
    /// Which service is written.
    pub target: Side,
    /// What kind of write.
    pub kind: EffectKind,
    /// Fields it changes.
    pub fields: BTreeMap<FieldKey, Change>,
    /// Where it stands.
    pub state: EffectState,
    /// Event, cursor or person that led to it.
    pub cause: String,
    /// Rule of the mapping.
    pub rule: String,
    /// Version of the mapping.
    pub mapping_version: String,
    /// Fence of the lease it was sent under.
    pub fence: u64,
    /// When the other record had last moved as this was decided, ms; 0 where that is not known.
    pub source_ms: i64,
    /// When it was sent, ms; 0 before.
    pub sent_ms: i64,
    /// After this it can no longer land, ms.
    pub late_ms: i64,
    /// The service's status code.
    pub status: Option<u16>,
    /// The service's id of the request.
    pub request_id: Option<String>,
}

/// Operations on effects.
pub struct Effects<'a> {
    pub(crate) store: &'a Store,
}

impl Effects<'_> {
    /// PLANNED and SENT in one write; the request follows at once. `Stale` if the id was used before.
    pub async fn send(&self, effect: &Effect) -> Result<Effect, StoreError> {
        let pk = self.store.ticket_pk(effect.ticket);
        let now = self.store.now_ms();
        let exp = now / 1_000 + DAYS * 86_400;
        let mut fields = BTreeMap::new();
        for (field, change) in &effect.fields {
            let before = texts::keep_value(self.store, &pk, &change.before, Some(exp)).await?;
            let after = texts::keep_value(self.store, &pk, &change.after, Some(exp)).await?;
            fields.insert(field.to_string(), Kept { before, after });
        }
        let sent = Effect { state: EffectState::Sent, sent_ms: now, ..effect.clone() };
        let write = Write::put_new(KIND, &self.key(effect))
            .set("id", text(&sent.id))
            .set("target", word(sent.target))
            .set("kind", word(sent.kind))
            .set("fields", json(KIND, &fields)?)
            .set("state", word(sent.state))
            .set("cause", text(&sent.cause))
            .set("rule", text(&sent.rule))
            .set("mapping", text(&sent.mapping_version))
            .set("fence", number(sent.fence))
            .set("source_ms", number(sent.source_ms))
            .set("at_ms", number(sent.at_ms))
            .set("sent_ms", number(sent.sent_ms))
            .set("late_ms", number(sent.late_ms))
            .set("exp", number(exp));
        self.store.write(write).await?.or_stale(KIND)?;
        Ok(sent)
    }
    /// The service took it. With `confirm_by_ms` it stays due until a webhook confirms it.
    pub async fn done(
        &self,
        effect: &Effect,
        status: u16,
        request_id: Option<&str>,
        confirm_by_ms: Option<i64>,
    ) -> Result<Effect, StoreError> {
        let next = Effect {
            state: EffectState::Done,
            status: Some(status),
            request_id: request_id.map(str::to_owned),
            ..effect.clone()
        };
        let write = self.outcome(&next, &[EffectState::Sent, EffectState::Unknown]);
        let write = match confirm_by_ms {
            Some(by) => self.due(write, &next, by),
            None => write.remove("dp").remove("ds"),
        };
        self.settle(next, write).await
    }
    /// The service refused it: nothing changed there.
    pub async fn refused(
        &self,
        effect: &Effect,
        status: Option<u16>,
        request_id: Option<&str>,
    ) -> Result<Effect, StoreError> {
        let next = Effect {
            state: EffectState::Refused,
            status,
            request_id: request_id.map(str::to_owned),
            ..effect.clone()
        };
        let write = self.outcome(&next, &[EffectState::Sent, EffectState::Unknown]).remove("dp").remove("ds");
        self.settle(next, write).await
    }
    /// The reply was lost; due again at `late_ms`.
    pub async fn unknown(&self, effect: &Effect) -> Result<Effect, StoreError> {
        let next = Effect { state: EffectState::Unknown, ..effect.clone() };
        let write = self.due(self.outcome(&next, &[EffectState::Sent]), &next, next.late_ms);
        self.settle(next, write).await
    }
    /// It is settled: no longer due.
    pub async fn confirm(&self, effect: &Effect) -> Result<Effect, StoreError> {
        let next = Effect { state: EffectState::Confirmed, ..effect.clone() };
        let write = self.outcome(&next, &[EffectState::Done, EffectState::Unknown]).remove("dp").remove("ds");
        self.settle(next, write).await
    }
    /// Effects of a ticket that are sent or unknown.
    pub async fn open(&self, ticket: TicketId) -> Result<Vec<Effect>, StoreError> {
        self.not_in(ticket, u64::MAX).await
    }
    /// Those, and those that were carried out under a newer lease than the link was last written under: their
    /// sender did not live to do so.
    pub async fn not_in(&self, ticket: TicketId, link_fence: u64) -> Result<Vec<Effect>, StoreError> {
        let mut effects = self.list(ticket).await?;
        effects.retain(|effect| match effect.state {
            EffectState::Sent | EffectState::Unknown => true,
            EffectState::Done | EffectState::Confirmed => effect.fence > link_fence,
            EffectState::Planned | EffectState::Refused => false,
        });
        Ok(effects)
    }
    /// Effects of which an event may still tell something: those that wait for one, and those that are confirmed
    /// and may change several fields, each with an event of its own.
    pub async fn told_of(&self, ticket: TicketId) -> Result<Vec<Effect>, StoreError> {
        let now = self.store.now_ms();
        let rows = self.rows(ticket).await?.into_iter();
        let may_be_told = |effect: &Effect, due: bool| match effect.state {
            EffectState::Sent | EffectState::Unknown => true,
            EffectState::Confirmed => effect.late_ms > now,
            _ => due,
        };
        Ok(rows.filter(|(effect, due)| may_be_told(effect, *due)).map(|(effect, _)| effect).collect())
    }
    /// Effects whose confirmation or lateness bound is over.
    pub async fn due_unconfirmed(&self, limit: usize) -> Result<Vec<Effect>, StoreError> {
        let bound = format!("{}#~", padded(self.store.now_ms()));
        let mut keys = Vec::new();
        for shard in self.store.shard_pks(LANE) {
            let query = Query::index("due", shard, Range::UpTo(bound.clone()), Some(limit));
            for row in self.store.query(KIND, query).await? {
                keys.push((row.text("ds")?, Key::new(row.text("pk")?, row.sk()?)));
            }
        }
        keys.sort_by(|a, b| a.0.cmp(&b.0));
        let mut effects = Vec::new();
        for (seen, key) in keys.into_iter().take(limit) {
            // The index proposes, the row decides: it may have been confirmed since.
            let Some(row) = self.store.get(KIND, &key, true).await? else { continue };
            if row.text_maybe("ds").as_deref() == Some(seen.as_str()) {
                effects.push(self.read(&row).await?);
            }
        }
        Ok(effects)
    }
    /// How many effects wait, and since when the oldest is due, ms.
    pub async fn next_due_ms(&self) -> Result<Option<i64>, StoreError> {
        let mut next = None;
        for shard in self.store.shard_pks(LANE) {
            let rows = self.store.query(KIND, Query::index("due", shard, Range::All, Some(1))).await?;
            if let Some(ds) = rows.first().map(|row| row.text("ds")).transpose()? {
                let ms = due_ms(&ds)?;
                next = Some(next.map_or(ms, |known: i64| known.min(ms)));
            }
        }
        Ok(next)
    }
    /// Tickets with a write whose outcome is not proven yet, and when that is overdue, ms; an eventual read.
    pub async fn waiting(&self) -> Result<Vec<(TicketId, i64)>, StoreError> {
        let mut waiting = Vec::new();
        for shard in self.store.shard_pks(LANE) {
            for row in self.store.query(KIND, Query::index("due", shard, Range::All, None)).await? {
                let ticket = self.store.ticket_of(&row.text("pk")?);
                let ticket = ticket.ok_or_else(|| KIND.corrupt("its key names no ticket"))?;
                waiting.push((ticket, due_ms(&row.text("ds")?)?));
            }
        }
        Ok(waiting)
    }
    /// All effects of a ticket, oldest first.
    pub async fn list(&self, ticket: TicketId) -> Result<Vec<Effect>, StoreError> {
        Ok(self.rows(ticket).await?.into_iter().map(|(effect, _)| effect).collect())
    }
}

/// Name of the index partitions of effects that wait.
const LANE: &str = "effect";
/// The audit is kept so long.
const DAYS: i64 = 400;
const KIND: Kind = Kind::new("effect", 16 * 1024);

fn due_ms(ds: &str) -> Result<i64, StoreError> {
    let ms = ds.split('#').next().and_then(|ms| ms.parse().ok());
    ms.ok_or_else(|| KIND.corrupt("its due time is not a number"))
}

/// A change as the row has it: long values are texts beside it.
#[derive(Serialize, Deserialize)]
struct Kept {
    before: Json,
    after: Json,
}

impl Effects<'_> {
    fn key(&self, effect: &Effect) -> Key {
        Key::new(self.store.ticket_pk(effect.ticket), format!("FX#{}#{}", padded(effect.at_ms), effect.id))
    }

    /// A new state, allowed from some; a repeated call finds it there already.
    fn outcome(&self, next: &Effect, from: &[EffectState]) -> Write {
        let mut write = Write::update(KIND, &self.key(next))
            .set("state", word(next.state))
            .set_maybe("status", next.status.map(number))
            .set_maybe("request_id", next.request_id.as_deref().map(text));
        let mut allowed = vec![":state".to_owned()];
        for (n, state) in from.iter().enumerate() {
            write = write.value(&format!(":from{n}"), word(*state));
            allowed.push(format!(":from{n}"));
        }
        write.when(format!("#state IN ({})", allowed.join(", ")))
    }

    fn due(&self, write: Write, effect: &Effect, at_ms: i64) -> Write {
        let record = format!("{}#{}", effect.ticket, effect.id);
        write
            .set("dp", text(self.store.shard_pk(LANE, &record)))
            .set("ds", text(format!("{}#{record}", padded(at_ms))))
    }

    async fn settle(&self, next: Effect, write: Write) -> Result<Effect, StoreError> {
        self.store.write(write).await?.or_stale(KIND)?;
        Ok(next)
    }

    /// Effects with whether they are due some time.
    async fn rows(&self, ticket: TicketId) -> Result<Vec<(Effect, bool)>, StoreError> {
        let query = Query::partition(self.store.ticket_pk(ticket), "FX#");
        let mut effects = Vec::new();
        for row in self.store.query(KIND, query).await? {
            effects.push((self.read(&row).await?, row.item.contains_key("ds")));
        }
        Ok(effects)
    }

    async fn read(&self, row: &Row) -> Result<Effect, StoreError> {
        let pk = row.text("pk")?;
        let mut fields = BTreeMap::new();
        for (name, kept) in row.json::<BTreeMap<String, Kept>>("fields")? {
            let before = texts::fetch_value(self.store, &pk, kept.before).await?;
            let after = texts::fetch_value(self.store, &pk, kept.after).await?;
            fields.insert(name.parse().map_err(|e: String| KIND.corrupt(e))?, Change { before, after });
        }
        Ok(Effect {
            id: row.text("id")?,
            ticket: self.store.ticket_of(&pk).ok_or_else(|| KIND.corrupt("its key names no ticket"))?,
            at_ms: row.number("at_ms")?,
            target: row.word("target")?,
            kind: row.word("kind")?,
            fields,
            state: row.word("state")?,
            cause: row.text("cause")?,
            rule: row.text_or_empty("rule"),
            mapping_version: row.text_or_empty("mapping"),
            fence: row.number_or_zero("fence")?,
            source_ms: row.number_or_zero("source_ms")?,
            sent_ms: row.number_or_zero("sent_ms")?,
            late_ms: row.number_or_zero("late_ms")?,
            status: row.number_maybe("status")?,
            request_id: row.text_maybe("request_id"),
        })
    }
}
