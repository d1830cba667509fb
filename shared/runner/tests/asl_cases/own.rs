//! A few cases of our own, for when there is no folder of recorded ones.

use serde_json::{Value, json};

use crate::case::Case;

/// A change of a case that must make it fail.
pub type Spoil = fn(&mut Case);

/// Changes of the first case's expectations.
pub const SPOILED: [(&str, Spoil); 4] = [
    ("another status", |case| case.body["expect"]["status"] = json!("FAILED")),
    ("another output", |case| case.body["expect"]["output"]["doubled"] = json!(9)),
    ("another time", |case| case.body["expect"]["elapsed_seconds"] = json!(4)),
    ("another history", |case| case.body["expect"]["event_types"][2] = json!("PassStateExited")),
];

/// The cases.
pub fn cases() -> Vec<Case> {
    vec![retried(), caught(), mapped()]
}

fn retried() -> Case {
    case(
        "a task is retried and its result reshaped",
        json!({
            "definition": {
                "QueryLanguage": "JSONata",
                "StartAt": "Double",
                "States": {
                    "Double": {
                        "Type": "Task",
                        "Resource": "arn:aws:states:::lambda:invoke",
                        "Arguments": { "FunctionName": "double", "Payload": "{% $states.input.n %}" },
                        "Retry": [{ "ErrorEquals": ["Transient"], "IntervalSeconds": 3, "MaxAttempts": 1 }],
                        "Output": { "doubled": "{% $states.result.Payload %}" },
                        "End": true,
                    },
                },
            },
            "input": { "n": 4 },
            "mocks": [
                { "state": "Double", "outcome": "error", "error": "Transient", "cause": "busy" },
                { "state": "Double", "outcome": "result", "result": { "Payload": 8 } },
            ],
            "expect": {
                "status": "SUCCEEDED",
                "output": { "doubled": 8 },
                "elapsed_seconds": 3,
                "event_types": [
                    "ExecutionStarted", "TaskStateEntered",
                    "TaskScheduled", "TaskStarted", "TaskFailed",
                    "TaskScheduled", "TaskStarted", "TaskSucceeded",
                    "TaskStateExited", "ExecutionSucceeded",
                ],
            },
        }),
    )
}

fn caught() -> Case {
    case(
        "a fallback catches what retries did not mend",
        json!({
            "definition": {
                "QueryLanguage": "JSONata",
                "StartAt": "Try",
                "States": {
                    "Try": {
                        "Type": "Task",
                        "Resource": "arn:aws:states:::lambda:invoke",
                        "Arguments": { "FunctionName": "try" },
                        "Catch": [{
                            "ErrorEquals": ["States.ALL"],
                            "Assign": { "why": "{% $states.errorOutput.Error %}" },
                            "Next": "Fallback",
                        }],
                        "End": true,
                    },
                    "Fallback": { "Type": "Pass", "Output": "{% $why %}", "End": true },
                },
            },
            "input": {},
            "mocks": [{ "state": "Try", "outcome": "error", "error": "Rejected", "cause": "gone" }],
            "expect": { "status": "SUCCEEDED", "output": "Rejected", "elapsed_seconds": 0 },
        }),
    )
}

fn mapped() -> Case {
    case(
        "two items at once in the order of the items",
        json!({
            "definition": {
                "StartAt": "Each",
                "States": {
                    "Each": {
                        "Type": "Map",
                        "MaxConcurrency": 2,
                        "ItemProcessor": {
                            "StartAt": "Wait",
                            "States": { "Wait": { "Type": "Wait", "SecondsPath": "$", "End": true } },
                        },
                        "End": true,
                    },
                },
            },
            "input": [5, 2, 1],
            "expect": { "status": "SUCCEEDED", "output": [5, 2, 1], "elapsed_seconds": 5 },
        }),
    )
}

fn case(name: &str, mut body: Value) -> Case {
    body["features"] = json!(["own"]);
    body["needs"] = json!([]);
    Case { name: name.to_owned(), body }
}
