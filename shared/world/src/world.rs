//! A world: both simulated services, the wire, the clock, the people and the judge, with the phases of
//! its life as functions that tests and the `demo` command share. deskup itself is handed in.

pub mod chronicle;
mod clock;
mod engine;
#[cfg(test)]
mod flow;
pub mod options;
mod phases;
mod settle;
pub mod wire;

use std::sync::Arc;

use clients::{
    ClickUpConfig, ClickUpCredentials, Clock, Secret, Transport, ZendeskConfig, ZendeskCredentials,
};
use futures::future::BoxFuture;
use http::{Request, Response};
use orchestration::BudgetSettings;
use simulators::clickup::ClickUpSim;
use simulators::zendesk::{ZendeskOptions, ZendeskSim};
use simulators::{Change, Faults, SimError};

use self::chronicle::Chronicle;
pub use self::clock::WorldClock;
pub use self::options::{PlanLimits, WorldFaults, WorldOptions};
pub use self::wire::{TrapAt, Wire, webhook_url};
use crate::judge::Rules;
use crate::judge::testimony::Calls;
use crate::people::Service;
use crate::people::mischief::Copier;
use crate::scenario::{self, START_MS, Scenario, ScenarioError, ScenarioOptions};
use crate::seedwork::cast::CLICKUP_SYNC_ID;
use crate::seedwork::settings::{self, CLICKUP_URL, OAUTH_CLIENT, OAUTH_SECRET, ZENDESK_URL};
use crate::seedwork::workspace::WORKSPACE_ID;

/// A world that is opened again goes on this long after the newest moment in its logs.
const RESUME_GAP_MS: i64 = 1_000;

/// Why a world cannot be made, or does not come to an end.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The ticket texts or the seeding failed.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// A simulated service or the world's log cannot be kept.
    #[error(transparent)]
    Simulator(#[from] SimError),
    /// The directory cannot be made.
    #[error("the directory {} cannot be used", path.display())]
    Directory {
        /// Which.
        path: std::path::PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The directory holds another world.
    #[error(
        "this directory holds a world of {tickets} tickets and seed {seed}; go on with these, or start over with --fresh"
    )]
    OtherWorld {
        /// Its tickets.
        tickets: usize,
        /// Its seed.
        seed: u64,
    },
    /// deskup failed in a phase.
    #[error("deskup failed")]
    Deskup(#[source] anyhow::Error),
    /// Nothing settles.
    #[error("the world does not come to rest: {what}")]
    Restless {
        /// What still moves.
        what: &'static str,
    },
}

/// What deskup is given to reach a world.
#[derive(Clone)]
pub struct Access {
    /// Carries its requests.
    pub transport: Arc<dyn Transport>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The text of `deskup.toml`.
    pub settings: String,
    /// The Zendesk account, by OAuth client credentials.
    pub zendesk: ZendeskConfig,
    /// The ClickUp workspace, by personal token.
    pub clickup: ClickUpConfig,
    /// The seed for nonces and jitter.
    pub seed: u64,
    /// How many processes have opened this world: a repeated seed must not repeat nonces.
    pub incarnation: u64,
}

/// A world.
pub struct World {
    options: WorldOptions,
    scenario: Arc<Scenario>,
    rules: Rules,
    zendesk: ZendeskSim,
    clickup: ClickUpSim,
    clock: Arc<WorldClock>,
    chronicle: Arc<Chronicle>,
    wire: Arc<Wire>,
}

