//! Values that a workflow computes while it runs: what a person writes in the table, and the JSONata it becomes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::types::Type;

/// A value known at run time.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A field of the execution's input.
    Input(String),
    /// The result of a step, or a field of it.
    Result(String, Option<String>),
    /// How often a loop has gone round before, from 0.
    Counter(String),
    /// The current item of the innermost Map, or a field of it.
    Item(Option<String>),
    /// A value written in the table.
    Literal(Value),
    /// How many elements a list has.
    Count(Box<Expression>),
}

/// A field of the execution's input.
pub fn input(field: &str) -> Expression {
    Expression::Input(field.to_owned())
}

/// A field of a step's result.
pub fn result(step: &str, field: &str) -> Expression {
    Expression::Result(step.to_owned(), Some(field.to_owned()))
}

/// A step's whole result.
pub fn whole(step: &str) -> Expression {
    Expression::Result(step.to_owned(), None)
}

/// How often a loop has gone round before.
pub fn counter(of: &str) -> Expression {
    Expression::Counter(of.to_owned())
}

/// The current item of a Map.
pub fn item() -> Expression {
    Expression::Item(None)
}

/// A value written in the table.
pub fn literal(value: impl Into<Value>) -> Expression {
    Expression::Literal(value.into())
}

/// How many elements a list has.
pub fn count(list: Expression) -> Expression {
    Expression::Count(Box::new(list))
}

/// Something that holds or does not.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// The value is true.
    IsTrue(Expression),
    /// The number is above this one.
    Above(Expression, i64),
    /// The values are equal.
    Equal(Expression, Expression),
    /// The opposite.
    Not(Box<Condition>),
}

/// The value is true.
pub fn is_true(value: Expression) -> Condition {
    Condition::IsTrue(value)
}

/// The number is above this one.
pub fn above(value: Expression, bound: i64) -> Condition {
    Condition::Above(value, bound)
}

/// The values are equal.
pub fn equal(one: Expression, other: Expression) -> Condition {
    Condition::Equal(one, other)
}

/// The opposite.
pub fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

/// The place of a Map's item, where it is not all of a state's input. No step has this name.
pub(crate) const ITEM: &str = "";

/// Where the results of steps are at one place of the definition: step to JSONata source.
pub type Places = BTreeMap<String, String>;

impl Expression {
    /// The steps and loops that this value comes from.
    pub fn sources(&self) -> Vec<&str> {
        match self {
            Expression::Result(step, _) => vec![step],
            Expression::Counter(of) => vec![of],
            Expression::Count(list) => list.sources(),
            _ => Vec::new(),
        }
    }

    /// The JSONata source, without the `{% %}`.
    pub fn source(&self, places: &Places) -> String {
        let place = |step: &str| places.get(step).cloned().unwrap_or_else(|| format!("${step}"));
        let field = |base: String, field: &Option<String>| match field {
            Some(name) => format!("{base}.{name}"),
            None => base,
        };
        match self {
            Expression::Input(name) => format!("$states.context.Execution.Input.{name}"),
            Expression::Result(step, name) => field(place(step), name),
            Expression::Counter(of) => place(of),
            Expression::Item(name) => {
                field(places.get(ITEM).cloned().unwrap_or_else(|| "$states.input".to_owned()), name)
            }
            Expression::Literal(value) => value.to_string(),
            Expression::Count(list) => format!("$count({})", list.source(places)),
        }
    }

    /// As a value in a definition.
    pub fn value(&self, places: &Places) -> Value {
        match self {
            // A text that looks like an expression would be evaluated, so it goes through one.
            Expression::Literal(Value::String(text)) if text.starts_with("{%") => {
                Value::String(wrap(&Value::String(text.clone()).to_string()))
            }
            Expression::Literal(value) => value.clone(),
            other => Value::String(wrap(&other.source(places))),
        }
    }

