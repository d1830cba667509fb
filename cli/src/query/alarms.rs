//! What in a state should wake somebody. Silence counts: a deskup that should run and does not is the worst case.

use std::collections::BTreeSet;

use domain::{Settings, Side};
use functions::steps::{poll_comments, poll_tasks, poll_tickets};
use stores::configuration::Configuration;
use stores::pulse::Pulse;
use stores::service::Service;
use stores::{Lane, Store};

use super::status::{AlarmView, StatusView, SwitchView};
use super::time;
use crate::installation::Installation;
use crate::terminal::{number, span};

/// A stream that should be read and was not for so long is an alarm.
pub const STREAM_SILENT_MS: i64 = 10 * 60_000;

/// Webhooks of a service are silent when cursors found this many records for so long that nothing told of.
const FOUND_MAX: u64 = 3;
const FOUND_FOR_MS: i64 = 15 * 60_000;

/// Who sets what ends by itself.
const OURSELVES: &str = "deskup";

/// The streams that a running deskup reads every minute.
const POLLED: [&str; 3] = [poll_tickets::STREAM, poll_comments::STREAM, poll_tasks::STREAM];

/// What stands still, for one reason.
pub struct Paused {
    /// In words, with what follows `since`.
    pub what: String,
    /// The lanes; none where an account does not let deskup in.
    pub lanes: Vec<String>,
    /// Why, by whom, and since when at the earliest.
    pub switch: SwitchView,
}

/// Everything but the brake that stands still; lanes of the same reason and person are told together.
pub fn pauses(view: &StatusView) -> Vec<Paused> {
    let mut found: Vec<Paused> = Vec::new();
    for switch in view.paused.iter().filter(|switch| switch.name != "brake") {
        let is_lane = Lane::ALL.iter().any(|lane| lane.name() == switch.name);
        let alike = found.iter_mut().find(|paused| {
            is_lane
                && !paused.lanes.is_empty()
                && (&paused.switch.reason, &paused.switch.by) == (&switch.reason, &switch.by)
        });
        match alike {
            Some(paused) => {
                paused.lanes.push(switch.name.clone());
                if switch.since < paused.switch.since {
                    paused.switch.since.clone_from(&switch.since);
                }
            }
            None => found.push(Paused {
                what: switch.name.clone(),
                lanes: if is_lane { vec![switch.name.clone()] } else { Vec::new() },
                switch: switch.clone(),
            }),
        }
    }
    for paused in &mut found {
        match paused.lanes.as_slice() {
            [] => {}
            [lane] => paused.what = format!("{lane} is paused"),
            lanes if lanes.len() == Lane::ALL.len() => "all lanes are paused".clone_into(&mut paused.what),
            lanes => paused.what = format!("{} are paused", lanes.join(" and ")),
        }
    }
    found
}

/// Alarms as they are found.
pub struct Alarms {
    found: Vec<AlarmView>,
    now: i64,
}

impl Alarms {
    /// None yet.
    pub fn new(now: i64) -> Self {
        Self { found: Vec::new(), now }
    }

    /// All that were found.
    pub fn into_found(self) -> Vec<AlarmView> {
        self.found
    }

    fn add(&mut self, kind: &'static str, text: String) {
        self.found.push(AlarmView { kind, text });
    }

    /// The brake, pauses, and accounts that do not let deskup in. Lanes that a person paused at once are one alarm.
    pub fn switches(&mut self, view: &StatusView) {
        for switch in view.paused.iter().filter(|switch| switch.name == "brake") {
            self.add(
                "brake",
                format!(
                    "the brake is on since {}: {}; `deskup release` shows what waits behind it",
                    switch.since, switch.reason
                ),
            );
        }
        for paused in pauses(view) {
            let Paused { what, lanes, switch } = &paused;
            let SwitchView { since, by, reason, until, .. } = switch;
            let text = match lanes.as_slice() {
                [] if by != OURSELVES => {
                    format!("{what} since {since} by {by}: {reason}; `deskup resume` ends it")
                }
                [] if let Some(until) = until => {
                    format!("{what} since {since}: {reason}; it is tried again at {until}")
                }
                [] => format!("{what} since {since}: {reason}; it goes on by itself when that is over"),
                [lane] => {
                    format!("{what} since {since} by {by}: {reason}; `deskup resume {lane}` lets it go on")
                }
                _ => format!("{what} since {since} by {by}: {reason}; `deskup resume` ends it"),
            };
            self.add("paused", text);
        }
    }

