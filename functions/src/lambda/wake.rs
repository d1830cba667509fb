//! Wakes the dispatcher through its queue. Nothing depends on it: what is due is in the table, and a schedule looks
//! there every minute.

use aws::Session;
use serde_json::json;

/// Sends a wake-up that is seen after the delay.
pub(super) async fn send(session: &Session, queue: &str, delay_ms: i64) {
    let delay_s =
        u32::try_from(delay_ms.max(0).div_euclid(1_000) + i64::from(delay_ms.rem_euclid(1_000) > 0));
    let sent = aws::queue::send(session, queue, &json!({}), delay_s.unwrap_or(aws::queue::DELAY_S_MAX)).await;
    if let Err(error) = sent {
        tracing::warn!(%error, "the dispatcher could not be woken; the schedule does it within a minute");
    }
}
