//! What can never run: sides of choices that are decided already, loops that do not go round, maps over nothing.

use serde_json::Value;

use super::Resolver;
use crate::expression::{Condition, Expression};
use crate::workflow::{Block, WITHOUT_BOUND};

impl Resolver<'_> {
    /// A choice that is none.
    pub(super) fn decided(&mut self, id: &str, when: &Condition, then: &Block, otherwise: &Block) {
        let Some(holds) = decided(when) else { return };
        let (always, never_run) = if holds { ("always", otherwise) } else { ("never", then) };
        let message = match listed(never_run) {
            None => format!(
                "its condition {always} holds, so there is nothing to choose: put its steps in its place"
            ),
            Some(steps) => {
                format!(
                    "its condition {always} holds, so {steps} cannot be reached: correct it, or take them out"
                )
            }
        };
        self.mistake(id, message);
    }

    /// A loop that does not go round, or never ends.
    pub(super) fn rounds(&mut self, id: &str, until: &Condition, has_pause: bool, at_most: u64) {
        match decided(until) {
            Some(true) => {
                self.mistake(
                    id,
                    "its condition always holds, so it goes round once: put its steps in its place",
                );
            }
            Some(false) if at_most == WITHOUT_BOUND => {
                let message =
                    "its condition never holds and it has no bound, so nothing behind it can be reached";
                self.mistake(id, format!("{message}: give it a bound"));
            }
            _ if at_most == 1 && has_pause => {
                self.mistake(id, "it goes round once, so its pause cannot be reached: take it out");
            }
            _ => {}
        }
    }

    /// A map over a list that is written in the table and empty.
    pub(super) fn over_nothing(&mut self, id: &str, items: &Expression, body: &Block) {
        if let (Expression::Literal(Value::Array(items)), Some(steps)) = (items, listed(body))
            && items.is_empty()
        {
            self.mistake(id, format!("its list is empty, so {steps} cannot be reached: take the map out"));
        }
    }
}

/// The names in a block; none if it has no steps.
fn listed(block: &Block) -> Option<String> {
    let names: Vec<String> = block.nodes.iter().map(|node| format!("`{}`", node.id)).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// Whether the condition holds, where that is certain before anything runs.
fn decided(condition: &Condition) -> Option<bool> {
    match condition {
        Condition::IsTrue(value) => known(value)?.as_bool(),
        // Neither lists nor rounds are fewer than none.
        Condition::Above(Expression::Count(_) | Expression::Counter(_), bound) if *bound < 0 => Some(true),
        Condition::Above(value, bound) => Some(known(value)?.as_f64()? > *bound as f64),
        Condition::Equal(one, other) if one == other => Some(true),
        Condition::Equal(one, other) => {
            let (one, other) = (known(one)?, known(other)?);
            Some(match (one.as_f64(), other.as_f64()) {
                (Some(one), Some(other)) => one == other,
                _ => one == other,
            })
        }
        Condition::Not(condition) => decided(condition).map(|holds| !holds),
    }
}

/// The value, where it is written in the table.
fn known(value: &Expression) -> Option<Value> {
    match value {
        Expression::Literal(value) => Some(value.clone()),
        Expression::Count(list) => Some(known(list)?.as_array()?.len().into()),
        _ => None,
    }
}
