//! `deskup check`: every mistake at once with its line, warnings apart, and the exit codes of both.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use domain::Settings;
use serde_json::{Value as Json, json as object};

use super::accounts::{Accounts, deskup, folder};
use super::bent::{Bent, Turn};
use super::{init, json, run, texts};

/// An installation that `init` made, with changes to its file.
fn installed(accounts: &Accounts, name: &str, changes: &[(&str, &str)]) -> PathBuf {
    let dir = folder(&format!("check-{name}"));
    json(init(accounts, &dir, &["--json"]));
    change(&dir, changes);
    dir
}

fn change(dir: &Path, changes: &[(&str, &str)]) {
    let file = dir.join("deskup.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = changes.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "the file has no `{from}`:\n{text}");
        text.replacen(from, to, 1)
    });
    std::fs::write(file, text).unwrap();
}

/// The mistakes of a check that finds some, with the line each names.
#[track_caller]
fn mistakes(accounts: &Accounts, dir: &Path) -> Vec<(String, String)> {
    let (output, out, err) = run(accounts.deskup(dir, &["check", "--json"]));
    assert_eq!(output.status.code(), Some(2), "{err}\n{out}");
    let told: Json = serde_json::from_str(&out).unwrap();
    assert_eq!(told["fine"], false);
    let text = std::fs::read_to_string(dir.join("deskup.toml")).unwrap();
    let line = |number: &Json| {
        let number = number.as_u64().map(|number| usize::try_from(number).unwrap());
        number.map_or(String::new(), |number| text.lines().nth(number - 1).unwrap().to_owned())
    };
    let list = told["mistakes"].as_array().unwrap().iter();
    list.map(|one| (line(&one["line"]), one["message"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn every_mistake_is_told_at_once_with_its_line() {
    let accounts = Accounts::open(2, 1);
    let dir = installed(&accounts, "lines", &[]);
    let settings = Settings::parse(&std::fs::read_to_string(dir.join("deskup.toml")).unwrap()).unwrap();
    let (first, last) =
        (&settings.routes[0].list.value.to_string(), &settings.routes.last().unwrap().list.value.to_string());
    let field = settings.custom[0].zendesk.value.to_string();
    change(
        &dir,
        &[
            (&format!("list = \"{first}\""), "list = \"909090\""),
            (&format!("list = \"{last}\""), "list = \"Accounts\""),
            ("pending = \"waiting on customer\"", "pending = \"Wating on customer\""),
            ("[people]", "[people]\n\"nobody@here.example\" = \"deskup-clickup@northwind.example\""),
            (&format!("zendesk = {field}"), "zendesk = 12345"),
        ],
    );
    let found = mistakes(&accounts, &dir);
    let told = |line: &str, words: &[&str]| {
        let (_, message) = found
            .iter()
            .find(|(at, _)| at.starts_with(line))
            .unwrap_or_else(|| panic!("nothing at `{line}`: {found:?}"));
        assert!(words.iter().all(|words| message.contains(words)), "{message}");
    };
    told("list = \"909090\"", &["no list `909090`", "Billing"]);
    told("list = \"Accounts\"", &["write the id of the list `Accounts`"]);
    told("pending", &["no status `Wating on customer`", "did you mean `waiting on customer`"]);
    told("\"nobody@here.example\"", &["nobody in Zendesk"]);
    told("zendesk = 12345", &["no ticket field 12345; it has", "Severity"]);
    assert!(
        !found.iter().any(|(_, message)| message.contains("Description")),
        "what cannot be mapped is not offered"
    );
    // A status is missed by every list that a ticket may come to: two of them are left.
    assert_eq!(found.len(), 6, "{found:?}");
    let (_, out, err) = run(accounts.deskup(&dir, &["check"]));
    assert!(
        out.lines().any(|line| line.starts_with("deskup.toml:") && line.contains(": status.pending: list `")),
        "{out}"
    );
    let last = err.lines().last().unwrap_or_default();
    assert!(last.starts_with("deskup: 6 mistakes in ") && last.ends_with("deskup.toml"), "{err}");
    let mut locked = accounts.deskup(&dir, &["check"]);
    locked.env("DESKUP_CLICKUP_TOKEN", "pk_77");
    let (_, out, err) = run(locked);
    assert!(out.starts_with("ClickUp") && !out.contains("ClickUp: ClickUp"), "{out}");
    assert!(err.contains("1 mistake in the accounts"), "{err}");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn what_changed_in_an_account_is_found_in_the_file() {
    let accounts = Accounts::open(2, 1);
    let dir = installed(&accounts, "changed", &[]);
    let list = accounts.ports.scenario.workspace.lists[1].clone();
    // Somebody renames a status and shuts deskup's user out of a workspace.
    accounts
        .ports
        .clickup
        .seed(|seed| {
            seed.add_list(simulators::clickup::ListSeed {
                id: list.id.clone(),
                name: list.name.to_owned(),
                space: list.space.to_owned(),
                statuses: [("to do", "open"), ("parked", "custom"), ("solved", "done"), ("closed", "closed")]
                    .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
                    .to_vec(),
                ..Default::default()
            });
        })
        .unwrap();
    let found = mistakes(&accounts, &dir);
    let on_hold = found.iter().find(|(line, _)| line.starts_with("hold = ")).unwrap();
    assert!(
        on_hold.1.contains("has no status `on hold`; it has") && on_hold.1.contains("parked"),
        "{on_hold:?}"
    );
    change(&dir, &[("workspace = \"", "workspace = \"4")]);
    let found = mistakes(&accounts, &dir);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].0.starts_with("workspace = ") && found[0].1.contains("does not open workspace 4"),
        "{found:?}"
    );
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn file_and_credentials_are_told_together() {
    let accounts = Accounts::open(2, 1);
    let dir = installed(
        &accounts,
        "both",
        &[("url = \"http://127", "url = \"hppt://127"), ("[priority]", "[prioritiy]")],
    );
    std::fs::write(dir.join("credentials.toml"), "[zendesk]\n").unwrap();
    std::fs::set_permissions(dir.join("credentials.toml"), std::fs::Permissions::from_mode(0o640)).unwrap();
    let (output, out, _) = run(deskup(&dir, &["check"]));
    assert_eq!(output.status.code(), Some(2));
    for words in ["credentials.toml", "chmod 600", "zendesk.url", "prioritiy"] {
        assert!(out.contains(words), "`{words}` is missing in:\n{out}");
    }
    std::fs::remove_dir_all(&dir).unwrap();
    let nowhere = folder("check-nowhere");
    let (output, _, err) = run(deskup(&nowhere, &["check"]));
    assert_eq!(output.status.code(), Some(2));
    assert!(err.contains("deskup init"), "{err}");
    std::fs::remove_dir_all(&nowhere).unwrap();
}

#[test]
fn accounts_that_shut_deskup_out_are_told_together() {
    let accounts = Accounts::open(2, 1);
    let dir = installed(&accounts, "out", &[]);
    let mut command = accounts.deskup(&dir, &["check"]);
    command.env("DESKUP_ZENDESK_CLIENT_SECRET", "wrong").env("DESKUP_CLICKUP_TOKEN", "pk_77");
    let (output, out, _) = run(command);
    assert_eq!(output.status.code(), Some(2));
    assert!(out.contains("OAuth client") && out.contains("OAUTH_025"), "{out}");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn what_is_good_to_know_is_no_mistake() {
    let accounts = Accounts::open(2, 1);
    let ports = &accounts.ports;
    let list = ports.scenario.workspace.lists[1].id.clone();
    ports
        .clickup
        .seed(|seed| {
            let role = simulators::clickup::Role::Guest;
            seed.add_member(simulators::clickup::Member {
                id: 77,
                username: "Guest".to_owned(),
                role,
                ..Default::default()
            });
            seed.set_access(&list, &[77], false);
        })
        .unwrap();
    ports
        .zendesk
        .seed(|seed| {
            for (id, title, field, value) in [
                (901, "Tell the requester", "notification_user", object!(["requester_id", "Subject", "Body"])),
                (902, "Only on creation", "notification_user", object!(["requester_id", "Subject", "Body"])),
                (903, "Tag it", "current_tags", object!("seen")),
            ] {
                let update = if id == 902 { "Create" } else { "Change" };
                seed.add_trigger(object!({
                    "id": id, "title": title, "active": true,
                    "conditions": {"all": [{"field": "update_type", "operator": "is", "value": update}], "any": []},
                    "actions": [{"field": field, "value": value}],
                }));
            }
        })
        .unwrap();
    let dir = installed(&accounts, "know", &[]);
    let told = json(accounts.deskup(&dir, &["check", "--json"]));
    let warnings = texts(&told["warnings"], "text");
    let has = |words: &[&str]| warnings.iter().any(|text| words.iter().all(|words| text.contains(words)));
    assert!(has(&["trigger 901", "Tell the requester", "outside"]), "{warnings:?}");
    assert!(!has(&["902"]), "deskup creates no tickets: {warnings:?}");
    assert!(has(&["1 triggers may change a ticket once more"]), "{warnings:?}");
    assert!(has(&["guests can read list `Billing`"]), "{warnings:?}");
    assert!(has(&["no counterpart in ClickUp"]), "{warnings:?}");
    assert!(!has(&["clock"]) && !has(&["not deskup's own"]), "{warnings:?}");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_clock_an_hour_off_and_a_token_that_may_only_read() {
    let accounts = Accounts::open(2, 1);
    let dir = installed(&accounts, "narrow", &[]);
    let sim = accounts.ports.zendesk.clone();
    let bent = Bent::new(
        move |request| sim.handle(request),
        |request| {
            let (parts, body) = request.into_parts();
            let narrow = String::from_utf8_lossy(&body).replace("read write", "read");
            Turn::Pass(http::Request::from_parts(parts, Bytes::from(narrow)))
        },
        |mut answer| {
            let date =
                chrono::DateTime::from_timestamp_millis(super::accounts::wall_ms() - 3_600_000).unwrap();
            let date = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            answer.headers_mut().insert("date", date.parse().unwrap());
            answer
        },
    );
    change(&dir, &[(&accounts.ports.zendesk_url, &bent.url)]);
    let told = json(accounts.deskup(&dir, &["check", "--json"]));
    let warnings = texts(&told["warnings"], "text");
    let has = |words: &[&str]| warnings.iter().any(|text| words.iter().all(|words| text.contains(words)));
    assert!(has(&["clock is 3", "ahead of Zendesk"]), "{warnings:?}");
    assert!(has(&["may only read", "tickets:write"]), "{warnings:?}");
    std::fs::remove_dir_all(&dir).unwrap();
}
