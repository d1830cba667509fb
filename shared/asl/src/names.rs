//! Names that definitions, steps and alarms agree on. They are written here once.

/// Worth another try: a timeout, a throttled table, a service in trouble.
pub const TRANSIENT: &str = "Transient";
/// Trying again cannot help.
pub const REJECTED: &str = "Rejected";
/// Our own mistake: never retried, always alarms.
pub const BUG: &str = "Bug";
/// A service's budget is used up for now.
pub const BUDGET_EMPTY: &str = "BudgetEmpty";
/// A person or the brake has paused the lane.
pub const PAUSED: &str = "Paused";
/// Matches every error but `States.Runtime` and `States.DataLimitExceeded`.
pub const ALL: &str = "States.ALL";
/// A Task took longer than its `TimeoutSeconds`.
pub const TIMEOUT: &str = "States.Timeout";

/// Failures of the Lambda service itself, and of a function's process (killed, out of memory, out of time): they come
/// and go, and a step may be repeated wherever it was cut.
pub const LAMBDA_TRANSIENT: [&str; 7] = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
];

/// The resource through which every step is called.
pub const LAMBDA_INVOKE: &str = "arn:aws:states:::lambda:invoke";

/// Starts an execution and does not wait for it.
pub const START_EXECUTION: &str = "arn:aws:states:::states:startExecution";
/// Step Functions answers that an execution of this name exists: it was started before.
pub const EXECUTION_EXISTS: &str = "StepFunctions.ExecutionAlreadyExistsException";
/// The field of an execution's input that says where it goes on; no workflow has such a field of its own.
pub const CONTINUED: &str = "continued";

/// Longest name of a state.
pub const STATE_NAME_MAX: usize = 80;
/// Largest definition, in bytes.
pub const DEFINITION_BYTES_MAX: usize = 1_048_576;
/// Most iterations of an inline Map at the same time.
pub const INLINE_CONCURRENCY_MAX: u64 = 40;
/// Most executions of a distributed Map at the same time.
pub const CHILDREN_MAX: u64 = 10_000;
/// Longest label of a distributed Map.
pub const LABEL_MAX: usize = 40;
/// Most events in the history of a Standard execution.
pub const HISTORY_EVENTS_MAX: u64 = 25_000;
/// Largest input or output of a state, in bytes.
pub const PAYLOAD_BYTES_MAX: u64 = 262_144;
/// Longest run of an Express execution.
pub const EXPRESS_SECONDS_MAX: u64 = 300;

/// A name that fits: the head of a longer one plus eight hex digits of its hash.
pub fn short(name: &str) -> String {
    if name.chars().count() <= STATE_NAME_MAX {
        return name.to_owned();
    }
    // FNV-1a: stable across versions of Rust, unlike the standard library's hasher.
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let head: String = name.chars().take(STATE_NAME_MAX - 9).collect();
    format!("{head}-{hash:08x}")
}
