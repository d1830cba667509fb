//! A workflow as a person writes it: steps with typed input and output, what each waits for, and what happens when
//! one fails. Steps run side by side unless one reads another's result or is put `after` it.

use std::marker::PhantomData;

use serde_json::Value;

use crate::expression::{Condition, Expression};
use crate::model::Kind;
use crate::types::{Type, Typed};

/// A step's declaration: its name, what it takes, what it gives.
pub struct Step<I, O> {
    name: &'static str,
    shape: PhantomData<fn(I) -> O>,
}

impl<I: Typed, O: Typed> Step<I, O> {
    /// The step that runs as the function of this name.
    pub const fn new(name: &'static str) -> Step<I, O> {
        Step { name, shape: PhantomData }
    }

    /// The function's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// A use of the step in a workflow, under its own name.
    pub fn call(&self) -> Call {
        Call {
            id: self.name.to_owned(),
            function: self.name,
            takes: I::TYPE,
            gives: Shape::<O>::OF,
            arguments: Vec::new(),
            retries: Vec::new(),
            fallback: None,
            timeout_s: None,
        }
    }
}

/// Gives a shape a place that lives as long as the program.
struct Shape<T>(PhantomData<T>);

impl<T: Typed> Shape<T> {
    const OF: &'static Type = &T::TYPE;
}

/// A use of a step.
#[derive(Clone, Debug)]
pub struct Call {
    pub(crate) id: String,
    pub(crate) function: &'static str,
    pub(crate) takes: Type,
    pub(crate) gives: &'static Type,
    pub(crate) arguments: Vec<(String, Expression)>,
    pub(crate) retries: Vec<Retry>,
    pub(crate) fallback: Option<Fallback>,
    pub(crate) timeout_s: Option<u64>,
}

/// When to try a step again.
#[derive(Clone, Debug)]
pub struct Retry {
    /// The failures it is for.
    pub errors: Vec<&'static str>,
    /// How many more attempts.
    pub attempts: u64,
    /// The wait before the first of them.
    pub interval_s: u64,
    /// The longest wait; each wait is twice the one before, drawn at random below it.
    pub most_s: u64,
}

/// What a failed step's result is taken to be.
#[derive(Clone, Debug)]
pub struct Fallback {
    pub(crate) name: String,
    pub(crate) errors: Vec<&'static str>,
    pub(crate) value: Value,
}

impl Call {
    /// Another name, where a step is used twice.
    pub fn named(mut self, id: &str) -> Call {
        id.clone_into(&mut self.id);
        self
    }

    /// Fills a field of the step's input.
    pub fn with(mut self, field: &str, value: Expression) -> Call {
        self.arguments.push((field.to_owned(), value));
        self
    }

    /// How long one attempt may take. Required: without it a lost step would hold its execution for years.
    pub fn timeout_s(mut self, seconds: u64) -> Call {
        self.timeout_s = Some(seconds);
        self
    }

    /// Tries again after this failure.
    pub fn retry(mut self, error: &'static str, attempts: u64, interval_s: u64, most_s: u64) -> Call {
        self.retries.push(Retry { errors: vec![error], attempts, interval_s, most_s });
        self
    }

    /// Goes on with this value in place of a result when these failures remain after all retries.
    pub fn fallback(mut self, name: &str, errors: &[&'static str], value: Value) -> Call {
        self.fallback = Some(Fallback { name: name.to_owned(), errors: errors.to_vec(), value });
        self
    }
}

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
    ForEach { items: Expression, at_once: u64, body: Block, gives: Option<String> },
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

    /// Repeats a block until the condition holds, at most so many times; `pause` is how many seconds to wait
    /// before the next round.
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
        self.node(id, Work::ForEach { items, at_once, body, gives })
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
