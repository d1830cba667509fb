//! Writes the Step Functions definitions.

use std::path::PathBuf;

use serde_json::{Value as Json, json};
use statemachines::ticket_sync::TicketSyncWorkflow;

use crate::args::CompileArgs;
use crate::failure::Failed;
use crate::terminal;

/// Runs `deskup compile`.
pub fn run(args: &CompileArgs) -> anyhow::Result<()> {
    let mut written: Vec<Json> = Vec::new();
    let mut stale = Vec::new();
    for definition in TicketSyncWorkflow::new().definitions() {
        let path = args.out.join(format!("{}.asl.json", definition.name));
        let text = definition.text();
        let differs = std::fs::read_to_string(&path).ok().as_deref() != Some(&text);
        if args.check {
            if differs {
                stale.push(path.display().to_string());
            }
        } else if differs {
            write(&path, &text)?;
        }
        written.push(json!({
            "workflow": definition.name,
            "file": path.display().to_string(),
            "states": definition.typed.flow.states.len(),
            "bytes": text.len(),
            "changed": differs,
        }));
    }
    if args.json {
        terminal::data(&json!({ "definitions": written }).to_string());
    } else {
        let rows: Vec<Vec<String>> = written
            .iter()
            .map(|row| {
                let what = if row["changed"] == true {
                    if args.check { "stale" } else { "written" }
                } else {
                    "unchanged"
                };
                vec![
                    row["workflow"].as_str().unwrap_or_default().to_owned(),
                    row["states"].to_string(),
                    row["bytes"].to_string(),
                    what.to_owned(),
                    row["file"].as_str().unwrap_or_default().to_owned(),
                ]
            })
            .collect();
        terminal::data(&terminal::table(&["workflow", "states", "bytes", "", "file"], &rows));
    }
    if stale.is_empty() {
        Ok(())
    } else {
        Err(Failed::result(format!("stale: {}; run `deskup compile`", stale.join(", "))))
    }
}

/// Writes beside the file and renames, so that a reader never sees half of it.
fn write(path: &PathBuf, text: &str) -> anyhow::Result<()> {
    let cannot = |error: std::io::Error| Failed::usage(format!("cannot write {}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(cannot)?;
    }
    let partial = path.with_extension("partial");
    std::fs::write(&partial, text).map_err(cannot)?;
    std::fs::rename(&partial, path).map_err(cannot)
}
