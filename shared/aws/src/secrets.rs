//! Secrets Manager: two calls of its whole face.

use clients::Secret;
use serde_json::json;

use crate::{AwsError, Session};

const SERVICE: &str = "secretsmanager";
const JSON: &str = "application/x-amz-json-1.1";

/// The newest text of a secret, by name or ARN.
pub async fn get(session: &Session, secret: &str) -> Result<Secret, AwsError> {
    let answer =
        session.json(SERVICE, "secretsmanager.GetSecretValue", JSON, &json!({ "SecretId": secret })).await?;
    let text = answer["SecretString"].as_str();
    text.map(Secret::new).ok_or(AwsError::Unreadable { service: SERVICE, action: "GetSecretValue" })
}

/// Replaces the text of a secret.
pub async fn put(session: &Session, secret: &str, text: &Secret) -> Result<(), AwsError> {
    let body = json!({ "SecretId": secret, "SecretString": text.reveal() });
    session.json(SERVICE, "secretsmanager.PutSecretValue", JSON, &body).await.map(drop)
}
