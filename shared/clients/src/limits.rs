//! Reads limit headers by pattern, not by name: the services spell the same thing in many ways.

use http::HeaderMap;

use crate::pace::{Api, LimitSeen};

/// ClickUp's reset is a point in Unix seconds; a number this large can only be milliseconds.
const SURELY_MS: i64 = 100_000_000_000;
/// A reset further away than this is not believed.
const RESET_MAX_MS: i64 = 24 * 3_600_000;
/// Longest bucket name taken from a header.
const NAME_BYTES_MAX: usize = 64;

/// Everything an answer's headers say about limits. `buckets` are those of the call: the first is what
/// the unnamed pair of headers speaks of (the webhooks API has a pair of its own), and one that starts
/// with `ticket:` is meant by the per-ticket header.
pub fn seen(api: Api, headers: &HeaderMap, buckets: &[&str], now_ms: i64) -> Vec<LimitSeen> {
    let mut all: Vec<LimitSeen> = Vec::new();
    let service_ms = date_ms(headers);
    for (name, value) in headers {
        let Ok(value) = value.to_str() else { continue };
        let name = name.as_str().to_ascii_lowercase().replace("ratelimit", "rate-limit");
        if let Some(endpoint) = name.strip_prefix("zendesk-rate-limit-") {
            let bucket = bucket_of(endpoint, buckets);
            merge(&mut all, named(bucket, value, now_ms));
            continue;
        }
        let plain = name.strip_prefix("x-").unwrap_or(&name);
        let Some(rest) = plain.strip_prefix("rate-limit") else { continue };
        let (Some(bucket), Ok(number)) = (buckets.first(), value.trim().parse::<i64>()) else { continue };
        let mut one = empty((*bucket).to_owned());
        match rest {
            "" | "-limit" => one.limit = u32::try_from(number).ok(),
            "-remaining" => one.remaining = Some(u32::try_from(number).unwrap_or(0)),
            "-reset" => {
                one.edge_ms = edge_ms(api, number, now_ms);
                one.reset_ms = reset_ms(api, number, service_ms, now_ms);
            }
            _ => continue,
        }
        merge(&mut all, one);
    }
    all
}

/// `Retry-After` in milliseconds: seconds, or an HTTP date.
pub fn retry_after_ms(headers: &HeaderMap, now_ms: i64) -> Option<i64> {
    let value = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return (seconds.is_finite() && seconds >= 0.0).then_some((seconds.min(1e9) * 1_000.0).ceil() as i64);
    }
    let at_ms = chrono::DateTime::parse_from_rfc2822(value).ok()?.timestamp_millis();
    Some((at_ms - now_ms).max(0))
}

fn bucket_of(endpoint: &str, buckets: &[&str]) -> String {
    if endpoint == "per-ticket-updates"
        && let Some(ticket) = buckets.iter().find(|name| name.starts_with("ticket:"))
    {
        return (*ticket).to_owned();
    }
    if endpoint.contains("incremental") {
        return "incremental".to_owned();
    }
    endpoint.chars().take(NAME_BYTES_MAX).collect()
}

/// `total=30; remaining=29; resets=468`, with any order and spacing.
fn named(bucket: String, value: &str, now_ms: i64) -> LimitSeen {
    let mut one = empty(bucket);
    for part in value.split([';', ',']) {
        let Some((key, number)) = part.split_once('=') else { continue };
        let Ok(number) = number.trim().parse::<i64>() else { continue };
        match key.trim().to_ascii_lowercase().as_str() {
            "total" | "limit" => one.limit = u32::try_from(number).ok(),
            "remaining" => one.remaining = Some(u32::try_from(number).unwrap_or(0)),
            "resets" | "reset" => one.reset_ms = reset_ms(Api::Zendesk, number, None, now_ms),
            _ => {}
        }
    }
    one
}

/// By our clock. `service_ms` is the service's time when it answered: its clock and ours may differ.
fn reset_ms(api: Api, number: i64, service_ms: Option<i64>, now_ms: i64) -> Option<i64> {
    let at_ms = match api {
        // All of Zendesk's are relative seconds.
        Api::Zendesk => now_ms.saturating_add(number.checked_mul(1_000)?),
        Api::Clickup => edge(number)?.saturating_add(service_ms.map_or(0, |service_ms| now_ms - service_ms)),
    };
    plausible(at_ms, now_ms)
}

/// By the service's clock; all of Zendesk's are relative.
fn edge_ms(api: Api, number: i64, now_ms: i64) -> Option<i64> {
    (api == Api::Clickup).then(|| edge(number).and_then(|at_ms| plausible(at_ms, now_ms))).flatten()
}

