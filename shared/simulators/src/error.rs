//! What can go wrong outside the simulated conversation: the journal's file.

use std::path::PathBuf;

/// A simulator could not be opened or could not keep what it promised.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The journal's file cannot be read, written or renamed.
    #[error("the simulator's journal {} could not be {doing}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was attempted, as a past participle: "opened", "written".
        doing: &'static str,
        /// Why not.
        source: std::io::Error,
    },
    /// Another process holds the journal.
    #[error("the simulator's journal {} is used by another process", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A line that is not the torn last one cannot be read.
    #[error("line {line} of the simulator's journal {} cannot be read", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which line, counted from 1.
        line: u64,
        /// Why not.
        source: serde_json::Error,
    },
    /// A line could not be turned into JSON.
    #[error("a line of the simulator's journal could not be encoded")]
    Encode {
        /// Why not.
        source: serde_json::Error,
    },
}
