//! From a workflow as written to one that can be emitted: names are unique, references lead somewhere and fit,
//! every block has its nested order. All mistakes are collected on the way.

mod maps;

use std::collections::{BTreeMap, BTreeSet};

use crate::expression::{Condition, Expression, Shapes};
use crate::mistake::{Code, Mistake};
use crate::names;
use crate::nest::{self, Graph, Nested, Tree, Trouble};
use crate::types::Type;
use crate::workflow::{Block, Call, Node, Work, WorkflowDefinition};

/// Longest name of a step: suffixes and depth marks are added to it.
const ID_MAX: usize = 60;

/// A block with its order.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    /// Nodes in the order of their names: the tree's indices.
    pub nodes: Vec<ResolvedNode>,
    /// The nested order; none for an empty block.
    pub tree: Option<Tree>,
    /// What the nesting cost.
    pub nested: Option<Nested>,
}

/// A node with its inner blocks resolved.
#[derive(Debug)]
pub(crate) struct ResolvedNode {
    pub node: Node,
    /// The blocks inside: `then` and `otherwise`, or the body.
    pub inner: Vec<Resolved>,
    /// Results that later steps can read, with their shapes.
    pub produced: Vec<(String, Type)>,
    /// This node and everything inside it.
    pub members: BTreeSet<String>,
}

/// Who reads whose results: step to readers. The workflow's own output reads under the empty name.
pub(crate) type Readers = BTreeMap<String, BTreeSet<String>>;

/// What resolving found.
pub(crate) struct Resolution {
    pub body: Resolved,
    pub readers: Readers,
    pub mistakes: Vec<Mistake>,
}

/// Resolves a whole workflow.
pub(crate) fn resolve(definition: &WorkflowDefinition) -> Resolution {
    let mut resolver = Resolver {
        workflow: &definition.name,
        readers: BTreeMap::new(),
        mistakes: Vec::new(),
        variables: BTreeMap::new(),
    };
    let shapes =
        Shapes { input: definition.takes, results: BTreeMap::new(), counters: Vec::new(), item: None };
    if definition.body.nodes.is_empty() {
        resolver.mistake("", "the workflow has no steps");
    }
    let (body, visible) = resolver.block("", &definition.body, &shapes);
    let mut fields = BTreeSet::new();
    for (field, value) in &definition.returns {
        if !fields.insert(field) {
            resolver.mistake("returns", format!("field `{field}` is returned twice"));
        }
        if let Err(trouble) = value.shape(&visible) {
            resolver.mistake("returns", trouble);
        }
        resolver.reads("", value.sources());
    }
    Resolution { body, readers: resolver.readers, mistakes: resolver.mistakes }
}

/// The name of a step's variable on the outermost level.
pub(crate) fn variable(id: &str) -> String {
    let mut letters = id.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

struct Resolver<'a> {
    workflow: &'a str,
    readers: Readers,
    mistakes: Vec<Mistake>,
    /// Variable name to the step that has it.
    variables: BTreeMap<String, String>,
}

