//! `deskup plan` and `deskup run` as processes on two simulated accounts: a first run is looked at before it is
//! made, can be stopped at any moment, and comes to its end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod accounts;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use accounts::{Accounts, Running, folder, said, wait_for};
use serde_json::Value as Json;

/// How long ClickUp takes for a change where a run is to be caught in the middle.
const SLOW_MS: u64 = 700;

/// A folder of an installation for these accounts.
fn installed(name: &str, accounts: &Accounts) -> std::path::PathBuf {
    let dir = folder(name);
    std::fs::write(dir.join("deskup.toml"), accounts.settings()).unwrap();
    dir
}

fn deskup(accounts: &Accounts, dir: &Path, arguments: &[&str]) -> Output {
    accounts.deskup(dir, arguments).output().unwrap()
}

#[track_caller]
fn good(output: &Output) -> String {
    let (out, err) = said(output);
    assert_eq!(output.status.code(), Some(0), "{out}\n{err}");
    out
}

/// Tasks that carry deskup's marker, by ticket.
fn tasks(accounts: &Accounts) -> BTreeMap<u64, usize> {
    let mut found = BTreeMap::new();
    for task in accounts.ports.clickup.tasks() {
        let text = task["text_content"].as_str().or_else(|| task["description"].as_str());
        if let Some(marker) = domain::footer::parse(text.unwrap_or_default()) {
            *found.entry(marker.ticket.get()).or_default() += 1;
        }
    }
    found
}

#[track_caller]
fn assert_one_task_each(accounts: &Accounts, tickets: usize) {
    let tasks = tasks(accounts);
    assert!(tasks.values().all(|count| *count == 1), "{tasks:?}");
    assert_eq!(tasks.len(), tickets);
}

