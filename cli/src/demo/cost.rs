//! What the same work would have cost on AWS, on demand, without free tiers. Prices of us-east-1, November
//! 2026; an estimate from above, because waiting for a rate limit is counted as running.

use serde::Serialize;
use world::Instance;

/// Step Functions Standard, per state transition.
const TRANSITION_USD: f64 = 25.0 / 1e6;
/// Step Functions Express, per execution.
const EXPRESS_USD: f64 = 1.0 / 1e6;
/// Step Functions Express, per GB-second; executions are small and counted at 64 MB.
const EXPRESS_GB_S_USD: f64 = 0.000_016_67;
const EXPRESS_GB: f64 = 0.0625;
/// Lambda on arm64, per GB-second and per call, at 256 MB.
const LAMBDA_GB_S_USD: f64 = 0.000_013_333_4;
const LAMBDA_GB: f64 = 0.25;
const LAMBDA_CALL_USD: f64 = 0.2 / 1e6;
/// DynamoDB on demand, per write unit and per read unit.
const WRITE_UNIT_USD: f64 = 0.625 / 1e6;
const READ_UNIT_USD: f64 = 0.125 / 1e6;

/// The estimate, in US dollars.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// State transitions and executions.
    pub step_functions_usd: f64,
    /// Calls and running time.
    pub lambda_usd: f64,
    /// Reads and writes.
    pub dynamodb_usd: f64,
    /// All of it.
    pub total_usd: f64,
}

impl Cost {
    /// The estimate for what an instance did in this process.
    pub fn of(instance: &Instance) -> Self {
        let Ok(local) = instance.local() else { return Self::default() };
        let mut cost = Self::default();
        for totals in local.engine.totals().values() {
            let seconds = totals.ran_ms as f64 / 1e3;
            cost.step_functions_usd += if totals.express {
                totals.executions as f64 * EXPRESS_USD + seconds * EXPRESS_GB * EXPRESS_GB_S_USD
            } else {
                totals.transitions as f64 * TRANSITION_USD
            };
            // Every transition counted as a call errs on the high side.
            cost.lambda_usd +=
                totals.transitions as f64 * LAMBDA_CALL_USD + seconds * LAMBDA_GB * LAMBDA_GB_S_USD;
        }
        let operations = local.cx.store.operations();
        cost.dynamodb_usd = operations.write_units * WRITE_UNIT_USD + operations.read_units * READ_UNIT_USD;
        cost.total_usd = cost.step_functions_usd + cost.lambda_usd + cost.dynamodb_usd;
        cost
    }
}
