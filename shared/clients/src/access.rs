//! What a refusal says of our access as a whole. Both services answer 401 for more than one reason, so the
//! code decides: a token that is gone, a Workspace it does not open, or a right it lacks.

use crate::error::{ApiError, ErrorKind};
use crate::pace::Api;

/// Why a service does not let us in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAccess {
    /// The credentials are unknown, revoked or over.
    Credentials,
    /// They are good, but do not open this Workspace.
    Workspace,
    /// They are good, but lack a right: a scope, a role, a place they do not see.
    Right,
}

/// Codes by which ClickUp says that the token is good and the Workspace is not its own.
const OTHER_WORKSPACE: [u32; 3] = [23, 26, 27];
/// And all of these.
const OTHER_WORKSPACE_RANGE: std::ops::RangeInclusive<u32> = 29..=45;

impl ApiError {
    /// Why the service did not let us in, if that is what happened.
    pub fn no_access(&self) -> Option<NoAccess> {
        if self.kind != ErrorKind::Auth {
            return None;
        }
        Some(match (self.api, self.code.as_deref()) {
            (_, Some("WorkspaceNotAuthorized")) => NoAccess::Workspace,
            (_, Some("NotAnAgent" | "Forbidden" | "insufficient_scope")) => NoAccess::Right,
            (Api::Clickup, Some(code)) if is_other_workspace(code) => NoAccess::Workspace,
            (Api::Zendesk, _) if self.status == Some(403) => NoAccess::Right,
            _ => NoAccess::Credentials,
        })
    }
}

fn is_other_workspace(code: &str) -> bool {
    let number = code.strip_prefix("OAUTH_").and_then(|digits| digits.parse::<u32>().ok());
    number.is_some_and(|number| OTHER_WORKSPACE.contains(&number) || OTHER_WORKSPACE_RANGE.contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(api: Api, status: Option<u16>, code: Option<&str>, expected: NoAccess) {
        let mut error = ApiError::new(api, "GET /x", ErrorKind::Auth);
        error.status = status;
        error.code = code.map(str::to_owned);
        assert_eq!(error.no_access(), Some(expected), "{error}");
    }

    #[test]
    fn a_wrong_workspace_is_no_wrong_token() {
        for code in ["OAUTH_023", "OAUTH_026", "OAUTH_027", "OAUTH_029", "OAUTH_031", "OAUTH_045"] {
            check(Api::Clickup, Some(401), Some(code), NoAccess::Workspace);
        }
        for code in
            ["OAUTH_017", "OAUTH_019", "OAUTH_021", "OAUTH_025", "OAUTH_077", "OAUTH_028", "OAUTH_046"]
        {
            check(Api::Clickup, Some(401), Some(code), NoAccess::Credentials);
        }
        check(Api::Clickup, Some(200), Some("WorkspaceNotAuthorized"), NoAccess::Workspace);
    }

    #[test]
    fn a_missing_right_is_no_wrong_token() {
        check(Api::Zendesk, Some(401), Some("CouldNotAuthenticate"), NoAccess::Credentials);
        check(Api::Zendesk, Some(401), Some("invalid_client"), NoAccess::Credentials);
        check(Api::Zendesk, Some(200), Some("Anonymous"), NoAccess::Credentials);
        check(Api::Zendesk, Some(403), Some("Forbidden"), NoAccess::Right);
        check(Api::Zendesk, Some(403), None, NoAccess::Right);
        check(Api::Zendesk, Some(200), Some("NotAnAgent"), NoAccess::Right);
    }

    #[test]
    fn other_failures_say_nothing_of_our_access() {
        for kind in [ErrorKind::NotFound, ErrorKind::Refused, ErrorKind::Transient, ErrorKind::Unknown] {
            assert_eq!(ApiError::new(Api::Zendesk, "x", kind).with_code("Forbidden").no_access(), None);
        }
    }
}
