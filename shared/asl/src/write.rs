//! [`Machine`] to JSON, with the fields of each state in one fixed order: the same machine gives the same bytes.

use serde_json::{Map as JsonMap, Value, json};

use crate::model::{
    Catcher, Fail, Flow, Jitter, Kind, Machine, Map, Mode, PathField, Quantity, QueryLanguage, Retrier, Rule,
    State, StateKind, Test, Transition, Wait, When,
};

/// An object that is written field by field.
#[derive(Default)]
struct Writer(JsonMap<String, Value>);

impl Writer {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    fn option<T: Into<Value> + Clone>(&mut self, name: &str, value: &Option<T>) {
        if let Some(value) = value {
            self.put(name, value.clone());
        }
    }

    fn path(&mut self, name: &str, value: &PathField) {
        match value {
            PathField::Default => {}
            PathField::Null => self.put(name, Value::Null),
            PathField::Path(path) => self.put(name, path.as_str()),
        }
    }

    fn quantity(&mut self, name: &str, value: &Option<Quantity>) {
        match value {
            None => {}
            Some(Quantity::Number(number)) => self.put(name, Value::Number(number.clone())),
            Some(Quantity::Expression(text)) => self.put(name, text.as_str()),
            Some(Quantity::Path(path)) => self.put(&format!("{name}Path"), path.as_str()),
        }
    }

    fn flow(&mut self, flow: &Flow) {
        self.put("StartAt", flow.start_at.as_str());
        let states = flow.states.iter().map(|state| (state.name.clone(), write_state(state)));
        self.put("States", Value::Object(states.collect()));
    }
}

/// The definition as JSON.
pub fn write(machine: &Machine) -> Value {
    let mut out = Writer::default();
    out.option("Comment", &machine.comment);
    out.option("Version", &machine.version);
    if machine.query_language != QueryLanguage::default() {
        out.put("QueryLanguage", machine.query_language.name());
    }
    out.option("TimeoutSeconds", &machine.timeout_seconds);
    out.flow(&machine.flow);
    Value::Object(out.0)
}

fn write_flow(flow: &Flow) -> Value {
    let mut out = Writer::default();
    out.option("Comment", &flow.comment);
    out.flow(flow);
    Value::Object(out.0)
}

/// One state as JSON.
pub fn write_state(state: &State) -> Value {
    let mut out = Writer::default();
    out.put("Type", state.kind.type_name());
    out.option("Comment", &state.comment);
    if let Some(language) = state.query_language {
        out.put("QueryLanguage", language.name());
    }
    if let StateKind::Task(task) = &state.kind {
        out.put("Resource", task.resource.as_str());
    }
    out.path("InputPath", &state.input_path);
    out.option("Parameters", &state.parameters);
    out.option("Arguments", &state.arguments);
    write_kind(&mut out, &state.kind);
    out.option("ResultSelector", &state.result_selector);
    out.path("ResultPath", &state.result_path);
    out.path("OutputPath", &state.output_path);
    out.option("Assign", &state.assign);
    out.option("Output", &state.output);
    if !state.retry.is_empty() {
        out.put("Retry", state.retry.iter().map(write_retrier).collect::<Vec<_>>());
    }
    if !state.catch.is_empty() {
        out.put("Catch", state.catch.iter().map(write_catcher).collect::<Vec<_>>());
    }
    match &state.transition {
        None => {}
        Some(Transition::Next(next)) => out.put("Next", next.as_str()),
        Some(Transition::End) => out.put("End", true),
    }
    Value::Object(out.0)
}

fn write_kind(out: &mut Writer, kind: &StateKind) {
    match kind {
        StateKind::Task(task) => {
            out.quantity("TimeoutSeconds", &task.timeout);
            out.quantity("HeartbeatSeconds", &task.heartbeat);
            out.option("Credentials", &task.credentials);
        }
        StateKind::Choice(choice) => {
            out.put("Choices", choice.rules.iter().map(write_rule).collect::<Vec<_>>());
            out.option("Default", &choice.default);
        }
        StateKind::Parallel(parallel) => {
            out.put("Branches", parallel.branches.iter().map(write_flow).collect::<Vec<_>>());
        }
        StateKind::Map(map) => write_map(out, map),
        StateKind::Wait(Wait::Seconds(seconds)) => out.quantity("Seconds", &Some(seconds.clone())),
        StateKind::Wait(Wait::Timestamp(text)) => out.put("Timestamp", text.as_str()),
        StateKind::Wait(Wait::TimestampPath(path)) => out.put("TimestampPath", path.as_str()),
        StateKind::Pass(pass) => out.option("Result", &pass.result),
        StateKind::Succeed => {}
        StateKind::Fail(fail) => write_fail(out, fail),
    }
}