impl World {
    /// Makes a world, or opens the one that lives in the directory. Needs a tokio runtime; with a paused
    /// clock its time is virtual.
    pub fn open(options: WorldOptions) -> Result<Self, WorldError> {
        let place = options.dir.as_ref().map(|dir| dir.join("world"));
        if let Some(path) = &place {
            let failed = |source| WorldError::Directory { path: path.clone(), source };
            std::fs::create_dir_all(path).map_err(failed)?;
        }
        let file = |name: &str| place.as_ref().map(|dir| dir.join(name));
        let chronicle = Chronicle::open(file("world.journal").as_deref())?;
        same_world(&chronicle, &options)?;
        let scenario = Arc::new(Scenario::make(&ScenarioOptions {
            tickets: options.tickets,
            seed: options.seed,
            csv: options.csv.clone(),
            internal_notes: options.internal_notes,
        })?);
        let clock = WorldClock::new(START_MS);
        let incarnation = chronicle.incarnation() + 1;
        let zendesk_options =
            zendesk_options(&options, &scenario, &clock, incarnation, file("zendesk.journal"));
        let clickup_options = clickup_options(&options, &clock, file("clickup.journal"));
        let clickup_files = clickup_options.attachment_host();
        let zendesk_others = vec![zendesk_options.content_base.clone(), zendesk_options.link_base.clone()];
        let zendesk = ZendeskSim::open(zendesk_options)?;
        let clickup = ClickUpSim::open(clickup_options)?;
        if let Some(per_min) = options.limits.clickup_per_min {
            clickup.change_limit(per_min);
        }
        // Nothing runs before the clock is right: deliveries that were pending start with the next await.
        if let Some(newest_ms) = newest_ms(&zendesk, &clickup, &chronicle) {
            clock.advance_to(newest_ms + RESUME_GAP_MS);
        }
        chronicle.opened(clock.now_ms())?;
        let chronicle = Arc::new(chronicle);
        let ends = wire::Ends {
            zendesk: zendesk.clone(),
            clickup: clickup.clone(),
            clickup_files,
            zendesk_others,
            clock: clock.clone(),
            chronicle: chronicle.clone(),
        };
        let wire = Wire::new(ends, &options);
        zendesk.deliver_through(Arc::new(wire::Post(Arc::downgrade(&wire))));
        clickup.set_outbound(Arc::new(wire::Post(Arc::downgrade(&wire))));
        let rules = Rules::of(&scenario);
        Ok(Self { options, scenario, rules, zendesk, clickup, clock, chronicle, wire })
    }

    /// The text of `deskup.toml` for somebody who reaches both services elsewhere.
    pub fn settings_at(&self, zendesk_url: &str, clickup_url: &str) -> String {
        settings::text(&self.scenario, zendesk_url, clickup_url)
    }

    /// What deskup needs to reach this world.
    pub fn access(&self) -> Access {
        Access {
            transport: self.wire.clone(),
            clock: self.clock.clone(),
            settings: settings::text(&self.scenario, ZENDESK_URL, CLICKUP_URL),
            zendesk: ZendeskConfig {
                base_url: ZENDESK_URL.to_owned(),
                credentials: ZendeskCredentials::OAuthClient {
                    client_id: OAUTH_CLIENT.to_owned(),
                    client_secret: Secret::new(OAUTH_SECRET),
                    scope: "read write".to_owned(),
                },
            },
            clickup: ClickUpConfig {
                base_url: CLICKUP_URL.to_owned(),
                token: ClickUpCredentials::Personal(Secret::new(format!("pk_{CLICKUP_SYNC_ID}"))),
                workspace: WORKSPACE_ID.to_owned(),
            },
            seed: self.options.seed,
            incarnation: self.chronicle.incarnation(),
        }
    }

    /// Marks the beginning of a phase.
    pub fn phase(&self, name: &str) -> Result<(), WorldError> {
        Ok(self.chronicle.phase(self.now_ms(), name)?)
    }

    /// How much of the world's time a phase took, all its runs together.
    pub fn took_ms(&self, phase: &str) -> i64 {
        self.chronicle.took_ms(phase, self.now_ms())
    }

    /// The time of the world.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Calls of deskup so far, of every process.
    pub fn calls(&self) -> Calls {
        self.chronicle.calls()
    }

    /// The world's own log.
    pub fn chronicle(&self) -> Arc<Chronicle> {
        self.chronicle.clone()
    }

    /// The wire: traps for kills, credentials that leaked.
    pub fn wire(&self) -> &Arc<Wire> {
        &self.wire
    }

    /// The simulated Zendesk.
    pub fn zendesk(&self) -> &ZendeskSim {
        &self.zendesk
    }

    /// The simulated ClickUp.
    pub fn clickup(&self) -> &ClickUpSim {
        &self.clickup
    }

    /// What the world was drawn from.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// What the mapping means.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The options it was made with.
    pub fn options(&self) -> &WorldOptions {
        &self.options
    }
}

