//! What each intrinsic function does, as recorded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::hash;
use crate::random::{Random, java_fraction};

/// Longest list that States.ArrayRange makes.
const RANGE_MAX: usize = 1_000;
/// Longest text that States.Base64Encode and Decode take.
const BASE64_MAX: usize = 10_000;

type Answer = Result<Value, String>;

/// Calls a function by its full name.
pub(super) fn call(name: &str, arguments: &[Value], random: &Random) -> Answer {
    let Some(short) = name.strip_prefix("States.") else {
        return Err("there is no such function".into());
    };
    match (short, arguments) {
        ("Format", [template, rest @ ..]) => format(text(template)?, rest).map(Value::String),
        ("StringToJson", [value]) => string_to_json(text(value)?),
        ("JsonToString", [value]) => Ok(Value::String(value.to_string())),
        ("Array", values) => Ok(Value::Array(values.to_vec())),
        ("ArrayPartition", [items, size]) => array_partition(list(items)?, size),
        ("ArrayContains", [items, value]) => {
            Ok(Value::Bool(list(items)?.iter().any(|item| same(item, value))))
        }
        ("ArrayRange", [from, to, step]) => array_range(rounded(from)?, rounded(to)?, rounded(step)?),
        ("ArrayGetItem", [items, index]) => {
            let (items, index) = (list(items)?, rounded(index)?);
            let item = usize::try_from(index).ok().and_then(|index| items.get(index));
            item.cloned().ok_or_else(|| format!("there is no item {index} in a list of {}", items.len()))
        }
        ("ArrayLength", [items]) => Ok(list(items)?.len().into()),
        ("ArrayUnique", [items]) => Ok(Value::Array(unique(list(items)?))),
        ("Base64Encode", [value]) => bounded(text(value)?).map(|text| STANDARD.encode(text).into()),
        ("Base64Decode", [value]) => base64_decode(bounded(text(value)?)?),
        ("Hash", [value, algorithm]) => {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let digest = hash::hex(&value, text(algorithm)?);
            digest.map(Value::String).ok_or_else(|| "there is no such algorithm".into())
        }
        ("JsonMerge", [left, right, deep]) => json_merge(left, right, deep),
        ("MathRandom", [from, to]) => Ok(random.between(rounded(from)?, rounded(to)?).into()),
        ("MathRandom", [from, to, seed]) => {
            let (from, to) = (rounded(from)?, rounded(to)?);
            let drawn = java_fraction(rounded(seed)?) * to.saturating_sub(from) as f64;
            Ok(from.saturating_add(drawn as i64).into())
        }
        ("MathAdd", [left, right]) => Ok(rounded(left)?.saturating_add(rounded(right)?).into()),
        ("StringSplit", [value, delimiters]) => {
            let (value, delimiters) = (text(value)?, text(delimiters)?);
            let pieces = value.split(|c| delimiters.contains(c)).filter(|piece| !piece.is_empty());
            Ok(pieces.map(Value::from).collect())
        }
        ("UUID", []) => Ok(Value::String(random.uuid())),
        _ => Err(format!("there is no such function with {} arguments", arguments.len())),
    }
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("a string is expected, not {value}"))
}

fn list(value: &Value) -> Result<&[Value], String> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| format!("an array is expected, not {value}"))
}

/// Numbers are rounded half up, towards plus infinity.
fn rounded(value: &Value) -> Result<i64, String> {
    match value.as_i64() {
        Some(whole) => Ok(whole),
        None => value
            .as_f64()
            .map(|number| (number + 0.5).floor() as i64)
            .ok_or_else(|| format!("a number is expected, not {value}")),
    }
}

fn bounded(value: &str) -> Result<&str, String> {
    if value.chars().count() > BASE64_MAX {
        return Err(format!("more than {BASE64_MAX} characters"));
    }
    Ok(value)
}

fn format(template: &str, arguments: &[Value]) -> Result<String, String> {
    let mut arguments = arguments.iter();
    let mut out = String::new();
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if matches!(chars.peek(), Some('{' | '}')) => out.extend(chars.next()),
            '{' if chars.peek() == Some(&'}') => {
                chars.next();
                let value = arguments.next().ok_or("fewer arguments than places for them")?;
                out.push_str(&java(value));
            }
            c => out.push(c),
        }
    }
    if arguments.next().is_some() {
        return Err("more arguments than places for them".into());
    }
    Ok(out)
}

/// A value as Java's `toString` prints it: maps as `{a=1}`, strings bare.
fn java(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(java).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let members: Vec<_> = map.iter().map(|(key, value)| format!("{key}={}", java(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
        other => other.to_string(),
    }
}

fn string_to_json(value: &str) -> Answer {
    if value.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(value).map_err(|why| format!("no JSON: {why}"))
}

fn array_partition(items: &[Value], size: &Value) -> Answer {
    let size = usize::try_from(rounded(size)?).unwrap_or(0);
    if size == 0 {
        return Err("the size of a part must be positive".into());
    }
    Ok(items.chunks(size).map(|chunk| Value::Array(chunk.to_vec())).collect())
}

fn array_range(from: i64, to: i64, step: i64) -> Answer {
    if step == 0 {
        return Err("the step must not be zero".into());
    }
    let mut items: Vec<Value> = Vec::new();
    let mut at = from;
    while (step > 0 && at <= to) || (step < 0 && at >= to) {
        if items.len() == RANGE_MAX {
            return Err(format!("more than {RANGE_MAX} items"));
        }
        items.push(at.into());
        at = at.saturating_add(step);
    }
    Ok(items.into())
}

fn unique(items: &[Value]) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::new();
    for item in items {
        if !kept.iter().any(|other| same(other, item)) {
            kept.push(item.clone());
        }
    }
    kept
}

fn base64_decode(value: &str) -> Answer {
    let bytes = STANDARD.decode(value).map_err(|why| format!("no Base64: {why}"))?;
    String::from_utf8(bytes).map(Value::String).map_err(|_| "the decoded bytes are no text".into())
}

fn json_merge(left: &Value, right: &Value, deep: &Value) -> Answer {
    let (Value::Object(left), Value::Object(right), Value::Bool(false)) = (left, right, deep) else {
        return Err("two objects and false are expected".into());
    };
    let mut merged: Map<String, Value> = left.clone();
    merged.extend(right.iter().map(|(key, value)| (key.clone(), value.clone())));
    Ok(Value::Object(merged))
}

/// Deep equality in which numbers compare by value.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        }
        _ => left == right,
    }
}
