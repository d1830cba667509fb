//! What is wrong with a definition, and where. Mistakes are collected, never thrown one at a time.

use std::fmt;

/// The class of a mistake, in the words that `ValidateStateMachineDefinition` uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// A field is missing, unknown, or of the wrong shape.
    SchemaValidationFailed,
    /// A transition names a state that does not exist, or a state is never reached.
    MissingTransitionTarget,
    /// No path through the workflow ends.
    MissingEndState,
    /// An expression is used where its language forbids it.
    UnsupportedJsonataExpression,
    /// The workflow as written in Rust contradicts itself (cycle, unknown dependency, repeated name).
    InvalidWorkflow,
    /// A quota of the service would be exceeded.
    LimitExceeded,
}

impl Code {
    /// The name as the service prints it.
    pub fn name(self) -> &'static str {
        match self {
            Code::SchemaValidationFailed => "SCHEMA_VALIDATION_FAILED",
            Code::MissingTransitionTarget => "MISSING_TRANSITION_TARGET",
            Code::MissingEndState => "MISSING_END_STATE",
            Code::UnsupportedJsonataExpression => "UNSUPPORTED_JSONATA_EXPRESSION",
            Code::InvalidWorkflow => "INVALID_WORKFLOW",
            Code::LimitExceeded => "LIMIT_EXCEEDED",
        }
    }
}

/// One thing to correct.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// Where: a JSON pointer into the definition (`/States/A/Next`), or `workflow/step` for a builder's mistake.
    pub location: String,
    /// What, for a person.
    pub message: String,
    /// The class, for a program.
    pub code: Code,
}

impl Mistake {
    /// A mistake of this class at this place.
    pub fn new(code: Code, location: impl Into<String>, message: impl Into<String>) -> Mistake {
        Mistake { location: location.into(), message: message.into(), code }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {} at {}", self.code.name(), self.message, self.location)
    }
}

impl std::error::Error for Mistake {}
