//! The shapes of what steps take and give, as far as the compiler needs them: which fields there are, and whether
//! a value found in one place fits another.

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
