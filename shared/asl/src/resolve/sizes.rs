//! Payloads that could grow past what the service takes. A value's size is known by its type, by the promise of the step
//! that gives it, or, for a list of results, by how many items there are at most. Of `Type::Any`, and of what the
//! starter of an execution gives, nothing is said.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Resolved, ResolvedNode, Resolver, kept};
use crate::expression::{Expression, Shapes};
use crate::names::PAYLOAD_BYTES_MAX;
use crate::nest::Tree;
use crate::workflow::{Block, Call, Work};

/// All variables of an execution together.
const VARIABLES_BYTES_MAX: u64 = 10 * 1_024 * 1_024;

/// The size of each result; none for one that has an end nobody knows in bytes.
pub(super) type Sizes = BTreeMap<String, Option<u64>>;

/// How large a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// So many bytes at most.
    UpTo(u64),
    /// A list without a known end.
    Endless,
    /// Nothing is known, and so nothing said.
    Unknown,
}

/// The size of every result that has an end, at most, where it is known; whatever the order in which steps are declared.
pub(super) fn of_results(block: &Block) -> Sizes {
    let mut sizes = BTreeMap::new();
    measure(block, &mut sizes);
    sizes
}

fn measure(block: &Block, sizes: &mut Sizes) {
    for node in &block.nodes {
        match &node.work {
            Work::Call(call) => sizes.extend(of_call(call).map(|bytes| (node.id.clone(), Some(bytes)))),
            Work::Wait(_) => {}
            Work::Choose { then, otherwise, .. } => {
                measure(then, sizes);
                measure(otherwise, sizes);
            }
            Work::Repeat { body, .. } | Work::ForEachApart { body, .. } => measure(body, sizes),
            Work::ForEach { items, at_most, body, gives, .. } => {
                measure(body, sizes);
                let each = gives.as_ref().and_then(|step| sizes.get(step).copied().flatten());
                if let Some(items) = items_max(items, *at_most) {
                    sizes.insert(node.id.clone(), each.map(|each| of_list(items, each)));
                }
            }
        }
    }
}

fn of_call(call: &Call) -> Option<u64> {
    call.bytes_max.or_else(|| call.gives.bytes_max())
}

fn of_list(items: u64, each: u64) -> u64 {
    items.saturating_mul(each + 1).saturating_add(2)
}

/// How many items a map has at most, where that is known.
pub(super) fn items_max(items: &Expression, declared: Option<u64>) -> Option<u64> {
    match items {
        Expression::Literal(Value::Array(items)) => Some(items.len() as u64),
        _ => declared,
    }
}

