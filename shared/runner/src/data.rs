//! How data goes through a state: what it sees, what it selects, what it leaves.
//!
//! Pure: everything here is a function of the state, its input and its result.

use asl::model::{PathField, Quantity};
use asl::{QueryLanguage, State};
use serde_json::{Map, Value};

use crate::context::Context;
use crate::fault::Fault;
use crate::jsonata::{self, Bindings};
use crate::jsonpath::{self, Sources};
use crate::limits::Limits;
use crate::random::Random;
use crate::scope::Scope;
use crate::{template, texts};

/// What one state sees while it is evaluated.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    pub(crate) language: QueryLanguage,
    /// `$`, or `$states.input`.
    pub(crate) input: &'a Value,
    /// `$states.result`.
    pub(crate) result: Option<&'a Value>,
    /// `$states.errorOutput`.
    pub(crate) error_output: Option<&'a Value>,
    pub(crate) context: &'a Context<'a>,
    pub(crate) scope: &'a Scope,
    pub(crate) now_ms: i64,
    pub(crate) random: &'a Random,
}

/// The types that a JSONata field may insist on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    ArrayOrObject,
    Boolean,
    Number,
    String,
}

impl Expected {
    fn name(self) -> &'static str {
        match self {
            Expected::ArrayOrObject => "array",
            Expected::Boolean => "boolean",
            Expected::Number => "number",
            Expected::String => "string",
        }
    }

    fn admits(self, value: &Value) -> bool {
        texts::kind(value) == self.name() || (self == Expected::ArrayOrObject && value.is_object())
    }
}

