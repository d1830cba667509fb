//! Credentials that will end, said before they do.

use clients::ZendeskCredentials;
use domain::Timestamp;

use crate::credentials;
use crate::installation::Installation;

/// What a person should know of the credentials, if anything.
pub fn warning(installation: &Installation, now_ms: i64) -> anyhow::Result<Option<String>> {
    let credentials = credentials::complete(credentials::of(installation)?)?;
    Ok(of_zendesk(&credentials.zendesk, now_ms))
}

/// Zendesk ends its API tokens; OAuth clients stay.
fn of_zendesk(credentials: &ZendeskCredentials, now_ms: i64) -> Option<String> {
    let ends_ms = credentials.ends_ms()?;
    let date = Timestamp(ends_ms).to_rfc3339();
    let date = date.get(..10).unwrap_or_default();
    let instead = "make an OAuth client (Admin Center, Apps and integrations, APIs) and put its client_id and client_secret in the place of email and token";
    Some(match (ends_ms - now_ms).div_euclid(86_400_000) {
        ..0 => format!("Zendesk ended its API tokens on {date}: {instead}"),
        days => format!("warning: Zendesk ends its API tokens on {date}, in {days} days: {instead}"),
    })
}

#[cfg(test)]
mod tests {
    use clients::Secret;

    use super::*;

    #[test]
    fn an_api_token_has_an_end_and_an_oauth_client_has_none() {
        let token =
            ZendeskCredentials::ApiToken { email: "a@b.example".into(), token: Secret::new("hidden") };
        let day = 86_400_000;
        let end = token.ends_ms().expect("it ends");
        let before = of_zendesk(&token, end - 10 * day).expect("a warning");
        assert!(
            before.contains("2027-04-30") && before.contains("10 days") && !before.contains("hidden"),
            "{before}"
        );
        assert!(of_zendesk(&token, end + day).expect("a word").contains("ended"));
        let client = ZendeskCredentials::OAuthClient {
            client_id: "deskup".into(),
            client_secret: Secret::new("hidden"),
            scope: String::new(),
        };
        assert_eq!(of_zendesk(&client, end - day), None);
    }
}
