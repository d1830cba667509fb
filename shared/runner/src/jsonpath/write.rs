//! Writes a result where ResultPath points.

use serde_json::{Map, Value};

use super::{Path, Step};

/// Puts `result` at `path` inside `target`, creating parents that are missing.
/// None if the path goes through something that is neither object nor list.
pub fn insert(path: &Path, mut target: Value, result: Value) -> Option<Value> {
    let mut at = &mut target;
    for step in path.reference()? {
        at = match step {
            Step::Key(name) => {
                if !at.is_object() {
                    // A scalar or null in the way gives place to the new parent.
                    if at.is_array() {
                        return None;
                    }
                    *at = Value::Object(Map::new());
                }
                at.as_object_mut()?.entry(name.clone()).or_insert(Value::Null)
            }
            Step::Index(index) => {
                let index = usize::try_from(*index).ok()?;
                at.as_array_mut()?.get_mut(index)?
            }
            _ => return None,
        };
    }
    *at = result;
    Some(target)
}
