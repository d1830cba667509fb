//! `[serve]`: where deskup listens for webhooks, and where the services reach it.

use std::net::SocketAddr;

use super::reader::Section;

/// Where `deskup serve` listens unless told otherwise: on this machine only, behind a proxy or tunnel.
const LISTEN: SocketAddr = SocketAddr::V4(std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 8787));

/// `[serve]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeSetting {
    /// Address and port that take the deliveries.
    pub listen: SocketAddr,
    /// Where the services reach that, without a slash at its end. Without one there are no webhooks.
    pub public_url: Option<String>,
}

impl Default for ServeSetting {
    fn default() -> Self {
        Self { listen: LISTEN, public_url: None }
    }
}

/// A public URL as deskup takes it, or what is wrong with it.
pub fn public_url(text: &str) -> Result<String, String> {
    let text = text.trim().trim_end_matches('/');
    let (secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err(format!("`{text}` is not a web address; write it as \"https://…\"")),
    };
    let host = rest.split('/').next().unwrap_or_default();
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '@' | '\\' | '"');
    if host.is_empty() || rest.contains(odd) {
        return Err(format!(
            "`{text}` is not a host with an optional path, such as \"https://sync.example.com\""
        ));
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if !secure && !matches!(name, "localhost" | "127.0.0.1" | "[::1]") {
        return Err(format!("`{text}` must begin with https://: deliveries carry texts of tickets"));
    }
    Ok(text.to_owned())
}

pub(super) fn read(section: &Section<'_>) -> ServeSetting {
    let mut serve = ServeSetting::default();
    if let Some(text) = section.text("listen") {
        match text.value.parse() {
            Ok(listen) => serve.listen = listen,
            Err(_) => section.wrong(
                "listen",
                format!("`{}` is not an address with a port, such as \"127.0.0.1:8787\"", text.value),
            ),
        }
    }
    if let Some(text) = section.text("public_url") {
        match public_url(&text.value) {
            Ok(url) => serve.public_url = Some(url),
            Err(message) => section.wrong("public_url", message),
        }
    }
    section.finish();
    serve
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_https_and_may_have_a_path() {
        for (given, taken) in [
            ("https://sync.example.com/", "https://sync.example.com"),
            ("https://tools.example.com/deskup", "https://tools.example.com/deskup"),
            ("https://sync.example.com:8443", "https://sync.example.com:8443"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://localhost:9000/x", "http://localhost:9000/x"),
        ] {
            assert_eq!(public_url(given).as_deref(), Ok(taken));
        }
        for wrong in [
            "",
            "sync.example.com",
            "http://sync.example.com",
            "https://",
            "https:///x",
            "https://a b",
            "https://u@a",
            "https://a?x",
            "https://a#x",
            "ftp://a",
            "http://127.0.0.1.evil.example",
        ] {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }
}
