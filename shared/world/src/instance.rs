//! The real deskup in a world: its store, its clients on the world's transport, its engine and its dispatcher.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use clients::{Api, ClickUpConfig, Clock, Transport, ZendeskConfig, ZendeskLimits};
use domain::Side;
use functions::backfill::Place;
use functions::local::{self, Connection, Local};
use functions::{Options, registration, webhook};
use futures::FutureExt;
use futures::future::BoxFuture;
use stores::Store;
use tokio::task::AbortHandle;

use crate::deskup::{Deskup, Effort, Kept};
use crate::kept;
use crate::progress::{Phase, Progress, Step};
use crate::world::{World, webhook_url};

/// How often a running backfill is looked at, for its progress.
const LOOK_EVERY_MS: u64 = 1_000;

/// What the clients assume where nothing is limited.
const UNLIMITED_PER_MIN: u32 = 1_000_000;

/// What a deskup in a world is made of.
pub struct InstanceOptions {
    /// deskup's state.
    pub store: Store,
    /// Leads to the simulators.
    pub transport: Arc<dyn Transport>,
    /// The world's clock.
    pub clock: Arc<dyn Clock>,
    /// Text of `deskup.toml`.
    pub settings: String,
    /// The Zendesk account.
    pub zendesk: ZendeskConfig,
    /// Its limits, by plan.
    pub zendesk_limits: ZendeskLimits,
    /// The ClickUp workspace.
    pub clickup: ClickUpConfig,
    /// Its requests a minute, by plan.
    pub clickup_per_min: u32,
    /// Where both services send their events.
    pub endpoints: (String, String),
    /// The world's seed.
    pub seed: u64,
    /// Numbers of the deployment.
    pub options: Options,
    /// How many tickets there are, for the progress.
    pub tickets: u64,
    /// API calls so far, for the progress.
    pub calls: Arc<dyn Fn() -> u64 + Send + Sync>,
}

/// A running deskup.
pub struct Instance {
    options: InstanceOptions,
    ready: Arc<OnceLock<Local>>,
    tasks: Mutex<Vec<AbortHandle>>,
    live: tokio::sync::Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Instance {
    /// A deskup that has not looked at the world yet.
    pub fn new(options: InstanceOptions) -> Arc<Self> {
        Arc::new(Self {
            options,
            ready: Arc::new(OnceLock::new()),
            tasks: Mutex::default(),
            live: tokio::sync::Mutex::default(),
        })
    }

    /// What it is made of, once prepared.
    pub fn local(&self) -> anyhow::Result<&Local> {
        self.ready.get().ok_or_else(|| anyhow!("deskup has not been prepared"))
    }

    async fn connect(&self) -> anyhow::Result<()> {
        if self.ready.get().is_some() {
            return Ok(());
        }
        let options = &self.options;
        let local = local::connect(options.connection()).await?;
        let (zendesk, clickup) = &options.endpoints;
        registration::register_webhooks(&local.cx, zendesk, clickup).await?;
        // Losing a race against oneself changes nothing.
        let _ = self.ready.set(local);
        Ok(())
    }

    async fn bring_over(&self, progress: &dyn Progress) -> anyhow::Result<()> {
        let local = self.local()?;
        loop {
            let place = Place::load(&local.cx, 1, local.cx.now_ms()).await?.0;
            if place.done {
                return Ok(());
            }
            let backfill = local.dispatcher.backfill(1);
            tokio::pin!(backfill);
            let outcome = loop {
                tokio::select! {
                    biased;
                    outcome = &mut backfill => break outcome?,
                    () = tokio::time::sleep(std::time::Duration::from_millis(LOOK_EVERY_MS)) => {
                        self.tell(local, progress).await?;
                    }
                }
            };
            if !outcome.succeeded() {
                let (error, cause) = (outcome.error.unwrap_or_default(), outcome.cause.unwrap_or_default());
                bail!("the backfill ended as {}: {error}: {cause}", outcome.status);
            }
            self.tell(local, progress).await?;
        }
    }

    async fn tell(&self, local: &Local, progress: &dyn Progress) -> anyhow::Result<()> {
        let budgets = local.cx.resources.used();
        let token = budgets.iter().find(|budget| budget.api == Api::Clickup);
        let (used, limit) = token.map_or((0, 0), |budget| (budget.used, budget.limit));
        let done = local.cx.created.load(std::sync::atomic::Ordering::Relaxed);
        let total = self.options.tickets;
        let left = total.saturating_sub(done);
        progress.step(
            Phase::Backfill,
            &Step {
                done: done.min(total),
                total: Some(total),
                calls: (self.options.calls)(),
                budget_percent: (limit > 0)
                    .then(|| u8::try_from((used * 100 / limit).min(100)).unwrap_or(100)),
                left_ms: (limit > 0).then(|| i64::try_from(left * 60_000 / u64::from(limit)).unwrap_or(0)),
            },
        );
        Ok(())
    }

    async fn is_idle(&self) -> anyhow::Result<bool> {
        let Some(local) = self.ready.get() else { return Ok(true) };
        if local.dispatcher.is_running() {
            return Ok(false);
        }
        Ok(!self.options.store.work().is_any().await?)
    }
}

impl Deskup for Instance {
    fn prepare(&self) -> BoxFuture<'_, anyhow::Result<()>> {
        self.connect().boxed()
    }

