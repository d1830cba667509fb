//! Every text that the service puts into errors, in one place.
//!
//! People write catchers, alarms and tests against these words, so they are
//! kept exactly as recorded; nothing else in this crate spells them out.

use serde_json::Value;

/// Matches every error that can be caught.
pub const ALL: &str = "States.ALL";
/// Matches every error but a timeout.
pub const TASK_FAILED: &str = "States.TaskFailed";
/// A task or a heartbeat ran out of time.
pub const TIMEOUT: &str = "States.Timeout";
/// Name that matchers may use for a missed heartbeat.
pub const HEARTBEAT_TIMEOUT: &str = "States.HeartbeatTimeout";
/// The definition could not be applied to the data.
pub const RUNTIME: &str = "States.Runtime";
/// A payload is over the service's limit.
pub const DATA_LIMIT: &str = "States.DataLimitExceeded";
/// A JSONata expression failed.
pub const QUERY: &str = "States.QueryEvaluationError";
/// By documentation matches the failure of a branch.
pub const BRANCH_FAILED: &str = "States.BranchFailed";
/// A distributed Map whose failures exceed its tolerance.
pub const TOO_MANY_FAILURES: &str = "States.ExceedToleratedFailureThreshold";
/// Its cause.
pub const TOO_MANY_FAILURES_CAUSE: &str = "The specified tolerated failure threshold was exceeded";
/// An intrinsic function refused its arguments.
pub const INTRINSIC: &str = "States.IntrinsicFailure";

/// What precedes the cause of every error that the interpreter itself raises.
pub fn executing(state: &str, entered: u64, cause: &str) -> String {
    format!(
        "An error occurred while executing the state '{state}' (entered at the event id #{entered}). {cause}"
    )
}

/// A JSONata expression without a value.
pub fn undefined(expression: &str, field: &str) -> String {
    format!("{} returned nothing (undefined).", specified(expression, field))
}

/// A JSONata expression whose value the field does not take.
pub fn wrong_type(expression: &str, field: &str, expected: &str, value: &Value) -> String {
    let found = kind(value);
    format!(
        "{} returned an unexpected result type. Expected '{expected}', but was '{found}' for value: {value}",
        specified(expression, field)
    )
}

/// A JSONata expression that gave a function.
pub fn unsupported_type(expression: &str, field: &str) -> String {
    format!("{} returned an unsupported result type.", specified(expression, field))
}

/// A JSONata expression that threw.
pub fn threw(expression: &str, field: &str, code: Option<&str>, message: &str) -> String {
    let start = specified(expression, field);
    match code {
        Some(code) => format!("{start} threw an error during evaluation. {code}: {message}"),
        None => format!("{start} threw an error during evaluation: {message}"),
    }
}

fn specified(expression: &str, field: &str) -> String {
    format!("The JSONata expression '{expression}' specified for the field '{field}'")
}

/// The name of a value's type as JSONata has it.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The recursion of an expression went too deep.
pub const STACK_OVERFLOW: &str = "Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive.";
/// An expression used too much.
pub const MEMORY_LIMIT: &str =
    "Expression evaluation memory limit exceeded: Check for excessive memory usage";

/// A Map over something that is no array.
pub fn map_items(value: &Value) -> String {
    format!("Map state input must be an array but was: {value}")
}

/// A Map in JSONPath whose items are no array.
pub fn map_items_path(path: &str, value: &Value) -> String {
    format!("Reference path \"{path}\" must point to array, but found: {value}")
}

/// A JSONata timestamp that is none.
pub fn bad_timestamp(value: &str) -> String {
    format!(
        "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: {value}"
    )
}

/// A TimestampPath that leads to no timestamp.
pub fn bad_timestamp_path(path: &str, value: &str) -> String {
    format!(
        "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: {path} == {value}"
    )
}

/// A SecondsPath or TimestampPath that leads nowhere.
pub fn missing_wait_path(field: &str, path: &str) -> String {
    format!("The {field} parameter does not reference an input value: {path}")
}

/// A SecondsPath to something that is no whole number.
pub fn seconds_not_long(path: &str, value: &Value) -> String {
    format!("The SecondsPath parameter cannot be parsed as a long value: {path} == {}", bare(value))
}

/// A SecondsPath to a number below zero.
pub fn seconds_negative(path: &str, value: &Value) -> String {
    format!("The SecondsPath parameter references a negative value: {path} == {}", bare(value))
}

/// The longest wait is 24,855 days.
pub const WAIT_TOO_LONG: &str = "Wait state delay is too long.";

/// A path in a payload template, ErrorPath or CausePath that leads nowhere.
pub fn path_not_found(path: &str, field: &str, input: &Value) -> String {
    format!(
        "The JSONPath '{path}' specified for the field '{field}' could not be found in the input '{input}'"
    )
}

/// A path that leads nowhere, in the fields that filter input and output.
pub fn invalid_path(path: &str, why: &str) -> String {
    format!("Invalid path '{path}' : {why}")
}

/// Why a path leads nowhere: its last step.
pub fn no_results(normalized: &str) -> String {
    format!("No results for path: {normalized}")
}

/// Why a path leads nowhere: a step before the last.
pub fn missing_property(normalized: &str) -> String {
    format!("Missing property in path {normalized}")
}

/// A path to a limit of a Map that is no number of the right sort.
pub fn not_a_number(field: &str, value: &Value, sort: &str, path: &str) -> String {
    let value = bare(value);
    format!("The {field} field refers to value \"{value}\" which is not a valid {sort}: {path}")
}

/// A tolerance below zero.
pub const TOLERATED_COUNT: &str = "ToleratedFailureCount cannot be negative.";
/// A tolerance beyond its range.
pub const TOLERATED_PERCENTAGE: &str = "ToleratedFailurePercentage must be between 0 and 100.";

/// A result over the payload limit.
pub fn too_large(of: &str) -> String {
    format!(
        "The state/task '{of}' returned a result with a size exceeding the maximum number of bytes service limit."
    )
}

/// A Choice without a rule that holds and without Default.
pub const NO_TRANSITION: &str =
    "Failed to transition out of the state. The state does not point to a next state.";

/// The history is full.
pub fn history_full(limit: u64) -> String {
    format!("The execution reached the maximum number of history events ({limit}).")
}

/// A transition to nowhere, which the checks at creation refuse.
pub fn no_such_state(name: &str) -> String {
    format!("The state '{name}' does not exist.")
}

/// An inner scope assigns a variable of an outer one, which the checks at creation refuse.
pub fn outer_variable(name: &str) -> String {
    format!("The variable '{name}' belongs to an outer scope.")
}

/// A Choice that compares something that is not there.
pub fn choice_variable(path: &str) -> String {
    format!("Invalid path '{path}': The choice state's condition path references an invalid value.")
}

/// A field that must be a positive number of seconds.
pub fn not_positive(field: &str, value: &Value) -> String {
    format!("The {field} field must be a positive integer but was: {value}")
}

/// An ErrorPath or CausePath to something other than text.
pub fn not_a_string(field: &str, value: &Value) -> String {
    format!("The {field} field must be a string but was: {value}")
}

/// A ResultPath through something that has no members.
pub const NO_PLACE: &str = "the state's input has no place for a result there";

/// Something this runner cannot run yet.
pub fn not_supported(what: &str) -> String {
    format!("{what} is not supported by this runner.")
}

/// A string without its quotes, anything else as JSON.
fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
