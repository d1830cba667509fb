//! Pass, Choice, Succeed and Fail: states that only compute.

use asl::model::{Choice, Fail, Pass};
use asl::{QueryLanguage, State};
use serde_json::Value;

use crate::choice;
use crate::context::Context;
use crate::data::{Expected, Sight, leave, pass_through};
use crate::fault::Fault;
use crate::flow::{Frame, Step, next};
use crate::run::Run;
use crate::texts;

pub(super) fn pass(run: &Run<'_>, state: &State, pass: &Pass, frame: &Frame) -> Result<Step, Fault> {
    let context = Context::new(run, frame, state, None);
    let sight = frame.sight(run, state, &context);
    let limits = &run.options.limits;
    let left = match sight.language {
        QueryLanguage::Jsonata => {
            let fields = ("Output", "Assign");
            pass_through(state, sight, state.output.as_ref(), state.assign.as_ref(), fields, limits)?
        }
        QueryLanguage::JsonPath => {
            let effective = sight.filter(&state.input_path)?;
            let effective = match &state.parameters {
                Some(parameters) => sight.of(&effective).template(parameters, "Parameters")?,
                None => effective,
            };
            // Result is literal: paths in it are plain text.
            leave(state, sight, pass.result.clone().unwrap_or(effective), limits)?
        }
    };
    Ok(Step { left, next: next(state) })
}

pub(super) fn choice(run: &Run<'_>, state: &State, of: &Choice, frame: &Frame) -> Result<Step, Fault> {
    let context = Context::new(run, frame, state, None);
    let sight = frame.sight(run, state, &context);
    let effective = match sight.language {
        QueryLanguage::Jsonata => sight.input.clone(),
        QueryLanguage::JsonPath => sight.filter(&state.input_path)?,
    };
    let rule = choice::first(of, sight.of(&effective))?;
    let target = choice::next(of, rule.map(|(_, rule)| rule))?.to_owned();
    // A rule that holds leaves by its own Output and Assign, Default by the state's.
    let (output, assign, place) = match rule {
        Some((index, rule)) => (rule.output.as_ref(), rule.assign.as_ref(), format!("Choices[{index}]/")),
        None => (state.output.as_ref(), state.assign.as_ref(), String::new()),
    };
    let fields = (format!("{place}Output"), format!("{place}Assign"));
    let left = pass_through(state, sight, output, assign, (&fields.0, &fields.1), &run.options.limits)?;
    Ok(Step { left, next: Some(target) })
}

pub(super) fn succeed(run: &Run<'_>, state: &State, frame: &Frame) -> Result<Step, Fault> {
    let context = Context::new(run, frame, state, None);
    let sight = frame.sight(run, state, &context);
    let fields = ("Output", "Assign");
    let left = pass_through(state, sight, state.output.as_ref(), None, fields, &run.options.limits)?;
    Ok(Step { left, next: None })
}

/// The fault that a Fail state is there to raise, or the one that raising it raised.
pub(super) fn fail(run: &Run<'_>, state: &State, fail: &Fail, frame: &Frame) -> Fault {
    let context = Context::new(run, frame, state, None);
    let sight = frame.sight(run, state, &context);
    let error = text(sight, fail.error.as_deref(), fail.error_path.as_deref(), ("Error", "ErrorPath"));
    let cause = text(sight, fail.cause.as_deref(), fail.cause_path.as_deref(), ("Cause", "CausePath"));
    match (error, cause) {
        (Ok(error), Ok(cause)) => Fault::work(error, cause),
        (Err(fault), _) | (_, Err(fault)) => fault,
    }
}

fn text(
    sight: Sight<'_>,
    literal: Option<&str>,
    path: Option<&str>,
    (field, path_field): (&str, &str),
) -> Result<Option<String>, Fault> {
    let value = match (literal, path) {
        (Some(literal), _) if sight.language == QueryLanguage::Jsonata => {
            sight.typed(&Value::String(literal.to_owned()), field, Expected::String)?
        }
        (Some(literal), _) => Value::String(literal.to_owned()),
        (None, Some(path)) => sight.computed(path, path_field)?,
        (None, None) => return Ok(None),
    };
    match value {
        Value::String(text) => Ok(Some(text)),
        other => Err(Fault::runtime(texts::not_a_string(path_field, &other))),
    }
}
