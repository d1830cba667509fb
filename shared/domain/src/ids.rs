//! Ids are types, checked where they enter, so that a ticket cannot become a task by accident.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of the two services that are kept in step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Zendesk: tickets.
    Zendesk,
    /// ClickUp: tasks.
    Clickup,
}

impl Side {
    /// The opposite side.
    pub fn other(self) -> Side {
        match self {
            Side::Zendesk => Side::Clickup,
            Side::Clickup => Side::Zendesk,
        }
    }

    /// The one-letter form used in keys.
    pub fn letter(self) -> char {
        match self {
            Side::Zendesk => 'z',
            Side::Clickup => 'c',
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Zendesk => "Zendesk",
            Side::Clickup => "ClickUp",
        })
    }
}

/// Why a text is not an id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not {what}")]
pub struct IdError {
    what: &'static str,
    text: String,
}

/// A Zendesk ticket. Zendesk counts from 1, so zero is refused where the id enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct TicketId(NonZeroU64);

impl TicketId {
    /// Checks a number that claims to be a ticket id.
    pub fn new(id: u64) -> Result<Self, IdError> {
        NonZeroU64::new(id)
            .map(Self)
            .ok_or(IdError { what: "a ticket id (a number from 1)", text: id.to_string() })
    }

    /// Stands for a record that is not there yet; it is never sent.
    pub(crate) fn placeholder() -> Self {
        Self(NonZeroU64::MIN)
    }

    /// The number itself.
    pub fn get(self) -> u64 {
        self.0.get()
    }
}

impl TryFrom<u64> for TicketId {
    type Error = IdError;
    fn try_from(id: u64) -> Result<Self, IdError> {
        Self::new(id)
    }
}

impl From<TicketId> for u64 {
    fn from(id: TicketId) -> u64 {
        id.get()
    }
}

impl FromStr for TicketId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let id: u64 = text
            .parse()
            .map_err(|_| IdError { what: "a ticket id (a number from 1)", text: shorten(text) })?;
        Self::new(id)
    }
}

impl fmt::Display for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A ClickUp task: a short text such as `868f9p6ad`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskId(String);

/// A ClickUp list: digits, kept as text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ListId(String);

macro_rules! text_id {
    ($name:ident, $what:literal) => {
        impl $name {
            /// Checks a text that claims to be such an id; it ends up in paths and keys.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                let fits = !text.is_empty()
                    && text.len() <= 64
                    && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
                if fits { Ok(Self(text)) } else { Err(IdError { what: $what, text: shorten(&text) }) }
            }

            /// Stands for a record that is not there yet; it is never sent.
            pub(crate) fn placeholder() -> Self {
                Self("none".to_owned())
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(TaskId, "a ClickUp task id");
text_id!(ListId, "a ClickUp list id");

/// A person on one side. Zendesk's system author is -1, ClickUp's system users may be negative too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub i64);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Milliseconds since 1970, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads RFC 3339, as Zendesk writes it.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        chrono::DateTime::parse_from_rfc3339(text).ok().map(|time| Self(time.timestamp_millis()))
    }

    /// Writes RFC 3339 with second precision, as Zendesk does.
    pub fn to_rfc3339(self) -> String {
        chrono::DateTime::from_timestamp_millis(self.0)
            .unwrap_or_default()
            .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    }

    /// The number of milliseconds.
    pub fn ms(self) -> i64 {
        self.0
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}
