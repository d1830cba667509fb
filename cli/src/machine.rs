//! deskup on this machine with real accounts: the network, the wall clock, one process.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use clients::http::HttpTransport;
use clients::{Clock, Transport, ZendeskLimits};
use functions::Options;
use functions::local::{self, CLICKUP_PER_MIN, ConnectError, Connection, Local};
use stores::Store;

use crate::credentials;
use crate::failure::Failed;
use crate::installation::{Installation, wall_ms};

/// The wall clock, as the clients take it.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl Clock for WallClock {
    fn now_ms(&self) -> i64 {
        wall_ms()
    }
}

/// A runtime in real time.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// How requests leave.
pub fn transport() -> anyhow::Result<Arc<dyn Transport>> {
    Ok(Arc::new(HttpTransport::new()?))
}

/// Checks everything against both accounts and wires a deskup on this store.
pub async fn connect(installation: &Installation, store: Store) -> anyhow::Result<Local> {
    connect_with(installation, store, |_| ()).await
}

/// The same, with other numbers.
pub async fn connect_with(
    installation: &Installation,
    store: Store,
    change: impl FnOnce(&mut Options),
) -> anyhow::Result<Local> {
    attempt(installation, store, change).await?.map_err(kept_out)
}

/// The same for whoever decides himself what a failure means.
pub async fn attempt(
    installation: &Installation,
    store: Store,
    change: impl FnOnce(&mut Options),
) -> anyhow::Result<Result<Local, ConnectError>> {
    let (text, settings) = installation.settings()?;
    let (zendesk, clickup) = credentials::complete(credentials::of(installation)?)?.accounts(&settings);
    let mut options = Options {
        incarnation: store.incarnation(),
        ticket_url: format!("{}/agent/tickets/", settings.zendesk_url),
        ..Options::default()
    };
    change(&mut options);
    let connection = Connection {
        store,
        transport: transport()?,
        clock: Arc::new(WallClock),
        settings: text,
        zendesk,
        zendesk_limits: ZendeskLimits::default(),
        clickup,
        clickup_per_min: CLICKUP_PER_MIN,
        seed: seed(),
        options,
    };
    Ok(local::connect(connection).await)
}

/// A number that nobody can guess and no other process has.
pub fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// What keeps deskup out as it connects, with who says more.
pub fn kept_out(error: ConnectError) -> anyhow::Error {
    match error {
        ConnectError::Api { what, source } => {
            Failed::usage(format!("{what}: {source}; `deskup check` says which line or right it is"))
        }
        error => refused(error),
    }
}

/// What was refused, with the exit code that fits.
pub fn refused(error: ConnectError) -> anyhow::Error {
    match error {
        ConnectError::Settings(_) => Failed::usage(error.to_string()),
        ConnectError::Api { what, source } => Failed::usage(format!("{what}: {source}")),
        ConnectError::Store(error) => Failed::store(&error),
        ConnectError::Engine(error) => error.into(),
        ConnectError::Keep(_) => Failed::state(error.to_string()),
    }
}
