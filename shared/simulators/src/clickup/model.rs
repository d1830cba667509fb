//! What a workspace holds, as it is stored. The shapes that go over the wire are made in `wire`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a person may do in the workspace. The numbers are the service's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// 1.
    Owner,
    /// 2.
    Admin,
    /// 3.
    #[default]
    Member,
    /// 4. Sees only the lists it was invited to.
    Guest,
}

impl Role {
    pub(super) fn number(self) -> u8 {
        match self {
            Role::Owner => 1,
            Role::Admin => 2,
            Role::Member => 3,
            Role::Guest => 4,
        }
    }
}

/// A person of the workspace. Automations and agents have negative ids and no e-mail.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Also the token: `pk_{id}`.
    pub id: i64,
    /// Display name.
    pub username: String,
    /// May be missing.
    pub email: Option<String>,
    /// Owner, admin, member or guest.
    pub role: Role,
    /// A disabled person's token is refused and its webhooks fire no more.
    pub disabled: bool,
    /// Where the person's days begin: days without a time are stored as 4 a.m. of this zone.
    pub utc_offset_min: i64,
}

/// A Space: owns tags.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Space {
    pub id: String,
    pub name: String,
    pub multiple_assignees: bool,
    pub tags: BTreeMap<String, Tag>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Tag {
    pub color: String,
    pub creator: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Folder {
    pub id: String,
    pub name: String,
    pub space: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct List {
    pub id: String,
    pub name: String,
    pub space: String,
    /// None is a folderless list.
    pub folder: Option<String>,
    pub statuses: Vec<Status>,
    /// People with explicit access; the only ones who see a private list, and the only way for guests.
    pub members: BTreeSet<i64>,
    pub private: bool,
    pub archived: bool,
}

/// One status of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Used by status mappings of moves only.
    pub id: String,
    /// The name, by which it is written.
    pub status: String,
    /// `#rrggbb`.
    pub color: String,
    /// Position, from 0.
    pub orderindex: i64,
    /// `open`, `custom`, `done`, `closed` or `unstarted`.
    #[serde(rename = "type")]
    pub kind: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Field {
    pub id: String,
    pub name: String,
    pub kind: String,
    pub options: Vec<FieldOption>,
    pub lists: BTreeSet<String>,
    /// The `custom_item_id`s it applies to; none is all.
    pub items: Option<BTreeSet<i64>>,
    pub created_ms: i64,
}

/// One option of a drop-down or labels field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldOption {
    /// A UUID.
    pub id: String,
    /// What people see.
    pub name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Task {
    /// Counts from 1; the public id is made of it.
    pub seq: u64,
    pub id: String,
    pub list: String,
    pub name: String,
    /// Plain text; what formatting there was is only in `markdown`.
    pub description: String,
    pub markdown: Option<String>,
    pub status: String,
    pub creator: i64,
    pub assignees: Vec<i64>,
    pub tags: BTreeSet<String>,
    pub priority: Option<u8>,
    pub due_ms: Option<i64>,
    pub due_time: bool,
    pub start_ms: Option<i64>,
    pub start_time: bool,
    pub points: Option<Value>,
    pub time_estimate_ms: Option<i64>,
    pub parent: Option<u64>,
    pub custom_item: i64,
    pub archived: bool,
    /// Shared with the world by a link.
    pub public: bool,
    /// By field id, as stored: a drop-down holds the option's UUID, numbers and dates are text.
    pub values: BTreeMap<String, Value>,
    pub created_ms: i64,
    pub updated_ms: i64,
    pub closed_ms: Option<i64>,
    pub done_ms: Option<i64>,
    /// Filtered lists show it from then on.
    pub visible_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Comment {
    pub id: u64,
    pub task: u64,
    /// A reply hangs on a comment and is not in the task's list.
    pub parent: Option<u64>,
    pub user: i64,
    pub date_ms: i64,
    pub text: String,
    /// As sent, when it was sent as blocks.
    pub blocks: Option<Vec<Value>>,
    pub resolved: bool,
    pub assignee: Option<i64>,
    /// The history item of the post; an edit reports the same one.
    pub hist: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct File {
    pub number: u64,
    pub task: u64,
    pub id: String,
    pub title: String,
    pub mimetype: String,
    pub user: i64,
    pub date_ms: i64,
    /// The bytes, in base64 because the journal is text.
    pub data: String,
    pub size: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Webhook {
    pub number: u64,
    pub id: String,
    pub user: i64,
    pub endpoint: String,
    pub events: Vec<String>,
    pub location: Location,
    pub fail_count: u32,
    pub suspended: bool,
    pub secret: String,
}

/// Where a webhook listens. Of several places in a request the most specific one wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Location {
    Workspace,
    Space(String),
    Folder(String),
    List(String),
    Task(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Delivery {
    pub number: u64,
    pub webhook: String,
    pub body: String,
    /// Attempts that failed.
    pub attempts: u32,
    pub due_ms: i64,
}

/// An OAuth token, or the code that is to become one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Grant {
    pub key: String,
    pub user: i64,
    /// Client id and secret, as long as it is a code.
    pub client: Option<(String, String)>,
}
