//! Time as the simulators see it: a clock that is handed in, and the spellings of a moment that the services use.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};

/// The current time in Unix milliseconds. Handed in, so that a test under a paused runtime decides what time it is.
pub type SimClock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A clock that starts at `start_ms` and moves with tokio's time, real or paused.
pub fn tokio_clock(start_ms: i64) -> SimClock {
    let started = tokio::time::Instant::now();
    Arc::new(move || start_ms + i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX))
}

/// `2023-09-18T23:25:58Z`, as Zendesk's REST answers spell it.
pub fn iso_seconds(ms: i64) -> String {
    moment(ms).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `2023-09-18T23:25:58.123000000Z`, as Zendesk's events spell it.
pub fn iso_nanos(ms: i64) -> String {
    moment(ms).to_rfc3339_opts(SecondsFormat::Nanos, true)
}

/// Reads any RFC 3339 time, or a plain date as its midnight, as Unix milliseconds.
pub fn parse_iso(text: &str) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    let date = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis())
}

fn moment(ms: i64) -> DateTime<Utc> {
    // Out of chrono's range is out of every service's range too; the epoch shows up in any assertion.
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back_to_the_precision_they_are_written_in() {
        let ms = 1_695_079_558_123;
        assert_eq!(iso_seconds(ms), "2023-09-18T23:25:58Z");
        assert_eq!(parse_iso(&iso_seconds(ms)), Some(1_695_079_558_000));
        assert_eq!(parse_iso(&iso_nanos(ms)), Some(ms));
        assert_eq!(parse_iso("2023-09-18"), Some(1_694_995_200_000));
        assert_eq!(parse_iso("soon"), None);
    }
}
