//! Accounts that cannot be used: each says what, where and what to do, ends with the right code, and leaves no file.

use std::process::Command;

use serde_json::json;

use super::accounts::{Accounts, deskup, folder};
use super::bent::{Bent, Turn, answer};
use super::{init, names, run};

/// Runs an `init` that must be refused, and looks at everything it may not leave behind.
#[track_caller]
fn refused(name: &str, code: i32, says: &[&str], command: impl FnOnce(&std::path::Path) -> Command) {
    let dir = folder(&format!("no-{name}"));
    let (output, out, err) = run(command(&dir));
    assert_eq!(output.status.code(), Some(code), "{name}: {err}");
    for words in says {
        assert!(err.contains(words), "{name}: `{words}` is missing in: {err}");
    }
    assert!(out.is_empty(), "{name}: an error must not go to stdout: {out}");
    assert_eq!(names(&dir), Vec::<String>::new(), "{name}: something was left behind");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn wrong_credentials() {
    let accounts = Accounts::open(2, 1);
    let with = |variables: &'static [(&'static str, &'static str)]| {
        let accounts = &accounts;
        move |dir: &std::path::Path| {
            let mut command = init(accounts, dir, &[]);
            for (name, value) in variables {
                match value.is_empty() {
                    true => command.env_remove(name),
                    false => command.env(name, value),
                };
            }
            command
        }
    };
    refused(
        "token",
        2,
        &["does not accept the token", "OAUTH_025"],
        with(&[("DESKUP_CLICKUP_TOKEN", "pk_77")]),
    );
    refused(
        "oauth",
        2,
        &["does not accept the token", "OAUTH_019"],
        with(&[("DESKUP_CLICKUP_TOKEN", "abc")]),
    );
    refused(
        "secret",
        2,
        &["Zendesk", "OAuth client", "401", "client credentials"],
        with(&[("DESKUP_ZENDESK_CLIENT_SECRET", "wrong")]),
    );
    const API_TOKEN: &[(&str, &str)] = &[
        ("DESKUP_ZENDESK_CLIENT_ID", ""),
        ("DESKUP_ZENDESK_CLIENT_SECRET", ""),
        ("DESKUP_ZENDESK_EMAIL", "deskup@northwind.example"),
        ("DESKUP_ZENDESK_TOKEN", "wrong"),
    ];
    refused("anonymous", 2, &["anonymous user", "token"], with(API_TOKEN));
    // Both at once: one run tells everything.
    refused(
        "both",
        2,
        &["OAuth client", "does not accept the token"],
        with(&[("DESKUP_ZENDESK_CLIENT_SECRET", "wrong"), ("DESKUP_CLICKUP_TOKEN", "pk_77")]),
    );
    refused("half", 2, &["DESKUP_ZENDESK_CLIENT_SECRET"], with(&[("DESKUP_ZENDESK_CLIENT_SECRET", "")]));
}

#[test]
fn an_agent_where_an_admin_is_needed() {
    let accounts = Accounts::open(2, 1);
    let agent =
        accounts.ports.scenario.cast.colleagues.iter().find(|who| who.zendesk.is_some()).unwrap().clone();
    let customer = accounts.ports.scenario.cast.customers[0].clone();
    let with = |mail: String, id: i64| {
        let accounts = &accounts;
        move |dir: &std::path::Path| {
            let mut command = init(accounts, dir, &[]);
            command.env_remove("DESKUP_ZENDESK_CLIENT_ID").env_remove("DESKUP_ZENDESK_CLIENT_SECRET");
            command.env("DESKUP_ZENDESK_EMAIL", mail).env("DESKUP_ZENDESK_TOKEN", format!("token-{id}"));
            command
        }
    };
    let says = [agent.name.as_str(), "role agent", "incremental exports", "admin"];
    refused("agent", 2, &says, with(agent.email.clone(), agent.zendesk.unwrap()));
    refused("end-user", 2, &["end user", "admin"], with(customer.email, customer.id));
}

