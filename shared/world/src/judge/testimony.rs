//! Everything the judge is shown: the contents and change logs of both services, deskup's conflict rows
//! and links, and what the world saw on the wire.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use simulators::Change;

use super::rules::Rules;
use crate::deskup::{Effort, Kept};

/// What the judge judges by.
#[derive(Clone, Debug)]
pub struct Testimony {
    /// What the mapping means.
    pub rules: Rules,
    /// Tickets with their `comments`, as REST gives them.
    pub tickets: Vec<Json>,
    /// Tasks with their `comments` and `attachments`, archived ones too.
    pub tasks: Vec<Json>,
    /// The change log of the simulated Zendesk.
    pub zendesk_changes: Vec<Change>,
    /// The change log of the simulated ClickUp.
    pub clickup_changes: Vec<Change>,
    /// Lists that a guest can see.
    pub guest_lists: BTreeSet<String>,
    /// deskup's conflict rows, links and quarantine.
    pub kept: Kept,
    /// What happened when.
    pub marks: Vec<Mark>,
    /// ClickUp webhooks that were delivered and accepted: task and time of the change.
    pub delivered: BTreeSet<(String, i64)>,
    /// How often deskup did not take such a webhook: it was down, or could not keep it.
    pub refused: BTreeMap<(String, i64), u32>,
    /// Executions and transitions.
    pub effort: Effort,
    /// The seed, for the report.
    pub seed: u64,
    /// deskup's state file, for the report.
    pub state_file: Option<String>,
}

/// A point in the life of a world, with everything counted up to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// What begins here.
    pub phase: String,
    /// When.
    pub at_ms: i64,
    /// API calls of deskup until then, by service and endpoint.
    pub calls: Calls,
}

/// Counts by service and endpoint.
pub type Calls = BTreeMap<String, BTreeMap<String, u64>>;

/// Adds one table of calls to another.
pub fn add_calls(to: &mut Calls, from: &Calls) {
    for (service, endpoints) in from {
        let service = to.entry(service.clone()).or_default();
        for (endpoint, count) in endpoints {
            *service.entry(endpoint.clone()).or_default() += count;
        }
    }
}

/// What was counted between two marks. Endpoints without calls are left out.
pub fn calls_between(from: &Calls, to: &Calls) -> Calls {
    let mut between = Calls::new();
    for (service, endpoints) in to {
        for (endpoint, count) in endpoints {
            let before = from.get(service).and_then(|known| known.get(endpoint)).copied().unwrap_or(0);
            if before < *count {
                between.entry(service.clone()).or_default().insert(endpoint.clone(), count - before);
            }
        }
    }
    between
}
