//! The fields of each type of state.

use serde_json::Value;

use super::reader::{Reader, is_expression};
use super::{catchers, choice, flow, flow_fields, retriers, transition};
use crate::mistake::Mistake;
use crate::model::{
    Choice, Fail, Kind, Map, Mode, Parallel, Pass, Processor, ProcessorConfig, QueryLanguage, State,
    StateKind, Task, Wait,
};

/// Reads the rest of a state of this type; false if there is no such type.
pub fn read(
    reader: &mut Reader<'_>,
    type_name: &str,
    state: &mut State,
    machine: QueryLanguage,
    language: QueryLanguage,
) -> bool {
    match type_name {
        "Task" => task(reader, state, language),
        "Pass" => pass(reader, state),
        "Choice" => choice_state(reader, state, language),
        "Wait" => wait(reader, state, language),
        "Succeed" => {
            input_and_output_paths(reader, state);
            state.output = reader.value("Output").cloned();
            state.kind = StateKind::Succeed;
        }
        "Fail" => fail(reader, state),
        "Parallel" => parallel(reader, state, machine, language),
        "Map" => map(reader, state, machine, language),
        _ => return false,
    }
    true
}

fn input_and_output_paths(reader: &mut Reader<'_>, state: &mut State) {
    state.input_path = reader.path_field("InputPath");
    state.output_path = reader.path_field("OutputPath");
}

/// The fields of states that do work: data in and out, variables, and what happens on failure.
fn work(reader: &mut Reader<'_>, state: &mut State, language: QueryLanguage) {
    input_and_output_paths(reader, state);
    state.parameters = reader.value("Parameters").cloned();
    state.result_selector = reader.value("ResultSelector").cloned();
    state.result_path = reader.path_field("ResultPath");
    state.output = reader.value("Output").cloned();
    state.assign = reader.object("Assign");
    state.retry = retriers(reader);
    state.catch = catchers(reader, language);
    state.transition = transition(reader);
}

fn task(reader: &mut Reader<'_>, state: &mut State, language: QueryLanguage) {
    work(reader, state, language);
    state.arguments = reader.value("Arguments").cloned();
    state.kind = StateKind::Task(Task {
        resource: reader.required_text("Resource").unwrap_or_default(),
        timeout: reader.quantity("TimeoutSeconds", "TimeoutSecondsPath"),
        heartbeat: reader.quantity("HeartbeatSeconds", "HeartbeatSecondsPath"),
        credentials: reader.value("Credentials").cloned(),
    });
}

fn pass(reader: &mut Reader<'_>, state: &mut State) {
    input_and_output_paths(reader, state);
    state.parameters = reader.value("Parameters").cloned();
    state.result_path = reader.path_field("ResultPath");
    state.output = reader.value("Output").cloned();
    state.assign = reader.object("Assign");
    state.transition = transition(reader);
    state.kind = StateKind::Pass(Pass { result: reader.value("Result").cloned() });
}

fn choice_state(reader: &mut Reader<'_>, state: &mut State, language: QueryLanguage) {
    input_and_output_paths(reader, state);
    state.output = reader.value("Output").cloned();
    state.assign = reader.object("Assign");
    let at = reader.field_at("Choices");
    let list = reader.list("Choices").map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() {
        reader.report("Field 'Choices' must be a list with at least one rule");
    }
    let mut rules = Vec::new();
    for (index, value) in list.iter().enumerate() {
        rules.extend(choice::rule(value, format!("{at}[{index}]"), language, reader.mistakes()));
    }
    state.kind = StateKind::Choice(Choice { rules, default: reader.text("Default") });
}

fn wait(reader: &mut Reader<'_>, state: &mut State, language: QueryLanguage) {
    input_and_output_paths(reader, state);
    state.output = reader.value("Output").cloned();
    state.assign = reader.object("Assign");
    state.transition = transition(reader);
    let given = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
    let given = given.into_iter().filter(|name| reader.has(name)).count();
    if given != 1 {
        reader.report("Exactly one of [Seconds, SecondsPath, Timestamp, TimestampPath] is required");
    }
    let seconds = reader.quantity("Seconds", "SecondsPath").map(Wait::Seconds);
    let timestamp = reader.text("Timestamp");
    if let Some(text) = &timestamp {
        let computed = language == QueryLanguage::Jsonata && is_expression(text);
        if !computed && !looks_like_timestamp(text) {
            let at = reader.field_at("Timestamp");
            let code = crate::mistake::Code::SchemaValidationFailed;
            reader.mistakes().push(Mistake::new(code, at, "String does not match RFC3339 timestamp"));
        }
    }
    let path = reader.text("TimestampPath").map(Wait::TimestampPath);
    let chosen = seconds.or(timestamp.map(Wait::Timestamp)).or(path);
    // A wait without any field has been reported; an empty timestamp stands in for it.
    state.kind = StateKind::Wait(chosen.unwrap_or(Wait::Timestamp(String::new())));
}

