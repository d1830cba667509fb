//! Why an account cannot be used, in words that say what to do.

use clients::{ApiError, ErrorKind, NoAccess};
use domain::Side;

use super::watch::Ending;

/// What has to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The address, or what stands between.
    Address,
    /// Who deskup claims to be.
    Credentials,
    /// What deskup may do.
    Rights,
    /// The workspace.
    Workspace,
    /// Nothing here: the service is in trouble.
    Service,
}

/// An account that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Trouble {
    /// Which account.
    pub side: Side,
    /// What has to be changed.
    pub about: About,
    /// What happened and what to do.
    pub message: String,
}

impl Trouble {
    pub(super) fn new(side: Side, about: About, message: impl Into<String>) -> Self {
        Self { side, about, message: message.into() }
    }

    /// Reads a failed call together with what was seen of its answer.
    pub(super) fn of(side: Side, url: &str, error: &ApiError, last: &Ending) -> Self {
        let address = |message: String| Self::new(side, About::Address, message);
        if error.code.as_deref() == Some("BadBaseUrl") {
            return address(format!(
                "{url} cannot be used as {side}'s address: it needs https:// and a host, and nothing after it"
            ));
        }
        if let Some(why) = &last.lost {
            return address(format!(
                "nobody answers for {side} at {url} ({why}): check the address, and that this machine may reach it"
            ));
        }
        let status = last.status.or(error.status).unwrap_or_default();
        if let Some(to) = &last.moved_to {
            return address(format!(
                "{url} leads on to {to} (status {status}): if that is the account, write its address; if it is a login \
                 page, there is no {side} at this address"
            ));
        }
        if status >= 500
            || matches!(error.kind, ErrorKind::RateLimited { .. } | ErrorKind::BudgetEmpty { .. })
        {
            return Self::new(
                side,
                About::Service,
                format!(
                    "{side}, or a proxy before it, does not serve at the moment (status {status}): try again later"
                ),
            );
        }
        if last.page {
            return address(format!(
                "{url} answers with a web page instead of data (status {status}): a proxy or a login page stands in \
                 between, or there is no {side} at this address"
            ));
        }
        if status == 404 && last.empty {
            return address(format!("there is no {side} account at {url} (404): check the address"));
        }
        match side {
            Side::Zendesk => zendesk(url, error, status),
            Side::Clickup => clickup(url, error, status),
        }
    }
}

fn zendesk(url: &str, error: &ApiError, status: u16) -> Trouble {
    let told = |about, message: String| Trouble::new(Side::Zendesk, about, message);
    let code = error.code.as_deref().unwrap_or_default();
    if code == "NotAnAgent" {
        let message = "the credentials for Zendesk belong to an end user; deskup needs a user of its own with the role admin";
        return told(About::Rights, message.to_owned());
    }
    if error.what.contains("/oauth/tokens") && (400..=403).contains(&status) {
        return told(
            About::Credentials,
            format!(
                "Zendesk at {url} does not accept the OAuth client ({status}{}): check its identifier and its secret, and \
                 that it may use the client credentials grant (Admin Center, Apps and integrations, OAuth clients)",
                in_words(code)
            ),
        );
    }
    if code == "Anonymous" {
        return told(
            About::Credentials,
            format!(
                "Zendesk at {url} does not know these credentials: it answered 200 with its anonymous user. Check the user's \
                 address and the token, and that the token was not ended or revoked"
            ),
        );
    }
    match status {
        401 => told(
            About::Credentials,
            format!("Zendesk at {url} does not accept the credentials (401{})", in_words(code)),
        ),
        403 => told(
            About::Rights,
            format!(
                "the credentials lack the right for {} (403): their scope or their user's role is too narrow",
                error.what
            ),
        ),
        _ => told(
            About::Address,
            format!("{url} does not answer like Zendesk ({}, status {status}{})", error.what, in_words(code)),
        ),
    }
}

