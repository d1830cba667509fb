//! What a simulated workspace is like: its plan, its limits, and the answers the documentation leaves open.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::{Faults, Outbound, SimClock};

/// The plan of the workspace decides how many requests a token has per minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plan {
    /// Free Forever, Unlimited and Business.
    #[default]
    Business,
    /// Business Plus.
    BusinessPlus,
    /// Enterprise.
    Enterprise,
}

impl Plan {
    /// Requests per token and minute.
    pub fn requests_per_minute(self) -> u32 {
        match self {
            Plan::Business => 100,
            Plan::BusinessPlus => 1_000,
            Plan::Enterprise => 10_000,
        }
    }
}

/// How to open a [`super::ClickUpSim`].
#[derive(Clone)]
pub struct ClickUpOptions {
    /// The time. Deliveries sleep on tokio's clock, so both should move together.
    pub clock: SimClock,
    /// Takes the webhook deliveries; may also be set later with [`super::ClickUpSim::set_outbound`]. Without one every
    /// delivery is refused.
    pub outbound: Option<Arc<dyn Outbound>>,
    /// The file that keeps the contents; none keeps them in memory only.
    pub journal: Option<PathBuf>,
    /// Misbehaviour and delays.
    pub faults: Faults,
    /// Decides the rate limit.
    pub plan: Plan,
    /// Lifts the rate limit: a million requests a minute.
    pub unlimited: bool,
    /// The Workspace's id, `team_id` in paths.
    pub workspace: String,
    /// The user whose calls [`super::ClickUpSim::calls`] counts.
    pub sync_user: i64,
    /// A list takes no more tasks than this, subtasks and archived ones included.
    pub list_tasks_max: usize,
    /// Whether a comment moves the task's `date_updated`. The documentation does not say, so nobody should rely on it.
    pub comments_move_date_updated: bool,
    /// Whether tasks may be moved to another list.
    pub moves_allowed: bool,
    /// Total size of attachments the plan stores; none is without bound.
    pub storage_bytes_max: Option<u64>,
    /// Scheme and host of the attachments, where they are served on a port; a name of its own otherwise.
    pub files_base: Option<String>,
}

impl ClickUpOptions {
    /// A workspace on the Business plan without faults, whose new tasks reach filtered lists within three seconds.
    pub fn new(clock: SimClock) -> Self {
        Self {
            clock,
            outbound: None,
            journal: None,
            faults: Faults { visibility_delay_ms: (0, 3_000), ..Faults::default() },
            plan: Plan::default(),
            unlimited: false,
            workspace: "9011000001".to_owned(),
            sync_user: 0,
            list_tasks_max: 50_000,
            comments_move_date_updated: false,
            moves_allowed: true,
            storage_bytes_max: None,
            files_base: None,
        }
    }

    /// Requests per token and minute under these options.
    pub fn requests_per_minute(&self) -> u32 {
        if self.unlimited { 1_000_000 } else { self.plan.requests_per_minute() }
    }

    /// Where this workspace's attachments are. It is not the API's host, so a client must not send its token there.
    pub fn files_base(&self) -> String {
        let made = || format!("https://t{}.p.clickup-attachments.example", self.workspace);
        self.files_base.clone().unwrap_or_else(made)
    }

    /// The host in it, with its port.
    pub fn attachment_host(&self) -> String {
        let base = self.files_base();
        base.split_once("://").map_or(base.as_str(), |(_, host)| host).to_owned()
    }
}

impl fmt::Debug for ClickUpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClickUpOptions")
            .field("journal", &self.journal)
            .field("faults", &self.faults)
            .field("plan", &self.plan)
            .field("unlimited", &self.unlimited)
            .field("workspace", &self.workspace)
            .field("sync_user", &self.sync_user)
            .finish_non_exhaustive()
    }
}
