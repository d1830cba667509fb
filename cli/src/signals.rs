//! When somebody wants the process to end.

/// Waits for Ctrl-C or a termination.
#[cfg(unix)]
pub async fn stopped() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        biased;
        result = tokio::signal::ctrl_c() => result,
        _ = terminated.recv() => Ok(()),
    }
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
pub async fn stopped() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
