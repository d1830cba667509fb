//! Which host a request goes to, and whether our credentials may go with it. Links in answers are
//! written by others: they choose the path, never who gets to see a credential.

use http::Uri;
use http::uri::PathAndQuery;

/// Redirects followed for one download.
pub const REDIRECTS_MAX: usize = 5;

/// Why a URL is not used.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct BadUrl(&'static str);

/// The one origin that may see our credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    origin: Origin,
    prefix: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    https: bool,
    host: String,
    port: u16,
}

impl Base {
    /// Reads a base URL from the settings: scheme and host, no path, no user.
    pub fn parse(text: &str) -> Result<Self, BadUrl> {
        let text = text.trim().trim_end_matches('/');
        let uri: Uri = text.parse().map_err(|_| BadUrl("the base URL is not a URL"))?;
        let origin = origin(&uri).ok_or(BadUrl("the base URL needs http(s) and a host, and no user name"))?;
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(BadUrl("the base URL must not have a path"));
        }
        if !origin.https && !is_local(&origin.host) {
            return Err(BadUrl("the base URL must be https, except on this machine"));
        }
        Ok(Self { origin, prefix: text.to_owned() })
    }

    /// Our own host with that path and query.
    pub fn join(&self, path_and_query: &str) -> Result<Uri, BadUrl> {
        if !path_and_query.starts_with('/') {
            return Err(BadUrl("a path starts with a slash"));
        }
        let uri: Uri =
            format!("{}{path_and_query}", self.prefix).parse().map_err(|_| BadUrl("not a path"))?;
        // Joining must not be able to change the host, whatever the path holds.
        if self.owns(&uri) { Ok(uri) } else { Err(BadUrl("the path leaves the host")) }
    }

    /// Path and query of a link in an answer, for paging on our own host. The link's host is ignored:
    /// an account has several names.
    pub fn paging(&self, link: &str) -> Result<String, BadUrl> {
        let uri: Uri = link.parse().map_err(|_| BadUrl("not a URL"))?;
        let path = uri.path_and_query().map(PathAndQuery::as_str).unwrap_or("/");
        if !path.starts_with("/api/") {
            return Err(BadUrl("the link does not lead to the API"));
        }
        self.join(path)?;
        Ok(path.to_owned())
    }

    /// The credential rule: same scheme, same host, same port, nobody's user name in it.
    pub fn owns(&self, uri: &Uri) -> bool {
        origin(uri).is_some_and(|origin| origin == self.origin)
    }

    /// Whether a file may be fetched from there at all. Foreign hosts must be https and must not be
    /// names for this machine or its network: a link in a ticket must not reach a metadata service.
    pub fn may_fetch(&self, uri: &Uri) -> bool {
        let Some(target) = origin(uri) else { return false };
        if target == self.origin {
            return true;
        }
        if is_local(&self.origin.host) && is_local(&target.host) {
            return true; // simulators on ports of one machine
        }
        target.https && !is_local(&target.host) && !is_ip_literal(&target.host)
    }
}

/// Where a link or a `Location` leads, seen from the page that held it.
pub fn resolve(current: &Uri, link: &str) -> Result<Uri, BadUrl> {
    let link = link.trim();
    // Parsers disagree about backslashes and control characters; we do not guess.
    if link.is_empty() || link.bytes().any(|byte| byte == b'\\' || byte <= b' ' || byte == 0x7f) {
        return Err(BadUrl("the link has characters that no URL has"));
    }
    let scheme = current.scheme_str().unwrap_or("https");
    let authority = current.authority().map(|authority| authority.as_str()).unwrap_or_default();
    let full = if let Some(rest) = link.strip_prefix("//") {
        format!("{scheme}://{rest}")
    } else if link.starts_with('/') {
        format!("{scheme}://{authority}{link}")
    } else if link.starts_with('?') {
        format!("{scheme}://{authority}{}{link}", current.path())
    } else if has_scheme(link) {
        link.to_owned()
    } else {
        let folder = current.path().rsplit_once('/').map(|(folder, _)| folder).unwrap_or_default();
        format!("{scheme}://{authority}{folder}/{link}")
    };
    let full = full.split('#').next().unwrap_or_default();
    let uri: Uri = full.parse().map_err(|_| BadUrl("not a URL"))?;
    if origin(&uri).is_some() { Ok(uri) } else { Err(BadUrl("not an http(s) URL with a plain host")) }
}

/// A relative link such as `a/b:c` is no scheme: the colon must come before any slash.
fn has_scheme(link: &str) -> bool {
    link.split(['/', '?', '#']).next().is_some_and(|first| first.contains(':'))
}

fn origin(uri: &Uri) -> Option<Origin> {
    let https = match uri.scheme_str()?.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let authority = uri.authority()?;
    if authority.as_str().contains('@') {
        return None;
    }
    let host = authority.host().to_ascii_lowercase();
    let after_host = authority.as_str().get(host.len()..)?;
    let port = match after_host.strip_prefix(':') {
        Some(digits) => digits.parse().ok()?,
        None if after_host.is_empty() => {
            if https {
                443
            } else {
                80
            }
        }
        None => return None,
    };
    let plain = !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_[]:".contains(&byte));
    plain.then_some(Origin { https, host, port })
}

fn is_local(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    if host == "localhost"
        || host.ends_with(".localhost")
        || host.ends_with(".local")
        || host.ends_with(".internal")
    {
        return true;
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(ip)) => {
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()
        }
        Ok(std::net::IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local(),
        Err(_) => false,
    }
}

/// Any way to write an address in digits, the odd ones (`0x7f.1`, `2130706433`) included: the last label
/// of a real name is never a number.
fn is_ip_literal(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    host.starts_with('[') || last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit())
}

/// Percent-encodes one path segment or query part: everything but unreserved characters.
pub fn encode(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte as char);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
