//! The nested order of a workflow as states. Results travel in variables: a branch reads those outside, and hands
//! back exactly what is read after it; everything else is dropped, so payloads stay small.

mod again;
mod compound;
mod maps;

use std::collections::BTreeSet;

use serde_json::{Map as JsonMap, Value, json};

use crate::expression::{Expression, Places, wrap};
use crate::model::{
    Catcher, Flow, Jitter, Kind, Parallel, Pass, Quantity, Retrier, State, StateKind, Task, Transition, Wait,
};
use crate::names;
use crate::nest::Tree;
use crate::resolve::{Continues, Readers, Resolved, ResolvedNode, variable};
use crate::workflow::{Call, Work};

/// What a flow gives when it ends.
#[derive(Clone, Debug)]
pub(crate) enum Finish {
    /// An object of computed fields; empty for nothing.
    Fields(Vec<(String, Expression)>),
    /// One computed value.
    Value(Expression),
}

impl Finish {
    fn value(&self, places: &Places) -> Value {
        match self {
            Finish::Fields(fields) => {
                let fields = fields.iter().map(|(name, value)| (name.clone(), value.value(places)));
                Value::Object(fields.collect())
            }
            Finish::Value(value) => value.value(places),
        }
    }
}

/// Where a part of a flow leads.
#[derive(Clone, Debug)]
enum Exit<'a> {
    Next(String),
    End(&'a Finish),
}

/// The id of the execution.
const EXECUTION: &str = "$states.context.Execution.Id";

/// What is known at one place of the definition.
#[derive(Clone, Debug)]
struct Scope {
    /// How many Parallels and Maps are around.
    depth: usize,
    /// Where results are.
    places: Places,
    /// Whether states hand on their input, because it is the item of a Map.
    carries_item: bool,
    /// Where the execution's id is: one of a Map's own executions stands for the one that started it.
    execution: &'static str,
}

impl Scope {
    /// The variable of a step on this level: names inside differ from those outside.
    fn variable(&self, id: &str) -> String {
        match self.depth {
            0 => variable(id),
            depth => format!("{}_{depth}", variable(id)),
        }
    }

    fn learn(&mut self, id: &str) {
        let place = format!("${}", self.variable(id));
        self.places.insert(id.to_owned(), place);
    }

    /// The output of a state that is not the last.
    fn passed_on(&self) -> Value {
        if self.carries_item { Value::String(wrap("$states.input")) } else { json!({}) }
    }
}

/// Emits states.
pub(crate) struct Emitter<'a> {
    pub kind: Kind,
    pub readers: &'a Readers,
    /// Loops that go on in another execution, and after how many rounds.
    pub continues: &'a Continues,
    /// The outermost block.
    pub body: &'a Resolved,
}

