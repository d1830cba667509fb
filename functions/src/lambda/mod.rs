//! What makes a Lambda of a step, of the intake and of the dispatcher: the environment, a context that is built once
//! per cold start and looked after, logs and metrics. The work itself is elsewhere and does not know of it.

mod context;
pub mod dispatcher;
pub mod environment;
mod logs;
pub mod secrets;
pub mod step;
mod wake;
pub mod webhook;

use std::process::ExitCode;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use clients::Clock;

use crate::lambda::environment::NotSet;

/// Every Lambda, by the name of its program.
pub const FUNCTIONS: [&str; 11] = [
    "webhook",
    "dispatcher",
    "backfill_page",
    "finish_backfill",
    "claim_work",
    "sync_records",
    "poll_tickets",
    "poll_comments",
    "poll_tasks",
    "settle_effects",
    "compare_links",
];

/// Why a Lambda cannot begin. What may pass is no such reason: then every invocation tries again.
#[derive(Debug, thiserror::Error)]
pub enum Stillborn {
    /// The template and this code do not agree.
    #[error(transparent)]
    NotSet(#[from] NotSet),
    /// AWS itself cannot be asked.
    #[error(transparent)]
    Aws(#[from] aws::AwsError),
    /// No request can be sent.
    #[error(transparent)]
    Transport(#[from] clients::TransportError),
    /// The runtime ended.
    #[error("the runtime ended: {0}")]
    Runtime(String),
}

/// The time as the machine has it; beside a demo, whose time is its own, as far ahead of it as that says.
#[derive(Clone, Copy, Debug)]
struct WallClock;

/// How far ahead, in milliseconds. Not set on AWS.
pub const AHEAD: &str = "DESKUP_AHEAD_MS";

static AHEAD_MS: LazyLock<i64> =
    LazyLock::new(|| std::env::var(AHEAD).ok().and_then(|text| text.parse().ok()).unwrap_or(0));

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "the edge of the program is where the time comes in")]
    fn now_ms(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(now.as_millis()).unwrap_or(i64::MAX).saturating_add(*AHEAD_MS)
    }
}

/// Runs a Lambda until AWS ends it.
fn live<F: Future<Output = Result<(), Stillborn>>>(work: F) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => Err(Stillborn::Runtime(error.to_string())),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            logs::line("ERROR", "this function cannot begin", &[("error", error.to_string().into())]);
            ExitCode::FAILURE
        }
    }
}
