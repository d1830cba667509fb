//! Comments and attachments. Visibility is a type: what is not known to be public is internal.

use serde::{Deserialize, Serialize};

use crate::ids::{Side, Timestamp, UserId};

/// Who may read a comment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Agents only. Also what is assumed when a side does not say.
    #[default]
    Internal,
    /// The requester reads it too.
    Public,
}

/// Who wrote a comment, as far as the side says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The id on that side.
    pub id: UserId,
    /// Empty where only the id is known.
    pub name: String,
}

/// One comment of a ticket or a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Where it was read.
    pub side: Side,
    /// Its id there, in decimal.
    pub id: String,
    /// Who wrote it there.
    pub author: Author,
    /// ClickUp has no such flag; its comments are internal.
    pub visibility: Visibility,
    /// Plain text.
    pub body: String,
    /// When it was written.
    pub created: Timestamp,
    /// Files that came with it (Zendesk only; ClickUp hangs files on the task).
    pub attachments: Vec<Attachment>,
    /// `metadata.custom` of the audit it came in, where the side has one.
    pub custom_metadata: Option<serde_json::Value>,
}

/// A file on either side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its id on its side.
    pub id: String,
    /// File name; untrusted.
    pub name: String,
    /// Size, where the side says.
    pub size_bytes: Option<u64>,
    /// MIME type as claimed; untrusted.
    pub content_type: Option<String>,
    /// Where the bytes are; the host may be foreign, so credentials are not sent there.
    pub url: String,
    /// When it was added, where the side says.
    pub created: Option<Timestamp>,
    /// Who added it, where the side says.
    pub user: Option<UserId>,
}