impl Emitter<'_> {
    /// The outermost flow.
    pub fn top(&mut self, finish: &Finish) -> Flow {
        let body = self.body;
        let mut scope = Scope { depth: 0, places: Places::new(), carries_item: false, execution: EXECUTION };
        let mut flow = self.flow(body, body.tree.as_ref(), &mut scope, finish);
        self.resumed(body, &mut flow);
        flow
    }

    fn flow(&mut self, block: &Resolved, tree: Option<&Tree>, scope: &mut Scope, finish: &Finish) -> Flow {
        let Some(tree) = tree else { return Flow::default() };
        let mut states = Vec::new();
        self.tree(block, tree, scope, &Exit::End(finish), &mut states);
        Flow { comment: None, start_at: entry(block, tree), states }
    }

    fn tree(
        &mut self,
        block: &Resolved,
        tree: &Tree,
        scope: &mut Scope,
        exit: &Exit<'_>,
        out: &mut Vec<State>,
    ) {
        match tree {
            Tree::Step(index) => self.node(&block.nodes[*index], scope, exit, out),
            Tree::Then(parts) => {
                for (at, part) in parts.iter().enumerate() {
                    match parts.get(at + 1) {
                        Some(next) => self.tree(block, part, scope, &Exit::Next(entry(block, next)), out),
                        None => self.tree(block, part, scope, exit, out),
                    }
                }
            }
            Tree::Beside(parts) => self.beside(block, tree, parts, scope, exit, out),
        }
    }

    fn node(&mut self, node: &ResolvedNode, scope: &mut Scope, exit: &Exit<'_>, out: &mut Vec<State>) {
        match &node.node.work {
            Work::Call(call) => self.call(call, scope, exit, out),
            Work::Wait(seconds) => {
                let seconds = quantity(seconds, &scope.places);
                let mut state = State::new(&node.node.id, StateKind::Wait(Wait::Seconds(seconds)));
                leave(&mut state, scope, exit, &scope.places);
                out.push(state);
            }
            Work::Choose { when, .. } => self.choose(node, when, scope, exit, out),
            Work::Repeat { until, pause, at_most, .. } => {
                self.repeat(node, until, pause.as_ref(), *at_most, scope, exit, out);
            }
            Work::ForEach { items, at_once, gives, .. } => {
                self.for_each(node, items, *at_once, gives.as_deref(), scope, exit, out);
            }
            Work::ForEachApart { items, at_once, tolerated_percent, .. } => {
                self.for_each_apart(node, items, *at_once, *tolerated_percent, scope, exit, out);
            }
        }
    }

    /// Whether anybody reads the result.
    fn is_read(&self, id: &str) -> bool {
        self.readers.get(id).is_some_and(|readers| !readers.is_empty())
    }

    /// The results of these nodes that somebody else reads.
    fn live<'b>(&self, nodes: &[&'b ResolvedNode]) -> Vec<&'b str> {
        let inside: BTreeSet<&String> = nodes.iter().flat_map(|node| &node.members).collect();
        let is_live = |id: &&'b str| {
            let readers = self.readers.get(*id);
            readers.is_some_and(|readers| readers.iter().any(|reader| !inside.contains(reader)))
        };
        nodes.iter().flat_map(|node| &node.produced).map(|(id, _)| id.as_str()).filter(is_live).collect()
    }

    fn call(&mut self, call: &Call, scope: &mut Scope, exit: &Exit<'_>, out: &mut Vec<State>) {
        let mut task = State::new(
            &call.id,
            StateKind::Task(Task {
                resource: names::LAMBDA_INVOKE.to_owned(),
                timeout: Some(Quantity::Number(call.timeout_s.unwrap_or_default().into())),
                heartbeat: None,
                credentials: None,
            }),
        );
        let fields = call.arguments.iter().map(|(field, value)| (field.clone(), value.value(&scope.places)));
        task.arguments = Some(json!({
            "FunctionName": format!("${{{}}}", call.function),
            "Payload": {
                "execution": wrap(scope.execution),
                "attempt": wrap("$states.context.State.RetryCount"),
                "input": Value::Object(fields.collect()),
            },
        }));
        task.retry = self.retriers(call);
        let result = "$states.result.Payload";
        let mut fallback_state = None;
        match exit {
            Exit::Next(next) => {
                if self.is_read(&call.id) {
                    task.assign = assign(&scope.variable(&call.id), Value::String(wrap(result)));
                }
                if let Some(fallback) = &call.fallback {
                    let read = self.is_read(&call.id);
                    task.catch.push(Catcher {
                        error_equals: fallback.errors.iter().map(|error| (*error).to_owned()).collect(),
                        next: next.clone(),
                        output: Some(scope.passed_on()),
                        assign: if read {
                            assign(&scope.variable(&call.id), fallback.value.clone())
                        } else {
                            None
                        },
                        comment: Some(format!("{}: goes on without a result.", fallback.name)),
                        ..Catcher::default()
                    });
                }
            }
            Exit::End(finish) => {
                if let Some(fallback) = &call.fallback {
                    // A catcher leads to a state, so the last task of a flow needs one to end in.
                    task.catch.push(Catcher {
                        error_equals: fallback.errors.iter().map(|error| (*error).to_owned()).collect(),
                        next: fallback.name.clone(),
                        output: Some(scope.passed_on()),
                        ..Catcher::default()
                    });
                    let mut state = State::new(&fallback.name, StateKind::Pass(Pass::default()));
                    let mut places = scope.places.clone();
                    places.insert(call.id.clone(), fallback.value.to_string());
                    state.output = Some(finish.value(&places));
                    state.transition = Some(Transition::End);
                    fallback_state = Some(state);
                }
            }
        }
        // While the state's own output is computed, its result is here.
        scope.places.insert(call.id.clone(), result.to_owned());
        leave(&mut task, scope, exit, &scope.places);
        scope.learn(&call.id);
        out.push(task);
        out.extend(fallback_state);
    }

    fn retriers(&self, call: &Call) -> Vec<Retrier> {
        // An Express execution has five minutes for everything.
        let (attempts, most_s) = if self.kind == Kind::Express { (3, 10) } else { (6, 60) };
        let retrier = |errors: &[&str], interval_s, attempts, most_s| Retrier {
            error_equals: errors.iter().map(|error| (*error).to_owned()).collect(),
            interval_seconds: Some(interval_s),
            max_attempts: Some(attempts),
            backoff_rate: Some(2.0),
            // The cap must lie above the first wait, or there is nothing to cap.
            max_delay_seconds: (most_s > interval_s).then_some(most_s),
            jitter: Some(Jitter::Full),
            comment: None,
        };
        let service = retrier(&names::LAMBDA_TRANSIENT, 1, attempts, most_s);
        let own = call.retries.iter();
        let own = own.map(|retry| retrier(&retry.errors, retry.interval_s, retry.attempts, retry.most_s));
        std::iter::once(service).chain(own).collect()
    }

    fn beside(
        &mut self,
        block: &Resolved,
        tree: &Tree,
        parts: &[Tree],
        scope: &mut Scope,
        exit: &Exit<'_>,
        out: &mut Vec<State>,
    ) {
        let mut branches = Vec::new();
        // Result of the Parallel: one object per branch with what is read after it.
        let mut lifted: Vec<(String, String)> = Vec::new();
        let all: Vec<&ResolvedNode> = tree.steps().into_iter().map(|step| &block.nodes[step]).collect();
        let live_after: BTreeSet<&str> = self.live(&all).into_iter().collect();
        for (at, part) in parts.iter().enumerate() {
            let nodes: Vec<&ResolvedNode> = part.steps().into_iter().map(|step| &block.nodes[step]).collect();
            let made: Vec<&str> =
                self.live(&nodes).into_iter().filter(|id| live_after.contains(id)).collect();
            let fields = made.iter().map(|id| (variable(id), Expression::Result((*id).to_owned(), None)));
            let finish = Finish::Fields(fields.collect());
            scope.depth += 1;
            branches.push(self.flow(block, Some(part), scope, &finish));
            scope.depth -= 1;
            // What a branch knows is known there only; copies of all that is known would be many.
            for member in nodes.iter().flat_map(|node| &node.members) {
                scope.places.remove(member);
            }
            lifted.extend(
                made.iter().map(|id| ((*id).to_owned(), format!("$states.result[{at}].{}", variable(id)))),
            );
        }
        let mut state = State::new(entry(block, tree), StateKind::Parallel(Parallel { branches }));
        scope.places.extend(lifted.iter().cloned());
        if matches!(exit, Exit::Next(_)) && !lifted.is_empty() {
            let lift = |(id, source): &(String, String)| (scope.variable(id), Value::String(wrap(source)));
            state.assign = Some(lifted.iter().map(lift).collect());
        }
        leave(&mut state, scope, exit, &scope.places);
        lifted.iter().for_each(|(id, _)| scope.learn(id));
        out.push(state);
    }
}

