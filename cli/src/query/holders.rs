//! Who holds what at present: records that executions have in work, and requests that processes have booked.

use std::collections::BTreeMap;

use serde::Serialize;
use stores::{Store, WorkKey};

use super::parts::{LIMITS, switches};
use super::status::SwitchView;
use super::time;

/// Who holds what.
#[derive(Clone, Debug, Serialize)]
pub struct HoldersView {
    /// Records in work, the first to come back first.
    pub records: Vec<RecordHeld>,
    /// Budget windows that are not over.
    pub budgets: Vec<BudgetHeld>,
    /// What stands still.
    pub paused: Vec<SwitchView>,
}

/// A record in work.
#[derive(Clone, Debug, Serialize)]
pub struct RecordHeld {
    /// `T#` and the ticket's number, or `C#` and the task's id.
    pub record: String,
    /// Its lane.
    pub lane: &'static str,
    /// The process that claimed it.
    pub process: String,
    /// When the claim ends by itself.
    pub until: String,
    /// Failed attempts before this one.
    pub attempts: u32,
    /// The execution that has the lease of the ticket, where one has.
    pub execution: Option<String>,
    /// When the lease ends.
    pub lease_until: Option<String>,
}

/// A limit's window and who booked how much of it.
#[derive(Clone, Debug, Serialize)]
pub struct BudgetHeld {
    /// Which service.
    pub api: &'static str,
    /// Which limit.
    pub limit: &'static str,
    /// Requests booked or seen to be used.
    pub used: u32,
    /// Requests allowed.
    pub of: u32,
    /// Whether the service refused one: then nothing more until the end.
    pub spent: bool,
    /// When the window ends.
    pub until: String,
    /// Requests booked, by process.
    pub booked: BTreeMap<String, u32>,
}

/// Reads who holds what.
pub async fn holders(store: &Store) -> anyhow::Result<HoldersView> {
    let mut records = Vec::new();
    for claim in store.work().held().await? {
        let ticket = match &claim.key {
            WorkKey::Ticket(ticket) => Some(*ticket),
            WorkKey::Task(task) => store.links().pointer(task).await?.map(|pointer| pointer.ticket),
        };
        let lease = match ticket {
            Some(ticket) => store.leases().get(ticket).await?,
            None => None,
        };
        // A claim's token begins with its process, a lease's holder with its execution.
        let first = |text: &str, end: char| text.split(end).next().unwrap_or_default().to_owned();
        records.push(RecordHeld {
            record: claim.key.to_string(),
            lane: claim.lane.name(),
            process: first(&claim.token, '.'),
            until: time(claim.until_ms),
            attempts: claim.attempts,
            execution: lease.as_ref().map(|lease| first(&lease.holder, '/')),
            lease_until: lease.map(|lease| time(lease.until_ms)),
        });
    }
    let mut budgets = Vec::new();
    for (api, limit) in LIMITS {
        let window = store.budgets().newest(api, limit).await?;
        if let Some(window) = window.filter(|window| window.reset_ms > store.now_ms()) {
            budgets.push(BudgetHeld {
                api,
                limit,
                used: window.used,
                of: window.limit,
                spent: window.spent,
                until: time(window.reset_ms),
                booked: window.holders,
            });
        }
    }
    Ok(HoldersView { records, budgets, paused: switches(store).await? })
}
