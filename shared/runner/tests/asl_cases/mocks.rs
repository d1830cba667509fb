//! Answers tasks as the recording does.

use std::sync::Mutex;
use std::time::Duration;

use futures::future::BoxFuture;
use runner::{TaskReply, TaskRequest, Tasks, lambda_result};
use serde_json::Value;

use crate::compare::fits;

/// The mocks of one case.
pub struct Mocks {
    default: Option<Value>,
    /// Those that no attempt has used yet.
    left: Mutex<Vec<Value>>,
}

impl Mocks {
    pub fn new(case: &Value) -> Mocks {
        let left = case["mocks"].as_array().cloned().unwrap_or_default();
        Mocks { default: case.get("default_mock").cloned(), left: Mutex::new(left) }
    }

    /// The first unused entry whose state, iteration and input fit.
    fn take(&self, request: &TaskRequest) -> Option<Value> {
        let mut left = self.left.lock().expect("nobody panics with it");
        let at = left.iter().position(|mock| {
            let input = mock.get("input").is_none_or(|input| fits(input, &request.arguments));
            let iteration = mock["iteration"]["index"].as_u64().is_none_or(|index| {
                request.iteration.last().is_some_and(|iteration| iteration.index as u64 == index)
            });
            mock["state"] == request.state.as_str() && input && iteration
        });
        at.map(|at| left.remove(at)).or_else(|| self.default.clone())
    }
}

impl Tasks for Mocks {
    fn call(&self, request: TaskRequest) -> BoxFuture<'_, TaskReply> {
        let mock = self.take(&request);
        Box::pin(async move {
            let Some(mock) = mock else {
                return TaskReply::error("NoMock", format!("{} with {}", request.state, request.arguments));
            };
            let duration = mock["duration_seconds"].as_f64().unwrap_or(0.0);
            if duration > 0.0 {
                tokio::time::sleep(Duration::from_secs_f64(duration)).await;
            }
            let end = end(&mock, &request);
            match mock.get("submitted") {
                Some(response) => {
                    TaskReply::Submitted { response: response.clone(), rest: Box::pin(async { end }) }
                }
                None => end,
            }
        })
    }
}

fn end(mock: &Value, request: &TaskRequest) -> TaskReply {
    let invoked = request.resource.ends_with("lambda:invoke");
    let text = |field: &str| mock[field].as_str().map(str::to_owned);
    match mock["outcome"].as_str() {
        Some("error") => TaskReply::Error {
            error: text("error"),
            cause: text("cause").map(|cause| if invoked { compact(cause) } else { cause }),
        },
        Some("result") => TaskReply::Result(mock["result"].clone()),
        Some("echo") if invoked => TaskReply::Result(lambda_result(request.arguments["Payload"].clone())),
        Some("echo") => TaskReply::Result(request.arguments.clone()),
        _ => TaskReply::Never,
    }
}

/// `lambda:invoke` passes errors on as JSON without blanks; some mocks were written down with them.
fn compact(cause: String) -> String {
    serde_json::from_str::<Value>(&cause).map_or(cause, |value| value.to_string())
}