/// The name of the first state of a part.
fn entry(block: &Resolved, tree: &Tree) -> String {
    match tree {
        Tree::Step(index) => block.nodes[*index].node.id.clone(),
        Tree::Then(parts) => parts.first().map(|part| entry(block, part)).unwrap_or_default(),
        Tree::Beside(_) => {
            let mut steps = tree.steps();
            steps.sort_unstable();
            let ids: Vec<&str> = steps.iter().map(|step| block.nodes[*step].node.id.as_str()).collect();
            names::short(&ids.join(" beside "))
        }
    }
}

fn assign(variable: &str, value: Value) -> Option<JsonMap<String, Value>> {
    Some(JsonMap::from_iter([(variable.to_owned(), value)]))
}

fn quantity(value: &Expression, places: &Places) -> Quantity {
    match value.value(places) {
        Value::Number(number) => Quantity::Number(number),
        _ => Quantity::Expression(wrap(&value.source(places))),
    }
}

/// Sets how a state ends; `places` are where results are while the state's own output is computed.
fn leave(state: &mut State, scope: &Scope, exit: &Exit<'_>, places: &Places) {
    match exit {
        Exit::Next(next) => {
            // A Wait and a Pass hand on their input by themselves.
            if !matches!(state.kind, StateKind::Wait(_) | StateKind::Pass(_)) {
                state.output = Some(scope.passed_on());
            }
            state.transition = Some(Transition::Next(next.clone()));
        }
        Exit::End(finish) => {
            state.output = Some(finish.value(places));
            state.transition = Some(Transition::End);
        }
    }
}
