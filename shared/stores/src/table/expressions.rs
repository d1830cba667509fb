//! Expressions of a write, from its parts.

use std::collections::BTreeSet;

use super::write::{Verb, Write};

/// The request's name.
pub(super) fn operation(verb: Verb) -> &'static str {
    match verb {
        Verb::Put => "PutItem",
        Verb::Update => "UpdateItem",
        Verb::Delete => "DeleteItem",
    }
}

/// `SET`, `REMOVE` and `ADD` of an update.
pub(super) fn update_expression(write: &Write) -> String {
    // What a newer version wrote into `v` and `mr` stays.
    let mut update =
        "SET #t = :t, #v = if_not_exists(#v, :mr), #mr = if_not_exists(#mr, :least), #wt = :wt".to_owned();
    for name in write
        .attributes
        .iter()
        .map(|(name, _)| *name)
        .chain(write.dynamic.iter().map(|(name, _)| name.as_str()))
    {
        update.push_str(&format!(", #{name} = :{name}"));
    }
    for expression in &write.expressions {
        update.push_str(", ");
        update.push_str(expression);
    }
    if !write.removals.is_empty() {
        let names: Vec<String> = write.removals.iter().map(|name| format!("#{name}")).collect();
        update.push_str(" REMOVE ");
        update.push_str(&names.join(", "));
    }
    if !write.additions.is_empty() {
        let parts: Vec<String> =
            write.additions.iter().map(|(name, _)| format!("#{name} :add_{name}")).collect();
        update.push_str(" ADD ");
        update.push_str(&parts.join(", "));
    }
    update
}

/// Names that an expression uses, without their `#`.
pub(super) fn names(expression: &str) -> BTreeSet<&str> {
    expression
        .split('#')
        .skip(1)
        .map(|rest| {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            &rest[..end]
        })
        .collect()
}
