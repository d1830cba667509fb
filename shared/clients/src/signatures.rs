//! Signatures of webhook deliveries: made for tests and simulators, checked by the intake. The raw
//! bytes of the body are signed, so a body must be checked before anything parses it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::transport::Secret;

type HmacSha256 = Hmac<Sha256>;

/// The secret with which Zendesk signs test requests of webhooks that do not exist yet: everybody knows it.
const ZENDESK_TEST_SECRET: &str = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==";

/// Whether a secret is a published one, with which anybody could sign.
pub fn is_published(secret: &Secret) -> bool {
    secret.reveal() == ZENDESK_TEST_SECRET
}

/// Zendesk: base64 of HMAC-SHA256 over the timestamp header directly followed by the body. The key is
/// the text of the secret, which looks like base64 but is not decoded.
pub fn zendesk_signature(secret: &Secret, timestamp: &str, body: &[u8]) -> String {
    zendesk_mac(secret, timestamp, body)
        .map(|mac| STANDARD.encode(mac.finalize().into_bytes()))
        .unwrap_or_default()
}

/// Whether a Zendesk delivery is genuine. Says nothing of its age: look at the timestamp too.
pub fn zendesk_verify(secret: &Secret, timestamp: &str, body: &[u8], signature: &str) -> bool {
    let Ok(claimed) = STANDARD.decode(signature) else { return false };
    // `verify_slice` compares in constant time.
    zendesk_mac(secret, timestamp, body).is_some_and(|mac| mac.verify_slice(&claimed).is_ok())
}

/// ClickUp: lower-case hex of HMAC-SHA256 over the body. There is no timestamp: a replay looks genuine.
pub fn clickup_signature(secret: &Secret, body: &[u8]) -> String {
    clickup_mac(secret, body).map(|mac| hex(&mac.finalize().into_bytes())).unwrap_or_default()
}

/// Whether a ClickUp delivery is genuine.
pub fn clickup_verify(secret: &Secret, body: &[u8], signature: &str) -> bool {
    let Some(claimed) = unhex(signature) else { return false };
    clickup_mac(secret, body).is_some_and(|mac| mac.verify_slice(&claimed).is_ok())
}

fn zendesk_mac(secret: &Secret, timestamp: &str, body: &[u8]) -> Option<HmacSha256> {
    let mut mac = keyed(secret)?;
    mac.update(timestamp.as_bytes());
    mac.update(body);
    Some(mac)
}

fn clickup_mac(secret: &Secret, body: &[u8]) -> Option<HmacSha256> {
    let mut mac = keyed(secret)?;
    mac.update(body);
    Some(mac)
}

/// An empty secret is a missing setting, not a key: nothing verifies with it.
fn keyed(secret: &Secret) -> Option<HmacSha256> {
    let key = secret.reveal().as_bytes();
    if key.is_empty() { None } else { HmacSha256::new_from_slice(key).ok() }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// One text for each value: lower-case digits and nothing else.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if !text.len().is_multiple_of(2) || !text.bytes().all(is_digit) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_documented_clickup_example_verifies() {
        let secret = Secret::new("secret");
        let body =
            br#"{"webhook_id":"7689a169-a000-4985-8676-6902b96d6627","event":"taskCreated","task_id":"c0j"}"#;
        let expected = "4830bf524f6e29a3e8da953936c6f21c1fea2b9669b825d3e1be293ef3416c8c";
        assert_eq!(clickup_signature(&secret, body), expected);
        assert!(clickup_verify(&secret, body, expected));
        assert!(!clickup_verify(&secret, b"{}", expected));
    }

    #[test]
    fn an_empty_zendesk_body_is_signed_by_its_timestamp_alone() {
        let secret = Secret::new(ZENDESK_TEST_SECRET);
        let signature = zendesk_signature(&secret, "2023-09-18T23:38:13Z", b"");
        assert!(zendesk_verify(&secret, "2023-09-18T23:38:13Z", b"", &signature));
        assert!(!zendesk_verify(&secret, "2023-09-18T23:38:14Z", b"", &signature));
    }

    #[test]
    fn an_empty_secret_verifies_nothing() {
        let empty = Secret::new("");
        assert!(!clickup_verify(&empty, b"x", &clickup_signature(&empty, b"x")));
        assert!(!zendesk_verify(&empty, "1", b"x", &zendesk_signature(&empty, "1", b"x")));
    }

    /// The recorded vectors, when the fixtures are there.
    #[test]
    fn the_recorded_vectors_verify() {
        let Ok(folder) = std::env::var("DESKUP_FIXTURES") else {
            println!("DESKUP_FIXTURES is not set: the recorded vectors are skipped");
            return;
        };
        let folder = std::path::Path::new(&folder);
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        let vectors: serde_json::Value =
            serde_json::from_slice(&read("zendesk/webhooks/signature_vectors.json")).unwrap();
        for vector in vectors["vectors"].as_array().unwrap() {
            let body = read(&format!("zendesk/webhooks/{}", vector["body_file"].as_str().unwrap()));
            let secret = Secret::new(vector["secret"].as_str().unwrap());
            let timestamp = vector["timestamp_header"].as_str().unwrap();
            let expected = vector["expected_signature_header"].as_str().unwrap();
            assert_eq!(zendesk_signature(&secret, timestamp, &body), expected);
            assert!(zendesk_verify(&secret, timestamp, &body, expected));
        }
        let vectors: serde_json::Value =
            serde_json::from_slice(&read("clickup/webhooks/signature_vectors.json")).unwrap();
        for vector in vectors["vectors"].as_array().unwrap() {
            let secret = Secret::new(vector["secret"].as_str().unwrap());
            let body = vector["body"].as_str().unwrap().as_bytes();
            let expected = vector["expected_signature_header"].as_str().unwrap();
            assert_eq!(clickup_signature(&secret, body), expected);
        }
    }

    proptest! {
        /// What is signed verifies; any other body, time or damaged signature does not; nothing panics.
        #[test]
        fn only_the_signed_bytes_verify(body: Vec<u8>, other: Vec<u8>, junk in ".{0,80}") {
            let secret = Secret::new(ZENDESK_TEST_SECRET);
            let zendesk = zendesk_signature(&secret, "t", &body);
            let clickup = clickup_signature(&secret, &body);
            prop_assert!(zendesk_verify(&secret, "t", &body, &zendesk));
            prop_assert!(clickup_verify(&secret, &body, &clickup));
            prop_assert_eq!(zendesk_verify(&secret, "t", &other, &zendesk), other == body);
            prop_assert_eq!(clickup_verify(&secret, &other, &clickup), other == body);
            prop_assert!(!zendesk_verify(&secret, "t", &body, &junk));
            prop_assert!(!clickup_verify(&secret, &body, &junk));
        }
    }
}
