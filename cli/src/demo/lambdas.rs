//! What Lambdas of a checkout take for AWS while a demo is kept running: the demo's own table, secrets of its simulated
//! accounts, a queue that wakes its dispatcher, and executions on its engine. Whoever asks has to name the key that this
//! demo wrote into its folder; the signature itself is not looked at.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use clients::{ClickUpCredentials, Lane, ZendeskCredentials};
use domain::{Settings, Side};
use functions::credentials::{Written, WrittenClickup, WrittenZendesk};
use functions::dispatcher::Dispatcher;
use functions::lambda::{self, secrets::Signing};
use functions::local::{self, Local};
use functions::{Context, hooks};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use orchestration::{EmbeddedEngine, EngineError, Start, WorkflowOrchestrator};
use serde_json::{Value as Json, json};
use statemachines::TicketSyncWorkflow;
use stores::configuration::Configuration;
use stores::{Store, StoreError};
use world::World;

use crate::demo::place::LAMBDA_ENV;
use crate::failure::Failed;
use crate::installation::wall_ms;

/// Names of what the template makes on AWS.
const ACCOUNTS: &str = "accounts";
const WEBHOOKS: &str = "webhooks";
const MACHINE: &str = "arn:aws:states:local:000000000000:stateMachine:";

/// Nobody else on the network and no page of a browser calls functions, and nothing is built anew under way.
pub const WATCH: &str = "--invoke-address 127.0.0.1 --disable-cors --ignore-changes --release";

/// Stands behind an execution's name where this engine runs it for a Lambda, which keeps a row under the name itself.
const HERE: &str = ".here";

/// The environment of a function, as the template would set it.
pub fn environment(endpoint: &str, store: &Store, key: &str) -> String {
    let mut text = String::from(
        "# The environment of Lambdas that work on the demo in this folder while it is kept running.\n",
    );
    let machines = [
        ("DESKUP_LIVE_ARN", "ticket-sync-live"),
        ("DESKUP_POLL_ARN", "ticket-sync-poll"),
        ("DESKUP_SWEEP_ARN", "ticket-sync-sweep"),
        ("DESKUP_BACKFILL_ARN", "ticket-sync-backfill"),
    ];
    let fixed = [
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_ACCESS_KEY_ID", key.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "demo".to_owned()),
        ("AWS_REGION", "local".to_owned()),
        ("DESKUP_TABLE", store.table_name().to_owned()),
        ("DESKUP_INSTALLATION", store.installation_name().to_owned()),
        ("DESKUP_SHARDS", store.shards().to_string()),
        ("DESKUP_STACK", "demo".to_owned()),
        ("DESKUP_ACCOUNTS_SECRET", ACCOUNTS.to_owned()),
        ("DESKUP_WEBHOOKS_SECRET", WEBHOOKS.to_owned()),
        ("DESKUP_QUEUE_URL", format!("{endpoint}/wakeups")),
        (lambda::AHEAD, (store.now_ms() - wall_ms()).to_string()),
    ];
    for (name, value) in fixed {
        // Writing into a text cannot fail.
        let _ = writeln!(text, "{name}={value}");
    }
    for (name, machine) in machines {
        let _ = writeln!(text, "{name}={MACHINE}{machine}");
    }
    text
}

/// A file with that environment; gone with the demo.
pub struct EnvFile(PathBuf);

impl EnvFile {
    /// Writes it into the demo's folder.
    pub fn write(dir: &Path, text: &str) -> anyhow::Result<Self> {
        let path = dir.join(LAMBDA_ENV);
        crate::credentials::write_private(&path, text)
            .map_err(|error| Failed::state(format!("cannot write {}: {error}", path.display())))?;
        Ok(Self(std::path::absolute(&path).unwrap_or(path)))
    }

    /// What starts the functions of a checkout with it, reachable from this machine only.
    pub fn command(&self) -> String {
        format!("cargo lambda watch {WATCH} --env-file {}", self.0.display())
    }

