//! What the account holds, as rows: the form in which records live in memory and in the journal.
//!
//! Rows are lean on purpose: ten thousand tickets with their comments must fit beside the program under test. What
//! the service can compute (`html_body`, `url`, the description) is computed when it is asked for.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The text of an enumeration's variants, in REST's spelling.
macro_rules! spelled {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// REST's spelling.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// Reads REST's spelling.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

spelled!(
    /// The category of a ticket's status. Deletion is kept apart, so that a restore knows what to restore.
    Status { New = "new", Open = "open", Pending = "pending", Hold = "hold", Solved = "solved", Closed = "closed" }
);
spelled!(
    /// A ticket's priority.
    Priority { Low = "low", Normal = "normal", High = "high", Urgent = "urgent" }
);
spelled!(
    /// A ticket's type.
    Kind { Problem = "problem", Incident = "incident", Question = "question", Task = "task" }
);
spelled!(
    /// What a user may do.
    Role { EndUser = "end-user", Agent = "agent", Admin = "admin" }
);
spelled!(
    /// How a ticket or an update came in.
    Via { Api = "api", Web = "web", Email = "email", Rule = "rule" }
);
spelled!(
    /// The kinds of custom ticket fields.
    FieldKind {
        Text = "text", Textarea = "textarea", Integer = "integer", Decimal = "decimal", Date = "date",
        Checkbox = "checkbox", Tagger = "tagger", Multiselect = "multiselect",
    }
);

impl Via {
    /// Events have a vocabulary of their own for channels.
    pub(super) fn event_channel(self) -> &'static str {
        match self {
            Self::Api => "web_service",
            Self::Email => "mail",
            Self::Web => "web_form",
            Self::Rule => "rule",
        }
    }
}

/// A ticket without its comments and history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct TicketRow {
    pub id: u64,
    pub subject: Option<Box<str>>,
    pub status: Status,
    pub custom_status: u64,
    pub priority: Option<Priority>,
    pub kind: Option<Kind>,
    pub due_ms: Option<i64>,
    /// Sorted and without repetitions.
    pub tags: Vec<Box<str>>,
    /// Only the fields that have a value.
    pub custom: Vec<(u64, Value)>,
    pub requester: i64,
    pub submitter: i64,
    pub assignee: Option<i64>,
    pub group: Option<u64>,
    pub organization: Option<u64>,
    pub external_id: Option<Box<str>>,
    pub form: u64,
    pub via: Via,
    pub created_ms: i64,
    pub updated_ms: i64,
    pub generated_s: i64,
    pub deleted: bool,
    /// Whether the first comment was public: the default of later ones.
    pub public: bool,
    pub followup_of: Option<u64>,
}

/// One update of a ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct AuditRow {
    pub id: u64,
    pub at_ms: i64,
    pub author: i64,
    pub via: Via,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Box<Value>>,
    pub events: Vec<EventRow>,
}

/// One thing that an update did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct EventRow {
    pub id: u64,
    pub what: What,
}

/// What an event of an audit says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum What {
    Comment(CommentRow),
    Create { field: Box<str>, value: Datum },
    Change { field: Box<str>, value: Datum, previous: Datum },
}

/// A comment; its id and time are those of its event and audit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CommentRow {
    pub author: i64,
    pub body: Box<str>,
    pub public: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<u64>,
}

/// A value inside an audit: text (ids too), a list of texts, or nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Datum {
    Text(Box<str>),
    List(Vec<Box<str>>),
    Nothing(()),
}

impl Datum {
    pub(super) fn of(value: Option<impl ToString>) -> Self {
        value.map_or(Self::Nothing(()), |value| Self::Text(value.to_string().into()))
    }

    /// As audits spell a custom field's value.
    pub(super) fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::Nothing(()),
            Value::String(text) => Self::Text(text.as_str().into()),
            Value::Array(parts) => {
                Self::List(parts.iter().filter_map(Value::as_str).map(Into::into).collect())
            }
            // A ticked box is "1" in audits and in exports of events.
            Value::Bool(ticked) => Self::Text(if *ticked { "1" } else { "0" }.into()),
            other => Self::Text(other.to_string().into()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct UserRow {
    pub id: i64,
    pub name: Box<str>,
    pub email: Option<Box<str>>,
    pub role: Role,
    pub organization: Option<u64>,
    pub external_id: Option<Box<str>>,
    pub active: bool,
    pub created_ms: i64,
}

/// A group or an organization: both are a name here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct NamedRow {
    pub id: u64,
    pub name: Box<str>,
    pub created_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct MembershipRow {
    pub id: u64,
    pub user: i64,
    pub group: u64,
    pub default: bool,
    pub created_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FieldRow {
    pub id: u64,
    pub title: Box<str>,
    pub kind: FieldKind,
    /// The tag and the name of each option.
    pub options: Vec<(Box<str>, Box<str>)>,
    pub created_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CustomStatusRow {
    pub id: u64,
    pub category: Status,
    pub label: Box<str>,
    pub default: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ClientRow {
    pub id: Box<str>,
    pub secret: Box<str>,
    pub user: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct TokenRow {
    pub token: Box<str>,
    pub user: i64,
    pub scope: Box<str>,
    pub until_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct WebhookRow {
    pub id: Box<str>,
    pub name: Box<str>,
    pub description: Option<Box<str>>,
    pub endpoint: Box<str>,
    pub http_method: Box<str>,
    pub request_format: Box<str>,
    pub active: bool,
    pub subscriptions: Vec<Box<str>>,
    /// As it may be shown: without secrets.
    pub authentication: Option<Value>,
    /// The `Authorization` (or other) header that deliveries carry.
    pub header: Option<(Box<str>, Box<str>)>,
    pub secret: Box<str>,
    pub created_ms: i64,
    pub created_by: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct UploadRow {
    pub token: Box<str>,
    pub user: i64,
    pub until_ms: i64,
    pub files: Vec<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FileRow {
    pub id: u64,
    pub name: Box<str>,
    pub content_type: Box<str>,
    /// The unguessable part of the content URL.
    pub secret: Box<str>,
    #[serde(with = "as_base64")]
    pub bytes: bytes::Bytes,
}

/// A stored first answer of `POST /tickets` with an idempotency key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct IdempotentRow {
    pub key: Box<str>,
    pub user: i64,
    pub request_hash: u64,
    pub answer: Box<str>,
    pub location: Box<str>,
    pub until_ms: i64,
}

/// What a job still has to do and what it did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct JobRow {
    pub id: Box<str>,
    pub kind: JobKind,
    pub user: i64,
    pub edit: Option<Box<str>>,
    pub queued_ms: i64,
    pub items: Vec<Value>,
    pub results: Vec<Value>,
    pub completed_ms: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum JobKind {
    /// Each item is a ticket's changes with its id.
    Update { batch: bool },
    /// One item: the merge's body with the target's id.
    Merge,
}

/// A webhook delivery that has not ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct DeliveryRow {
    pub id: u64,
    pub webhook: Box<str>,
    pub invocation: Box<str>,
    pub body: Box<str>,
    pub due_ms: i64,
}

mod as_base64 {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &bytes::Bytes, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<bytes::Bytes, D::Error> {
        let text = String::deserialize(input)?;
        STANDARD.decode(text).map(Into::into).map_err(serde::de::Error::custom)
    }
}
