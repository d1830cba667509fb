//! Everything wired on one machine: clients, store, managers, engine and dispatcher. On AWS the template does
//! this; here it is a few function calls.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, RwLock};

use clients::{ApiError, ClickUp, ClickUpConfig, Clock, Transport, Zendesk, ZendeskConfig, ZendeskLimits};
use domain::settings::Name;
use domain::{ListId, Mapping, Mistake, Settings};
use orchestration::{
    BudgetSettings, CheckpointManager, EmbeddedEngine, EngineError, RecoveryManager, ResourceManager,
};
use stores::{Store, StoreError};

use crate::dispatcher::Dispatcher;
use crate::sync::pilot::Pilot;
use crate::sync::probe::Scans;
use crate::{Context, Options, WebhookSecrets, directory, steps};

/// What a ticket sync listens to on Zendesk.
const ZENDESK_EVENTS: [&str; 17] = [
    "agent_assignment_changed",
    "attachment_linked_to_comment",
    "comment_added",
    "created",
    "custom_field_changed",
    "custom_status_changed",
    "form_changed",
    "group_assignment_changed",
    "organization_changed",
    "priority_changed",
    "soft_deleted",
    "status_changed",
    "subject_changed",
    "tags_changed",
    "task_due_at_changed",
    "type_changed",
    "undeleted",
];

/// What a ticket sync listens to on ClickUp.
const CLICKUP_EVENTS: [&str; 12] = [
    "taskCreated",
    "taskUpdated",
    "taskDeleted",
    "taskPriorityUpdated",
    "taskStatusUpdated",
    "taskAssigneeUpdated",
    "taskDueDateUpdated",
    "taskTagUpdated",
    "taskMoved",
    "taskCommentPosted",
    "taskCommentUpdated",
    "taskTimeEstimateUpdated",
];

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
    let resources = Arc::new(ResourceManager::new(
        store.clone(),
        clock.clone(),
        BudgetSettings {
            ticket_update_share_percent: u32::from(settings.zendesk_update_share),
            ..BudgetSettings::default()
        },
    ));
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
    let mapping = Mapping::new(&settings, &directory).map_err(ConnectError::Settings)?;
    let cx = Arc::new(Context {
        recovery: Arc::new(RecoveryManager::new(store.clone())),
        checkpoints: Arc::new(CheckpointManager::new(store.clone())),
        store: store.clone(),
        zendesk,
        clickup,
        mapping: Arc::new(mapping),
        resources,
        clock: clock.clone(),
        secrets: Arc::new(RwLock::new(WebhookSecrets::default())),
        created: AtomicU64::new(0),
        scans: Scans::default(),
        pilot: Pilot::default(),
        options: options.clone(),
    });
    let engine = EmbeddedEngine::new(steps::registry(&cx), store, clock, seed, options.incarnation);
    // Their work needs no redrive: claims run out, intents become probes, the backfill's place is kept.
    for execution in engine.close_abandoned().await? {
        tracing::info!(execution = %execution.id, "an execution ended with its process");
    }
    let dispatcher = Dispatcher::new(cx.clone(), engine.clone());
    Ok(Local { cx, engine, dispatcher })
}

/// The organizations that routes and filter name by number: an account may have too many to read them all.
fn organizations_of(settings: &Settings) -> Vec<u64> {
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
fn lists_of(settings: &Settings) -> Result<Vec<ListId>, Vec<Mistake>> {
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

/// Makes sure that both services tell about changes, and learns the secrets they sign with. Repeatable.
pub async fn register_webhooks(
    cx: &Context,
    zendesk_endpoint: &str,
    clickup_endpoint: &str,
) -> Result<(), ConnectError> {
    let api = |what| move |source| ConnectError::Api { what, source };
    let hooks = cx.zendesk.webhooks().await.map_err(api("Zendesk's webhooks could not be read"))?;
    let hook = match hooks.into_iter().find(|hook| hook.endpoint == zendesk_endpoint) {
        Some(hook) => hook,
        None => {
            let events: Vec<String> =
                ZENDESK_EVENTS.iter().map(|event| format!("zen:event-type:ticket.{event}")).collect();
            let events: Vec<&str> = events.iter().map(String::as_str).collect();
            cx.zendesk
                .create_webhook("deskup", zendesk_endpoint, &events)
                .await
                .map_err(api("the Zendesk webhook could not be created"))?
        }
    };
    let secret = cx
        .zendesk
        .webhook_secret(&hook.id)
        .await
        .map_err(api("the Zendesk webhook's secret could not be read"))?;
    let hooks = cx.clickup.webhooks().await.map_err(api("ClickUp's webhooks could not be read"))?;
    let known = hooks.into_iter().find(|hook| hook.endpoint == clickup_endpoint).and_then(|hook| hook.secret);
    let clickup = match known {
        Some(secret) => secret,
        None => {
            cx.clickup
                .create_webhook(clickup_endpoint, &CLICKUP_EVENTS, None)
                .await
                .map_err(api("the ClickUp webhook could not be created"))?
                .secret
        }
    };
    if let Ok(mut secrets) = cx.secrets.write() {
        secrets.zendesk = vec![secret];
        secrets.clickup = vec![clickup];
    }
    Ok(())
}