    /// The shape of the value, given the shapes of everything it may refer to.
    pub fn shape(&self, shapes: &Shapes) -> Result<Type, String> {
        match self {
            Expression::Input(name) => {
                shapes.input.field(name).ok_or_else(|| format!("the workflow's input has no field `{name}`"))
            }
            Expression::Result(step, name) => {
                let shape =
                    shapes.results.get(step).ok_or_else(|| format!("no step `{step}` is visible here"))?;
                field_of(shape, name, &format!("the result of `{step}`"))
            }
            Expression::Counter(of) if shapes.counters.contains(of) => Ok(Type::Number),
            Expression::Counter(of) => Err(format!("no loop `{of}` is visible here")),
            Expression::Item(name) => match &shapes.item {
                Some(shape) => field_of(shape, name, "the item"),
                None => Err("an item exists only inside a Map".to_owned()),
            },
            Expression::Literal(value) => Ok(match value {
                Value::Bool(_) => Type::Boolean,
                Value::Number(_) => Type::Number,
                Value::String(_) => Type::Text,
                Value::Null => Type::Optional(&Type::Any),
                Value::Array(_) | Value::Object(_) => Type::Any,
            }),
            Expression::Count(list) => match list.shape(shapes)? {
                Type::List(_) | Type::Any => Ok(Type::Number),
                other => Err(format!("only lists can be counted, this is {}", other.describe())),
            },
        }
    }
}

fn field_of(shape: &Type, name: &Option<String>, what: &str) -> Result<Type, String> {
    let Some(name) = name else { return Ok(*shape) };
    let inner = match shape {
        Type::Optional(_) => return Err(format!("{what} may be null, so its field `{name}` cannot be read")),
        shape => shape.field(name),
    };
    inner.ok_or_else(|| format!("{what} has no field `{name}`"))
}

/// The shapes of everything that can be referred to at one place.
#[derive(Clone, Debug)]
pub struct Shapes {
    /// The execution's input.
    pub input: Type,
    /// Results by step.
    pub results: BTreeMap<String, Type>,
    /// Loops whose counter is visible.
    pub counters: Vec<String>,
    /// The item of the innermost Map.
    pub item: Option<Type>,
}

impl Condition {
    /// The steps and loops that it comes from.
    pub fn sources(&self) -> Vec<&str> {
        match self {
            Condition::IsTrue(value) | Condition::Above(value, _) => value.sources(),
            Condition::Equal(one, other) => [one.sources(), other.sources()].concat(),
            Condition::Not(condition) => condition.sources(),
        }
    }

    /// The JSONata source.
    pub fn source(&self, places: &Places) -> String {
        match self {
            Condition::IsTrue(value) => value.source(places),
            Condition::Above(value, bound) => format!("{} > {bound}", value.source(places)),
            Condition::Equal(one, other) => format!("{} = {}", one.source(places), other.source(places)),
            Condition::Not(condition) => format!("$not({})", condition.source(places)),
        }
    }

    /// Why it cannot be decided; none if it can.
    pub fn trouble(&self, shapes: &Shapes) -> Option<String> {
        let is = |value: &Expression, wanted: Type| match value.shape(shapes) {
            Err(trouble) => Some(trouble),
            Ok(shape) if wanted.takes(&shape) => None,
            Ok(shape) => Some(format!("{} is asked for, this is {}", wanted.describe(), shape.describe())),
        };
        match self {
            Condition::IsTrue(value) => is(value, Type::Boolean),
            Condition::Above(value, _) => is(value, Type::Number),
            Condition::Equal(one, other) => match (one.shape(shapes), other.shape(shapes)) {
                (Err(trouble), _) | (_, Err(trouble)) => Some(trouble),
                (Ok(one), Ok(other)) if one.takes(&other) || other.takes(&one) => None,
                (Ok(one), Ok(other)) => Some(format!("{} never equals {}", one.describe(), other.describe())),
            },
            Condition::Not(condition) => condition.trouble(shapes),
        }
    }
}

/// `{% … %}` around a source.
pub fn wrap(source: &str) -> String {
    format!("{{% {source} %}}")
}
