//! StopExecution: ends a running execution from outside.

use std::sync::Arc;

use tokio::sync::watch;

/// Error and cause that StopExecution was given.
pub(crate) type Reason = (Option<String>, Option<String>);

/// Stops one execution. Clones stop the same one.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<Option<Reason>>>);

impl Default for Stop {
    fn default() -> Self {
        Stop(Arc::new(watch::Sender::new(None)))
    }
}

impl Stop {
    /// Asks the execution to end as ABORTED.
    pub fn stop(&self, error: Option<String>, cause: Option<String>) {
        self.0.send_replace(Some((error, cause)));
    }

    /// Waits until somebody asks.
    pub(crate) async fn asked(&self) -> Reason {
        let mut receiver = self.0.subscribe();
        // The guard must not live across the wait below: executions move between threads.
        let reason = receiver.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        match reason {
            Some(reason) => reason,
            // We hold a sender, so the channel never closes.
            None => std::future::pending().await,
        }
    }
}
