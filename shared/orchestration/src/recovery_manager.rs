//! What to do after a failure, and when to stop everything: retry, quarantine, and the brake.

use std::sync::{Mutex, PoisonError};

use clients::Lane;
use domain::Side;
use domain::field::sha256_hex;
use stores::switches::SwitchName;
use stores::tally::Tally;
use stores::{Store, StoreError};

use crate::context::Random;
use crate::step::Failure;

pub mod redrive;

/// What becomes of a record that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    /// It comes back; the failure counts as an attempt.
    Retry {
        /// When.
        delay_ms: i64,
    },
    /// It could not be tried; it comes back and nothing is counted.
    Postpone {
        /// When.
        delay_ms: i64,
    },
    /// It is put aside for a person.
    Quarantine {
        /// A fixed name.
        cause: &'static str,
    },
}

/// Attempts until a record is put aside: with the waits between them a little over an hour, so that an
/// hour without a service puts nothing aside.
pub const ATTEMPTS_MAX: u32 = 12;
const FIRST_WAIT_MS: i64 = 5_000;
const LONGEST_WAIT_MS: i64 = 900_000;
const BUDGET_WAIT_MS: i64 = 30_000;
/// A paused lane claims nothing, so this only says how soon work goes on once it is let.
const PAUSE_WAIT_MS: i64 = 2_000;

/// Decides after a failure. `attempts` are the failures before this one.
pub fn after_failure(attempts: u32, failure: Failure, random: &Random) -> AfterFailure {
    // A quarter of jitter, so that what failed together does not come back together.
    let spread =
        |ms: i64| ms + i64::try_from(random.draw(|rng| rng.u64(0..=(ms.unsigned_abs() / 4)))).unwrap_or(0);
    match failure {
        Failure::Rejected => AfterFailure::Quarantine { cause: "rejected" },
        Failure::Bug => AfterFailure::Quarantine { cause: "bug" },
        Failure::BudgetEmpty => AfterFailure::Postpone { delay_ms: spread(BUDGET_WAIT_MS) },
        Failure::Paused => AfterFailure::Postpone { delay_ms: spread(PAUSE_WAIT_MS) },
        Failure::Transient if attempts + 1 >= ATTEMPTS_MAX => AfterFailure::Quarantine { cause: "attempts" },
        Failure::Transient => {
            let wait = FIRST_WAIT_MS.saturating_mul(1 << attempts.min(20)).min(LONGEST_WAIT_MS);
            AfterFailure::Retry { delay_ms: spread(wait) }
        }
    }
}

/// Groups records that failed alike: the same cause, the service's code, the endpoint's template.
pub fn fingerprint(cause: &str, api_code: Option<&str>, endpoint: &str) -> String {
    let parts = [cause, api_code.unwrap_or("-"), endpoint].join("\u{1f}");
    sha256_hex(parts.as_bytes())[..16].to_owned()
}

/// Something that happens to links, and that happens to many at once when something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noted {
    /// A link was looked at.
    Touched,
    /// A link would be suspended: its counterpart is not visible.
    Suspended,
    /// A link would be closed.
    Closed,
    /// A status would change to this, on this side.
    Status(String),
    /// A link would be written to although nobody changed either side: the mapping was.
    Mapped,
}

/// Work stands still until a person lets it go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("paused: {reason}")]
pub struct Paused {
    /// Why, for a person.
    pub reason: String,
}

/// Why work may not go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// Paused by a person or by the brake.
    #[error("{0}")]
    Paused(Paused),
    /// The store could not say whether it is paused.
    #[error("it could not be read whether work is paused")]
    Store(#[source] StoreError),
}

/// This many links alike never pull the brake.
const BRAKE_FLOOR: u64 = 20;
/// Above the floor, this part of the links touched in a window does.
const BRAKE_PERCENT: u64 = 2;
/// Touches are written down in batches: they only make the brake more patient.
const TOUCHES_BATCH: u64 = 50;

/// Requests of a process that is gone may still arrive so long.
const LATE_REQUESTS_MS: i64 = 30_000;

/// Retry, quarantine and the brake over the store.
#[derive(Debug)]
pub struct RecoveryManager {
    store: Store,
    touched: Mutex<u64>,
}

impl RecoveryManager {
    /// Recovery over this store.
    pub fn new(store: Store) -> Self {
        Self { store, touched: Mutex::new(0) }
    }

    /// Whether a lane may work: neither a person nor the brake has paused it, and both accounts let us in.
    pub async fn check(&self, lane: Lane) -> Result<(), Halt> {
        let on = self.store.switches().all().await.map_err(Halt::Store)?;
        let names = [
            SwitchName::Brake,
            SwitchName::Pause(lane),
            SwitchName::Access(Side::Zendesk),
            SwitchName::Access(Side::Clickup),
        ];
        match names.iter().find_map(|name| on.get(name)) {
            Some(switch) => Err(Halt::Paused(Paused { reason: switch.reason.clone() })),
            None => Ok(()),
        }
    }

