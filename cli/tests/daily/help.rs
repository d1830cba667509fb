//! What each command says of itself, and what shells complete.

use std::path::Path;
use std::process::Command;

use super::accounts::{deskup, folder, said};
use super::refused;

/// The commands that `--help` lists.
fn commands(dir: &Path) -> Vec<String> {
    let (help, _) = said(&deskup(dir, &["--help"]).output().unwrap());
    let listed = help.split("Commands:").nth(1).unwrap().split("\n\n").next().unwrap();
    let names =
        listed.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    let names: Vec<String> =
        names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    assert!(names.len() > 10, "{help}");
    names.into_iter().filter(|name| name != "help").collect()
}

#[test]
fn every_command_has_a_help_that_answers_and_a_completion() {
    let dir = folder("help");
    for command in commands(&dir) {
        let output = deskup(&dir, &[&command, "--help"]).env_remove("COLUMNS").output().unwrap();
        let (help, _) = said(&output);
        for part in ["Usage: ", "Example", "Exit codes: "] {
            assert!(help.contains(part), "`deskup {command} --help` has no `{part}`:\n{help}");
        }
        let widest = help.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        assert!(widest <= 80, "`deskup {command} --help` has {widest} columns:\n{help}");
        assert!(!help.lines().next().unwrap_or_default().is_empty(), "{command} does not say what it does");
        let by_help = said(&deskup(&dir, &["help", &command]).env_remove("COLUMNS").output().unwrap()).0;
        assert_eq!(by_help, help, "`deskup help {command}` says the same");
        for shell in ["bash", "zsh", "fish"] {
            let script = said(&deskup(&dir, &["completions", shell]).output().unwrap()).0;
            assert!(script.contains(&command), "{shell} does not complete {command}");
        }
    }
    for (wrong, meant) in [
        ("statsu", "status"),
        ("confilcts", "conflicts"),
        ("quarntine", "quarantine"),
        ("explian", "explain"),
    ] {
        let output = deskup(&dir, &[wrong]).output().unwrap();
        let (_, error) = said(&output);
        assert_eq!(output.status.code(), Some(2));
        assert!(error.contains(&format!("'{meant}'")), "{wrong}: {error}");
    }
    let (code, _) = refused(&dir, &["completions", "tcsh"]);
    assert_eq!(code, Some(2));
    std::fs::remove_dir_all(&dir).unwrap();
}

/// The scripts as their shells take them, where the shells are there.
#[test]
fn completions_are_read_by_their_shells() {
    let dir = folder("shells");
    for (shell, check) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        let script = said(&deskup(&dir, &["completions", shell]).output().unwrap()).0;
        std::fs::write(dir.join(shell), script).unwrap();
        if let Ok(output) = Command::new(shell).arg(check).arg(dir.join(shell)).output() {
            assert!(output.status.success(), "{shell}: {:?}", said(&output));
        }
    }
    std::fs::remove_dir_all(&dir).unwrap();
}
