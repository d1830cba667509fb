//! Large text: the record's partition / `BL#{hash}#{part}`.

use domain::field::sha256_hex;
use domain::{TicketId, Value};
use serde_json::{Value as Json, json};

use crate::error::StoreError;
use crate::row::{Kind, Row, number, text as text_value};
use crate::store::Store;
use crate::table::{Key, Query, Write};

/// Operations on large texts.
pub struct Texts<'a> {
    pub(crate) store: &'a Store,
}

impl Texts<'_> {
    /// Keeps a text under its hash; returns the hash. Repeatable.
    pub async fn put(&self, ticket: TicketId, text: &str) -> Result<String, StoreError> {
        keep(self.store, &self.store.ticket_pk(ticket), text, None).await
    }
    /// The text of a hash, if all parts are there.
    pub async fn get(&self, ticket: TicketId, hash: &str) -> Result<Option<String>, StoreError> {
        fetch(self.store, &self.store.ticket_pk(ticket), hash).await
    }
}

/// Bytes of one part; an item may have 400 KB.
const PART_BYTES: usize = 300 * 1024;
/// Longer values are kept as texts of their own, so that rows stay small.
const INLINE_BYTES_MAX: usize = 1024;
const KIND: Kind = Kind::new("text", 350 * 1024);

/// Keeps a text under its hash. `exp` is when its owner may be swept; a later owner prolongs it.
pub(crate) async fn keep(
    store: &Store,
    pk: &str,
    text: &str,
    exp: Option<i64>,
) -> Result<String, StoreError> {
    let hash = sha256_hex(text.as_bytes());
    let parts = split(text);
    for (n, part) in parts.iter().enumerate() {
        let write = Write::update(KIND, &Key::new(pk, format!("BL#{hash}#{n:04}")))
            .set("body", text_value(*part))
            .set("parts", number(parts.len() as u64));
        let write = match exp {
            Some(exp) => write
                .set("exp", number(exp))
                .when("attribute_not_exists(#pk) OR (attribute_exists(#exp) AND #exp < :exp)"),
            None => write.remove("exp"),
        };
        store.write(write).await?;
    }
    Ok(hash)
}

/// The text of a hash, if all its parts are there.
pub(crate) async fn fetch(store: &Store, pk: &str, hash: &str) -> Result<Option<String>, StoreError> {
    let rows = store.query(KIND, Query::partition(pk.to_owned(), &format!("BL#{hash}#"))).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    if rows.len() != first.number::<usize>("parts")? {
        return Ok(None);
    }
    rows.iter().map(|row: &Row| row.text("body")).collect::<Result<String, _>>().map(Some)
}

/// A value as a row keeps it: a long text as the hash of a text beside it.
pub(crate) async fn keep_value(
    store: &Store,
    pk: &str,
    value: &Value,
    exp: Option<i64>,
) -> Result<Json, StoreError> {
    match value {
        Value::Text(long) if long.len() > INLINE_BYTES_MAX => {
            Ok(json!({ "kept": keep(store, pk, long, exp).await? }))
        }
        other => serde_json::to_value(other).map_err(|error| KIND.corrupt(error.to_string())),
    }
}

/// The value again; one whose text is gone is its hash.
pub(crate) async fn fetch_value(store: &Store, pk: &str, kept: Json) -> Result<Value, StoreError> {
    let Some(hash) = kept.get("kept").and_then(Json::as_str) else {
        return serde_json::from_value(kept).map_err(|_| KIND.corrupt("a value has an unknown form"));
    };
    Ok(fetch(store, pk, hash).await?.map_or_else(|| Value::Hash(hash.to_owned()), Value::Text))
}

/// Parts of at most [`PART_BYTES`], cut between characters.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while rest.len() > PART_BYTES {
        let mut at = PART_BYTES;
        while !rest.is_char_boundary(at) {
            at -= 1;
        }
        let (part, more) = rest.split_at(at);
        parts.push(part);
        rest = more;
    }
    parts.push(rest);
    parts
}
