//! What lets deskup into both accounts, in the words in which people write it down: in a file, in the environment, in a
//! secret of a stack.

use clients::{ClickUpConfig, ClickUpCredentials, Secret, ZendeskConfig, ZendeskCredentials};
use domain::Settings;
use serde::{Deserialize, Serialize};

/// What deskup asks Zendesk for.
const ZENDESK_SCOPE: &str = "read write";

/// Credentials of both accounts.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Zendesk's.
    pub zendesk: ZendeskCredentials,
    /// ClickUp's.
    pub clickup: ClickUpCredentials,
}

/// The words of the file, and of the environment with `DESKUP_ZENDESK_` and `DESKUP_CLICKUP_` before them.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// `[zendesk]`.
    pub zendesk: WrittenZendesk,
    /// `[clickup]`.
    pub clickup: WrittenClickup,
}

/// An OAuth client, or the older API token.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WrittenZendesk {
    /// Identifier of an OAuth client with the client credentials grant.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<String>,
    /// The agent's address, for an API token.
    pub email: Option<String>,
    /// The API token.
    pub token: Option<String>,
}

/// A personal token or an OAuth access token.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WrittenClickup {
    /// The token.
    pub token: Option<String>,
}

/// What is missing.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{key} is missing in the credentials")]
pub struct Incomplete {
    /// As the environment calls it.
    pub variable: &'static str,
    /// As the file calls it.
    pub key: &'static str,
}

impl Credentials {
    /// For who only listens: they let nobody in.
    pub fn none() -> Self {
        Self {
            zendesk: ZendeskCredentials::ApiToken { email: String::new(), token: Secret::new("") },
            clickup: ClickUpCredentials::Personal(Secret::new("")),
        }
    }

    /// Both accounts as the settings name them.
    pub fn accounts(self, settings: &Settings) -> (ZendeskConfig, ClickUpConfig) {
        let zendesk = ZendeskConfig { base_url: settings.zendesk_url.clone(), credentials: self.zendesk };
        let clickup = ClickUpConfig {
            base_url: settings.clickup_url.clone(),
            token: self.clickup,
            workspace: settings.workspace.clone(),
        };
        (zendesk, clickup)
    }
}

impl Written {
    /// Credentials that can be sent, or what is missing.
    pub fn complete(self) -> Result<Credentials, Incomplete> {
        let WrittenZendesk { client_id, client_secret, email, token } = self.zendesk;
        let zendesk = match (client_id, client_secret, email, token) {
            (Some(client_id), Some(secret), ..) => ZendeskCredentials::OAuthClient {
                client_id,
                client_secret: Secret::new(secret),
                scope: ZENDESK_SCOPE.to_owned(),
            },
            (None, None, Some(email), Some(token)) => {
                ZendeskCredentials::ApiToken { email, token: Secret::new(token) }
            }
            (Some(_), None, ..) => return Err(missing("DESKUP_ZENDESK_CLIENT_SECRET", "client_secret")),
            (None, Some(_), ..) => return Err(missing("DESKUP_ZENDESK_CLIENT_ID", "client_id")),
            (None, None, Some(_), None) => return Err(missing("DESKUP_ZENDESK_TOKEN", "token")),
            (None, None, None, Some(_)) => return Err(missing("DESKUP_ZENDESK_EMAIL", "email")),
            (None, None, None, None) => {
                return Err(missing(
                    "DESKUP_ZENDESK_CLIENT_ID and DESKUP_ZENDESK_CLIENT_SECRET",
                    "client_id",
                ));
            }
        };
        let token = self.clickup.token.ok_or_else(|| missing("DESKUP_CLICKUP_TOKEN", "[clickup] token"))?;
        let clickup = match token.strip_prefix("pk_") {
            Some(_) => ClickUpCredentials::Personal(Secret::new(token)),
            None => ClickUpCredentials::OAuth(Secret::new(token)),
        };
        Ok(Credentials { zendesk, clickup })
    }
}

impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Written(…)")
    }
}

fn missing(variable: &'static str, key: &'static str) -> Incomplete {
    Incomplete { variable, key }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_pair_is_named() {
        let half = Written {
            zendesk: WrittenZendesk { client_id: Some("x".to_owned()), ..WrittenZendesk::default() },
            ..Written::default()
        };
        let refused = half.complete().expect_err("the secret is missing");
        assert_eq!(refused.variable, "DESKUP_ZENDESK_CLIENT_SECRET");
    }
}