    /// A variable of the file in a folder where a demo is kept running.
    pub fn read(dir: &Path, name: &str) -> Option<String> {
        let text = std::fs::read_to_string(dir.join(LAMBDA_ENV)).ok()?;
        text.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
    }
}

impl Drop for EnvFile {
    fn drop(&mut self) {
        // What a kill leaves behind is overwritten by the next demo.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What answers in place of AWS.
pub struct Door {
    store: Store,
    cx: Arc<Context>,
    dispatcher: Arc<Dispatcher>,
    orchestrator: WorkflowOrchestrator<EmbeddedEngine>,
    workflow: TicketSyncWorkflow,
    accounts: String,
    key: String,
}

impl Door {
    /// Writes the configuration that functions start from, with these settings, and makes the rest.
    pub async fn open(
        world: &World,
        local: &Local,
        store: &Store,
        settings: String,
        key: String,
    ) -> anyhow::Result<Arc<Self>> {
        let connection = world::InstanceOptions::of(world, store.clone()).connection();
        let parsed = Settings::parse(&settings).map_err(local::ConnectError::Settings)?;
        let directory = json!(local::read_directory(&connection, &parsed).await?).to_string();
        let failed = |error: StoreError| Failed::store(&error);
        let version = store.configuration().get().await.map_err(failed)?.unwrap_or_default().version;
        let next = Configuration { settings, directory, version, read_ms: store.now_ms() };
        store.configuration().put(&next).await.map_err(failed)?;
        let access = world.access();
        let accounts = written(access.zendesk.credentials, access.clickup.token)?;
        Ok(Arc::new(Self {
            store: store.clone(),
            cx: local.cx.clone(),
            dispatcher: local.dispatcher.clone(),
            orchestrator: WorkflowOrchestrator::new(local.engine.clone()),
            workflow: TicketSyncWorkflow::new(),
            accounts: serde_json::to_string(&accounts)?,
            key,
        }))
    }

    /// Answers one request.
    pub fn handle(self: Arc<Self>, request: Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> {
        async move {
            if !self.admits(&request) {
                return answer(403, json!({ "__type": "AccessDeniedException" }).to_string().into());
            }
            let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
            let (service, action) = target.and_then(|target| target.split_once('.')).unwrap_or_default();
            if service.starts_with("DynamoDB") {
                let (status, body) = self.store.answer(action, request.body()).unwrap_or((500, Vec::new()));
                return answer(status, body.into());
            }
            let asked: Json = serde_json::from_slice(request.body()).unwrap_or_default();
            let answered = match (service, action) {
                ("secretsmanager", "GetSecretValue") => self.secret(&asked).await,
                ("AmazonSQS", "SendMessage") => {
                    // Whoever is woken looks when the next row is due: the delay is in the rows.
                    self.dispatcher.wake();
                    Ok(json!({ "MessageId": "woken" }))
                }
                ("AWSStepFunctions", "StartExecution") => self.start(&asked).await,
                ("AWSStepFunctions", "DescribeExecution") => self.describe(&asked).await,
                _ => Err("UnknownOperationException"),
            };
            match answered {
                Ok(body) => answer(200, body.to_string().into()),
                Err(kind) => answer(400, json!({ "__type": kind }).to_string().into()),
            }
        }
        .boxed()
    }

    /// Whether the request names the key of this demo, and this machine: a page of a browser can do neither.
    fn admits(&self, request: &Request<Bytes>) -> bool {
        let header =
            |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let signed = header(http::header::AUTHORIZATION);
        let named = signed.split("Credential=").nth(1).and_then(|rest| rest.split('/').next());
        header(http::header::HOST).starts_with("127.0.0.1:") && named == Some(self.key.as_str())
    }

    async fn secret(&self, asked: &Json) -> Result<Json, &'static str> {
        let text = match asked["SecretId"].as_str() {
            Some(ACCOUNTS) => self.accounts.clone(),
            Some(WEBHOOKS) => {
                let mut signing = Signing::default();
                for side in [Side::Zendesk, Side::Clickup] {
                    let secrets =
                        hooks::in_force(&self.cx, side).await.map_err(|_| "InternalServiceError")?;
                    signing.renew(side, &secrets, self.cx.now_ms());
                }
                signing.write().reveal().to_owned()
            }
            _ => return Err("ResourceNotFoundException"),
        };
        Ok(json!({ "SecretString": text }))
    }

    /// Runs it on the demo's engine, and closes the row of whoever asked when it has ended.
    async fn start(self: &Arc<Self>, asked: &Json) -> Result<Json, &'static str> {
        let machine = asked["stateMachineArn"].as_str().and_then(|arn| arn.strip_prefix(MACHINE));
        let definitions = self.workflow.definitions();
        let definition = definitions.into_iter().find(|workflow| Some(workflow.name.as_str()) == machine);
        let definition = definition.ok_or("StateMachineDoesNotExist")?;
        let name = asked["name"].as_str().ok_or("ValidationException")?.to_owned();
        let input = asked["input"].as_str().and_then(|text| serde_json::from_str(text).ok());
        let input: Json = input.unwrap_or_default();
        let lane = match machine {
            Some("ticket-sync-backfill") => Lane::Backfill,
            Some("ticket-sync-poll") => Lane::Reconcile,
            _ if input["lane"] == stores::Lane::Reconcile.name() => Lane::Reconcile,
            _ => Lane::Live,
        };
        let (trigger, actor) = ("lambda".to_owned(), "deskup".to_owned());
        let start = Start { name: Some(format!("{name}{HERE}")), trigger, actor, lane };
        let started = self.orchestrator.start(definition, input, start).await;
        let id = started.map_err(|error| match error {
            EngineError::NameTaken(_) => "ExecutionAlreadyExists",
            _ => "InternalServerError",
        })?;
        let (door, arn) = (self.clone(), format!("{MACHINE}{}:{name}", definition.name));
        tokio::spawn(async move {
            if let Err(error) = door.finish(&id, &name).await {
                tracing::warn!(%error, "an execution for a Lambda could not be closed");
            }
        });
        Ok(json!({ "executionArn": arn, "startDate": self.cx.now_ms() / 1_000 }))
    }

    async fn finish(&self, id: &str, name: &str) -> anyhow::Result<()> {
        let outcome = self.orchestrator.wait(id).await?;
        if let Some(mut row) = self.store.executions().get(name).await? {
            row.status = outcome.status;
            (row.error, row.cause, row.ended_ms) = (outcome.error, outcome.cause, Some(self.cx.now_ms()));
            self.store.executions().update(&row).await?;
        }
        Ok(())
    }

    async fn describe(&self, asked: &Json) -> Result<Json, &'static str> {
        let arn = asked["executionArn"].as_str().unwrap_or_default();
        let name = arn.rsplit(':').next().unwrap_or_default();
        let mut row = None;
        // One of the demo's own has no other name.
        for id in [format!("{name}{HERE}"), name.to_owned()] {
            if row.is_none() {
                row = self.orchestrator.describe(&id).await.map_err(|_| "InternalServerError")?;
            }
        }
        let row = row.ok_or("ExecutionDoesNotExist")?;
        Ok(json!({
            "executionArn": arn,
            "stateMachineArn": format!("{MACHINE}{}", row.workflow),
            "status": row.status,
            "startDate": row.started_ms / 1_000,
        }))
    }
}

/// The simulated accounts' credentials as a secret holds them.
fn written(zendesk: ZendeskCredentials, clickup: ClickUpCredentials) -> anyhow::Result<Written> {
    let ZendeskCredentials::OAuthClient { client_id, client_secret, .. } = zendesk else {
        return Err(Failed::result("the simulated Zendesk has no OAuth client"));
    };
    let (ClickUpCredentials::Personal(token) | ClickUpCredentials::OAuth(token)) = clickup;
    Ok(Written {
        zendesk: WrittenZendesk {
            client_id: Some(client_id),
            client_secret: Some(client_secret.reveal().to_owned()),
            ..WrittenZendesk::default()
        },
        clickup: WrittenClickup { token: Some(token.reveal().to_owned()) },
    })
}

fn answer(status: u16, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = http::HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}
