//! Whether deliveries come through: the way from the public address to a deskup that knows the secret, and what
//! the services themselves say of their webhooks.

use std::sync::Arc;
use std::time::Duration;

use clients::{Clock, Invocation, Secret, Transport};
use domain::{Side, Timestamp};
use http::StatusCode;
use serde::Serialize;

use crate::local::ConnectError;
use crate::registration::{self, Accounts, Endpoints, Hook};
use crate::webhook::proof;

/// A deskup that must first ask the service for a new secret says "later"; it may ask every ten seconds.
const ATTEMPTS_MAX: u32 = 8;
const AGAIN_MS: u64 = 3_000;

/// Sends a delivery of our own the way the services do.
#[derive(Clone)]
pub struct Reach {
    /// How it leaves.
    pub transport: Arc<dyn Transport>,
    /// The time in its signature.
    pub clock: Arc<dyn Clock>,
    /// Makes nonces that nobody can guess.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// A deskup that knows the secret answered.
    Yes,
    /// It did not, and what to look at.
    No(String),
}

impl Reached {
    /// Whether it did.
    pub fn is_yes(&self) -> bool {
        *self == Reached::Yes
    }
}

impl Reach {
    /// Asks for a proof at an endpoint.
    pub async fn prove(&self, side: Side, endpoint: &str, secret: &Secret) -> Reached {
        let mut random = fastrand::Rng::with_seed(self.seed);
        let nonce = format!("{:016x}{:016x}", random.u64(..), random.u64(..));
        for attempt in 1.. {
            let asked = proof::question(side, endpoint, secret, &nonce, self.clock.now_ms());
            let Some(asked) = asked else { return Reached::No(format!("{endpoint} is no address")) };
            let response = match self.transport.send(asked).await {
                Ok(response) => response,
                Err(error) => {
                    return Reached::No(format!(
                        "nobody answers at {endpoint} ({error}): is the tunnel or proxy up, and its name known?"
                    ));
                }
            };
            if proof::is_proven(&response, secret, &nonce) {
                return Reached::Yes;
            }
            if response.status() == StatusCode::SERVICE_UNAVAILABLE && attempt < ATTEMPTS_MAX {
                tokio::time::sleep(Duration::from_millis(AGAIN_MS)).await;
                continue;
            }
            return Reached::No(not_proven(endpoint, response.status()));
        }
        Reached::No(format!("{endpoint} was never asked"))
    }
}

fn not_proven(endpoint: &str, status: StatusCode) -> String {
    let why = match status.as_u16() {
        200..=299 => {
            "something there says yes to everything and is not deskup: where does the tunnel or proxy lead?"
        }
        300..=399 => "it leads elsewhere; the services do not follow",
        403 => "a deskup is there, and does not know this webhook: does it serve this installation?",
        404 => "nothing is there: does the tunnel or proxy lead to `deskup serve`?",
        502..=504 => "the tunnel or proxy does not reach `deskup serve`: is it running?",
        _ => "this is not what `deskup serve` answers",
    };
    format!("{endpoint} answers {}: {why}", status.as_u16())
}

/// How the newest deliveries fared, as Zendesk tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Deliveries {
    /// Taken.
    pub taken: usize,
    /// Refused or unanswered.
    pub failed: usize,
    /// Held back: too many, or the circuit breaker after too many failures.
    pub held_back: usize,
    /// When the newest was over.
    pub newest: Option<String>,
}

impl Deliveries {
    fn of(invocations: &[Invocation]) -> Self {
        let count =
            |words: &[&str]| invocations.iter().filter(|one| words.contains(&one.status.as_str())).count();
        Self {
            taken: count(&["success"]),
            held_back: count(&["throttled", "circuit broken"]),
            failed: invocations.len() - count(&["success", "throttled", "circuit broken"]),
            newest: invocations.iter().filter_map(|one| one.completed).max().map(Timestamp::to_rfc3339),
        }
    }
}

/// What is known of one side's webhook.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// The side.
    pub side: Side,
    /// The webhook, if there is one that leads to us.
    pub hook: Option<Hook>,
    /// Whether it was suspended and is active again by this look.
    pub revived: bool,
    /// Whether our own delivery came through.
    pub reached: bool,
    /// Why not.
    pub why: Option<String>,
    /// How the newest deliveries fared; only Zendesk tells.
    pub deliveries: Option<Deliveries>,
}

impl Checked {
    /// Whether changes of this side will be told.
    pub fn is_good(&self) -> bool {
        let complete = |hook: &Hook| (hook.is_active() || self.revived) && hook.missing_events.is_empty();
        self.reached && self.hook.as_ref().is_some_and(complete)
    }
}

/// Looks at a side's webhook and sends a delivery of our own. A webhook that ClickUp suspended is made active
/// again: nobody else does.
pub async fn check(
    accounts: &Accounts,
    endpoints: &Endpoints,
    side: Side,
    reach: &Reach,
) -> Result<Checked, ConnectError> {
    let hooks = registration::list(accounts, side, Some(endpoints)).await?;
    let mut ours: Vec<Hook> = hooks.into_iter().filter(|hook| hook.ours).collect();
    ours.sort_by_key(|hook| !hook.is_active());
    let Some(hook) = ours.into_iter().next() else {
        let why = Some("it is not registered: `deskup webhooks register`".to_owned());
        return Ok(Checked { side, hook: None, revived: false, reached: false, why, deliveries: None });
    };
    let revived = side == Side::Clickup && !hook.is_active();
    if revived {
        registration::mend(accounts, &hook).await?;
    }
    let secret = registration::secret_of(accounts, &hook).await?;
    let reached = reach.prove(side, &hook.endpoint, &secret).await;
    let deliveries = match side {
        // It is told for the asking only; where it is not, nothing is concluded from it.
        Side::Zendesk => accounts.zendesk.webhook_invocations(&hook.id).await.ok(),
        Side::Clickup => None,
    };
    let why = match &reached {
        Reached::Yes => None,
        Reached::No(why) => Some(why.clone()),
    };
    let deliveries = deliveries.map(|newest| Deliveries::of(&newest));
    Ok(Checked { side, hook: Some(hook), revived, reached: reached.is_yes(), why, deliveries })
}