#[test]
fn addresses_that_lead_elsewhere() {
    let accounts = Accounts::open(2, 1);
    let zendesk_at = |url: String| {
        let accounts = &accounts;
        move |dir: &std::path::Path| init(accounts, dir, &["--zendesk-url", &url])
    };
    let nobody = Bent::always(404, &[], "");
    refused("subdomain", 2, &["there is no Zendesk account", &nobody.url], zendesk_at(nobody.url.clone()));
    let login = Bent::always(302, &[("location", "https://sso.example/login?x=1")], "<html>moved</html>");
    refused("redirect", 2, &["leads on to https://sso.example"], zendesk_at(login.url.clone()));
    let page = Bent::always(200, &[("content-type", "text/html")], "<!doctype html><title>Sign in</title>");
    refused("page", 2, &["web page instead of data", "proxy"], zendesk_at(page.url.clone()));
    let other = Bent::always(200, &[("content-type", "application/json")], "{\"hello\":\"world\"}");
    refused("other", 2, &["does not answer like Zendesk"], zendesk_at(other.url.clone()));
    let down = Bent::always(502, &[("content-type", "text/html")], "<html>Bad Gateway</html>");
    refused("down", 1, &["502", "try again later"], zendesk_at(down.url.clone()));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    refused("nobody", 2, &["nobody answers for Zendesk"], zendesk_at(format!("http://{free}")));
    refused("http", 2, &["--zendesk-url", "https"], zendesk_at("http://acme.zendesk.example".to_owned()));
    let page = page.url.clone();
    refused("clickup-page", 2, &["web page instead of data", "ClickUp"], |dir| {
        init(&accounts, dir, &["--clickup-url", &page])
    });
}

#[test]
fn workspaces_that_do_not_open() {
    let accounts = Accounts::open(2, 1);
    let clickup = |teams: serde_json::Value| {
        let sim = accounts.ports.clickup.clone();
        let teams = teams.to_string();
        Bent::new(
            move |request| sim.handle(request),
            move |request| match request.uri().path() {
                "/api/v2/team" => Turn::Answer(answer(200, &[("content-type", "application/json")], &teams)),
                _ => Turn::Pass(request),
            },
            |answer| answer,
        )
    };
    let none = clickup(json!({"teams": []}));
    refused("no-workspace", 2, &["opens no workspace", "invite"], |dir| {
        init(&accounts, dir, &["--clickup-url", &none.url])
    });
    let two = clickup(
        json!({"teams": [{"id": "11", "name": "One", "members": []}, {"id": "22", "name": "Two", "members": []}]}),
    );
    refused("two-workspaces", 2, &["--workspace", "11 One", "22 Two"], |dir| {
        init(&accounts, dir, &["--clickup-url", &two.url])
    });
    refused("closed-workspace", 2, &["does not open this workspace", "OAUTH_027"], |dir| {
        init(&accounts, dir, &["--clickup-url", &two.url, "--workspace", "two"])
    });
    refused("other-workspace", 2, &["does not open workspace 99", accounts.ports.workspace()], |dir| {
        init(&accounts, dir, &["--workspace", "99"])
    });
}

#[test]
fn nothing_to_ask_and_nothing_given() {
    refused(
        "nothing",
        2,
        &[
            "no terminal",
            "--zendesk-url",
            "DESKUP_ZENDESK_CLIENT_ID",
            "DESKUP_CLICKUP_TOKEN",
            "--secrets-file",
        ],
        |dir| deskup(dir, &["init"]),
    );
    refused("no-file", 2, &["--secrets-file", "nowhere.toml"], |dir| {
        deskup(dir, &["init", "--zendesk-url", "acme", "--secrets-file", "nowhere.toml"])
    });
}

#[test]
fn a_folder_of_a_demo_or_one_that_cannot_be_written() {
    let accounts = Accounts::open(2, 1);
    let dir = folder("no-demo");
    std::fs::create_dir_all(dir.join("world")).unwrap();
    let (output, _, err) = run(init(&accounts, &dir, &[]));
    assert_eq!(output.status.code(), Some(2));
    assert!(err.contains("belongs to a demo"), "{err}");
    std::fs::remove_dir_all(&dir).unwrap();
    refused("dir", 3, &["/proc/deskup"], |dir| init(&accounts, dir, &["--dir", "/proc/deskup"]));
}