impl Drop for World {
    /// deskup holds the wire and the wire holds deskup: without this neither would let go of its files.
    fn drop(&mut self) {
        self.wire.listen(None);
    }
}

fn same_world(chronicle: &Chronicle, options: &WorldOptions) -> Result<(), WorldError> {
    match chronicle.born() {
        Some((tickets, seed, notes))
            if (tickets, seed, notes) != (options.tickets, options.seed, options.internal_notes) =>
        {
            Err(WorldError::OtherWorld { tickets, seed })
        }
        _ => Ok(()),
    }
}

/// The newest moment any log knows of.
fn newest_ms(zendesk: &ZendeskSim, clickup: &ClickUpSim, chronicle: &Chronicle) -> Option<i64> {
    let newest = |changes: Vec<Change>| changes.last().map(|change| change.at_ms);
    let noted = Some(chronicle.newest_ms()).filter(|ms| *ms > 0);
    newest(zendesk.changes()).max(newest(clickup.changes())).max(noted)
}

fn zendesk_options(
    options: &WorldOptions,
    scenario: &Scenario,
    clock: &Arc<WorldClock>,
    incarnation: u64,
    journal: Option<std::path::PathBuf>,
) -> ZendeskOptions {
    let mut zendesk = ZendeskOptions::new(clock.for_simulators());
    zendesk.journal = journal;
    zendesk.sync_user = scenario.cast.zendesk_sync;
    zendesk.requests_per_min = options.limits.zendesk_per_min;
    zendesk.updates_per_min = options.limits.zendesk_updates_per_min;
    zendesk.updates_percent = BudgetSettings::default().ticket_update_share_percent;
    zendesk.incremental_per_min = options.limits.zendesk_exports_per_min;
    zendesk.comments_max = options.limits.zendesk_comments_max;
    zendesk.upload_token_ms = options.limits.zendesk_upload_token_ms;
    zendesk.job_kept_ms = options.limits.zendesk_job_kept_ms;
    zendesk.unlimited = options.unlimited;
    zendesk.faults = faults(&options.faults, options.seed ^ incarnation.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    zendesk
}

fn clickup_options(
    options: &WorldOptions,
    clock: &Arc<WorldClock>,
    journal: Option<std::path::PathBuf>,
) -> simulators::clickup::ClickUpOptions {
    let mut clickup = scenario::clickup_options(clock.for_simulators(), options.seed);
    clickup.journal = journal;
    clickup.plan = options.limits.clickup;
    clickup.list_tasks_max = options.limits.clickup_list_tasks_max;
    clickup.unlimited = options.unlimited;
    clickup.faults = faults(&options.faults, options.seed);
    clickup
}

fn faults(faults: &WorldFaults, seed: u64) -> Faults {
    Faults {
        seed,
        webhook_drop: faults.webhook_drop,
        webhook_duplicate: faults.webhook_duplicate,
        webhook_delay_ms: faults.webhook_delay_ms,
        visibility_delay_ms: faults.visibility_delay_ms,
        server_error: faults.server_error,
        too_many: faults.too_many,
    }
}

impl Service for ZendeskSim {
    fn handle(&self, request: Request<bytes::Bytes>) -> BoxFuture<'static, Response<bytes::Bytes>> {
        ZendeskSim::handle(self, request)
    }

    fn changes_after(&self, seq: u64) -> Vec<Change> {
        ZendeskSim::changes_after(self, seq)
    }
}

impl Service for ClickUpSim {
    fn handle(&self, request: Request<bytes::Bytes>) -> BoxFuture<'static, Response<bytes::Bytes>> {
        ClickUpSim::handle(self, request)
    }

    fn changes_after(&self, seq: u64) -> Vec<Change> {
        ClickUpSim::changes_after(self, seq)
    }
}

impl Copier for ClickUpSim {
    fn duplicate(&self, task: &str, actor: i64, edit: &str) -> bool {
        self.duplicate_task(task, actor, Some(edit)).is_ok()
    }

    fn recur(&self, task: &str, actor: i64, edit: &str) -> bool {
        self.recur_task(task, actor, Some(edit)).is_ok()
    }
}
