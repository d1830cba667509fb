//! JSONata as the service extends it, behind a trait so narrow that another
//! engine could take its place in a day.

mod check;
mod core;
mod functions;
mod plan;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::jsonpath::Sources;
use crate::random::Random;

pub use self::check::check_expression;
pub use self::core::Core;

/// What an expression sees.
#[derive(Clone, Copy)]
pub struct Bindings<'a> {
    /// `$states.input`, `$states.context` and the variables.
    pub sources: Sources<'a>,
    /// `$states.result`, where there is one.
    pub result: Option<&'a Value>,
    /// `$states.errorOutput`, in a catcher.
    pub error_output: Option<&'a Value>,
    /// The clock behind `$now` and `$millis`.
    pub now_ms: i64,
    /// The source behind `$random` and `$uuid`.
    pub random: &'a Random,
}

/// What an expression gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A JSON value.
    Value(Value),
    /// Nothing.
    Undefined,
    /// A function, which no field takes.
    Function,
}

/// An expression that cannot be read or that threw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
    /// JSONata's code, as `T1006`.
    pub code: Option<String>,
    /// The words after the code.
    pub message: String,
}

/// An engine for expressions. Evaluation is one synchronous call: engines may
/// hold values that must not cross an await.
pub trait Query {
    /// An expression, read once.
    type Compiled;

    /// Reads an expression.
    fn compile(&self, text: &str) -> Result<Self::Compiled, QueryError>;

    /// Evaluates it.
    fn eval(&self, compiled: &Self::Compiled, bindings: &Bindings<'_>) -> Result<Answer, QueryError>;
}

/// The expression inside `{% … %}`; none for an ordinary string.
pub fn expression(text: &str) -> Option<&str> {
    text.strip_prefix("{%")?.strip_suffix("%}").map(str::trim)
}
