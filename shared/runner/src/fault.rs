//! What can go wrong inside one state, before retriers and catchers look at it.

use crate::texts;

/// The end of an attempt of a state that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The error's name; a callback may fail without one.
    pub error: Option<String>,
    /// The error's cause, without the words that name the state.
    pub cause: Option<String>,
    /// Who raised it.
    pub origin: Origin,
}

/// Who raised a [`Fault`], which decides what the history tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A task, a branch, an iteration or a Fail state: it told already.
    Work,
    /// The interpreter: the cause gets the state's name.
    Interpreter,
    /// A JSONata expression, in this field: the cause gets the state's name
    /// and the history an EvaluationFailed event.
    Query(Option<String>),
}

impl Fault {
    /// A failure of the state's own work.
    pub fn work(error: Option<String>, cause: Option<String>) -> Fault {
        Fault { error, cause, origin: Origin::Work }
    }

    /// The definition does not fit the data.
    pub fn runtime(cause: impl Into<String>) -> Fault {
        Fault { error: Some(texts::RUNTIME.into()), cause: Some(cause.into()), origin: Origin::Interpreter }
    }

    /// A named error of the interpreter.
    pub fn named(error: &str, cause: impl Into<String>) -> Fault {
        Fault { error: Some(error.into()), cause: Some(cause.into()), origin: Origin::Interpreter }
    }

    /// A JSONata expression failed in `field`.
    pub fn query(field: Option<&str>, cause: impl Into<String>) -> Fault {
        Fault {
            error: Some(texts::QUERY.into()),
            cause: Some(cause.into()),
            origin: Origin::Query(field.map(str::to_owned)),
        }
    }

    /// Whether this ends the execution whatever retriers and catchers say.
    pub fn is_fatal(&self) -> bool {
        self.error.as_deref() == Some(texts::RUNTIME)
            || (self.origin == Origin::Interpreter && self.error.as_deref() == Some(texts::DATA_LIMIT))
    }
}
