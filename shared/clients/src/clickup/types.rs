//! What the ClickUp client takes and returns beyond the domain's own types.

use domain::{ListId, Task};

use crate::transport::Secret;

/// Which Workspace, and as whom.
#[derive(Clone, Debug)]
pub struct ClickUpConfig {
    /// `https://api.clickup.com`, without a path.
    pub base_url: String,
    /// Sent to that host only.
    pub token: ClickUpCredentials,
    /// The Workspace's id, digits.
    pub workspace: String,
}

/// How deskup proves who it is.
#[derive(Clone, Debug)]
pub enum ClickUpCredentials {
    /// A personal token, sent as it is.
    Personal(Secret),
    /// An OAuth token, sent as a bearer.
    OAuth(Secret),
}

/// Which tasks to list. Closed tasks and subtasks are always included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskQuery {
    /// Moved after this, in milliseconds. Whether ClickUp excludes the limit itself is not documented.
    pub updated_gt: Option<i64>,
    /// Made after this, in milliseconds.
    pub created_gt: Option<i64>,
    /// Order by the time of the last change instead of creation.
    pub order_by_updated: bool,
    /// Turn the order round.
    pub reverse: bool,
    /// Page number from 0.
    pub page: u32,
    /// Only these lists (team query only).
    pub lists: Vec<ListId>,
    /// Archived tasks instead of live ones (list query only).
    pub archived: bool,
}

/// One page of tasks, at most a hundred.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskPage {
    /// The tasks.
    pub tasks: Vec<Task>,
    /// No page follows.
    pub last_page: bool,
    /// Ids of entries that could not be read: one bad task does not stop the rest, and is not hidden.
    pub unreadable: Vec<String>,
}

/// The definition of a custom field.
#[derive(Clone, Debug, PartialEq)]
pub struct ClickupFieldDef {
    /// A UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `drop_down`, `labels`, `short_text`, `number` …
    pub kind: String,
    /// For choices: UUID and name.
    pub options: Vec<(String, String)>,
}

/// A webhook just made.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatedWebhook {
    /// A UUID.
    pub id: String,
    /// Signs its deliveries.
    pub secret: Secret,
}

/// A webhook as it is set up and how it fares.
#[derive(Clone, Debug, PartialEq)]
pub struct ClickupWebhook {
    /// A UUID.
    pub id: String,
    /// Where deliveries go.
    pub endpoint: String,
    /// Which events.
    pub events: Vec<String>,
    /// `active`, `failing`, `suspended`, or what ClickUp adds.
    pub status: String,
    /// Suspended at 100.
    pub fail_count: i64,
    /// Signs its deliveries, where the answer has it.
    pub secret: Option<Secret>,
}

/// A Workspace that the token opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Its id, digits.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Space {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}
