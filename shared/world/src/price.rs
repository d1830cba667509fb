//! What the same work costs on AWS: what a deskup used, and what that is billed at, on demand, without free tiers. Prices
//! of us-east-1, November 2026. What cannot be seen from here (wakes, deliveries, log lines) is counted by what causes it,
//! and from above.

use std::ops::Sub;
use std::sync::atomic::Ordering;

use functions::local::Local;
use serde::Serialize;

/// Step Functions Standard, per state transition.
pub const TRANSITION_USD: f64 = 25.0 / 1e6;
/// Step Functions Express, per execution, and per GB-second at the least memory that is billed.
const EXPRESS_USD: f64 = 1.0 / 1e6;
const EXPRESS_GB_S_USD: f64 = 0.000_016_67;
const EXPRESS_GB: f64 = 0.0625;
/// Lambda on arm64, per call and per GB-second, at the template's 256 MB.
const LAMBDA_CALL_USD: f64 = 0.2 / 1e6;
const LAMBDA_GB_S_USD: f64 = 0.000_013_333_4;
const LAMBDA_GB: f64 = 0.25;
/// DynamoDB on demand, per write unit and per read unit.
const WRITE_UNIT_USD: f64 = 0.625 / 1e6;
const READ_UNIT_USD: f64 = 0.125 / 1e6;
/// SQS, per request; a wake-up is sent, received and deleted.
const QUEUE_REQUEST_USD: f64 = 0.4 / 1e6;
const QUEUE_REQUESTS: f64 = 3.0;
/// CloudWatch Logs, per GB; a call writes a line or two, but a delivery that is taken none, and the template keeps the
/// service's own lines away.
const LOG_GB_USD: f64 = 0.5;
const LOG_GB: f64 = 0.6e-6;
/// A delivery that is taken, and a round of the dispatcher: a few requests to the table each.
const DELIVERY_S: f64 = 0.02;
const DISPATCH_S: f64 = 0.05;

/// What was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Usage {
    /// States entered in Standard executions.
    pub transitions: f64,
    /// Express executions.
    pub express: f64,
    /// Their time, in seconds.
    pub express_s: f64,
    /// Calls of steps.
    pub calls: f64,
    /// Time in steps, in seconds.
    pub step_s: f64,
    /// Write units of the table.
    pub write_units: f64,
    /// Read units.
    pub read_units: f64,
    /// Deliveries that were taken.
    pub deliveries: f64,
    /// Those that woke the dispatcher.
    pub wakes: f64,
}

impl Usage {
    /// What a deskup in this process has used so far.
    pub fn of(local: &Local) -> Self {
        Self::of_all_but(local, "")
    }

    /// The same without the executions of one workflow. The table does not tell for whom it works.
    pub fn of_all_but(local: &Local, workflow: &str) -> Self {
        let mut usage = Self::default();
        for (_, totals) in local.engine.totals().iter().filter(|(name, _)| *name != workflow) {
            if totals.express {
                usage.express += totals.executions as f64;
                usage.express_s += totals.ran_ms as f64 / 1e3;
            } else {
                usage.transitions += totals.transitions as f64;
            }
            usage.calls += totals.calls as f64;
            usage.step_s += totals.calls_ms as f64 / 1e3;
        }
        let operations = local.cx.store.operations();
        (usage.write_units, usage.read_units) = (operations.write_units, operations.read_units);
        let activity = &local.cx.activity;
        let deliveries = activity.zendesk.load(Ordering::Relaxed) + activity.clickup.load(Ordering::Relaxed);
        usage.deliveries = deliveries as f64;
        usage.wakes = activity.woken.load(Ordering::Relaxed) as f64;
        usage
    }

    /// What it costs.
    pub fn cost(&self) -> Cost {
        // A delivery is a call, and so is what it wakes.
        let calls = self.calls + self.deliveries + self.wakes;
        let seconds = self.step_s + self.deliveries * DELIVERY_S + self.wakes * DISPATCH_S;
        Cost {
            step_functions_usd: self.transitions * TRANSITION_USD
                + self.express * EXPRESS_USD
                + self.express_s * EXPRESS_GB * EXPRESS_GB_S_USD,
            lambda_usd: calls * LAMBDA_CALL_USD + seconds * LAMBDA_GB * LAMBDA_GB_S_USD,
            dynamodb_usd: self.write_units * WRITE_UNIT_USD + self.read_units * READ_UNIT_USD,
            other_usd: self.wakes * QUEUE_REQUESTS * QUEUE_REQUEST_USD
                + (self.calls + self.wakes) * LOG_GB * LOG_GB_USD,
        }
    }
}

impl Usage {
    /// So many times that.
    #[must_use]
    pub fn times(&self, factor: f64) -> Self {
        Self {
            transitions: self.transitions * factor,
            express: self.express * factor,
            express_s: self.express_s * factor,
            calls: self.calls * factor,
            step_s: self.step_s * factor,
            write_units: self.write_units * factor,
            read_units: self.read_units * factor,
            deliveries: self.deliveries * factor,
            wakes: self.wakes * factor,
        }
    }
}

impl Sub for Usage {
    type Output = Usage;

    fn sub(self, before: Usage) -> Usage {
        Usage {
            transitions: self.transitions - before.transitions,
            express: self.express - before.express,
            express_s: self.express_s - before.express_s,
            calls: self.calls - before.calls,
            step_s: self.step_s - before.step_s,
            write_units: self.write_units - before.write_units,
            read_units: self.read_units - before.read_units,
            deliveries: self.deliveries - before.deliveries,
            wakes: self.wakes - before.wakes,
        }
    }
}

/// In US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// State transitions and executions.
    pub step_functions_usd: f64,
    /// Calls and running time.
    pub lambda_usd: f64,
    /// Reads and writes.
    pub dynamodb_usd: f64,
    /// Queue and logs.
    pub other_usd: f64,
}

impl Cost {
    /// All of it.
    pub fn total_usd(&self) -> f64 {
        self.step_functions_usd + self.lambda_usd + self.dynamodb_usd + self.other_usd
    }
}
