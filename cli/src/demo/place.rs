//! The folder of a demo: made, checked and, when asked, emptied of what a demo put there and nothing else.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use crate::args::DemoArgs;
use crate::failure::Failed;
use crate::installation::Installation;

/// The environment of Lambdas that work on the demo while it is kept running.
pub const LAMBDA_ENV: &str = "lambda.env";

/// Makes the folder; with `--fresh` forgets an earlier demo first.
pub fn prepare(args: &DemoArgs) -> anyhow::Result<()> {
    let dir = &args.dir;
    let cannot = |what: &str, error: std::io::Error| {
        Failed::state(format!("{what} {}: {error}; name another folder with --dir", dir.display()))
    };
    if dir.exists() && !dir.is_dir() {
        return Err(Failed::usage(format!("{} is a file; --dir names a folder", dir.display())));
    }
    if args.fresh {
        forget(dir).map_err(|error| cannot("cannot empty", error))?;
    }
    std::fs::create_dir_all(dir).map_err(|error| cannot("cannot make", error))?;
    if let Some(file) = &args.tickets_file
        && !file.is_file()
    {
        return Err(Failed::usage(format!(
            "there is no file {}: --tickets-file names a CSV",
            file.display()
        )));
    }
    Ok(())
}

/// Writes the demo's mapping where a person can read it.
pub fn write_settings(dir: &Path, text: &str) -> anyhow::Result<()> {
    let path = dir.join("deskup.toml");
    std::fs::write(&path, text)
        .map_err(|error| Failed::state(format!("cannot write {}: {error}", path.display())))
}

/// Whether a failure is that of a full disk, or of a limit on the size of files: nothing can be written behind what
/// the longest file holds.
pub fn is_full(dir: &Path) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let probe = dir.join("room.probe");
    let result = write_behind(&probe, longest(dir));
    // It was only there to see whether it fits.
    let _ = std::fs::remove_file(&probe);
    result.is_err_and(|error| matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge))
}

/// The probe is empty before its end, so that it takes no more of a disk than a short one.
fn write_behind(probe: &Path, length: u64) -> std::io::Result<()> {
    let mut file = std::fs::File::create(probe)?;
    file.seek(SeekFrom::Start(length))?;
    file.write_all(&[0; 128 * 1024])
}

fn longest(dir: &Path) -> u64 {
    let folders = [dir.to_owned(), dir.join("world")];
    let files = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).max().unwrap_or(0)
}

fn forget(dir: &Path) -> std::io::Result<()> {
    let state = Installation::at(dir).state_file();
    let name = state.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Ok(entries) = std::fs::read_dir(dir) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let file = entry.file_name().to_string_lossy().into_owned();
        // The state file has companions: a write-ahead log, a lock.
        if file.starts_with(&name) || file == "deskup.toml" || file == LAMBDA_ENV {
            std::fs::remove_file(entry.path())?;
        } else if file == "world" {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
