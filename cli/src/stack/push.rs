//! Brings settings and credentials to the stack: checked against both accounts before anything is replaced.

use std::sync::Arc;

use clients::{Secret, ZendeskLimits};
use domain::Mapping;
use functions::local::{self, CLICKUP_PER_MIN, ConnectError, Connection};
use functions::{Options, access, names};
use serde_json::json;
use stores::configuration::Configuration;
use stores::{Store, StoreError};

use super::link::{self, Link};
use crate::credentials;
use crate::failure::Failed;
use crate::installation::{Folder, Installation, wall_ms};
use crate::machine::{self, WallClock};
use crate::terminal;

/// Options of `push`.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::help::PUSH)]
pub struct PushArgs {
    #[command(flatten)]
    folder: Folder,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs `deskup push`.
pub fn push(args: &PushArgs) -> anyhow::Result<()> {
    let installation = Installation::locate(&args.folder);
    let link = installation.link()?.ok_or_else(|| {
        Failed::usage(format!(
            "{} belongs to no stack: run `deskup init --aws STACK` there first",
            installation.dir().display()
        ))
    })?;
    machine::runtime()?.block_on(async {
        let version = send(&installation, &link).await?;
        say(&link, version, args.json);
        Ok(())
    })
}

/// Runs `deskup init --aws`: the folder belongs to the stack from now on, and the stack knows its settings.
pub fn attach(installation: &Installation, stack: &str, json: bool) -> anyhow::Result<()> {
    installation.refuse_demo()?;
    installation.settings()?;
    if installation.state_file().exists() {
        return Err(Failed::usage(format!(
            "{} has a state of its own ({}), and a stack keeps its state in its table: use another folder with a copy of deskup.toml, or move that file away. The stack finds tasks that deskup made before by their markers, with [sync] adopt = \"link\"",
            installation.dir().display(),
            installation.state_file().display()
        )));
    }
    machine::runtime()?.block_on(async {
        let link = Link::of(&link::session(None).await?, stack).await?;
        let version = send(installation, &link).await?;
        link.save(&installation.link_file())?;
        say(&link, version, json);
        Ok(())
    })
}

fn say(link: &Link, version: u64, json: bool) {
    if json {
        terminal::data(
            &json!({ "stack": link.stack, "version": version, "webhook_url": link.webhook_url }).to_string(),
        );
        return;
    }
    terminal::data(&format!(
        "The stack {} works by these settings within a minute (version {version}).\n\
         Next: deskup webhooks register, deskup run ticket-sync, deskup status",
        link.stack
    ));
}

async fn send(installation: &Installation, link: &Link) -> anyhow::Result<u64> {
    let (text, settings) = installation.settings()?;
    let written = credentials::of(installation)?;
    let (zendesk, clickup) = credentials::complete(written.clone())?.accounts(&settings);
    let store = link.store().await?;
    let connection = Connection {
        store: store.clone(),
        transport: machine::transport()?,
        clock: Arc::new(WallClock),
        settings: text.clone(),
        zendesk,
        zendesk_limits: ZendeskLimits::default(),
        clickup,
        clickup_per_min: CLICKUP_PER_MIN,
        seed: machine::seed(),
        options: Options { alone: true, ..Options::default() },
    };
    let directory = local::read_directory(&connection, &settings).await.map_err(machine::kept_out)?;
    Mapping::new(&settings, &directory)
        .map_err(|mistakes| machine::refused(ConnectError::Settings(mistakes)))?;
    let secret = Secret::new(json!(written).to_string());
    let session = link.session().await?;
    aws::secrets::put(&session, &link.accounts_secret, &secret)
        .await
        .map_err(|error| Failed::state(format!("the credentials could not be kept: {error}")))?;
    let failed = |error: StoreError| Failed::store(&error);
    names::keep(&store, &directory).await.map_err(failed)?;
    access::lift(&store).await.map_err(failed)?;
    replace(&store, text, json!(directory).to_string()).await
}

async fn replace(store: &Store, settings: String, directory: String) -> anyhow::Result<u64> {
    let failed = |error: StoreError| Failed::store(&error);
    let before = store.configuration().get().await.map_err(failed)?.unwrap_or_default();
    let version = before.version;
    let next = Configuration { settings, directory, version, read_ms: wall_ms() };
    match store.configuration().put(&next).await {
        Ok(()) => Ok(version + 1),
        Err(StoreError::Stale { .. }) => {
            Err(Failed::state("somebody else changed the stack's settings at this moment; run it again"))
        }
        Err(error) => Err(failed(error)),
    }
}
