//! Everything wired on one machine: clients, store, managers, engine and dispatcher. On AWS the template does
//! this; here it is a few function calls.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;

use clients::{ApiError, ClickUp, ClickUpConfig, Clock, Transport, Zendesk, ZendeskConfig, ZendeskLimits};
use domain::settings::Name;
use domain::{ListId, Mapping, Mistake, Settings};
use orchestration::{
    BudgetSettings, CheckpointManager, EmbeddedEngine, EngineError, RecoveryManager, ResourceManager,
};
use stores::{Store, StoreError};

use crate::access::Access;
use crate::dispatcher::Dispatcher;
use crate::halt::Halt;
use crate::hooks::Hooks;
use crate::sync::pilot::Pilot;
use crate::sync::probe::Scans;
use crate::sync::recognised::Known;
use crate::{Activity, Context, Options, access, directory, names, steps};

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
    let Connection {
        store,
        transport,
        clock,
        settings,
        zendesk,
        zendesk_limits,
        clickup,
        clickup_per_min,
        seed,
        options,
    } = connection;
    let settings = Settings::parse(&settings).map_err(ConnectError::Settings)?;
    let lists = lists_of(&settings).map_err(ConnectError::Settings)?;
    let budgets = budgets_of(&settings, &options);
    let resources = Arc::new(ResourceManager::new(store.clone(), clock.clone(), budgets));
    let seed = seed ^ options.incarnation.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let api = |what| move |source| ConnectError::Api { what, source };
    let zendesk = Zendesk::new(zendesk, transport.clone(), resources.clone(), clock.clone(), seed)
        .map_err(api("the Zendesk account cannot be used"))?
        .with_limits(zendesk_limits);
    let clickup = ClickUp::new(clickup, transport, resources.clone(), clock.clone(), seed)
        .map_err(api("the ClickUp workspace cannot be used"))?
        .with_limit(clickup_per_min);
    let mut directory = directory::load(&zendesk, &clickup, &lists).await?;
    let organizations = organizations_of(&settings);
    if !organizations.is_empty() {
        let found = zendesk.organizations(&organizations).await;
        directory.organizations =
            found.map_err(api("Zendesk's organizations could not be read"))?.into_iter().collect();
    }
    // Both accounts let us in: what an earlier process found is over.
    access::lift(&store).await?;
    let mapping = Mapping::new(&settings, &directory).map_err(ConnectError::Settings)?;
    names::keep(&store, &directory).await?;
    let cx = Arc::new(Context {
        recovery: Arc::new(RecoveryManager::new(store.clone())),
        checkpoints: Arc::new(CheckpointManager::new(store.clone())),
        store: store.clone(),
        zendesk,
        clickup,
        mapping: Arc::new(mapping),
        resources,
        clock: clock.clone(),
        hooks: Hooks::default(),
        access: Access::default(),
        activity: Activity::begin(clock.now_ms()),
        created: AtomicU64::new(0),
        scans: Scans::default(),
        pilot: Pilot::default(),
        recognised: Known::default(),
        gate: OnceLock::new(),
        writes: AtomicU64::new(0),
        halt: Halt::default(),
        options: options.clone(),
    });
    let engine = EmbeddedEngine::new(steps::registry(&cx), store.clone(), clock, seed, options.incarnation);
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
