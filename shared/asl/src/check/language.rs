//! What can be said of paths and expressions without evaluating them.

use serde_json::Value;

use crate::mistake::{Code, Mistake};
use crate::model::{QueryLanguage, State, StateKind};

/// Checks the values of a state that its language evaluates.
pub fn check(language: QueryLanguage, state: &State, at: &str, mistakes: &mut Vec<Mistake>) {
    match language {
        QueryLanguage::JsonPath => {
            for (field, value) in
                [("Parameters", &state.parameters), ("ResultSelector", &state.result_selector)]
            {
                template(value.as_ref(), &format!("{at}/{field}"), mistakes);
            }
            if let Some(assign) = &state.assign {
                template(Some(&Value::Object(assign.clone())), &format!("{at}/Assign"), mistakes);
            }
            if let StateKind::Map(map) = &state.kind {
                template(map.item_selector.as_ref(), &format!("{at}/ItemSelector"), mistakes);
            }
        }
        QueryLanguage::Jsonata => {
            let own_result =
                matches!(state.kind, StateKind::Task(_) | StateKind::Parallel(_) | StateKind::Map(_));
            let assign = state.assign.clone().map(Value::Object);
            for (field, value) in [("Output", &state.output), ("Assign", &assign)] {
                expressions(value.as_ref(), &format!("{at}/{field}"), own_result, mistakes);
            }
            expressions(state.arguments.as_ref(), &format!("{at}/Arguments"), false, mistakes);
        }
    }
}

/// A payload template: what stands under a key ending in `.$` must be a path or a call.
fn template(value: Option<&Value>, at: &str, mistakes: &mut Vec<Mistake>) {
    match value {
        Some(Value::Object(object)) => {
            for (key, value) in object {
                match (key.strip_suffix(".$"), value) {
                    (None, value) => template(Some(value), &format!("{at}/{key}"), mistakes),
                    (Some(_), Value::String(text)) if text.starts_with('$') || text.starts_with("States.") => {}
                    (Some(_), _) => mistakes.push(Mistake::new(
                        Code::SchemaValidationFailed,
                        at,
                        format!(
                            "The value for the field '{key}' must be a valid JSONPath or a valid intrinsic function call"
                        ),
                    )),
                }
            }
        }
        Some(Value::Array(list)) => {
            for (index, value) in list.iter().enumerate() {
                template(Some(value), &format!("{at}[{index}]"), mistakes);
            }
        }
        _ => {}
    }
}

/// References to parts of `$states` that do not exist where they are read.
fn expressions(value: Option<&Value>, at: &str, has_result: bool, mistakes: &mut Vec<Mistake>) {
    match value {
        Some(Value::Object(object)) => {
            for (key, value) in object {
                expressions(Some(value), &format!("{at}/{key}"), has_result, mistakes);
            }
        }
        Some(Value::Array(list)) => {
            for (index, value) in list.iter().enumerate() {
                expressions(Some(value), &format!("{at}[{index}]"), has_result, mistakes);
            }
        }
        Some(Value::String(text)) if crate::parse::is_expression(text) => {
            let absent = [("$states.errorOutput", true), ("$states.result", !has_result)];
            for (name, _) in absent.iter().filter(|(name, absent)| *absent && text.contains(name)) {
                mistakes.push(Mistake::new(
                    Code::UnsupportedJsonataExpression,
                    at,
                    format!("Field '{name}' does not exist."),
                ));
            }
        }
        _ => {}
    }
}
