//! The sorts of task resources and how the history tells of each.

use asl::model::Task;
use serde_json::{Map, Value, json};

/// A resource, by what the history calls its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource<'a> {
    /// A function's own ARN.
    Lambda { arn: &'a str },
    /// An activity, which workers poll.
    Activity { arn: &'a str },
    /// `arn:aws:states:::<service>:<action>`.
    Service { service: &'a str, action: &'a str },
}

/// What a Scheduled event tells.
pub(super) struct Scheduled<'a> {
    pub(super) arguments: &'a Value,
    pub(super) region: &'a str,
    pub(super) timeout_s: Option<u64>,
    pub(super) heartbeat_s: Option<u64>,
    pub(super) credentials: Option<&'a Value>,
}

impl<'a> Resource<'a> {
    pub(super) fn of(task: &'a Task) -> Resource<'a> {
        let arn = task.resource.as_str();
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        match parts.as_slice() {
            [_, _, "states", "", "", rest] => {
                let (service, action) = rest.rsplit_once(':').unwrap_or((rest, ""));
                // `.sync:2` ends with a colon and a number that belong to the action.
                match service.rsplit_once(':') {
                    Some((service, head)) if head.ends_with(".sync") => {
                        Resource::Service { service, action: &rest[service.len() + 1..] }
                    }
                    _ => Resource::Service { service, action },
                }
            }
            [_, _, "states", _, _, rest] if rest.starts_with("activity:") => Resource::Activity { arn },
            _ => Resource::Lambda { arn },
        }
    }

    /// Whether the task waits for a token.
    pub(super) fn waits_for_token(self) -> bool {
        matches!(self, Resource::Service { action, .. } if action.ends_with(".waitForTaskToken"))
    }

    /// What the cause of a too large result calls the task.
    pub(super) fn label(self) -> &'a str {
        match self {
            Resource::Lambda { arn } | Resource::Activity { arn } => arn,
            Resource::Service { service, .. } => service,
        }
    }

    /// An event's type: `Scheduled` becomes `TaskScheduled`.
    pub(super) fn event(self, what: &str) -> String {
        match self {
            Resource::Lambda { .. } => format!("LambdaFunction{what}"),
            Resource::Activity { .. } => format!("Activity{what}"),
            Resource::Service { .. } => format!("Task{what}"),
        }
    }

    /// The details of a Scheduled event.
    pub(super) fn scheduled(self, what: &Scheduled<'_>) -> Value {
        let mut details = match self {
            Resource::Lambda { arn } | Resource::Activity { arn } => {
                json!({ "resource": arn, "input": what.arguments })
            }
            Resource::Service { service, action } => json!({
                "resourceType": service,
                "resource": action,
                "region": what.region,
                "parameters": what.arguments,
            }),
        };
        if let Some(seconds) = what.timeout_s {
            details["timeoutInSeconds"] = seconds.into();
        }
        if let Some(seconds) = what.heartbeat_s {
            details["heartbeatInSeconds"] = seconds.into();
        }
        if let Some(role) = what.credentials.and_then(|credentials| credentials.get("RoleArn")) {
            details["taskCredentials"] = json!({ "roleArn": role });
        }
        details
    }

    /// The details of a later event: what the service is called, then `members`.
    pub(super) fn details(self, members: Value) -> Option<Value> {
        let mut details = Map::new();
        if let Resource::Service { service, action } = self {
            details.insert("resourceType".into(), service.into());
            details.insert("resource".into(), action.into());
        }
        if let Value::Object(members) = members {
            details.extend(members);
        }
        (!details.is_empty()).then_some(Value::Object(details))
    }
}
