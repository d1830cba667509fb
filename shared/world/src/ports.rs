//! Two simulated accounts on ports of this machine, in real time and without a deskup: what the commands for
//! real accounts are tried on.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use clients::Transport;
use clients::http::HttpTransport;
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::Value as Json;
use simulators::clickup::ClickUpSim;
use simulators::serve::{Handler, serve};
use simulators::zendesk::{ZendeskOptions, ZendeskSim};
use simulators::{Outbound, SimClock};
use tokio::task::AbortHandle;

use crate::deskup::{Effort, Kept};
use crate::judge::{Mark, Rules, Testimony};
use crate::scenario::{self, Scenario, ScenarioOptions};
use crate::seedwork::cast::CLICKUP_SYNC_ID;
use crate::seedwork::settings::{OAUTH_CLIENT, OAUTH_SECRET};
use crate::seedwork::workspace::WORKSPACE_ID;
use crate::world::WorldError;

/// How to serve two accounts.
#[derive(Clone)]
pub struct PortsOptions {
    /// Tickets in Zendesk at the start.
    pub tickets: usize,
    /// The seed of people and texts.
    pub seed: u64,
    /// Ticket texts instead of those that ship.
    pub csv: Option<PathBuf>,
    /// Where both accounts live; in memory otherwise.
    pub dir: Option<PathBuf>,
    /// The accounts' time.
    pub clock: SimClock,
    /// Zendesk's port; ClickUp and the files of both take the next two. 0 takes any three.
    pub port: u16,
    /// No limits on requests.
    pub unlimited: bool,
}

/// Two accounts that answer on ports until this is dropped.
pub struct Ports {
    /// The simulated Zendesk.
    pub zendesk: ZendeskSim,
    /// The simulated ClickUp.
    pub clickup: ClickUpSim,
    /// Who and what is in them.
    pub scenario: Scenario,
    /// Zendesk's address.
    pub zendesk_url: String,
    /// ClickUp's address.
    pub clickup_url: String,
    slowness_ms: Arc<AtomicU64>,
    tasks: Vec<AbortHandle>,
}

