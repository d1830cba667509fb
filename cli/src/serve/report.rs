//! What a serving deskup says: a few lines at the start, then at most one a minute, without any text of a
//! ticket.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::Timestamp;
use functions::Activity;
use stores::service::Service;

use crate::terminal::{number, span};

/// A service that was away for longer than this says so when it is back.
const LONG_AWAY_MS: i64 = 3_600_000;

/// While everything stands still, the reason is repeated this often.
const REPEAT_MIN: u32 = 60;

/// Numbers since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    deliveries: u64,
    refused: u64,
    synced: u64,
    written: u64,
    quarantined: u64,
}

impl Counts {
    /// The numbers of now.
    pub fn of(activity: &Activity) -> Self {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Self {
            deliveries: read(&activity.zendesk) + read(&activity.clickup),
            refused: read(&activity.refused),
            synced: read(&activity.synced),
            written: read(&activity.written),
            quarantined: read(&activity.quarantined),
        }
    }
}

/// Says each minute what is new, and nothing if nothing is.
#[derive(Debug, Default)]
pub struct Report {
    before: Counts,
    paused: Option<String>,
    minutes_paused: u32,
}

impl Report {
    /// The line of a minute, if there is something to say.
    pub fn minute(
        &mut self,
        now_ms: i64,
        counts: Counts,
        waiting: u64,
        paused: Option<String>,
    ) -> Option<String> {
        let before = std::mem::replace(&mut self.before, counts);
        let mut parts = Vec::new();
        let mut part = |n: u64, words: &str| {
            if n > 0 {
                parts.push(format!("{} {words}", number(n)));
            }
        };
        part(counts.synced - before.synced, "records brought in step");
        part(counts.written - before.written, "writes");
        part(counts.deliveries - before.deliveries, "deliveries");
        part(counts.refused - before.refused, "deliveries with a wrong signature");
        part(counts.quarantined - before.quarantined, "records set aside, see `deskup quarantine`");
        let happened = !parts.is_empty();
        let mut part = |words: String| parts.push(words);
        if happened && waiting > 0 {
            part(format!("{} waiting", number(waiting)));
        }
        self.minutes_paused = if paused == self.paused { self.minutes_paused + 1 } else { 0 };
        match &paused {
            Some(reason) if self.minutes_paused.is_multiple_of(REPEAT_MIN) => {
                part(format!("paused: {reason}"))
            }
            None if self.paused.is_some() => part("no longer paused".to_owned()),
            _ => {}
        }
        self.paused = paused;
        (!parts.is_empty()).then(|| format!("{}  {}", time(now_ms), parts.join(", ")))
    }
}

/// Hours and minutes, as UTC.
fn time(now_ms: i64) -> String {
    let text = Timestamp(now_ms).to_rfc3339();
    format!("{}Z", text.get(11..16).unwrap_or_default())
}

/// How the last process ended, if that is worth a word.
pub fn last_time(last: Option<&Service>, now_ms: i64) -> Option<String> {
    let last = last?;
    let stopped = last.stopped_ms.unwrap_or(last.alive_ms);
    let at = Timestamp(stopped).to_rfc3339();
    let away_ms = now_ms - stopped;
    let catches_up = "what happened since is found by the cursors now";
    match last.stopped_ms {
        None => Some(format!(
            "the last process (id {}) did not stop in order at {at} or later; {catches_up}",
            last.process
        )),
        Some(_) if away_ms > LONG_AWAY_MS => {
            Some(format!("nothing was served for {} (since {at}); {catches_up}", span(away_ms)))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_700_049_600_000;

    #[test]
    fn a_minute_without_news_says_nothing() {
        let mut report = Report::default();
        let busy = Counts { deliveries: 3, synced: 2, written: 1_200, ..Counts::default() };
        let line = report.minute(NOON, busy, 4, None);
        let expected = "12:00Z  2 records brought in step, 1,200 writes, 3 deliveries, 4 waiting";
        assert_eq!(line.as_deref(), Some(expected));
        assert_eq!(report.minute(NOON, busy, 4, None), None);
    }

    #[test]
    fn a_pause_is_said_once_an_hour_and_its_end_once() {
        let mut report = Report::default();
        let mut minute =
            |paused: Option<&str>| report.minute(NOON, Counts::default(), 9, paused.map(str::to_owned));
        assert_eq!(minute(Some("a")).as_deref(), Some("12:00Z  paused: a"));
        let said = (0..REPEAT_MIN * 2).filter(|_| minute(Some("a")).is_some()).count();
        assert_eq!(said, 2);
        assert_eq!(minute(Some("b")).as_deref(), Some("12:00Z  paused: b"));
        assert_eq!(minute(None).as_deref(), Some("12:00Z  no longer paused"));
        assert_eq!(minute(None), None);
    }

    #[test]
    fn an_unclean_end_and_a_long_absence_are_said() {
        let service = |stopped_ms| Service { process: 7, alive_ms: NOON, stopped_ms, ..Service::default() };
        assert_eq!(last_time(None, NOON), None);
        assert_eq!(last_time(Some(&service(Some(NOON))), NOON + LONG_AWAY_MS), None);
        let long = last_time(Some(&service(Some(NOON))), NOON + 3 * 86_400_000).expect("three days");
        assert!(long.contains("3.0 days") && long.contains("2023-11-15T12:00:00Z"), "{long}");
        let unclean = last_time(Some(&service(None)), NOON + 1).expect("it was killed");
        assert!(unclean.contains("id 7"), "{unclean}");
    }
}