    /// A deskup that serves by other settings than those in its folder. It reads them once, when it begins.
    pub fn settings(&mut self, serving: &Service, installation: &Installation) {
        if serving.settings.is_empty() {
            return;
        }
        let text = std::fs::read_to_string(installation.settings_file()).ok();
        match text.and_then(|text| Settings::parse(&text).ok()) {
            Some(settings) if settings.digest() == serving.settings => {}
            Some(_) => {
                let at = time(serving.started_ms);
                let text = format!("deskup.toml was changed since `deskup serve` began at {at}: restart it");
                self.add("settings", text);
            }
            None => self.add(
                "settings",
                "deskup.toml cannot be read any more (`deskup check` says why); the running one goes on with the old one"
                    .to_owned(),
            ),
        }
    }

    /// A stack that works by other settings than those in the folder.
    pub fn pushed(&mut self, pushed: &Configuration, installation: &Installation) {
        let text = std::fs::read_to_string(installation.settings_file()).ok();
        if text.is_some_and(|text| text != pushed.settings) {
            let version = pushed.version;
            let text = format!(
                "deskup.toml is not what the stack works by (version {version}): `deskup push` brings it there"
            );
            self.add("settings", text);
        }
    }

    /// A deskup that should run and does not. `started_ms` is when it began.
    pub fn gone(&mut self, view: &StatusView, started_ms: i64) {
        if view.holder.is_none() {
            let at = time(started_ms);
            self.add(
                "not_running",
                format!("nothing runs: what began at {at} ended without being stopped; start `deskup serve`"),
            );
        }
    }

    /// Streams that their reader did not read to their end, since then at the latest.
    pub async fn streams(&mut self, store: &Store, started_ms: i64, reader: &str) -> anyhow::Result<()> {
        for stream in POLLED {
            let last = store.pulses().looked_ms(stream).await?.unwrap_or(0).max(started_ms);
            if self.now - last > STREAM_SILENT_MS {
                let age = span(self.now - last);
                self.add(
                    "cursor",
                    format!(
                        "the stream `{stream}` was not read to its end for {age}; see the log of {reader}"
                    ),
                );
            }
        }
        Ok(())
    }

    /// Webhooks that do not come although there are changes.
    pub fn webhooks(&mut self, side: Side, pulse: &Pulse) {
        let since = pulse.heard_ms.map_or_else(|| "ever".to_owned(), |at| format!("since {}", time(at)));
        let long = pulse.found_since_ms.is_some_and(|first| self.now - first >= FOUND_FOR_MS);
        if pulse.found >= FOUND_MAX && long {
            let found = number(pulse.found);
            self.add(
                "webhooks",
                format!("no webhook of {side} was heard {since}, and cursors found {found} changes; see `deskup webhooks check`"),
            );
        }
        if pulse.unconfirmed > 0 {
            let count = number(pulse.unconfirmed);
            self.add(
                "unconfirmed",
                format!("no webhook confirmed {count} writes to {side}; see `deskup webhooks check`"),
            );
        }
    }

    /// What waits for somebody, and what failed last.
    pub fn rest(&mut self, view: &StatusView) {
        if view.unconfirmed.overdue > 0 {
            let count = number(view.unconfirmed.overdue);
            self.add(
                "overdue",
                format!("the outcome of {count} writes is unknown for too long; is deskup running?"),
            );
        }
        let aside: u64 = view.quarantine.values().sum();
        if aside > 0 {
            let count = number(aside);
            self.add(
                "quarantine",
                format!("records that are set aside: {count}; `deskup quarantine` says why"),
            );
        }
        let mut seen = BTreeSet::new();
        let ended = view.executions.iter().filter(|row| row.status != "RUNNING");
        for row in ended.filter(|row| seen.insert(row.workflow.clone())) {
            if matches!(row.status.as_str(), "FAILED" | "TIMED_OUT") {
                let error = row.error.as_deref().unwrap_or("no name");
                let text =
                    format!("the last {} ended as {} at {}: {error}", row.workflow, row.status, row.started);
                self.found.push(AlarmView { kind: "execution", text });
            }
        }
    }
}