fn write_fail(out: &mut Writer, fail: &Fail) {
    out.option("Error", &fail.error);
    out.option("ErrorPath", &fail.error_path);
    out.option("Cause", &fail.cause);
    out.option("CausePath", &fail.cause_path);
}

fn write_map(out: &mut Writer, map: &Map) {
    out.option("Items", &map.items);
    out.option("ItemsPath", &map.items_path);
    out.option("ItemReader", &map.item_reader);
    out.option("ItemSelector", &map.item_selector);
    out.option("ItemBatcher", &map.item_batcher);
    out.quantity("MaxConcurrency", &map.max_concurrency);
    out.quantity("ToleratedFailureCount", &map.tolerated_failure_count);
    out.quantity("ToleratedFailurePercentage", &map.tolerated_failure_percentage);
    out.option("Label", &map.label);
    let mut processor = Writer::default();
    processor.option("Comment", &map.processor.flow.comment);
    if let Some(config) = &map.processor.config {
        let mut inner = Writer::default();
        inner.put("Mode", if config.mode == Mode::Inline { "INLINE" } else { "DISTRIBUTED" });
        if let Some(kind) = config.execution_type {
            inner.put("ExecutionType", if kind == Kind::Standard { "STANDARD" } else { "EXPRESS" });
        }
        processor.put("ProcessorConfig", Value::Object(inner.0));
    }
    processor.flow(&map.processor.flow);
    let name = if map.processor.old_spelling { "Iterator" } else { "ItemProcessor" };
    out.put(name, Value::Object(processor.0));
    out.option("ResultWriter", &map.result_writer);
}

fn write_rule(rule: &Rule) -> Value {
    let mut out = match &rule.when {
        When::Condition(condition) => {
            let mut out = Writer::default();
            out.put("Condition", condition.clone());
            out
        }
        When::Test(test) => Writer(write_test(test)),
    };
    out.option("Comment", &rule.comment);
    out.option("Assign", &rule.assign);
    out.option("Output", &rule.output);
    out.put("Next", rule.next.as_str());
    Value::Object(out.0)
}

fn write_test(test: &Test) -> JsonMap<String, Value> {
    let mut out = Writer::default();
    let all = |tests: &[Test]| tests.iter().map(|test| Value::Object(write_test(test))).collect::<Vec<_>>();
    match test {
        Test::And(tests) => out.put("And", all(tests)),
        Test::Or(tests) => out.put("Or", all(tests)),
        Test::Not(test) => out.put("Not", Value::Object(write_test(test))),
        Test::Compare { variable, operator, operand } => {
            out.put("Variable", variable.as_str());
            out.put(&operator.name(), operand.clone());
        }
    }
    out.0
}

fn write_retrier(retrier: &Retrier) -> Value {
    let mut out = Writer::default();
    out.put("ErrorEquals", json!(retrier.error_equals));
    out.option("IntervalSeconds", &retrier.interval_seconds);
    out.option("MaxAttempts", &retrier.max_attempts);
    if let Some(rate) = retrier.backoff_rate {
        // A whole rate is written as people write it: 2, not 2.0.
        let whole = rate.fract() == 0.0 && rate < 1e9;
        out.put("BackoffRate", if whole { json!(rate as u64) } else { json!(rate) });
    }
    out.option("MaxDelaySeconds", &retrier.max_delay_seconds);
    if let Some(jitter) = retrier.jitter {
        out.put("JitterStrategy", if jitter == Jitter::Full { "FULL" } else { "NONE" });
    }
    out.option("Comment", &retrier.comment);
    Value::Object(out.0)
}

fn write_catcher(catcher: &Catcher) -> Value {
    let mut out = Writer::default();
    out.put("ErrorEquals", json!(catcher.error_equals));
    out.path("ResultPath", &catcher.result_path);
    out.option("Assign", &catcher.assign);
    out.option("Output", &catcher.output);
    out.option("Comment", &catcher.comment);
    out.put("Next", catcher.next.as_str());
    Value::Object(out.0)
}
