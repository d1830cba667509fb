//! The tests inside `[?( … )]`.

use serde_json::Value;

use super::{Step, eval};

/// A test of one item.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    Or(Vec<Test>),
    And(Vec<Test>),
    Not(Box<Test>),
    /// The path leads somewhere.
    Exists(Operand),
    Compare(Operand, Relation, Operand),
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    /// `@…`.
    Item(Vec<Step>),
    /// `$…`.
    Root(Vec<Step>),
    Literal(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Test {
    pub(super) fn holds(&self, item: &Value, root: &Value) -> bool {
        match self {
            Test::Or(tests) => tests.iter().any(|test| test.holds(item, root)),
            Test::And(tests) => tests.iter().all(|test| test.holds(item, root)),
            Test::Not(test) => !test.holds(item, root),
            Test::Exists(operand) => operand.value(item, root).is_some(),
            Test::Compare(left, relation, right) => {
                compare(left.value(item, root), *relation, right.value(item, root))
            }
        }
    }
}

impl Operand {
    fn value(&self, item: &Value, root: &Value) -> Option<Value> {
        match self {
            Operand::Literal(value) => Some(value.clone()),
            Operand::Item(steps) => eval::all(steps, item, root).first().map(|value| (*value).clone()),
            Operand::Root(steps) => eval::all(steps, root, root).first().map(|value| (*value).clone()),
        }
    }
}

fn compare(left: Option<Value>, relation: Relation, right: Option<Value>) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = match (&left, &right) {
        (Some(Value::Number(left)), Some(Value::Number(right))) => {
            left.as_f64().zip(right.as_f64()).and_then(|(left, right)| left.partial_cmp(&right))
        }
        (Some(Value::String(left)), Some(Value::String(right))) => Some(left.cmp(right)),
        _ => (left == right).then_some(Equal),
    };
    match relation {
        Relation::Equal => order == Some(Equal),
        Relation::NotEqual => order != Some(Equal),
        Relation::Less => order == Some(Less),
        Relation::LessOrEqual => matches!(order, Some(Less | Equal)),
        Relation::Greater => order == Some(Greater),
        Relation::GreaterOrEqual => matches!(order, Some(Greater | Equal)),
    }
}
