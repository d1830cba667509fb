//! Zendesk's triggers as far as a write of deskup may meet them. Their conditions are read carefully: only what
//! certainly does not hold rules a trigger out, everything else may fire.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::comment::Visibility;

/// A trigger of the account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub title: String,
    /// Whether it is in use.
    pub active: bool,
    /// All of these must hold.
    pub all: Vec<Condition>,
    /// One of these must hold, where there are any.
    pub any: Vec<Condition>,
    /// What it does.
    pub actions: Vec<Action>,
}

/// One condition of a trigger.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// What is looked at: `status`, `update_type`, `comment_is_public`, …
    pub field: String,
    /// `is`, `is_not`, `changed`, …
    pub operator: String,
    /// What it is compared with.
    pub value: Json,
}

/// One action of a trigger.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// `notification_user`, `status`, `set_tags`, …
    pub field: String,
    /// What it takes.
    pub value: Json,
}

/// What fires when a trigger does, the farthest reach first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Somebody outside gets a message.
    Customer,
    /// A webhook, a target or another system is called.
    Machine,
    /// An agent or a group gets a message.
    Staff,
    /// The ticket is changed once more.
    Ticket,
}

/// An update that deskup makes: always a change of an existing ticket, through the API, by an agent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Update {
    /// Names of Zendesk's fields that are written, such as `status`; empty: any may be.
    pub fields: Vec<String>,
    /// The comment that comes along.
    pub comment: Option<Visibility>,
}

impl Update {
    /// Anything that deskup may write under settings that make comments this visible.
    pub fn any(comments: Visibility) -> Self {
        Update { fields: Vec::new(), comment: Some(comments) }
    }

    fn may_write(&self, field: &str) -> bool {
        self.fields.is_empty() || self.fields.iter().any(|name| name == field)
    }
}

impl Trigger {
    /// Whether an update may make it fire. False is certain, true is not.
    pub fn may_meet(&self, update: &Update) -> bool {
        self.active
            && self.all.iter().all(|condition| condition.may_hold(update))
            && (self.any.is_empty() || self.any.iter().any(|condition| condition.may_hold(update)))
    }

    /// How far its actions reach.
    pub fn reach(&self) -> Reach {
        self.actions.iter().map(Action::reach).min().unwrap_or(Reach::Ticket)
    }
}

impl Condition {
    fn may_hold(&self, update: &Update) -> bool {
        let value = match &self.value {
            Json::String(text) => text.to_lowercase(),
            Json::Bool(flag) => flag.to_string(),
            Json::Null => String::new(),
            other => other.to_string(),
        };
        let is = self.operator == "is";
        let is_not = self.operator == "is_not";
        match self.field.as_str() {
            "update_type" => !(is && value == "create" || is_not && value == "change"),
            "role" => !(is && matches!(value.as_str(), "end_user" | "end-user")),
            "comment_is_public" => match (value.as_str(), update.comment) {
                // A comment that the requester sees.
                ("true" | "public" | "requester_can_see_comment", Some(Visibility::Public)) => !is_not,
                ("true" | "public" | "requester_can_see_comment", _) => !is,
                ("false" | "private", Some(Visibility::Internal)) => !is_not,
                ("false" | "private", _) => !is,
                // `not_relevant`: a comment at all.
                _ => update.comment.is_some() || !is,
            },
            // Only a change of the field itself can be seen as one.
            field if self.operator.starts_with("changed") || self.operator.starts_with("value") => {
                update.may_write(field)
            }
            _ => true,
        }
    }
}

impl Action {
    fn reach(&self) -> Reach {
        let first = match &self.value {
            Json::Array(values) => values.first().and_then(Json::as_str).unwrap_or_default(),
            Json::String(text) => text,
            _ => "",
        };
        match self.field.as_str() {
            "notification_user" | "notification_group"
                if matches!(first, "assignee_id" | "current_user" | "group_id" | "all_agents") =>
            {
                Reach::Staff
            }
            "notification_group" => Reach::Staff,
            // A number is a person of whom nothing is known here: it may be a customer.
            "notification_user"
            | "cc"
            | "satisfaction_score"
            | "tweet_requester"
            | "notification_sms_user" => Reach::Customer,
            field if field.starts_with("notification_") || field.starts_with("side_conversation") => {
                Reach::Machine
            }
            _ => Reach::Ticket,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn condition((field, operator, value): (&str, &str, Json)) -> Condition {
        Condition { field: field.to_owned(), operator: operator.to_owned(), value }
    }

    fn trigger(all: Vec<(&str, &str, Json)>, any: Vec<(&str, &str, Json)>) -> Trigger {
        Trigger {
            active: true,
            all: all.into_iter().map(condition).collect(),
            any: any.into_iter().map(condition).collect(),
            ..Trigger::default()
        }
    }

    #[test]
    fn only_what_certainly_does_not_hold_rules_a_trigger_out() {
        let internal = Update::any(Visibility::Internal);
        let public = Update::any(Visibility::Public);
        let created = trigger(vec![("update_type", "is", json!("Create"))], vec![]);
        assert!(!created.may_meet(&internal), "deskup creates no tickets");
        let changed = trigger(
            vec![("update_type", "is", json!("Change")), ("status", "is_not", json!("solved"))],
            vec![],
        );
        assert!(changed.may_meet(&internal));
        assert!(!Trigger { active: false, ..changed }.may_meet(&internal));
        let seen = trigger(vec![("comment_is_public", "is", json!("requester_can_see_comment"))], vec![]);
        assert!(!seen.may_meet(&internal) && seen.may_meet(&public));
        assert!(trigger(vec![("comment_is_public", "is", json!(false))], vec![]).may_meet(&internal));
        assert!(!trigger(vec![("role", "is", json!("end_user"))], vec![]).may_meet(&public));
        let solved =
            trigger(vec![], vec![("status", "changed", json!(null)), ("priority", "value", json!("high"))]);
        let title = Update { fields: vec!["subject".to_owned()], comment: None };
        let priority = Update { fields: vec!["priority".to_owned()], comment: None };
        assert!(!solved.may_meet(&title) && solved.may_meet(&priority) && solved.may_meet(&internal));
        assert!(trigger(vec![("something_new", "is", json!([1]))], vec![]).may_meet(&internal));
    }

    #[test]
    fn the_farthest_reach_of_its_actions_is_the_triggers() {
        let reach = |actions: Vec<(&str, Json)>| {
            let actions = actions.into_iter().map(|(field, value)| Action { field: field.to_owned(), value });
            Trigger { actions: actions.collect(), ..Trigger::default() }.reach()
        };
        assert_eq!(
            reach(vec![("set_tags", json!("a")), ("notification_user", json!(["requester_id", "x"]))]),
            Reach::Customer
        );
        assert_eq!(reach(vec![("notification_user", json!(["assignee_id", "x"]))]), Reach::Staff);
        assert_eq!(
            reach(vec![
                ("notification_group", json!(["group_id", "x"])),
                ("notification_webhook", json!(["01", "{}"]))
            ]),
            Reach::Machine
        );
        assert_eq!(reach(vec![("priority", json!("high"))]), Reach::Ticket);
    }
}
