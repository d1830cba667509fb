//! One case: reading it, running it, judging it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use asl::Kind;
use runner::{Execution, Options, Stop, tokio_clock};
use serde_json::Value;

use crate::compare::{self, fits};
use crate::events;
use crate::known;
use crate::mocks::Mocks;

/// Where cases without a clock start: 2025-01-01T00:00:00Z.
const START_MS: i64 = 1_735_689_600_000;
/// No recorded case lasts this long; one that would never end does.
const LONGEST: Duration = Duration::from_secs(40_000 * 86_400);

/// One recorded execution.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    pub body: Value,
}

/// How a case went.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Passed,
    /// Another answer than the recorded one, for a reason that we know.
    Known(&'static str),
    Failed(String),
    Skipped(String),
}

impl Case {
    pub fn strings(&self, field: &str) -> Vec<&str> {
        self.body[field].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

/// Reads all cases of a folder, by name.
pub fn load(folder: &Path) -> Vec<Case> {
    let entries = fs::read_dir(folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let mut cases: Vec<Case> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a case can be read");
            let body: Value = serde_json::from_str(&text).expect("a case is JSON");
            Case { name: body["name"].as_str().unwrap_or_default().to_owned(), body }
        })
        .collect();
    cases.sort_by(|left, right| left.name.cmp(&right.name));
    cases
}

/// Runs a case under the paused clock and compares.
pub fn judge(case: &Case) -> Verdict {
    let machine = match asl::parse(&case.body["definition"]) {
        Ok(machine) => machine,
        Err(mistakes) => return Verdict::Failed(format!("refused: {mistakes:?}")),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let execution = runtime.expect("a runtime").block_on(async {
        let start = case.body["clock"].as_str().and_then(compare::unix_ms).unwrap_or(START_MS);
        let kind = if case.body["type"] == "EXPRESS" { Kind::Express } else { Kind::Standard };
        let options = Options::new(kind, "machine-1", "execution-1", tokio_clock(start));
        if case.strings("needs").contains(&"stop-execution") {
            tokio::spawn(stop_soon(options.stop.clone()));
        }
        let mocks = Mocks::new(&case.body);
        let run = runner::run(&machine, case.body["input"].clone(), options, &mocks);
        tokio::time::timeout(LONGEST, run).await.ok()
    });
    let Some(execution) = execution else { return Verdict::Failed("it never ended".into()) };
    let expect = &case.body["expect"];
    let found = differences(expect, &execution);
    if found.is_empty() {
        return Verdict::Passed;
    }
    // An old recording may fit once it is told what the service has changed since.
    let newer = known::up_to_date(expect);
    if newer != *expect && differences(&newer, &execution).is_empty() {
        return Verdict::Known(known::MAP_EXIT);
    }
    Verdict::Failed(found.join("; "))
}

async fn stop_soon(stop: Stop) {
    tokio::time::sleep(Duration::from_secs(1)).await;
    stop.stop(None, None);
}

fn differences(expect: &Value, execution: &Execution) -> Vec<String> {
    let mut found = Vec::new();
    let mut check = |what: &str, expected: Option<&Value>, actual: Value| {
        if let Some(expected) = expected.filter(|expected| !fits(expected, &actual)) {
            found.push(format!("{what}: expected {expected}, got {actual}"));
        }
    };
    check("status", expect.get("status"), execution.status.name().into());
    check("output", expect.get("output"), execution.output.clone().unwrap_or(Value::Null));
    check("error", expect.get("error"), execution.error.clone().into());
    check("cause", expect.get("cause"), execution.cause.clone().into());
    if let Some(expected) = expect.get("cause_json") {
        check("cause", Some(expected), compare::parsed(execution.cause.as_deref()));
    }
    let elapsed = (execution.ended_ms - execution.started_ms) as f64 / 1000.0;
    check("elapsed", expect.get("elapsed_seconds"), elapsed.into());
    check("events", expect.get("events_total"), execution.events.into());
    if expect["elapsed_seconds_at_most"].as_f64().is_some_and(|most| elapsed > most) {
        found.push(format!("elapsed: {elapsed} s"));
    }
    if let Some(types) = expect["event_types"].as_array() {
        let actual: Vec<Value> = execution.history.iter().map(|event| event.kind.clone().into()).collect();
        let same = if expect["ordered"] == false {
            compare::same_bag(types, &actual, fits)
        } else {
            types == &actual
        };
        if !same {
            found.push(format!("event types: expected {types:?}, got {actual:?}"));
        }
    }
    if let Some(events) = expect["events"].as_array() {
        found.extend(events::difference(events, &execution.history, expect));
    }
    found
}
