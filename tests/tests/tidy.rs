//! The shape of the source: sizes, layers, and lists that must agree.

use std::collections::BTreeSet;

use tests::{root, sources};

/// Lines a file may have.
const FILE_LINES_MAX: usize = 400;
/// Lines a function may have.
const FUNCTION_LINES_MAX: usize = 70;

/// Files that may be longer, and why.
const LONG_FILES: &[(&str, &str)] = &[];
/// Functions that may be longer, and why.
const LONG_FUNCTIONS: &[(&str, &str)] = &[];

#[test]
fn every_file_is_about_one_thing_and_says_which() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        let lines = text.lines().count();
        let allowed = LONG_FILES.iter().any(|(file, _)| *file == name);
        if lines > FILE_LINES_MAX && !allowed {
            wrong.push(format!("{name} has {lines} lines, more than {FILE_LINES_MAX}"));
        }
        if !text.trim_start().starts_with("//!") {
            wrong.push(format!("{name} does not begin with `//!` and its purpose"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_function_is_longer_than_a_screen() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        for (function, lines) in functions(&text) {
            let allowed = LONG_FUNCTIONS.iter().any(|(path, _)| *path == format!("{name}::{function}"));
            if lines > FUNCTION_LINES_MAX && !allowed {
                wrong.push(format!("{name}: `{function}` has {lines} lines, more than {FUNCTION_LINES_MAX}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_function_that_is_too_long_is_found() {
    let body = "    x();\n".repeat(FUNCTION_LINES_MAX);
    let found = functions(&format!("fn short() {{\n}}\n\npub async fn long() {{\n{body}}}\n"));
    assert_eq!(found, [("short".to_owned(), 2), ("long".to_owned(), FUNCTION_LINES_MAX + 2)]);
}

/// Functions with their length, told by the formatter's indentation: a function ends at the first line that
/// closes a brace at the indentation of its `fn`.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let Some(rest) = ["", "pub ", "pub(crate) ", "pub(super) "].iter().find_map(|visibility| {
            ["fn ", "async fn ", "const fn "]
                .iter()
                .find_map(|keyword| code.strip_prefix(&format!("{visibility}{keyword}")))
        }) else {
            continue;
        };
        let function: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let close = format!("{}}}", " ".repeat(indent));
        let one_line = code.ends_with('}') || code.ends_with(';');
        if one_line {
            continue;
        }
        if let Some(end) = lines[at..].iter().position(|line| *line == close || *line == format!("{close},"))
        {
            found.push((function, end + 1));
        }
    }
    found
}

#[test]
fn arrows_between_crates_point_one_way() {
    let allowed: &[(&str, &[&str])] = &[
        ("shared/planted", &[]),
        ("shared/domain", &["planted"]),
        ("shared/asl", &[]),
        ("shared/simulators", &[]),
        ("shared/clients", &["domain", "planted"]),
        ("shared/stores", &["domain", "planted"]),
        ("shared/aws", &["clients"]),
        ("shared/runner", &["asl"]),
        ("statemachines", &["asl"]),
        ("shared/orchestration", &["asl", "clients", "domain", "planted", "runner", "stores"]),
        (
            "functions",
            &["asl", "aws", "clients", "domain", "orchestration", "planted", "statemachines", "stores"],
        ),
    ];
    let ours: BTreeSet<&str> = [
        "asl",
        "aws",
        "clients",
        "deskup",
        "domain",
        "functions",
        "orchestration",
        "planted",
        "runner",
        "simulators",
        "statemachines",
        "stores",
        "world",
    ]
    .into();
    let mut wrong = Vec::new();
    for (folder, may) in allowed {
        let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        for line in dependencies.lines() {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if ours.contains(name) && !may.contains(&name) {
                wrong.push(format!("{folder} must not depend on {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn declared_steps_step_files_and_compiled_definitions_agree() {
    let declared: BTreeSet<String> =
        statemachines::steps::STEP_NAMES.iter().map(|name| (*name).to_owned()).collect();
    let folder = root().join("functions/src/steps");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().trim_end_matches(".rs").to_owned())
        .filter(|name| name != "mod")
        .map(|name| name.split('_').map(capital).collect())
        .collect();
    assert_eq!(declared, files, "declared steps and files in functions/src/steps");
    let mut called = BTreeSet::new();
    for definition in statemachines::ticket_sync::TicketSyncWorkflow::new().definitions() {
        called.extend(definition.functions());
    }
    assert_eq!(declared, called, "declared steps and functions that definitions call");
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}

#[test]
fn the_project_names_no_place_of_one_machine() {
    let here = root().canonicalize().unwrap();
    let here = here.parent().map(|parent| parent.display().to_string()).unwrap_or_default();
    // A clone right under the root would make every path suspicious.
    if here.len() < 3 {
        return;
    }
    for (name, text) in sources() {
        assert!(!text.contains(&format!("{here}/")), "{name} names {here}");
    }
}

#[test]
fn no_test_sleeps_in_real_time() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        // Spelled apart, so that this line is not found.
        if text.contains(concat!("thread", "::sleep")) {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
