//! A DynamoDB inside this process: `dynoxide` over SQLite, attached as the SDK's HTTP client, so that
//! the store's code and its requests are the same as on AWS and no socket is opened.
//!
//! Everything about the client is fixed: no retry, no timeouts, our clock, counted invocation ids.
//! `sweep_ttl` is never called: it uses the wall clock, and expiry is compared in our code.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_runtime::invocation_id::{InvocationId, InvocationIdGenerator};
use aws_sdk_dynamodb::config::endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, IdentityCache, Region, StalledStreamProtectionConfig,
};
use aws_smithy_async::time::TimeSource;
use dynoxide::Database;
use serde::de::DeserializeOwned;

use crate::connector::Connector;
use crate::error::StoreError;
use crate::faults::FaultPlan;
use crate::lag::Lag;
use crate::store::{Clock, Here};
use crate::{migration, schema};

/// Where the embedded table lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Gone with the process.
    Memory,
    /// One SQLite file, held exclusively.
    File(PathBuf),
}

/// An open embedded table.
pub(crate) struct Embedded {
    pub(crate) client: aws_sdk_dynamodb::Client,
    /// Leads to the table in this process; a guest has none.
    pub(crate) here: Option<Arc<dyn Here>>,
    pub(crate) incarnation: u64,
    /// Keeps the lock file locked as long as the store lives.
    pub(crate) lock: Option<File>,
}

/// Opens the place, makes the table where it is missing, counts the incarnation.
pub(crate) fn open(
    place: &Place,
    installation: &str,
    clock: &Clock,
    faults: FaultPlan,
) -> Result<Embedded, StoreError> {
    let (database, lock) = match place {
        Place::Memory => {
            (Database::memory().map_err(|error| unusable(Path::new(":memory:"), &error.to_string()))?, None)
        }
        Place::File(path) => {
            let lock = lock(path)?;
            migration::inspect(path)?;
            (open_file(path)?, Some(lock))
        }
    };
    let path = match place {
        Place::Memory => Path::new(":memory:"),
        Place::File(path) => path,
    };
    let copy = migration::migrate(&database, path, installation, clock())?;
    if let Some(copy) = copy {
        tracing::info!(copy = %copy.display(), "the state of an earlier version was copied and brought up to date");
    }
    let incarnation = prepare(&database, path, installation, clock())?;
    Ok(attached((database, Arc::default()), incarnation, clock, faults, lock))
}

/// Another view of a table that is open.
pub(crate) fn beside(
    (database, lag): (&Database, &Arc<Lag>),
    installation: &str,
    clock: &Clock,
    faults: FaultPlan,
) -> Result<Embedded, StoreError> {
    let incarnation = prepare(database, Path::new(":beside:"), installation, clock())?;
    Ok(attached((database.clone(), lag.clone()), incarnation, clock, faults, None))
}

fn attached(
    (database, lag): (Database, Arc<Lag>),
    incarnation: u64,
    clock: &Clock,
    faults: FaultPlan,
    lock: Option<File>,
) -> Embedded {
    let connector = Connector::new(database, faults, lag);
    let client = client(connector.clone(), clock.clone());
    Embedded { client, here: Some(Arc::new(connector)), incarnation, lock }
}

/// Opens a state that another process holds and lends; `None` where nobody does.
#[cfg(unix)]
pub(crate) async fn visit(
    path: &Path,
    installation: &str,
    clock: &Clock,
) -> Result<Option<Embedded>, StoreError> {
    let Some(guest) = crate::guest::Guest::at(path).await else { return Ok(None) };
    let failed = |error: std::io::Error| unusable(path, &error.to_string());
    let ask = async |operation: &str, request: serde_json::Value| {
        let (status, body) = guest.ask(operation, request.to_string().as_bytes()).await.map_err(failed)?;
        let answer: serde_json::Value =
            serde_json::from_slice(&body).map_err(|error| unusable(path, &error.to_string()))?;
        if status == 200 { Ok(answer) } else { Err(sqlite(path, &answer["message"].to_string())) }
    };
    let row = ask("GetItem", schema::get_schema(installation)).await?;
    if row["Item"].is_object() {
        schema::check(&row["Item"])?;
    }
    // A number of its own: tokens are made of it.
    let counted = ask("UpdateItem", schema::count_incarnation(installation)).await?;
    let incarnation = incarnation(path, &counted["Attributes"])?;
    let client = client(guest, clock.clone());
    Ok(Some(Embedded { client, here: None, incarnation, lock: None }))
}

fn incarnation(path: &Path, attributes: &serde_json::Value) -> Result<u64, StoreError> {
    attributes["incarnation"]["N"]
        .as_str()
        .and_then(|n| n.parse().ok())
        .ok_or_else(|| unusable(path, "it does not count its incarnations"))
}

fn client(
    connector: impl aws_smithy_runtime_api::client::http::HttpClient + 'static,
    clock: Clock,
) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("local"))
        .credentials_provider(Credentials::from_keys("embedded", "embedded", None))
        .identity_cache(IdentityCache::no_cache())
        // Nothing is checked in the process, so nothing is signed.
        .allow_no_auth()
        .auth_scheme_preference([aws_smithy_runtime_api::client::auth::AuthSchemeId::from("noAuth")])
        .endpoint_resolver(InProcess)
        .http_client(connector)
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .disable_clock_skew_correction(true)
        .time_source(HandedClock(clock))
        .invocation_id_generator(Counted::default())
        .build();
    aws_sdk_dynamodb::Client::from_conf(config)
}

