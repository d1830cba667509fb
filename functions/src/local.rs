//! Everything wired on one machine: clients, store, managers, engine and dispatcher. On AWS the template does
//! this; here it is a few function calls.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;

use clients::{ApiError, ClickUp, ClickUpConfig, Clock, Transport, Zendesk, ZendeskConfig, ZendeskLimits};
use domain::settings::Name;
use domain::{Directory, ListId, Mapping, Mistake, Settings};
use orchestration::{
    BudgetSettings, CheckpointManager, EmbeddedEngine, EngineError, RecoveryManager, ResourceManager,
    TaskScheduler,
};
use stores::{Store, StoreError};

use crate::access::Access;
use crate::dispatcher::Dispatcher;
use crate::halt::Halt;
use crate::hooks::Hooks;
use crate::steps::poll_tasks::Agreed;
use crate::sync::misfit::Lists;
use crate::sync::pilot::Pilot;
use crate::sync::probe::Scans;
use crate::sync::recognised::Known;
use crate::{Activity, Context, Options, access, directory, names, steps};

/// What every ClickUp plan allows in a minute; its headers tell of more.
pub const CLICKUP_PER_MIN: u32 = 100;

/// Requests booked at once by a command that runs for a while and ends.
const BLOCK_ALONE: u32 = 1;

