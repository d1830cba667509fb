//! Reads the fields of one JSON object, notes which were read, and reports the rest as unknown.

use serde_json::{Map as JsonMap, Value};

use crate::mistake::{Code, Mistake};
use crate::model::{PathField, Quantity};

/// One object of a definition while it is read.
pub struct Reader<'a> {
    object: &'a JsonMap<String, Value>,
    at: String,
    seen: Vec<String>,
    missing: Vec<String>,
    mistakes: &'a mut Vec<Mistake>,
}

/// Whether a string is a JSONata expression: `{%` first and `%}` last, no blanks outside.
pub fn is_expression(text: &str) -> bool {
    text.len() >= 4 && text.starts_with("{%") && text.ends_with("%}")
}

impl<'a> Reader<'a> {
    /// A reader for this value; a value that is no object is a mistake and reads as nothing.
    pub fn new(
        value: &'a Value,
        at: impl Into<String>,
        mistakes: &'a mut Vec<Mistake>,
    ) -> Option<Reader<'a>> {
        let at = at.into();
        match value.as_object() {
            Some(object) => Some(Reader { object, at, seen: Vec::new(), missing: Vec::new(), mistakes }),
            None => {
                mistakes.push(Mistake::new(
                    Code::SchemaValidationFailed,
                    at,
                    "Expected value of type Object",
                ));
                None
            }
        }
    }

    /// Where this object is.
    pub fn at(&self) -> &str {
        &self.at
    }

    /// The list that mistakes go to, for readers of inner objects.
    pub fn mistakes(&mut self) -> &mut Vec<Mistake> {
        self.mistakes
    }

    /// Reports a mistake at this object.
    pub fn report(&mut self, message: impl Into<String>) {
        self.mistakes.push(Mistake::new(Code::SchemaValidationFailed, self.at.clone(), message));
    }

    fn report_field(&mut self, name: &str, message: impl Into<String>) {
        let at = self.field_at(name);
        self.mistakes.push(Mistake::new(Code::SchemaValidationFailed, at, message));
    }

    /// The place of a field of this object.
    pub fn field_at(&self, name: &str) -> String {
        format!("{}/{name}", self.at)
    }

    /// Whether the field is there, without reading it.
    pub fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// The keys of the object, in order.
    pub fn keys(&self) -> impl Iterator<Item = &'a String> + use<'a> {
        self.object.keys()
    }

    /// The field as it is.
    pub fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.seen.push(name.to_owned());
        self.object.get(name)
    }

    /// The field as it is; its absence is a mistake.
    pub fn required(&mut self, name: &'static str) -> Option<&'a Value> {
        let value = self.value(name);
        if value.is_none() {
            self.missing.push(name.to_owned());
        }
        value
    }

    /// Counts a field as read although its value was taken elsewhere.
    pub fn ignore(&mut self, name: &str) {
        self.seen.push(name.to_owned());
    }

    /// Notes that one of these fields should have been given.
    pub fn miss(&mut self, name: &str) {
        self.missing.push(name.to_owned());
    }

    /// A text.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        let value = self.value(name)?;
        self.as_text(name, value)
    }

    /// A text that must be there.
    pub fn required_text(&mut self, name: &'static str) -> Option<String> {
        let value = self.required(name)?;
        self.as_text(name, value)
    }

    fn as_text(&mut self, name: &str, value: &Value) -> Option<String> {
        match value.as_str() {
            Some(text) => Some(text.to_owned()),
            None => {
                self.report_field(name, "Expected value of type String");
                None
            }
        }
    }

    /// An object.
    pub fn object(&mut self, name: &'static str) -> Option<JsonMap<String, Value>> {
        match self.value(name)? {
            Value::Object(object) => Some(object.clone()),
            _ => {
                self.report_field(name, "Expected value of type Object");
                None
            }
        }
    }

    /// A list.
    pub fn list(&mut self, name: &'static str) -> Option<&'a Vec<Value>> {
        match self.value(name)? {
            Value::Array(list) => Some(list),
            _ => {
                self.report_field(name, "Expected value of type Array");
                None
            }
        }
    }

    /// A path, `null`, or nothing.
    pub fn path_field(&mut self, name: &'static str) -> PathField {
        match self.value(name) {
            None => PathField::Default,
            Some(Value::Null) => PathField::Null,
            Some(Value::String(path)) if path.starts_with('$') => PathField::Path(path.clone()),
            Some(_) => {
                self.report_field(name, "Value is not a valid JSONPath");
                PathField::Default
            }
        }
    }

    /// A whole number in this range.
    pub fn whole(&mut self, name: &'static str, least: u64, most: u64) -> Option<u64> {
        let value = self.value(name)?;
        match value.as_u64() {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                self.report_field(name, format!("Expected a whole number from {least} to {most}"));
                None
            }
        }
    }

    /// A number of at least 1, such as a backoff rate.
    pub fn rate(&mut self, name: &'static str) -> Option<f64> {
        let value = self.value(name)?;
        match value.as_f64() {
            Some(number) if number >= 1.0 => Some(number),
            _ => {
                self.report_field(name, "Expected a number of at least 1");
                None
            }
        }
    }

    /// A number, an expression, or the path of the `…Path` spelling; both spellings at once are a mistake.
    pub fn quantity(&mut self, name: &'static str, path_name: &'static str) -> Option<Quantity> {
        if self.has(name) && self.has(path_name) {
            self.report(format!("Only one of the fields '{name}' and '{path_name}' is allowed"));
        }
        let fixed = match self.value(name) {
            None => None,
            Some(Value::Number(number)) if number.as_f64().is_some_and(|number| number >= 0.0) => {
                Some(Quantity::Number(number.clone()))
            }
            Some(Value::String(text)) if is_expression(text) => Some(Quantity::Expression(text.clone())),
            Some(_) => {
                self.report_field(name, "Expected a number that is not negative, or an expression");
                None
            }
        };
        let path = self.text(path_name).map(Quantity::Path);
        fixed.or(path)
    }

    /// A non-empty list of texts.
    pub fn texts(&mut self, name: &'static str) -> Vec<String> {
        let Some(value) = self.required(name) else { return Vec::new() };
        let texts: Option<Vec<String>> = value
            .as_array()
            .map(|list| list.iter().map(|item| item.as_str().map(str::to_owned)).collect())
            .unwrap_or_default();
        match texts {
            Some(texts) if !texts.is_empty() => texts,
            _ => {
                self.report_field(name, "Expected a list with at least one String");
                Vec::new()
            }
        }
    }

    /// Reports fields that are missing and fields that nobody read.
    pub fn finish(self) {
        let Reader { object, at, seen, missing, mistakes } = self;
        if !missing.is_empty() {
            mistakes.push(Mistake::new(
                Code::SchemaValidationFailed,
                if at.is_empty() { "/" } else { at.as_str() },
                format!("These fields are required: [{}]", missing.join(", ")),
            ));
        }
        for name in object.keys().filter(|name| !seen.contains(name)) {
            mistakes.push(Mistake::new(
                Code::SchemaValidationFailed,
                if at.is_empty() { "/" } else { at.as_str() },
                format!("Field '{name}' is not supported"),
            ));
        }
    }
}
