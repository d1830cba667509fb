//! The retry decision as a pure function. It asks two questions: is it worth repeating, and could it
//! already have happened? How long a wait may last at most is the deadline's business, not decided here.

use planted::Bug;

/// What repeating a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A read, or something that leaves nothing that counts: an upload nobody uses.
    None,
    /// The same end as doing it once: settings of values, anything with an idempotency key.
    Repeatable,
    /// A second comment, a second task: must be looked for before it is repeated.
    Once,
}

/// How one attempt ended, if not well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It never left: no connection.
    NeverSent,
    /// The service says that it did nothing and that trying again helps: a database deadlock.
    NotDone {
        /// As told, if told.
        retry_after_ms: Option<i64>,
    },
    /// No answer, or one that does not tell: a timeout, a 502.
    Unknown {
        /// As told, if told.
        retry_after_ms: Option<i64>,
    },
    /// Too many requests; nothing was done.
    RateLimited {
        /// As told, or the window's rest.
        retry_after_ms: i64,
    },
    /// A definite answer that repeating will not change.
    Refused,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Wait at least so long, then repeat.
    WaitMs(i64),
    /// Hand the error to the caller.
    GiveUp,
}

/// Attempts per call, the first one included.
pub const ATTEMPTS_MAX: u32 = 5;
/// Being told to wait is no failure, but it has to end too.
pub const RATE_LIMITED_MAX: u32 = 20;
const BACKOFF_FIRST_MS: i64 = 500;
const BACKOFF_MAX_MS: i64 = 30_000;

/// Decides after attempt number `attempt`, counted from 1.
pub fn next(outcome: Outcome, effect: Effect, attempt: u32) -> Next {
    let effect = if planted::is(Bug::RepeatsEverything) { Effect::Repeatable } else { effect };
    match (outcome, effect) {
        (Outcome::RateLimited { .. }, _) if attempt >= RATE_LIMITED_MAX => Next::GiveUp,
        // Never wait less than we were told.
        (Outcome::RateLimited { retry_after_ms }, _) => Next::WaitMs(retry_after_ms.max(0)),
        (Outcome::Refused, _) => Next::GiveUp,
        _ if attempt >= ATTEMPTS_MAX => Next::GiveUp,
        (Outcome::NeverSent, _) => Next::WaitMs(backoff_ms(attempt)),
        (Outcome::NotDone { retry_after_ms }, _) => Next::WaitMs(told_or_backoff(retry_after_ms, attempt)),
        // It may have landed: only repeat what is safe to repeat.
        (Outcome::Unknown { retry_after_ms }, Effect::None | Effect::Repeatable) => {
            Next::WaitMs(told_or_backoff(retry_after_ms, attempt))
        }
        (Outcome::Unknown { .. }, Effect::Once) => Next::GiveUp,
    }
}

/// Half a second, doubled with every attempt.
pub fn backoff_ms(attempt: u32) -> i64 {
    let doubled = BACKOFF_FIRST_MS << attempt.saturating_sub(1).min(16);
    doubled.min(BACKOFF_MAX_MS)
}

fn told_or_backoff(told_ms: Option<i64>, attempt: u32) -> i64 {
    told_ms.unwrap_or(0).max(backoff_ms(attempt))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_landed_is_repeated_only_where_that_is_safe() {
        let unknown = Outcome::Unknown { retry_after_ms: None };
        assert_eq!(next(unknown, Effect::Once, 1), Next::GiveUp);
        assert_eq!(next(unknown, Effect::Repeatable, 1), Next::WaitMs(500));
        assert_eq!(next(Outcome::NeverSent, Effect::Once, 1), Next::WaitMs(500));
        assert_eq!(next(Outcome::NotDone { retry_after_ms: None }, Effect::Once, 2), Next::WaitMs(1_000));
    }

    #[test]
    fn a_refusal_is_never_repeated() {
        assert_eq!(next(Outcome::Refused, Effect::Repeatable, 1), Next::GiveUp);
    }

    #[test]
    fn a_wait_is_never_shorter_than_told_and_never_endless() {
        let told = Outcome::RateLimited { retry_after_ms: 93_000 };
        assert_eq!(next(told, Effect::Once, 1), Next::WaitMs(93_000));
        assert_eq!(next(told, Effect::Once, RATE_LIMITED_MAX), Next::GiveUp);
        let told = Outcome::Unknown { retry_after_ms: Some(9_000) };
        assert_eq!(next(told, Effect::Repeatable, 1), Next::WaitMs(9_000));
        assert_eq!(next(Outcome::NeverSent, Effect::Repeatable, ATTEMPTS_MAX), Next::GiveUp);
        assert_eq!(backoff_ms(40), 30_000);
    }
}