fn edge(number: i64) -> Option<i64> {
    if number >= SURELY_MS { Some(number) } else { number.checked_mul(1_000) }
}

/// What the service's clock said when it answered; whole seconds, cut.
pub fn date_ms(headers: &HeaderMap) -> Option<i64> {
    let text = headers.get(http::header::DATE)?.to_str().ok()?;
    Some(chrono::DateTime::parse_from_rfc2822(text).ok()?.timestamp_millis())
}

fn plausible(at_ms: i64, now_ms: i64) -> Option<i64> {
    let plausible = (now_ms - RESET_MAX_MS..=now_ms + RESET_MAX_MS).contains(&at_ms);
    plausible.then_some(at_ms)
}

fn empty(bucket: String) -> LimitSeen {
    LimitSeen { bucket, limit: None, remaining: None, reset_ms: None, edge_ms: None }
}

/// Two spellings of one limit in one answer: the lower number is the safe one.
fn merge(all: &mut Vec<LimitSeen>, one: LimitSeen) {
    if let Some(known) = all.iter_mut().find(|known| known.bucket == one.bucket) {
        known.limit = lower(known.limit, one.limit);
        known.remaining = lower(known.remaining, one.remaining);
        known.reset_ms = known.reset_ms.max(one.reset_ms);
        known.edge_ms = known.edge_ms.max(one.edge_ms);
    } else {
        all.push(one);
    }
}

fn lower(a: Option<u32>, b: Option<u32>) -> Option<u32> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_700_000_000_000;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (name.parse::<http::HeaderName>().unwrap(), value.parse::<http::HeaderValue>().unwrap())
            })
            .collect()
    }

    fn check(api: Api, pairs: &[(&str, &str)], buckets: &[&str], expected: &[(&str, u32, u32, i64)]) {
        let found = seen(api, &headers(pairs), buckets, NOW_MS);
        let expected: Vec<LimitSeen> = expected
            .iter()
            .map(|(bucket, limit, remaining, in_ms)| LimitSeen {
                bucket: (*bucket).to_owned(),
                limit: Some(*limit),
                remaining: Some(*remaining),
                reset_ms: Some(NOW_MS + in_ms),
                edge_ms: (api == Api::Clickup).then_some(NOW_MS + in_ms),
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_spelling_of_the_account_limit_is_known() {
        for [limit, remaining] in
            [["X-Rate-Limit", "X-Rate-Limit-Remaining"], ["rate-limit", "rate-limit-remaining"]]
        {
            let pairs = [(limit, "700"), (remaining, "699"), ("rate-limit-reset", "41")];
            check(Api::Zendesk, &pairs, &["account"], &[("account", 700, 699, 41_000)]);
        }
        let pairs = [("ratelimit-limit", "700"), ("ratelimit-remaining", "1"), ("ratelimit-reset", "2")];
        check(Api::Zendesk, &pairs, &["account"], &[("account", 700, 1, 2_000)]);
    }

    #[test]
    fn endpoint_limits_are_named_by_their_header() {
        let pairs = [("Zendesk-RateLimit-tickets-update", "total=100; remaining=7; resets=12")];
        check(Api::Zendesk, &pairs, &["account"], &[("tickets-update", 100, 7, 12_000)]);
        let pairs = [("zendesk-rate-limit-tickets-update", "total=20;remaining=7;resets=12")];
        check(Api::Zendesk, &pairs, &["account"], &[("tickets-update", 20, 7, 12_000)]);
        let pairs = [("zendesk-ratelimit-per-ticket-updates", "total=30; remaining=29; resets=468")];
        check(Api::Zendesk, &pairs, &["account", "ticket:7"], &[("ticket:7", 30, 29, 468_000)]);
    }

    #[test]
    fn clickup_gives_a_point_in_time_in_seconds_and_milliseconds_are_believed_too() {
        for reset in ["1700000054", "1700000054000"] {
            let pairs =
                [("X-RateLimit-Limit", "100"), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", reset)];
            check(Api::Clickup, &pairs, &["token"], &[("token", 100, 0, 54_000)]);
        }
        let found = seen(Api::Clickup, &headers(&[("X-RateLimit-Reset", "17")]), &["token"], NOW_MS);
        assert_eq!(found[0].reset_ms, None, "1970 is not believed");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after_ms(&headers(&[("retry-after", "93")]), NOW_MS), Some(93_000));
        let date = headers(&[("retry-after", "Tue, 14 Nov 2023 22:13:30 +0000")]);
        assert_eq!(retry_after_ms(&date, NOW_MS), Some(10_000));
        assert_eq!(retry_after_ms(&headers(&[("retry-after", "soon")]), NOW_MS), None);
    }
}