    /// Notes what is about to happen to a link. An error means that it must not happen: the brake is pulled.
    pub async fn note(&self, noted: Noted) -> Result<(), Halt> {
        self.note_all(vec![noted]).await
    }

    /// The same of several things that would happen to one link at once.
    pub async fn note_all(&self, noted: Vec<Noted>) -> Result<(), Halt> {
        let mut delta = Tally::default();
        for noted in noted {
            match noted {
                Noted::Touched => delta.touched += 1,
                Noted::Suspended => delta.suspended += 1,
                Noted::Closed => delta.closed += 1,
                Noted::Mapped => delta.mapped += 1,
                Noted::Status(status) => *delta.status.entry(status).or_default() += 1,
            }
        }
        let only_touched = delta == Tally { touched: delta.touched, ..Tally::default() };
        {
            let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
            *touched += delta.touched;
            if only_touched && *touched < TOUCHES_BATCH {
                return Ok(());
            }
            delta.touched = std::mem::take(&mut *touched);
        }
        let tally = self.store.tally().add(&delta).await.map_err(Halt::Store)?;
        let Some(reason) = too_many_alike(&tally) else { return Ok(()) };
        self.store.switches().set(SwitchName::Brake, &reason, "brake").await.map_err(Halt::Store)?;
        tracing::error!(reason, "the brake is pulled");
        Err(Halt::Paused(Paused { reason }))
    }

    /// A person lets work go on; what was counted so far no longer counts.
    pub async fn release(&self) -> Result<(), StoreError> {
        release(&self.store, 0).await
    }
}

/// What an earlier process had in work comes back soon. Only for whoever holds the state alone: the file's lock says
/// that the earlier process is gone.
pub async fn take_over(store: &Store) -> Result<(), StoreError> {
    store.work().take_over(LATE_REQUESTS_MS).await
}

/// A person lets work go on. What was counted so far no longer counts, and this many more alike pull no brake
/// for the next minutes: what the person has seen waiting.
pub async fn release(store: &Store, through: u64) -> Result<(), StoreError> {
    store.tally().clear().await?;
    if through > 0 {
        store.tally().allow(through).await?;
    }
    store.switches().clear(SwitchName::Brake).await
}

/// How many alike pull no brake in a window.
pub fn alike_allowed(tally: &Tally) -> u64 {
    BRAKE_FLOOR.max(tally.touched * BRAKE_PERCENT / 100) + tally.allowed
}

