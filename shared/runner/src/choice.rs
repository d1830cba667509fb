//! Which rule of a Choice holds.

use std::cmp::Ordering;

use asl::model::{Choice, Operand, Operator, Relation, Rule, Test, When};
use serde_json::Value;

use crate::data::{Expected, Sight};
use crate::fault::Fault;
use crate::{texts, timestamp};

/// The index of the first rule that holds. `sight.input` is the effective input.
pub(crate) fn first<'a>(choice: &'a Choice, sight: Sight<'_>) -> Result<Option<(usize, &'a Rule)>, Fault> {
    for (index, rule) in choice.rules.iter().enumerate() {
        let holds = match &rule.when {
            When::Test(test) => holds(test, sight)?,
            When::Condition(condition) => {
                let field = format!("Choices[{index}]/Condition");
                sight.typed(condition, &field, Expected::Boolean)? == Value::Bool(true)
            }
        };
        if holds {
            return Ok(Some((index, rule)));
        }
    }
    Ok(None)
}

/// Where the state goes: the rule that holds, otherwise Default.
pub(crate) fn next<'a>(choice: &'a Choice, rule: Option<&'a Rule>) -> Result<&'a str, Fault> {
    rule.map(|rule| rule.next.as_str())
        .or(choice.default.as_deref())
        .ok_or_else(|| Fault::runtime(texts::NO_TRANSITION))
}

fn holds(test: &Test, sight: Sight<'_>) -> Result<bool, Fault> {
    match test {
        Test::And(tests) => {
            for test in tests {
                if !holds(test, sight)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Test::Or(tests) => {
            for test in tests {
                if holds(test, sight)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Test::Not(test) => Ok(!holds(test, sight)?),
        Test::Compare { variable, operator, operand } => {
            let value = sight.find(variable)?;
            if let Operator::Is(Operand::Present) = operator {
                return Ok(value.is_some() == wanted(operand));
            }
            let value = value.ok_or_else(|| missing(variable))?;
            if !operator.is_path() {
                return Ok(compares(&value, *operator, operand));
            }
            let path = operand.as_str().unwrap_or_default();
            let other = sight.find(path)?.ok_or_else(|| missing(path))?;
            Ok(compares(&value, *operator, &other))
        }
    }
}

fn missing(path: &str) -> Fault {
    Fault::runtime(texts::choice_variable(path))
}

fn wanted(operand: &Value) -> bool {
    operand.as_bool().unwrap_or(true)
}

/// One comparison. Types that do not fit are false, never an error.
pub(crate) fn compares(value: &Value, operator: Operator, operand: &Value) -> bool {
    match operator {
        Operator::Is(of) => is(value, of) == wanted(operand),
        Operator::StringMatches => match (value, operand) {
            (Value::String(value), Value::String(pattern)) => matches(value, pattern),
            _ => false,
        },
        Operator::Compare { operand: of, relation, .. } => {
            order(value, operand, of).is_some_and(|order| fits(order, relation))
        }
    }
}

fn is(value: &Value, of: Operand) -> bool {
    match of {
        Operand::String => value.is_string(),
        Operand::Numeric => value.is_number(),
        Operand::Boolean => value.is_boolean(),
        Operand::Timestamp => value.as_str().and_then(timestamp::parse_ns).is_some(),
        Operand::Null => value.is_null(),
        Operand::Present => true,
    }
}

fn order(left: &Value, right: &Value, of: Operand) -> Option<Ordering> {
    match of {
        // Java compares strings by UTF-16 unit, which differs beyond the basic plane.
        Operand::String => Some(left.as_str()?.encode_utf16().cmp(right.as_str()?.encode_utf16())),
        Operand::Numeric => left.as_f64()?.partial_cmp(&right.as_f64()?),
        Operand::Boolean => Some(left.as_bool()?.cmp(&right.as_bool()?)),
        Operand::Timestamp => {
            Some(timestamp::parse_ns(left.as_str()?)?.cmp(&timestamp::parse_ns(right.as_str()?)?))
        }
        Operand::Null | Operand::Present => None,
    }
}

fn fits(order: Ordering, relation: Relation) -> bool {
    match relation {
        Relation::Equals => order.is_eq(),
        Relation::LessThan => order.is_lt(),
        Relation::GreaterThan => order.is_gt(),
        Relation::LessThanEquals => order.is_le(),
        Relation::GreaterThanEquals => order.is_ge(),
    }
}

/// `*` stands for any text, `\*` for a star and `\\` for a backslash.
fn matches(text: &str, pattern: &str) -> bool {
    let mut pieces = vec![String::new()];
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '*' => pieces.push(String::new()),
            '\\' => {
                if let (Some(piece), Some(c)) = (pieces.last_mut(), chars.next()) {
                    piece.push(c);
                }
            }
            c => {
                if let Some(piece) = pieces.last_mut() {
                    piece.push(c);
                }
            }
        }
    }
    let [first, middle @ .., last] = pieces.as_slice() else { return text == pieces.concat() };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    // The earliest fit of each piece leaves the most for those after it.
    for piece in middle {
        let Some(at) = rest.find(piece.as_str()) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stars_match_any_text_unless_escaped() {
        for (text, pattern, expected) in [
            ("log-2024.txt", "log-*.txt", true),
            ("log-.txt", "log-*.txt", true),
            ("log.txt", "log-*.txt", false),
            ("aXbXc", "a*b*c", true),
            ("abab", "*ab", true),
            ("ab", "ab*ab", false),
            ("a*b", r"a\*b", true),
            ("axb", r"a\*b", false),
            (r"a\b", r"a\\b", true),
            ("", "*", true),
            ("x", "", false),
        ] {
            assert_eq!(matches(text, pattern), expected, "{text} {pattern}");
        }
    }

    #[test]
    fn types_that_do_not_fit_are_false() {
        let operator = |name: &str| Operator::parse(name).expect("an operator");
        for (value, name, operand, expected) in [
            (json!("1"), "NumericEquals", json!(1), false),
            (json!(0), "NumericEquals", json!(0.0), true),
            (json!("A"), "StringLessThan", json!("AB"), true),
            // UTF-16 puts an emoji (a surrogate) before U+FF5E.
            (json!("😀"), "StringLessThan", json!("～"), true),
            (json!("2024-01-01T00:00:00+01:00"), "TimestampLessThan", json!("2024-01-01T00:00:00Z"), true),
            (json!("2024-01-01 00:00:00Z"), "IsTimestamp", json!(true), false),
            (json!("2024-01-01t00:00:00z"), "IsTimestamp", json!(false), true),
            (json!(null), "IsNull", json!(true), true),
            (json!(true), "BooleanEquals", json!("true"), false),
        ] {
            assert_eq!(compares(&value, operator(name), &operand), expected, "{value} {name} {operand}");
        }
    }
}
