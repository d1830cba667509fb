//! Secrets as they are kept: both accounts' credentials, and what signs deliveries. Read once and again after a while,
//! because people renew them.

use aws::{AwsError, Session};
use clients::Secret;
use domain::Side;
use serde::{Deserialize, Serialize};

use crate::credentials::{Credentials, Incomplete, Written};
use crate::hooks::OLD_SECRET_MS;

/// Why the accounts cannot be entered.
#[derive(Debug, thiserror::Error)]
pub(super) enum Locked {
    /// The secret could not be read.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// Nobody has filled it yet, or not as it should be.
    #[error("the secret of the accounts is not filled: run `deskup push`")]
    Unfilled,
    /// Something is missing in it.
    #[error(transparent)]
    Incomplete(#[from] Incomplete),
}

/// The credentials of both accounts.
pub(super) async fn accounts(session: &Session, secret: &str) -> Result<Credentials, Locked> {
    let text = aws::secrets::get(session, secret).await?;
    // What the parser says may quote a secret.
    let written: Written = serde_json::from_str(text.reveal()).map_err(|_| Locked::Unfilled)?;
    Ok(written.complete()?)
}

/// A signing secret, and until when it holds if it is not the newest.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until_ms: Option<i64>,
}

/// What signs deliveries: the text of the webhooks' secret.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Signing {
    zendesk: Vec<Kept>,
    clickup: Vec<Kept>,
}

impl Signing {
    /// What a secret's text says; nothing where nobody has filled it yet.
    pub fn read(text: &Secret) -> Self {
        serde_json::from_str(text.reveal()).unwrap_or_default()
    }

    /// The secret's text.
    pub fn write(&self) -> Secret {
        Secret::new(serde_json::json!(self).to_string())
    }

    /// From now on these are in force on a side; those before them hold for a while longer.
    pub fn renew(&mut self, side: Side, current: &[Secret], now_ms: i64) {
        let kept = self.side_mut(side);
        kept.retain(|old| old.until_ms.is_none_or(|until| now_ms < until));
        for old in kept.iter_mut() {
            if !current.iter().any(|secret| secret.reveal() == old.secret) {
                old.until_ms.get_or_insert(now_ms + OLD_SECRET_MS);
            }
        }
        kept.retain(|old| !current.iter().any(|secret| secret.reveal() == old.secret));
        let newest = current.iter().map(|secret| Kept { secret: secret.reveal().to_owned(), until_ms: None });
        kept.splice(0..0, newest);
    }

    /// The secrets that hold now.
    pub fn holding(&self, side: Side, now_ms: i64) -> Vec<Secret> {
        let kept = match side {
            Side::Zendesk => &self.zendesk,
            Side::Clickup => &self.clickup,
        };
        let holding = kept.iter().filter(|one| one.until_ms.is_none_or(|until| now_ms < until));
        holding.map(|one| Secret::new(one.secret.clone())).collect()
    }

    fn side_mut(&mut self, side: Side) -> &mut Vec<Kept> {
        match side {
            Side::Zendesk => &mut self.zendesk,
            Side::Clickup => &mut self.clickup,
        }
    }
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signing({} and {})", self.zendesk.len(), self.clickup.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_before_holds_for_a_quarter_of_an_hour() {
        let texts = |signing: &Signing, now_ms| {
            let holding = signing.holding(Side::Zendesk, now_ms);
            holding.iter().map(|secret| secret.reveal().to_owned()).collect::<Vec<_>>()
        };
        let mut signing = Signing::default();
        signing.renew(Side::Zendesk, &[Secret::new("a")], 0);
        signing.renew(Side::Zendesk, &[Secret::new("b")], 1_000);
        let signing = Signing::read(&signing.write());
        assert_eq!(texts(&signing, 1_000), ["b", "a"]);
        assert_eq!(texts(&signing, 1_000 + OLD_SECRET_MS), ["b"]);
        assert!(signing.holding(Side::Clickup, 0).is_empty(), "sides are apart");
        assert!(!format!("{signing:?}").contains('a') || !format!("{signing:?}").contains("\"a\""));
        assert!(texts(&Signing::read(&Secret::new("not filled yet")), 0).is_empty());
    }
}
