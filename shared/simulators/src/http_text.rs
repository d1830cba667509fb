//! The plain work of an HTTP service: taking a request apart, matching its path, building answers.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use serde_json::Value;

/// What a simulator answers.
pub type Answer = Response<Bytes>;

/// A request taken apart.
#[derive(Debug)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path as sent, still percent-encoded, without the query.
    pub path: String,
    /// The decoded query.
    pub query: Query,
    /// The headers.
    pub headers: HeaderMap,
    /// The raw body.
    pub body: Bytes,
}

impl Call {
    /// Takes a request apart.
    pub fn new(request: Request<Bytes>) -> Self {
        let (parts, body) = request.into_parts();
        Self {
            path: parts.uri.path().to_owned(),
            query: Query::parse(parts.uri.query().unwrap_or_default()),
            method: parts.method,
            headers: parts.headers,
            body,
        }
    }

    /// A header's text, when it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON; an empty body is `null`.
    pub fn json(&self) -> Result<Value, serde_json::Error> {
        if self.body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&self.body) }
    }

    /// The token of `Authorization: Bearer`.
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// User and password of `Authorization: Basic`.
    pub fn basic(&self) -> Option<(String, String)> {
        let (scheme, text) = self.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
        let bytes = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(text.trim()).ok())??;
        let (user, password) = String::from_utf8(bytes).ok().and_then(|text| {
            text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
        })?;
        Some((user, password))
    }
}

/// A decoded query string, in the order it was sent.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes `a=1&b=x%20y`.
    pub fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        });
        Self(pairs.collect())
    }

    /// The first value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Every value of this name, as for `list_ids[]`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The first value of this name as a number.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }

    /// Whether the value of this name is `true`.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// The parts of a comma-separated value.
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.get(name)
            .map(|text| text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect())
            .unwrap_or_default()
    }

    /// All pairs, as sent.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}

/// Matches `/tickets/{id}/tags` against a path; the decoded values of the braces, in order, when it fits.
pub fn match_path(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut values = Vec::new();
    let mut parts = path.trim_matches('/').split('/');
    for expected in pattern.trim_matches('/').split('/') {
        let part = parts.next()?;
        if expected.starts_with('{') {
            if part.is_empty() {
                return None;
            }
            values.push(decode(part));
        } else if expected != part {
            return None;
        }
    }
    parts.next().is_none().then_some(values)
}

/// An answer with a JSON body.
pub fn json(status: u16, body: &Value) -> Answer {
    // A `Value` always serializes: its keys are strings.
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    with_body(status, "application/json; charset=utf-8", bytes)
}

/// An answer with a body of plain text.
pub fn text(status: u16, body: &str) -> Answer {
    with_body(status, "text/plain; charset=utf-8", body.as_bytes().to_vec())
}

/// An answer without a body.
pub fn empty(status: u16) -> Answer {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer
}

/// An answer with these bytes.
pub fn with_body(status: u16, content_type: &str, body: impl Into<Bytes>) -> Answer {
    let mut answer = empty(status);
    *answer.body_mut() = body.into();
    set_header(&mut answer, CONTENT_TYPE.as_str(), content_type);
    answer
}

/// Sets a header; text that cannot be a header is left out.
pub fn set_header(answer: &mut Answer, name: &str, value: &str) {
    let name = HeaderName::from_bytes(name.as_bytes());
    if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
        answer.headers_mut().insert(name, value);
    }
}

/// Says when it was answered, as every server does: the seconds are cut.
pub fn set_date(answer: &mut Answer, now_ms: i64) {
    if let Some(now) = chrono::DateTime::from_timestamp_millis(now_ms) {
        set_header(answer, "date", &now.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    }
}

/// Undoes percent-encoding. What is not valid encoding stays as it is.
pub fn decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = (byte == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(code.unwrap_or(byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Percent-encodes everything but unreserved characters.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_part_by_part() {
        assert_eq!(match_path("/tickets/{id}/tags", "/tickets/7/tags"), Some(vec!["7".to_owned()]));
        assert_eq!(match_path("/tickets/{id}", "/tickets/7/tags"), None);
        assert_eq!(match_path("/tickets/{id}/tags", "/tickets/7"), None);
        assert_eq!(match_path("/tickets", "/tickets/"), Some(vec![]));
    }

    #[test]
    fn encoding_reads_back() {
        for text in ["plain", "a b+c=/?%", "später ☃", "MTY5NTA2MjcyNC4wfHwxNTcxfA=="] {
            assert_eq!(decode(&encode(text)), text);
        }
        assert_eq!(decode("100%"), "100%");
        let query = Query::parse("page%5Bsize%5D=2&ids=1,+2,&flag=true&list_ids[]=a&list_ids[]=b");
        assert_eq!(query.number::<u32>("page[size]"), Some(2));
        assert_eq!(query.list("ids"), ["1", "2"]);
        assert!(query.flag("flag"));
        assert_eq!(query.all("list_ids[]").collect::<Vec<_>>(), ["a", "b"]);
    }
}
