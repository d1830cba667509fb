//! The context of a function: built once per cold start, and again when the settings, the directory or the
//! credentials may have changed.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use aws::Session;
use bytes::Bytes;
use clients::http::HttpTransport;
use clients::{Clock, Transport};
use domain::Directory;
use http::Request;
use stores::configuration::Configuration;
use stores::{Store, StoreError};
use tokio::sync::Mutex;

use crate::credentials::Credentials;
use crate::lambda::environment::Environment;
use crate::lambda::secrets::{self, Locked};
use crate::lambda::{Stillborn, WallClock};
use crate::local::{CLICKUP_PER_MIN, ConnectError, Connection, assemble};
use crate::{Context, Options};

/// How long a context is used before the table is asked whether something has changed.
const LOOK_AGAIN_MS: i64 = 60_000;

/// How long the start waits for a connection.
const OPEN_MAX: Duration = Duration::from_secs(2);

/// How long credentials are used before they are read again.
const CREDENTIALS_MS: i64 = 15 * 60_000;

/// Why there is no context just now.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoContext {
    /// The table could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The accounts' credentials could not be read.
    #[error(transparent)]
    Locked(#[from] Locked),
    /// Nobody has pushed settings yet.
    #[error("this installation has no settings yet: run `deskup push`")]
    NoSettings,
    /// What was pushed does not fit together.
    #[error(transparent)]
    Unfit(#[from] ConnectError),
}

/// What lives as long as the process.
pub(super) struct Base {
    pub environment: Environment,
    pub session: Session,
    pub store: Store,
    pub transport: Arc<dyn Transport>,
    pub seed: u64,
    enters: bool,
    current: Mutex<Option<Current>>,
}

struct Current {
    cx: Arc<Context>,
    version: u64,
    looked_ms: i64,
    entered_ms: i64,
}

impl Base {
    /// Reads the environment and prepares the clients; asks nobody yet. Who only listens (`enters` is false) gets no
    /// credentials of the accounts.
    pub fn new(environment: Environment, enters: bool) -> Result<Self, Stillborn> {
        if enters {
            environment.accounts_secret()?;
        }
        let transport: Arc<dyn Transport> = Arc::new(HttpTransport::new()?);
        let session = Session::from_env(transport.clone(), Arc::new(WallClock), environment.function())?;
        let seed = RandomState::new().build_hasher().finish();
        let store = Store::new(
            session.dynamodb(),
            environment.table()?,
            environment.installation()?,
            Arc::new(|| WallClock.now_ms()),
            seed,
            environment.shards(),
        );
        Ok(Self { environment, session, store, transport, seed, enters, current: Mutex::default() })
    }

    /// The context as of now.
    pub async fn context(&self) -> Result<Arc<Context>, NoContext> {
        let now_ms = WallClock.now_ms();
        let mut current = self.current.lock().await;
        if let Some(current) = current.as_ref()
            && now_ms - current.looked_ms < LOOK_AGAIN_MS
        {
            return Ok(current.cx.clone());
        }
        match (self.renewed(current.as_ref(), now_ms).await, current.as_mut()) {
            (Ok(Some(newer)), _) => {
                let cx = newer.cx.clone();
                *current = Some(newer);
                Ok(cx)
            }
            (Ok(None), Some(current)) => {
                current.looked_ms = now_ms;
                Ok(current.cx.clone())
            }
            // What was good a minute ago serves until AWS answers again.
            (Err(error @ (NoContext::Store(_) | NoContext::Locked(_))), Some(current)) => {
                tracing::warn!(%error, "settings and credentials could not be looked at again");
                Ok(current.cx.clone())
            }
            (Err(error), _) => Err(error),
            (Ok(None), None) => Err(NoContext::NoSettings),
        }
    }

    /// Opens a connection to each service, so that the first call does not wait for it. Whoever does not answer soon is
    /// called later all the same.
    pub async fn open_connections(&self, cx: &Context) {
        let settings = cx.mapping.settings();
        let open = |url: &str| {
            let request = Request::head(url).body(Bytes::new());
            async {
                if let Ok(request) = request {
                    // What it answers without credentials does not matter.
                    let _ = tokio::time::timeout(OPEN_MAX, self.transport.send(request)).await;
                }
            }
        };
        futures::join!(open(&settings.zendesk_url), open(&settings.clickup_url));
    }

    /// Another context, where settings have changed or credentials may have.
    async fn renewed(&self, current: Option<&Current>, now_ms: i64) -> Result<Option<Current>, NoContext> {
        let configuration = self.store.configuration().get().await?.ok_or(NoContext::NoSettings)?;
        let version = configuration.version;
        if current.is_some_and(|now| now.version == version && now_ms - now.entered_ms < CREDENTIALS_MS) {
            return Ok(None);
        }
        let cx = Arc::new(self.build(configuration).await?);
        Ok(Some(Current { cx, version, looked_ms: now_ms, entered_ms: now_ms }))
    }

    async fn build(&self, configuration: Configuration) -> Result<Context, NoContext> {
        let settings = domain::Settings::parse(&configuration.settings).map_err(ConnectError::Settings)?;
        let directory: Directory =
            serde_json::from_str(&configuration.directory).map_err(|_| NoContext::NoSettings)?;
        let connection = self.connection(&settings, &configuration.settings).await?;
        Ok(assemble(connection, &settings, &directory)?)
    }

    /// What leads to both accounts.
    pub async fn connection(&self, settings: &domain::Settings, text: &str) -> Result<Connection, NoContext> {
        let (zendesk, clickup) = self.credentials().await?.accounts(settings);
        let usual = Options::default();
        let options = Options {
            debounce_ms: self.environment.debounce_s().map_or(usual.debounce_ms, |s| i64::from(s) * 1_000),
            // Nonces of two processes differ by it.
            incarnation: self.seed,
            ticket_url: format!("{}/agent/tickets/", settings.zendesk_url),
            ..usual
        };
        Ok(Connection {
            store: self.store.clone(),
            transport: self.transport.clone(),
            clock: Arc::new(WallClock),
            settings: text.to_owned(),
            zendesk,
            zendesk_limits: clients::ZendeskLimits::default(),
            clickup,
            clickup_per_min: CLICKUP_PER_MIN,
            seed: self.seed,
            options,
        })
    }

    async fn credentials(&self) -> Result<Credentials, Locked> {
        match self.environment.accounts_secret() {
            Ok(secret) if self.enters => secrets::accounts(&self.session, secret).await,
            _ => Ok(Credentials::none()),
        }
    }
}
