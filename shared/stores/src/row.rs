//! Items as attribute maps: reading with named complaints, and what every item carries (`t`, `v`, `mr`).

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;
use crate::schema::VERSION;

/// An item as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A kind of item: its name, and the size above which it is refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) bytes_max: usize,
}

impl Kind {
    pub(crate) const fn new(name: &'static str, bytes_max: usize) -> Self {
        Self { name, bytes_max }
    }

    pub(crate) fn corrupt(&self, what: impl Into<String>) -> StoreError {
        StoreError::Corrupt { item: self.name, what: what.into() }
    }

    pub(crate) fn stale(&self) -> StoreError {
        StoreError::Stale { item: self.name }
    }
}

/// Text.
pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// Number.
pub(crate) fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// A structure as one JSON text: dearer to change in part, much cheaper to send and to read.
pub(crate) fn json<T: Serialize>(kind: Kind, value: &T) -> Result<AttributeValue, StoreError> {
    serde_json::to_string(value).map(AttributeValue::S).map_err(|error| kind.corrupt(error.to_string()))
}

/// A read item.
#[derive(Debug)]
pub(crate) struct Row {
    kind: Kind,
    pub(crate) item: Item,
}

impl Row {
    /// Wraps an item for reading. Readers keep what they do not know, so a newer version alone is no
    /// reason to refuse; writers check [`refuse_newer`].
    pub(crate) fn new(kind: Kind, item: Item) -> Self {
        Self { kind, item }
    }

    pub(crate) fn text(&self, name: &str) -> Result<String, StoreError> {
        self.text_maybe(name).ok_or_else(|| self.kind.corrupt(format!("`{name}` is not a text")))
    }

    pub(crate) fn text_maybe(&self, name: &str) -> Option<String> {
        self.item.get(name).and_then(|value| value.as_s().ok()).cloned()
    }

    /// A text that older rows do not have.
    pub(crate) fn text_or_empty(&self, name: &str) -> String {
        self.text_maybe(name).unwrap_or_default()
    }

    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, StoreError> {
        self.number_maybe(name)?.ok_or_else(|| self.kind.corrupt(format!("`{name}` is missing")))
    }

    pub(crate) fn number_maybe<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let Some(value) = self.item.get(name) else { return Ok(None) };
        let parsed = value.as_n().ok().and_then(|n| n.parse().ok());
        parsed.map(Some).ok_or_else(|| self.kind.corrupt(format!("`{name}` is not a fitting number")))
    }

    pub(crate) fn number_or_zero<T: std::str::FromStr + Default>(&self, name: &str) -> Result<T, StoreError> {
        Ok(self.number_maybe(name)?.unwrap_or_default())
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, StoreError> {
        let text = self.text(name)?;
        // The error's own text could quote the value, so only its place is kept.
        serde_json::from_str(&text)
            .map_err(|error| self.kind.corrupt(format!("`{name}` at column {}", error.column())))
    }

    pub(crate) fn json_or_default<T: DeserializeOwned + Default>(&self, name: &str) -> Result<T, StoreError> {
        if self.item.contains_key(name) { self.json(name) } else { Ok(T::default()) }
    }

    /// A name of an enum that serializes to a bare text.
    pub(crate) fn word<T: DeserializeOwned>(&self, name: &str) -> Result<T, StoreError> {
        let text = self.text(name)?;
        serde_json::from_value(serde_json::Value::String(text))
            .map_err(|_| self.kind.corrupt(format!("`{name}` is not a known word")))
    }

    /// What attributes whose names begin so are called after that.
    pub(crate) fn names(&self, prefix: &'static str) -> impl Iterator<Item = &str> {
        self.item.keys().filter_map(move |name| name.strip_prefix(prefix))
    }

    /// The sort key, which every item has.
    pub(crate) fn sk(&self) -> Result<String, StoreError> {
        self.text("sk")
    }
}

/// The bare text of an enum that serializes to one.
pub(crate) fn word<T: Serialize>(value: T) -> AttributeValue {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => AttributeValue::S(word),
        // Only unit variants come here; anything else would be a mistake in this crate.
        other => AttributeValue::S(format!("{other:?}")),
    }
}

/// Fails where the item says that only newer code may change it.
pub(crate) fn refuse_newer(kind: Kind, item: &Item) -> Result<(), StoreError> {
    let needs = item.get("mr").and_then(|value| value.as_n().ok()).and_then(|n| n.parse().ok()).unwrap_or(0);
    if needs > VERSION {
        Err(StoreError::NewerRecord { item: kind.name, needs, ours: VERSION })
    } else {
        Ok(())
    }
}

/// Milliseconds in a sort key: as text they sort like numbers.
pub(crate) fn padded(ms: i64) -> String {
    format!("{:015}", ms.max(0))
}

/// `exp` of an item that may be swept this many days from now.
pub(crate) fn expires(now_ms: i64, days: i64) -> AttributeValue {
    number(now_ms / 1_000 + days * 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind::new("test", 100);

    #[test]
    fn what_cannot_be_read_is_named_without_its_value() {
        let row =
            Row::new(KIND, Item::from([("a".to_owned(), text("secret")), ("b".to_owned(), number(300))]));
        let errors = [
            row.number::<u8>("a").err().map(|e| e.to_string()),
            row.number::<u8>("b").err().map(|e| e.to_string()),
            row.json::<Vec<u8>>("a").err().map(|e| e.to_string()),
            row.text("c").err().map(|e| e.to_string()),
        ];
        for error in errors {
            let error = error.expect("each of these is wrong");
            assert!(error.starts_with("test cannot be read: `"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn times_in_keys_sort_as_numbers() {
        let mut keys: Vec<String> = [5, 1_700_000_000_000, 40, -3].map(padded).into();
        keys.sort();
        assert_eq!(keys, [padded(-3), padded(5), padded(40), padded(1_700_000_000_000)]);
    }
}
