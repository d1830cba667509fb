//! The store itself: the table, the installation, the clock, and a handle per stored thing.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{TaskId, TicketId};

use crate::embedded::{self, Embedded, Place};
use crate::error::StoreError;
use crate::faults::FaultPlan;
use crate::operations::Operations;
use crate::schema;
use crate::stall::Stall;
use crate::work_key::WorkKey;

/// Milliseconds since 1970, from whoever owns the time.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What putting an intent found.
#[derive(Clone, Debug, PartialEq)]
pub enum Intended<T> {
    /// It is ours: written by this very call (also when its reply was lost and read back).
    New(T),
    /// It was there before.
    Existing(T),
}

/// Index partitions per lane of a table that many share.
pub const SHARDS: u32 = 4;

/// Index partitions per lane of a table that one process holds.
const SHARDS_ALONE: u32 = 1;

/// Everything deskup remembers. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    client: aws_sdk_dynamodb::Client,
    table: String,
    installation: String,
    clock: Clock,
    /// Index partitions per lane.
    shards: u32,
    seed: u64,
    incarnation: u64,
    file: Option<PathBuf>,
    counter: AtomicU64,
    random: Mutex<fastrand::Rng>,
    operations: Mutex<Operations>,
    /// When progress of an execution was last written.
    progress: Mutex<BTreeMap<String, i64>>,
    here: Option<Arc<dyn Here>>,
    _lock: Option<File>,
}

/// What differs between a table of one process and a shared one.
struct Numbers {
    shards: u32,
    seed: u64,
    incarnation: u64,
}

/// What a table in this process has beside its client.
#[derive(Default)]
struct InProcess {
    file: Option<PathBuf>,
    here: Option<Arc<dyn Here>>,
    lock: Option<File>,
}

/// The table in this process. Behind it is a whole database: programs that never open one have none of its code.
pub(crate) trait Here: Send + Sync {
    /// Answers a request of DynamoDB's protocol: status and body.
    fn serve(&self, operation: &str, body: &[u8]) -> (u16, Vec<u8>);

    /// The same table for another process, as far as it can tell.
    fn beside(&self, installation: &str, clock: &Clock, faults: FaultPlan) -> Result<Embedded, StoreError>;

    /// How often each fault was injected, by name.
    fn injected(&self) -> BTreeMap<&'static str, u64>;

    /// How this process stands still.
    fn stall(&self) -> &Stall;
}

impl Store {
    /// A table in this process: in memory or in one file.
    pub fn embedded(place: Place, installation: &str, clock: Clock) -> Result<Store, StoreError> {
        Self::embedded_with(place, installation, clock, FaultPlan::none())
    }

    /// The same, with faults injected: what AWS does and a database in the process never would.
    pub fn embedded_with(
        place: Place,
        installation: &str,
        clock: Clock,
        faults: FaultPlan,
    ) -> Result<Store, StoreError> {
        let opened = embedded::open(&place, installation, &clock, faults)?;
        let file = match place {
            Place::Memory => None,
            Place::File(path) => Some(path),
        };
        Ok(Self::in_process(opened, installation, clock, file))
    }

    /// The same table as another process sees it that shares it, as on AWS: with a clock, tokens and faults of its own.
    /// `None` where the table is elsewhere.
    pub fn beside(&self, clock: Clock, faults: FaultPlan) -> Result<Option<Store>, StoreError> {
        let Some(here) = &self.inner.here else { return Ok(None) };
        let opened = here.beside(&self.inner.installation, &clock, faults)?;
        Ok(Some(Self::in_process(opened, &self.inner.installation, clock, self.inner.file.clone())))
    }

    /// A state file that another process holds, through that process; `None` where nobody lends it.
    #[cfg(unix)]
    pub async fn guest(file: &Path, installation: &str, clock: Clock) -> Result<Option<Store>, StoreError> {
        let opened = embedded::visit(file, installation, &clock).await?;
        Ok(opened.map(|opened| Self::in_process(opened, installation, clock, Some(file.to_owned()))))
    }

    /// Lends the state file to other commands of the same user, until the result is dropped.
    #[cfg(unix)]
    pub fn lend(&self) -> std::io::Result<Option<crate::guest::Lending>> {
        match (&self.inner.here, &self.inner.file) {
            (Some(here), Some(file)) => crate::guest::lend(here.clone(), file).map(Some),
            _ => Ok(None),
        }
    }

