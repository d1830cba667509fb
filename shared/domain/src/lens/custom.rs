//! Custom fields, by the kind of value that both sides can hold.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::due_date::Days;
use super::options::Options;
use super::text::{lines, one_line};
use super::{
    Lens, Look, Members, TaskWrites, Unmirrorable, common, mirrorable, respell, text_of, text_value,
};
use crate::field::Value;
use crate::merge::{as_set, set_value};
use crate::patch::{TaskWrite, TicketPatch};
use crate::records::{Task, Ticket};

/// What a custom field holds on both sides.
#[derive(Debug)]
pub(crate) enum Kind {
    Text,
    /// `whole`: Zendesk takes no fraction.
    Number {
        whole: bool,
    },
    Checkbox,
    Date(Days),
    Option(Options),
    Labels(Options),
}

impl Kind {
    /// Whether a field of this type of Zendesk can be mapped at all.
    pub fn is_custom(zendesk: &str) -> bool {
        let theirs = ["text", "number", "checkbox", "date", "drop_down", "labels"];
        theirs.into_iter().any(|clickup| Self::pairing(zendesk, clickup).is_some())
    }

    /// Zendesk's and ClickUp's names of types that fit together; `None` where they do not.
    pub fn pairing(zendesk: &str, clickup: &str) -> Option<&'static str> {
        match (zendesk, clickup) {
            ("text" | "textarea" | "regexp", "short_text" | "text" | "url" | "email" | "phone") => {
                Some("text")
            }
            ("integer" | "decimal", "number" | "currency") => Some("number"),
            ("checkbox", "checkbox") => Some("checkbox"),
            ("date", "date") => Some("date"),
            ("tagger", "drop_down") => Some("option"),
            ("multiselect", "labels") => Some("labels"),
            _ => None,
        }
    }
}

/// One custom field on both sides.
#[derive(Debug)]
pub(crate) struct Custom {
    pub zendesk: u64,
    pub clickup: String,
    pub kind: Kind,
}

impl Custom {
    /// A raw value of Zendesk's field.
    pub fn read_zendesk(&self, raw: Option<&Json>) -> Value {
        let raw = raw.unwrap_or(&Json::Null);
        match &self.kind {
            Kind::Text => text_value(&lines(raw.as_str().unwrap_or_default())),
            Kind::Number { .. } => number(raw),
            Kind::Checkbox => Value::Bool(truth(raw)),
            Kind::Date(_) => {
                text_value(&raw.as_str().unwrap_or_default().trim().chars().take(10).collect::<String>())
            }
            Kind::Option(_) => text_value(raw.as_str().unwrap_or_default().trim()),
            Kind::Labels(_) => strings(raw),
        }
    }

    /// A raw value of ClickUp's field.
    pub fn read_clickup(&self, raw: Option<&Json>) -> Value {
        let raw = raw.unwrap_or(&Json::Null);
        match &self.kind {
            Kind::Text => text_value(&lines(raw.as_str().unwrap_or_default())),
            Kind::Number { .. } => number(raw),
            Kind::Checkbox => Value::Bool(truth(raw)),
            Kind::Date(days) => {
                let ms = raw.as_i64().or_else(|| raw.as_str().and_then(|text| text.trim().parse().ok()));
                ms.map_or(Value::Null, |ms| Value::Text(days.day(ms)))
            }
            Kind::Option(options) => match raw.as_u64() {
                Some(index) => usize::try_from(index)
                    .ok()
                    .and_then(|index| options.by_index.get(index))
                    .map_or(Value::Null, |id| Value::Text(id.clone())),
                None => text_value(raw.as_str().unwrap_or_default()),
            },
            Kind::Labels(_) => strings(raw),
        }
    }

    fn options(&self) -> Option<&Options> {
        match &self.kind {
            Kind::Option(options) | Kind::Labels(options) => Some(options),
            _ => None,
        }
    }
}

/// Answers say `true` or `"true"`, audits `"1"`.
fn truth(raw: &Json) -> bool {
    raw.as_bool().unwrap_or_else(|| matches!(raw.as_str(), Some("true" | "1")))
}

fn strings(raw: &Json) -> Value {
    let entries = raw.as_array().map(Vec::as_slice).unwrap_or_default();
    // Labels in webhooks and some answers are objects with an id.
    let id = |entry: &Json| entry.as_str().or_else(|| entry.get("id")?.as_str()).map(str::to_owned);
    set_value(entries.iter().filter_map(id).collect())
}

/// A number in one written form: `1.50` and `1.5` are equal.
fn number(raw: &Json) -> Value {
    let text = match raw {
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.trim().to_owned(),
        _ => return Value::Null,
    };
    let plain = text.strip_prefix('-').unwrap_or(&text);
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if plain.is_empty() || !digits(whole) || !digits(fraction) || whole.is_empty() && fraction.is_empty() {
        // An exponent, or no number at all.
        return match text.parse::<f64>() {
            Ok(float) if float.is_finite() => number(&Json::String(format!("{float}"))),
            _ => text_value(&text),
        };
    }
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let mut canonical = if whole.is_empty() { "0".to_owned() } else { whole.to_owned() };
    if !fraction.is_empty() {
        canonical = format!("{canonical}.{fraction}");
    }
    if text.starts_with('-') && canonical != "0" {
        canonical.insert(0, '-');
    }
    Value::Text(canonical)
}