/// Why a machine could not be connected.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The settings do not fit together, or do not fit the accounts.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Settings(Vec<Mistake>),
    /// A service refused or did not answer.
    #[error("{what}")]
    Api {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        source: ApiError,
    },
    /// What signs deliveries could not be written down for the intake.
    #[error("the secrets of the webhooks could not be kept: {0}")]
    Keep(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What an earlier process left behind could not be put in order.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// What connecting needs.
pub struct Connection {
    /// deskup's state.
    pub store: Store,
    /// How requests leave.
    pub transport: Arc<dyn Transport>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Text of `deskup.toml`.
    pub settings: String,
    /// The Zendesk account.
    pub zendesk: ZendeskConfig,
    /// What to assume of its limits until its headers tell.
    pub zendesk_limits: ZendeskLimits,
    /// The ClickUp workspace.
    pub clickup: ClickUpConfig,
    /// Its requests a minute, until its headers tell.
    pub clickup_per_min: u32,
    /// All randomness comes from here.
    pub seed: u64,
    /// Numbers that a deployment may change.
    pub options: Options,
}

/// A deskup on one machine.
pub struct Local {
    /// What the steps see.
    pub cx: Arc<Context>,
    /// What runs executions.
    pub engine: Arc<EmbeddedEngine>,
    /// What starts them.
    pub dispatcher: Arc<Dispatcher>,
}

/// Checks the credentials, reads both accounts, checks the mapping against them, and wires everything.
pub async fn connect(connection: Connection) -> Result<Local, ConnectError> {
    let settings = Settings::parse(&connection.settings).map_err(ConnectError::Settings)?;
    let clients = connection.clients(&settings)?;
    let directory = clients.directory(&settings).await?;
    let store = connection.store.clone();
    // Both accounts let us in: what an earlier process found is over.
    access::lift(&store).await?;
    let (clock, seed, incarnation) =
        (connection.clock.clone(), connection.seed(), connection.options.incarnation);
    let cx = Arc::new(context(connection, clients, &settings, &directory)?);
    names::keep(&store, &directory).await?;
    let engine = EmbeddedEngine::new(steps::registry(&cx), store.clone(), clock, seed, incarnation);
    if store.is_guest() {
        // Whoever holds the state runs its executions.
        let dispatcher = Dispatcher::new(cx.clone(), engine.clone());
        return Ok(Local { cx, engine, dispatcher });
    }
    // Their work needs no redrive: claims run out, intents become probes, the backfill's place is kept.
    for execution in engine.close_abandoned().await? {
        tracing::info!(execution = %execution.id, "an execution ended with its process");
    }
    let dispatcher = Dispatcher::new(cx.clone(), engine.clone());
    Ok(Local { cx, engine, dispatcher })
}

impl Connection {
    /// Two processes on one state draw differently.
    fn seed(&self) -> u64 {
        self.seed ^ self.options.incarnation.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    fn clients(&self, settings: &Settings) -> Result<Clients, ConnectError> {
        let api = |what| move |source| ConnectError::Api { what, source };
        let (transport, clock, seed) = (&self.transport, &self.clock, self.seed());
        let budgets = budgets_of(settings, &self.options);
        let resources = Arc::new(ResourceManager::new(self.store.clone(), clock.clone(), budgets));
        let zendesk =
            Zendesk::new(self.zendesk.clone(), transport.clone(), resources.clone(), clock.clone(), seed)
                .map_err(api("the Zendesk account cannot be used"))?
                .with_limits(self.zendesk_limits);
        let clickup =
            ClickUp::new(self.clickup.clone(), transport.clone(), resources.clone(), clock.clone(), seed)
                .map_err(api("the ClickUp workspace cannot be used"))?
                .with_limit(self.clickup_per_min);
        Ok(Clients { zendesk, clickup, resources })
    }
}

/// Both clients, and the budgets they share.
struct Clients {
    zendesk: Zendesk,
    clickup: ClickUp,
    resources: Arc<ResourceManager>,
}

impl Clients {
    /// Asks both services who and what there is, as far as the settings name it.
    async fn directory(&self, settings: &Settings) -> Result<Directory, ConnectError> {
        let lists = lists_of(settings).map_err(ConnectError::Settings)?;
        let mut directory = directory::load(&self.zendesk, &self.clickup, &lists).await?;
        let organizations = organizations_of(settings);
        if !organizations.is_empty() {
            let found = self.zendesk.organizations(&organizations).await;
            let found = found.map_err(|source| ConnectError::Api {
                what: "Zendesk's organizations could not be read",
                source,
            })?;
            directory.organizations = found.into_iter().collect();
        }
        Ok(directory)
    }
}

/// Asks both services who and what there is, as far as the settings name it.
pub async fn read_directory(connection: &Connection, settings: &Settings) -> Result<Directory, ConnectError> {
    connection.clients(settings)?.directory(settings).await
}

/// The context of a deskup that knows both accounts already: nobody is asked.
pub fn assemble(
    connection: Connection,
    settings: &Settings,
    directory: &Directory,
) -> Result<Context, ConnectError> {
    let clients = connection.clients(settings)?;
    context(connection, clients, settings, directory)
}

fn context(
    connection: Connection,
    clients: Clients,
    settings: &Settings,
    directory: &Directory,
) -> Result<Context, ConnectError> {
    let mapping = Mapping::new(settings, directory).map_err(ConnectError::Settings)?;
    let Connection { store, clock, options, .. } = connection;
    let Clients { zendesk, clickup, resources } = clients;
    let recovery = Arc::new(RecoveryManager::new(store.clone()));
    Ok(Context {
        scheduler: TaskScheduler::new(store.clone(), recovery.clone(), resources.clone()),
        recovery,
        checkpoints: Arc::new(CheckpointManager::new(store.clone())),
        activity: Activity::begin(clock.now_ms()),
        store,
        zendesk,
        clickup,
        mapping: Arc::new(mapping),
        resources,
        clock,
        hooks: Hooks::default(),
        agreed: Agreed::default(),
        access: Access::default(),
        created: AtomicU64::new(0),
        scans: Scans::default(),
        lists: Lists::default(),
        pilot: Pilot::default(),
        recognised: Known::default(),
        gate: OnceLock::new(),
        writes: AtomicU64::new(0),
        halt: Halt::default(),
        options,
    })
}

fn budgets_of(settings: &Settings, options: &Options) -> BudgetSettings {
    let mut budgets = BudgetSettings {
        ticket_update_share_percent: u32::from(settings.zendesk_update_share),
        ..BudgetSettings::default()
    };
    if options.alone {
        (budgets.backfill_reserve_percent, budgets.reconcile_reserve_percent) = (0, 0);
        // What a process has booked and not used is lost to the next one, and commands follow each other.
        budgets.block_max = BLOCK_ALONE;
    }
    budgets
}

/// The organizations that routes and filter name by number: an account may have too many to read them all.
pub(crate) fn organizations_of(settings: &Settings) -> Vec<u64> {
    let routes = settings.routes.iter().flat_map(|route| &route.when.organization);
    let names = routes.chain(&settings.filter.when.organization);
    names
        .filter_map(|name| match &name.value {
            Name::Number(number) => Some(*number),
            Name::Text(text) => text.parse().ok(),
        })
        .collect()
}

/// The lists that the routes name. Names are looked up when accounts are set up; a running sync has ids.
pub(crate) fn lists_of(settings: &Settings) -> Result<Vec<ListId>, Vec<Mistake>> {
    let mut lists = Vec::new();
    let mut mistakes = Vec::new();
    for route in &settings.routes {
        let text = match &route.list.value {
            Name::Text(text) => text.clone(),
            Name::Number(number) => number.to_string(),
        };
        match ListId::new(text) {
            Ok(list) if !lists.contains(&list) => lists.push(list),
            Ok(_) => {}
            Err(_) => mistakes.push(
                route.list.mistake("this is not the id of a ClickUp list: copy it from the list's link"),
            ),
        }
    }
    if mistakes.is_empty() { Ok(lists) } else { Err(mistakes) }
}
