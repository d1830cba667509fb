//! Whether two JSON values are the same: numbers by value, members in any order, nothing missing.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Number, Value as Json};

/// Reads and writes back; the error says where something got lost, never what.
pub(super) fn lossless<T: DeserializeOwned + Serialize>(json: &Json) -> Result<(), String> {
    let read: T = serde_json::from_str(&json.to_string()).map_err(|error| {
        let category = error.classify();
        format!("cannot be read ({category:?} at line {} column {})", error.line(), error.column())
    })?;
    let written = serde_json::to_value(&read).map_err(|_| "cannot be written back".to_owned())?;
    same(json, &written)
}

/// Compares, naming the first place that differs.
pub(super) fn same(expected: &Json, found: &Json) -> Result<(), String> {
    differs(expected, found, &mut String::new())
}

fn differs(expected: &Json, found: &Json, path: &mut String) -> Result<(), String> {
    let here =
        |what: &str, path: &str| Err(format!("{what} at {}", if path.is_empty() { "/" } else { path }));
    match (expected, found) {
        (Json::Object(a), Json::Object(b)) => {
            if let Some(name) = b.keys().find(|name| !a.contains_key(*name)) {
                return here("a member came up", &format!("{path}/{name}"));
            }
            for (name, value) in a {
                let length = path.len();
                path.push('/');
                path.push_str(name);
                match b.get(name) {
                    Some(other) => differs(value, other, path)?,
                    None => return here("a member got lost", path),
                }
                path.truncate(length);
            }
            Ok(())
        }
        (Json::Array(a), Json::Array(b)) => {
            if a.len() != b.len() {
                return here("entries got lost", path);
            }
            for (at, (value, other)) in a.iter().zip(b).enumerate() {
                let length = path.len();
                path.push_str(&format!("/{at}"));
                differs(value, other, path)?;
                path.truncate(length);
            }
            Ok(())
        }
        (Json::Number(a), Json::Number(b)) if equal(a, b) => Ok(()),
        (a, b) if a == b => Ok(()),
        _ => here("a value changed", path),
    }
}

fn equal(a: &Number, b: &Number) -> bool {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => a == b,
        _ => a.as_f64() == b.as_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_loss_is_named_by_its_place() {
        let full = json!({"a": [{"b": 1, "c": null}], "d": 2});
        assert_eq!(same(&full, &json!({"d": 2.0, "a": [{"c": null, "b": 1}]})), Ok(()));
        let place = |other: Json| same(&full, &other).unwrap_err();
        assert_eq!(place(json!({"a": [{"b": 1}], "d": 2})), "a member got lost at /a/0/c");
        assert_eq!(place(json!({"a": [], "d": 2})), "entries got lost at /a");
        assert_eq!(place(json!({"a": [{"b": "1", "c": null}], "d": 2})), "a value changed at /a/0/b");
        assert_eq!(place(json!({"a": [{"b": 1, "c": null}], "d": 2, "e": null})), "a member came up at /e");
        assert!(same(&json!(9007199254740993_i64), &json!(9007199254740992_i64)).is_err());
    }
}
