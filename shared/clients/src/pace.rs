//! What a call needs of the API budgets, and who grants it. The clients only ask and report; the
//! accounting lives behind [`Pacer`].

use domain::{Lane, Side};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

/// One of the two services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// The Zendesk Support API.
    Zendesk,
    /// The ClickUp API.
    Clickup,
}

impl Api {
    /// The form used in keys.
    pub fn name(self) -> &'static str {
        match self {
            Api::Zendesk => "zendesk",
            Api::Clickup => "clickup",
        }
    }

    /// The side it leads to.
    pub fn side(self) -> Side {
        match self {
            Api::Zendesk => Side::Zendesk,
            Api::Clickup => Side::Clickup,
        }
    }
}

impl std::fmt::Display for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Api::Zendesk => "Zendesk",
            Api::Clickup => "ClickUp",
        })
    }
}

/// One allowance that a call spends: Zendesk `account`, `tickets-update`, `incremental`,
/// `ticket:{id}`; ClickUp `token`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Which allowance.
    pub name: String,
    /// What to assume until the service says otherwise.
    pub default_limit: u32,
    /// The length of its window.
    pub window_ms: i64,
}

impl Bucket {
    /// A bucket of that name.
    pub fn new(name: impl Into<String>, default_limit: u32, window_ms: i64) -> Self {
        Self { name: name.into(), default_limit, window_ms }
    }
}

/// What one call needs before it may be sent: one unit of each bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The service.
    pub api: Api,
    /// All of them, or none.
    pub buckets: Vec<Bucket>,
    /// Who asks.
    pub lane: Lane,
    /// Waiting longer than this makes no sense.
    pub deadline_ms: i64,
}

/// There is no budget before the caller's deadline.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the API budget is empty until {until_ms} ms")]
pub struct BudgetEmpty {
    /// When there will be some.
    pub until_ms: i64,
}

/// What an answer's headers said about one bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitSeen {
    /// Which allowance.
    pub bucket: String,
    /// Units per window.
    pub limit: Option<u32>,
    /// Units left in this window.
    pub remaining: Option<u32>,
    /// When the window ends, as a point in time of our clock.
    pub reset_ms: Option<i64>,
    /// The same as the service's clock has it, where it says so: the same for all who share the limit.
    pub edge_ms: Option<i64>,
}

/// Grants calls and learns from answers.
pub trait Pacer: Send + Sync {
    /// Waits for the budget while it can come before the deadline. Every attempt asks anew.
    fn acquire<'a>(&'a self, need: &'a Need) -> BoxFuture<'a, Result<(), BudgetEmpty>>;

    /// Limit headers of any answer.
    fn observe(&self, api: Api, seen: &[LimitSeen]);

    /// The service refused a call because this bucket is spent until then.
    fn limited<'a>(&'a self, api: Api, bucket: &'a str, until_ms: i64) -> BoxFuture<'a, ()>;
}

/// Grants everything at once: for tests and single calls by hand.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPacer;

impl Pacer for NoPacer {
    fn acquire<'a>(&'a self, _need: &'a Need) -> BoxFuture<'a, Result<(), BudgetEmpty>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn observe(&self, _api: Api, _seen: &[LimitSeen]) {}

    fn limited<'a>(&'a self, _api: Api, _bucket: &'a str, _until_ms: i64) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// On whose behalf calls are made, and until when they make sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Who asks.
    pub lane: Lane,
    /// No call is begun and no wait ends after this.
    pub deadline_ms: i64,
}

impl Default for Scope {
    fn default() -> Self {
        Self { lane: Lane::Live, deadline_ms: i64::MAX }
    }
}
