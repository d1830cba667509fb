//! What the author of a workflow should know of its compiled form.

use std::fmt;

use crate::nest::AddedWait;
use crate::resolve::Resolved;

/// The order of one block, where it cost something.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockReport {
    /// The workflow, or the loop, choice or map inside it.
    pub place: String,
    /// The longest chain by the expected durations.
    pub critical_s: f64,
    /// The time of the nested form.
    pub total_s: f64,
    /// The waits that were added.
    pub waits: Vec<AddedWait>,
}

/// All blocks whose order did not nest. Nothing to say is the normal case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Blocks with added waits.
    pub blocks: Vec<BlockReport>,
    /// How many tasks the definition has.
    pub tasks: usize,
}

impl Report {
    pub(crate) fn collect(&mut self, place: &str, block: &Resolved) {
        if let Some(nested) = block.nested.as_ref().filter(|nested| !nested.waits.is_empty()) {
            self.blocks.push(BlockReport {
                place: place.to_owned(),
                critical_s: nested.critical_s,
                total_s: nested.total_s,
                waits: nested.waits.clone(),
            });
        }
        for node in &block.nodes {
            for inner in &node.inner {
                self.collect(&format!("{place}/{}", node.node.id), inner);
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for block in &self.blocks {
            for wait in &block.waits {
                writeln!(
                    out,
                    "{}: {} also waits for {} (no dependency): costs {} s of {} s by the durations known; \
                     if {} fails, {} does not start",
                    block.place,
                    wait.step,
                    wait.waits_for,
                    wait.later_s,
                    block.total_s,
                    wait.waits_for,
                    wait.step
                )?;
            }
            writeln!(
                out,
                "{}: longest chain {} s, as nested {} s",
                block.place, block.critical_s, block.total_s
            )?;
        }
        Ok(())
    }
}
