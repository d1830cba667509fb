//! Three-way merge of one field, and the rules that decide when both sides changed it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::field::Value;
use crate::ids::{Side, Timestamp};

/// Who wins when both sides changed a field since they last agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Always this side.
    Owner(Side),
    /// The later edit, where both times are known and differ; otherwise this side.
    Newest(Side),
    /// Sets only: everybody's adds and removes.
    Union,
    /// Nobody: each side keeps its own until a person decides.
    Ask,
}

impl Rule {
    /// The word for it in `deskup.toml`.
    pub fn word(self) -> &'static str {
        match self {
            Rule::Owner(Side::Zendesk) => "zendesk",
            Rule::Owner(Side::Clickup) => "clickup",
            Rule::Newest(_) => "newest",
            Rule::Union => "union",
            Rule::Ask => "ask",
        }
    }

    /// The rule with the two sides exchanged.
    pub fn swapped(self) -> Rule {
        match self {
            Rule::Owner(side) => Rule::Owner(side.other()),
            Rule::Newest(side) => Rule::Newest(side.other()),
            other => other,
        }
    }
}

/// When people last changed the field, where events proved it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// On Zendesk.
    pub zendesk: Option<Timestamp>,
    /// On ClickUp.
    pub clickup: Option<Timestamp>,
}

/// What follows when both sides changed a field to different values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Whose value stands; `None` when each side keeps its own.
    pub winner: Option<Side>,
    /// The rule in words, as it was really applied.
    pub rule: String,
}

fn lower(side: Side) -> &'static str {
    Rule::Owner(side).word()
}

/// Chooses between two different changes.
pub fn choose(rule: Rule, times: Times) -> Choice {
    let word = rule.word();
    let (winner, rule) = match rule {
        Rule::Owner(side) => (Some(side), word.to_owned()),
        Rule::Ask => (None, word.to_owned()),
        Rule::Newest(or) => match (times.zendesk, times.clickup) {
            (Some(z), Some(c)) if z < c => (Some(Side::Clickup), word.to_owned()),
            (Some(z), Some(c)) if c < z => (Some(Side::Zendesk), word.to_owned()),
            (Some(_), Some(_)) => (Some(or), format!("newest (same time, so {})", lower(or))),
            _ => (Some(or), format!("newest (a time is not known, so {})", lower(or))),
        },
        // Not sets: the settings refuse this, and choosing for a person would lose a value.
        Rule::Union => (None, "union (not a set, so nobody)".to_owned()),
    };
    Choice { winner, rule }
}

/// The result of a merge of two values in one common form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// What both should hold; `None` when each keeps its own.
    pub value: Option<Value>,
    /// Set when both changed and a rule was needed: the values that must be kept for a person are
    /// those of the two that are not the result.
    pub clash: Option<Choice>,
}

/// Merges two values of a field against what they were when they last agreed.
pub fn merge(base: &Value, zendesk: &Value, clickup: &Value, rule: Rule, times: Times) -> Merged {
    if zendesk == clickup || clickup == base {
        return Merged { value: Some(zendesk.clone()), clash: None };
    }
    if zendesk == base {
        return Merged { value: Some(clickup.clone()), clash: None };
    }
    if rule == Rule::Union
        && let (Some(b), Some(z), Some(c)) = (as_set(base), as_set(zendesk), as_set(clickup))
    {
        let both = merge_sets(Against::one(&b), &z, &c);
        return Merged { value: Some(set_value(both.zendesk)), clash: None };
    }
    let choice = choose(rule, times);
    let value = choice.winner.map(|side| match side {
        Side::Zendesk => zendesk.clone(),
        Side::Clickup => clickup.clone(),
    });
    Merged { value, clash: Some(choice) }
}

/// The members that each side had when they last agreed. They differ only where a member could not be
/// mirrored or a conflict left the sides apart.
#[derive(Clone, Copy, Debug)]
pub struct Against<'a> {
    /// On Zendesk.
    pub zendesk: &'a BTreeSet<String>,
    /// On ClickUp, in the common form.
    pub clickup: &'a BTreeSet<String>,
}

impl<'a> Against<'a> {
    /// One base for both.
    pub fn one(base: &'a BTreeSet<String>) -> Self {
        Against { zendesk: base, clickup: base }
    }
}

/// What each side should hold after a merge of sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergedSets {
    /// On Zendesk.
    pub zendesk: BTreeSet<String>,
    /// On ClickUp, in the common form.
    pub clickup: BTreeSet<String>,
    /// Whether a member was added on one side and removed on the other, which only bases that differ
    /// make possible. It is kept, and a conflict has to say so.
    pub crossed: bool,
}

/// Merges sets member by member: an add or a remove on either side counts on both. A member that
/// neither side touched stays as it is on each, even where the sides differ.
pub fn merge_sets(base: Against<'_>, zendesk: &BTreeSet<String>, clickup: &BTreeSet<String>) -> MergedSets {
    let mut merged = MergedSets::default();
    let members = [base.zendesk, base.clickup, zendesk, clickup];
    for member in members.into_iter().flatten().collect::<BTreeSet<_>>() {
        let (z, c) = (zendesk.contains(member), clickup.contains(member));
        let (z_moved, c_moved) = (z != base.zendesk.contains(member), c != base.clickup.contains(member));
        let (on_z, on_c) = match (z_moved, c_moved) {
            (true, false) => (z, z),
            (false, true) => (c, c),
            (false, false) => (z, c),
            // One added what the other removed: keeping it loses nothing.
            (true, true) => {
                merged.crossed |= z != c;
                (z || c, z || c)
            }
        };
        if on_z {
            merged.zendesk.insert(member.clone());
        }
        if on_c {
            merged.clickup.insert(member.clone());
        }
    }
    merged
}

/// A set from a value; "not set" is the empty set.
pub fn as_set(value: &Value) -> Option<BTreeSet<String>> {
    match value {
        Value::Set(set) => Some(set.clone()),
        Value::Null => Some(BTreeSet::new()),
        _ => None,
    }
}

/// The normal form of a set: the empty one is "not set".
pub fn set_value(set: BTreeSet<String>) -> Value {
    if set.is_empty() { Value::Null } else { Value::Set(set) }
}
