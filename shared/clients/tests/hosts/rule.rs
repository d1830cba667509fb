//! The rule itself, link by link, and what a download does with redirects.

use bytes::Bytes;
use clients::ErrorKind;
use clients::hosts::{Base, resolve};
use http::{Request, Response, Uri};
use proptest::prelude::*;

use crate::common::*;

/// An answer to every request: a redirect there.
fn redirecting(to: String) -> std::sync::Arc<Script> {
    Script::new(move |_, at| {
        let response = Response::builder();
        let response =
            if at == 0 { response.status(302).header("location", &to) } else { response.status(200) };
        Ok(response.body(Bytes::from_static(b"file")).unwrap_or_default())
    })
}

/// What another parser, the one that really connects, takes for the target. A request with a credential
/// for any other host is a leak.
fn leaks(request: &Request<Bytes>) -> bool {
    request.headers().contains_key("authorization") && !is_ours(&request.uri().to_string())
}

fn is_ours(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| {
        url.scheme() == "https"
            && url.host_str() == Some("acme.zendesk.com")
            && url.port_or_known_default() == Some(443)
    })
}

/// Pieces of links that try to look like ours, written as one text each, split at blanks. `_` is nothing,
/// and `~` a character that no URL has.
const SCHEMES: &str =
    "https:// https:// http:// // HTTPS:// https:/ https:\\\\ ftp:// _ / \\\\ javascript: ~https://";
const USERS: &str = "_ _ acme.zendesk.com@ user:pw@ @ acme.zendesk.com%40 acme.zendesk.com\\@ \
    acme.zendesk.com:443@ acme.zendesk.com#@ acme.zendesk.com?@";
const HOSTS: &str = "acme.zendesk.com ACME.zendesk.com acme.zendesk.com. acme.zendesk.com.evil.example evil.example \
    evilacme.zendesk.com acme-zendesk.com acme.zendesk.com\\.evil.example xacme.zendesk.com 127.0.0.1 [::1] \
    169.254.169.254 0x7f.1 2130706433 localhost acme.zendesk.com%2eevil.example acme。zendesk。com \
    acme.zendesk.com~evil.example metadata.internal _";
const PORTS: &str = "_ _ :443 :80 :8443 : :0443 :99999 :443@evil.example";
const PATHS: &str = "_ / /x /..//evil.example ?u=https://acme.zendesk.com #@acme.zendesk.com /\\evil.example //evil.example/x";

fn piece(all: &'static str) -> impl Strategy<Value = String> {
    let pieces: Vec<String> =
        all.split_whitespace().map(|piece| piece.replace('_', "").replace('~', "\t")).collect();
    prop::sample::select(pieces)
}

fn hostile() -> impl Strategy<Value = String> {
    let path = prop_oneof![piece(PATHS), "[ -~]{0,12}"];
    (piece(SCHEMES), piece(USERS), piece(HOSTS), piece(PORTS), path)
        .prop_map(|(scheme, user, host, port, path)| format!("{scheme}{user}{host}{port}{path}"))
}

fn download(script: &std::sync::Arc<Script>, link: &str) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let _ = runtime.block_on(async { zendesk(script).download(link).await });
}

