//! RFC 3339 as the service reads and writes it: capital `T`, and `Z` or an offset.

use chrono::{DateTime, SecondsFormat};

/// Unix milliseconds of a timestamp, none if the text is not one.
pub fn parse_ms(text: &str) -> Option<i64> {
    // The crate also takes a blank or a small letter between date and time.
    if text.as_bytes().get(10) != Some(&b'T') || text.ends_with('z') {
        return None;
    }
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_millis())
}

/// Nanoseconds as well, for comparisons.
pub fn parse_ns(text: &str) -> Option<(i64, u32)> {
    parse_ms(text)?;
    DateTime::parse_from_rfc3339(text).ok().map(|at| (at.timestamp(), at.timestamp_subsec_nanos()))
}

/// UTC with milliseconds and `Z`, as in the context object.
pub fn format_ms(at_ms: i64) -> String {
    DateTime::from_timestamp_millis(at_ms)
        .map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
        .unwrap_or_default()
}
