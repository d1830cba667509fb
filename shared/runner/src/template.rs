//! Payload templates: JSON in which some strings are paths, calls or expressions.

use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::intrinsics::{self, Failure};
use crate::jsonata::{self, Answer, Bindings, Core, Query};
use crate::jsonpath::{self, Sources};
use crate::random::Random;
use crate::texts;

/// Evaluates a JSONPath payload template: keys that end in `.$` are computed.
pub(crate) fn paths(template: &Value, sources: &Sources<'_>, random: &Random) -> Result<Value, Fault> {
    match template {
        Value::Object(map) => {
            let mut out = Map::new();
            for (key, value) in map {
                match (key.strip_suffix(".$"), value) {
                    (Some(name), Value::String(text)) => {
                        out.insert(name.to_owned(), computed(text, key, sources, random)?);
                    }
                    _ => {
                        out.insert(key.clone(), paths(value, sources, random)?);
                    }
                }
            }
            Ok(Value::Object(out))
        }
        Value::Array(items) => items.iter().map(|item| paths(item, sources, random)).collect(),
        literal => Ok(literal.clone()),
    }
}

/// The value of one path or call, in a field that payload templates name.
pub(crate) fn computed(
    text: &str,
    field: &str,
    sources: &Sources<'_>,
    random: &Random,
) -> Result<Value, Fault> {
    let missing = |path: &str| Fault::runtime(texts::path_not_found(path, field, sources.input));
    if !intrinsics::is_call(text) {
        let path = jsonpath::parse(text).map_err(|bad| Fault::runtime(bad.to_string()))?;
        return path.find(sources).map_err(|_| missing(text));
    }
    let call = intrinsics::parse(text).map_err(Fault::runtime)?;
    call.value(sources, random).map_err(|failure| match failure {
        Failure::Path(path, _) => missing(&path),
        Failure::Refused(why) => Fault::named(texts::INTRINSIC, why),
    })
}

/// Evaluates every `{% … %}` in a JSONata field.
pub(crate) fn expressions(template: &Value, field: &str, bindings: &Bindings<'_>) -> Result<Value, Fault> {
    match template {
        Value::String(text) => match jsonata::expression(text) {
            Some(expression) => evaluate(expression, field, bindings),
            None => Ok(template.clone()),
        },
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| Ok((key.clone(), expressions(value, &format!("{field}/{key}"), bindings)?)))
            .collect::<Result<Map<_, _>, _>>()
            .map(Value::Object),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| expressions(item, &format!("{field}[{index}]"), bindings))
            .collect(),
        literal => Ok(literal.clone()),
    }
}

/// Evaluates one expression, which must have a value.
pub(crate) fn evaluate(expression: &str, field: &str, bindings: &Bindings<'_>) -> Result<Value, Fault> {
    let answer = Core.compile(expression).and_then(|compiled| Core.eval(&compiled, bindings));
    let cause = match answer {
        Ok(Answer::Value(value)) => return Ok(value),
        Ok(Answer::Undefined) => texts::undefined(expression, field),
        Ok(Answer::Function) => texts::unsupported_type(expression, field),
        Err(error) => texts::threw(expression, field, error.code.as_deref(), &error.message),
    };
    Err(Fault::query(Some(field), cause))
}
