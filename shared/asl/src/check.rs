//! What Step Functions refuses beyond the shape of single fields: transitions that lead nowhere, states that are
//! never reached, names used twice, matchers that can never match.

mod fields;
mod language;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::mistake::{Code, Mistake};
use crate::model::{Flow, Kind, Machine, Mode, Quantity, State, StateKind, Transition};
use crate::names;
use crate::parse::parse_leniently;

/// Reads a definition and checks it, as the service does at creation. All mistakes at once.
pub fn validate(definition: &Value, kind: Kind) -> Result<Machine, Vec<Mistake>> {
    let (machine, mut mistakes) = parse_leniently(definition);
    let bytes = definition.to_string().len();
    if bytes > names::DEFINITION_BYTES_MAX {
        let most = names::DEFINITION_BYTES_MAX;
        mistakes.push(Mistake::new(
            Code::LimitExceeded,
            "/",
            format!("{bytes} bytes, at most {most} are taken"),
        ));
    }
    match machine {
        Some(machine) => {
            mistakes.extend(check(&machine, kind));
            if mistakes.is_empty() { Ok(machine) } else { Err(mistakes) }
        }
        None => Err(mistakes),
    }
}

/// Checks a machine whose fields have the right shape.
pub fn check(machine: &Machine, kind: Kind) -> Vec<Mistake> {
    let mut checker =
        Checker { machine, kind, mistakes: Vec::new(), names: BTreeMap::new(), outer: Vec::new() };
    checker.flow(&machine.flow, "");
    checker.mistakes
}

struct Checker<'a> {
    machine: &'a Machine,
    kind: Kind,
    mistakes: Vec<Mistake>,
    /// Where each state name was seen first.
    names: BTreeMap<&'a str, String>,
    /// Variables of the enclosing levels.
    outer: Vec<BTreeSet<String>>,
}

impl<'a> Checker<'a> {
    fn add(&mut self, code: Code, at: impl Into<String>, message: impl Into<String>) {
        self.mistakes.push(Mistake::new(code, at, message));
    }

    fn flow(&mut self, flow: &'a Flow, at: &str) {
        if flow.states.is_empty() {
            return;
        }
        let known: BTreeMap<&str, &State> =
            flow.states.iter().map(|state| (state.name.as_str(), state)).collect();
        if !known.contains_key(flow.start_at.as_str()) {
            let message = format!("Missing 'Next' target: {}", flow.start_at);
            self.add(Code::MissingTransitionTarget, format!("{at}/StartAt"), message);
        }
        let ends = flow.states.iter().any(|state| {
            state.transition == Some(Transition::End)
                || matches!(state.kind, StateKind::Succeed | StateKind::Fail(_))
        });
        if !ends {
            self.add(
                Code::MissingEndState,
                if at.is_empty() { "/" } else { at },
                "Workflow has no terminal state",
            );
        }
        for state in &flow.states {
            self.name(state, at);
            for (target, field) in targets(state) {
                if !known.contains_key(target) {
                    let place = format!("{at}/States/{}/{field}", state.name);
                    self.add(
                        Code::MissingTransitionTarget,
                        place,
                        format!("Missing 'Next' target: {target}"),
                    );
                }
            }
        }
        if ends {
            self.reach(flow, &known, at);
        }
        let own: BTreeSet<String> = flow.states.iter().flat_map(assigned).collect();
        for state in &flow.states {
            self.state(state, &format!("{at}/States/{}", state.name), &own);
        }
    }

    fn name(&mut self, state: &'a State, at: &str) {
        let place = format!("{at}/States/{}", state.name);
        if state.name.chars().count() > names::STATE_NAME_MAX {
            let most = names::STATE_NAME_MAX;
            self.add(Code::SchemaValidationFailed, &place, format!("A name has at most {most} characters"));
        }
        if let Some(first) = self.names.insert(&state.name, place.clone()) {
            let message = format!("The name is used before, at {first}");
            self.add(Code::SchemaValidationFailed, place, message);
        }
    }

    fn reach(&mut self, flow: &Flow, known: &BTreeMap<&str, &State>, at: &str) {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut edge = vec![flow.start_at.as_str()];
        while let Some(name) = edge.pop() {
            if let (Some(state), true) = (known.get(name), seen.insert(name)) {
                edge.extend(targets(state).into_iter().map(|(target, _)| target));
            }
        }
        // With an unknown start nothing would be reached; that has been said once.
        if !known.contains_key(flow.start_at.as_str()) {
            return;
        }
        for state in flow.states.iter().filter(|state| !seen.contains(state.name.as_str())) {
            let message = format!("State \"{}\" is not reachable.", state.name);
            self.add(Code::MissingTransitionTarget, format!("{at}/States/{}", state.name), message);
        }
    }

