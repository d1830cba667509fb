//! The functions that the service adds to JSONata, those it takes away, and
//! those that must follow the execution's clock and seed.

use std::collections::BTreeSet;

use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError, HostFnResult};
use jsonata_core::parser;
use jsonata_core::value::JValue;

use super::Bindings;
use super::core::{from, into};
use crate::random::{Random, java_fraction};
use crate::{hash, timestamp};

/// Longest list that `$range` makes; the payload limit is far below it.
const RANGE_MAX: usize = 1_000_000;

/// Registers the functions whose names occur in the expression.
pub(super) fn register(
    evaluator: &mut Evaluator,
    names: &BTreeSet<String>,
    bindings: &Bindings<'_>,
) -> Result<(), EvaluatorError> {
    let now_ms = bindings.now_ms;
    for name in names {
        let random = bindings.random.clone();
        match name.as_str() {
            "partition" => evaluator.register_fn("partition", partition)?,
            "range" => evaluator.register_fn("range", range)?,
            "hash" => evaluator.register_fn("hash", hash_of)?,
            "parse" => evaluator.register_fn("parse", parse)?,
            "uuid" => {
                evaluator.register_fn("uuid", move |_: &[JValue]| Ok(JValue::from(random.uuid())))?;
            }
            "random" => evaluator
                .register_fn_override("random", move |arguments: &[JValue]| draw(arguments, &random))?,
            "shuffle" => evaluator
                .register_fn_override("shuffle", move |arguments: &[JValue]| shuffle(arguments, &random))?,
            "eval" => evaluator.register_fn_override("eval", |_: &[JValue]| fail("T1006: no function"))?,
            "millis" => {
                evaluator.register_fn_override("millis", move |_: &[JValue]| Ok(JValue::from_i64(now_ms)))?
            }
            "now" => {
                evaluator.register_fn_override("now", move |arguments: &[JValue]| now(arguments, now_ms))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn fail(text: &str) -> HostFnResult {
    Err(EvaluatorError::EvaluationError(text.to_owned()))
}

fn partition(arguments: &[JValue]) -> HostFnResult {
    let [items, size] = arguments else { return fail("T0410: $partition takes an array and a size") };
    if items.is_undefined() {
        return Ok(JValue::Undefined);
    }
    let Some(items) = items.as_array() else {
        return fail("T0410: Argument 1 of function \"partition\" does not match function signature");
    };
    let size = size.as_f64().unwrap_or(0.0).trunc();
    if size < 1.0 {
        return fail("D3137: The size of a partition must be positive");
    }
    let parts = items.chunks(size as usize).map(|part| JValue::array(part.to_vec()));
    Ok(JValue::array(parts.collect()))
}

fn range(arguments: &[JValue]) -> HostFnResult {
    let [from, to, step] = arguments else { return fail("T0410: $range takes three numbers") };
    let (Some(from), Some(to), Some(step)) = (from.as_f64(), to.as_f64(), step.as_f64()) else {
        return fail("T0410: Arguments of function \"range\" must be numbers");
    };
    if step == 0.0 || !step.is_finite() {
        return fail("D3137: The step of a range must not be zero");
    }
    // Counting the steps keeps the end exact where adding them would not.
    let count = ((to - from) / step).floor();
    if count >= RANGE_MAX as f64 {
        return fail("D2014: The size of the sequence is too large");
    }
    let count = if count < 0.0 { 0 } else { count as usize + 1 };
    Ok(JValue::array((0..count).map(|index| JValue::from_f64(from + index as f64 * step)).collect()))
}

fn hash_of(arguments: &[JValue]) -> HostFnResult {
    let [value, algorithm] = arguments else { return fail("T0410: $hash takes a value and an algorithm") };
    let text = match value {
        JValue::String(text) => text.to_string(),
        other => from(other).map(|value| value.to_string()).unwrap_or_default(),
    };
    match algorithm.as_str().and_then(|algorithm| hash::hex(&text, algorithm)) {
        Some(digest) => Ok(JValue::from(digest)),
        None => fail("D3137: There is no such hash algorithm"),
    }
}

fn parse(arguments: &[JValue]) -> HostFnResult {
    let Some(text) = arguments.first().and_then(JValue::as_str) else {
        return fail("T0410: $parse takes a string");
    };
    match serde_json::from_str(text) {
        Ok(value) => Ok(into(&value)),
        Err(_) => fail("D3137: The string is no JSON"),
    }
}

fn draw(arguments: &[JValue], random: &Random) -> HostFnResult {
    Ok(JValue::Number(match arguments.first().and_then(JValue::as_f64) {
        Some(seed) => java_fraction(seed as i64),
        None => random.fraction(),
    }))
}

fn shuffle(arguments: &[JValue], random: &Random) -> HostFnResult {
    let Some(items) = arguments.first().and_then(JValue::as_array) else { return Ok(JValue::Undefined) };
    let mut items = items.clone();
    for last in (1..items.len()).rev() {
        let other = random.between(0, last as i64 + 1);
        items.swap(last, other as usize);
    }
    Ok(JValue::array(items))
}

fn now(arguments: &[JValue], now_ms: i64) -> HostFnResult {
    if arguments.is_empty() {
        return Ok(JValue::from(timestamp::format_ms(now_ms)));
    }
    // With a picture, the engine's own formatter does it, from our clock.
    let expression = parser::parse("$fromMillis($at, $picture, $zone)")
        .map_err(|error| EvaluatorError::EvaluationError(error.to_string()))?;
    let mut context = Context::new();
    context.bind("at".into(), JValue::from_i64(now_ms));
    for (name, argument) in ["picture", "zone"].into_iter().zip(arguments) {
        context.bind(name.into(), argument.clone());
    }
    Evaluator::with_context(context).evaluate(&expression, &JValue::Undefined)
}
