//! Values in a form in which they can be compared, whichever way they were spelled: in a record, in a
//! change log, or in a conflict row. Written from the services' documentation, not from our clients.

use std::collections::BTreeSet;

use domain::Value;
use serde_json::Value as Json;

use crate::seedwork::workspace::FieldKind;

/// What is kept in step, as the judge names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Subject, name.
    Title,
    /// First comment, description.
    Description,
    /// Status.
    Status,
    /// Priority.
    Priority,
    /// Assignee, assignees.
    Assignee,
    /// Tags.
    Tags,
    /// Due date.
    Due,
    /// A custom field by its name in `deskup.toml`.
    Custom(String),
    /// A comment; its id tells which.
    Comment,
}

impl Field {
    /// The key under which deskup's conflict rows name the field; comments have none.
    pub fn key(&self) -> String {
        match self {
            Field::Title => "title".into(),
            Field::Description => "description".into(),
            Field::Status => "status".into(),
            Field::Priority => "priority".into(),
            Field::Assignee => "assignee".into(),
            Field::Tags => "tags".into(),
            Field::Due => "due_date".into(),
            Field::Custom(name) => format!("custom.{name}"),
            Field::Comment => "comment".into(),
        }
    }
}

/// A comparable value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Canon {
    /// Not set.
    Null,
    /// One word or one line.
    Text(String),
    /// Ids or tags.
    Set(BTreeSet<String>),
    /// The number of a day since 1970, UTC.
    Day(i64),
    /// Yes or no.
    Bool(bool),
    /// Only the hash of a text is known.
    Hash(String),
}

impl Canon {
    /// The members of a set; a single value is a set of one.
    pub fn members(&self) -> BTreeSet<String> {
        match self {
            Canon::Set(set) => set.clone(),
            Canon::Text(text) => BTreeSet::from([text.clone()]),
            _ => BTreeSet::new(),
        }
    }

    /// Equality that knows that a hash may stand for a long text.
    pub fn matches(&self, other: &Canon) -> bool {
        match (self, other) {
            (Canon::Hash(hash), Canon::Text(text)) | (Canon::Text(text), Canon::Hash(hash)) => {
                domain::field::sha256_hex(text.as_bytes()) == *hash
            }
            _ => self == other,
        }
    }
}

const DAY_MS: i64 = 86_400_000;

/// A raw value of a field, from a record or a change log, of either service.
pub fn of_json(field: &Field, kind: Option<FieldKind>, raw: &Json) -> Canon {
    match field {
        Field::Tags => set(names(raw)),
        Field::Assignee => set(names(raw)),
        Field::Due => date(raw),
        Field::Title => text(&squeeze(raw.as_str().unwrap_or_default())),
        Field::Description | Field::Comment => text(raw.as_str().unwrap_or_default().trim()),
        Field::Status => text(&word(raw, "status").to_lowercase()),
        Field::Priority => text(&word(raw, "id").to_lowercase()),
        Field::Custom(_) => custom(kind.unwrap_or(FieldKind::Text), raw),
    }
}

/// A value of a conflict row.
pub fn of_value(field: &Field, kind: Option<FieldKind>, value: &Value) -> Canon {
    match value {
        Value::Null => of_json(field, kind, &Json::Null),
        Value::Text(text) => of_json(field, kind, &Json::String(text.clone())),
        Value::Set(members) => set(members.clone()),
        Value::Date(ms) => Canon::Day(ms.div_euclid(DAY_MS)),
        Value::Bool(yes) => of_json(field, kind, &Json::Bool(*yes)),
        Value::Hash(hash) => Canon::Hash(hash.clone()),
    }
}

/// Text with every run of white space as one blank: services differ in what they keep.
pub fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn text(text: &str) -> Canon {
    if text.is_empty() { Canon::Null } else { Canon::Text(text.to_owned()) }
}

fn set(members: BTreeSet<String>) -> Canon {
    if members.is_empty() { Canon::Null } else { Canon::Set(members) }
}

/// A word that may be bare, a number, or a member of an object.
fn word(raw: &Json, member: &str) -> String {
    match raw {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        Json::Object(object) => object.get(member).map(|inner| word(inner, member)).unwrap_or_default(),
        _ => String::new(),
    }
}

/// Ids or names: one, several, or objects with an `id` or a `name`.
fn names(raw: &Json) -> BTreeSet<String> {
    match raw {
        Json::Array(items) => items.iter().flat_map(names).collect(),
        Json::Object(object) => {
            object.get("id").or_else(|| object.get("name")).map(names).unwrap_or_default()
        }
        other => {
            let text = word(other, "id");
            if text.is_empty() || text == "0" { BTreeSet::new() } else { BTreeSet::from([text]) }
        }
    }
}

/// A date: RFC 3339, a plain day, or milliseconds as number or text.
fn date(raw: &Json) -> Canon {
    let ms = match raw {
        Json::Number(number) => number.as_i64(),
        Json::String(text) => text
            .parse::<i64>()
            .ok()
            .or_else(|| chrono::DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis()))
            .or_else(|| {
                let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
                Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis())
            }),
        _ => None,
    };
    ms.map_or(Canon::Null, |ms| Canon::Day(ms.div_euclid(DAY_MS)))
}

fn custom(kind: FieldKind, raw: &Json) -> Canon {
    match kind {
        FieldKind::Checkbox => match raw {
            Json::Bool(yes) => Canon::Bool(*yes),
            Json::String(text) => Canon::Bool(text == "true"),
            // An unset box is an empty box.
            _ => Canon::Bool(false),
        },
        FieldKind::Date => date(raw),
        FieldKind::Number => match word(raw, "value").parse::<f64>() {
            Ok(number) => Canon::Text(number.to_string()),
            Err(_) => Canon::Null,
        },
        FieldKind::DropDown | FieldKind::Text => text(word(raw, "id").trim()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(field: Field, kind: Option<FieldKind>, spellings: &[Json]) {
        let first = of_json(&field, kind, &spellings[0]);
        for spelling in spellings {
            assert_eq!(of_json(&field, kind, spelling), first, "{spelling}");
        }
    }

    #[test]
    fn all_spellings_of_a_value_are_one_value() {
        check(
            Field::Due,
            None,
            &[
                json!("2026-03-04T12:00:00Z"),
                json!(1_772_625_600_000_i64),
                json!("1772596800000"),
                json!("2026-03-04"),
            ],
        );
        check(
            Field::Assignee,
            None,
            &[json!(7), json!("7"), json!([7]), json!([{"id": 7, "username": "x"}])],
        );
        check(Field::Assignee, None, &[json!(null), json!([]), json!("0")]);
        check(Field::Status, None, &[json!("To Do"), json!({"status": "to do", "type": "open"})]);
        check(Field::Priority, None, &[json!(2), json!("2"), json!({"id": "2", "priority": "high"})]);
        let custom = Field::Custom("x".into());
        check(custom.clone(), Some(FieldKind::Number), &[json!("12"), json!(12), json!(12.0)]);
        check(custom.clone(), Some(FieldKind::Checkbox), &[json!(false), json!(null), json!("false")]);
        check(custom, Some(FieldKind::Text), &[json!(null), json!(""), json!("  ")]);
    }

    #[test]
    fn a_hash_stands_for_its_text() {
        let hash = Canon::Hash(domain::field::sha256_hex(b"long"));
        assert!(hash.matches(&Canon::Text("long".into())));
        assert!(!hash.matches(&Canon::Text("other".into())));
    }
}
