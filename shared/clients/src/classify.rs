//! What an answer means: done, or how it failed and what a caller can do about it.

use http::{HeaderMap, StatusCode};

use crate::error::ErrorKind;
use crate::lenient::{self, Said};
use crate::limits;
use crate::pace::{Api, LimitSeen};
use crate::retry::Outcome;

/// Waited after a 429 that says nothing: the longest common window.
const SILENT_LIMIT_MS: i64 = 60_000;
/// Jobs take seconds; asking sooner only costs calls.
const TOO_MANY_JOBS_MS: i64 = 10_000;
/// Below this a told wait is taken as this: a reset that is due now.
const WAIT_MS_MIN: i64 = 1_000;

/// An attempt that did not end well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub outcome: Outcome,
    /// The kind when no attempt follows and none before may have landed.
    pub kind: ErrorKind,
    pub said: Said,
}

/// `None` for success.
pub(crate) fn classify(
    api: Api,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    seen: &[LimitSeen],
    now_ms: i64,
) -> Option<Failed> {
    if status.is_success() {
        return None;
    }
    let said = lenient::read(body);
    let retry_after_ms = limits::retry_after_ms(headers, now_ms);
    if status == StatusCode::TOO_MANY_REQUESTS && said.code.as_deref() != Some("TooManyJobs") {
        let wait_ms = retry_after_ms
            .or_else(|| window_rest_ms(seen, now_ms))
            .unwrap_or(SILENT_LIMIT_MS)
            .max(WAIT_MS_MIN);
        let kind = ErrorKind::RateLimited { until_ms: now_ms.saturating_add(wait_ms) };
        return Some(Failed { outcome: Outcome::RateLimited { retry_after_ms: wait_ms }, kind, said });
    }
    let (outcome, kind) = match api {
        Api::Zendesk => zendesk(status, &said, retry_after_ms),
        Api::Clickup => clickup(status, &said, retry_after_ms),
    };
    Some(Failed { outcome, kind, said })
}

/// An empty or HTML 404 speaks of the address, or comes from something in between: nothing may be concluded from it about
/// the record, which is looked at again.
const SAYS_NOTHING: (Outcome, ErrorKind) = (Outcome::Refused, ErrorKind::Unexpected);

fn zendesk(status: StatusCode, said: &Said, retry_after_ms: Option<i64>) -> (Outcome, ErrorKind) {
    let not_done = (Outcome::NotDone { retry_after_ms }, ErrorKind::Transient);
    match said.code.as_deref() {
        Some("DatabaseDeadlock" | "DatabaseConflict" | "IdempotentRequestInProgress") => return not_done,
        Some("TooManyJobs") => {
            let wait_ms = retry_after_ms.unwrap_or(TOO_MANY_JOBS_MS);
            return (Outcome::NotDone { retry_after_ms: Some(wait_ms) }, ErrorKind::Transient);
        }
        _ => {}
    }
    match status {
        StatusCode::CONFLICT => (Outcome::Refused, ErrorKind::Conflict),
        // A scope, a role or a ticket we may not see: whether it is the account as a whole, only a look tells.
        StatusCode::FORBIDDEN => (Outcome::Refused, ErrorKind::Auth),
        StatusCode::NOT_FOUND if !said.json => SAYS_NOTHING,
        _ => by_status(status, retry_after_ms),
    }
}

fn clickup(status: StatusCode, said: &Said, retry_after_ms: Option<i64>) -> (Outcome, ErrorKind) {
    // The status of an error varies, so the code decides first.
    let code = said.code.as_deref().unwrap_or_default();
    let by_code = match code {
        "ITEM_013" | "ITEM_015" | "ACCESS_083" => Some(ErrorKind::NotFound),
        "StatusNotFound" => Some(ErrorKind::Refused),
        _ if code.starts_with("OAUTH_171") => Some(ErrorKind::Refused),
        _ if code.starts_with("OAUTH_") => Some(ErrorKind::Auth),
        _ if ["FIELD_", "GBUSED_", "INPUT_", "ACCESS_"].iter().any(|prefix| code.starts_with(prefix)) => {
            Some(ErrorKind::Refused)
        }
        _ => None,
    };
    match by_code {
        Some(kind) => (Outcome::Refused, kind),
        None if status == StatusCode::NOT_FOUND && !said.json => SAYS_NOTHING,
        None => by_status(status, retry_after_ms),
    }
}

