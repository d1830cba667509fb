//! The nested order of a block: who waits for whom because of what is read, and what is wrong with that.

use std::collections::{BTreeMap, BTreeSet};

use super::{ResolvedNode, Resolver};
use crate::nest::{self, Graph, Nested, Tree, Trouble};
use crate::workflow::Work;

impl Resolver<'_> {
    /// The nested order of a block's nodes.
    pub(super) fn order(&mut self, place: &str, nodes: &[ResolvedNode]) -> (Option<Tree>, Option<Nested>) {
        let mut owners: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, node) in nodes.iter().enumerate() {
            owners.extend(node.members.iter().map(|member| (member.as_str(), at)));
        }
        let mut after: Vec<BTreeSet<String>> =
            nodes.iter().map(|node| node.node.after.iter().cloned().collect()).collect();
        for (source, readers) in &self.readers {
            let Some(owner) = owners.get(source.as_str()) else { continue };
            for reader in readers.iter().filter_map(|reader| owners.get(reader.as_str())) {
                // What happens inside a node is its own matter; a step that reads itself is a mistake.
                if reader != owner || matches!(nodes[*owner].node.work, Work::Call(_)) {
                    after[*reader].insert(nodes[*owner].node.id.clone());
                }
            }
        }
        let steps: Vec<(String, f64, Vec<String>)> = nodes
            .iter()
            .zip(after)
            .map(|(node, after)| (node.node.id.clone(), node.node.expected_s, after.into_iter().collect()))
            .collect();
        match Graph::new(&steps) {
            Ok(graph) => {
                let nested = nest::nest(&graph);
                (nested.tree.clone(), Some(nested))
            }
            Err(troubles) => {
                for trouble in troubles {
                    self.trouble(place, trouble);
                }
                (None, None)
            }
        }
    }

    fn trouble(&mut self, place: &str, trouble: Trouble) {
        match trouble {
            Trouble::Unknown(step, after) => {
                self.mistake(&step, format!("is after `{after}`, which is no step of the same block"));
            }
            Trouble::Itself(step) => self.mistake(&step, "waits for itself: take it out of its own `after`"),
            Trouble::Cycle(ring) => {
                let ring = ring.join(" → ");
                self.mistake(
                    place,
                    format!("these steps wait for each other: {ring}; one of them must not wait"),
                );
            }
            Trouble::TooMany(steps) => {
                let most = nest::STEPS_MAX;
                self.mistake(
                    place,
                    format!("{steps} steps in one block, at most {most} are taken: split the workflow"),
                );
            }
            // Reported where names are checked.
            Trouble::Repeated(_) => {}
        }
    }
}
