//! The journal of a simulator: an append-only file of JSON lines, one line per committed request.
//!
//! A line is written before the answer is sent, with a plain write: it survives `kill -9` of this process, not a power
//! cut. A line is one request, so a request happened wholly or not at all: a torn last line is cut off when the file
//! is opened. What a line holds is each simulator's own matter.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::SimError;

/// Where a simulator's commits go: a file, or nowhere.
#[derive(Debug, Default)]
pub struct Journal {
    place: Option<Place>,
    lines: u64,
}

#[derive(Debug)]
struct Place {
    path: PathBuf,
    file: File,
    /// Where the next line begins.
    end: u64,
}

impl Journal {
    /// A journal that keeps nothing: the simulator lives as long as its process.
    pub fn memory() -> Self {
        Self::default()
    }

    /// Opens or creates the file, takes it for this process alone, and hands every complete line to `apply`, oldest
    /// first. A torn last line is cut off.
    pub fn open<L: DeserializeOwned>(path: &Path, mut apply: impl FnMut(L)) -> Result<Self, SimError> {
        let file = open_locked(path)?;
        let mut reader = BufReader::with_capacity(1 << 20, &file);
        let mut line = Vec::new();
        let (mut whole, mut lines) = (0_u64, 0_u64);
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line).map_err(|e| failed(path, "read", e))?;
            if line.last() != Some(&b'\n') {
                break;
            }
            lines += 1;
            let parsed = serde_json::from_slice(&line).map_err(|source| SimError::Damaged {
                path: path.to_owned(),
                line: lines,
                source,
            })?;
            apply(parsed);
            whole += read as u64;
        }
        file.set_len(whole).map_err(|e| failed(path, "cut to its last whole line", e))?;
        (&file).seek(SeekFrom::Start(whole)).map_err(|e| failed(path, "read", e))?;
        Ok(Self { place: Some(Place { path: path.to_owned(), file, end: whole }), lines })
    }

    /// Commits one line. When it fails nothing was committed as far as a reopened journal can tell.
    pub fn append<L: Serialize>(&mut self, line: &L) -> Result<(), SimError> {
        let Some(place) = &mut self.place else { return Ok(()) };
        let mut bytes = serde_json::to_vec(line).map_err(|source| SimError::Encode { source })?;
        bytes.push(b'\n');
        if let Err(error) = place.file.write_all(&bytes) {
            // Half a line in the middle of the file would make everything after it unreadable.
            let _ = place.file.set_len(place.end);
            let _ = place.file.seek(SeekFrom::Start(place.end));
            return Err(failed(&place.path, "written", error));
        }
        place.end += bytes.len() as u64;
        self.lines += 1;
        Ok(())
    }

    /// Replaces the contents by `lines`, which must rebuild the same state. The old file stays until the new one is
    /// complete.
    pub fn compact<L: Serialize>(&mut self, lines: impl IntoIterator<Item = L>) -> Result<(), SimError> {
        let Some(place) = &mut self.place else { return Ok(()) };
        let fresh_path = place.path.with_extension("compacting");
        let fresh = open_locked(&fresh_path)?;
        fresh.set_len(0).map_err(|e| failed(&fresh_path, "emptied", e))?;
        let mut writer = BufWriter::with_capacity(1 << 20, &fresh);
        let mut count = 0;
        for line in lines {
            serde_json::to_writer(&mut writer, &line).map_err(|source| SimError::Encode { source })?;
            writer.write_all(b"\n").map_err(|e| failed(&fresh_path, "written", e))?;
            count += 1;
        }
        writer.flush().map_err(|e| failed(&fresh_path, "written", e))?;
        drop(writer);
        std::fs::rename(&fresh_path, &place.path).map_err(|e| failed(&place.path, "replaced", e))?;
        place.end = fresh.metadata().map_err(|e| failed(&place.path, "read", e))?.len();
        place.file = fresh;
        self.lines = count;
        Ok(())
    }

    /// Whether commits go to a file.
    pub fn is_durable(&self) -> bool {
        self.place.is_some()
    }

    /// How many lines the file holds: what to compact is decided by it.
    pub fn lines(&self) -> u64 {
        self.lines
    }
}

fn open_locked(path: &Path) -> Result<File, SimError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|e| failed(path, "opened", e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SimError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(path, "locked", source)),
    }
}

fn failed(path: &Path, doing: &'static str, source: std::io::Error) -> SimError {
    SimError::File { path: path.to_owned(), doing, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("deskup-journal-{}-{name}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        path
    }

    fn read(path: &Path) -> Vec<u64> {
        let mut seen = Vec::new();
        Journal::open(path, |line: u64| seen.push(line)).unwrap();
        seen
    }

    #[test]
    fn a_torn_tail_is_cut_off_and_writing_goes_on_after_it() {
        let path = place("torn");
        let mut journal = Journal::open(&path, |_: u64| ()).unwrap();
        journal.append(&1).unwrap();
        journal.append(&2).unwrap();
        drop(journal);
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"3").unwrap();
        assert_eq!(read(&path), [1, 2]);
        let mut journal = Journal::open(&path, |_: u64| ()).unwrap();
        journal.append(&4).unwrap();
        drop(journal);
        assert_eq!(read(&path), [1, 2, 4]);
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_damaged_line_in_the_middle_is_named() {
        let path = place("damaged");
        std::fs::write(&path, "1\nx\n2\n").unwrap();
        let error = Journal::open(&path, |_: u64| ()).unwrap_err();
        assert!(matches!(error, SimError::Damaged { line: 2, .. }), "{error}");
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn compaction_replaces_the_lines_and_keeps_the_lock() {
        let path = place("compact");
        let mut journal = Journal::open(&path, |_: u64| ()).unwrap();
        journal.append(&1).unwrap();
        journal.compact([7_u64, 8]).unwrap();
        journal.append(&9).unwrap();
        assert!(matches!(Journal::open(&path, |_: u64| ()), Err(SimError::InUse { .. })));
        drop(journal);
        assert_eq!(read(&path), [7, 8, 9]);
        std::fs::remove_file(&path).unwrap();
    }
}
