//! What the suites of the whole system share.

pub mod again;
pub mod awaits;
pub mod compare;
pub mod crew;
pub mod cursors;
pub mod deliveries;
pub mod expect;
pub mod hands;
pub mod history;
mod manners;
pub mod meddle;
pub mod pace;
pub mod planned;
pub mod planted;
pub mod poison;
mod rivals;
pub mod seeds;
pub mod summary;
pub mod team;
pub mod weather;
pub mod whole;

use std::path::{Path, PathBuf};

/// Worlds are many small allocations, and the system's allocator takes a quarter of the time that a history takes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All Rust files of the workspace's own crates, with their text, in order.
pub fn sources() -> Vec<(String, String)> {
    let root = root();
    let mut files = Vec::new();
    for folder in ["cli", "functions", "shared", "statemachines", "tests"] {
        collect(&root.join(folder), &root, &mut files);
    }
    files.sort();
    files
}

fn collect(folder: &Path, root: &Path, files: &mut Vec<(String, String)>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, root, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            files.push((name, std::fs::read_to_string(&path).unwrap_or_default()));
        }
    }
}
