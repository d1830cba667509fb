//! What the author of a workflow should know of its compiled form.

use std::fmt;

use crate::nest::AddedWait;
use crate::resolve::Resolved;

/// A nesting that costs more than this share of the longest chain, and more than these seconds, is worth a copy of a pure
/// step.
const LOSS_SHARE: f64 = 0.05;
const LOSS_S: f64 = 1.0;

/// Whether a nesting of this time is so much slower than the longest chain that something should be done.
pub(crate) fn is_worth_more(critical_s: f64, total_s: f64) -> bool {
    let loss = total_s - critical_s;
    loss > LOSS_SHARE * critical_s && loss >= LOSS_S
}

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
    /// Steps that were copied, and for whom.
    pub copies: Vec<(String, String)>,
    /// Loops that go on in another execution, and after how many rounds.
    pub continues: Vec<(String, u64)>,
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
            if is_worth_more(block.critical_s, block.total_s) {
                let loss = block.total_s - block.critical_s;
                let place = &block.place;
                writeln!(
                    out,
                    "{place}: {loss} s are lost: let a pure step that others share be copied (`may_be_copied`)"
                )?;
            }
        }
        for (step, user) in &self.copies {
            writeln!(out, "{step} runs once more, for {user}")?;
        }
        for (id, rounds) in &self.continues {
            writeln!(out, "{id} goes on in another execution after each {rounds} rounds")?;
        }
        Ok(())
    }
}
