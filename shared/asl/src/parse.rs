//! JSON to [`Machine`]. Reading goes on after a mistake, so that all of them are reported at once; fields that the
//! language does not know are mistakes, because the service refuses them.

mod choice;
mod kinds;
mod reader;

use serde_json::Value;

use self::reader::Reader;
pub use self::reader::is_expression;
use crate::mistake::{Code, Mistake};
use crate::model::{Catcher, Flow, Jitter, Machine, QueryLanguage, Retrier, State, StateKind, Transition};

/// The longest time that the service can count.
const SECONDS_MAX: u64 = 99_999_999;

/// Fields that exist only in JSONPath states.
const JSONPATH_FIELDS: [&str; 16] = [
    "InputPath",
    "Parameters",
    "ResultSelector",
    "ResultPath",
    "OutputPath",
    "Result",
    "ItemsPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    "SecondsPath",
    "TimestampPath",
    "ErrorPath",
    "CausePath",
    "MaxConcurrencyPath",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath",
];

/// Fields that exist only in JSONata states.
const JSONATA_FIELDS: [&str; 3] = ["Arguments", "Output", "Items"];

/// Reads a definition. On success the machine has the right shape; whether its transitions lead anywhere is the
/// question of [`crate::check`].
pub fn parse(definition: &Value) -> Result<Machine, Vec<Mistake>> {
    let (machine, mistakes) = parse_leniently(definition);
    match machine {
        Some(machine) if mistakes.is_empty() => Ok(machine),
        _ => Err(mistakes),
    }
}

/// Reads what can be read, for checks that should see the sound parts of a broken definition too.
pub(crate) fn parse_leniently(definition: &Value) -> (Option<Machine>, Vec<Mistake>) {
    let mut mistakes = Vec::new();
    if !definition.is_object() {
        mistakes.push(Mistake::new(
            Code::SchemaValidationFailed,
            "/",
            "Definition must be a valid JSON object",
        ));
        return (None, mistakes);
    }
    let machine = machine(definition, &mut mistakes);
    (machine, mistakes)
}

fn machine(definition: &Value, mistakes: &mut Vec<Mistake>) -> Option<Machine> {
    let mut reader = Reader::new(definition, "", mistakes)?;
    let comment = reader.text("Comment");
    let version = reader.text("Version");
    if version.as_deref().is_some_and(|version| version != "1.0") {
        reader.report("Field 'Version' must be \"1.0\"");
    }
    let query_language = language(&mut reader).unwrap_or_default();
    let timeout_seconds = reader.whole("TimeoutSeconds", 1, SECONDS_MAX);
    let flow = flow_fields(&mut reader, query_language);
    reader.finish();
    Some(Machine { comment, version, query_language, timeout_seconds, flow })
}

fn language(reader: &mut Reader<'_>) -> Option<QueryLanguage> {
    match reader.text("QueryLanguage")?.as_str() {
        "JSONPath" => Some(QueryLanguage::JsonPath),
        "JSONata" => Some(QueryLanguage::Jsonata),
        _ => {
            reader.report("The field 'QueryLanguage' should have one of these values: [JSONPath, JSONata]");
            None
        }
    }
}

/// A branch or processor; `extra` reads the fields that only a processor has.
fn flow(value: &Value, at: String, machine: QueryLanguage, mistakes: &mut Vec<Mistake>) -> Flow {
    let Some(mut reader) = Reader::new(value, at, mistakes) else { return Flow::default() };
    let comment = reader.text("Comment");
    let flow = flow_fields(&mut reader, machine);
    reader.finish();
    Flow { comment, ..flow }
}

/// `StartAt` and `States` of the object that is being read.
fn flow_fields(reader: &mut Reader<'_>, machine: QueryLanguage) -> Flow {
    let states_value = reader.required("States");
    let start_at = reader.required_text("StartAt").unwrap_or_default();
    let mut states = Vec::new();
    match states_value.map(|value| (value, value.as_object())) {
        None => {}
        Some((_, None)) => reader.report("Field 'States' must be an object"),
        Some((_, Some(object))) if object.is_empty() => reader.report("Field 'States' must not be empty"),
        Some((_, Some(object))) => {
            for (name, value) in object {
                let at = format!("{}/States/{name}", reader.at());
                states.extend(state(name, value, at, machine, reader.mistakes()));
            }
        }
    }
    Flow { comment: None, start_at, states }
}

