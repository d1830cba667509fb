//! A delivery of our own through the public address: proves that a tunnel or proxy leads here, and to a deskup
//! that knows the secret. The answer is signed too, because any proxy can say 200.

use bytes::Bytes;
use clients::{Secret, signatures};
use domain::{Side, Timestamp};
use http::{HeaderValue, Request, Response};
use serde_json::{Value as Json, json};

/// Carries the answer.
const HEADER: &str = "x-deskup-check";

/// A longer nonce is none of ours.
const NONCE_BYTES_MAX: usize = 64;

/// A delivery that asks for a proof. It changes nothing.
pub fn question(
    side: Side,
    endpoint: &str,
    secret: &Secret,
    nonce: &str,
    now_ms: i64,
) -> Option<Request<Bytes>> {
    let body = json!({ "deskup_check": nonce }).to_string();
    let mut request = Request::post(endpoint)
        .header("content-type", "application/json")
        .header("user-agent", concat!("deskup/", env!("CARGO_PKG_VERSION")));
    match side {
        Side::Zendesk => {
            let timestamp = Timestamp(now_ms).to_rfc3339();
            let signature = signatures::zendesk_signature(secret, &timestamp, body.as_bytes());
            request = request
                .header("x-zendesk-webhook-signature-timestamp", timestamp)
                .header("x-zendesk-webhook-signature", signature);
        }
        Side::Clickup => {
            request = request.header("x-signature", signatures::clickup_signature(secret, body.as_bytes()));
        }
    }
    request.body(Bytes::from(body)).ok()
}

/// The answer to such a delivery, once its signature is found genuine.
pub(super) fn answer(body: &[u8], secret: &Secret) -> Option<HeaderValue> {
    // The services' own deliveries are not parsed for this.
    if body.len() > 2 * NONCE_BYTES_MAX {
        return None;
    }
    let body: Json = serde_json::from_slice(body).ok()?;
    let nonce = body["deskup_check"].as_str().filter(|nonce| nonce.len() <= NONCE_BYTES_MAX)?;
    HeaderValue::from_str(&sign(secret, nonce)).ok()
}

/// Puts the answer on a response.
pub(super) fn put(response: &mut Response<Bytes>, answer: HeaderValue) {
    response.headers_mut().insert(HEADER, answer);
}

/// Whether a response comes from a deskup that knows the secret.
pub fn is_proven(response: &Response<Bytes>, secret: &Secret, nonce: &str) -> bool {
    response.headers().get(HEADER).is_some_and(|given| given.as_bytes() == sign(secret, nonce).as_bytes())
}

fn sign(secret: &Secret, nonce: &str) -> String {
    signatures::clickup_signature(secret, format!("deskup answers {nonce}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_the_secret_proves_it() {
        let secret = Secret::new("s");
        let asked =
            question(Side::Clickup, "https://a.example/clickup", &secret, "n1", 0).expect("a request");
        let mut response = Response::new(Bytes::new());
        assert!(!is_proven(&response, &secret, "n1"), "any proxy says 200");
        put(&mut response, answer(asked.body(), &secret).expect("an answer"));
        assert!(is_proven(&response, &secret, "n1"));
        assert!(!is_proven(&response, &secret, "n2"), "an old answer proves nothing");
        assert!(!is_proven(&response, &Secret::new("t"), "n1"));
        assert!(answer(br#"{"event":"taskUpdated"}"#, &secret).is_none());
    }
}