fn by_status(status: StatusCode, retry_after_ms: Option<i64>) -> (Outcome, ErrorKind) {
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => (Outcome::Refused, ErrorKind::NotFound),
        StatusCode::UNAUTHORIZED => (Outcome::Refused, ErrorKind::Auth),
        // ClickUp has no such answer; elsewhere it means the record moved.
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => (Outcome::Refused, ErrorKind::Conflict),
        StatusCode::TOO_EARLY => (Outcome::NotDone { retry_after_ms }, ErrorKind::Transient),
        StatusCode::REQUEST_TIMEOUT => (Outcome::Unknown { retry_after_ms }, ErrorKind::Unknown),
        // The route does not exist there: certainly nothing happened.
        StatusCode::NOT_IMPLEMENTED => (Outcome::Refused, ErrorKind::Unexpected),
        _ if status.is_server_error() => (Outcome::Unknown { retry_after_ms }, ErrorKind::Unknown),
        _ if status.is_client_error() => (Outcome::Refused, ErrorKind::Refused),
        // Redirects and informational answers: no API call of ours expects one.
        _ => (Outcome::Refused, ErrorKind::Unexpected),
    }
}

/// The rest of the window that is spent, where an answer names one.
fn window_rest_ms(seen: &[LimitSeen], now_ms: i64) -> Option<i64> {
    let spent = seen.iter().filter(|one| one.remaining == Some(0)).filter_map(|one| one.reset_ms).max();
    let any = seen.iter().filter_map(|one| one.reset_ms).max();
    spent.or(any).map(|reset_ms| reset_ms - now_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(api: Api, status: u16, body: &str, expected: (Outcome, ErrorKind)) {
        let status = StatusCode::from_u16(status).unwrap();
        let failed = classify(api, status, &HeaderMap::new(), body.as_bytes(), &[], 0).unwrap();
        assert_eq!((failed.outcome, failed.kind), expected, "{status} {body}");
    }

    const UNKNOWN: Outcome = Outcome::Unknown { retry_after_ms: None };
    const NOT_DONE: Outcome = Outcome::NotDone { retry_after_ms: None };

    #[test]
    fn zendesk_answers_are_told_apart() {
        let z = Api::Zendesk;
        check(z, 409, r#"{"error":"UpdateConflict"}"#, (Outcome::Refused, ErrorKind::Conflict));
        check(z, 409, r#"{"error":"DatabaseConflict"}"#, (NOT_DONE, ErrorKind::Transient));
        check(z, 503, r#"{"error":"DatabaseDeadlock"}"#, (NOT_DONE, ErrorKind::Transient));
        check(z, 503, "<html>", (UNKNOWN, ErrorKind::Unknown));
        check(z, 404, r#"{"error":"RecordNotFound"}"#, (Outcome::Refused, ErrorKind::NotFound));
        check(z, 422, r#"{"error":"RecordInvalid"}"#, (Outcome::Refused, ErrorKind::Refused));
        check(z, 403, "Forbidden", (Outcome::Refused, ErrorKind::Auth));
        check(z, 403, "<html>blocked</html>", (Outcome::Refused, ErrorKind::Auth));
        let wait = Outcome::NotDone { retry_after_ms: Some(TOO_MANY_JOBS_MS) };
        check(z, 429, r#"{"error":"TooManyJobs"}"#, (wait, ErrorKind::Transient));
    }

    #[test]
    fn an_empty_or_html_404_is_no_missing_record() {
        for api in [Api::Zendesk, Api::Clickup] {
            for body in ["", "null", "<title>Page not found - Zendesk</title>"] {
                check(api, 404, body, SAYS_NOTHING);
            }
        }
    }

    #[test]
    fn clickup_codes_go_before_the_status() {
        let c = Api::Clickup;
        for status in [400, 401, 403, 404, 500] {
            let body = r#"{"err":"Task not found, deleted","ECODE":"ITEM_013"}"#;
            check(c, status, body, (Outcome::Refused, ErrorKind::NotFound));
            let body = r#"{"err":"Status not found"}"#;
            check(c, status, body, (Outcome::Refused, ErrorKind::Refused));
        }
        check(c, 400, r#"{"err":"Token invalid","ECODE":"OAUTH_025"}"#, (Outcome::Refused, ErrorKind::Auth));
        check(c, 401, r#"{"err":"x","ECODE":"OAUTH_171"}"#, (Outcome::Refused, ErrorKind::Refused));
        check(c, 500, r#"{"err":"Internal Server Error","ECODE":"XYZ_1"}"#, (UNKNOWN, ErrorKind::Unknown));
    }

    #[test]
    fn a_429_waits_as_told_or_until_the_window_ends_or_a_minute() {
        let limited = |headers: &HeaderMap, seen: &[LimitSeen]| {
            let status = StatusCode::TOO_MANY_REQUESTS;
            classify(Api::Clickup, status, headers, b"", seen, 1_000).unwrap().kind
        };
        let mut headers = HeaderMap::new();
        assert_eq!(limited(&headers, &[]), ErrorKind::RateLimited { until_ms: 61_000 });
        let bucket = "token".to_owned();
        let seen =
            [LimitSeen { bucket, limit: None, remaining: Some(0), reset_ms: Some(9_000), edge_ms: None }];
        assert_eq!(limited(&headers, &seen), ErrorKind::RateLimited { until_ms: 9_000 });
        headers.insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("3"));
        assert_eq!(limited(&headers, &seen), ErrorKind::RateLimited { until_ms: 4_000 });
    }
}
