//! Who asks for work. The same lanes order the work queue and the budgets of both APIs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A priority class; the first is served first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// A person waits for the answer.
    Urgent,
    /// Webhooks tell that somebody changed something.
    #[default]
    Live,
    /// Comparison and repair: what no event told.
    Reconcile,
    /// The first fill; takes what is left.
    Backfill,
    /// Reports: nobody waits.
    Report,
}

impl Lane {
    /// All lanes, the most urgent first.
    pub const ALL: [Lane; 5] = [Lane::Urgent, Lane::Live, Lane::Reconcile, Lane::Backfill, Lane::Report];

    /// The name used in keys and by people.
    pub fn name(self) -> &'static str {
        match self {
            Lane::Urgent => "urgent",
            Lane::Live => "live",
            Lane::Reconcile => "reconcile",
            Lane::Backfill => "backfill",
            Lane::Report => "report",
        }
    }

    /// 0 is the most urgent.
    pub fn rank(self) -> u8 {
        self as u8
    }

    /// What is due waits this long at most while less is asked for than the services let through, ms: a record without a
    /// deadline of its own has this one, and a call that waited half of it is served before fresh ones of any lane.
    pub fn bound_ms(self) -> i64 {
        match self {
            Lane::Urgent => 10_000,
            Lane::Live => 60_000,
            Lane::Reconcile => 10 * 60_000,
            Lane::Backfill => 3_600_000,
            Lane::Report => 6 * 3_600_000,
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Lane {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let lane = Lane::ALL.into_iter().find(|lane| lane.name() == text);
        lane.ok_or_else(|| format!("`{text}` is not a lane"))
    }
}
