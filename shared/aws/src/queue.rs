//! SQS: waking somebody up, now or in a while.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::{AwsError, Session};

/// The service keeps a message back for a quarter of an hour at most.
pub const DELAY_S_MAX: u32 = 900;

/// Puts a message into a queue; it is seen after the delay.
pub async fn send(session: &Session, queue: &str, message: &Json, delay_s: u32) -> Result<(), AwsError> {
    let body: BTreeMap<&str, Json> = [
        ("QueueUrl", json!(queue)),
        ("MessageBody", json!(message.to_string())),
        ("DelaySeconds", json!(delay_s.min(DELAY_S_MAX))),
    ]
    .into();
    session.json("sqs", "AmazonSQS.SendMessage", "application/x-amz-json-1.0", &json!(body)).await.map(drop)
}
