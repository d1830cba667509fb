//! The rules of a Choice in both languages.

use serde_json::Value;

use super::reader::{Reader, is_expression};
use crate::mistake::Mistake;
use crate::model::{Operand, Operator, QueryLanguage, Rule, Test, When};

/// Fields of a comparison that are not operators.
const NOT_OPERATORS: [&str; 5] = ["Variable", "Next", "Assign", "Output", "Comment"];

/// One element of `Choices`.
pub fn rule(value: &Value, at: String, language: QueryLanguage, mistakes: &mut Vec<Mistake>) -> Option<Rule> {
    if language == QueryLanguage::JsonPath {
        return path_rule(value, at, mistakes);
    }
    let mut reader = Reader::new(value, at, mistakes)?;
    let condition = reader.required("Condition").cloned().unwrap_or(Value::Bool(false));
    let fits = match &condition {
        Value::Bool(_) => true,
        Value::String(text) => is_expression(text),
        _ => false,
    };
    if !fits {
        reader.report("Field 'Condition' must be an expression or a boolean");
    }
    let rule = Rule {
        when: When::Condition(condition),
        next: reader.required_text("Next").unwrap_or_default(),
        assign: reader.object("Assign"),
        output: reader.value("Output").cloned(),
        comment: reader.text("Comment"),
    };
    reader.finish();
    Some(rule)
}

fn path_rule(value: &Value, at: String, mistakes: &mut Vec<Mistake>) -> Option<Rule> {
    let test = test(value, at.clone(), true, mistakes);
    let mut reader = Reader::new(value, at, mistakes)?;
    // This reader is not finished: `test` has reported every unknown field already.
    let next = reader.text("Next");
    if !reader.has("Next") {
        reader.report("These fields are required: [Next]");
    }
    Some(Rule {
        when: When::Test(test?),
        next: next.unwrap_or_default(),
        assign: reader.object("Assign"),
        output: None,
        comment: reader.text("Comment"),
    })
}

/// A comparison or a combination; `top` is the rule itself, which alone may have `Next` and `Assign`.
fn test(value: &Value, at: String, top: bool, mistakes: &mut Vec<Mistake>) -> Option<Test> {
    let mut reader = Reader::new(value, at, mistakes)?;
    reader.value("Comment");
    if top {
        reader.value("Next");
        reader.value("Assign");
    }
    let operators: Vec<&String> =
        reader.keys().filter(|name| !NOT_OPERATORS.contains(&name.as_str())).collect();
    let [name] = operators.as_slice() else {
        reader.report("A rule needs exactly one comparison operator");
        return None;
    };
    let test = match name.as_str() {
        "And" => Test::And(tests(&mut reader, "And")),
        "Or" => Test::Or(tests(&mut reader, "Or")),
        "Not" => {
            let at = reader.field_at("Not");
            let inner = reader.value("Not")?;
            Test::Not(Box::new(test(inner, at, false, reader.mistakes())?))
        }
        name => {
            let Some(operator) = Operator::parse(name) else {
                reader.report(format!("Field '{name}' is not supported"));
                return None;
            };
            return comparison(reader, value, operator);
        }
    };
    reader.finish();
    Some(test)
}

fn tests(reader: &mut Reader<'_>, name: &'static str) -> Vec<Test> {
    let at = reader.field_at(name);
    let list = reader.list(name).map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() {
        reader.report(format!("Field '{name}' must be a list with at least one rule"));
    }
    let mut tests = Vec::new();
    for (index, value) in list.iter().enumerate() {
        tests.extend(test(value, format!("{at}[{index}]"), false, reader.mistakes()));
    }
    tests
}

fn comparison(mut reader: Reader<'_>, value: &Value, operator: Operator) -> Option<Test> {
    let variable = reader.text("Variable");
    if !reader.has("Variable") {
        reader.report("These fields are required: [Variable]");
    }
    if variable.as_deref().is_some_and(|variable| !variable.starts_with('$')) {
        reader.report("Field 'Variable' must be a valid JSONPath");
    }
    let operand = value.get(operator.name()).cloned().unwrap_or(Value::Null);
    if !operand_fits(operator, &operand) {
        reader.report(format!("Field '{}' has a value of the wrong type", operator.name()));
    }
    reader.ignore(&operator.name());
    reader.finish();
    Some(Test::Compare { variable: variable?, operator, operand })
}

fn operand_fits(operator: Operator, operand: &Value) -> bool {
    match operator {
        Operator::StringMatches => operand.is_string(),
        Operator::Is(_) => operand.is_boolean(),
        Operator::Compare { is_path: true, .. } => operand.as_str().is_some_and(|path| path.starts_with('$')),
        Operator::Compare { operand: kind, .. } => match kind {
            Operand::Numeric => operand.is_number(),
            Operand::Boolean => operand.is_boolean(),
            _ => operand.is_string(),
        },
    }
}