    fn state(&mut self, state: &'a State, at: &str, own: &BTreeSet<String>) {
        self.matchers(state, at);
        self.variables(state, at);
        fields::check(self.machine.language_of(state), state, at, &mut self.mistakes);
        language::check(self.machine.language_of(state), state, at, &mut self.mistakes);
        match &state.kind {
            StateKind::Task(task) => {
                self.resource(&task.resource, at);
                if let (Some(Quantity::Number(heartbeat)), Some(Quantity::Number(timeout))) =
                    (&task.heartbeat, &task.timeout)
                    && heartbeat.as_f64() >= timeout.as_f64()
                {
                    let message = "HeartbeatSeconds must be smaller than TimeoutSeconds";
                    self.add(Code::SchemaValidationFailed, at, message);
                }
            }
            StateKind::Parallel(parallel) => {
                self.outer.push(own.clone());
                for (index, branch) in parallel.branches.iter().enumerate() {
                    self.flow(branch, &format!("{at}/Branches[{index}]"));
                }
                self.outer.pop();
            }
            StateKind::Map(map) => {
                let distributed = map.processor.is_distributed();
                if distributed && self.kind == Kind::Express {
                    let message = "Express state machine does not support a Map in mode DISTRIBUTED";
                    self.add(Code::SchemaValidationFailed, at, message);
                }
                let mode = map.processor.config.as_ref().map_or(Mode::Inline, |config| config.mode);
                // Children of a distributed Map see no variables of the parent.
                let hidden =
                    if mode == Mode::Distributed { std::mem::take(&mut self.outer) } else { Vec::new() };
                self.outer.push(if distributed { BTreeSet::new() } else { own.clone() });
                let name = if map.processor.old_spelling { "Iterator" } else { "ItemProcessor" };
                self.flow(&map.processor.flow, &format!("{at}/{name}"));
                self.outer.pop();
                if mode == Mode::Distributed {
                    self.outer = hidden;
                }
            }
            _ => {}
        }
    }

    fn resource(&mut self, resource: &str, at: &str) {
        let place = format!("{at}/Resource");
        if !resource.contains(':') && !resource.contains("${") {
            self.add(Code::SchemaValidationFailed, &place, "Value is not a valid resource ARN");
        }
        let pattern =
            [".waitForTaskToken", ".sync:2", ".sync"].into_iter().find(|end| resource.ends_with(end));
        if let (Some(pattern), Kind::Express) = (pattern, self.kind) {
            let message = format!("Express state machine does not support '{pattern}' service integration ");
            self.add(Code::SchemaValidationFailed, place, message);
        }
    }

    /// `States.ALL` must be alone and last: behind it, or beside it, nothing would ever match.
    fn matchers(&mut self, state: &State, at: &str) {
        let retries: Vec<&Vec<String>> = state.retry.iter().map(|retrier| &retrier.error_equals).collect();
        let catches: Vec<&Vec<String>> = state.catch.iter().map(|catcher| &catcher.error_equals).collect();
        for (field, all) in [("Retry", retries), ("Catch", catches)] {
            for (index, errors) in all.iter().enumerate() {
                let catches_all = errors.iter().any(|error| error == names::ALL);
                if catches_all && (errors.len() > 1 || index + 1 < all.len()) {
                    let message = "'States.ALL' must appear alone and in the last element";
                    self.add(Code::SchemaValidationFailed, format!("{at}/{field}[{index}]"), message);
                }
            }
        }
        for (index, retrier) in state.retry.iter().enumerate() {
            let first = retrier.interval_seconds.unwrap_or(1);
            if retrier.max_delay_seconds.is_some_and(|most| most <= first) {
                let message = "MaxDelaySeconds must be greater than IntervalSeconds";
                self.add(Code::SchemaValidationFailed, format!("{at}/Retry[{index}]"), message);
            }
        }
    }

    fn variables(&mut self, state: &State, at: &str) {
        for name in assigned(state) {
            let mut letters = name.chars();
            let starts = letters.next().is_some_and(|letter| letter.is_alphabetic() || letter == '_');
            let plain = starts && letters.all(|letter| letter.is_alphanumeric() || letter == '_');
            if !plain || name.chars().count() > 80 || name == "states" {
                let message = format!("'{name}' is not a valid variable name");
                self.add(Code::SchemaValidationFailed, format!("{at}/Assign"), message);
            }
            if self.outer.iter().any(|outer| outer.contains(&name)) {
                let message = format!("Variable '{name}' is assigned in an outer scope");
                self.add(Code::SchemaValidationFailed, format!("{at}/Assign"), message);
            }
        }
    }
}

/// Every state that this one can lead to, with the field that says so.
fn targets(state: &State) -> Vec<(&str, String)> {
    let mut targets = Vec::new();
    if let Some(Transition::Next(next)) = &state.transition {
        targets.push((next.as_str(), "Next".to_owned()));
    }
    for (index, catcher) in state.catch.iter().enumerate() {
        targets.push((catcher.next.as_str(), format!("Catch[{index}]/Next")));
    }
    if let StateKind::Choice(choice) = &state.kind {
        for (index, rule) in choice.rules.iter().enumerate() {
            targets.push((rule.next.as_str(), format!("Choices[{index}]/Next")));
        }
        targets.extend(choice.default.as_deref().map(|next| (next, "Default".to_owned())));
    }
    targets
}

/// The variables that a state may write on its own level.
fn assigned(state: &State) -> Vec<String> {
    let mut all: Vec<&serde_json::Map<String, Value>> = state.assign.iter().collect();
    all.extend(state.catch.iter().filter_map(|catcher| catcher.assign.as_ref()));
    if let StateKind::Choice(choice) = &state.kind {
        all.extend(choice.rules.iter().filter_map(|rule| rule.assign.as_ref()));
    }
    let names = all.into_iter().flat_map(|assign| assign.keys());
    names.map(|name| name.strip_suffix(".$").unwrap_or(name).to_owned()).collect()
}