/// The brake's rule: more than twenty and more than 2 % of what was touched go the same way.
pub fn too_many_alike(tally: &Tally) -> Option<String> {
    let bound = alike_allowed(tally);
    let status = |(status, n): (&String, &u64)| (format!("would change their status to {status}"), *n);
    let kinds = [
        ("would be suspended, their counterparts are not visible".to_owned(), tally.suspended),
        ("would be written to although nobody changed them: look at the mapping".to_owned(), tally.mapped),
    ];
    // Lists have words of their own for what is done, so closing counts besides, whatever it is called.
    let closed = ("would be closed".to_owned(), tally.closed);
    let mut kinds = kinds.into_iter().chain(tally.status.iter().map(status)).chain([closed]);
    let (what, n) = kinds.find(|(_, n)| *n > bound)?;
    Some(format!("{n} links {what} within ten minutes (allowed: {bound})"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stores::Place;

    use super::*;

    fn manager() -> RecoveryManager {
        let clock = Arc::new(|| 1_700_000_000_000);
        RecoveryManager::new(Store::embedded(Place::Memory, "t", clock).expect("a store in memory opens"))
    }

    #[test]
    fn waits_grow_and_an_hour_without_a_service_puts_nothing_aside() {
        let random = Random::seeded(1);
        let mut sum = 0;
        for attempts in 0..ATTEMPTS_MAX - 1 {
            let AfterFailure::Retry { delay_ms } = after_failure(attempts, Failure::Transient, &random)
            else {
                panic!("attempt {attempts} is not the last")
            };
            sum += delay_ms;
            let least = (FIRST_WAIT_MS << attempts).min(LONGEST_WAIT_MS);
            assert!((least..=least + least / 4).contains(&delay_ms), "{attempts}: {delay_ms}");
        }
        assert!(sum > 3_600_000, "{sum}");
        let last = after_failure(ATTEMPTS_MAX - 1, Failure::Transient, &random);
        assert_eq!(last, AfterFailure::Quarantine { cause: "attempts" });
    }

    #[test]
    fn what_could_not_be_tried_is_never_put_aside() {
        let random = Random::seeded(1);
        for failure in [Failure::BudgetEmpty, Failure::Paused] {
            assert!(
                matches!(after_failure(1_000, failure, &random), AfterFailure::Postpone { .. }),
                "{failure:?}"
            );
        }
        for failure in [Failure::Rejected, Failure::Bug] {
            assert!(
                matches!(after_failure(0, failure, &random), AfterFailure::Quarantine { .. }),
                "{failure:?}"
            );
        }
    }

    #[test]
    fn fingerprints_group_by_cause_code_and_endpoint() {
        let one = fingerprint("rejected", Some("OAUTH_023"), "POST /list/{id}/task");
        assert_eq!(one, fingerprint("rejected", Some("OAUTH_023"), "POST /list/{id}/task"));
        assert_ne!(one, fingerprint("rejected", None, "POST /list/{id}/task"));
        assert_ne!(one, fingerprint("rejected", Some("OAUTH_023"), "PUT /task/{id}"));
    }

    #[test]
    fn the_brake_wants_more_than_twenty_and_more_than_two_percent() {
        let tally = |touched, suspended| Tally { touched, suspended, ..Tally::default() };
        assert_eq!(too_many_alike(&tally(20, 20)), None);
        assert!(too_many_alike(&tally(21, 21)).is_some());
        let through = Tally { allowed: 30, ..tally(50, 50) };
        assert_eq!(too_many_alike(&through), None, "what a person lets through");
        assert!(too_many_alike(&Tally { suspended: 51, ..through }).is_some());
        assert_eq!(too_many_alike(&tally(5_000, 100)), None);
        assert!(too_many_alike(&tally(5_000, 101)).is_some());
        let mapped = too_many_alike(&Tally { mapped: 21, ..Tally::default() });
        assert!(mapped.is_some_and(|reason| reason.contains("mapping")));
        let spread = (0..50).map(|n| (format!("status {n}"), 20)).collect();
        assert_eq!(too_many_alike(&Tally { touched: 1_000, status: spread, ..Tally::default() }), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_brake_stops_all_lanes_until_a_person_releases_it() {
        let manager = manager();
        for n in 0..20 {
            assert_eq!(manager.note(Noted::Suspended).await, Ok(()), "{n}");
        }
        assert_eq!(manager.check(Lane::Live).await, Ok(()));
        assert!(
            matches!(manager.note(Noted::Suspended).await, Err(Halt::Paused(_))),
            "the 21st is one too many"
        );
        for lane in [Lane::Live, Lane::Reconcile, Lane::Backfill] {
            assert!(matches!(manager.check(lane).await, Err(Halt::Paused(_))), "{lane:?}");
        }
        manager.release().await.expect("releases");
        assert_eq!(manager.check(Lane::Live).await, Ok(()));
        assert_eq!(manager.note(Noted::Suspended).await, Ok(()), "what was seen does not count again");
    }

    #[tokio::test(start_paused = true)]
    async fn closing_counts_whatever_it_is_called() {
        let manager = manager();
        for n in 0..20 {
            let noted = vec![Noted::Status(format!("done in list {n}")), Noted::Closed];
            assert_eq!(manager.note_all(noted).await, Ok(()), "{n}");
        }
        let noted = vec![Noted::Status("done".into()), Noted::Closed];
        let Err(Halt::Paused(paused)) = manager.note_all(noted).await else { panic!("one too many") };
        assert!(paused.reason.starts_with("21 links would be closed"), "{}", paused.reason);
    }

    #[tokio::test(start_paused = true)]
    async fn many_touched_links_make_the_brake_patient() {
        let manager = manager();
        for _ in 0..2_000 {
            assert_eq!(manager.note(Noted::Touched).await, Ok(()));
        }
        for n in 0..40 {
            assert_eq!(manager.note(Noted::Status("solved".into())).await, Ok(()), "{n}");
        }
        assert!(matches!(manager.note(Noted::Status("solved".into())).await, Err(Halt::Paused(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_that_is_closed_stops_all_lanes() {
        let manager = manager();
        for side in [Side::Zendesk, Side::Clickup] {
            let name = SwitchName::Access(side);
            manager.store.switches().set(name, "closed", "deskup").await.expect("sets");
            for lane in [Lane::Live, Lane::Reconcile, Lane::Backfill] {
                assert!(matches!(manager.check(lane).await, Err(Halt::Paused(_))), "{lane:?}");
            }
            manager.store.switches().clear(name).await.expect("clears");
            assert_eq!(manager.check(Lane::Live).await, Ok(()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_pauses_one_lane() {
        let manager = manager();
        let pause = SwitchName::Pause(stores::Lane::Backfill);
        manager.store.switches().set(pause, "maintenance", "jo").await.expect("pauses");
        assert_eq!(manager.check(Lane::Live).await, Ok(()));
        assert_eq!(
            manager.check(Lane::Backfill).await,
            Err(Halt::Paused(Paused { reason: "maintenance".into() }))
        );
    }
}
