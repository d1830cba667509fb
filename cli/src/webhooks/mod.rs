//! The webhooks of both accounts: set up, looked at, tried, renewed and removed by hand. A serving deskup finds
//! out about all of it by itself.

mod draw;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clients::{ClickUp, NoPacer, Pacer, Zendesk};
use domain::Side;
use domain::settings::serve::public_url;
use functions::reach::{self, Checked, Reach, Reached};
use functions::registration::{self, Accounts, Endpoints, Hook};
use functions::rotation::{self, Keeper, NoKeeper, Rotated};
use orchestration::{BudgetSettings, ResourceManager};
use serde::Serialize;
use serde_json::json;
use stores::Store;

use crate::credentials;
use crate::failure::Failed;
use crate::installation::{Folder, Installation};
use crate::machine::{self, WallClock};
use crate::stack;
use crate::terminal::{self, Screen};

/// Options of `webhooks`.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::help::WEBHOOKS)]
pub struct WebhooksArgs {
    #[command(subcommand)]
    command: What,
}

/// What to do with them.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the webhooks of both accounts
    List(Common),
    /// Make sure that both accounts tell deskup about changes
    Register(Common),
    /// Look at both and send a delivery through the public URL
    Check(Common),
    /// Give both new secrets while deliveries go on
    Rotate(RotateArgs),
    /// Remove those that lead to deskup
    Remove(RemoveArgs),
}

impl What {
    /// Whether it looks for webhooks that a deskup made: then the address that it kept tells which they are.
    fn is_about_what_is_there(&self) -> bool {
        matches!(self, What::List(_) | What::Check(_) | What::Rotate(_))
    }
}

/// Options that all of them take.
#[derive(Debug, clap::Args)]
struct Common {
    #[command(flatten)]
    folder: Folder,
    /// Where the services reach deskup, instead of [serve] public_url in deskup.toml; list, check and rotate else take
    /// what `deskup serve` was last started with
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Only this account
    #[arg(long, value_enum)]
    side: Option<Which>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// An account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    /// Zendesk.
    Zendesk,
    /// ClickUp.
    Clickup,
}

/// Options of `webhooks rotate`.
#[derive(Debug, clap::Args)]
struct RotateArgs {
    #[command(flatten)]
    common: Common,
    /// How many seconds ClickUp's old webhook stays for deliveries under way
    #[arg(long, default_value_t = 20, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(0..=600))]
    grace: u64,
}

/// Options of `webhooks remove`.
#[derive(Debug, clap::Args)]
struct RemoveArgs {
    #[command(flatten)]
    common: Common,
    /// This one, whoever it leads to; see `deskup webhooks list`
    #[arg(long, value_name = "ID", requires = "side")]
    id: Option<String>,
}

/// Both accounts and where they are to deliver.
struct Desk {
    accounts: Accounts,
    endpoints: Option<Endpoints>,
    reach: Reach,
    keeper: Arc<dyn Keeper>,
    sides: Vec<Side>,
    json: bool,
}

/// Runs `deskup webhooks`.
pub fn run(args: &WebhooksArgs) -> anyhow::Result<()> {
    let common = match &args.command {
        What::List(common) | What::Register(common) | What::Check(common) => common,
        What::Rotate(args) => &args.common,
        What::Remove(args) => &args.common,
    };
    machine::runtime()?.block_on(async {
        let desk = Desk::open(&args.command, common).await?;
        match &args.command {
            What::List(_) => desk.list().await,
            What::Register(_) => desk.register().await,
            What::Check(_) => desk.check().await,
            What::Rotate(args) => desk.rotate(Duration::from_secs(args.grace)).await,
            What::Remove(args) => desk.remove(args.id.as_deref()).await,
        }
    })
}

impl Desk {
    async fn open(what: &What, common: &Common) -> anyhow::Result<Self> {
        let installation = Installation::locate(&common.folder);
        installation.refuse_demo()?;
        let (_, settings) = installation.settings()?;
        let link = installation.link()?;
        let url = match &common.public_url {
            None if link.is_some() => link.as_ref().map(|link| link.webhook_url.clone()),
            Some(given) => {
                Some(public_url(given).map_err(|message| Failed::usage(format!("--public-url: {message}")))?)
            }
            None => settings.serve.public_url.clone(),
        };
        let store = match installation.state_file().exists() || link.is_some() {
            true => Some(installation.look().await?),
            false => None,
        };
        let url = match (url, &store) {
            (None, Some(store)) if what.is_about_what_is_there() => kept_url(store).await?,
            (url, _) => url,
        };
        let (zendesk, clickup) = credentials::complete(credentials::of(&installation)?)?.accounts(&settings);
        let (transport, clock) = (machine::transport()?, Arc::new(WallClock));
        let pacer = pacer(store);
        let seed = machine::seed();
        let refused = |error: clients::ApiError| Failed::usage(error.to_string());
        let zendesk = Zendesk::new(zendesk, transport.clone(), pacer.clone(), clock.clone(), seed);
        let clickup = ClickUp::new(clickup, transport.clone(), pacer, clock.clone(), seed);
        let accounts = Accounts { zendesk: zendesk.map_err(refused)?, clickup: clickup.map_err(refused)? };
        let sides = match common.side {
            None => vec![Side::Zendesk, Side::Clickup],
            Some(Which::Zendesk) => vec![Side::Zendesk],
            Some(Which::Clickup) => vec![Side::Clickup],
        };
        let endpoints = url.as_deref().map(Endpoints::under);
        let keeper: Arc<dyn Keeper> = match link {
            Some(link) => Arc::new(stack::SigningKeeper::new(link)),
            None => Arc::new(NoKeeper),
        };
        let reach = Reach { transport, clock, seed };
        Ok(Self { accounts, endpoints, reach, keeper, sides, json: common.json })
    }

