//! What an expression needs of the state, found out once when it is read.
//!
//! Most expressions are plain paths like `$states.input.ticket.id`. They are
//! answered from the JSON itself, so a large payload is not converted for them.

use std::collections::BTreeSet;

use jsonata_core::ast::{AstNode, PathStep};
use serde_json::Value;

use super::{Answer, Bindings};

/// How to evaluate an expression.
#[derive(Debug)]
pub(super) struct Plan {
    /// The names of a plain path: a variable, then members.
    direct: Option<Vec<String>>,
    /// Every `$name` in the text.
    pub(super) names: BTreeSet<String>,
    /// The members of `$states` that the text may reach.
    pub(super) states: BTreeSet<&'static str>,
}

const MEMBERS: [&str; 4] = ["input", "result", "errorOutput", "context"];

impl Plan {
    pub(super) fn new(text: &str, ast: &AstNode) -> Plan {
        let names = names(text);
        // Used other than by its members, `$states` must be there as a whole.
        let whole = text.match_indices("$states").any(|(at, word)| {
            let rest = &text[at + word.len()..];
            !rest
                .trim_start()
                .strip_prefix('.')
                .is_some_and(|rest| MEMBERS.iter().any(|member| rest.trim_start().starts_with(member)))
        });
        let states = MEMBERS.into_iter().filter(|member| whole || text.contains(member)).collect();
        Plan { direct: direct(ast), names, states }
    }

    /// The answer to a plain path; none if the engine must be asked.
    pub(super) fn answer(&self, bindings: &Bindings<'_>) -> Option<Answer> {
        let (first, members) = self.direct.as_deref()?.split_first()?;
        let (start, members) = if first == "states" {
            let (member, rest) = members.split_first()?;
            let start = match member.as_str() {
                "input" => Some(bindings.sources.input),
                "result" => bindings.result,
                "errorOutput" => bindings.error_output,
                "context" => Some((bindings.sources.context)()),
                _ => None,
            };
            (start, rest)
        } else {
            ((bindings.sources.variables)(first), members)
        };
        let Some(mut at) = start else { return Some(Answer::Undefined) };
        for member in members {
            at = match at {
                Value::Object(map) => match map.get(member) {
                    Some(value) => value,
                    None => return Some(Answer::Undefined),
                },
                // A path through a list maps over it.
                Value::Array(_) => return None,
                _ => return Some(Answer::Undefined),
            };
        }
        Some(Answer::Value(at.clone()))
    }
}

fn direct(ast: &AstNode) -> Option<Vec<String>> {
    match ast {
        AstNode::Variable(name) if !name.is_empty() => Some(vec![name.clone()]),
        AstNode::Path { steps } => {
            let (first, rest) = steps.split_first()?;
            let mut names = vec![match plain(first)? {
                AstNode::Variable(name) if !name.is_empty() => name.clone(),
                _ => return None,
            }];
            for step in rest {
                let AstNode::Name(name) = plain(step)? else { return None };
                names.push(name.clone());
            }
            Some(names)
        }
        _ => None,
    }
}

fn plain(step: &PathStep) -> Option<&AstNode> {
    let bound = step.focus.is_some() || step.index_var.is_some() || step.ancestor_label.is_some();
    (step.stages.is_empty() && !bound && !step.is_tuple && !step.inner_tuple).then_some(&step.node)
}

fn names(text: &str) -> BTreeSet<String> {
    text.split('$')
        .skip(1)
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>())
        .filter(|name| !name.is_empty())
        .collect()
}
