//! Paths in the dialect that the service uses: Jayway's, not RFC 9535.
//!
//! A definite path (names and indexes only) has exactly one value or fails; an
//! indefinite one always gives a list, empty if nothing fits.

mod eval;
mod filter;
mod parse;
#[cfg(test)]
mod tests;
mod write;

use serde_json::Value;

pub use parse::parse;
pub use write::insert;

use crate::texts;

/// What a path starts from.
#[derive(Clone, Debug, PartialEq)]
pub enum Root {
    /// `$`.
    Input,
    /// `$$`.
    Context,
    /// `$name`.
    Variable(String),
}

/// A path, parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    root: Root,
    steps: Vec<Step>,
    definite: bool,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Key(String),
    Index(i64),
    Keys(Vec<String>),
    Indexes(Vec<i64>),
    Slice {
        from: Option<i64>,
        to: Option<i64>,
    },
    Any,
    /// The step applies at every depth.
    Deep(Box<Step>),
    Filter(filter::Test),
}

/// Where paths find their values.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// What `$` is.
    pub input: &'a Value,
    /// What `$$` is; made when first asked for, since most states never ask.
    pub context: &'a dyn Fn() -> &'a Value,
    /// The variables in sight.
    pub variables: &'a dyn Fn(&str) -> Option<&'a Value>,
}

/// A path that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nowhere {
    /// Its last step does not exist.
    Last(String),
    /// A step before the last does not exist.
    Before(String),
    /// Its variable does not exist.
    Variable(String),
}

impl Nowhere {
    /// The words of Jayway.
    pub fn text(&self) -> String {
        match self {
            Nowhere::Last(path) => texts::no_results(path),
            Nowhere::Before(path) => texts::missing_property(path),
            Nowhere::Variable(name) => texts::no_results(&format!("${name}")),
        }
    }
}

impl Path {
    /// The steps of a path of names and indexes from the input, as ResultPath takes it.
    fn reference(&self) -> Option<&[Step]> {
        (self.definite && self.root == Root::Input).then_some(&self.steps)
    }

    /// The value that the path leads to.
    pub fn find(&self, sources: &Sources<'_>) -> Result<Value, Nowhere> {
        let start = match &self.root {
            Root::Input => sources.input,
            Root::Context => (sources.context)(),
            Root::Variable(name) => {
                (sources.variables)(name).ok_or_else(|| Nowhere::Variable(name.clone()))?
            }
        };
        if self.definite {
            return eval::definite(&self.steps, start).map(|found| found.cloned().unwrap_or(Value::Null));
        }
        Ok(Value::Array(eval::all(&self.steps, start, sources.input).into_iter().cloned().collect()))
    }
}
