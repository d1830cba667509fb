//! What the service refuses of an expression when a machine is created.
//!
//! At the top level there is nothing that a bare name, `$` or `$$` could mean;
//! inside paths and predicates there is.

use jsonata_core::ast::AstNode;
use jsonata_core::parser;

/// Checks one expression, without its `{%` and `%}`. The error is the service's text, or for a
/// syntax error the parser's.
pub fn check_expression(text: &str) -> Result<(), String> {
    let ast = parser::parse(text).map_err(|error| error.to_string())?;
    match outside(&ast) {
        Some(name) => Err(format!("Reference to '{name}' at the top level is not supported.")),
        None => Ok(()),
    }
}

/// A reference to an input that the top level does not have.
fn outside(node: &AstNode) -> Option<String> {
    match node {
        AstNode::Name(name) => Some(name.clone()),
        AstNode::Variable(name) if name.is_empty() || name == "$" => Some(format!("${name}")),
        AstNode::ParentVariable(_) => Some("$$".into()),
        AstNode::Wildcard => Some("*".into()),
        AstNode::Descendant => Some("**".into()),
        AstNode::Function { name, is_builtin: false, .. } => Some(name.clone()),
        // Only the first step is at the top level; the others see what it gave.
        AstNode::Path { steps } => steps.first().and_then(|step| outside(&step.node)),
        AstNode::Binary { lhs, rhs, .. } => outside(lhs).or_else(|| outside(rhs)),
        AstNode::Unary { operand, .. } => outside(operand),
        AstNode::Function { args, .. } => args.iter().find_map(outside),
        AstNode::Call { procedure, args } => outside(procedure).or_else(|| args.iter().find_map(outside)),
        AstNode::Array(items) | AstNode::ArrayGroup(items) | AstNode::Block(items) => {
            items.iter().find_map(outside)
        }
        AstNode::Object(pairs) => {
            pairs.iter().find_map(|(key, value)| outside(key).or_else(|| outside(value)))
        }
        AstNode::ObjectTransform { input, .. } | AstNode::Sort { input, .. } => outside(input),
        AstNode::Conditional { condition, then_branch, else_branch } => outside(condition)
            .or_else(|| outside(then_branch))
            .or_else(|| else_branch.as_deref().and_then(outside)),
        // Literals, variables, and functions, which see what they are applied to.
        _ => None,
    }
}
