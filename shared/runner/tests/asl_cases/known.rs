//! What is not run yet, and where we knowingly differ. Each entry has its reason.

use serde_json::Value;

use crate::case::{Case, Verdict};

/// Features that the runner does not have yet.
const MISSING: [(&str, &str); 3] = [
    ("itemreader", "ItemReader: reading items from S3 comes with distributed Map"),
    ("itembatcher", "ItemBatcher comes with distributed Map"),
    ("activity", "activities: workers that poll come later"),
];

/// Cases where the service's answer is known and ours differs.
const DISAGREEMENTS: [(&str, &str); 2] = [
    (
        "scenarios-base-scenarios-lambda-invoke-with-retry-extended-input",
        "recorded before the context object had RedriveCount; newer recordings have it",
    ),
    (
        "scenarios-base-scenarios-lambda-service-invoke-with-retry-extended-input",
        "recorded before the context object had RedriveCount; newer recordings have it",
    ),
];

/// Why some histories of distributed Maps differ.
pub const MAP_EXIT: &str = "recorded before autumn 2024, when the Exited event of a distributed Map \
                            followed the end of its run; it follows the start since, and so does ours";

/// Expectations with the Exited events of distributed Maps where newer recordings have them.
pub fn up_to_date(expect: &Value) -> Value {
    let mut expect = expect.clone();
    let Some(events) = expect["events"].as_array_mut() else { return expect };
    let runs: Vec<(Value, Value)> = events
        .iter()
        .filter(|event| event["type"] == "MapRunSucceeded")
        .map(|event| (event["id"].clone(), event["prev"].clone()))
        .collect();
    for event in events.iter_mut().filter(|event| event["type"] == "MapStateExited") {
        if let Some((_, start)) = runs.iter().find(|(end, _)| *end == event["prev"]) {
            event["prev"] = start.clone();
        }
    }
    expect
}

/// Why a case is not run at all.
pub fn skipped(case: &Case) -> Option<String> {
    if let Some(reason) = case.body["outdated"].as_str() {
        return Some(format!("outdated: {reason}"));
    }
    if case.strings("needs").contains(&"mocks-unknown") {
        return Some("the recording does not show what the tasks answered".into());
    }
    let features = case.strings("features");
    MISSING.iter().find(|(feature, _)| features.contains(feature)).map(|(_, reason)| (*reason).to_owned())
}

/// Why a case is known to end otherwise here.
pub fn disagreement(case: &Case) -> Option<&'static str> {
    DISAGREEMENTS.iter().find(|(name, _)| *name == case.name).map(|(_, reason)| *reason)
}

/// What to report of a case that did not end as these lists say.
pub fn surprise(case: &Case, verdict: &Verdict) -> Option<String> {
    match (verdict, disagreement(case)) {
        (Verdict::Failed(_), None) => Some(format!("{} fails", case.name)),
        (Verdict::Passed, Some(reason)) => Some(format!("{} passes, but is listed: {reason}", case.name)),
        _ => None,
    }
}
