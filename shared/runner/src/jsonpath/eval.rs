//! Walks a parsed path through a value.

use serde_json::Value;

use super::{Nowhere, Step};

/// The one value of a definite path; none stands for null (an index past the end of a list).
pub(super) fn definite<'a>(steps: &[Step], start: &'a Value) -> Result<Option<&'a Value>, Nowhere> {
    let mut at = start;
    for (number, step) in steps.iter().enumerate() {
        let found = match (step, at) {
            (Step::Key(name), Value::Object(map)) => map.get(name),
            (Step::Index(index), Value::Array(list)) => match position(*index, list.len()) {
                Some(index) => list.get(index),
                None if number + 1 == steps.len() => return Ok(None),
                None => None,
            },
            _ => None,
        };
        at = found.ok_or_else(|| {
            let path = normalized(&steps[..=number]);
            if number + 1 == steps.len() { Nowhere::Last(path) } else { Nowhere::Before(path) }
        })?;
    }
    Ok(Some(at))
}

/// All values of an indefinite path, in the order of the document.
pub(super) fn all<'a>(steps: &[Step], start: &'a Value, root: &'a Value) -> Vec<&'a Value> {
    let mut found = vec![start];
    for step in steps {
        let mut next = Vec::new();
        for value in found {
            apply(step, value, root, &mut next);
        }
        found = next;
    }
    found
}

fn apply<'a>(step: &Step, value: &'a Value, root: &'a Value, out: &mut Vec<&'a Value>) {
    match (step, value) {
        (Step::Key(name), Value::Object(map)) => out.extend(map.get(name)),
        (Step::Keys(names), Value::Object(map)) => out.extend(names.iter().filter_map(|name| map.get(name))),
        (Step::Index(index), Value::Array(list)) => {
            out.extend(position(*index, list.len()).map(|index| &list[index]));
        }
        (Step::Indexes(indexes), Value::Array(list)) => {
            out.extend(
                indexes.iter().filter_map(|index| position(*index, list.len())).map(|index| &list[index]),
            );
        }
        (Step::Slice { from, to }, Value::Array(list)) => {
            let bound = |index: i64| {
                let length = list.len() as i64;
                (if index < 0 { index + length } else { index }).clamp(0, length) as usize
            };
            let (from, to) = (bound(from.unwrap_or(0)), to.map_or(list.len(), bound));
            out.extend(list.iter().take(to).skip(from));
        }
        (Step::Any, value) => out.extend(children(value)),
        (Step::Deep(step), value) => {
            apply(step, value, root, out);
            for child in children(value) {
                apply(&Step::Deep(step.clone()), child, root, out);
            }
        }
        (Step::Filter(test), Value::Array(list)) => {
            out.extend(list.iter().filter(|item| test.holds(item, root)));
        }
        (Step::Filter(test), Value::Object(_)) if test.holds(value, root) => out.push(value),
        _ => {}
    }
}

fn children(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(list) => Box::new(list.iter()),
        Value::Object(map) => Box::new(map.values()),
        _ => Box::new(std::iter::empty()),
    }
}

/// An index into a list; negative ones count from the end.
fn position(index: i64, length: usize) -> Option<usize> {
    let index = if index < 0 { index + length as i64 } else { index };
    usize::try_from(index).ok().filter(|index| *index < length)
}

/// The path as Jayway prints it: `$['a'][0]`.
fn normalized(steps: &[Step]) -> String {
    let mut text = String::from("$");
    for step in steps {
        match step {
            Step::Key(name) => text.push_str(&format!("['{name}']")),
            Step::Index(index) => text.push_str(&format!("[{index}]")),
            _ => {}
        }
    }
    text
}
