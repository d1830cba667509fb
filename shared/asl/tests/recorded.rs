//! Definitions that Step Functions took or refused, from the folder named by `DESKUP_ASL_CASES`. Without the
//! folder there is nothing to check: the test says so and passes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use asl::Kind;
use serde_json::Value;

/// Refused by the service for reasons that need an interpreter or a catalogue of services: expressions are
/// evaluated by the runner's crate, and this one has none.
const NOT_SEEN_MAX: usize = 20;

/// Said to be valid, refused here, with the reason. None of them is recorded from the service.
const KNOWN_DISAGREEMENTS: [(&str, &str); 4] = [
    ("asls-succeedfailterminalstate", "an editor's own test; names are unique in the whole machine"),
    ("aslv-assign", "a validator's own test; `top-level` is no identifier"),
    (
        "aslv-map-with-item-batcher-jsonata",
        "a validator's own test; a JSONata machine has no JSONPath states",
    ),
    ("wfc-shared-fallback-state-jsonata", "a sample whose QueryLanguage stands among its states"),
];

fn cases(folder: &str) -> Option<Vec<(String, Value)>> {
    let root = PathBuf::from(std::env::var_os("DESKUP_ASL_CASES")?);
    let mut cases = Vec::new();
    read(&root.join(folder), &mut cases);
    cases.sort_by(|one, other| one.0.cmp(&other.0));
    Some(cases)
}

fn read(folder: &Path, cases: &mut Vec<(String, Value)>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        if let (Some(name), Ok(case)) = (path.file_stem(), serde_json::from_str(&text)) {
            cases.push((name.to_string_lossy().into_owned(), case));
        }
    }
}

fn kind(case: &Value) -> Kind {
    if case["type"] == "EXPRESS" { Kind::Express } else { Kind::Standard }
}

#[test]
fn every_definition_that_the_service_took_is_taken() {
    let (Some(run), Some(valid)) = (cases("cases"), cases("validate/valid")) else {
        eprintln!("DESKUP_ASL_CASES is not set: nothing checked");
        return;
    };
    let (mut taken, mut refused) = (0, BTreeMap::new());
    for (name, case) in run.iter().chain(&valid) {
        let definition = &case["definition"];
        if !definition.is_object() {
            continue;
        }
        match asl::validate(definition, kind(case)) {
            Ok(machine) => {
                let written = asl::write::write(&machine);
                assert_eq!(
                    asl::parse(&written).as_ref(),
                    Ok(&machine),
                    "{name}: reads back as it was written"
                );
                taken += 1;
            }
            Err(mistakes) => drop(refused.insert(name.clone(), mistakes)),
        }
    }
    for (name, _) in KNOWN_DISAGREEMENTS {
        refused.remove(name);
    }
    for (name, mistakes) in &refused {
        eprintln!("{name}: {}", mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
    }
    eprintln!("definitions: {taken} taken, {} refused", refused.len());
    assert!(
        taken > 0 && refused.is_empty(),
        "{} definitions are refused that the service takes",
        refused.len()
    );
}

#[test]
fn definitions_that_the_service_refused_are_refused() {
    let Some(invalid) = cases("validate/invalid") else {
        eprintln!("DESKUP_ASL_CASES is not set: nothing checked");
        return;
    };
    let mut missed = Vec::new();
    for (name, case) in &invalid {
        if case["definition"].is_object() && asl::validate(&case["definition"], kind(case)).is_ok() {
            missed.push(name.as_str());
        }
    }
    eprintln!("refused {} of {}; missed: {missed:#?}", invalid.len() - missed.len(), invalid.len());
    assert!(missed.len() <= NOT_SEEN_MAX, "{} invalid definitions are taken", missed.len());
}
