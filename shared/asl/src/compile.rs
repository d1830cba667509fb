//! A workflow as written in Rust to the definition that Step Functions and the embedded runner take.

use serde_json::Value;

use crate::check;
use crate::emit::{Emitter, Finish};
use crate::mistake::{Code, Mistake};
use crate::model::{Flow, Kind, Machine, QueryLanguage, State, StateKind};
use crate::names;
use crate::report::Report;
use crate::resolve::{self, Resolved};
use crate::workflow::{Work, WorkflowDefinition};
use crate::write::write;

/// What compiling gives.
#[derive(Clone, Debug)]
pub struct CompiledWorkflow {
    /// The workflow's name.
    pub name: String,
    /// How it runs and is billed.
    pub kind: Kind,
    /// The priority lane of its calls; may be empty.
    pub lane: String,
    /// The definition as JSON, as committed and deployed.
    pub machine: Value,
    /// The same, typed.
    pub typed: Machine,
    /// Waits that the nesting added, and other things worth knowing.
    pub report: Report,
}

impl CompiledWorkflow {
    /// The definition as committed: indented, with a newline at the end.
    pub fn text(&self) -> String {
        // A value made of strings and numbers always prints.
        format!("{:#}\n", self.machine)
    }

    /// How many states it has, inner ones included.
    pub fn states(&self) -> usize {
        count(&self.typed.flow, &|_| true)
    }

    /// The names of the functions it calls, in order, each once.
    pub fn functions(&self) -> Vec<String> {
        let mut names = Vec::new();
        collect_functions(&self.typed.flow, &mut names);
        names.sort();
        names.dedup();
        names
    }
}

fn collect_functions(flow: &Flow, names: &mut Vec<String>) {
    for state in &flow.states {
        let function = state.arguments.as_ref().and_then(|arguments| arguments.get("FunctionName"));
        names.extend(function.and_then(Value::as_str).and_then(step_of).map(str::to_owned));
        state.inner_flows().into_iter().for_each(|inner| collect_functions(inner, names));
    }
}

/// The step that a `FunctionName` stands for: `${Name}` is filled in with an ARN only when it is deployed.
pub fn step_of(function_name: &str) -> Option<&str> {
    function_name.strip_prefix("${")?.strip_suffix('}')
}

impl WorkflowDefinition {
    /// Compiles, or lists everything that is wrong.
    pub fn compile(&self) -> Result<CompiledWorkflow, Vec<Mistake>> {
        let resolution = resolve::resolve(self);
        let mut mistakes = resolution.mistakes;
        if mistakes.is_empty() {
            let events = events(&resolution.body);
            if self.kind == Kind::Standard && events > names::HISTORY_EVENTS_MAX as f64 {
                let most = names::HISTORY_EVENTS_MAX;
                mistakes.push(Mistake::new(
                    Code::LimitExceeded,
                    self.name.clone(),
                    format!("may need {events} events of history, at most {most} are kept: lower a loop's `at_most`"),
                ));
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let mut emitter = Emitter { kind: self.kind, readers: &resolution.readers };
        let flow = emitter.top(&resolution.body, &Finish::Fields(self.returns.clone()));
        let typed = Machine {
            comment: (!self.comment.is_empty()).then(|| self.comment.clone()),
            version: None,
            query_language: QueryLanguage::Jsonata,
            timeout_seconds: (self.kind == Kind::Express).then_some(names::EXPRESS_SECONDS_MAX),
            flow,
        };
        let machine = write(&typed);
        // The service's own checks, on what would be sent to it: the emitter is not above suspicion.
        let typed = check::validate(&machine, self.kind)?;
        let mut report = Report::default();
        report.collect(&self.name, &resolution.body);
        report.tasks = count(&typed.flow, &|kind| matches!(kind, StateKind::Task(_)));
        Ok(CompiledWorkflow {
            name: self.name.clone(),
            kind: self.kind,
            lane: self.lane.clone(),
            machine,
            typed,
            report,
        })
    }
}

/// Events of history that one run takes if nothing is retried and every Map has one item.
fn events(block: &Resolved) -> f64 {
    let parallel = 4.0;
    let own = block.nodes.iter().map(|node| {
        let inner: f64 = node.inner.iter().map(events).sum();
        match &node.node.work {
            Work::Call(_) => 5.0,
            Work::Wait(_) => 2.0,
            Work::Choose { .. } => 2.0 + inner,
            Work::Repeat { pause, at_most, .. } => {
                let turn = inner + if pause.is_some() { 4.0 } else { 2.0 };
                2.0 + turn * *at_most as f64
            }
            Work::ForEach { .. } => 6.0 + inner,
            // Its executions have a history each.
            Work::ForEachApart { .. } => 8.0_f64.max(inner),
        }
    });
    own.sum::<f64>() + if block.nodes.len() > 1 { parallel } else { 0.0 }
}

/// How many states, of any depth, are so.
fn count(flow: &Flow, is: &dyn Fn(&StateKind) -> bool) -> usize {
    let here = flow.states.iter().filter(|state| is(&state.kind)).count();
    let inner = flow.states.iter().flat_map(State::inner_flows);
    here + inner.map(|flow| count(flow, is)).sum::<usize>()
}
