//! Ways to hold deskup wrong. Each ends with the right exit code and says what is wrong, where, and what to do;
//! nothing is written to either account, and no file is left half-written.
//!
//! The ways are tables: what is done to a good installation, what is then asked for, what must be said. What only
//! happens while a command works has suites of its own: a disk that fills in `disk.rs`, rights that are taken away
//! and tunnels that lead nowhere in `serve.rs`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../accounts/mod.rs"]
mod accounts;
#[path = "../init/bent.rs"]
mod bent;
mod commands;
mod hold;
mod services;
mod settings;
mod states;

use std::any::Any;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use accounts::{Accounts, folder, said};

/// One way.
pub(crate) struct Way {
    /// In words.
    pub(crate) what: &'static str,
    /// What is asked for.
    pub(crate) ask: &'static [&'static str],
    /// How the process ends.
    pub(crate) code: i32,
    /// What it says, on stderr or, for what `check` finds, on stdout.
    pub(crate) says: &'static [&'static str],
    /// What is done before.
    pub(crate) hold: fn(&mut Held),
}

/// An installation that is about to be held wrong.
pub(crate) struct Held {
    pub(crate) accounts: Accounts,
    pub(crate) dir: PathBuf,
    /// Variables to set, or to take away.
    pub(crate) env: BTreeMap<&'static str, Option<String>>,
    /// More to ask for.
    pub(crate) more: Vec<String>,
    /// What has to live as long as the command.
    pub(crate) beside: Vec<Box<dyn Any>>,
}

impl Held {
    fn new(name: &str) -> Self {
        let accounts = Accounts::open(3, 1);
        let dir = folder(name);
        std::fs::write(dir.join("deskup.toml"), accounts.settings()).unwrap();
        Self { accounts, dir, env: BTreeMap::new(), more: Vec::new(), beside: Vec::new() }
    }

    /// The file of the settings.
    pub(crate) fn file(&self) -> PathBuf {
        self.dir.join("deskup.toml")
    }

    /// Replaces the first place of a text in the settings.
    pub(crate) fn edit(&mut self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.file()).unwrap();
        assert!(text.contains(from), "the settings have no `{from}`:\n{text}");
        std::fs::write(self.file(), text.replacen(from, to, 1)).unwrap();
    }

    /// Writes something beside the settings.
    pub(crate) fn put(&mut self, name: &str, text: &str) {
        std::fs::write(self.dir.join(name), text).unwrap();
    }

    /// Brings the accounts in step first.
    pub(crate) fn in_step(&mut self) {
        let output = self.accounts.deskup(&self.dir, &["run", "ticket-sync"]).output().unwrap();
        let (_, error) = said(&output);
        assert!(output.status.success(), "{error}");
    }
}

/// The files of a folder that a refused command may not touch: deskup's own state is its own.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .filter(|(name, path)| path.is_file() && !name.starts_with("deskup.sqlite"))
        .map(|(name, path)| (name, std::fs::read(path).unwrap_or_default()))
        .collect()
}

/// What is wrong with how a way ends; nothing if it is as it must be.
fn faults(way: &Way) -> Vec<String> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let mut held = Held::new(&format!("w{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    (way.hold)(&mut held);
    let (before, changes) = (files(&held.dir), held.accounts.changes());
    let mut command = held.accounts.deskup(&held.dir, way.ask);
    command.args(&held.more);
    for (name, value) in &held.env {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let output = command.output().unwrap();
    let (out, error) = said(&output);
    let told = format!("{error}{out}");
    let mut faults = Vec::new();
    if output.status.code() != Some(way.code) {
        faults.push(format!("ends with {:?} instead of {}", output.status.code(), way.code));
    }
    faults.extend(
        way.says
            .iter()
            .filter(|words| !told.contains(**words))
            .map(|words| format!("does not say `{words}`")),
    );
    let secrets = held.accounts.ports.credentials();
    let secret = |value: &str| value.len() > 8 && told.contains(value);
    faults.extend(secrets.iter().filter(|(_, value)| secret(value)).map(|(name, _)| format!("shows {name}")));
    if told.contains("panicked") || told.contains("stack backtrace") {
        faults.push("panics".to_owned());
    }
    if files(&held.dir) != before {
        faults.push(format!("leaves other files: {:?} were {:?}", files(&held.dir).keys(), before.keys()));
    }
    if held.accounts.changes() != changes {
        faults.push("writes to an account".to_owned());
    }
    drop(std::mem::take(&mut held.beside));
    let _ = std::fs::remove_dir_all(&held.dir);
    if faults.is_empty() {
        faults
    } else {
        vec![format!("{}: {}; it said:\n{told}", way.what, faults.join(", "))]
    }
}

fn play(ways: &[Way]) {
    let wrong: Vec<String> = ways.iter().flat_map(faults).collect();
    assert!(wrong.is_empty(), "{} of {} ways:\n{}", wrong.len(), ways.len(), wrong.join("\n"));
}

#[test]
fn settings_that_cannot_be() {
    play(settings::WAYS);
}

#[test]
fn credentials_and_services() {
    play(services::WAYS);
}

#[test]
fn states_and_folders() {
    play(states::WAYS);
}

#[test]
fn commands_of_every_day() {
    play(commands::WAYS);
}

/// A check that cannot fail says nothing: a way that is no mistake, a word that is not said, a file that changes.
#[test]
fn a_way_that_is_none_is_found_out() {
    let fine = |hold| Way { what: "nothing wrong", ask: &["check"], code: 2, says: &["no such words"], hold };
    let found = faults(&fine(|_| {}));
    assert!(
        found[0].contains("ends with Some(0) instead of 2") && found[0].contains("does not say"),
        "{found:?}"
    );
    let writes =
        Way { what: "a run that writes", ask: &["run", "ticket-sync"], code: 0, says: &[], hold: |_| {} };
    assert!(faults(&writes)[0].contains("writes to an account"));
}

#[test]
fn there_are_at_least_sixty() {
    let count = settings::WAYS.len() + services::WAYS.len() + states::WAYS.len() + commands::WAYS.len();
    assert!(count >= 60, "{count}");
}