impl Resolver<'_> {
    fn mistake(&mut self, place: &str, message: impl Into<String>) {
        let location =
            if place.is_empty() { self.workflow.to_owned() } else { format!("{}/{place}", self.workflow) };
        self.mistakes.push(Mistake::new(Code::InvalidWorkflow, location, message));
    }

    fn reads(&mut self, reader: &str, sources: Vec<&str>) {
        for source in sources {
            self.readers.entry(source.to_owned()).or_default().insert(reader.to_owned());
        }
    }

    /// Resolves a block. Also gives what is visible after it.
    fn block(&mut self, place: &str, block: &Block, outer: &Shapes) -> (Resolved, Shapes) {
        let mut shapes = outer.clone();
        let made: Vec<Vec<(String, Type)>> = block.nodes.iter().map(produced).collect();
        shapes.results.extend(made.iter().flatten().cloned());
        let mut nodes = Vec::new();
        for (node, made) in block.nodes.iter().zip(&made) {
            self.name(node);
            nodes.push(self.node(node, made.clone(), &shapes));
        }
        nodes.sort_by(|one, other| one.node.id.cmp(&other.node.id));
        let (tree, nested) = self.order(place, &nodes);
        (Resolved { nodes, tree, nested }, shapes)
    }

    fn name(&mut self, node: &Node) {
        let id = &node.id;
        let plain = id.chars().all(|letter| letter.is_ascii_alphanumeric())
            && id.chars().next().is_some_and(|letter| letter.is_ascii_alphabetic());
        if !plain || id.len() > ID_MAX {
            self.mistake(id, format!("a name has 1 to {ID_MAX} letters and digits and starts with a letter"));
        }
        let name = variable(id);
        if name == "states" {
            self.mistake(id, "the name `states` belongs to the service");
        }
        if let Some(other) = self.variables.insert(name, id.clone()) {
            self.mistake(id, format!("the name is used before, by `{other}`"));
        }
    }

    fn node(&mut self, node: &Node, produced: Vec<(String, Type)>, shapes: &Shapes) -> ResolvedNode {
        // Inside a node, what it makes available afterwards is not there yet.
        let mut inside = shapes.clone();
        inside.results.retain(|id, _| !produced.iter().any(|(own, _)| own == id));
        let inner = match &node.work {
            Work::Call(call) => {
                self.call(call, &inside);
                Vec::new()
            }
            Work::Wait(seconds) => {
                self.value(&node.id, seconds, Type::Number, &inside);
                Vec::new()
            }
            Work::Choose { when, then, otherwise } => {
                self.condition(&node.id, when, &inside);
                if then.nodes.is_empty() && otherwise.nodes.is_empty() {
                    self.mistake(&node.id, "a choice between nothing and nothing");
                }
                vec![self.block(&node.id, then, &inside).0, self.block(&node.id, otherwise, &inside).0]
            }
            Work::Repeat { body, until, pause, at_most } => {
                vec![self.repeat(&node.id, body, until, pause.as_ref(), *at_most, &inside)]
            }
            Work::ForEach { items, at_once, body, gives } => {
                vec![self.for_each(&node.id, items, *at_once, body, gives.as_deref(), &inside)]
            }
            Work::ForEachApart { items, at_once, tolerated_percent, body } => {
                vec![self.for_each_apart(&node.id, items, *at_once, *tolerated_percent, body, &inside)]
            }
        };
        let mut members = BTreeSet::from([node.id.clone()]);
        for block in &inner {
            members.extend(block.nodes.iter().flat_map(|node| node.members.iter().cloned()));
        }
        let mut node = node.clone();
        if let Some(total) =
            inner.iter().filter_map(|block| Some(block.nested.as_ref()?.total_s)).reduce(f64::max)
        {
            node.expected_s = node.expected_s.max(total);
        }
        ResolvedNode { node, inner, produced, members }
    }

    fn repeat(
        &mut self,
        id: &str,
        body: &Block,
        until: &Condition,
        pause: Option<&Expression>,
        at_most: u64,
        inside: &Shapes,
    ) -> Resolved {
        if body.nodes.is_empty() {
            self.mistake(id, "a loop needs a step");
        }
        if at_most == 0 {
            self.mistake(id, "a loop goes round at least once");
        }
        let mut shapes = inside.clone();
        shapes.counters.push(id.to_owned());
        let (resolved, visible) = self.block(id, body, &shapes);
        self.condition(id, until, &visible);
        if let Some(pause) = pause {
            self.value(id, pause, Type::Number, &visible);
        }
        resolved
    }

    fn condition(&mut self, reader: &str, condition: &Condition, shapes: &Shapes) {
        if let Some(trouble) = condition.trouble(shapes) {
            self.mistake(reader, trouble);
        }
        self.reads(reader, condition.sources());
    }

    fn value(&mut self, reader: &str, value: &Expression, wanted: Type, shapes: &Shapes) {
        match value.shape(shapes) {
            Err(trouble) => self.mistake(reader, trouble),
            Ok(shape) if wanted.takes(&shape) => {}
            Ok(shape) => {
                self.mistake(
                    reader,
                    format!("{} is asked for, this is {}", wanted.describe(), shape.describe()),
                );
            }
        }
        self.reads(reader, value.sources());
    }

    fn call(&mut self, call: &Call, shapes: &Shapes) {
        let id = call.id.as_str();
        match call.timeout_s {
            None | Some(0) => self.mistake(id, "a step needs a timeout"),
            Some(_) => {}
        }
        for (at, (field, value)) in call.arguments.iter().enumerate() {
            if call.arguments[..at].iter().any(|(earlier, _)| earlier == field) {
                self.mistake(id, format!("input field `{field}` is given twice"));
            }
            match call.takes.field(field) {
                Some(wanted) => self.value(id, value, wanted, shapes),
                None => self.mistake(id, format!("its input has no field `{field}`")),
            }
        }
        if let Type::Record(fields) = call.takes {
            let given = |name: &str| call.arguments.iter().any(|(field, _)| field == name);
            for (name, shape) in fields.iter().filter(|(name, _)| !given(name)) {
                if !matches!(shape, Type::Optional(_)) {
                    self.mistake(id, format!("input field `{name}` is not given"));
                }
            }
        }
        self.failures(call);
    }

    /// Errors that retriers and the fallback are for.
    fn failures(&mut self, call: &Call) {
        let mut seen = BTreeSet::new();
        for retry in &call.retries {
            for error in &retry.errors {
                if *error == names::BUG || *error == names::REJECTED || *error == names::ALL {
                    self.mistake(&call.id, format!("`{error}` is never retried: trying again cannot help"));
                }
                if !seen.insert(*error) {
                    self.mistake(
                        &call.id,
                        format!("`{error}` has two retries; only the first would be used"),
                    );
                }
            }
            if retry.interval_s == 0 || retry.most_s < retry.interval_s {
                self.mistake(&call.id, "a retry waits at least a second, and at most `most_s`");
            }
        }
        let Some(fallback) = &call.fallback else { return };
        if fallback.errors.is_empty() || (fallback.errors.contains(&names::ALL) && fallback.errors.len() > 1)
        {
            self.mistake(&call.id, "a fallback is for some named errors, or for States.ALL alone");
        }
        if let Type::Record(fields) = call.gives {
            for (name, _) in fields.iter().filter(|(name, _)| fallback.value.get(name).is_none()) {
                self.mistake(&call.id, format!("its fallback has no field `{name}`"));
            }
        }
    }

    /// The nested order of a block's nodes.
    fn order(&mut self, place: &str, nodes: &[ResolvedNode]) -> (Option<Tree>, Option<Nested>) {
        let mut steps = Vec::new();
        for node in nodes {
            let mut after: BTreeSet<String> = node.node.after.iter().cloned().collect();
            for (source, readers) in &self.readers {
                let owner = nodes.iter().find(|other| other.members.contains(source));
                let reads = readers.iter().any(|reader| node.members.contains(reader));
                let inside = node.members.contains(source) && !matches!(node.node.work, Work::Call(_));
                if let (Some(owner), true, false) = (owner, reads, inside) {
                    after.insert(owner.node.id.clone());
                }
            }
            steps.push((node.node.id.clone(), node.node.expected_s, after.into_iter().collect()));
        }
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
            Trouble::Itself(step) => self.mistake(&step, "waits for itself"),
            Trouble::Cycle(ring) => {
                self.mistake(place, format!("these steps wait for each other: {}", ring.join(" → ")));
            }
            // Reported where names are checked.
            Trouble::Repeated(_) => {}
        }
    }
}

