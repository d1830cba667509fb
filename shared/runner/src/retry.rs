//! Which retrier answers a failure and how long it waits: a pure decision.
//!
//! Counters live for one visit to a state. The first retrier that names the
//! error decides alone; when it is used up, later ones are not asked.

use serde::{Deserialize, Serialize};

use asl::model::Retrier;

use crate::fault::Fault;
use crate::texts;

/// No wait is longer than the upper bound of MaxDelaySeconds; this also tames an infinite backoff.
const LONGEST_DELAY_S: f64 = 31_622_400.0;

/// How often each retrier of a state was used during one visit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters(Vec<u64>);

impl Counters {
    /// All retries of this visit, as `$states.context.State.RetryCount` has it.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// Decides on a failure: a delay in seconds, or none if catchers are next.
pub fn decide(
    retriers: &[Retrier],
    counters: &mut Counters,
    fault: &Fault,
    random: impl FnOnce() -> f64,
) -> Option<f64> {
    if fault.is_fatal() {
        return None;
    }
    let index = retriers.iter().position(|retrier| matches(&retrier.error_equals, fault))?;
    let retrier = &retriers[index];
    counters.0.resize(retriers.len().max(counters.0.len()), 0);
    if counters.0[index] >= retrier.attempts() {
        return None;
    }
    counters.0[index] += 1;
    let delay = retrier.delay_seconds(counters.0[index]);
    // A backoff beyond all numbers is just the longest wait.
    let delay = if delay.is_finite() { delay.clamp(0.0, LONGEST_DELAY_S) } else { LONGEST_DELAY_S };
    Some(if retrier.is_jittered() { delay * random() } else { delay })
}

/// Whether a list of error names answers a failure.
pub fn matches(names: &[String], fault: &Fault) -> bool {
    if fault.is_fatal() {
        return false;
    }
    let error = fault.error.as_deref();
    names.iter().any(|name| match name.as_str() {
        texts::ALL => true,
        texts::TASK_FAILED => error != Some(texts::TIMEOUT),
        // Recordings report a missed heartbeat as a timeout.
        texts::HEARTBEAT_TIMEOUT => error == Some(texts::TIMEOUT) || error == Some(texts::HEARTBEAT_TIMEOUT),
        name => error == Some(name),
    })
}

#[cfg(test)]
mod tests {
    use asl::model::Jitter;
    use proptest::prelude::*;

    use super::*;

    fn fault(error: &str) -> Fault {
        Fault::work(Some(error.to_owned()), None)
    }

    fn retrier(errors: &[&str]) -> Retrier {
        Retrier {
            error_equals: errors.iter().map(|error| (*error).to_owned()).collect(),
            ..Retrier::default()
        }
    }

    /// The delays that a series of errors is answered with.
    fn delays(retriers: &[Retrier], errors: &[&str]) -> Vec<Option<f64>> {
        let mut counters = Counters::default();
        errors.iter().map(|error| decide(retriers, &mut counters, &fault(error), || 0.5)).collect()
    }

    #[test]
    fn delays_double_from_one_second_three_times() {
        let expected = [Some(1.0), Some(2.0), Some(4.0), None];
        assert_eq!(delays(&[retrier(&["States.ALL"])], &["A", "B", "A", "A"]), expected);
    }

    #[test]
    fn the_longest_delay_caps_before_jitter() {
        let capped = Retrier {
            interval_seconds: Some(10),
            max_delay_seconds: Some(15),
            jitter: Some(Jitter::Full),
            ..retrier(&["A"])
        };
        assert_eq!(delays(&[capped], &["A", "A"]), [Some(5.0), Some(7.5)]);
    }

    #[test]
    fn each_retrier_counts_for_itself_and_later_ones_do_not_step_in() {
        let retriers = [
            Retrier { max_attempts: Some(1), ..retrier(&["A"]) },
            Retrier { interval_seconds: Some(5), ..retrier(&["States.ALL"]) },
        ];
        assert_eq!(delays(&retriers, &["A", "B", "A"]), [Some(1.0), Some(5.0), None]);
    }

    #[test]
    fn task_failed_matches_all_but_timeouts() {
        let names = ["States.TaskFailed".to_owned()];
        assert!(matches(&names, &fault("Anything")));
        assert!(!matches(&names, &fault(texts::TIMEOUT)));
        assert!(matches(&["States.HeartbeatTimeout".to_owned()], &fault(texts::TIMEOUT)));
    }

    #[test]
    fn nothing_answers_a_runtime_error() {
        let names = ["States.ALL".to_owned(), "States.Runtime".to_owned()];
        assert!(!matches(&names, &Fault::runtime("a path leads nowhere")));
        assert_eq!(delays(&[retrier(&["States.ALL"])], &["States.Runtime"]), [None]);
    }

    proptest! {
        /// Whatever a retrier says, a delay is a number that a timer takes, never above the cap,
        /// and there are never more delays than MaxAttempts.
        #[test]
        fn delays_are_bounded(
            interval in 0u64..100_000_000,
            backoff in 1.0f64..100.0,
            cap in proptest::option::of(1u64..31_622_400),
            attempts in 0u64..20,
            random in 0.0f64..1.0,
            jitter: bool,
        ) {
            let retrier = Retrier {
                interval_seconds: Some(interval),
                backoff_rate: Some(backoff),
                max_delay_seconds: cap,
                max_attempts: Some(attempts),
                jitter: jitter.then_some(Jitter::Full),
                ..retrier(&["States.ALL"])
            };
            let mut counters = Counters::default();
            let mut given = 0;
            while let Some(delay) = decide(std::slice::from_ref(&retrier), &mut counters, &fault("E"), || random) {
                prop_assert!(delay >= 0.0 && delay <= cap.map_or(LONGEST_DELAY_S, |cap| cap as f64));
                given += 1;
                prop_assert!(given <= attempts);
            }
            prop_assert_eq!(counters.total(), attempts);
        }
    }
}
