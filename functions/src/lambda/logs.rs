//! One JSON object per line, as CloudWatch reads it: log lines with ids and no texts, and metrics in its embedded
//! format, which cost no call.

use std::io::Write;

use clients::Clock;
use domain::Side;
use serde_json::{Map, Value as Json, json};
use tracing_subscriber::filter::LevelFilter;

use crate::lambda::WallClock;

/// What is logged without `DESKUP_LOG`.
const USUAL: LevelFilter = LevelFilter::INFO;

/// The namespace of all metrics; the template's alarms look there.
const NAMESPACE: &str = "deskup";

/// Lines of the code below go to the same place in the same form.
pub(super) fn begin() {
    let level = std::env::var("DESKUP_LOG").ok().filter(|level| !level.is_empty());
    let level = level.and_then(|level| level.parse().ok()).unwrap_or(USUAL);
    let logging = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_max_level(level)
        .with_writer(std::io::stdout);
    // A second start in one process is a test's.
    let _ = logging.try_init();
}

/// One line of our own.
pub(super) fn line(level: &str, message: &str, fields: &[(&str, Json)]) {
    let mut line = Map::new();
    line.insert("level".to_owned(), level.into());
    line.insert("message".to_owned(), message.into());
    line.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    write(&Json::Object(line));
}

/// A number for the alarms and the dashboard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Metric {
    pub name: &'static str,
    pub unit: &'static str,
    pub value: f64,
}

/// Numbers of one stack, and a second dimension where there is one.
pub(super) fn metrics(stack: &str, dimension: Option<(&str, &str)>, metrics: &[Metric]) {
    if let Some(line) = embedded(WallClock.now_ms(), stack, dimension, metrics) {
        write(&line);
    }
}

/// A side as the dimension `side` names it; the template's alarms look for it in this form.
pub(super) fn dimension(side: Side) -> &'static str {
    match side {
        Side::Zendesk => "zendesk",
        Side::Clickup => "clickup",
    }
}

/// Our own mistake: it has an alarm.
pub(super) fn bug(stack: &str) {
    metrics(stack, None, &[Metric { name: "Bugs", unit: "Count", value: 1.0 }]);
}

fn embedded(now_ms: i64, stack: &str, dimension: Option<(&str, &str)>, metrics: &[Metric]) -> Option<Json> {
    if metrics.is_empty() {
        return None;
    }
    let mut names = vec!["stack"];
    names.extend(dimension.map(|(name, _)| name));
    let declared: Vec<Json> =
        metrics.iter().map(|metric| json!({ "Name": metric.name, "Unit": metric.unit })).collect();
    let directive = json!({ "Namespace": NAMESPACE, "Dimensions": [names], "Metrics": declared });
    let mut line =
        json!({ "_aws": { "Timestamp": now_ms, "CloudWatchMetrics": [directive] }, "stack": stack });
    if let Some((name, value)) = dimension {
        line[name] = value.into();
    }
    for metric in metrics {
        line[metric.name] = metric.value.into();
    }
    Some(line)
}

fn write(line: &Json) {
    // Nobody reads our output if it cannot be written.
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_what_alarms_look_for() {
        let template = include_str!("../../../infra/template.yaml");
        for side in [Side::Zendesk, Side::Clickup] {
            let widget =
                format!("WebhookSilenceMinutes, stack, !Ref AWS::StackName, side, {}]", dimension(side));
            assert!(template.contains(&widget), "{widget}");
        }
        assert!(template.contains("- [zendesk, clickup]"));
    }

    #[test]
    fn metrics_are_in_the_embedded_format() {
        let metric = Metric { name: "Quarantined", unit: "Count", value: 2.0 };
        let line = embedded(7, "s", Some(("side", "zendesk")), &[metric]).expect("there is one");
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(line["_aws"]["Timestamp"], 7);
        assert_eq!(directive["Dimensions"], json!([["stack", "side"]]));
        assert_eq!(directive["Metrics"][0]["Name"], "Quarantined");
        assert_eq!((&line["Quarantined"], &line["side"]), (&json!(2.0), &json!("zendesk")));
        assert!(embedded(7, "s", None, &[]).is_none());
    }
}
