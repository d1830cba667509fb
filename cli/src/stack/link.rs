//! `aws.toml`: the stack that a folder belongs to, as its outputs say. Nothing in it is secret.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use aws::Session;
use clients::http::HttpTransport;
use orchestration::StepFunctionsEngine;
use serde::{Deserialize, Serialize};
use stores::{SHARDS, Store};

use crate::failure::Failed;
use crate::installation::wall_ms;
use crate::machine::{self, WallClock};

/// Names the command in AWS's own logs.
const AGENT: &str = "cli";

/// What there is to know of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The stack's name.
    pub stack: String,
    /// Its region.
    pub region: String,
    /// The table.
    pub table: String,
    /// The installation's name in the table.
    pub installation: String,
    /// Where both services deliver.
    pub webhook_url: String,
    /// The queue that wakes the dispatcher.
    pub queue_url: String,
    /// The secret with both accounts' credentials.
    pub accounts_secret: String,
    /// The secret with what signs deliveries.
    pub webhooks_secret: String,
    /// State machines by workflow.
    pub machines: BTreeMap<String, String>,
}

impl Link {
    /// Asks CloudFormation.
    pub async fn of(session: &Session, stack: &str) -> anyhow::Result<Self> {
        let outputs = aws::stack::outputs(session, stack)
            .await
            .map_err(|error| Failed::usage(format!("the stack {stack} cannot be read: {error}")))?;
        let output = |name: &str| {
            outputs.get(name).cloned().ok_or_else(|| {
                Failed::usage(format!(
                    "the stack {stack} has no output {name}: it is none of deskup's, or of another version"
                ))
            })
        };
        let machine = |workflow: &str, name| anyhow::Ok((workflow.to_owned(), output(name)?));
        Ok(Self {
            stack: stack.to_owned(),
            region: session.region().to_owned(),
            table: output("TableName")?,
            installation: output("Installation")?,
            webhook_url: output("WebhookUrl")?,
            queue_url: output("QueueUrl")?,
            accounts_secret: output("AccountsSecret")?,
            webhooks_secret: output("WebhooksSecret")?,
            machines: [
                machine("ticket-sync-live", "LiveMachine")?,
                machine("ticket-sync-poll", "PollMachine")?,
                machine("ticket-sync-sweep", "SweepMachine")?,
                machine("ticket-sync-backfill", "BackfillMachine")?,
            ]
            .into(),
        })
    }

    /// What the file says, if there is one.
    pub fn read(path: &Path) -> anyhow::Result<Option<Self>> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failed::usage(format!("{} cannot be read: {error}", path.display()))),
        };
        let link = toml_edit::de::from_str(&text).map_err(|error| {
            Failed::usage(format!(
                "{}: {}; `deskup init --aws STACK` writes it anew",
                path.display(),
                error.message()
            ))
        })?;
        Ok(Some(link))
    }

    /// Writes the file.
    pub fn save(&self, path: &Path) -> anyhow::Result<()> {
        let text = toml_edit::ser::to_string_pretty(self)?;
        let text = format!(
            "# The stack that this folder belongs to. `deskup init --aws STACK` writes it.\n\n{text}"
        );
        let beside = path.with_extension("toml.new");
        std::fs::write(&beside, text)
            .and_then(|()| std::fs::rename(&beside, path))
            .map_err(|error| Failed::state(format!("{} cannot be written: {error}", path.display())))
    }

    /// AWS as this person may enter it.
    pub async fn session(&self) -> anyhow::Result<Session> {
        session(Some(&self.region)).await
    }

    /// The stack's table in place of a state file.
    pub async fn store(&self) -> anyhow::Result<Store> {
        let client = self.session().await?.dynamodb();
        Ok(Store::new(client, &self.table, &self.installation, Arc::new(wall_ms), machine::seed(), SHARDS))
    }

    /// The stack's state machines in place of the embedded engine.
    pub async fn engine(&self, store: &Store) -> anyhow::Result<Arc<StepFunctionsEngine>> {
        let client = self.session().await?.step_functions();
        let (clock, machines) = (Arc::new(WallClock), self.machines.clone());
        Ok(StepFunctionsEngine::new(client, store.clone(), clock, machine::seed(), machines))
    }
}

/// AWS as the environment, the profile or the machine lets this person in.
pub async fn session(region: Option<&str>) -> anyhow::Result<Session> {
    use aws_config::meta::region::RegionProviderChain;
    use aws_credential_types::provider::ProvideCredentials;
    let transport = Arc::new(HttpTransport::new()?);
    let client = aws::http_client(transport.clone());
    let given = region.map(|region| aws_config::Region::new(region.to_owned()));
    let config = aws_config::from_env()
        .http_client(client)
        .region(RegionProviderChain::first_try(given).or_default_provider())
        .load()
        .await;
    let region = config.region().ok_or_else(|| {
        Failed::usage(
            "no AWS region is set: set AWS_REGION, or `region` in the profile that AWS_PROFILE names",
        )
    })?;
    let provider = config.credentials_provider().ok_or_else(no_credentials)?;
    // The cause names files and profiles, and may be long.
    let credentials = provider.provide_credentials().await.map_err(|_| no_credentials())?;
    let endpoint = config.endpoint_url().map(ToOwned::to_owned);
    let region = region.as_ref().to_owned();
    Ok(Session::new(transport, Arc::new(WallClock), credentials, region, endpoint.as_deref(), AGENT)?)
}

fn no_credentials() -> anyhow::Error {
    Failed::usage(
        "AWS does not let anybody in from here: set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; with a single \
         sign-on first run `eval \"$(aws configure export-credentials --format env)\"`",
    )
}
