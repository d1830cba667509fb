//! A workflow as a person writes it: steps with typed input and output, what each waits for, and what happens when
//! one fails. Steps run side by side unless one reads another's result or is put `after` it.

use crate::expression::{Condition, Expression};
use crate::medians::Medians;
use crate::model::Kind;
use crate::names;
use crate::types::{Type, Typed};

pub use crate::step::{Call, Fallback, Retry, Step};

/// Something a block does.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub id: String,
    pub work: Work,
    pub after: Vec<String>,
    pub expected_s: f64,
}

/// The kinds of things a block does.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    Call(Box<Call>),
    Wait(Expression),
    Choose { when: Condition, then: Block, otherwise: Block },
    Repeat { body: Block, until: Condition, pause: Option<Expression>, at_most: u64 },
    ForEach { items: Expression, at_once: u64, at_most: Option<u64>, body: Block, gives: Option<String> },
    ForEachApart { items: Expression, at_once: u64, tolerated_percent: u64, body: Block },
}

/// Steps and what they wait for. A workflow is a block; so are the insides of loops, choices and maps.
#[derive(Clone, Debug, Default)]
pub struct Block {
    pub(crate) nodes: Vec<Node>,
}

impl Block {
    /// Nothing yet.
    pub fn new() -> Block {
        Block::default()
    }

    fn node(mut self, id: &str, work: Work) -> Block {
        self.nodes.push(Node { id: id.to_owned(), work, after: Vec::new(), expected_s: 1.0 });
        self
    }

    /// A step.
    pub fn step(self, call: Call) -> Block {
        let id = call.id.clone();
        self.node(&id, Work::Call(Box::new(call)))
    }

    /// Lets time pass.
    pub fn wait(self, id: &str, seconds: Expression) -> Block {
        self.node(id, Work::Wait(seconds))
    }

    /// One of two blocks; results of the one not taken are null afterwards.
    pub fn choose(self, id: &str, when: Condition, then: Block, otherwise: Block) -> Block {
        self.node(id, Work::Choose { when, then, otherwise })
    }

    /// Repeats a block until the condition holds, at most so many times ([`WITHOUT_BOUND`] if nobody knows); `pause` is
    /// how many seconds to wait before the next round. A loop whose rounds may fill the history of one execution goes
    /// on in another (`resolve/endless.rs` says when, `emit/again.rs` how).
    pub fn repeat(
        self,
        id: &str,
        body: Block,
        until: Condition,
        pause: Option<Expression>,
        at_most: u64,
    ) -> Block {
        self.node(id, Work::Repeat { body, until, pause, at_most })
    }

    /// Runs a block once per item, at most so many at once. `gives` names the step of the block whose result each
    /// item yields; without it the map yields nothing.
    pub fn for_each(
        self,
        id: &str,
        items: Expression,
        at_once: u64,
        body: Block,
        gives: Option<&str>,
    ) -> Block {
        let gives = gives.map(str::to_owned);
        self.node(id, Work::ForEach { items, at_once, at_most: None, body, gives })
    }

    /// How many items the map that was added last has at most. A map that yields results, and one in a Standard
    /// workflow, has to say so: its results are one payload, and each item takes events of the one history.
    pub fn items_max(mut self, items: u64) -> Block {
        if let Some(Node { work: Work::ForEach { at_most, .. }, .. }) = self.nodes.last_mut() {
            *at_most = Some(items);
        }
        self
    }

    /// Runs a block once per item, each as an execution of its own with its own history and time, at most so many at
    /// once. The block sees its item and nothing else of the workflow. The map fails when more than this share of
    /// its items did; it yields nothing.
    pub fn for_each_apart(
        self,
        id: &str,
        items: Expression,
        at_once: u64,
        tolerated_percent: u64,
        body: Block,
    ) -> Block {
        self.node(id, Work::ForEachApart { items, at_once, tolerated_percent, body })
    }

    /// Makes what was added last wait for these, although it reads nothing of theirs.
    pub fn after(mut self, ids: &[&str]) -> Block {
        if let Some(node) = self.nodes.last_mut() {
            node.after.extend(ids.iter().map(|id| (*id).to_owned()));
        }
        self
    }

    /// How long what was added last is expected to take. It decides where an order that does not nest is cut.
    pub fn expected_s(mut self, seconds: f64) -> Block {
        if let Some(node) = self.nodes.last_mut() {
            node.expected_s = seconds;
        }
        self
    }
}

/// The bound of a loop that has none.
pub const WITHOUT_BOUND: u64 = u64::MAX;

/// A whole workflow.
#[derive(Clone, Debug)]
pub struct WorkflowDefinition {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) comment: String,
    pub(crate) lane: String,
    pub(crate) takes: Type,
    pub(crate) body: Block,
    pub(crate) returns: Vec<(String, Expression)>,
    pub(crate) events_max: u64,
    pub(crate) catches: bool,
    pub(crate) medians: Option<Medians>,
}

impl WorkflowDefinition {
    /// A workflow that takes this input.
    pub fn new<I: Typed>(name: &str, kind: Kind) -> WorkflowDefinition {
        WorkflowDefinition {
            name: name.to_owned(),
            kind,
            comment: String::new(),
            lane: String::new(),
            takes: I::TYPE,
            body: Block::new(),
            returns: Vec::new(),
            events_max: names::HISTORY_EVENTS_MAX,
            catches: false,
            medians: None,
        }
    }

    /// One sentence for the person who reads the definition in a console.
    pub fn comment(mut self, text: &str) -> WorkflowDefinition {
        text.clone_into(&mut self.comment);
        self
    }

    /// The priority lane of the calls that its steps make, unless its input names another.
    pub fn lane(mut self, lane: &str) -> WorkflowDefinition {
        lane.clone_into(&mut self.lane);
        self
    }

    /// Events of history that one execution may take, where that is less than the service keeps. Loops that would take
    /// more go on in another execution.
    pub fn events_max(mut self, events: u64) -> WorkflowDefinition {
        self.events_max = events.min(names::HISTORY_EVENTS_MAX);
        self
    }

    /// Promises that no failure that a step names ends an execution: each has a fallback, since retries come to an end.
    pub fn catches_failures(mut self) -> WorkflowDefinition {
        self.catches = true;
        self
    }

    /// How long steps took, as measured: it goes before what the author expected.
    pub fn medians(mut self, medians: Medians) -> WorkflowDefinition {
        self.medians = Some(medians);
        self
    }

    /// What it does.
    pub fn body(mut self, body: Block) -> WorkflowDefinition {
        self.body = body;
        self
    }

    /// A field of the execution's output.
    pub fn returns(mut self, field: &str, value: Expression) -> WorkflowDefinition {
        self.returns.push((field.to_owned(), value));
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }
}
