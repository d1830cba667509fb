//! `deskup init` and `deskup check` as processes against two simulated accounts on ports: what a careful person sees
//! on the first day, and everything that can be wrong with two accounts.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../accounts/mod.rs"]
mod accounts;
mod bent;
mod checked;
mod first_day;
mod refused;

use std::path::Path;
use std::process::{Command, Output};

use accounts::{Accounts, said};
use serde_json::Value as Json;

/// Words that must never be shown.
const SECRETS: [&str; 2] = ["simulated-secret", "pk_990001"];

/// `deskup init` for these accounts, with more options, which go before.
fn init(accounts: &Accounts, dir: &Path, more: &[&str]) -> Command {
    let ports = &accounts.ports;
    let mut arguments = vec!["init"];
    for (flag, url) in [("--zendesk-url", &ports.zendesk_url), ("--clickup-url", &ports.clickup_url)] {
        if !more.contains(&flag) {
            arguments.extend([flag, url.as_str()]);
        }
    }
    arguments.extend(more);
    accounts.deskup(dir, &arguments)
}

/// Runs a command and looks for secrets in all it says.
#[track_caller]
fn run(mut command: Command) -> (Output, String, String) {
    let output = command.output().unwrap();
    let (out, err) = said(&output);
    for secret in SECRETS {
        assert!(!out.contains(secret) && !err.contains(secret), "a secret was shown");
    }
    assert!(!err.contains("panicked"), "{err}");
    (output, out, err)
}

/// Runs a command that must end well, and reads its JSON.
#[track_caller]
fn json(command: Command) -> Json {
    let (output, out, err) = run(command);
    assert_eq!(output.status.code(), Some(0), "{err}\n{out}");
    serde_json::from_str(&out).unwrap()
}

/// Names of what is in a folder.
fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// All texts under a key of a list of objects.
fn texts(list: &Json, key: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one[key].as_str().unwrap().to_owned()).collect()
}
