//! Conflict: `{i}#T#{ticket}` / `CF#{field}#{hash of base and both values}`; index `list` while open.

use domain::field::sha256_hex;
use domain::{Conflict, ConflictCause, Side, TicketId, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::error::StoreError;
use crate::row::{Kind, Row, expires, json, number, padded, text, word};
use crate::store::Store;
use crate::table::{Key, Query, Range, Write};
use crate::texts;

/// What a person made of a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ConflictState {
    /// Nobody looked yet.
    Open,
    /// The value that lost was applied after all.
    Applied,
    /// It may stay lost.
    Dismissed,
}

/// What a person wants done with a conflict: one of its values on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The side whose kept value is to stand.
    pub side: Side,
    /// Who asks.
    pub by: String,
    /// When, ms.
    pub at_ms: i64,
    /// Fingerprints of what Zendesk and ClickUp held when the person chose: newer values are not written over.
    pub seen: (String, String),
}

/// How a conflict was settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Who settled it.
    pub by: String,
    /// When, ms.
    pub at_ms: i64,
    /// The side whose value was applied; none where it was dismissed.
    pub side: Option<Side>,
}

/// A conflict as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct ConflictRow {
    /// The ticket.
    pub ticket: TicketId,
    /// Names it within the ticket.
    pub id: String,
    /// Field, values, rule.
    pub conflict: Conflict,
    /// When it was recorded, ms.
    pub at_ms: i64,
    /// What became of it.
    pub state: ConflictState,
    /// How often it was recorded: more than once means anew after being settled.
    pub times: u32,
    /// What a person asked for and is not done yet.
    pub ask: Option<Ask>,
    /// What it was before that.
    pub was: Option<ConflictState>,
    /// Why what was asked for last could not be done.
    pub answer: Option<String>,
    /// How it was settled last.
    pub settled: Option<Settled>,
}

/// Operations on conflicts.
pub struct Conflicts<'a> {
    pub(crate) store: &'a Store,
}

impl Conflicts<'_> {
    /// Keeps a conflict; true if it was not open before. Repeatable.
    pub async fn record(&self, ticket: TicketId, conflict: &Conflict) -> Result<bool, StoreError> {
        let pk = self.store.ticket_pk(ticket);
        let id = id(conflict);
        let kept = Kept {
            cause: conflict.cause,
            base: texts::keep_value(self.store, &pk, &conflict.base, None).await?,
            zendesk: texts::keep_value(self.store, &pk, &conflict.zendesk, None).await?,
            clickup: texts::keep_value(self.store, &pk, &conflict.clickup, None).await?,
            winner: conflict.winner,
        };
        let record = format!("{ticket}#{id}");
        let now = self.store.now_ms();
        let write = Write::update(KIND, &self.key(ticket, &id))
            .set("field", text(conflict.field.to_string()))
            .set("values", json(KIND, &kept)?)
            .set("rule", text(&conflict.rule))
            .set("at_ms", number(now))
            .set("state", word(ConflictState::Open))
            .set("lp", text(self.store.shard_pk("CONFLICT", &record)))
            .set("ls", text(format!("{}#{record}", padded(now))))
            .remove("exp")
            .remove("ask")
            .remove("was")
            .remove("answer")
            .add("times", 1)
            // The same conflict after it was settled is a new one; while it is open it is the same.
            .when("attribute_not_exists(#pk) OR #state <> :state");
        Ok(self.store.write(write).await?.happened())
    }
    /// Settles one.
    pub async fn settle(&self, ticket: TicketId, id: &str, state: ConflictState) -> Result<(), StoreError> {
        let write = self.end(ticket, id, state).remove("settled").remove("answer");
        self.store.write(write).await?.or_stale(KIND).map(drop)
    }
    /// Settles one and says who did.
    pub async fn settle_by(
        &self,
        ticket: TicketId,
        id: &str,
        state: ConflictState,
        settled: &Settled,
    ) -> Result<(), StoreError> {
        let write = self.end(ticket, id, state).set("settled", json(KIND, settled)?).remove("answer");
        self.store.write(write).await?.or_stale(KIND).map(drop)
    }
    /// A person wants a value of it on both sides. One that was settled before is open until that is done or refused.
    pub async fn ask(&self, row: &ConflictRow, ask: &Ask) -> Result<(), StoreError> {
        let record = format!("{}#{}", row.ticket, row.id);
        let write = Write::update(KIND, &self.key(row.ticket, &row.id))
            .set("ask", json(KIND, ask)?)
            .set("state", word(ConflictState::Open))
            .set("lp", text(self.store.shard_pk("CONFLICT", &record)))
            .set("ls", text(format!("{}#{record}", padded(row.at_ms))))
            .remove("answer")
            .remove("exp")
            .when("attribute_exists(#pk)");
        let write = write.set_by("#was = if_not_exists(#was, #state)");
        self.store.write(write).await?.or_stale(KIND).map(drop)
    }
    /// Says why what was asked for cannot be done; the conflict is again what it was before.
    pub async fn answer(&self, row: &ConflictRow, why: &str) -> Result<(), StoreError> {
        let write = match row.was {
            Some(settled) if settled != ConflictState::Open => self.end(row.ticket, &row.id, settled),
            _ => Write::update(KIND, &self.key(row.ticket, &row.id))
                .remove("ask")
                .remove("was")
                .when("attribute_exists(#pk)"),
        };
        self.store.write(write.set("answer", text(why))).await?.or_stale(KIND).map(drop)
    }
    /// One conflict (consistent read).
    pub async fn get(&self, ticket: TicketId, id: &str) -> Result<Option<ConflictRow>, StoreError> {
        match self.store.get(KIND, &self.key(ticket, id), true).await? {
            Some(row) => self.read(&row).await.map(Some),
            None => Ok(None),
        }
    }
    /// Open conflicts, the oldest first.
    pub async fn list_open(&self, limit: usize) -> Result<Vec<ConflictRow>, StoreError> {
        let mut keys = Vec::new();
        for shard in self.store.shard_pks("CONFLICT") {
            for row in self.store.query(KIND, Query::index("list", shard, Range::All, Some(limit))).await? {
                keys.push((row.text("ls")?, Key::new(row.text("pk")?, row.sk()?)));
            }
        }
        keys.sort_by(|a, b| a.0.cmp(&b.0));
        let mut rows = Vec::new();
        for (_, key) in keys.into_iter().take(limit) {
            // The index proposes, the row decides.
            let Some(row) = self.store.get(KIND, &key, true).await? else { continue };
            let row = self.read(&row).await?;
            if row.state == ConflictState::Open {
                rows.push(row);
            }
        }
        Ok(rows)
    }
    /// All conflicts of a ticket.
    pub async fn list(&self, ticket: TicketId) -> Result<Vec<ConflictRow>, StoreError> {
        let query = Query::partition(self.store.ticket_pk(ticket), "CF#");
        let mut rows = Vec::new();
        for row in self.store.query(KIND, query).await? {
            rows.push(self.read(&row).await?);
        }
        Ok(rows)
    }
}

