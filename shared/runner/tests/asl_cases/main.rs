//! Runs recorded executions of the service and compares all that they tell:
//! status, output, error, cause, virtual time and the whole history.
//!
//! `DESKUP_ASL_CASES` names a folder with `cases/`. Without it, a few cases of
//! our own run. The table shows every feature with its score; see `known.rs`
//! for what is skipped and where we disagree, and why.

mod case;
mod compare;
mod events;
mod known;
mod mocks;
mod own;
mod table;

use std::path::Path;

use case::{Case, Verdict};
use serde_json::Value;
use table::Table;

#[test]
fn recorded_executions_end_as_recorded() {
    let cases = recorded().unwrap_or_else(|| {
        println!("DESKUP_ASL_CASES is not set: only our own cases run.");
        own::cases()
    });
    assert!(!cases.is_empty(), "there are no cases");
    let mut table = Table::default();
    let mut unexpected = Vec::new();
    for case in &cases {
        let verdict = match known::skipped(case) {
            Some(reason) => Verdict::Skipped(reason),
            None => case::judge(case),
        };
        if let Some(line) = known::surprise(case, &verdict) {
            unexpected.push(line);
        }
        let verdict = match (known::disagreement(case), verdict) {
            (Some(reason), Verdict::Failed(_)) => Verdict::Known(reason),
            (_, verdict) => verdict,
        };
        table.add(case, &verdict);
    }
    println!("{table}");
    assert!(unexpected.is_empty(), "{} surprises:\n{}", unexpected.len(), unexpected.join("\n"));
}

/// The cases in the folder, if one is named.
fn recorded() -> Option<Vec<Case>> {
    let folder = std::env::var_os("DESKUP_ASL_CASES")?;
    Some(case::load(&Path::new(&folder).join("cases")))
}

#[test]
fn our_own_cases_hold() {
    for case in own::cases() {
        assert_eq!(case::judge(&case), Verdict::Passed, "{}", case.name);
    }
}

/// The service took every recorded machine, so our check of expressions must too.
#[test]
fn no_recorded_expression_is_refused() {
    fn walk(value: &Value, wrong: &mut Vec<String>) {
        match value {
            Value::String(text) => {
                let expression = text.strip_prefix("{%").and_then(|text| text.strip_suffix("%}"));
                if let Some(Err(why)) = expression.map(|text| runner::check_expression(text.trim())) {
                    wrong.push(format!("{text}: {why}"));
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, wrong)),
            Value::Object(members) => members.values().for_each(|member| walk(member, wrong)),
            _ => {}
        }
    }
    let mut wrong = Vec::new();
    for case in recorded().unwrap_or_else(own::cases) {
        // Comments and literals of JSONPath states may look like expressions.
        if case.body["query_language"] != "JSONPath" {
            walk(&case.body["definition"], &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is compared must be able to differ.
#[test]
fn a_wrong_expectation_is_noticed() {
    for (name, spoil) in own::SPOILED {
        let mut case: Case = own::cases().swap_remove(0);
        spoil(&mut case);
        assert!(matches!(case::judge(&case), Verdict::Failed(_)), "{name} went unnoticed");
    }
}
