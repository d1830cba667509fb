//! The committed definitions are what the source compiles to. `UPDATE_EXPECT=1` writes them anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use asl::CompiledWorkflow;
use statemachines::TicketSyncWorkflow;
use statemachines::steps::STEP_NAMES;

fn compiled() -> Vec<CompiledWorkflow> {
    TicketSyncWorkflow::new().definitions().into_iter().cloned().collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("asl")
}

#[test]
fn committed_definitions_are_up_to_date() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1");
    let mut stale = Vec::new();
    let mut expected = BTreeSet::new();
    for workflow in compiled() {
        let name = format!("{}.asl.json", workflow.name);
        let path = folder().join(&name);
        if update {
            std::fs::write(&path, workflow.text()).expect("the definition can be written");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        if committed != workflow.text() {
            stale.push(name.clone());
        }
        expected.insert(name);
    }
    assert!(
        stale.is_empty(),
        "stale: {stale:?}; UPDATE_EXPECT=1 cargo test -p statemachines writes them anew"
    );
    let present: BTreeSet<String> = std::fs::read_dir(folder())
        .expect("the folder exists")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(present, expected, "a definition without a source, or a source without a definition");
}

#[test]
fn every_declared_step_is_called_and_every_called_step_is_declared() {
    let called: BTreeSet<String> = compiled().iter().flat_map(CompiledWorkflow::functions).collect();
    let declared: BTreeSet<String> = STEP_NAMES.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(called, declared);
}

#[test]
fn no_definition_adds_a_wait() {
    for workflow in compiled() {
        assert_eq!(workflow.report.blocks, [], "{}", workflow.name);
    }
}

#[test]
fn what_is_committed_reads_back_as_it_was_written() {
    for workflow in compiled() {
        let machine = asl::parse(&workflow.machine).expect("it parses");
        assert_eq!(machine, workflow.typed);
        assert_eq!(asl::write::write(&machine), workflow.machine);
    }
}
