//! Compares histories.
//!
//! Branches may interleave in any way, so where there are branches the events
//! are compared as the tree that their previous ids make.

use runner::Event;
use serde_json::{Map, Value};

use crate::compare::{fits, parsed, same_bag};

/// What differs, if anything.
pub fn difference(expected: &[Value], actual: &[Event], expect: &Value) -> Option<String> {
    let same = if expect["ids"] == false {
        let placed = |event: &Value| {
            let id = event["id"].as_u64().unwrap_or(0);
            id == 0 || actual.iter().any(|other| other.id == id && event["type"] == other.kind.as_str())
        };
        same_bag(expected, actual, same_event) && expected.iter().all(placed)
    } else if expect["ordered"] == false {
        in_order(expected, actual) || same_tree(0, 0, expected, actual, 0)
    } else {
        in_order(expected, actual)
    };
    (!same).then(|| explain(expected, actual))
}

fn in_order(expected: &[Value], actual: &[Event]) -> bool {
    expected.len() == actual.len()
        && expected.iter().zip(actual).all(|(expected, actual)| {
            expected["id"] == actual.id && expected["prev"] == actual.previous && same_event(expected, actual)
        })
}

/// Whether the same events follow, in the same chains. Ids may differ between branches.
fn same_tree(after: u64, after_actual: u64, expected: &[Value], actual: &[Event], depth: usize) -> bool {
    let children: Vec<&Value> = expected.iter().filter(|event| event["prev"] == after).collect();
    let others: Vec<&Event> = actual.iter().filter(|event| event.previous == after_actual).collect();
    depth < expected.len() + 2
        && same_bag(&children, &others, |event, other| {
            same_event(event, other)
                && same_tree(event["id"].as_u64().unwrap_or(0), other.id, expected, actual, depth + 1)
        })
}

fn same_event(expected: &Value, actual: &Event) -> bool {
    let none = Value::Object(Map::new());
    let mut details = actual.details.clone().unwrap_or_else(|| none.clone());
    let pattern = expected.get("details").unwrap_or(&none);
    if pattern.get("cause_json").is_some()
        && let Some(members) = details.as_object_mut()
    {
        let cause = members.remove("cause");
        members.insert("cause_json".into(), parsed(cause.as_ref().and_then(Value::as_str)));
    }
    expected["type"] == actual.kind.as_str() && fits(pattern, &details)
}

fn explain(expected: &[Value], actual: &[Event]) -> String {
    let mut lines = vec![String::from("events differ")];
    let longest = expected.len().max(actual.len());
    for index in 0..longest {
        let event = expected.get(index);
        let other = actual.get(index);
        let same = event.zip(other).is_some_and(|(event, other)| {
            event["id"] == other.id && event["prev"] == other.previous && same_event(event, other)
        });
        if !same {
            lines.push(format!("  expected {}", event.map_or_else(|| "nothing".into(), Value::to_string)));
            lines.push(format!("  got      {}", other.map_or_else(|| "nothing".into(), shown)));
        }
        if lines.len() > 8 {
            break;
        }
    }
    lines.join("\n")
}

fn shown(event: &Event) -> String {
    let details = event.details.clone().unwrap_or_default();
    format!(r#"{{"id":{},"prev":{},"type":"{}","details":{details}}}"#, event.id, event.previous, event.kind)
}
