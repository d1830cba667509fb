//! The shapes of what steps take and give, as far as the compiler needs them: which fields there are, and whether
//! a value found in one place fits another.

use serde_json::Value;

/// What a text takes at most as far as sizes are concerned, in bytes of JSON: steps carry ids, names and causes.
pub const TEXT_BYTES_MAX: u64 = 1_024;

/// The shape of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A number.
    Number,
    /// A text.
    Text,
    /// True or false.
    Boolean,
    /// A list of values of one shape.
    List(&'static Type),
    /// An object with these fields.
    Record(&'static [(&'static str, Type)]),
    /// The value, or null.
    Optional(&'static Type),
    /// Anything: nothing is checked.
    Any,
}

impl Type {
    /// Whether a value of the other shape may be put where this one is asked for.
    pub fn takes(&self, other: &Type) -> bool {
        match (self, other) {
            (Type::Any, _) | (_, Type::Any) => true,
            (Type::Optional(inner), Type::Optional(other)) => inner.takes(other),
            (Type::Optional(inner), other) => inner.takes(other),
            (Type::List(inner), Type::List(other)) => inner.takes(other),
            (Type::Record(fields), Type::Record(others)) => fields.iter().all(|(name, shape)| {
                let found = others.iter().find(|(other, _)| other == name);
                found.map_or(matches!(shape, Type::Optional(_)), |(_, other)| shape.takes(other))
            }),
            (one, other) => one == other,
        }
    }

    /// The shape of a field; none if there is no such field.
    pub fn field(&self, name: &str) -> Option<Type> {
        match self {
            Type::Record(fields) => fields.iter().find(|(field, _)| *field == name).map(|(_, shape)| *shape),
            Type::Any => Some(Type::Any),
            _ => None,
        }
    }

    /// The size of a value as JSON, at most; none where lists or anything at all may be in it. Texts count with
    /// [`TEXT_BYTES_MAX`]: steps carry ids and names.
    pub fn bytes_max(&self) -> Option<u64> {
        match self {
            Type::Number => Some(25),
            Type::Text => Some(TEXT_BYTES_MAX),
            Type::Boolean => Some(5),
            Type::Optional(of) => of.bytes_max().map(|bytes| bytes.max(4)),
            Type::Record(fields) => {
                let field = |(name, shape): &(&str, Type)| Some(name.len() as u64 + 4 + shape.bytes_max()?);
                fields.iter().map(field).sum::<Option<u64>>().map(|bytes| bytes + 2)
            }
            Type::List(_) | Type::Any => None,
        }
    }

    /// Whether a list without a known end is in it.
    pub fn has_lists(&self) -> bool {
        match self {
            Type::List(_) => true,
            Type::Optional(of) => of.has_lists(),
            Type::Record(fields) => fields.iter().any(|(_, shape)| shape.has_lists()),
            Type::Number | Type::Text | Type::Boolean | Type::Any => false,
        }
    }

    /// Why a value written in the table does not fit, with the place in it; none if it does.
    pub fn trouble_with(&self, value: &Value) -> Option<String> {
        let inside = |at: String, trouble: String| match trouble.strip_prefix('`') {
            Some(rest) => format!("`{at}.{rest}"),
            None => format!("`{at}`: {trouble}"),
        };
        match (self, value) {
            (Type::Any, _) | (Type::Optional(_), Value::Null) => None,
            (Type::Optional(of), value) => of.trouble_with(value),
            (Type::Number, Value::Number(_))
            | (Type::Text, Value::String(_))
            | (Type::Boolean, Value::Bool(_)) => None,
            (Type::List(of), Value::Array(values)) => {
                let found = |(at, value)| Some(inside(format!("[{at}]"), of.trouble_with(value)?));
                values.iter().enumerate().find_map(found)
            }
            (Type::Record(fields), Value::Object(values)) => {
                fields.iter().find_map(|(name, shape)| match (values.get(*name), shape) {
                    (None, Type::Optional(_)) => None,
                    (None, _) => Some(format!("there is no field `{name}`")),
                    (Some(value), shape) => Some(inside((*name).to_owned(), shape.trouble_with(value)?)),
                })
            }
            (wanted, value) => {
                Some(format!("{} is asked for, this is {}", wanted.describe(), described(value)))
            }
        }
    }

    /// In a few words, for messages.
    pub fn describe(&self) -> String {
        match self {
            Type::Number => "a number".to_owned(),
            Type::Text => "a text".to_owned(),
            Type::Boolean => "true or false".to_owned(),
            Type::List(of) => format!("a list of {}", of.describe().trim_start_matches("a ")),
            Type::Record(fields) => {
                let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
                format!("an object with [{}]", names.join(", "))
            }
            Type::Optional(of) => format!("{} or null", of.describe()),
            Type::Any => "anything".to_owned(),
        }
    }
}

/// A value in a few words, without what is in it.
fn described(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A Rust type whose shape the compiler knows.
pub trait Typed {
    /// The shape.
    const TYPE: Type;
}

macro_rules! number {
    ($($name:ty),*) => { $(impl Typed for $name { const TYPE: Type = Type::Number; })* };
}
number!(u8, u16, u32, u64, i32, i64, f64, usize);

impl Typed for String {
    const TYPE: Type = Type::Text;
}

impl Typed for bool {
    const TYPE: Type = Type::Boolean;
}

impl Typed for serde_json::Value {
    const TYPE: Type = Type::Any;
}

impl<T: Typed> Typed for Vec<T> {
    const TYPE: Type = Type::List(&T::TYPE);
}

impl<T: Typed> Typed for Option<T> {
    const TYPE: Type = Type::Optional(&T::TYPE);
}

/// Declares structs that travel as JSON between steps: plain data, serde both ways, and a shape the compiler knows.
#[macro_export]
macro_rules! records {
    ($($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident : $kind:ty),* $(,)? })*) => { $(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub struct $name { $($(#[$field_meta])* pub $field: $kind),* }

        impl $crate::types::Typed for $name {
            const TYPE: $crate::types::Type = $crate::types::Type::Record(&[
                $((stringify!($field), <$kind as $crate::types::Typed>::TYPE)),*
            ]);
        }
    )* };
}
