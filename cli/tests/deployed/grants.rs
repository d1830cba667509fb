//! Who may ask AWS for what, and who did: the stand-in for AWS refuses nobody.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use http::Request;
use serde_json::Value as Json;

use crate::cloud::{Cloud, parsed};

/// A call of a function to AWS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Called {
    /// The function's name.
    pub function: String,
    /// `dynamodb:GetItem`, `states:StartExecution`, …
    pub action: String,
}

impl std::fmt::Display for Called {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.function, self.action)
    }
}

/// What Lambda itself does in a function's name: its logs and traces, and emptying the queue.
const BY_THE_SERVICE: [&str; 5] =
    ["logs:", "xray:", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

impl Cloud {
    fn grants(&self) -> Json {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/aws/stack.py");
        let output = Command::new(self.tools.join("venv/bin/python")).arg(script).arg("grants").output();
        parsed(&output.unwrap())
    }

    /// Grants that nobody has used.
    #[track_caller]
    pub fn not_used(&self, elsewhere: &BTreeSet<Called>) -> Vec<String> {
        let (grants, mut calls) = (self.grants(), self.calls());
        calls.extend(elsewhere.iter().cloned());
        let mut unused = Vec::new();
        for (function, actions) in grants.as_object().unwrap() {
            let ours = |action: &&str| !BY_THE_SERVICE.iter().any(|theirs| action.starts_with(theirs));
            for action in actions.as_array().unwrap().iter().filter_map(Json::as_str).filter(ours) {
                let used = |call: &Called| {
                    call.function.strip_prefix("deskup-").unwrap_or(&call.function) == function
                        && call.action == action
                };
                if !calls.iter().any(used) {
                    unused.push(format!("{function} {action}"));
                }
            }
        }
        unused
    }

    /// Calls that no role grants: the stand-in refuses nobody.
    #[track_caller]
    pub fn not_granted(&self, elsewhere: &BTreeSet<Called>) -> Vec<String> {
        let mut calls = self.calls();
        assert!(calls.len() > 40, "too few calls were seen: {calls:?}");
        calls.extend(elsewhere.iter().cloned());
        let grants = self.grants();
        let granted = |call: &&Called| {
            let function = call.function.strip_prefix("deskup-").unwrap_or(&call.function);
            grants[function].as_array().is_some_and(|actions| actions.iter().any(|one| *one == call.action))
        };
        calls.iter().filter(|call| !granted(call)).map(ToString::to_string).collect()
    }

    /// What functions have called so far.
    pub fn calls(&self) -> Vec<Called> {
        let mut calls = self.front.calls.lock().unwrap().clone();
        calls.sort();
        calls.dedup();
        calls
    }
}

/// Who asked for what: the SDK and our own requests name the program, and the protocol names the action.
pub fn called(request: &Request<Bytes>) -> Option<Called> {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let agents = [header("user-agent"), header("x-amz-user-agent")];
    let agent = agents.into_iter().flatten().find_map(|agent| agent.split("app/").nth(1))?;
    let function = agent.split_whitespace().next()?.to_owned();
    let (service, action) = header("x-amz-target")?.split_once('.')?;
    let service = match service.split('_').next()? {
        "DynamoDB" => "dynamodb",
        "AWSStepFunctions" => "states",
        "AmazonSQS" => "sqs",
        other => other,
    };
    let body: Json = serde_json::from_slice(request.body()).unwrap_or_default();
    let index = body["IndexName"].as_str().map(|index| format!("/{index}")).unwrap_or_default();
    Some(Called { function, action: format!("{service}:{action}{index}") })
}
