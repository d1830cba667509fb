//! Values of single fields whose form the service checks.

use serde_json::Value;

use crate::mistake::{Code, Mistake};
use crate::model::{Map, PathField, Quantity, QueryLanguage, State, StateKind};

/// Longest label of a Map.
const LABEL_MAX: usize = 40;

/// Checks the fields of one state.
pub fn check(language: QueryLanguage, state: &State, at: &str, mistakes: &mut Vec<Mistake>) {
    let mut add = |field: &str, message: &str| {
        mistakes.push(Mistake::new(Code::SchemaValidationFailed, format!("{at}{field}"), message));
    };
    if let PathField::Path(path) = &state.result_path
        && !is_reference_path(path)
    {
        add("/ResultPath", "Value is not a Reference Path, which names one place and no other");
    }
    match &state.kind {
        StateKind::Task(task) => {
            if let Some(credentials) = &task.credentials {
                let role = |name: &str| credentials.get(name).is_some_and(Value::is_string);
                let known = role("RoleArn") || (language == QueryLanguage::JsonPath && role("RoleArn.$"));
                if !known {
                    add("/Credentials", "The field 'RoleArn' is required but was missing");
                }
            }
        }
        StateKind::Map(map) => {
            if state.parameters.is_some() && map.item_selector.is_some() {
                add("", "Only one of the fields 'Parameters' and 'ItemSelector' is allowed");
            }
            for message in map_troubles(map) {
                add("", &message);
            }
        }
        _ => {}
    }
}

fn map_troubles(map: &Map) -> Vec<String> {
    let mut troubles = Vec::new();
    if let Some(Quantity::Number(percent)) = &map.tolerated_failure_percentage
        && percent.as_f64().is_some_and(|percent| percent > 100.0)
    {
        troubles.push("ToleratedFailurePercentage must be between 0 and 100.".to_owned());
    }
    if let Some(label) = &map.label {
        let refused = |letter: char| {
            letter.is_whitespace() || letter.is_control() || "?*<>{}[]:;,\\|^~$#%&`\"/".contains(letter)
        };
        if label.is_empty() || label.chars().count() > LABEL_MAX || label.chars().any(refused) {
            troubles.push(format!("Label has 1 to {LABEL_MAX} characters and none that are special"));
        }
    }
    for (what, value) in [("ReaderConfig", &map.item_reader), ("", &map.item_batcher)] {
        let fields = value.as_ref().map(|value| if what.is_empty() { value } else { &value[what] });
        let Some(Value::Object(fields)) = fields else { continue };
        for name in fields.keys().filter(|name| fields.contains_key(&format!("{name}Path"))) {
            troubles.push(format!("Only one of the fields '{name}' and '{name}Path' is allowed"));
        }
    }
    troubles
}

/// `$`, `$.a.b`, `$['a'][0]`: no wildcard, slice, filter or descent, and not in the context object.
fn is_reference_path(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('$') else { return false };
    !rest.starts_with('$') && !rest.contains("..") && !rest.contains(['*', '?', '@', ','])
}