impl Resolver<'_> {
    /// What a step is given and what it gives.
    pub(super) fn call_sizes(&mut self, call: &Call, shapes: &Shapes) {
        let mut sum = 0;
        for (field, value) in &call.arguments {
            match self.size(value, shapes) {
                Size::UpTo(bytes) => sum += bytes,
                Size::Unknown => {}
                Size::Endless => {
                    let message = format!(
                        "input field `{field}` is a list without a known end, and a payload has at most \
                         {PAYLOAD_BYTES_MAX} bytes: hand on a pointer, or let its step promise a size with `bytes_max`"
                    );
                    self.mistake(&call.id, message);
                }
            }
        }
        self.fits(&call.id, "its input", sum);
        match of_call(call) {
            Some(bytes) => self.fits(&call.id, "its result", bytes),
            None if call.gives.has_lists() => {
                let message = format!(
                    "its result has a list without a known end, and a payload has at most {PAYLOAD_BYTES_MAX} bytes: \
                     give a pointer, or promise a size with `bytes_max`"
                );
                self.mistake(&call.id, message);
            }
            None => {}
        }
    }

    /// What a map yields: the results of all its items.
    pub(super) fn map_size(&mut self, id: &str, gives: &str, items: Option<u64>) {
        let each = self.sizes.get(gives).copied().flatten();
        let Some(items) = items else {
            let message = format!(
                "its results are one payload, which has at most {PAYLOAD_BYTES_MAX} bytes: say how many items there are \
                 at most with `items_max`, or let it yield nothing"
            );
            return self.mistake(id, message);
        };
        let Some(each) = each else { return };
        let bytes = of_list(items, each);
        self.fits(id, &format!("its {items} results of {each} bytes each"), bytes);
    }

    fn fits(&mut self, place: &str, what: &str, bytes: u64) {
        if bytes > PAYLOAD_BYTES_MAX {
            let message = format!(
                "{what} may have {bytes} bytes, and a payload has at most {PAYLOAD_BYTES_MAX}: hand on pointers, or less"
            );
            self.mistake(place, message);
        }
    }

    /// The size of a value at one place.
    pub(super) fn size(&self, value: &Expression, shapes: &Shapes) -> Size {
        let promised = match value {
            Expression::Literal(value) => Some(value.to_string().len() as u64),
            // Whoever started the execution gave no more than the service takes.
            Expression::Input(_) => return Size::Unknown,
            Expression::Counter(_) | Expression::Count(_) => Some(25),
            Expression::Result(..) | Expression::Item(_) => None,
        };
        let Ok(shape) = value.shape(shapes) else { return Size::Unknown };
        let source = match value {
            Expression::Result(step, _) => self.sizes.get(step).copied(),
            // An item is no larger than its list, which has been looked at where it is made.
            Expression::Item(_) => Some(self.item_bytes),
            _ => None,
        };
        match promised.or(shape.bytes_max()).or(source.flatten()) {
            Some(bytes) => Size::UpTo(bytes),
            None if shape.has_lists() && source.is_none() => Size::Endless,
            None => Size::Unknown,
        }
    }

    /// What the execution returns.
    pub(super) fn output_size(&mut self, fields: &[(String, Expression)], shapes: &Shapes) {
        let mut sum = 0;
        for (field, value) in fields {
            match self.size(value, shapes) {
                Size::UpTo(bytes) => sum += bytes + field.len() as u64 + 4,
                Size::Unknown => {}
                Size::Endless => {
                    let message = format!(
                        "field `{field}` is a list without a known end, and an output has at most {PAYLOAD_BYTES_MAX} bytes"
                    );
                    self.mistake("returns", message);
                }
            }
        }
        self.fits("returns", "the output", sum);
    }

    /// What another execution of the workflow is told when this loop goes on there.
    pub(super) fn kept_size(&mut self, body: &Resolved, id: &str) {
        let kept = kept(body, &self.readers, id);
        let bytes = kept.iter().filter_map(|made| self.sizes.get(made).copied().flatten()).sum();
        self.fits(id, &format!("what goes on with it in another execution ({})", kept.join(", ")), bytes);
    }

    /// What branches hand back together, and all that is kept in variables.
    pub(super) fn joint_sizes(&mut self, body: &Resolved) {
        let kept: u64 = self.readers.keys().filter_map(|step| self.sizes.get(step).copied().flatten()).sum();
        if kept > VARIABLES_BYTES_MAX {
            let message = format!(
                "its variables may have {kept} bytes together, at most {VARIABLES_BYTES_MAX} are kept"
            );
            self.mistake("", message);
        }
        let mut joins = Vec::new();
        self.joins(body, &mut joins);
        for (names, bytes) in joins {
            self.fits(&names, "what these steps beside each other hand on", bytes);
        }
    }

    fn joins(&self, block: &Resolved, found: &mut Vec<(String, u64)>) {
        let mut open: Vec<&Tree> = block.tree.iter().collect();
        while let Some(tree) = open.pop() {
            let (Tree::Then(parts) | Tree::Beside(parts)) = tree else { continue };
            open.extend(parts);
            if let Tree::Beside(_) = tree {
                let nodes: Vec<&ResolvedNode> =
                    tree.steps().into_iter().map(|step| &block.nodes[step]).collect();
                let inside = |reader: &String| nodes.iter().any(|node| node.members.contains(reader));
                let live = |id: &String| {
                    self.readers.get(id).is_some_and(|readers| readers.iter().any(|reader| !inside(reader)))
                };
                let made = nodes.iter().flat_map(|node| &node.produced).filter(|(id, _)| live(id));
                let bytes = made.filter_map(|(id, _)| self.sizes.get(id).copied().flatten()).sum();
                if bytes > PAYLOAD_BYTES_MAX {
                    let names: Vec<&str> = nodes.iter().map(|node| node.node.id.as_str()).collect();
                    found.push((names.join("+"), bytes));
                }
            }
        }
        block.nodes.iter().flat_map(|node| &node.inner).for_each(|inner| self.joins(inner, found));
    }
}