impl Members for Custom {
    fn common_form(&self, member: &str) -> Option<String> {
        self.options()?.to_zendesk.get(member).cloned()
    }

    fn to_clickup(&self, member: &str) -> Option<String> {
        self.options()?.to_clickup.get(member).cloned()
    }

    fn unknown(&self, member: &str) -> String {
        format!("option `{member}` has no counterpart on the other side")
    }
}

impl Lens for Custom {
    fn zendesk(&self, ticket: &Ticket) -> Value {
        self.read_zendesk(ticket.custom_fields.get(&self.zendesk))
    }

    fn clickup(&self, task: &Task) -> Value {
        self.read_clickup(task.custom_fields.get(&self.clickup))
    }

    fn same(&self, zendesk: &Value, clickup: &Value, _: &Look<'_>) -> bool {
        match &self.kind {
            Kind::Option(options) => match (text_of(zendesk), text_of(clickup)) {
                (None, None) => true,
                (Some(z), Some(c)) => {
                    options.to_clickup.get(z).is_some_and(|id| id == c)
                        || options.to_zendesk.get(c).is_some_and(|tag| tag == z)
                }
                _ => false,
            },
            Kind::Labels(_) => {
                let (z, c) = (as_set(zendesk).unwrap_or_default(), as_set(clickup).unwrap_or_default());
                mirrorable(self, &z) == common(self, &c)
            }
            Kind::Text => text_of(zendesk).map(one_line) == text_of(clickup).map(one_line),
            Kind::Checkbox => (*zendesk == Value::Bool(true)) == (*clickup == Value::Bool(true)),
            _ => zendesk == clickup,
        }
    }

    fn to_clickup(&self, zendesk: &Value, clickup: &Value, _: &Look<'_>) -> Result<Value, Unmirrorable> {
        match (&self.kind, zendesk) {
            (Kind::Option(options), Value::Text(tag)) => match options.to_clickup.get(tag) {
                Some(id) => Ok(Value::Text(id.clone())),
                None => Err(self.unknown(tag)),
            },
            (Kind::Labels(_), _) => {
                let wanted = mirrorable(self, &as_set(zendesk).unwrap_or_default());
                Ok(set_value(respell(self, &wanted, &as_set(clickup).unwrap_or_default())))
            }
            (Kind::Number { .. }, Value::Text(text)) if text.parse::<f64>().is_err() => {
                Err(format!("`{text}` is not a number"))
            }
            (Kind::Date(days), Value::Text(day)) if days.noon(day).is_none() => {
                Err(format!("`{day}` is not a date"))
            }
            _ => Ok(zendesk.clone()),
        }
    }

    fn to_zendesk(&self, clickup: &Value, _: &Value, _: &Look<'_>) -> Result<Value, Unmirrorable> {
        match (&self.kind, clickup) {
            (Kind::Option(options), Value::Text(id)) => match options.to_zendesk.get(id) {
                Some(tag) => Ok(Value::Text(tag.clone())),
                None => Err(self.unknown(id)),
            },
            (Kind::Labels(_), _) => Ok(set_value(common(self, &as_set(clickup).unwrap_or_default()))),
            (Kind::Number { whole: true }, Value::Text(text)) if text.contains('.') => {
                Err(format!("`{text}` is not a whole number, and Zendesk's field takes no other"))
            }
            (Kind::Number { .. }, Value::Text(text)) if text.parse::<f64>().is_err() => {
                Err(format!("`{text}` is not a number"))
            }
            _ => Ok(clickup.clone()),
        }
    }

    fn write_clickup(&self, value: &Value, _: &Look<'_>, writes: &mut TaskWrites) {
        let json = match (&self.kind, value) {
            (Kind::Number { .. }, Value::Text(text)) => serde_json::from_str(text).ok(),
            (Kind::Date(days), Value::Text(day)) => days.noon(day).map(Json::from),
            (_, Value::Text(text)) => Some(Json::from(text.as_str())),
            (_, Value::Bool(on)) => Some(Json::Bool(*on)),
            (_, Value::Set(set)) => Some(set.iter().cloned().collect()),
            _ => None,
        };
        writes.calls.push(match json {
            Some(json) => TaskWrite::SetField(self.clickup.clone(), json),
            None => TaskWrite::ClearField(self.clickup.clone()),
        });
    }

    fn write_zendesk(&self, value: &Value, _: &Look<'_>, patch: &mut TicketPatch) {
        let json = match (&self.kind, value) {
            (_, Value::Text(text)) => Json::from(text.as_str()),
            (_, Value::Bool(on)) => Json::Bool(*on),
            (_, Value::Set(set)) => set.iter().cloned().collect(),
            (Kind::Labels(_), _) => Json::Array(Vec::new()),
            _ => Json::Null,
        };
        patch.custom_fields.insert(self.zendesk, json);
    }

    fn members(&self) -> Option<&dyn Members> {
        matches!(self.kind, Kind::Labels(_)).then_some(self as &dyn Members)
    }
}

/// The tags that stand for options of Zendesk's fields.
pub(crate) fn option_tags<'f>(
    fields: impl Iterator<Item = &'f crate::directory::ZendeskField>,
) -> BTreeSet<String> {
    fields.flat_map(|field| field.options.iter().map(|(tag, _)| super::tags::zendesk_form(tag))).collect()
}
