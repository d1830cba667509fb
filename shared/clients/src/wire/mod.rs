//! The services' own shapes, private to this crate. Nothing is lost on the way through them: absent and
//! null stay apart, ids keep their written form, unknown members are carried along. The contract test
//! reads every recorded answer with these types and writes it back.

pub mod clickup;
pub mod events;
pub mod zendesk;

use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A member that may be missing, null or set. All of them are: the services leave out what they like.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Field<T> {
    /// Not in the answer.
    #[default]
    Absent,
    /// In the answer, as null.
    Null,
    /// Set.
    Is(T),
}

impl<T> Field<T> {
    pub fn is_absent(&self) -> bool {
        matches!(self, Field::Absent)
    }

    pub fn get(&self) -> Option<&T> {
        match self {
            Field::Is(value) => Some(value),
            Field::Absent | Field::Null => None,
        }
    }

    pub fn take(self) -> Option<T> {
        match self {
            Field::Is(value) => Some(value),
            Field::Absent | Field::Null => None,
        }
    }
}

impl Field<String> {
    pub fn text(&self) -> &str {
        self.get().map(String::as_str).unwrap_or_default()
    }
}

impl<T> Field<Vec<T>> {
    pub fn items(&self) -> &[T] {
        self.get().map(Vec::as_slice).unwrap_or_default()
    }

    pub fn into_items(self) -> Vec<T> {
        self.take().unwrap_or_default()
    }
}

impl Field<Num> {
    pub fn number(&self) -> Option<i64> {
        self.get().and_then(Num::number)
    }

    pub fn id(&self) -> Option<u64> {
        self.number().and_then(|number| u64::try_from(number).ok())
    }

    pub fn written(&self) -> Option<String> {
        self.get().map(Num::to_string)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(match Option::<T>::deserialize(from)? {
            Some(value) => Field::Is(value),
            None => Field::Null,
        })
    }
}

impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Field::Is(value) => value.serialize(to),
            Field::Absent | Field::Null => to.serialize_none(),
        }
    }
}

/// An id, a time or a count: the same thing comes as a number here and as text there.
#[derive(Clone, Debug, PartialEq)]
pub enum Num {
    /// A JSON number without fraction.
    Int(i64),
    /// One with a fraction.
    Float(f64),
    /// A JSON string, whatever it holds.
    Text(String),
}

impl Num {
    /// The number, if it is one.
    pub fn number(&self) -> Option<i64> {
        match self {
            Num::Int(number) => Some(*number),
            Num::Float(number) => (number.fract() == 0.0 && number.abs() < 9e15).then_some(*number as i64),
            Num::Text(text) => text.trim().parse().ok(),
        }
    }
}

impl fmt::Display for Num {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Num::Int(number) => number.fmt(f),
            Num::Float(number) => number.fmt(f),
            Num::Text(text) => f.write_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Num {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NumVisitor)
    }
}

impl Serialize for Num {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Num::Int(number) => to.serialize_i64(*number),
            Num::Float(number) => to.serialize_f64(*number),
            Num::Text(text) => to.serialize_str(text),
        }
    }
}

struct NumVisitor;

impl Visitor<'_> for NumVisitor {
    type Value = Num;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a text")
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Num, E> {
        Ok(Num::Int(number))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Num, E> {
        i64::try_from(number).map(Num::Int).map_err(|_| E::custom("a number beyond 63 bits"))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Num, E> {
        Ok(Num::Float(number))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Num, E> {
        Ok(Num::Text(text.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Num, E> {
        Ok(Num::Text(text))
    }
}

/// Declares a wire type: the members we read, and all others in `extra`.
macro_rules! wire {
    ($($(#[$about:meta])* $name:ident { $($(#[$rename:meta])* $field:ident: $kind:ty),* $(,)? })*) => {$(
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $(
                $(#[$rename])*
                #[serde(default, skip_serializing_if = "crate::wire::Field::is_absent")]
                pub $field: crate::wire::Field<$kind>,
            )*
            /// Members we do not read.
            #[serde(flatten)]
            pub extra: serde_json::Map<String, serde_json::Value>,
        }
    )*};
}
pub(crate) use wire;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    wire! {
        /// A small one.
        Small { id: Num, name: String, tags: Vec<String> }
    }

    #[test]
    fn nothing_is_lost_and_absent_is_not_null() {
        for json in [
            json!({"id": 1, "name": null, "new_member": {"a": [1, 2.5, null]}}),
            json!({"id": "0012", "tags": []}),
            json!({"id": 3.5, "name": "x", "tags": null}),
            json!({}),
        ] {
            let read: Small = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), json);
        }
        let read: Small = serde_json::from_value(json!({"id": "17"})).unwrap();
        assert_eq!((read.id.number(), read.id.written()), (Some(17), Some("17".to_owned())));
    }
}