#[test]
fn a_first_run_is_looked_at_before_it_is_made() {
    let accounts = Accounts::open(40, 3);
    let dir = installed("run-first", &accounts);
    let early = deskup(&accounts, &dir, &["run", "sweep"]);
    assert_eq!(early.status.code(), Some(2), "nothing was brought over yet");
    let refused = deskup(&accounts, &dir, &["run", "ticket-sync"]);
    let (_, why) = said(&refused);
    assert_eq!(refused.status.code(), Some(2), "{why}");
    for words in ["deskup plan --out plan.json", "deskup run ticket-sync --plan plan.json"] {
        assert!(why.contains(words), "{why}");
    }
    assert_eq!(accounts.changes(), 0);

    let plan = good(&deskup(&accounts, &dir, &["plan", "--out", "plan.json"]));
    assert!(plan.contains("new tasks") && plan.contains("Nothing was written"), "{plan}");
    assert_eq!(accounts.changes(), 0, "a plan changes nothing");
    let subject = accounts.ports.zendesk.tickets()[0]["subject"].as_str().unwrap().to_owned();
    assert!(plan.contains(&subject), "people see what they confirm");
    let json = good(&deskup(&accounts, &dir, &["plan", "--json"]));
    let facts: Json = serde_json::from_str(&json).unwrap();
    assert_eq!((facts["create"].as_u64(), facts["records"].as_array().unwrap().len()), (Some(40), 40));
    assert!(!json.contains(&subject), "and logs do not");
    let writes = facts["writes"]["clickup"].as_u64().unwrap();

    let done = good(&deskup(&accounts, &dir, &["run", "ticket-sync", "--plan", "plan.json", "--json"]));
    let report: Json = serde_json::from_str(&done).unwrap();
    assert_eq!((report["changes"].as_u64(), report["linked"].as_u64()), (Some(writes), Some(40)));
    assert_one_task_each(&accounts, 40);
    let changes = accounts.changes();
    let again = good(&deskup(&accounts, &dir, &["run", "ticket-sync"]));
    let swept = good(&deskup(&accounts, &dir, &["run", "sweep", "--json"]));
    assert!(swept.contains("\"changes\":0"), "all of it was in step: {swept}");
    assert!(again.starts_with("0 changes made; 40 tickets linked."), "{again}");
    assert_eq!(accounts.changes(), changes, "a second run changes nothing");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[cfg(unix)]
#[test]
fn a_plan_is_for_its_owners_eyes() {
    use std::os::unix::fs::PermissionsExt;
    let accounts = Accounts::open(4, 5);
    let dir = installed("run-mode", &accounts);
    good(&deskup(&accounts, &dir, &["plan", "--out", "plan.json"]));
    let mode = std::fs::metadata(dir.join("plan.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!dir.join("deskup.sqlite").exists(), "a plan leaves no state in a folder that had none");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_run_that_is_stopped_goes_on_with_the_same_command() {
    let accounts = Accounts::open(120, 9);
    let dir = installed("run-stop", &accounts);
    good(&deskup(&accounts, &dir, &["plan", "--out", "plan.json"]));
    let arguments = ["run", "ticket-sync", "--plan", "plan.json"];
    accounts.ports.slow_down(SLOW_MS);

    // Asked once: what is in flight is finished, and nothing else is begun.
    let mut running = Running::start(&mut accounts.deskup(&dir, &arguments), &dir);
    wait_for("the first changes", || (accounts.changes() > 0).then_some(()));
    running.signal("INT");
    assert_eq!(running.end().code(), Some(1));
    let words = std::fs::read_to_string(dir.join("err.txt")).unwrap();
    assert!(words.contains("the same command goes on"), "{words}");
    let begun = tasks(&accounts).len();
    assert!((1..120).contains(&begun), "{begun} tasks");

    // Asked twice: it ends where it stands.
    let mut running = Running::start(&mut accounts.deskup(&dir, &arguments), &dir);
    wait_for("more changes", || (tasks(&accounts).len() > begun).then_some(()));
    running.signal("INT");
    wait_for("the first answer", || {
        std::fs::read_to_string(dir.join("err.txt")).unwrap().contains("Ctrl-C again").then_some(())
    });
    running.signal("INT");
    let code = running.end().code();
    assert!(matches!(code, Some(1 | 130)), "{code:?}");

    // Killed without a word.
    let before = tasks(&accounts).len();
    if before < 120 {
        let mut running = Running::start(&mut accounts.deskup(&dir, &arguments), &dir);
        wait_for("still more changes", || (tasks(&accounts).len() > before).then_some(()));
        running.signal("KILL");
        assert!(!running.end().success());
    }

    accounts.ports.slow_down(0);
    good(&deskup(&accounts, &dir, &arguments));
    assert_one_task_each(&accounts, 120);
    let again = good(&deskup(&accounts, &dir, &["run", "ticket-sync"]));
    assert!(again.starts_with("0 changes made; 120 tickets linked."), "{again}");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn what_changed_since_the_plan_is_left_for_the_next_one() {
    let accounts = Accounts::open(12, 17);
    let dir = installed("run-next", &accounts);
    good(&deskup(&accounts, &dir, &["plan", "--out", "plan.json"]));
    let ticket = accounts.rename_a_ticket("Not what was planned");
    let run = deskup(&accounts, &dir, &["run", "ticket-sync", "--plan", "plan.json"]);
    let (out, err) = said(&run);
    assert_eq!(run.status.code(), Some(1), "{out}\n{err}");
    assert!(out.contains("Left out") && out.contains("plan.next.json"), "{out}");
    assert!(err.contains("deskup run ticket-sync --plan plan.next.json"), "{err}");
    let tasks_now = tasks(&accounts);
    assert!(!tasks_now.contains_key(&ticket) && tasks_now.len() == 11, "{tasks_now:?}");
    good(&deskup(&accounts, &dir, &["run", "ticket-sync", "--plan", "plan.next.json"]));
    assert_one_task_each(&accounts, 12);
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_plan_that_does_not_fit_is_refused() {
    let accounts = Accounts::open(4, 21);
    let dir = installed("run-unfit", &accounts);
    good(&deskup(&accounts, &dir, &["plan", "--out", "plan.json"]));
    let refused = |plan: &str, words: &str| {
        let output = deskup(&accounts, &dir, &["run", "ticket-sync", "--plan", plan]);
        let (_, err) = said(&output);
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains(words) && err.contains("deskup plan --out"), "{err}");
    };
    std::fs::write(dir.join("torn.json"), "{\"deskup_plan\": 1, \"vers").unwrap();
    refused("torn.json", "not a plan");
    let settings = accounts.settings().replace("closed = true", "closed = true\nlimit = 3");
    std::fs::write(dir.join("deskup.toml"), settings).unwrap();
    refused("plan.json", "deskup.toml was changed");
    let missing = deskup(&accounts, &dir, &["run", "ticket-sync", "--plan", "nowhere.json"]);
    assert_eq!(missing.status.code(), Some(2));
    assert_eq!(accounts.changes(), 0);
    std::fs::remove_dir_all(&dir).unwrap();
}
