//! Reads error bodies as they come: `error` a string or an object, ClickUp's `ECODE`, an HTML page,
//! plain text, nothing. Only codes and field names are taken out; prose may hold ticket text.

use serde_json::Value as Json;

/// What an error body says that a program can use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The service's code, or ours for a known sentence.
    pub code: Option<String>,
    /// Fields it complained of.
    pub fields: Vec<String>,
    /// Whether the body was JSON that can say something: a bare `null` or number does not.
    pub json: bool,
}

/// Sentences that carry meaning but no code of their own.
const KNOWN_SENTENCES: [(&str, &str); 6] = [
    ("couldn't authenticate you", "CouldNotAuthenticate"),
    ("status not found", "StatusNotFound"),
    ("number of allowed api requests", "APIRateLimitExceeded"),
    ("rate limit reached", "RateLimitReached"),
    ("forbidden", "Forbidden"),
    ("page not found", "PageNotFound"),
];

/// Longest code that is passed on.
const CODE_BYTES_MAX: usize = 64;
/// Most field names that are passed on.
const FIELDS_MAX: usize = 16;

/// Reads an error body. There is no body that makes this fail.
pub fn read(body: &[u8]) -> Said {
    match serde_json::from_slice::<Json>(body) {
        Ok(Json::Object(members)) => Said {
            code: code(&members),
            fields: members.get("details").and_then(Json::as_object).map(field_names).unwrap_or_default(),
            json: true,
        },
        Ok(Json::String(text)) => Said { code: sentence(&text), fields: Vec::new(), json: true },
        Ok(_) => Said::default(),
        // An HTML page or plain text: its beginning is enough for the known sentences.
        Err(_) => {
            let start = &body[..body.len().min(2_000)];
            Said { code: sentence(&String::from_utf8_lossy(start)), ..Said::default() }
        }
    }
}

fn code(members: &serde_json::Map<String, Json>) -> Option<String> {
    if let Some(ecode) = members.get("ECODE").and_then(Json::as_str).and_then(plain) {
        return Some(ecode);
    }
    let error = members.get("error");
    let code = error.and_then(Json::as_str).and_then(|text| sentence(text).or_else(|| plain(text)));
    let title = || error?.get("title")?.as_str().and_then(title);
    let prose = || {
        let texts =
            ["err", "description", "message"].into_iter().filter_map(|name| members.get(name)?.as_str());
        texts.into_iter().find_map(sentence)
    };
    code.or_else(title).or_else(prose)
}

/// Only what looks like a code: letters and digits without blanks. Anything else might be content.
fn plain(text: &str) -> Option<String> {
    let fits = !text.is_empty()
        && text.len() <= CODE_BYTES_MAX
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    fits.then(|| text.to_owned())
}

/// "Invalid attribute": a title of a few words is a code with blanks in it.
fn title(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(' ').collect();
    let fits =
        text.len() <= 32 && words.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let capital = |word: &&str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or_default();
        first.to_ascii_uppercase() + rest
    };
    fits.then(|| words.iter().map(capital).collect::<String>()).filter(|code| !code.is_empty())
}

fn sentence(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    KNOWN_SENTENCES.iter().find(|(known, _)| lower.contains(known)).map(|(_, code)| (*code).to_owned())
}

fn field_names(details: &serde_json::Map<String, Json>) -> Vec<String> {
    details.keys().filter_map(|name| plain(name)).take(FIELDS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, code: Option<&str>, fields: &[&str]) {
        let said = read(body.as_bytes());
        assert_eq!(said.code.as_deref(), code, "{body}");
        assert_eq!(said.fields, fields, "{body}");
    }

    #[test]
    fn every_shape_of_error_is_read() {
        check(r#"{"error":"UpdateConflict","description":"Safe Update …"}"#, Some("UpdateConflict"), &[]);
        check(
            r#"{"error":"RecordInvalid","details":{"status":[{"description":"Status: closed"}]}}"#,
            Some("RecordInvalid"),
            &["status"],
        );
        check(
            r#"{"error":{"title":"Invalid attribute","message":"You passed"}}"#,
            Some("InvalidAttribute"),
            &[],
        );
        check(r#"{"error":"Couldn't authenticate you"}"#, Some("CouldNotAuthenticate"), &[]);
        check(r#"{"err":"Team not authorized","ECODE":"OAUTH_027"}"#, Some("OAUTH_027"), &[]);
        check(r#"{"err":"Status not found"}"#, Some("StatusNotFound"), &[]);
        check("Number of allowed API requests per minute exceeded", Some("APIRateLimitExceeded"), &[]);
        check("<html><title>Page not found - Zendesk</title>", Some("PageNotFound"), &[]);
        check("", None, &[]);
        check("null", None, &[]);
        check("[1,2", None, &[]);
    }

    #[test]
    fn prose_is_not_passed_on() {
        check(r#"{"error":"The subject My secret plan is too long for us"}"#, None, &[]);
        check(r#"{"err":"Jane's card number 4111 is wrong"}"#, None, &[]);
        check(r#"{"err":"hunter2","description":"hunter2","message":"hunter2"}"#, None, &[]);
    }
}