/// A settled conflict is kept so long.
const SETTLED_DAYS: i64 = 400;
const KIND: Kind = Kind::new("conflict", 16 * 1024);

/// The values as the row has them: long ones are texts beside it.
#[derive(Serialize, Deserialize)]
struct Kept {
    cause: ConflictCause,
    base: Json,
    zendesk: Json,
    clickup: Json,
    winner: Option<Side>,
}

/// The same values in conflict are the same conflict, so that a repeated run makes no second one.
fn id(conflict: &Conflict) -> String {
    let parts = [&conflict.base, &conflict.zendesk, &conflict.clickup].map(Value::fingerprint);
    let hash = sha256_hex(format!("{:?}#{}", conflict.cause, parts.join("#")).as_bytes());
    format!("{}#{}", conflict.field, &hash[..24])
}

impl Conflicts<'_> {
    fn key(&self, ticket: TicketId, id: &str) -> Key {
        Key::new(self.store.ticket_pk(ticket), format!("CF#{id}"))
    }

    fn end(&self, ticket: TicketId, id: &str, state: ConflictState) -> Write {
        Write::update(KIND, &self.key(ticket, id))
            .set("state", word(state))
            .set("exp", expires(self.store.now_ms(), SETTLED_DAYS))
            .remove("lp")
            .remove("ls")
            .remove("ask")
            .remove("was")
            .when("#state IN (:open, :state)")
            .value(":open", word(ConflictState::Open))
    }

    async fn read(&self, row: &Row) -> Result<ConflictRow, StoreError> {
        let pk = row.text("pk")?;
        let kept: Kept = row.json("values")?;
        let sk = row.sk()?;
        Ok(ConflictRow {
            ticket: self.store.ticket_of(&pk).ok_or_else(|| KIND.corrupt("its key names no ticket"))?,
            id: sk.strip_prefix("CF#").unwrap_or(&sk).to_owned(),
            conflict: Conflict {
                field: row.text("field")?.parse().map_err(|e: String| KIND.corrupt(e))?,
                cause: kept.cause,
                base: texts::fetch_value(self.store, &pk, kept.base).await?,
                zendesk: texts::fetch_value(self.store, &pk, kept.zendesk).await?,
                clickup: texts::fetch_value(self.store, &pk, kept.clickup).await?,
                winner: kept.winner,
                rule: row.text("rule")?,
            },
            at_ms: row.number("at_ms")?,
            state: row.word("state")?,
            times: row.number_or_zero("times")?,
            ask: row.json_or_default("ask")?,
            was: row.text_maybe("was").map(|_| row.word("was")).transpose()?,
            answer: row.text_maybe("answer"),
            settled: row.json_or_default("settled")?,
        })
    }
}
