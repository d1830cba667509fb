//! Copies of comments and files have no key that makes their request repeatable: while one may still be under way, nobody
//! makes another.

use orchestration::ExecutionContext;

use crate::{Context, SyncError};

/// How far the clocks of two executors may be apart.
pub const SKEW_MS: i64 = 10_000;

/// Whether an attempt that was announced then can no longer turn up: whoever looks for its copy now finds it, or it will
/// never be. Its holder may be another process, or have stood still.
pub fn is_over(cx: &Context, run: &ExecutionContext, announced_ms: i64) -> Result<(), SyncError> {
    if run.now_ms() - announced_ms < cx.options.visibility_delay_ms + SKEW_MS {
        return Err(SyncError::Later("a copy may still be under way"));
    }
    Ok(())
}