fn clickup(url: &str, error: &ApiError, status: u16) -> Trouble {
    let told = |about, message: String| Trouble::new(Side::Clickup, about, message);
    let code = error.code.as_deref().unwrap_or_default();
    let said = in_words(code);
    match error.no_access() {
        Some(NoAccess::Workspace) => told(
            About::Workspace,
            format!(
                "ClickUp's token is good, but does not open this workspace ({status}{said}): give it access, or name another"
            ),
        ),
        Some(NoAccess::Credentials) => told(
            About::Credentials,
            format!(
                "ClickUp at {url} does not accept the token ({status}{said}): copy it whole, or make a new one in ClickUp \
                 under Settings, Apps. A personal token begins with pk_, anything else is sent as an OAuth token"
            ),
        ),
        Some(NoAccess::Right) => told(
            About::Rights,
            format!("deskup's ClickUp user may not see what it needs ({}, {status}{said})", error.what),
        ),
        None if status == 403 || code.starts_with("ACCESS_") => told(
            About::Rights,
            format!("deskup's ClickUp user may not see what it needs ({}, {status}{said})", error.what),
        ),
        None => told(
            About::Address,
            format!("{url} does not answer like ClickUp ({}, status {status}{said})", error.what),
        ),
    }
}

fn in_words(code: &str) -> String {
    if code.is_empty() { String::new() } else { format!(", {code}") }
}

#[cfg(test)]
mod tests {
    use clients::Api;

    use super::*;

    fn check(side: Side, error: ApiError, last: Ending, about: About, says: &str) {
        let trouble = Trouble::of(side, "https://acme.example", &error, &last);
        assert_eq!(trouble.about, about, "{trouble}");
        assert!(trouble.message.contains(says), "`{says}` is missing in: {trouble}");
    }

    fn answered(status: u16, code: Option<&str>) -> (ApiError, Ending) {
        let kind = if code.is_some() { ErrorKind::Auth } else { ErrorKind::Refused };
        let mut error = ApiError::new(Api::Clickup, "GET /x", kind);
        error.status = Some(status);
        error.code = code.map(str::to_owned);
        (error, Ending { status: Some(status), ..Ending::default() })
    }

    #[test]
    fn who_answered_is_told_before_what_was_said() {
        let (error, last) = answered(404, None);
        let empty = Ending { empty: true, ..last.clone() };
        check(Side::Zendesk, error.clone(), empty, About::Address, "there is no Zendesk account");
        let page = Ending { page: true, ..last.clone() };
        check(Side::Zendesk, error.clone(), page.clone(), About::Address, "web page");
        let moved = Ending { status: Some(302), moved_to: Some("https://sso.example".to_owned()), ..page };
        check(Side::Clickup, error.clone(), moved, About::Address, "https://sso.example");
        let lost = Ending { lost: Some("dns error".to_owned()), ..Ending::default() };
        check(Side::Clickup, error.clone(), lost, About::Address, "dns error");
        let trouble = Ending { status: Some(502), page: true, ..Ending::default() };
        check(Side::Clickup, error, trouble, About::Service, "try again later");
    }

    #[test]
    fn a_token_is_told_from_a_workspace() {
        for code in ["OAUTH_017", "OAUTH_019", "OAUTH_021", "OAUTH_025", "OAUTH_077"] {
            let (error, last) = answered(401, Some(code));
            check(Side::Clickup, error, last, About::Credentials, code);
        }
        for code in ["OAUTH_023", "OAUTH_026", "OAUTH_027", "OAUTH_029", "OAUTH_045"] {
            let (error, last) = answered(401, Some(code));
            check(Side::Clickup, error, last, About::Workspace, code);
        }
    }

    #[test]
    fn zendesk_refuses_in_several_ways() {
        let (error, last) = answered(200, Some("Anonymous"));
        check(Side::Zendesk, error, last, About::Credentials, "anonymous user");
        let (error, last) = answered(200, Some("NotAnAgent"));
        check(Side::Zendesk, error, last, About::Rights, "end user");
        let (mut error, last) = answered(401, Some("invalid_client"));
        error.what = "POST /oauth/tokens".to_owned();
        check(Side::Zendesk, error, last, About::Credentials, "OAuth client");
        let (error, last) = answered(403, Some("Forbidden"));
        check(Side::Zendesk, error, last, About::Rights, "role");
    }
}
