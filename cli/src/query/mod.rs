//! Plain views of the state: the terminal and `--json` only draw them.

pub mod alarms;
pub mod causes;
pub mod conflicts;
pub mod explain;
pub mod holders;
pub mod offers;
mod parts;
pub mod quarantine;
pub mod record;
pub mod status;
#[cfg(test)]
mod tests;

use domain::{FieldKey, Settings, Side, Timestamp, Value};
use serde::Serialize;
use serde_json::Value as Json;
use stores::Store;
use stores::names::Known;

use crate::installation::Installation;

/// A field's value as JSON that says no more than it has to.
pub fn json_of(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Text(text) => Json::String(text.clone()),
        Value::Set(members) => members.iter().cloned().map(Json::String).collect(),
        Value::Date(ms) => Json::String(Timestamp(*ms).to_rfc3339()),
        Value::Bool(yes) => Json::Bool(*yes),
        Value::Hash(hash) => serde_json::json!({ "sha256": hash }),
    }
}

/// What both services call their people and options: ids are for machines.
pub struct Labels {
    zendesk: Known,
    clickup: Known,
    /// The zone in which an instant is a day.
    utc_offset_minutes: i32,
}

impl Labels {
    /// As last seen; the zone is that of deskup.toml.
    pub async fn load(installation: &Installation, store: &Store) -> anyhow::Result<Self> {
        let names = store.names();
        let text = std::fs::read_to_string(installation.settings_file()).unwrap_or_default();
        let settings = Settings::parse(&text);
        Ok(Self {
            zendesk: names.get(Side::Zendesk).await?,
            clickup: names.get(Side::Clickup).await?,
            utc_offset_minutes: settings.map(|settings| settings.utc_offset_minutes).unwrap_or_default(),
        })
    }

    /// A rule with names where it tells of people by number.
    pub fn rule(&self, rule: &str) -> String {
        causes::with_names(rule, |id| self.zendesk.names.get(id).cloned())
    }

    fn of(&self, side: Side) -> &Known {
        match side {
            Side::Zendesk => &self.zendesk,
            Side::Clickup => &self.clickup,
        }
    }

    /// Whether this is deskup's own user.
    pub fn is_me(&self, side: Side, actor: i64) -> bool {
        self.of(side).me == Some(actor)
    }

    /// A person by number.
    pub fn person(&self, side: Side, actor: i64) -> String {
        match self.of(side).names.get(&actor.to_string()) {
            Some(name) => format!("{name} ({actor})"),
            None => format!("user {actor}"),
        }
    }

    /// A list by its id.
    pub fn list(&self, id: &str) -> String {
        match self.clickup.names.get(&format!("list {id}")) {
            Some(name) => format!("{name} ({id})"),
            None => id.to_owned(),
        }
    }

    /// Values of a field in one line each. Where one of them is a day, none is shown as an instant.
    pub fn lines(&self, field: &FieldKey, values: &[(Side, &Value)]) -> Vec<String> {
        let is_day =
            |text: &str| text.len() == 10 && Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")).is_some();
        let days = values.iter().any(|(_, value)| matches!(value, Value::Text(text) if is_day(text)));
        let line = |(side, value): &(Side, &Value)| match value {
            Value::Date(ms) if days => self.day(*ms),
            value => self.line(field, *side, value),
        };
        values.iter().map(line).collect()
    }

    /// `2026-01-31` for an instant.
    fn day(&self, ms: i64) -> String {
        let local = ms.saturating_add(i64::from(self.utc_offset_minutes) * 60_000);
        Timestamp(local).to_rfc3339().chars().take(10).collect()
    }

    /// A field's value in one line, with names where it has ids.
    pub fn line(&self, field: &FieldKey, side: Side, value: &Value) -> String {
        let named = |id: &String| Value::Text(self.member(field, side, id));
        let shown = match value {
            Value::Text(text) => named(text),
            Value::Set(members) => {
                let members: Vec<String> =
                    members.iter().map(|member| self.member(field, side, member)).collect();
                Value::Text(members.join(", "))
            }
            other => other.clone(),
        };
        line_of(&json_of(&shown))
    }

    fn member(&self, field: &FieldKey, side: Side, id: &str) -> String {
        let name = match (field, side) {
            (FieldKey::Assignee | FieldKey::Custom(_), _) => self.of(side).names.get(id).cloned(),
            (FieldKey::Status, Side::Zendesk) => self.zendesk.names.get(id).cloned(),
            (FieldKey::Priority, Side::Clickup) => priority(id).map(str::to_owned),
            _ => None,
        };
        name.unwrap_or_else(|| id.to_owned())
    }
}

/// ClickUp counts priorities.
fn priority(number: &str) -> Option<&'static str> {
    Some(match number {
        "1" => "urgent",
        "2" => "high",
        "3" => "normal",
        "4" => "low",
        _ => return None,
    })
}

/// A field's value in one line.
pub fn line_of(value: &Json) -> String {
    let text = match value {
        Json::Null => "-".to_owned(),
        Json::String(text) => text.clone(),
        Json::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Json::Array(members) => {
            members.iter().map(|member| member.as_str().unwrap_or_default()).collect::<Vec<_>>().join(", ")
        }
        Json::Object(_) => "(long text)".to_owned(),
        other => other.to_string(),
    };
    crate::terminal::plain(&text)
}

/// The bare word of an enum that serializes to one.
pub fn word<T: Serialize>(value: T) -> String {
    serde_json::to_value(value).ok().and_then(|json| json.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A time of a view, shorter: for tables.
pub fn short(time: &str) -> String {
    time.get(..16).map_or_else(|| time.to_owned(), |minutes| minutes.replacen('T', " ", 1))
}

/// A time for people and machines.
pub fn time(ms: i64) -> String {
    Timestamp(ms).to_rfc3339()
}