fn state(
    name: &str,
    value: &Value,
    at: String,
    machine: QueryLanguage,
    mistakes: &mut Vec<Mistake>,
) -> Option<State> {
    let mut reader = Reader::new(value, at, mistakes)?;
    let type_name = reader.required_text("Type");
    let mut state = State::new(name, StateKind::Succeed);
    state.comment = reader.text("Comment");
    state.query_language = language(&mut reader);
    if machine == QueryLanguage::Jsonata && state.query_language == Some(QueryLanguage::JsonPath) {
        reader.report("'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine");
    }
    let language = state.query_language.unwrap_or(machine);
    let fits = refuse_foreign_fields(&mut reader, language);
    match type_name.as_deref() {
        None => return Some(state),
        Some(type_name) => {
            if !kinds::read(&mut reader, type_name, &mut state, machine, language) {
                let at = reader.field_at("Type");
                let known = "[Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map]";
                reader.mistakes().push(Mistake::new(
                    Code::SchemaValidationFailed,
                    at,
                    format!("The field 'Type' should have one of these values: {known}"),
                ));
                return Some(state);
            }
        }
    }
    if fits {
        reader.finish();
    }
    Some(state)
}

/// Fields of the other language; their presence makes a report of unknown fields superfluous.
fn refuse_foreign_fields(reader: &mut Reader<'_>, language: QueryLanguage) -> bool {
    let (foreign, other): (&[&str], _) = match language {
        QueryLanguage::JsonPath => (&JSONATA_FIELDS, QueryLanguage::Jsonata),
        QueryLanguage::Jsonata => (&JSONPATH_FIELDS, QueryLanguage::JsonPath),
    };
    let found: Vec<&str> = foreign.iter().copied().filter(|name| reader.has(name)).collect();
    for name in &found {
        reader.report(format!(
            "The QueryLanguage is set to '{}', but field '{name}' is only supported for the '{}' QueryLanguage",
            language.name(),
            other.name()
        ));
    }
    found.is_empty()
}

/// `Next` or `End`, of which exactly one must be there.
fn transition(reader: &mut Reader<'_>) -> Option<Transition> {
    let end = match reader.value("End") {
        None => false,
        Some(Value::Bool(end)) => *end,
        Some(_) => {
            reader.report("Field 'End' must be true or false");
            true
        }
    };
    let next = reader.text("Next");
    match (next, end) {
        (Some(_), true) => {
            reader.report("Only one of the fields 'Next' and 'End' is allowed");
            None
        }
        (Some(next), false) => Some(Transition::Next(next)),
        (None, true) => Some(Transition::End),
        (None, false) => {
            reader.miss("Next");
            None
        }
    }
}

fn retriers(reader: &mut Reader<'_>) -> Vec<Retrier> {
    let at = reader.field_at("Retry");
    let list = reader.list("Retry").map(Vec::as_slice).unwrap_or_default();
    let read = list.iter().enumerate();
    read.filter_map(|(index, value)| retrier(value, format!("{at}[{index}]"), reader.mistakes())).collect()
}

fn retrier(value: &Value, at: String, mistakes: &mut Vec<Mistake>) -> Option<Retrier> {
    let mut reader = Reader::new(value, at, mistakes)?;
    let retrier = Retrier {
        error_equals: reader.texts("ErrorEquals"),
        interval_seconds: reader.whole("IntervalSeconds", 1, SECONDS_MAX),
        max_attempts: reader.whole("MaxAttempts", 0, SECONDS_MAX),
        backoff_rate: reader.rate("BackoffRate"),
        max_delay_seconds: reader.whole("MaxDelaySeconds", 1, 31_622_399),
        jitter: match reader.text("JitterStrategy").as_deref() {
            None => None,
            Some("FULL") => Some(Jitter::Full),
            Some("NONE") => Some(Jitter::None),
            Some(_) => {
                reader.report("The field 'JitterStrategy' should have one of these values: [FULL, NONE]");
                None
            }
        },
        comment: reader.text("Comment"),
    };
    reader.finish();
    Some(retrier)
}

fn catchers(reader: &mut Reader<'_>, language: QueryLanguage) -> Vec<Catcher> {
    let at = reader.field_at("Catch");
    let list = reader.list("Catch").map(Vec::as_slice).unwrap_or_default();
    let read = list.iter().enumerate();
    read.filter_map(|(index, value)| catcher(value, format!("{at}[{index}]"), language, reader.mistakes()))
        .collect()
}

fn catcher(
    value: &Value,
    at: String,
    language: QueryLanguage,
    mistakes: &mut Vec<Mistake>,
) -> Option<Catcher> {
    let mut reader = Reader::new(value, at, mistakes)?;
    let fits = refuse_foreign_fields(&mut reader, language);
    let catcher = Catcher {
        error_equals: reader.texts("ErrorEquals"),
        next: reader.required_text("Next").unwrap_or_default(),
        result_path: reader.path_field("ResultPath"),
        output: reader.value("Output").cloned(),
        assign: reader.object("Assign"),
        comment: reader.text("Comment"),
    };
    if fits {
        reader.finish();
    }
    Some(catcher)
}
