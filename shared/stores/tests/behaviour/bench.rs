//! A store with a clock that only a test moves.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use domain::{TaskId, TicketId};
use stores::{FaultPlan, Place, Store, StoreError};

pub const START_MS: i64 = 1_700_000_000_000;

/// A store, its clock, and the folder that goes with it.
pub struct Bench {
    pub store: Store,
    clock: Arc<AtomicI64>,
    _folder: Option<Arc<Folder>>,
}

impl Bench {
    pub fn memory() -> Self {
        Self::open(Place::Memory, FaultPlan::none(), None).expect("a store in memory opens")
    }

    pub fn hostile(seed: u64) -> Self {
        Self::open(Place::Memory, FaultPlan::hostile(seed), None).expect("a store in memory opens")
    }

    pub fn file() -> Self {
        let folder = Arc::new(Folder::new());
        Self::in_folder(&folder, FaultPlan::none()).expect("a store on a new file opens")
    }

    pub fn in_folder(folder: &Arc<Folder>, faults: FaultPlan) -> Result<Self, StoreError> {
        Self::open(Place::File(folder.file()), faults, Some(folder.clone()))
    }

    fn open(place: Place, faults: FaultPlan, folder: Option<Arc<Folder>>) -> Result<Self, StoreError> {
        let clock = Arc::new(AtomicI64::new(START_MS));
        let time = clock.clone();
        let store = Store::embedded_with(place, "t", Arc::new(move || time.load(Ordering::Relaxed)), faults)?;
        Ok(Self { store, clock, _folder: folder })
    }

    /// Over a table that others made, as on AWS.
    #[cfg(unix)]
    pub fn over(client: aws_sdk_dynamodb::Client, table: &str) -> Self {
        let clock = Arc::new(AtomicI64::new(START_MS));
        let time = clock.clone();
        let now = Arc::new(move || time.load(Ordering::Relaxed));
        let store = Store::new(client, table, "t", now, 1, stores::SHARDS);
        Self { store, clock, _folder: None }
    }

    pub fn pass(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::Relaxed);
    }

    pub fn now_ms(&self) -> i64 {
        self.clock.load(Ordering::Relaxed)
    }
}

/// A folder that goes away with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let n = COUNTER.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("deskup-stores-{}-{n}", std::process::id())))
    }

    pub fn file(&self) -> PathBuf {
        self.0.join("state.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn ticket(n: u64) -> TicketId {
    TicketId::new(n).expect("tests count from one")
}

pub fn task(text: &str) -> TaskId {
    TaskId::new(text).expect("tests use short ids")
}
