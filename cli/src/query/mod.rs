//! Plain views of the state: the terminal and `--json` only draw them.

pub mod alarms;
pub mod conflicts;
pub mod explain;
mod parts;
pub mod quarantine;
pub mod record;
pub mod status;
#[cfg(test)]
mod tests;

use domain::{FieldKey, Side, Timestamp, Value};
use serde::Serialize;
use serde_json::Value as Json;
use stores::Store;
use stores::names::Known;

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
}

impl Labels {
    /// As last seen.
    pub async fn load(store: &Store) -> anyhow::Result<Self> {
        let names = store.names();
        Ok(Self { zendesk: names.get(Side::Zendesk).await?, clickup: names.get(Side::Clickup).await? })
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
