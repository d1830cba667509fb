//! The command as a process: what it prints, how it ends, and what it says when it is held wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;

/// A folder of one test, empty at first.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn deskup(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deskup"));
    command.args(arguments).env_remove("DESKUP_TICKETS").env("NO_COLOR", "1").env("COLUMNS", "100");
    // Set for whatever cargo starts: this is the command as it was installed.
    command.env_remove("CARGO_MANIFEST_DIR");
    command
}

fn run(arguments: &[&str]) -> Output {
    deskup(arguments).output().unwrap()
}

/// Runs a small demo in a folder and gives its JSON.
fn demo(dir: &Path, more: &[&str]) -> Json {
    let dir = dir.to_str().unwrap();
    let mut arguments = vec!["demo", "--tickets", "30", "--edits", "20", "--json", "--dir", dir];
    arguments.extend(more);
    let output = run(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_demo_prints_one_json_object_with_everything_that_was_promised() {
    let verdict = demo(&folder("json"), &["--seed", "3"]);
    for name in [
        "tickets",
        "tasks",
        "linked",
        "converged_percent",
        "duplicates",
        "twins_seen",
        "lost",
        "unprovable",
        "unmirrorable",
        "leaked_internal",
        "conflicts",
        "edits",
        "writes",
        "writes_per_edit",
        "calls_per_new_ticket",
        "least_calls_per_new_ticket",
        "api_calls",
        "transitions",
        "executions",
        "state_file",
        "seed",
    ] {
        assert!(!verdict[name].is_null(), "{name} is missing");
    }
    assert_eq!((verdict["tickets"].as_u64(), verdict["linked"].as_u64()), (Some(30), Some(30)));
    assert_eq!((verdict["lost"].as_u64(), verdict["duplicates"].as_u64()), (Some(0), Some(0)));
    assert_eq!((verdict["edits"].as_u64(), verdict["seed"].as_u64()), (Some(20), Some(3)));
    assert!(verdict["api_calls"]["clickup"]["POST /list/{id}/task"].as_u64() >= Some(30));
}

#[test]
fn the_report_shows_pairs_the_verdict_and_what_to_do_next() {
    let dir = folder("report");
    let output =
        run(&["demo", "--tickets", "30", "--edits", "20", "--exempt", "--dir", dir.to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    for words in
        ["30 tickets:", "under ClickUp Business", "A few pairs", "converged", "100 %", "deskup explain"]
    {
        assert!(text.contains(words), "`{words}` is missing in:\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "NO_COLOR was not honoured");
    assert!(!text.contains("cargo run"), "{text}");
    let mut by_cargo = deskup(&["demo", "--tickets", "30", "--edits", "20", "--dir", dir.to_str().unwrap()]);
    let by_cargo = by_cargo.env("CARGO_MANIFEST_DIR", "/src/deskup/cli").output().unwrap();
    assert!(String::from_utf8_lossy(&by_cargo.stdout).contains("cargo run --release -- explain"));
    // A path is never cut: it is there to be copied.
    let drawn = text.lines().filter(|line| !line.contains(dir.to_str().unwrap()));
    let widest = drawn.map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "a line has {widest:?} characters");
}

#[test]
fn a_second_run_finds_everything_done_and_fresh_starts_over() {
    let dir = folder("again");
    let first = demo(&dir, &[]);
    let second = demo(&dir, &[]);
    assert_eq!(second["silence"].as_u64(), Some(0), "a second run wrote something");
    assert_eq!(first["tasks"], second["tasks"]);
    assert_eq!(first["writes"], second["writes"]);
    let fresh = demo(&dir, &["--fresh", "--seed", "9"]);
    assert_eq!(fresh["seed"].as_u64(), Some(9));
}

#[test]
fn a_demo_that_was_killed_goes_on_and_converges() {
    let whole = demo(&folder("unkilled"), &[]);
    for lines in [3_u64, 40, 120, 260] {
        let dir = folder(&format!("killed-{lines}"));
        let path = dir.to_str().unwrap();
        let mut child = deskup(&["demo", "--tickets", "30", "--edits", "20", "--json", "--dir", path])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let journal = dir.join("world/clickup.journal");
        // The journal's length is the clock here: the kill comes while something is being written.
        while child.try_wait().unwrap().is_none() {
            let text = std::fs::read(&journal).unwrap_or_default();
            if text.iter().filter(|byte| **byte == b'\n').count() as u64 >= lines {
                break;
            }
            std::thread::yield_now();
        }
        let _ = child.kill();
        child.wait().unwrap();
        let verdict = demo(&dir, &[]);
        assert_eq!(verdict["converged_percent"].as_f64(), Some(100.0), "killed at {lines} lines");
        assert_eq!(verdict["lost"].as_u64(), Some(0), "killed at {lines} lines");
        assert_eq!(verdict["duplicates"].as_u64(), Some(0), "killed at {lines} lines");
        assert_eq!(verdict["tasks"], whole["tasks"], "killed at {lines} lines");
    }
}

#[test]
fn status_and_explain_answer_people_and_machines() {
    let dir = folder("look");
    demo(&dir, &[]);
    let path = dir.to_str().unwrap();
    let status = run(&["status", "--dir", path]);
    let text = String::from_utf8(status.stdout).unwrap();
    assert!(status.status.success() && text.contains("ticket-sync-poll"), "{text}");
    let executions = text.lines().filter(|line| line.starts_with("  ticket-sync-")).count();
    assert_eq!(executions, 5, "a few are enough for a person: {text}");
    let status: Json = serde_json::from_slice(&run(&["status", "--json", "--dir", path]).stdout).unwrap();
    assert_eq!(status["links"]["linked"].as_u64(), Some(30));
    assert!(status["budgets"].as_array().is_some_and(|budgets| !budgets.is_empty()));
    assert!(status["executions"].as_array().is_some_and(|executions| !executions.is_empty()));
    assert!(status["cursors"].as_array().is_some_and(|cursors| !cursors.is_empty()));
    let explain: Json =
        serde_json::from_slice(&run(&["explain", "1", "--json", "--dir", path]).stdout).unwrap();
    assert_eq!(explain["ticket"].as_u64(), Some(1));
    let task = explain["task"].as_str().unwrap().to_owned();
    let by_task: Json =
        serde_json::from_slice(&run(&["explain", &task, "status", "--json", "--dir", path]).stdout).unwrap();
    assert_eq!(by_task["ticket"].as_u64(), Some(1));
    assert_eq!(by_task["fields"].as_array().map(Vec::len), Some(1));
}

#[test]
fn compile_writes_the_committed_definitions_and_check_finds_a_stale_one() {
    let dir = folder("compile");
    let out = dir.to_str().unwrap();
    assert!(run(&["compile", "--out", out]).status.success());
    assert!(run(&["compile", "--check", "--out", out]).status.success());
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../statemachines/asl");
    let name = "ticket-sync-live.asl.json";
    let text = std::fs::read_to_string(dir.join(name)).unwrap();
    assert_eq!(text, std::fs::read_to_string(committed.join(name)).unwrap());
    std::fs::write(dir.join(name), text.replace("Map", "Mop")).unwrap();
    let stale = run(&["compile", "--check", "--out", out]);
    assert_eq!(stale.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&stale.stderr).contains(name));
}

/// One way to hold it wrong: how to set it up, what to type, the exit code, and words of the message.
struct Wrong {
    name: &'static str,
    setup: fn(&Path),
    arguments: &'static [&'static str],
    code: i32,
    says: &'static [&'static str],
}

fn nothing(_: &Path) {}

const WRONG: &[Wrong] = &[
    Wrong {
        name: "no tickets",
        setup: nothing,
        arguments: &["demo", "--tickets", "0"],
        code: 2,
        says: &["--tickets"],
    },
    Wrong {
        name: "no such file",
        setup: nothing,
        arguments: &["demo", "--tickets-file", "nowhere.csv"],
        code: 2,
        says: &["nowhere.csv", "--tickets-file"],
    },
    Wrong {
        name: "a csv without columns",
        setup: |dir| std::fs::write(dir.join("odd.csv"), "a,b\n1,2\n").unwrap(),
        arguments: &["demo", "--tickets-file", "odd.csv"],
        code: 2,
        says: &["odd.csv"],
    },
    Wrong {
        name: "the folder is a file",
        setup: |dir| std::fs::write(dir.join("state"), "").unwrap(),
        arguments: &["demo", "--dir", "state"],
        code: 2,
        says: &["state", "--dir"],
    },
    Wrong {
        name: "the folder cannot be made",
        setup: nothing,
        arguments: &["demo", "--dir", "/proc/deskup"],
        code: 3,
        says: &["/proc/deskup"],
    },
    Wrong {
        name: "the state file is no database",
        setup: |dir| {
            std::fs::create_dir_all(dir.join(".deskup")).unwrap();
            std::fs::write(
                dir.join(".deskup/deskup.sqlite"),
                "not a database, and long enough to tell".repeat(40),
            )
            .unwrap();
        },
        arguments: &["demo", "--tickets", "5"],
        code: 3,
        says: &["deskup.sqlite"],
    },
    Wrong {
        name: "the state file is a folder",
        setup: |dir| std::fs::create_dir_all(dir.join(".deskup/deskup.sqlite")).unwrap(),
        arguments: &["demo", "--tickets", "5"],
        code: 3,
        says: &["deskup.sqlite"],
    },
    Wrong {
        name: "no state yet",
        setup: nothing,
        arguments: &["status"],
        code: 2,
        says: &["deskup demo", "--dir"],
    },
    Wrong { name: "an unknown command", setup: nothing, arguments: &["sink"], code: 2, says: &["sink"] },
    Wrong {
        name: "an unknown plan",
        setup: nothing,
        arguments: &["demo", "--plan", "gold"],
        code: 2,
        says: &["business-plus"],
    },
];

#[test]
fn held_wrong_it_says_what_where_and_what_to_do() {
    for wrong in WRONG {
        let dir = folder(&format!("wrong {}", wrong.name));
        (wrong.setup)(&dir);
        let output = deskup(wrong.arguments).current_dir(&dir).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(wrong.code), "{}: {told}", wrong.name);
        for words in wrong.says {
            assert!(told.contains(words), "{}: `{words}` is missing in: {told}", wrong.name);
        }
        assert!(!told.contains("panicked"), "{}: {told}", wrong.name);
        assert!(output.stdout.is_empty(), "{}: an error must not go to stdout", wrong.name);
    }
}

#[test]
fn another_world_in_the_same_folder_is_refused() {
    let dir = folder("other world");
    demo(&dir, &[]);
    let output = run(&["demo", "--tickets", "31", "--dir", dir.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--fresh"));
}

#[test]
fn an_unknown_record_or_field_is_named() {
    let dir = folder("unknown");
    demo(&dir, &[]);
    let path = dir.to_str().unwrap();
    for (arguments, says) in [
        (vec!["explain", "9999", "--dir", path], "9999"),
        (vec!["explain", "1", "colour", "--dir", path], "colour"),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(says));
    }
}

#[test]
fn a_taken_port_is_said_before_any_work() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let dir = folder("port");
    let output = run(&["demo", "--keep", "--port", &port, "--dir", dir.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains(&port) && told.contains("--port"), "{told}");
    assert!(
        !dir.join("deskup.sqlite").exists(),
        "nothing may be written before the port is known to be free"
    );
}