impl<'a> Sight<'a> {
    /// The same with another `$`.
    pub(crate) fn of(self, input: &'a Value) -> Sight<'a> {
        Sight { input, ..self }
    }

    fn with<R>(&self, evaluate: impl FnOnce(&Bindings<'_>) -> R) -> R {
        let context = || self.context.get();
        let variables = |name: &str| self.scope.get(name);
        let sources = Sources { input: self.input, context: &context, variables: &variables };
        evaluate(&Bindings {
            sources,
            result: self.result,
            error_output: self.error_output,
            now_ms: self.now_ms,
            random: self.random,
        })
    }

    /// Evaluates a payload template of the state's language.
    pub(crate) fn template(&self, template: &Value, field: &str) -> Result<Value, Fault> {
        self.with(|bindings| match self.language {
            QueryLanguage::JsonPath => template::paths(template, &bindings.sources, self.random),
            QueryLanguage::Jsonata => template::expressions(template, field, bindings),
        })
    }

    /// Evaluates a JSONata field that takes one type only.
    pub(crate) fn typed(&self, template: &Value, field: &str, expected: Expected) -> Result<Value, Fault> {
        let value = self.template(template, field)?;
        if expected.admits(&value) {
            return Ok(value);
        }
        let expression = template.as_str().and_then(jsonata::expression).unwrap_or_default();
        Err(Fault::query(Some(field), texts::wrong_type(expression, field, expected.name(), &value)))
    }

    /// The value of ErrorPath or CausePath: a path or a call.
    pub(crate) fn computed(&self, text: &str, field: &str) -> Result<Value, Fault> {
        self.with(|bindings| template::computed(text, field, &bindings.sources, self.random))
    }

    /// The value at a path; none if it leads nowhere.
    pub(crate) fn find(&self, path: &str) -> Result<Option<Value>, Fault> {
        let parsed = jsonpath::parse(path).map_err(|bad| Fault::runtime(bad.to_string()))?;
        Ok(self.with(|bindings| parsed.find(&bindings.sources)).ok())
    }

    /// The value at a path that must lead somewhere.
    pub(crate) fn must_find(&self, path: &str) -> Result<Value, Fault> {
        let parsed = jsonpath::parse(path).map_err(|bad| Fault::runtime(bad.to_string()))?;
        self.with(|bindings| parsed.find(&bindings.sources))
            .map_err(|nowhere| Fault::runtime(texts::invalid_path(path, &nowhere.text())))
    }

    /// What InputPath or OutputPath lets through.
    pub(crate) fn filter(&self, path: &PathField) -> Result<Value, Fault> {
        match path {
            PathField::Default => Ok(self.input.clone()),
            PathField::Null => Ok(Value::Object(Map::new())),
            PathField::Path(path) => self.must_find(path),
        }
    }

    /// A number of seconds or items: literal, expression or path.
    pub(crate) fn quantity(&self, quantity: &Quantity, field: &str) -> Result<Value, Fault> {
        match quantity {
            Quantity::Number(number) => Ok(Value::Number(number.clone())),
            Quantity::Expression(text) => self.typed(&Value::String(text.clone()), field, Expected::Number),
            Quantity::Path(path) => self.must_find(path),
        }
    }

    /// The values of Assign, all computed with the variables as they were.
    pub(crate) fn assigned(
        &self,
        assign: Option<&Map<String, Value>>,
        field: &str,
        limits: &Limits,
    ) -> Result<Map<String, Value>, Fault> {
        let Some(assign) = assign.filter(|assign| !assign.is_empty()) else { return Ok(Map::new()) };
        let mut values = Map::new();
        for (name, template) in assign {
            // A key of its own keeps `name.$` a template and `name` a literal.
            let member = Value::Object(Map::from_iter([(name.clone(), template.clone())]));
            let value = match self.language {
                QueryLanguage::JsonPath => self.template(&member, field)?,
                QueryLanguage::Jsonata => {
                    let value = self.template(template, &format!("{field}/{name}"))?;
                    Value::Object(Map::from_iter([(name.clone(), value)]))
                }
            };
            if let Value::Object(member) = value {
                values.extend(member);
            }
        }
        if values.values().all(|value| limits.admit(value)) {
            return Ok(values);
        }
        Err(Fault::named(texts::DATA_LIMIT, texts::too_large("Assign")))
    }
}

/// What a state leaves behind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Left {
    pub(crate) output: Value,
    pub(crate) assigned: Map<String, Value>,
}

/// From the result of a state's work to what it leaves. `sight.input` is the raw input.
pub(crate) fn leave(state: &State, sight: Sight<'_>, result: Value, limits: &Limits) -> Result<Left, Fault> {
    match sight.language {
        QueryLanguage::Jsonata => {
            let after = Sight { result: Some(&result), ..sight };
            let output = state.output.as_ref().map(|output| after.template(output, "Output")).transpose()?;
            let assigned = after.assigned(state.assign.as_ref(), "Assign", limits)?;
            Ok(Left { output: output.unwrap_or(result), assigned })
        }
        QueryLanguage::JsonPath => {
            let after = sight.of(&result);
            let selected = state.result_selector.as_ref();
            let selected = selected.map(|selector| after.template(selector, "ResultSelector")).transpose()?;
            let assigned = after.assigned(state.assign.as_ref(), "Assign", limits)?;
            let combined = combine(&state.result_path, sight.input, selected.unwrap_or(result))?;
            let output = sight.of(&combined).filter(&state.output_path)?;
            Ok(Left { output, assigned })
        }
    }
}

/// From the input of a state without a result (Wait, Choice, Succeed) to what it leaves.
pub(crate) fn pass_through(
    state: &State,
    sight: Sight<'_>,
    output: Option<&Value>,
    assign: Option<&Map<String, Value>>,
    fields: (&str, &str),
    limits: &Limits,
) -> Result<Left, Fault> {
    match sight.language {
        QueryLanguage::Jsonata => {
            let value = output.map(|output| sight.template(output, fields.0)).transpose()?;
            let assigned = sight.assigned(assign, fields.1, limits)?;
            Ok(Left { output: value.unwrap_or_else(|| sight.input.clone()), assigned })
        }
        QueryLanguage::JsonPath => {
            let effective = sight.filter(&state.input_path)?;
            let after = sight.of(&effective);
            let assigned = after.assigned(assign, fields.1, limits)?;
            Ok(Left { output: after.filter(&state.output_path)?, assigned })
        }
    }
}

/// ResultPath: where the result goes in the raw input.
pub(crate) fn combine(path: &PathField, raw: &Value, result: Value) -> Result<Value, Fault> {
    match path {
        PathField::Default => Ok(result),
        PathField::Null => Ok(raw.clone()),
        PathField::Path(text) => {
            let path = jsonpath::parse(text).map_err(|bad| Fault::runtime(bad.to_string()))?;
            jsonpath::insert(&path, raw.clone(), result)
                .ok_or_else(|| Fault::runtime(texts::invalid_path(text, texts::NO_PLACE)))
        }
    }
}
