//! A write to one item, put together by the handles. Names are never spelled out in an expression: what is
//! written `#name` gets its alias when the write is sent.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use super::Key;
use crate::error::StoreError;
use crate::row::{Item, Kind};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Put,
    Update,
    Delete,
}

/// A write to one item.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(super) kind: Kind,
    pub(super) verb: Verb,
    pub(super) pk: String,
    pub(super) sk: String,
    pub(super) attributes: Vec<(&'static str, AttributeValue)>,
    pub(super) dynamic: Vec<(String, AttributeValue)>,
    pub(super) expressions: Vec<String>,
    pub(super) additions: Vec<(String, i64)>,
    pub(super) removals: Vec<String>,
    pub(super) conditions: Vec<String>,
    pub(super) values: Vec<(String, AttributeValue)>,
    pub(super) returns: ReturnValue,
    pub(super) once: bool,
}

/// What became of a write.
#[derive(Debug)]
pub(crate) enum Wrote {
    /// It happened; the item as asked for by `returning…` (empty otherwise).
    Yes(Item),
    /// Its condition did not hold; the item as it is, if there is one.
    No(Option<Item>),
}

impl Wrote {
    pub(crate) fn happened(&self) -> bool {
        matches!(self, Wrote::Yes(_))
    }

    /// The item, or `Stale`.
    pub(crate) fn or_stale(self, kind: Kind) -> Result<Item, StoreError> {
        match self {
            Wrote::Yes(item) => Ok(item),
            Wrote::No(_) => Err(kind.stale()),
        }
    }
}

impl Write {
    fn new(kind: Kind, verb: Verb, key: &Key) -> Self {
        Self {
            kind,
            verb,
            pk: key.pk.clone(),
            sk: key.sk.clone(),
            attributes: Vec::new(),
            dynamic: Vec::new(),
            expressions: Vec::new(),
            additions: Vec::new(),
            removals: Vec::new(),
            conditions: Vec::new(),
            values: Vec::new(),
            returns: ReturnValue::None,
            once: false,
        }
    }

    /// A new item; only together with a condition that there is none.
    pub(crate) fn put_new(kind: Kind, key: &Key) -> Self {
        Self::new(kind, Verb::Put, key).when("attribute_not_exists(#pk)")
    }

    /// Named attributes of an item, which is made if there is none.
    pub(crate) fn update(kind: Kind, key: &Key) -> Self {
        Self::new(kind, Verb::Update, key)
    }

    /// The end of an item.
    pub(crate) fn delete(kind: Kind, key: &Key) -> Self {
        Self::new(kind, Verb::Delete, key)
    }

    pub(crate) fn set(mut self, name: &'static str, value: AttributeValue) -> Self {
        self.attributes.push((name, value));
        self
    }

    pub(crate) fn set_maybe(self, name: &'static str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None if self.verb == Verb::Update => self.remove(name),
            None => self,
        }
    }

    /// An attribute whose name is data.
    pub(crate) fn set_named(mut self, name: String, value: AttributeValue) -> Self {
        self.dynamic.push((name, value));
        self
    }

    /// `SET` with an expression of its own, such as `#seq = #seq + :one`.
    pub(crate) fn set_by(mut self, expression: impl Into<String>) -> Self {
        self.expressions.push(expression.into());
        self
    }

    /// Adds to a number. Not repeatable by itself, hence guarded by the token on a second try.
    pub(crate) fn add(mut self, name: impl Into<String>, n: i64) -> Self {
        self.additions.push((name.into(), n));
        self.once = true;
        self
    }

    pub(crate) fn remove(mut self, name: impl Into<String>) -> Self {
        self.removals.push(name.into());
        self
    }

    /// A condition; several are joined by AND. Names are written `#name`.
    pub(crate) fn when(mut self, condition: impl Into<String>) -> Self {
        self.conditions.push(condition.into());
        self
    }

    /// A value that an expression names.
    pub(crate) fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.push((name.to_owned(), value));
        self
    }

    /// Asks for the item after the write.
    pub(crate) fn returning(mut self) -> Self {
        self.returns = ReturnValue::AllNew;
        self
    }

    /// Asks for the item before the write.
    pub(crate) fn returning_old(mut self) -> Self {
        self.returns = ReturnValue::AllOld;
        self
    }

    pub(super) fn bytes(&self) -> usize {
        let fixed =
            self.attributes.iter().map(|(name, value)| name.len() + value.as_s().map_or(8, String::len));
        let dynamic =
            self.dynamic.iter().map(|(name, value)| name.len() + value.as_s().map_or(8, String::len));
        self.pk.len() + self.sk.len() + fixed.chain(dynamic).sum::<usize>()
    }
}
