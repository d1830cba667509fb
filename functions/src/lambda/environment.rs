//! What the template tells a function through its environment.

use std::collections::BTreeMap;

/// A variable that the template has to set.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the environment variable {0} is not set; the stack's template sets it")]
pub struct NotSet(pub &'static str);

/// The environment of one function. What only some functions have is asked for by those.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    values: BTreeMap<&'static str, String>,
}

/// Every variable, as the template or a demo writes them.
const NAMES: [&str; 13] = [
    "DESKUP_TABLE",
    "DESKUP_INSTALLATION",
    "DESKUP_STACK",
    "DESKUP_ACCOUNTS_SECRET",
    "DESKUP_WEBHOOKS_SECRET",
    "DESKUP_QUEUE_URL",
    "DESKUP_DEBOUNCE_S",
    "DESKUP_SHARDS",
    "DESKUP_LIVE_ARN",
    "DESKUP_POLL_ARN",
    "DESKUP_SWEEP_ARN",
    "DESKUP_BACKFILL_ARN",
    "AWS_LAMBDA_FUNCTION_NAME",
];

impl Environment {
    /// What is set now.
    pub fn read() -> Self {
        let set = |name: &'static str| Some((name, std::env::var(name).ok()?));
        Self { values: NAMES.into_iter().filter_map(set).filter(|(_, value)| !value.is_empty()).collect() }
    }

    fn get(&self, name: &'static str) -> Result<&str, NotSet> {
        self.values.get(name).map(String::as_str).ok_or(NotSet(name))
    }

    /// The table.
    pub fn table(&self) -> Result<&str, NotSet> {
        self.get("DESKUP_TABLE")
    }

    /// The installation's name in the keys of the table.
    pub fn installation(&self) -> Result<&str, NotSet> {
        self.get("DESKUP_INSTALLATION")
    }

    /// The stack, under which metrics are kept apart.
    pub fn stack(&self) -> &str {
        self.get("DESKUP_STACK").unwrap_or("deskup")
    }

    /// The function's own name.
    pub fn function(&self) -> &str {
        self.get("AWS_LAMBDA_FUNCTION_NAME").unwrap_or("deskup")
    }

    /// The secret with both accounts' credentials.
    pub fn accounts_secret(&self) -> Result<&str, NotSet> {
        self.get("DESKUP_ACCOUNTS_SECRET")
    }

    /// The secret with what signs deliveries.
    pub fn webhooks_secret(&self) -> Result<&str, NotSet> {
        self.get("DESKUP_WEBHOOKS_SECRET")
    }

    /// The queue that wakes the dispatcher.
    pub fn queue_url(&self) -> Result<&str, NotSet> {
        self.get("DESKUP_QUEUE_URL")
    }

    /// How long the first hint of a record waits for the rest of a burst, in seconds.
    pub fn debounce_s(&self) -> Option<u32> {
        self.get("DESKUP_DEBOUNCE_S").ok()?.parse().ok()
    }

    /// Index partitions of the table; another number than on AWS is for a table that stands in for it.
    pub fn shards(&self) -> u32 {
        self.get("DESKUP_SHARDS").ok().and_then(|text| text.parse().ok()).unwrap_or(stores::SHARDS)
    }

    /// The state machine of each workflow.
    pub fn machines(&self) -> Result<BTreeMap<String, String>, NotSet> {
        let machine = |workflow: &str, name| Ok((workflow.to_owned(), self.get(name)?.to_owned()));
        [
            machine("ticket-sync-live", "DESKUP_LIVE_ARN"),
            machine("ticket-sync-poll", "DESKUP_POLL_ARN"),
            machine("ticket-sync-sweep", "DESKUP_SWEEP_ARN"),
            machine("ticket-sync-backfill", "DESKUP_BACKFILL_ARN"),
        ]
        .into_iter()
        .collect()
    }
}