    fn endpoints(&self) -> anyhow::Result<&Endpoints> {
        self.endpoints.as_ref().ok_or_else(|| {
            Failed::usage(
                "there is no public URL: set [serve] public_url = \"https://…\" in deskup.toml, or give --public-url",
            )
        })
    }

    async fn hooks(&self) -> anyhow::Result<Vec<Hook>> {
        let mut all = Vec::new();
        for side in &self.sides {
            let hooks = registration::list(&self.accounts, *side, self.endpoints.as_ref()).await;
            all.extend(hooks.map_err(machine::refused)?);
        }
        Ok(all)
    }

    /// Prints either the JSON or the words.
    fn say(&self, view: &impl Serialize, words: &str) -> anyhow::Result<()> {
        if self.json {
            terminal::data(&serde_json::to_string(view)?);
        } else {
            terminal::data(words);
        }
        Ok(())
    }

    async fn list(&self) -> anyhow::Result<()> {
        let hooks = self.hooks().await?;
        self.say(&json!({ "webhooks": hooks }), &draw::hooks(&hooks, &Screen::stdout()))
    }

    async fn register(&self) -> anyhow::Result<()> {
        let endpoints = self.endpoints()?;
        let mut done = BTreeMap::new();
        let mut words = String::new();
        for side in &self.sides {
            let registered = registration::register(&self.accounts, endpoints, *side).await;
            let registered = registered.map_err(machine::refused)?;
            let kept = self.keeper.keep(*side, vec![registered.secret.clone()]).await;
            kept.map_err(machine::refused)?;
            words.push_str(&draw::registered(&registered));
            let view = json!({
                "id": registered.id, "endpoint": registered.endpoint, "done": registered.done,
            });
            done.insert(*side, view);
        }
        self.say(&done, &words)
    }

    async fn check(&self) -> anyhow::Result<()> {
        let endpoints = self.endpoints()?;
        let mut checked: Vec<Checked> = Vec::new();
        for side in &self.sides {
            let one = reach::check(&self.accounts, endpoints, *side, &self.reach).await;
            checked.push(one.map_err(machine::refused)?);
        }
        self.say(&json!({ "webhooks": checked }), &draw::checked(&checked))?;
        match checked.iter().find(|one| !one.is_good()) {
            None => Ok(()),
            Some(bad) => Err(Failed::result(format!("the webhook of {} is not as it should be", bad.side))),
        }
    }

    async fn rotate(&self, grace: Duration) -> anyhow::Result<()> {
        let endpoints = self.endpoints()?;
        let mut rotated: Vec<Rotated> = Vec::new();
        for side in &self.sides {
            let one =
                rotation::rotate(&self.accounts, endpoints, *side, &self.reach, self.keeper.as_ref(), grace)
                    .await;
            let one = one.map_err(machine::refused)?;
            if !self.json {
                terminal::data(&draw::rotated(&one));
            }
            rotated.push(one);
        }
        if self.json {
            let views: Vec<_> = rotated.iter().map(draw::rotated_json).collect();
            terminal::data(&json!({ "webhooks": views }).to_string());
        }
        match rotated.iter().find_map(|one| match &one.reached {
            Reached::Yes => None,
            Reached::No(why) => Some((one.now.side, why)),
        }) {
            None => Ok(()),
            Some((Side::Zendesk, why)) => Err(Failed::result(format!(
                "Zendesk signs with its new secret now, but deskup was not reached: {why}"
            ))),
            Some((Side::Clickup, why)) => Err(Failed::result(format!(
                "ClickUp keeps its old webhook, because deskup was not reached: {why}"
            ))),
        }
    }

    async fn remove(&self, id: Option<&str>) -> anyhow::Result<()> {
        if id.is_none() {
            self.endpoints()?;
        }
        let hooks = self.hooks().await?;
        let gone: Vec<Hook> = hooks
            .into_iter()
            .filter(|hook| match id {
                Some(id) => hook.id == id,
                None => hook.ours,
            })
            .collect();
        if let (Some(id), true) = (id, gone.is_empty()) {
            return Err(Failed::usage(format!("there is no webhook {id}; see `deskup webhooks list`")));
        }
        for hook in &gone {
            registration::remove(&self.accounts, hook.side, &hook.id).await.map_err(machine::refused)?;
            if hook.ours {
                self.keeper.keep(hook.side, Vec::new()).await.map_err(machine::refused)?;
            }
        }
        let removed: Vec<&str> = gone.iter().map(|hook| hook.id.as_str()).collect();
        self.say(&json!({ "removed": removed }), &draw::removed(&gone))
    }
}

/// The address that a running deskup took from its own command line, or the last one that ran.
async fn kept_url(store: &Store) -> anyhow::Result<Option<String>> {
    let service = store.service().get().await?;
    Ok(service.map(|service| service.public_url).filter(|url| !url.is_empty()))
}

/// Calls made by hand count against the budgets like all others, where there is a state to book them in.
fn pacer(store: Option<Store>) -> Arc<dyn Pacer> {
    let Some(store) = store else { return Arc::new(NoPacer) };
    // A few calls: blocks for many would be lost to the process that serves.
    let settings = BudgetSettings { block_max: 1, ..BudgetSettings::default() };
    Arc::new(ResourceManager::new(store, Arc::new(WallClock), settings))
}
