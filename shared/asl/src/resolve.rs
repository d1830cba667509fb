//! From a workflow as written to one that can be emitted: names are unique, references lead somewhere and fit,
//! every block has its nested order. All mistakes are collected on the way.

mod endless;
mod failures;
mod maps;
mod order;
mod reach;
mod sizes;

use std::collections::{BTreeMap, BTreeSet};

use crate::expression::{Condition, Expression, Shapes};
use crate::medians::Medians;
use crate::mistake::{Code, Mistake};
use crate::model::Kind;
use crate::names;
use crate::nest::{Nested, Tree};
use crate::types::Type;
use crate::workflow::{Block, Call, Node, Work, WorkflowDefinition};

pub(crate) use endless::{Continues, kept};

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
    /// Loops that go on in another execution.
    pub continues: Continues,
    pub mistakes: Vec<Mistake>,
}

/// Resolves a whole workflow.
pub(crate) fn resolve(definition: &WorkflowDefinition) -> Resolution {
    let mut resolver = Resolver {
        workflow: &definition.name,
        kind: definition.kind,
        catches: definition.catches,
        medians: definition.medians.as_ref(),
        sizes: sizes::of_results(&definition.body),
        item_bytes: None,
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
    resolver.output_size(&definition.returns, &visible);
    resolver.joint_sizes(&body);
    if definition.takes != Type::Any && definition.takes.field(names::CONTINUED).is_some() {
        resolver.mistake("", format!("the input field `{}` is the compiler's: rename it", names::CONTINUED));
    }
    let mut continues = Continues::new();
    if definition.returns.iter().any(|(field, _)| field == names::CONTINUED) {
        resolver.mistake("returns", format!("the field `{}` is the compiler's: rename it", names::CONTINUED));
    }
    // Without an order nothing can be counted.
    if resolver.mistakes.is_empty() {
        match endless::continues(definition, &body) {
            Ok(found) => continues = found,
            Err(trouble) => {
                let place = definition.name.clone();
                resolver.mistakes.push(Mistake::new(Code::LimitExceeded, place, trouble));
            }
        }
        continues.keys().for_each(|id| resolver.kept_size(&body, id));
    }
    Resolution { body, readers: resolver.readers, continues, mistakes: resolver.mistakes }
}

/// The name of a step's variable on the outermost level.
pub(crate) fn variable(id: &str) -> String {
    let mut letters = id.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

struct Resolver<'a> {
    workflow: &'a str,
    kind: Kind,
    /// Whether no named failure may end the execution.
    catches: bool,
    medians: Option<&'a Medians>,
    /// How large each result may be.
    sizes: sizes::Sizes,
    /// The size of the list that the innermost Map goes through, where it is known.
    item_bytes: Option<u64>,
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
            nodes.push(self.node(node, made.clone(), &mut shapes));
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

    fn node(&mut self, node: &Node, produced: Vec<(String, Type)>, shapes: &mut Shapes) -> ResolvedNode {
        // Inside a node, what it makes available afterwards is not there yet.
        for (own, _) in &produced {
            shapes.results.remove(own);
        }
        let inside = &*shapes;
        let inner = match &node.work {
            Work::Call(call) => {
                self.call(call, inside);
                Vec::new()
            }
            Work::Wait(seconds) => {
                self.value(&node.id, "seconds: ", seconds, Type::Number, inside);
                Vec::new()
            }
            Work::Choose { when, then, otherwise } => {
                self.condition(&node.id, when, inside);
                self.decided(&node.id, when, then, otherwise);
                if then.nodes.is_empty() && otherwise.nodes.is_empty() {
                    self.mistake(&node.id, "a choice between nothing and nothing");
                }
                vec![self.block(&node.id, then, inside).0, self.block(&node.id, otherwise, inside).0]
            }
            Work::Repeat { body, until, pause, at_most } => {
                vec![self.repeat(&node.id, body, until, pause.as_ref(), *at_most, inside)]
            }
            Work::ForEach { items, at_once, at_most, body, gives } => {
                vec![self.for_each(&node.id, items, (*at_once, *at_most), body, gives.as_deref(), inside)]
            }
            Work::ForEachApart { items, at_once, tolerated_percent, body } => {
                vec![self.for_each_apart(&node.id, items, *at_once, *tolerated_percent, body, inside)]
            }
        };
        shapes.results.extend(produced.iter().cloned());
        let mut members = BTreeSet::from([node.id.clone()]);
        for block in &inner {
            members.extend(block.nodes.iter().flat_map(|node| node.members.iter().cloned()));
        }
        let mut node = node.clone();
        if let Some(ms) = self.medians.and_then(|medians| medians.ms(&node.id)) {
            node.expected_s = ms / 1_000.0;
        }
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
        self.rounds(id, until, pause.is_some(), at_most);
        let mut shapes = inside.clone();
        shapes.counters.push(id.to_owned());
        let (resolved, visible) = self.block(id, body, &shapes);
        self.condition(id, until, &visible);
        if let Some(pause) = pause {
            self.value(id, "pause: ", pause, Type::Number, &visible);
        }
        resolved
    }

    fn condition(&mut self, reader: &str, condition: &Condition, shapes: &Shapes) {
        if let Some(trouble) = condition.trouble(shapes) {
            self.mistake(reader, trouble);
        }
        self.reads(reader, condition.sources());
    }

    fn value(&mut self, reader: &str, what: &str, value: &Expression, wanted: Type, shapes: &Shapes) {
        if let Expression::Literal(value) = value {
            return wanted
                .trouble_with(value)
                .into_iter()
                .for_each(|trouble| self.mistake(reader, format!("{what}{trouble}")));
        }
        match value.shape(shapes) {
            Err(trouble) => self.mistake(reader, trouble),
            Ok(shape) if wanted.takes(&shape) => {}
            Ok(shape) => {
                self.mistake(
                    reader,
                    format!("{what}{} is asked for, this is {}", wanted.describe(), shape.describe()),
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
                Some(wanted) => {
                    self.value(id, &format!("input field `{field}`: "), value, wanted, shapes);
                }
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
        self.call_sizes(call, shapes);
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
            vec![(node.id.clone(), list_of(body, step).copied().unwrap_or(Type::Any))]
        }
    }
}

/// The same for a node that may not have run.
fn produced_maybe(node: &Node) -> Vec<(String, Type)> {
    match &node.work {
        Work::Call(call) => vec![(node.id.clone(), Type::Optional(call.gives))],
        Work::Repeat { body, .. } => body.nodes.iter().flat_map(produced_maybe).collect(),
        Work::ForEach { gives: Some(step), body, .. } => {
            vec![(node.id.clone(), Type::Optional(list_of(body, step).unwrap_or(&Type::Any)))]
        }
        // The results of a choice may be missing already; the others have none.
        _ => produced(node),
    }
}

/// The shape of what a map yields; none if its body has no such step.
fn list_of(body: &Block, step: &str) -> Option<&'static Type> {
    body.nodes.iter().find_map(|node| match &node.work {
        Work::Call(call) if node.id == step => Some(call.gives_list),
        _ => None,
    })
}
