//! How one execution is run.

use std::fmt;
use std::sync::Arc;

use asl::Kind;
use serde_json::Value;
use tokio::time::Instant;

use crate::limits::Limits;
use crate::stop::Stop;

/// Unix milliseconds, now.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A clock that starts at `start_ms` and goes on with tokio's time, real or paused.
pub fn tokio_clock(start_ms: i64) -> Clock {
    let start = Instant::now();
    Arc::new(move || start_ms.saturating_add(i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX)))
}

/// Watches the progress of an execution.
pub trait Observer: Send + Sync {
    /// A state was entered.
    fn entered(&self, state: &str, input: &Value);
}

/// How one execution is run.
#[derive(Clone)]
pub struct Options {
    /// Standard or Express.
    pub kind: Kind,
    /// The execution's name.
    pub name: String,
    /// The execution's ARN.
    pub arn: String,
    /// The machine's name.
    pub machine_name: String,
    /// The machine's ARN.
    pub machine_arn: String,
    /// The role of the execution.
    pub role_arn: String,
    /// The time of day; waits are tokio's.
    pub clock: Clock,
    /// Everything random comes from here: same seed, same history.
    pub seed: u64,
    /// The service's limits.
    pub limits: Limits,
    /// Whether events are kept; they are counted in any case.
    pub history: bool,
    /// Who is told of progress.
    pub observer: Option<Arc<dyn Observer>>,
    /// Who may stop the execution.
    pub stop: Stop,
}

impl Options {
    /// An execution named `name` of a machine named `machine`, in a made-up account.
    pub fn new(kind: Kind, machine: &str, name: &str, clock: Clock) -> Options {
        const ACCOUNT: &str = "arn:aws:states:us-east-1:111111111111";
        let execution = match kind {
            Kind::Standard => format!("{ACCOUNT}:execution:{machine}:{name}"),
            Kind::Express => format!("{ACCOUNT}:express:{machine}:{name}:{name}"),
        };
        Options {
            kind,
            name: name.to_owned(),
            arn: execution,
            machine_name: machine.to_owned(),
            machine_arn: format!("{ACCOUNT}:stateMachine:{machine}"),
            role_arn: format!("arn:aws:iam::111111111111:role/{machine}"),
            clock,
            seed: 0,
            limits: Limits::default(),
            history: true,
            observer: None,
            stop: Stop::default(),
        }
    }

    /// The region in the execution's ARN.
    pub(crate) fn region(&self) -> &str {
        self.arn.split(':').nth(3).unwrap_or_default()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("kind", &self.kind)
            .field("arn", &self.arn)
            .field("seed", &self.seed)
            .field("limits", &self.limits)
            .field("history", &self.history)
            .finish_non_exhaustive()
    }
}
