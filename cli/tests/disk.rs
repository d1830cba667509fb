//! The command where its folder takes no more: a full disk, a limit on the size of files, a disk that is read only.
//! It says so once, with the exit code for it, and the same command goes on when there is room again.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "a test that is skipped says why")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value as Json;

/// The exit code of a state that cannot be used.
const STATE: i32 = 3;

const DEMO: [&str; 6] = ["demo", "--tickets", "30", "--edits", "20", "--json"];

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn demo(dir: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deskup"));
    command.args(DEMO).arg("--dir").arg(dir).env_remove("DESKUP_TICKETS").env_remove("DESKUP_LOG");
    command.output().unwrap()
}

/// One message that names the folder, and nothing that looks like a result.
fn said_once(output: &Output, dir: &Path, words: &[&str]) {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(STATE), "{told}");
    assert!(output.stdout.is_empty(), "an error must not go to stdout");
    assert!(told.contains(dir.to_str().unwrap()), "the folder is not named: {told}");
    for word in words {
        assert!(told.contains(word), "`{word}` is missing: {told}");
    }
    assert_eq!(told.trim().lines().count(), 1, "said more than once: {told}");
    assert!(!told.contains("panicked"), "{told}");
}

/// The whole demo, in a folder where an earlier one ended in the middle.
fn goes_on(dir: &Path) {
    let output = demo(dir);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let verdict: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdict["converged_percent"].as_f64(), Some(100.0));
    for name in ["lost", "duplicates", "leaked_internal", "quarantined"] {
        assert_eq!(verdict[name].as_u64(), Some(0), "{name}");
    }
    assert_eq!(verdict["tasks"].as_u64(), Some(30));
}

/// A disk of its own, taken away at the end whatever happens.
struct Disk(PathBuf);

impl Disk {
    /// A disk in memory of this size, where the system lets us have one.
    fn of(name: &str, size: &str) -> Option<Self> {
        let path = folder(name);
        let options = format!("size={size}");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&path).output();
        let why = match mounted {
            Ok(output) if output.status.success() => return Some(Self(path)),
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Err(error) => error.to_string(),
        };
        println!("skipped: no disk can be mounted here ({why})");
        None
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let output = Command::new("mount").args(["-o", &options]).arg(&self.0).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a child that still has a file open must not keep the mount for ever.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_said_once_and_with_more_room_the_same_command_goes_on() {
    for size in ["200k", "600k", "1200k"] {
        let Some(disk) = Disk::of(&format!("full-{size}"), size) else { return };
        said_once(&demo(&disk.0), &disk.0, &["full"]);
        disk.remount("size=200m");
        goes_on(&disk.0);
    }
}

#[test]
fn a_read_only_disk_is_said_once_and_written_again_it_goes_on() {
    let Some(disk) = Disk::of("read-only", "200m") else { return };
    disk.remount("ro");
    said_once(&demo(&disk.0), &disk.0, &["ead-only"]);
    disk.remount("rw");
    goes_on(&disk.0);
    disk.remount("ro");
    said_once(&demo(&disk.0), &disk.0, &["ead-only"]);
    disk.remount("rw");
    goes_on(&disk.0);
}

/// Files that may not grow fail like a full disk does, and that needs no permission.
#[test]
fn files_that_may_not_grow_are_said_once_and_the_same_command_goes_on() {
    for blocks in [64, 200, 400, 1_000] {
        let dir = folder(&format!("small-files-{blocks}"));
        // Without the trap the signal would end the process before it can say anything.
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; ulimit -t 120; exec \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_deskup")]).args(DEMO).arg("--dir").arg(&dir);
        let output = command.env_remove("DESKUP_TICKETS").env_remove("DESKUP_LOG").output().unwrap();
        said_once(&output, &dir, &["may not grow"]);
        goes_on(&dir);
    }
}