/// `2026-01-31T08:00:00Z`, with fractions or an offset. Months of 30 days are not told from those of 31.
fn looks_like_timestamp(text: &str) -> bool {
    let form = "dddd-dd-ddTdd:dd:dd".bytes();
    let (Some(start), Some(rest)) = (text.get(..19), text.get(19..)) else { return false };
    let fits = form.zip(start.bytes()).all(|(form, byte)| match form {
        b'd' => byte.is_ascii_digit(),
        other => byte == other,
    });
    let rest =
        rest.strip_prefix('.').map_or(rest, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    let offset = rest.strip_prefix(['+', '-']).is_some_and(|offset| {
        offset.len() == 5
            && offset.bytes().enumerate().all(|(i, b)| if i == 2 { b == b':' } else { b.is_ascii_digit() })
    });
    let number = |from: usize| start.get(from..from + 2).and_then(|digits| digits.parse::<u8>().ok());
    let most = [(5, 12), (8, 31), (11, 23), (14, 59), (17, 60)];
    let real = most.iter().all(|(from, most)| number(*from).is_some_and(|number| number <= *most));
    fits && real && (rest == "Z" || offset)
}

fn fail(reader: &mut Reader<'_>, state: &mut State) {
    for (literal, path) in [("Error", "ErrorPath"), ("Cause", "CausePath")] {
        if reader.has(literal) && reader.has(path) {
            reader.report(format!("Only one of the fields '{literal}' and '{path}' is allowed"));
        }
    }
    state.kind = StateKind::Fail(Fail {
        error: reader.text("Error"),
        cause: reader.text("Cause"),
        error_path: reader.text("ErrorPath"),
        cause_path: reader.text("CausePath"),
    });
}

fn parallel(reader: &mut Reader<'_>, state: &mut State, machine: QueryLanguage, language: QueryLanguage) {
    work(reader, state, language);
    state.arguments = reader.value("Arguments").cloned();
    let at = reader.field_at("Branches");
    let list = reader.list("Branches").map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() {
        reader.report("Field 'Branches' must be a list with at least one branch");
    }
    let mut branches = Vec::new();
    for (index, value) in list.iter().enumerate() {
        branches.push(flow(value, format!("{at}[{index}]"), machine, reader.mistakes()));
    }
    state.kind = StateKind::Parallel(Parallel { branches });
}

fn map(reader: &mut Reader<'_>, state: &mut State, machine: QueryLanguage, language: QueryLanguage) {
    work(reader, state, language);
    let map = Map {
        items: items(reader),
        items_path: reader.text("ItemsPath"),
        item_selector: reader.object("ItemSelector").map(Value::Object),
        processor: processor(reader, machine),
        max_concurrency: reader.quantity("MaxConcurrency", "MaxConcurrencyPath"),
        tolerated_failure_count: reader.quantity("ToleratedFailureCount", "ToleratedFailureCountPath"),
        tolerated_failure_percentage: reader
            .quantity("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
        label: reader.text("Label"),
        item_reader: reader.object("ItemReader").map(Value::Object),
        item_batcher: reader.object("ItemBatcher").map(Value::Object),
        result_writer: reader.object("ResultWriter").map(Value::Object),
    };
    let batched = map.item_reader.is_some() || map.item_batcher.is_some() || map.result_writer.is_some();
    if batched && !map.processor.is_distributed() {
        reader.report("ItemReader, ItemBatcher and ResultWriter are only supported in mode DISTRIBUTED");
    }
    state.kind = StateKind::Map(Box::new(map));
}

fn items(reader: &mut Reader<'_>) -> Option<Value> {
    let value = reader.value("Items")?;
    let fits = match value {
        Value::Array(_) | Value::Object(_) => true,
        Value::String(text) => is_expression(text),
        _ => false,
    };
    if !fits {
        reader.report("Field 'Items' must be a list, an object or an expression");
    }
    Some(value.clone())
}

fn processor(reader: &mut Reader<'_>, machine: QueryLanguage) -> Processor {
    let (new, old) = (reader.value("ItemProcessor"), reader.value("Iterator"));
    let (value, name) = match (new, old) {
        (Some(_), Some(_)) => {
            reader.report("Only one of the fields 'ItemProcessor' and 'Iterator' is allowed");
            return Processor::default();
        }
        (Some(value), None) => (value, "ItemProcessor"),
        (None, Some(value)) => (value, "Iterator"),
        (None, None) => {
            reader.miss("ItemProcessor");
            return Processor::default();
        }
    };
    let at = reader.field_at(name);
    let Some(mut inner) = Reader::new(value, at.clone(), reader.mistakes()) else {
        return Processor::default();
    };
    let comment = inner.text("Comment");
    let config_value = inner.value("ProcessorConfig");
    let config = config_value
        .and_then(|value| processor_config(value, format!("{at}/ProcessorConfig"), inner.mistakes()));
    let read = flow_fields(&mut inner, machine);
    inner.finish();
    Processor { old_spelling: name == "Iterator", config, flow: crate::model::Flow { comment, ..read } }
}

fn processor_config(value: &Value, at: String, mistakes: &mut Vec<Mistake>) -> Option<ProcessorConfig> {
    let mut reader = Reader::new(value, at, mistakes)?;
    let mode = match reader.text("Mode").as_deref() {
        None | Some("INLINE") => Mode::Inline,
        Some("DISTRIBUTED") => Mode::Distributed,
        Some(_) => {
            reader.report("The field 'Mode' should have one of these values: [INLINE, DISTRIBUTED]");
            Mode::Inline
        }
    };
    let execution_type = match reader.text("ExecutionType").as_deref() {
        None => None,
        Some("STANDARD") => Some(Kind::Standard),
        Some("EXPRESS") => Some(Kind::Express),
        Some(_) => {
            reader.report("The field 'ExecutionType' should have one of these values: [STANDARD, EXPRESS]");
            None
        }
    };
    if mode == Mode::Distributed && execution_type.is_none() {
        reader.miss("ExecutionType");
    }
    reader.finish();
    Some(ProcessorConfig { mode, execution_type })
}
