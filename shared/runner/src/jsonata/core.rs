//! The engine behind the trait: `jsonata-core`, with the service's additions.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError, EvaluatorOptions, error_code_prefix};
use jsonata_core::parser;
use jsonata_core::value::JValue;
use serde_json::{Map, Number, Value};

use super::plan::Plan;
use super::{Answer, Bindings, Query, QueryError, functions};
use crate::texts;

/// Expressions kept parsed. They come from definitions, of which there are few.
const CACHE_MAX: usize = 4_096;
/// A runaway expression is stopped after this much real time.
const EVALUATION_MAX_MS: u64 = 10_000;

static CACHE: LazyLock<Mutex<HashMap<String, Arc<Compiled>>>> = LazyLock::new(Mutex::default);

/// The engine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Core;

/// A parsed expression.
#[derive(Debug)]
pub struct Compiled {
    ast: AstNode,
    plan: Plan,
}

impl Query for Core {
    type Compiled = Arc<Compiled>;

    fn compile(&self, text: &str) -> Result<Arc<Compiled>, QueryError> {
        let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = cache.get(text) {
            return Ok(Arc::clone(compiled));
        }
        let ast = parser::parse(text).map_err(|error| query_error(&error.to_string()))?;
        let plan = Plan::new(text, &ast);
        let compiled = Arc::new(Compiled { ast, plan });
        if cache.len() >= CACHE_MAX {
            cache.clear();
        }
        cache.insert(text.to_owned(), Arc::clone(&compiled));
        Ok(compiled)
    }

    fn eval(&self, compiled: &Arc<Compiled>, bindings: &Bindings<'_>) -> Result<Answer, QueryError> {
        if let Some(answer) = compiled.plan.answer(bindings) {
            return Ok(answer);
        }
        let mut evaluator = evaluator(&compiled.plan, bindings);
        functions::register(&mut evaluator, &compiled.plan.names, bindings)
            .map_err(|error| query_error(error.message()))?;
        match evaluator.evaluate(&compiled.ast, &JValue::Undefined) {
            Ok(value) => Ok(answer(&value)),
            Err(error) => Err(evaluation_error(&error)),
        }
    }
}

/// An evaluator that sees what the plan says is needed.
fn evaluator(plan: &Plan, bindings: &Bindings<'_>) -> Evaluator {
    let mut context = Context::new();
    if plan.names.contains("states") {
        let states = plan.states.iter().filter_map(|member| {
            let value = match *member {
                "input" => Some(bindings.sources.input),
                "result" => bindings.result,
                "errorOutput" => bindings.error_output,
                _ => Some((bindings.sources.context)()),
            };
            value.map(|value| ((*member).to_owned(), into(value)))
        });
        context.bind("states".into(), JValue::object(states.collect()));
    }
    for name in &plan.names {
        if let Some(value) = (bindings.sources.variables)(name) {
            context.bind(name.clone(), into(value));
        }
    }
    let options = EvaluatorOptions { timeout_ms: Some(EVALUATION_MAX_MS), ..EvaluatorOptions::default() };
    Evaluator::with_options(context, options)
}

/// JSON as the engine has it.
pub(super) fn into(value: &Value) -> JValue {
    match value {
        Value::Null => JValue::Null,
        Value::Bool(truth) => JValue::Bool(*truth),
        Value::Number(number) => JValue::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => JValue::from(text.as_str()),
        Value::Array(items) => JValue::from(items.iter().map(into).collect::<Vec<_>>()),
        Value::Object(map) => {
            JValue::object(map.iter().map(|(key, value)| (key.clone(), into(value))).collect())
        }
    }
}

fn answer(value: &JValue) -> Answer {
    match value {
        JValue::Undefined => Answer::Undefined,
        value => from(value).map_or(Answer::Function, Answer::Value),
    }
}

/// JSON of the engine's value; none if there is a function in it.
pub(super) fn from(value: &JValue) -> Option<Value> {
    Some(match value {
        JValue::Null | JValue::Undefined => Value::Null,
        JValue::Bool(truth) => Value::Bool(*truth),
        JValue::Number(number) => number_value(*number),
        JValue::String(text) => Value::String(text.to_string()),
        JValue::Array(items) => Value::Array(items.iter().map(from).collect::<Option<_>>()?),
        JValue::Object(map) => {
            let mut members = Map::new();
            for (key, value) in map.iter() {
                // A member without a value is no member.
                if !value.is_undefined() {
                    members.insert(key.clone(), from(value)?);
                }
            }
            Value::Object(members)
        }
        _ => return None,
    })
}

fn number_value(number: f64) -> Value {
    /// Beyond this a double no longer holds every whole number.
    const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= WHOLE_MAX {
        return Value::from(number as i64);
    }
    // The service prints what JSON cannot hold as text.
    Number::from_f64(number).map_or_else(|| Value::String(infinite(number).into()), Value::Number)
}

fn infinite(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

fn evaluation_error(error: &EvaluatorError) -> QueryError {
    let error = query_error(error.message());
    match error.code.as_deref() {
        Some("D1011" | "U1001") => QueryError { code: None, message: texts::STACK_OVERFLOW.into() },
        Some("D1012" | "D2015") => QueryError { code: None, message: texts::MEMORY_LIMIT.into() },
        // The service does not say what it was that is no function.
        Some("T1006") => QueryError { message: "Attempted to invoke a non-function".into(), ..error },
        _ => error,
    }
}

fn query_error(text: &str) -> QueryError {
    match error_code_prefix(text) {
        Some(code) => QueryError { code: Some(code.into()), message: text[code.len() + 1..].trim().into() },
        None => QueryError { code: None, message: text.into() },
    }
}
