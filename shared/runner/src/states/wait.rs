//! Wait: lets time pass, up to 24,855 days.

use std::time::Duration;

use asl::model::{Quantity, Wait};
use asl::{QueryLanguage, State};
use serde_json::Value;

use crate::context::Context;
use crate::data::{Expected, Left, Sight, pass_through};
use crate::fault::Fault;
use crate::flow::{Frame, Step, Stopped, next};
use crate::run::Run;
use crate::{jsonata, texts, timestamp};

/// Milliseconds in a day times the days that fit into 31 bits of seconds.
const LONGEST_MS: i64 = 24_855 * 86_400_000;

pub(super) async fn attempt(
    run: &Run<'_>,
    state: &State,
    wait: &Wait,
    frame: &mut Frame,
) -> Result<Step, Stopped> {
    let delay_ms = {
        let context = Context::new(run, frame, state, None);
        delay_ms(state, wait, frame.sight(run, state, &context))?
    };
    if delay_ms > LONGEST_MS {
        return Err(Fault::runtime(texts::WAIT_TOO_LONG).into());
    }
    if let Ok(delay_ms @ 1..) = u64::try_from(delay_ms) {
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
    Ok(Step { left: left(run, state, frame)?, next: next(state) })
}

fn left(run: &Run<'_>, state: &State, frame: &Frame) -> Result<Left, Fault> {
    let context = Context::new(run, frame, state, None);
    let sight = frame.sight(run, state, &context);
    let fields = ("Output", "Assign");
    pass_through(state, sight, state.output.as_ref(), state.assign.as_ref(), fields, &run.options.limits)
}

fn delay_ms(state: &State, wait: &Wait, raw: Sight<'_>) -> Result<i64, Fault> {
    let filtered;
    let sight = match raw.language {
        QueryLanguage::Jsonata => raw,
        QueryLanguage::JsonPath => {
            filtered = raw.filter(&state.input_path)?;
            raw.of(&filtered)
        }
    };
    match wait {
        Wait::Seconds(Quantity::Path(path)) => seconds_path(path, sight),
        Wait::Seconds(seconds) => {
            let value = sight.quantity(seconds, "Seconds")?;
            let seconds = value.as_f64().unwrap_or(0.0);
            Ok((seconds * 1000.0) as i64)
        }
        Wait::Timestamp(text) => {
            let text = match jsonata::expression(text) {
                Some(_) if sight.language == QueryLanguage::Jsonata => {
                    sight.typed(&Value::String(text.clone()), "Timestamp", Expected::String)?
                }
                _ => Value::String(text.clone()),
            };
            let text = text.as_str().unwrap_or_default();
            let at = timestamp::parse_ms(text);
            let at = at.ok_or_else(|| Fault::query(Some("Timestamp"), texts::bad_timestamp(text)))?;
            Ok(at.saturating_sub(sight.now_ms))
        }
        Wait::TimestampPath(path) => {
            let missing = || Fault::runtime(texts::missing_wait_path("TimestampPath", path));
            let value = sight.find(path)?.ok_or_else(missing)?;
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let at = value.as_str().and_then(timestamp::parse_ms);
            let at = at.ok_or_else(|| Fault::runtime(texts::bad_timestamp_path(path, &text)))?;
            Ok(at.saturating_sub(sight.now_ms))
        }
    }
}

fn seconds_path(path: &str, sight: Sight<'_>) -> Result<i64, Fault> {
    let missing = || Fault::runtime(texts::missing_wait_path("SecondsPath", path));
    let value = sight.find(path)?.ok_or_else(missing)?;
    match value.as_i64() {
        Some(seconds) if seconds < 0 => Err(Fault::runtime(texts::seconds_negative(path, &value))),
        Some(seconds) => Ok(seconds.saturating_mul(1000)),
        None => Err(Fault::runtime(texts::seconds_not_long(path, &value))),
    }
}