    fn backfill<'a>(&'a self, progress: &'a dyn Progress) -> BoxFuture<'a, anyhow::Result<()>> {
        async move { self.bring_over(progress).await.context("the backfill failed") }.boxed()
    }

    fn start_live(&self) {
        let Some(local) = self.ready.get() else { return };
        let task = tokio::spawn(local.dispatcher.clone().run());
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task.abort_handle());
        if let Ok(mut live) = self.live.try_lock() {
            *live = Some(task);
        }
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        async move {
            if let Some(local) = self.ready.get() {
                local.dispatcher.stop();
            }
            if let Some(task) = self.live.lock().await.take() {
                // An aborted loop has nothing left to finish.
                let _ = task.await;
            }
        }
        .boxed()
    }

    fn abort(&self) {
        for task in self.tasks.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
    }

    fn idle(&self) -> BoxFuture<'_, anyhow::Result<bool>> {
        self.is_idle().boxed()
    }

    fn poll(&self) -> BoxFuture<'_, anyhow::Result<()>> {
        async move {
            let outcome = self.local()?.dispatcher.poll().await?;
            if !outcome.succeeded() {
                bail!("a poll ended as {}: {}", outcome.status, outcome.error.unwrap_or_default());
            }
            Ok(())
        }
        .boxed()
    }

    fn webhook(
        &self,
        side: Side,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'static, http::Response<Bytes>> {
        let ready = self.ready.clone();
        async move {
            let Some(local) = ready.get() else {
                let mut response = http::Response::new(Bytes::new());
                *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
                return response;
            };
            let answered = webhook::handle(&local.cx, side, request).await;
            local.dispatcher.wake();
            answered.response
        }
        .boxed()
    }

    fn kept(&self) -> BoxFuture<'_, anyhow::Result<Kept>> {
        kept::read(&self.options.store).boxed()
    }

    fn effort(&self) -> Effort {
        let Some(local) = self.ready.get() else { return Effort::default() };
        let totals = local.engine.totals();
        let pick = |of: fn(&orchestration::Totals) -> u64| -> BTreeMap<String, u64> {
            totals.iter().map(|(name, totals)| (name.clone(), of(totals))).collect()
        };
        Effort { executions: pick(|t| t.executions), transitions: pick(|t| t.transitions) }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.abort();
    }
}

impl Instance {
    /// The deskup of a world, on this store. Its state belongs to it alone; the world outlives it.
    pub fn in_world(world: &World, store: Store) -> Arc<Self> {
        Self::new(InstanceOptions::of(world, store))
    }
}

impl InstanceOptions {
    /// What leads to both accounts.
    pub fn connection(&self) -> Connection {
        Connection {
            store: self.store.clone(),
            transport: self.transport.clone(),
            clock: self.clock.clone(),
            settings: self.settings.clone(),
            zendesk: self.zendesk.clone(),
            zendesk_limits: self.zendesk_limits,
            clickup: self.clickup.clone(),
            clickup_per_min: self.clickup_per_min,
            seed: self.seed,
            options: self.options.clone(),
        }
    }

    /// What the deskup of a world is made of.
    pub fn of(world: &World, store: Store) -> Self {
        let access = world.access();
        let limits = world.options().limits;
        let (zendesk_per_min, clickup_per_min) = if world.options().unlimited {
            (UNLIMITED_PER_MIN, UNLIMITED_PER_MIN)
        } else {
            (limits.zendesk_per_min, limits.clickup_requests_per_min())
        };
        let incarnation = access.incarnation.max(store.incarnation());
        let chronicle = world.chronicle();
        let ticket_url = format!("{}/agent/tickets/", access.zendesk.base_url);
        Self {
            store,
            transport: access.transport,
            clock: access.clock,
            settings: access.settings,
            zendesk: access.zendesk,
            zendesk_limits: ZendeskLimits {
                account_per_min: zendesk_per_min,
                ticket_updates_per_min: limits.zendesk_updates_per_min,
                incremental_per_min: limits.zendesk_exports_per_min,
            },
            clickup: access.clickup,
            clickup_per_min,
            endpoints: (webhook_url(Side::Zendesk), webhook_url(Side::Clickup)),
            seed: access.seed,
            options: Options { incarnation, ticket_url, ..Options::default() },
            tickets: world.scenario().tickets.len() as u64,
            calls: Arc::new(move || chronicle.calls_total()),
        }
    }
}
