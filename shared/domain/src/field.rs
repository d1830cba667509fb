//! A field that is kept in step, and a value of it in the form one side returns it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A field that both sides can hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum FieldKey {
    /// Ticket subject, task name.
    Title,
    /// First comment of the ticket (read only there), description of the task.
    Description,
    /// Status, by the mapping's table.
    Status,
    /// Priority, by the mapping's table.
    Priority,
    /// The one assignee of the ticket, one among the assignees of the task.
    Assignee,
    /// Tags as a set.
    Tags,
    /// Due date.
    DueDate,
    /// A custom field, by its name in `deskup.toml`.
    Custom(String),
}

impl fmt::Display for FieldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FieldKey::Title => f.write_str("title"),
            FieldKey::Description => f.write_str("description"),
            FieldKey::Status => f.write_str("status"),
            FieldKey::Priority => f.write_str("priority"),
            FieldKey::Assignee => f.write_str("assignee"),
            FieldKey::Tags => f.write_str("tags"),
            FieldKey::DueDate => f.write_str("due_date"),
            FieldKey::Custom(name) => write!(f, "custom.{name}"),
        }
    }
}

impl FromStr for FieldKey {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "title" => FieldKey::Title,
            "description" => FieldKey::Description,
            "status" => FieldKey::Status,
            "priority" => FieldKey::Priority,
            "assignee" => FieldKey::Assignee,
            "tags" => FieldKey::Tags,
            "due_date" => FieldKey::DueDate,
            _ => match text.strip_prefix("custom.") {
                Some(name) if !name.is_empty() => FieldKey::Custom(name.to_owned()),
                _ => return Err(format!("`{text}` is not a field that can be mapped")),
            },
        })
    }
}

impl TryFrom<String> for FieldKey {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<FieldKey> for String {
    fn from(key: FieldKey) -> String {
        key.to_string()
    }
}

/// A value as one side returns it, after that side's own normal form.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Not set.
    #[default]
    Null,
    /// Short text; a status, priority, option or number in its written form.
    Text(String),
    /// People or tags.
    Set(BTreeSet<String>),
    /// A date in milliseconds.
    Date(i64),
    /// A check box.
    Bool(bool),
    /// Only the SHA-256 of a text longer than [`Value::INLINE_BYTES_MAX`]: enough to see a change.
    Hash(String),
}

impl Value {
    /// Longer text is kept as its hash.
    pub const INLINE_BYTES_MAX: usize = 256;

    /// A text, or its hash when it is long.
    pub fn stored_text(text: &str) -> Self {
        if text.len() <= Self::INLINE_BYTES_MAX {
            Value::Text(text.to_owned())
        } else {
            Value::Hash(sha256_hex(text.as_bytes()))
        }
    }

    /// The form kept in a link: long texts become hashes, everything else stays.
    pub fn to_stored(&self) -> Self {
        match self {
            Value::Text(text) => Self::stored_text(text),
            other => other.clone(),
        }
    }

    /// A short fingerprint, the same for a text and its stored form.
    pub fn fingerprint(&self) -> String {
        let stored = self.to_stored();
        let json = serde_json::to_vec(&stored).unwrap_or_default();
        sha256_hex(&json)[..16].to_owned()
    }
}

/// SHA-256 as lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        use fmt::Write;
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