/// Who holds a state file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// What the holder wrote: its process.
    pub who: String,
    /// Since when, ms.
    pub since_ms: i64,
}

/// Who holds a state file, as far as the lock beside it says.
pub(crate) fn holder(path: &Path) -> Option<Holder> {
    let mut file = File::open(lock_file(path)).ok()?;
    // The holder writes the file once, when it takes the lock.
    let since = file.metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let mut who = String::new();
    (&mut file).take(200).read_to_string(&mut who).ok()?;
    Some(Holder { who: who.trim().to_owned(), since_ms: i64::try_from(since.as_millis()).ok()? })
}

fn lock_file(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// Takes the lock beside the state file; whoever has it wrote into it who they are.
fn lock(path: &Path) -> Result<File, StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| io(path, &error))?;
    }
    if std::fs::metadata(path).is_ok_and(|found| found.permissions().readonly()) {
        return Err(StoreError::ReadOnly {
            path: path.to_owned(),
            reason: "the file is read-only".to_owned(),
        });
    }
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(lock_file(path))
        .map_err(|error| io(path, &error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = (&mut file).take(200).read_to_string(&mut holder);
            let holder = if holder.trim().is_empty() { "another process" } else { holder.trim() };
            return Err(StoreError::InUse { path: path.to_owned(), holder: holder.to_owned() });
        }
        Err(TryLockError::Error(error)) => return Err(io(path, &error)),
    }
    let program = std::env::args().next().unwrap_or_default();
    let program =
        Path::new(&program).file_name().map_or("deskup".into(), |name| name.to_string_lossy().into_owned());
    let line = format!("process {} ({program})\n", std::process::id());
    file.set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)).map(|_| ()))
        .and_then(|()| file.write_all(line.as_bytes()))
        .map_err(|error| io(path, &error))?;
    Ok(file)
}

fn open_file(path: &Path) -> Result<Database, StoreError> {
    let text = path.to_str().ok_or_else(|| unusable(path, "its path is not UTF-8"))?;
    let database = Database::new(text).map_err(|error| sqlite(path, &error.to_string()))?;
    // The name misleads: this sets `synchronous = NORMAL`. A killed process loses nothing, a power cut
    // may lose the last moments; after an unclean end INTENT and SENT rows count as unknown anyway.
    database.disable_bulk_loading().map_err(|error| sqlite(path, &error.to_string()))?;
    Ok(database)
}

/// Makes the table where it is missing, raises the incarnation.
fn prepare(database: &Database, path: &Path, installation: &str, now_ms: i64) -> Result<u64, StoreError> {
    let failed = |error: dynoxide::DynoxideError| sqlite(path, &error.to_string());
    let exists = database.get_table_metadata(schema::TABLE).map_err(failed)?.is_some();
    if !exists {
        database.create_table(request(path, schema::create_table())?).map_err(failed)?;
    }
    let counted =
        database.update_item(request(path, schema::count_incarnation(installation))?).map_err(failed)?;
    let attributes =
        serde_json::to_value(counted.attributes).map_err(|error| unusable(path, &error.to_string()))?;
    let incarnation = incarnation(path, &attributes)?;
    if incarnation == 1 {
        migration::begin(database, path, installation, now_ms)?;
    }
    Ok(incarnation)
}

pub(crate) fn request<T: DeserializeOwned>(path: &Path, json: serde_json::Value) -> Result<T, StoreError> {
    serde_json::from_value(json).map_err(|error| unusable(path, &error.to_string()))
}

pub(crate) fn unusable(path: &Path, reason: &str) -> StoreError {
    StoreError::Unusable { path: path.to_owned(), reason: reason.to_owned() }
}

pub(crate) fn io(path: &Path, error: &std::io::Error) -> StoreError {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full { path: path.to_owned() },
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            StoreError::ReadOnly { path: path.to_owned(), reason: error.to_string() }
        }
        _ => unusable(path, &error.to_string()),
    }
}

/// What SQLite's words mean for a person; it has no other channel through the database's interface. An I/O error
/// (a file may not grow, a disk fails) is no lost reply: another try would fail alike, and for ever.
pub(crate) fn sqlite(path: &Path, message: &str) -> StoreError {
    let lower = message.to_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if any(&["disk is full", "database or disk is full"]) {
        StoreError::Full { path: path.to_owned() }
    } else if any(&["readonly database", "read-only", "permission denied", "disk i/o error"]) {
        StoreError::ReadOnly { path: path.to_owned(), reason: message.to_owned() }
    } else if any(&["database is locked", "database table is locked"]) {
        StoreError::InUse { path: path.to_owned(), holder: "another program".to_owned() }
    } else {
        unusable(path, message)
    }
}

/// There is one endpoint and it is not on any network.
#[derive(Debug)]
struct InProcess;

impl ResolveEndpoint for InProcess {
    fn resolve_endpoint<'a>(&'a self, _params: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(Endpoint::builder().url("http://embedded.invalid").build()))
    }
}

struct HandedClock(Clock);

impl std::fmt::Debug for HandedClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HandedClock")
    }
}

impl TimeSource for HandedClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(u64::try_from((self.0)()).unwrap_or(0))
    }
}

/// Invocation ids that repeat with the run instead of drawing from the process's random source.
#[derive(Clone, Debug, Default)]
struct Counted(Arc<AtomicU64>);

impl InvocationIdGenerator for Counted {
    fn generate(&self) -> Result<Option<InvocationId>, aws_smithy_runtime_api::box_error::BoxError> {
        Ok(Some(InvocationId::new(format!("{:032x}", self.0.fetch_add(1, Ordering::Relaxed)))))
    }
}