    /// Answers a request of DynamoDB's protocol from the table in this process: status and body. `None` where the
    /// table is elsewhere.
    pub fn answer(&self, operation: &str, body: &[u8]) -> Option<(u16, Vec<u8>)> {
        Some(self.inner.here.as_ref()?.serve(operation, body))
    }

    /// How often each fault of this store's plan was injected, by name.
    pub fn injected(&self) -> BTreeMap<&'static str, u64> {
        self.inner.here.as_ref().map(|here| here.injected()).unwrap_or_default()
    }

    /// How this process stands still; none where the table is elsewhere. Only tables with faults do.
    pub fn stall(&self) -> Option<&Stall> {
        self.inner.here.as_ref().map(|here| here.stall())
    }

    /// The table's name.
    pub fn table_name(&self) -> &str {
        &self.inner.table
    }

    /// Index partitions of each lane.
    pub fn shards(&self) -> u32 {
        self.inner.shards
    }

    /// The first part of every key.
    pub fn installation_name(&self) -> &str {
        &self.inner.installation
    }

    /// Whether another process holds the state and this one only visits.
    pub fn is_guest(&self) -> bool {
        self.inner.file.is_some() && self.inner.here.is_none()
    }

    fn in_process(opened: Embedded, installation: &str, clock: Clock, file: Option<PathBuf>) -> Store {
        let Embedded { client, here, incarnation, lock } = opened;
        let numbers = Numbers { shards: SHARDS_ALONE, seed: incarnation, incarnation };
        Self::assemble(client, schema::TABLE, installation, clock, numbers, InProcess { file, here, lock })
    }

    /// A table on AWS or behind any client. `seed` must differ from process to process: claim tokens
    /// come from it. `shards` must be the same for all who share the table: [`SHARDS`] on AWS.
    pub fn new(
        client: aws_sdk_dynamodb::Client,
        table: &str,
        installation: &str,
        clock: Clock,
        seed: u64,
        shards: u32,
    ) -> Store {
        let numbers = Numbers { shards: shards.max(1), seed, incarnation: 0 };
        Self::assemble(client, table, installation, clock, numbers, InProcess::default())
    }

    fn assemble(
        client: aws_sdk_dynamodb::Client,
        table: &str,
        installation: &str,
        clock: Clock,
        Numbers { shards, seed, incarnation }: Numbers,
        InProcess { file, here, lock }: InProcess,
    ) -> Store {
        let inner = Inner {
            client,
            table: table.to_owned(),
            installation: installation.to_owned(),
            clock,
            shards,
            seed,
            incarnation,
            file,
            counter: AtomicU64::new(0),
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
            operations: Mutex::default(),
            progress: Mutex::default(),
            here,
            _lock: lock,
        };
        Store { inner: Arc::new(inner) }
    }

    /// Who holds the state, where it is not this process.
    pub fn holder(&self) -> Option<embedded::Holder> {
        match (&self.inner.here, &self.inner.file) {
            (None, Some(file)) => embedded::holder(file),
            _ => None,
        }
    }

    /// Requests so far, by name.
    pub fn operations(&self) -> Operations {
        lock(&self.inner.operations).clone()
    }

    /// The current time.
    pub fn now_ms(&self) -> i64 {
        (self.inner.clock)()
    }

    /// How often this state was opened, this time included: part of every seed, so that a process
    /// that was killed does not repeat the nonces of its predecessor. 0 on AWS.
    pub fn incarnation(&self) -> u64 {
        self.inner.incarnation
    }

    pub(crate) fn client(&self) -> &aws_sdk_dynamodb::Client {
        &self.inner.client
    }

    pub(crate) fn table(&self) -> &str {
        &self.inner.table
    }

    /// Names this process among those that share the table: claims, leases and booked budgets begin with it.
    pub fn process(&self) -> String {
        format!("{:x}", self.inner.seed)
    }

    /// A text that no other write or claim of this table has.
    pub(crate) fn token(&self) -> String {
        format!("{:x}.{:x}", self.inner.seed, self.inner.counter.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn jitter(&self, up_to_ms: u64) -> u64 {
        lock(&self.inner.random).u64(0..=up_to_ms)
    }

    pub(crate) fn progress(&self) -> MutexGuard<'_, BTreeMap<String, i64>> {
        lock(&self.inner.progress)
    }

    pub(crate) fn count_write(&self, operation: &'static str, units: Option<f64>) {
        let mut operations = lock(&self.inner.operations);
        operations.count(operation);
        operations.write_units += units.unwrap_or(1.0);
    }

    pub(crate) fn count_read(&self, operation: &'static str, units: Option<f64>) {
        let mut operations = lock(&self.inner.operations);
        operations.count(operation);
        operations.read_units += units.unwrap_or(0.5);
    }

    /// An internal error of the embedded database may mean that its file is in trouble.
    pub(crate) fn file_trouble(&self, message: &str) -> Option<StoreError> {
        let path = self.inner.file.as_deref()?;
        match embedded::sqlite(path, message) {
            StoreError::Unusable { .. } | StoreError::InUse { .. } => None,
            known => Some(known),
        }
    }

    // Keys: the installation comes first everywhere, so that two of them never share a partition.

    pub(crate) fn ticket_pk(&self, ticket: TicketId) -> String {
        format!("{}#T#{ticket}", self.inner.installation)
    }

    pub(crate) fn task_pk(&self, task: &TaskId) -> String {
        format!("{}#C#{task}", self.inner.installation)
    }

    pub(crate) fn record_pk(&self, record: &WorkKey) -> String {
        match record {
            WorkKey::Ticket(ticket) => self.ticket_pk(*ticket),
            WorkKey::Task(task) => self.task_pk(task),
        }
    }

    /// Any other partition of the installation.
    pub(crate) fn pk(&self, rest: impl std::fmt::Display) -> String {
        format!("{}#{rest}", self.inner.installation)
    }

    /// The record behind a partition key.
    pub(crate) fn record_of(&self, pk: &str) -> Option<WorkKey> {
        pk.strip_prefix(self.inner.installation.as_str())?.strip_prefix('#')?.parse().ok()
    }

    /// The ticket behind a partition key.
    pub(crate) fn ticket_of(&self, pk: &str) -> Option<TicketId> {
        match self.record_of(pk)? {
            WorkKey::Ticket(ticket) => Some(ticket),
            WorkKey::Task(_) => None,
        }
    }

    /// The index partition of a record under `name`.
    pub(crate) fn shard_pk(&self, name: &str, record: &str) -> String {
        let hash = record.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        self.pk(format_args!("{name}#{}", hash % u64::from(self.inner.shards)))
    }

    /// All index partitions of `name`.
    pub(crate) fn shard_pks(&self, name: &str) -> Vec<String> {
        (0..self.inner.shards).map(|shard| self.pk(format_args!("{name}#{shard}"))).collect()
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.inner.table)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

macro_rules! handles {
    ($($name:ident: $module:ident::$type:ident, $doc:literal;)*) => {
        impl Store {
            $(#[doc = $doc] pub fn $name(&self) -> crate::$module::$type<'_> { crate::$module::$type { store: self } })*
        }
    };
}

handles! {
    links: links::Links, "Links between tickets and tasks, and the pointers back.";
    leases: leases::Leases, "Leases on tickets.";
    work: work::Work, "What has to be looked at, and when.";
    evidence: evidence::EvidenceRows, "Accepted events.";
    effects: effects::Effects, "Writes to the services: plan and audit at once.";
    comments: comments::Comments, "Which comment is the copy of which.";
    attachments: attachments::Attachments, "Which file is the copy of which.";
    conflicts: conflicts::Conflicts, "Values that did not win.";
    pairs: pairs::Pairs, "Pairs that people made, as last seen.";
    plans: plans::Plans, "Confirmed plans and what was begun of them.";
    quarantine: quarantine::Quarantine, "Records that failed for good.";
    jobs: jobs::Jobs, "Marks that go to Zendesk many at once.";
    cursors: cursors::Cursors, "How far each stream was read.";
    configuration: configuration::Configurations, "The settings that functions work by.";
    executions: executions::Executions, "Progress of executions.";
    checkpoints: checkpoints::Checkpoints, "Steps of executions that are done.";
    budgets: budgets::Budgets, "Requests used of each limit.";
    service: service::ServiceRow, "The process that serves.";
    slas: slas::Slas, "By when tickets have to be answered.";
    switches: switches::Switches, "Pauses and the brake.";
    seats: seats::Seats, "Which tickets a pilot takes.";
    installation: installation::Installation, "The installation as a whole.";
    names: names::Names, "What both services call their people, lists and options.";
    pulses: pulse::Pulses, "Signs of life of both services.";
    tally: tally::TallyRows, "Counts the brake looks at.";
    texts: texts::Texts, "Texts too long for a row.";
    wakes: wakes::Wakes, "Moments at which somebody is woken.";
}