/// Whether a rule would send a credential to a foreign host for that link.
fn rule_leaks(rule: impl Fn(&Uri) -> bool, link: &str) -> bool {
    let root: Uri = "https://acme.zendesk.com/".parse().unwrap();
    let lenient = || link.parse::<Uri>().ok();
    let Some(uri) = resolve(&root, link).ok().or_else(lenient) else { return false };
    rule(&uri) && !is_ours(&uri.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    /// No link and no redirect, however it is written, makes a request with our credential to a host that
    /// is not ours, and none makes a request to this machine or its network.
    #[test]
    fn no_link_leaks_a_credential(link in hostile()) {
        let direct = Script::new(|_, _| text(200, "file"));
        download(&direct, &link);
        let redirected = redirecting(link);
        download(&redirected, "https://acme.zendesk.com/attachments/1");
        for request in direct.requests().into_iter().chain(redirected.requests()) {
            prop_assert!(!leaks(&request), "{}", request.uri());
            let host = request.uri().host().unwrap_or_default().to_owned();
            prop_assert!(!["127.0.0.1", "[::1]", "169.254.169.254", "0x7f.1", "2130706433", "localhost", "metadata.internal"].contains(&host.as_str()));
        }
    }

    /// The rule itself.
    #[test]
    fn the_rule_owns_only_its_own_host(link in hostile()) {
        let base = Base::parse(ZENDESK).unwrap();
        prop_assert!(!rule_leaks(|uri| base.owns(uri), &link), "{}", link);
    }

    /// A page's link gives a path on our own host or nothing.
    #[test]
    fn paging_stays_on_our_host(link in hostile()) {
        let base = Base::parse(ZENDESK).unwrap();
        if let Ok(path) = base.paging(&link) {
            prop_assert!(is_ours(&base.join(&path).unwrap().to_string()));
        }
    }
}

/// The property can fail: rules as they are often written leak, and the same check and the same links
/// find it.
#[test]
fn careless_rules_are_caught() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let links: Vec<String> = (0..4_000).map(|_| hostile().new_tree(&mut runner).unwrap().current()).collect();
    let caught = |rule: fn(&Uri) -> bool| links.iter().any(|link| rule_leaks(rule, link));
    assert!(caught(|uri| uri.to_string().starts_with("https://acme.zendesk.com")));
    assert!(caught(|uri| uri.to_string().contains("acme.zendesk.com")));
    assert!(caught(|uri| uri.host().is_some_and(|host| host.ends_with("acme.zendesk.com"))));
    assert!(caught(|uri| uri.host() == Some("acme.zendesk.com")), "port and scheme count too");
    let leak = Request::builder()
        .uri("https://evil.example/")
        .header("authorization", "x")
        .body(Bytes::new())
        .unwrap();
    assert!(leaks(&leak));
}

#[tokio::test(start_paused = true)]
async fn a_redirect_to_a_foreign_host_is_followed_without_credentials() {
    let script = redirecting("https://files.example/a?sig=1".into());
    let bytes = zendesk(&script).download("https://acme.zendesk.com/attachments/token/x").await.unwrap();
    assert_eq!(bytes.as_ref(), b"file");
    assert_eq!(script.header(0, "authorization").as_deref(), Some("Bearer z-secret"));
    assert_eq!(script.header(1, "authorization"), None);
    assert_eq!(script.requests()[1].uri().to_string(), "https://files.example/a?sig=1");
}

#[tokio::test(start_paused = true)]
async fn a_foreign_host_cannot_send_our_credential_back_to_us() {
    let script = redirecting("https://acme.zendesk.com/api/v2/users.json".into());
    zendesk(&script).download("https://files.example/a").await.unwrap();
    assert_eq!((script.header(0, "authorization"), script.header(1, "authorization")), (None, None));
}

#[tokio::test(start_paused = true)]
async fn five_redirects_are_followed_and_no_more() {
    for (hops, works) in [(5, true), (6, false)] {
        let script = Script::new(move |_, at| {
            let response = Response::builder();
            let response = if at < hops {
                response.status(302).header("location", format!("/{at}"))
            } else {
                response.status(200)
            };
            Ok(response.body(Bytes::new()).unwrap())
        });
        let result = zendesk(&script).download("https://files.example/a").await;
        assert_eq!(result.is_ok(), works);
        assert!(script.requests().len() <= 6);
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_file_is_not_found_and_a_busy_host_is_asked_again() {
    let script = Script::answers(vec![text(503, ""), lost(), text(404, "")]);
    let error = zendesk(&script).download("https://files.example/a").await.unwrap_err();
    assert_eq!((error.kind, script.requests().len()), (ErrorKind::NotFound, 3));
}

#[test]
fn base_urls_are_a_host_and_nothing_else() {
    for good in [
        "https://acme.zendesk.com",
        "https://acme.zendesk.com/",
        "http://127.0.0.1:8080",
        "http://localhost:1",
    ] {
        assert!(Base::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "acme.zendesk.com",
        "http://acme.zendesk.com",
        "https://a@b.c",
        "https://acme.zendesk.com/x",
        "ftp://a",
        "https://",
        "https://a:x",
    ] {
        assert!(Base::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn relative_locations_are_resolved_like_a_browser_does() {
    let page: Uri = "https://a.example/x/y?q".parse().unwrap();
    for (link, expected) in [
        ("/b", "https://a.example/b"),
        ("b", "https://a.example/x/b"),
        ("?z", "https://a.example/x/y?z"),
        ("//c.example/d", "https://c.example/d"),
        ("https://c.example/d#f", "https://c.example/d"),
    ] {
        assert_eq!(resolve(&page, link).unwrap().to_string(), expected);
    }
}
