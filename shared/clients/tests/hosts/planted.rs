//! Leaks planted on purpose, found by the same check in the same cases: transports that are too helpful, and
//! rules as they are often written.

use std::sync::Arc;

use bytes::Bytes;
use clients::hosts::{REDIRECTS_MAX, resolve};
use clients::{Transport, TransportError};
use futures::future::BoxFuture;
use http::{Request, Response, Uri, header};

use crate::calls::{Case, METHODS, drawn, play};
use crate::watch::{Recorder, SECRETS, Tally};

type Answer = Result<Response<Bytes>, TransportError>;

/// A transport that follows redirects by itself and takes every header along: an HTTP client whose policy
/// nobody switched off.
struct Helpful(Arc<Recorder>);

impl Transport for Helpful {
    fn send(&self, mut request: Request<Bytes>) -> BoxFuture<'_, Answer> {
        Box::pin(async move {
            for _ in 0..REDIRECTS_MAX {
                let response = self.0.send(request.clone()).await?;
                let to = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
                let to = to.and_then(|to| resolve(request.uri(), to).ok());
                match to {
                    Some(to) if response.status().is_redirection() => *request.uri_mut() = to,
                    _ => return Ok(response),
                }
            }
            self.0.send(request).await
        })
    }
}

/// Whether a credential may go to that address.
type Rule = fn(&Uri) -> bool;

/// A download as the client has it, with another rule in its place.
async fn download(rule: Rule, recorder: &Recorder, link: &str) {
    let root: Uri = "https://acme.zendesk.com/".parse().unwrap();
    let Ok(mut url) = resolve(&root, link) else { return };
    for _ in 0..=REDIRECTS_MAX {
        let mut request = Request::builder().uri(url.clone());
        if rule(&url) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", SECRETS[0].0));
        }
        let Ok(request) = request.body(Bytes::new()) else { return };
        let Ok(response) = recorder.send(request).await else { return };
        let to = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
        match to.and_then(|to| resolve(&url, to).ok()) {
            Some(to) if response.status().is_redirection() => url = to,
            _ => return,
        }
    }
}

fn with_rule(rule: Rule, cases: &[Case]) -> Tally {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut tally = Tally::default();
    for case in cases.iter().filter(|case| METHODS[case.method] == "zendesk.download") {
        let recorder = crate::calls::recorder(case);
        runtime.block_on(download(rule, &recorder, &case.link));
        tally.book(&case.name(), &recorder.seen());
    }
    tally
}

#[test]
fn a_transport_that_follows_redirects_is_found() {
    let tally = play(&drawn(2_000), |recorder| Arc::new(Helpful(recorder)));
    println!("{} leaks in {} cases", tally.leaks.len(), tally.cases);
    assert!(tally.leaks.len() > 50, "{tally:?}");
}

#[test]
fn careless_rules_are_found_and_the_careful_one_is_not() {
    let cases = drawn(10_000);
    let careless: [(&str, Rule); 6] = [
        ("begins like ours", |url| url.to_string().to_lowercase().starts_with("https://acme.zendesk.com")),
        ("holds our name", |url| url.to_string().contains("acme.zendesk.com")),
        ("ends like ours", |url| url.host().is_some_and(|host| host.ends_with("acme.zendesk.com"))),
        ("any subdomain", |url| url.host().is_some_and(|host| host.ends_with(".zendesk.com"))),
        ("our host on any port and scheme", |url| url.host() == Some("acme.zendesk.com")),
        ("our host without its last dot", |url| {
            url.host().map(|host| host.trim_end_matches('.')) == Some("acme.zendesk.com")
        }),
    ];
    for (name, rule) in careless {
        let tally = with_rule(rule, &cases);
        println!("{name}: {} leaks in {} cases", tally.leaks.len(), tally.cases);
        assert!(tally.leaks.len() > 5, "{name} is careless and was not found: {tally:?}");
    }
    let tally = with_rule(
        |url| clients::hosts::Base::parse("https://acme.zendesk.com").is_ok_and(|base| base.owns(url)),
        &cases,
    );
    assert!(tally.leaks.is_empty() && tally.rightful > 100, "{tally:?}");
}