/// Why two accounts cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum PortsError {
    /// A port is taken, or may not be used.
    #[error("port {port} cannot be used")]
    Port {
        /// Which.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The accounts cannot be made.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The network cannot be used at all.
    #[error("webhooks cannot be sent")]
    Transport(#[from] clients::TransportError),
}

impl Ports {
    /// Fills two accounts, unless they live in the folder already, and serves them. Needs a tokio runtime.
    pub fn open(options: PortsOptions) -> Result<Self, PortsError> {
        let listeners = [bind(options.port, 0)?, bind(options.port, 1)?, bind(options.port, 2)?];
        let [zendesk_url, clickup_url, files_url] = [0, 1, 2].map(|n| format!("http://{}", listeners[n].1));
        let place = options.dir.as_ref().map(|dir| dir.join("accounts"));
        if let Some(path) = &place {
            let failed = |source| WorldError::Directory { path: path.clone(), source };
            std::fs::create_dir_all(path).map_err(failed)?;
        }
        let file = |name: &str| place.as_ref().map(|dir| dir.join(name));
        let scenario = Scenario::make(&ScenarioOptions {
            tickets: options.tickets,
            seed: options.seed,
            csv: options.csv.clone(),
            internal_notes: false,
        })
        .map_err(WorldError::from)?;
        let post: Arc<dyn Outbound> = Arc::new(OverTheWire(HttpTransport::new()?));
        let mut zendesk = ZendeskOptions::new(options.clock.clone());
        zendesk.journal = file("zendesk.journal");
        zendesk.sync_user = scenario.cast.zendesk_sync;
        zendesk.unlimited = options.unlimited;
        zendesk.link_base.clone_from(&zendesk_url);
        zendesk.content_base.clone_from(&files_url);
        zendesk.outbound = Some(post.clone());
        let mut clickup = scenario::clickup_options(options.clock, options.seed);
        clickup.journal = file("clickup.journal");
        clickup.unlimited = options.unlimited;
        clickup.files_base = Some(files_url);
        clickup.outbound = Some(post);
        let zendesk = ZendeskSim::open(zendesk).map_err(WorldError::from)?;
        let clickup = ClickUpSim::open(clickup).map_err(WorldError::from)?;
        scenario.install(&zendesk, &clickup).map_err(WorldError::from)?;
        let slowness_ms = Arc::new(AtomicU64::new(0));
        let handlers = handlers(&zendesk, &clickup, &slowness_ms);
        let mut tasks = Vec::new();
        for ((listener, address), handler) in listeners.into_iter().zip(handlers) {
            let failed = |source| PortsError::Port { port: address.port(), source };
            let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
            tasks.push(tokio::spawn(serve(listener, handler)).abort_handle());
        }
        Ok(Self { zendesk, clickup, scenario, zendesk_url, clickup_url, slowness_ms, tasks })
    }

    /// From now on ClickUp takes this long for a change.
    pub fn slow_down(&self, ms: u64) {
        self.slowness_ms.store(ms, Ordering::Relaxed);
    }

    /// What both accounts say of a deskup that works beside them, for the judge: what it keeps itself, and since when it
    /// was told of changes.
    pub fn testimony(&self, kept: Kept, live_ms: i64) -> Testimony {
        let guests = |list: &&Json| list["guests"].as_array().is_some_and(|guests| !guests.is_empty());
        let lists = self.clickup.lists();
        let mark = |phase: &str, at_ms| Mark { phase: phase.to_owned(), at_ms, ..Mark::default() };
        Testimony {
            rules: Rules::of(&self.scenario),
            tickets: self.zendesk.tickets(),
            tasks: self.clickup.tasks(),
            zendesk_changes: self.zendesk.changes(),
            clickup_changes: self.clickup.changes(),
            guest_lists: lists
                .iter()
                .filter(guests)
                .filter_map(|list| Some(list["id"].as_str()?.into()))
                .collect(),
            kept,
            marks: vec![mark("live", live_ms)],
            delivered: BTreeSet::new(),
            refused: BTreeMap::new(),
            effort: Effort::default(),
            seed: 0,
            state_file: None,
        }
    }

    /// The workspace's id.
    pub fn workspace(&self) -> &'static str {
        WORKSPACE_ID
    }

    /// deskup's own credentials, as variables of the environment.
    pub fn credentials(&self) -> [(&'static str, String); 3] {
        [
            ("DESKUP_ZENDESK_CLIENT_ID", OAUTH_CLIENT.to_owned()),
            ("DESKUP_ZENDESK_CLIENT_SECRET", OAUTH_SECRET.to_owned()),
            ("DESKUP_CLICKUP_TOKEN", format!("pk_{CLICKUP_SYNC_ID}")),
        ]
    }
}

impl Drop for Ports {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

fn bind(first: u16, offset: u16) -> Result<(TcpListener, SocketAddr), PortsError> {
    let port = if first == 0 { 0 } else { first.saturating_add(offset) };
    let failed = |source| PortsError::Port { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Zendesk, ClickUp, and the files of both under one name that is neither's.
fn handlers(zendesk: &ZendeskSim, clickup: &ClickUpSim, slowness_ms: &Arc<AtomicU64>) -> [Handler; 3] {
    let (z, c) = (zendesk.clone(), clickup.clone());
    let files: Handler = Arc::new(move |request| match request.uri().path() {
        path if path.starts_with("/attachments/token/") => z.handle(request),
        _ => c.handle(request),
    });
    let (z, c, slowness_ms) = (zendesk.clone(), clickup.clone(), slowness_ms.clone());
    let changes: Handler = Arc::new(move |request| {
        let reads = request.method() == http::Method::GET;
        let ms = if reads { 0 } else { slowness_ms.load(Ordering::Relaxed) };
        let answer = c.handle(request);
        Box::pin(async move {
            if ms > 0 {
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
            answer.await
        })
    });
    [Arc::new(move |request| z.handle(request)), changes, files]
}

/// Webhooks as the services send them: to whatever address was registered.
struct OverTheWire(HttpTransport);

impl Outbound for OverTheWire {
    fn post(&self, request: Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, String>> {
        let transport = self.0.clone();
        Box::pin(async move { transport.send(request).await.map_err(|error| error.to_string()) })
    }
}
