//! A step's declaration, and its use in a workflow: what it is given, what it may fail with, what happens then.

use std::marker::PhantomData;

use serde_json::Value;

use crate::expression::Expression;
use crate::types::{Type, Typed};

/// A step's declaration: its name, what it takes, what it gives.
pub struct Step<I, O> {
    name: &'static str,
    failures: &'static [&'static str],
    bytes_max: Option<u64>,
    shape: PhantomData<fn(I) -> O>,
}

impl<I: Typed, O: Typed> Step<I, O> {
    /// The step that runs as the function of this name.
    pub const fn new(name: &'static str) -> Step<I, O> {
        Step { name, failures: &[], bytes_max: None, shape: PhantomData }
    }

    /// The failures that whoever uses the step has to think about: each use retries them, falls back, or says that
    /// they end it. A step that names none may fail with anything, and nothing is checked. `Rejected` and `Bug`
    /// end an execution by their meaning and need not be named.
    pub const fn fails(mut self, failures: &'static [&'static str]) -> Step<I, O> {
        self.failures = failures;
        self
    }

    /// The size of its result as JSON, at most, where its type has lists and so does not say: a promise of the step.
    pub const fn bytes_max(mut self, bytes: u64) -> Step<I, O> {
        self.bytes_max = Some(bytes);
        self
    }

    /// The function's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// A use of the step in a workflow, under its own name.
    pub fn call(&self) -> Call {
        Call {
            id: self.name.to_owned(),
            function: self.name,
            takes: I::TYPE,
            gives: Shape::<O>::OF,
            gives_list: Shape::<O>::LIST,
            may_fail: self.failures,
            bytes_max: self.bytes_max,
            ends_by: Vec::new(),
            copies: false,
            arguments: Vec::new(),
            retries: Vec::new(),
            fallback: None,
            timeout_s: None,
        }
    }
}

/// Gives a shape a place that lives as long as the program.
struct Shape<T>(PhantomData<T>);

impl<T: Typed> Shape<T> {
    const OF: &'static Type = &T::TYPE;
    const LIST: &'static Type = &Type::List(&T::TYPE);
}

/// A use of a step.
#[derive(Clone, Debug)]
pub struct Call {
    pub(crate) id: String,
    pub(crate) function: &'static str,
    pub(crate) takes: Type,
    pub(crate) gives: &'static Type,
    pub(crate) gives_list: &'static Type,
    pub(crate) may_fail: &'static [&'static str],
    pub(crate) bytes_max: Option<u64>,
    pub(crate) ends_by: Vec<&'static str>,
    pub(crate) copies: bool,
    pub(crate) arguments: Vec<(String, Expression)>,
    pub(crate) retries: Vec<Retry>,
    pub(crate) fallback: Option<Fallback>,
    pub(crate) timeout_s: Option<u64>,
}

/// When to try a step again.
#[derive(Clone, Debug)]
pub struct Retry {
    /// The failures it is for.
    pub errors: Vec<&'static str>,
    /// How many more attempts.
    pub attempts: u64,
    /// The wait before the first of them.
    pub interval_s: u64,
    /// The longest wait; each wait is twice the one before, drawn at random below it.
    pub most_s: u64,
}

/// What a failed step's result is taken to be.
#[derive(Clone, Debug)]
pub struct Fallback {
    pub(crate) name: String,
    pub(crate) errors: Vec<&'static str>,
    pub(crate) value: Value,
}

impl Call {
    /// Another name, where a step is used twice.
    pub fn named(mut self, id: &str) -> Call {
        id.clone_into(&mut self.id);
        self
    }

    /// Fills a field of the step's input.
    pub fn with(mut self, field: &str, value: Expression) -> Call {
        self.arguments.push((field.to_owned(), value));
        self
    }

    /// How long one attempt may take. Required: without it a lost step would hold its execution for years.
    pub fn timeout_s(mut self, seconds: u64) -> Call {
        self.timeout_s = Some(seconds);
        self
    }

    /// Tries again after this failure.
    pub fn retry(mut self, error: &'static str, attempts: u64, interval_s: u64, most_s: u64) -> Call {
        self.retries.push(Retry { errors: vec![error], attempts, interval_s, most_s });
        self
    }

    /// Lets these failures of the step end whatever it is part of, in the end the execution.
    pub fn ends_by(mut self, errors: &[&'static str]) -> Call {
        self.ends_by.extend(errors);
        self
    }

    /// The step is pure and cheap: where its place would make others wait, it may run more than once, each time for
    /// some of those who read it. Never for a step with effects.
    pub fn may_be_copied(mut self) -> Call {
        self.copies = true;
        self
    }

    /// Goes on with this value in place of a result when these failures remain after all retries.
    pub fn fallback(mut self, name: &str, errors: &[&'static str], value: Value) -> Call {
        self.fallback = Some(Fallback { name: name.to_owned(), errors: errors.to_vec(), value });
        self
    }
}
