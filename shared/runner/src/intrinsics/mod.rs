//! Intrinsic functions of JSONPath states: `States.Format('…', $.a)`.

mod functions;
mod parse;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::jsonpath::{self, Nowhere, Sources};
use crate::random::Random;

pub use parse::parse;

/// An argument or a whole expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A string, number, boolean or null.
    Literal(Value),
    /// A path, with its text.
    Path(jsonpath::Path, String),
    /// A call.
    Call {
        /// The function's name, with `States.`.
        name: String,
        /// What it is called with.
        arguments: Vec<Expression>,
    },
}

/// Why a call has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A path among the arguments leads nowhere.
    Path(String, Nowhere),
    /// A function refused its arguments.
    Refused(String),
}

impl Expression {
    /// The value of the expression.
    pub fn value(&self, sources: &Sources<'_>, random: &Random) -> Result<Value, Failure> {
        match self {
            Expression::Literal(value) => Ok(value.clone()),
            Expression::Path(path, text) => {
                path.find(sources).map_err(|nowhere| Failure::Path(text.clone(), nowhere))
            }
            Expression::Call { name, arguments } => {
                let arguments = arguments
                    .iter()
                    .map(|argument| argument.value(sources, random))
                    .collect::<Result<Vec<_>, _>>()?;
                functions::call(name, &arguments, random)
                    .map_err(|why| Failure::Refused(format!("{name}: {why}")))
            }
        }
    }
}

/// Whether a text is meant as a call rather than a path.
pub fn is_call(text: &str) -> bool {
    text.starts_with("States.")
}
