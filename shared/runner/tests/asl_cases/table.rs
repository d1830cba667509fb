//! The score by feature.

use std::collections::BTreeMap;
use std::fmt;

use crate::case::{Case, Verdict};

/// Cases counted by feature and by the reason they were skipped.
#[derive(Default)]
pub struct Table {
    /// Passed, disagreed as listed, failed, skipped.
    rows: BTreeMap<String, [u32; 4]>,
    total: [u32; 4],
    known: BTreeMap<String, u32>,
    reasons: BTreeMap<String, u32>,
    failures: Vec<String>,
}

impl Table {
    pub fn add(&mut self, case: &Case, verdict: &Verdict) {
        let column = match verdict {
            Verdict::Passed => 0,
            Verdict::Known(reason) => {
                *self.known.entry((*reason).to_owned()).or_default() += 1;
                1
            }
            Verdict::Failed(why) => {
                self.failures.push(format!("{}\n    {}", case.name, why.replace('\n', "\n    ")));
                2
            }
            Verdict::Skipped(reason) => {
                *self.reasons.entry(reason.clone()).or_default() += 1;
                3
            }
        };
        self.total[column] += 1;
        for feature in case.strings("features") {
            self.rows.entry(feature.to_owned()).or_default()[column] += 1;
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(out, "failed: {failure}")?;
        }
        let mut row = |name: &str, cells: [&dyn fmt::Display; 4]| {
            let [passed, known, failed, skipped] = cells;
            writeln!(out, "{name:<28}{passed:>8}{known:>8}{failed:>8}{skipped:>8}")
        };
        row("feature", [&"passed", &"known", &"failed", &"skipped"])?;
        for (feature, [passed, known, failed, skipped]) in &self.rows {
            row(feature, [passed, known, failed, skipped])?;
        }
        let [passed, known, failed, skipped] = &self.total;
        row("all", [passed, known, failed, skipped])?;
        for (reason, count) in &self.known {
            writeln!(out, "known {count}: {reason}")?;
        }
        for (reason, count) in &self.reasons {
            writeln!(out, "skipped {count}: {reason}")?;
        }
        Ok(())
    }
}
