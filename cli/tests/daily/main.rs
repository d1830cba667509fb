//! The commands of every day as processes: on the state of a demo, on a demo that runs, and on real accounts on ports.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../accounts/mod.rs"]
mod accounts;
mod help;

use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;

use accounts::{Running, deskup, folder, said, wait_for};
use serde_json::Value as Json;

/// A demo that was played to its end, once for all tests; each gets a copy.
fn demo(name: &str) -> std::path::PathBuf {
    static PLAYED: OnceLock<std::path::PathBuf> = OnceLock::new();
    let played = PLAYED.get_or_init(|| {
        let dir = folder("played");
        let output = deskup(&dir, &["demo", "--tickets", "30", "--edits", "30", "--dir", ".", "--json"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{:?}", said(&output));
        dir
    });
    let dir = folder(name);
    assert!(Command::new("cp").args(["-a", "."]).arg(&dir).current_dir(played).status().unwrap().success());
    dir
}

fn run(dir: &Path, arguments: &[&str]) -> Output {
    let mut all = arguments.to_vec();
    all.extend(["--dir", "."]);
    deskup(dir, &all).output().unwrap()
}

#[track_caller]
fn json(dir: &Path, arguments: &[&str]) -> Json {
    let mut all = arguments.to_vec();
    all.push("--json");
    let output = run(dir, &all);
    let (out, error) = said(&output);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {error}");
    serde_json::from_str(&out).unwrap_or_else(|cause| panic!("{arguments:?} is no JSON ({cause}): {out}"))
}

/// The same where an alarm is the exit code.
fn json_any(dir: &Path, arguments: &[&str]) -> Json {
    let mut all = arguments.to_vec();
    all.push("--json");
    serde_json::from_slice(&run(dir, &all).stdout).unwrap()
}

/// Exit code and what was said on stderr.
fn refused(dir: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(dir, arguments);
    (output.status.code(), said(&output).1)
}

#[test]
fn status_is_calm_alarmed_and_says_each_alarm_in_a_line() {
    let dir = demo("status");
    let status = json(&dir, &["status"]);
    assert_eq!(status["alarms"], serde_json::json!([]));
    assert_eq!(status["convergence"]["linked"], 30);
    let settled = status["convergence"]["settled"].as_u64().unwrap();
    let conflicts = json(&dir, &["conflicts"]);
    let mut tickets: Vec<u64> = conflicts["conflicts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["ticket"].as_u64().unwrap())
        .collect();
    tickets.dedup();
    tickets.sort_unstable();
    tickets.dedup();
    assert_eq!(settled, 30, "a conflict that is kept for a person is nothing to wait for");
    assert_eq!(status["convergence"]["with_conflict"], tickets.len() as u64);
    assert_eq!(status["run_unfinished"], false);
    assert!(status["holder"].is_null() && status["should_run"] == false);
    assert!(status["heard"][0]["last_event"].is_string(), "a demo hears webhooks");

    assert_eq!(json(&dir, &["pause", "backfill", "--reason", "a test"])["paused"][0]["lane"], "backfill");
    let output = run(&dir, &["status"]);
    let (out, error) = said(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(out.starts_with("ALARM paused: backfill is paused since"), "{out}");
    assert!(error.contains("1 alarm: paused"), "{error}");
    let alarms = run(&dir, &["status", "--json"]);
    assert_eq!(alarms.status.code(), Some(1), "the exit code is the same for machines");
    let alarms: Json = serde_json::from_slice(&alarms.stdout).unwrap();
    assert_eq!(alarms["alarms"][0]["kind"], "paused");
    let again = json(&dir, &["pause", "backfill", "--reason", "another"]);
    assert_eq!(again["paused"][0]["reason"], "a test", "the first reason stands");
    assert_eq!(json(&dir, &["resume"])["resumed"], serde_json::json!(["backfill"]));
    assert_eq!(json(&dir, &["resume"])["resumed"], serde_json::json!([]));
    assert_eq!(run(&dir, &["status"]).status.code(), Some(0));
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn conflicts_are_listed_shown_and_dismissed() {
    let dir = demo("conflicts");
    let listed = json(&dir, &["conflicts", "list"]);
    let rows = listed["conflicts"].as_array().unwrap();
    assert!(rows.len() >= 3, "thirty edits on both sides leave conflicts: {}", rows.len());
    let first = &rows[0];
    let id = first["id"].as_str().unwrap();
    let ticket = first["ticket"].to_string();
    let shown = json(&dir, &["conflicts", "show", id]);
    assert_eq!((&shown["id"], &shown["field"]), (&first["id"], &first["field"]));
    for name in
        ["zendesk", "clickup", "zendesk_set", "clickup_set", "zendesk_now", "clickup_now", "rule", "task"]
    {
        assert!(shown.get(name).is_some(), "{name} is missing");
    }
    let known = rows.iter().any(|row| {
        let shown = json(&dir, &["conflicts", "show", row["id"].as_str().unwrap()]);
        shown["zendesk_set"]["by"].is_string() || shown["clickup_set"]["by"].is_string()
    });
    assert!(known, "events tell who set some of them");
    for row in rows {
        let text = said(&run(&dir, &["conflicts", "show", row["id"].as_str().unwrap()])).0;
        let code = row["cause"].as_str().unwrap();
        assert!(!code.contains('_') || !text.contains(code), "a code is for programs: {text}");
    }
    let of_ticket = json(&dir, &["conflicts", "--ticket", &ticket]);
    assert!(of_ticket["conflicts"].as_array().unwrap().iter().all(|row| row["ticket"] == first["ticket"]));

    let (code, error) = refused(&dir, &["conflicts", "apply", id, "zendesk", "--yes"]);
    assert_eq!(code, Some(2), "the demo's services are not running");
    assert!(error.contains("demo --keep") || error.contains("cannot be applied"), "{error}");
    let dismissed = json(&dir, &["conflicts", "dismiss", id]);
    assert_eq!(dismissed["state"], "dismissed");
    assert_eq!(json(&dir, &["conflicts", "dismiss", id])["settled"], dismissed["settled"], "once is enough");
    let left = json(&dir, &["conflicts"]);
    assert_eq!(left["conflicts"].as_array().unwrap().len(), rows.len() - 1);
    let all = json(&dir, &["conflicts", "--ticket", &ticket]);
    assert!(
        all["conflicts"].as_array().unwrap().iter().any(|row| row["state"] == "dismissed"),
        "it is not gone"
    );
    for (wrong, says) in [
        ("12", "conflict's id"),
        ("12-zz", "conflict's id"),
        ("9999-abc", "no conflict"),
        ("", "conflict's id"),
    ] {
        let (code, error) = refused(&dir, &["conflicts", "show", wrong]);
        assert_eq!(code, Some(2), "{wrong}");
        assert!(error.contains(says), "{wrong}: {error}");
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn explain_takes_what_either_browser_shows() {
    let dir = demo("explain");
    let by_number = json(&dir, &["explain", "7"]);
    let task = by_number["task"].as_str().unwrap();
    for record in [
        "#7".to_owned(),
        "https://acme.zendesk.com/agent/tickets/7".to_owned(),
        task.to_owned(),
        format!("https://app.clickup.com/t/{task}"),
        format!("https://app.clickup.com/t/{task}?comment=9"),
    ] {
        assert_eq!(json(&dir, &["explain", &record]), by_number, "{record}");
    }
    let field = json(&dir, &["explain", task, "status"]);
    assert_eq!(field["fields"].as_array().unwrap().len(), 1);
    for (wrong, says) in
        [("DEV-12", "custom id"), ("no such thing", "neither"), ("99999", "deskup plan --ticket 99999")]
    {
        let (code, error) = refused(&dir, &["explain", wrong]);
        assert_eq!(code, Some(2), "{wrong}");
        assert!(error.contains(says), "{wrong}: {error}");
    }
    let (code, error) = refused(&dir, &["explain", "7", "colour"]);
    assert!(code == Some(2) && error.contains("title, description"), "{error}");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn links_are_exported_and_nothing_is_written_over() {
    let dir = demo("export");
    assert_eq!(run(&dir, &["export", "--out", "links.json"]).status.code(), Some(0));
    let export: Json =
        serde_json::from_str(&std::fs::read_to_string(dir.join("links.json")).unwrap()).unwrap();
    assert_eq!(export["links"].as_array().unwrap().len(), 30);
    assert!(
        export["links"]
            .as_array()
            .unwrap()
            .iter()
            .all(|link| link["task"].is_string() && link["since"].is_string())
    );
    assert!(export["deskup_toml"].as_str().unwrap().contains("[zendesk]"));
    assert_eq!(json(&dir, &["export"])["links"], export["links"], "--json is the form that it has anyway");
    assert_eq!(refused(&dir, &["export", "--json", "--format", "csv"]).0, Some(2));
    let (code, error) = refused(&dir, &["export", "--out", "links.json"]);
    assert!(code == Some(2) && error.contains("--force"), "{error}");
    assert_eq!(
        run(&dir, &["export", "--out", "links.json", "--force", "--format", "csv"]).status.code(),
        Some(0)
    );
    let csv = std::fs::read_to_string(dir.join("links.json")).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines[0], lines.len()), ("ticket,task,list,state,since", 31));
    assert!(lines[1..].iter().all(|line| line.split(',').count() == 5 && line.contains(",linked,")));
    let (code, error) = refused(&dir, &["export", "--out", "no/such/folder.json"]);
    assert!(code == Some(2) && error.contains("no/such/folder.json"), "{error}");
    assert!(!dir.join("links.json.partial").exists());
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn what_is_not_there_is_said_and_a_release_without_a_brake_is_nothing() {
    let dir = demo("nothing");
    assert_eq!(said(&run(&dir, &["quarantine"])).0.trim(), "nothing is set aside");
    assert_eq!(said(&run(&dir, &["quarantine", "retry", "--all"])).0.trim(), "nothing is set aside");
    for arguments in [
        &["quarantine", "show", "12"][..],
        &["quarantine", "retry", "12"],
        &["quarantine", "retry", "--cause", "x"],
    ] {
        let (code, error) = refused(&dir, arguments);
        assert!(code == Some(2) && error.contains("deskup quarantine"), "{arguments:?}: {error}");
    }
    assert_eq!(refused(&dir, &["quarantine", "retry"]).0, Some(2), "which one?");
    assert_eq!(said(&run(&dir, &["release"])).0.trim(), "the brake is not on");
    assert!(json(&dir, &["release"])["brake"].is_null());
    assert_eq!(refused(&dir, &["pause", "sideways"]).0, Some(2));
    assert_eq!(refused(&dir, &["pause", "--reason", " "]).0, Some(2));
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_stream_goes_back_to_an_earlier_version_when_somebody_confirms_it() {
    let dir = demo("checkpoints");
    let streams = json(&dir, &["checkpoints"])["streams"].clone();
    let tickets = streams.as_array().unwrap().iter().find(|one| one["stream"] == "tickets").unwrap().clone();
    let versions = json(&dir, &["checkpoints", "history", "tickets"])["versions"].clone();
    let first = versions.as_array().unwrap().last().unwrap().clone();
    assert!(first["version"].as_u64() < tickets["version"].as_u64(), "{versions}");
    let version = first["version"].to_string();
    let (code, error) = refused(&dir, &["checkpoints", "restore", "tickets", &version]);
    assert!(code == Some(2) && error.contains("asks Zendesk") && error.contains("--yes"), "{error}");
    assert_eq!(json(&dir, &["checkpoints"])["streams"], streams, "nothing was changed");
    let restored = json(&dir, &["checkpoints", "restore", "tickets", &version, "--yes"])["restored"].clone();
    assert_eq!((&restored["place"], &restored["restored"]), (&first["place"], &1.into()));
    for (wrong, says) in [
        (&["checkpoints", "history", "weather"][..], "ticket-events"),
        (&["checkpoints", "restore", "tickets", "999", "--yes"], "history tickets"),
        (&["redrive", "no-such"], "redrive --show"),
        (&["redrive", "--since", "soon"], "30m, 12h or 7d"),
    ] {
        let (code, error) = refused(&dir, wrong);
        assert!(code == Some(2) && error.contains(says), "{wrong:?}: {error}");
    }
    assert_eq!(json(&dir, &["redrive"])["failed"], serde_json::json!([]), "all went well here");
    std::fs::remove_dir_all(&dir).unwrap();
}

/// Commands, all in a folder without a state: each says so, and how to get one.
#[test]
fn without_a_state_each_command_says_how_to_get_one() {
    let dir = folder("stateless");
    for arguments in [
        &["status"][..],
        &["conflicts"],
        &["conflicts", "show", "1-a"],
        &["quarantine"],
        &["explain", "1"],
        &["pause"],
        &["resume"],
        &["release"],
        &["export"],
    ] {
        let (code, error) = refused(&dir, arguments);
        assert_eq!(code, Some(2), "{arguments:?}");
        assert!(error.contains("there is no state") && error.contains("--dir"), "{arguments:?}: {error}");
        assert!(error.contains("deskup init") && error.contains("deskup demo"), "{arguments:?}: {error}");
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

/// A demo that was left running: other commands reach its state through it, and what they ask for is done.
#[test]
fn a_running_demo_applies_a_value_while_others_look_on() {
    let dir = folder("keep");
    let mut command =
        deskup(&dir, &["demo", "--tickets", "30", "--edits", "30", "--dir", ".", "--keep", "--port", "0"]);
    let mut running = Running::start(&mut command, &dir);
    wait_for("the demo to keep running", || {
        std::fs::read_to_string(dir.join("err.txt"))
            .unwrap()
            .contains("Everything keeps running")
            .then_some(())
    });
    let status = json(&dir, &["status"]);
    assert!(status["holder"]["who"].as_str().unwrap().contains("process"), "{status}");
    let conflicts = json(&dir, &["conflicts"]);
    let can = conflicts["conflicts"].as_array().unwrap().iter().find(|row| {
        ["both_changed", "lost_update"].contains(&row["cause"].as_str().unwrap()) && row["field"] != "tags"
    });
    let row = can.expect("thirty edits leave a conflict that can be applied");
    let id = row["id"].as_str().unwrap();
    let applied = json(&dir, &["conflicts", "apply", id, "zendesk", "--yes"]);
    assert_eq!((&applied["state"], &applied["settled"]["side"]), (&"applied".into(), &"zendesk".into()));
    assert_eq!(applied["zendesk_now"], row["zendesk"], "the chosen value is there");
    let twice = json(&dir, &["conflicts", "apply", id, "zendesk", "--yes"]);
    assert_eq!(twice["settled"], applied["settled"], "asked for twice it is done once");
    // Whatever is offered works; of one field only the first, since it changes what the others saw.
    let mut seen = std::collections::BTreeSet::new();
    for row in conflicts["conflicts"].as_array().unwrap() {
        let id = row["id"].as_str().unwrap();
        let shown = said(&run(&dir, &["conflicts", "show", id])).0;
        let offered = row["can_apply"].as_array().unwrap();
        if offered.is_empty() {
            assert!(!shown.contains("conflicts apply") && shown.contains("dismiss"), "{shown}");
        } else if seen.insert((row["ticket"].to_string(), row["field"].to_string())) {
            let side = offered.last().unwrap().as_str().unwrap();
            let output = run(&dir, &["conflicts", "apply", id, side, "--yes"]);
            assert_eq!(output.status.code(), Some(0), "{row}: {:?}", said(&output));
        }
    }
    assert!(seen.len() > 3, "{conflicts}");
    // A demo that is paused says so at once, and keeps the wish.
    json(&dir, &["pause", "--reason", "look first"]);
    let began = std::time::Instant::now();
    let (code, error) = refused(&dir, &["conflicts", "apply", id, "zendesk", "--yes"]);
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("look first") && error.contains("deskup resume"), "{error}");
    assert!(began.elapsed().as_secs() < 20, "nobody waits for a deskup that is paused");
    running.signal("INT");
    assert!(running.end().success());
    assert_eq!(json_any(&dir, &["status"])["holder"], Json::Null);
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn colour_is_where_it_is_wanted_and_nowhere_else() {
    let dir = demo("colour");
    let coloured = |set: &[(&str, &str)]| {
        let mut command = deskup(&dir, &["status", "--dir", "."]);
        command.env_remove("NO_COLOR").envs(set.iter().copied());
        let output = command.output().unwrap();
        String::from_utf8(output.stdout).unwrap().contains('\u{1b}')
    };
    assert!(!coloured(&[]), "a pipe gets none");
    assert!(coloured(&[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[("CLICOLOR_FORCE", "0")]));
    assert!(!coloured(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]), "who says no is heard");
    assert!(coloured(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "")]), "an empty variable says nothing");
    let mut json = deskup(&dir, &["status", "--dir", ".", "--json"]);
    let output = json.env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1").output().unwrap();
    serde_json::from_slice::<Json>(&output.stdout).expect("JSON has no colour");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn every_listing_fits_eighty_and_two_hundred_columns() {
    let dir = demo("columns");
    let id = json(&dir, &["conflicts"])["conflicts"][0]["id"].as_str().unwrap().to_owned();
    for columns in [80, 200] {
        for arguments in [
            &["status"][..],
            &["conflicts"],
            &["conflicts", "show", &id],
            &["quarantine"],
            &["explain", "7"],
            &["explain", "7", "title"],
            &["release"],
        ] {
            let mut all = arguments.to_vec();
            all.extend(["--dir", "."]);
            let output = deskup(&dir, &all).env("COLUMNS", columns.to_string()).output().unwrap();
            let (out, _) = said(&output);
            let widest = out.lines().map(|line| line.chars().count()).max().unwrap_or_default();
            assert!(widest <= columns, "{arguments:?} at {columns}: {widest}\n{out}");
        }
    }
    std::fs::remove_dir_all(&dir).unwrap();
}
