//! A workflow as written in Rust to the definition that Step Functions and the embedded runner take.

use serde_json::Value;

use crate::check;
use crate::copies;
use crate::emit::{Emitter, Finish};
use crate::mistake::Mistake;
use crate::model::{Flow, Kind, Machine, QueryLanguage, State, StateKind};
use crate::names;
use crate::report::Report;
use crate::resolve;
use crate::workflow::WorkflowDefinition;
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
        let copied = copies::copied(self);
        let resolution = resolve::resolve(copied.as_ref().map_or(self, |copied| &copied.definition));
        if !resolution.mistakes.is_empty() {
            return Err(resolution.mistakes);
        }
        let mut emitter = Emitter {
            kind: self.kind,
            readers: &resolution.readers,
            continues: &resolution.continues,
            body: &resolution.body,
        };
        let flow = emitter.top(&Finish::Fields(self.returns.clone()));
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
        report.continues = resolution.continues.into_iter().collect();
        report.copies = copied.map(|copied| copied.copies).unwrap_or_default();
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

/// How many states, of any depth, are so.
fn count(flow: &Flow, is: &dyn Fn(&StateKind) -> bool) -> usize {
    let here = flow.states.iter().filter(|state| is(&state.kind)).count();
    let inner = flow.states.iter().flat_map(State::inner_flows);
    here + inner.map(|flow| count(flow, is)).sum::<usize>()
}