/// What a node makes available to later steps.
fn produced(node: &Node) -> Vec<(String, Type)> {
    match &node.work {
        Work::Call(call) => vec![(node.id.clone(), *call.gives)],
        Work::Wait(_) => Vec::new(),
        Work::Choose { then, otherwise, .. } => {
            let inner = then.nodes.iter().chain(&otherwise.nodes);
            inner.flat_map(produced_maybe).collect()
        }
        Work::Repeat { body, .. } => body.nodes.iter().flat_map(produced).collect(),
        Work::ForEach { gives: None, .. } | Work::ForEachApart { .. } => Vec::new(),
        Work::ForEach { gives: Some(step), body, .. } => {
            let found = body.nodes.iter().find_map(|node| match &node.work {
                Work::Call(call) if node.id == *step => Some(Type::List(call.gives)),
                _ => None,
            });
            vec![(node.id.clone(), found.unwrap_or(Type::Any))]
        }
    }
}

/// The same for a node that may not have run.
fn produced_maybe(node: &Node) -> Vec<(String, Type)> {
    match &node.work {
        Work::Call(call) => vec![(node.id.clone(), Type::Optional(call.gives))],
        _ => {
            let all = produced(node).into_iter();
            // The shapes of inner results are not kept for ever, so nothing but null is known of them.
            all.map(|(id, shape)| {
                (id, if matches!(shape, Type::Optional(_)) { shape } else { Type::Optional(&Type::Any) })
            })
            .collect()
        }
    }
}
