//! Plain views of the state: the terminal and `--json` only draw them.

use std::collections::BTreeMap;

use domain::{Side, TaskId, TicketId, Timestamp};
use serde::Serialize;
use stores::Store;
use stores::executions::ExecutionRow;
use stores::links::Link;

use crate::failure::Failed;
use crate::installation::{Installation, STREAMS};

/// How many rows a listing reads at most.
const ROWS_MAX: usize = 500;

/// Everything `status` shows.
#[derive(Debug, Serialize)]
pub struct StatusView {
    /// Where the state is.
    pub state_file: String,
    /// Links by state.
    pub links: BTreeMap<String, u64>,
    /// The newest executions first.
    pub executions: Vec<ExecutionView>,
    /// How far each stream was read.
    pub cursors: Vec<CursorView>,
    /// How much of each limit was used in its newest window.
    pub budgets: Vec<BudgetView>,
    /// How long until every linked task was asked for comments that no webhook told of, in minutes.
    pub comment_sweep_minutes: u64,
    /// Rows waiting, by lane.
    pub work: BTreeMap<String, u64>,
    /// Switches that are on.
    pub paused: Vec<String>,
    /// Open conflicts by cause.
    pub conflicts: BTreeMap<String, u64>,
    /// What is set aside, by cause.
    pub quarantine: BTreeMap<String, u64>,
}

/// One execution.
#[derive(Debug, Serialize)]
pub struct ExecutionView {
    /// Its id.
    pub id: String,
    /// Which workflow.
    pub workflow: String,
    /// `RUNNING`, `SUCCEEDED`, `FAILED`, …
    pub status: String,
    /// The step it is or was in.
    pub step: String,
    /// When it began.
    pub started: String,
    /// How long it ran, in milliseconds.
    pub ran_ms: i64,
    /// States entered.
    pub transitions: u64,
    /// The failure's name.
    pub error: Option<String>,
}

/// One cursor.
#[derive(Debug, Serialize)]
pub struct CursorView {
    /// Which stream.
    pub stream: String,
    /// The provider's own text.
    pub cursor: String,
    /// How often it moved.
    pub version: u64,
    /// When it last moved.
    pub moved: String,
}

/// One limit in its newest window.
#[derive(Debug, Serialize)]
pub struct BudgetView {
    /// Which service.
    pub api: &'static str,
    /// Which limit.
    pub limit: &'static str,
    /// Requests booked.
    pub used: u32,
    /// Requests allowed.
    pub of: u32,
    /// When the window ended or ends.
    pub until: String,
}

/// The limits worth showing; those of single tickets come and go.
const LIMITS: [(&str, &str); 4] =
    [("clickup", "token"), ("zendesk", "account"), ("zendesk", "tickets-update"), ("zendesk", "incremental")];

async fn budgets(store: &Store) -> anyhow::Result<Vec<BudgetView>> {
    let mut views = Vec::new();
    for (api, limit) in LIMITS {
        if let Some(window) = store.budgets().newest(api, limit).await? {
            let until = Timestamp(window.reset_ms).to_rfc3339();
            views.push(BudgetView { api, limit, used: window.used, of: window.limit, until });
        }
    }
    Ok(views)
}

/// Reads the status.
pub async fn status(installation: &Installation, store: &Store) -> anyhow::Result<StatusView> {
    let mut links: BTreeMap<String, u64> = BTreeMap::new();
    let mut from = None;
    loop {
        let page = store.links().scan(from.as_ref()).await?;
        for link in &page.links {
            *links.entry(format!("{:?}", link.state).to_lowercase()).or_default() += 1;
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let mut conflicts: BTreeMap<String, u64> = BTreeMap::new();
    for row in store.conflicts().list_open(ROWS_MAX).await? {
        let cause = serde_json::to_value(row.conflict.cause)?.as_str().unwrap_or_default().to_owned();
        *conflicts.entry(cause).or_default() += 1;
    }
    let mut quarantine: BTreeMap<String, u64> = BTreeMap::new();
    for row in store.quarantine().list(ROWS_MAX).await? {
        *quarantine.entry(row.cause).or_default() += 1;
    }
    let switches = store.switches().all().await?;
    let linked = links.get("linked").copied().unwrap_or_default();
    let per_poll = functions::Options::default().sweep_tasks as u64;
    let polls_ms = u64::try_from(functions::dispatcher::POLL_EVERY_MS).unwrap_or_default();
    Ok(StatusView {
        budgets: budgets(store).await?,
        comment_sweep_minutes: linked.div_ceil(per_poll.max(1)) * polls_ms / 60_000,
        state_file: installation.state_file().display().to_string(),
        links,
        executions: store.executions().list(20).await?.into_iter().map(execution).collect(),
        cursors: cursors(store).await?,
        work: store.work().count().await?.into_iter().map(|(lane, n)| (lane.name().to_owned(), n)).collect(),
        paused: switches.iter().map(|(name, switch)| format!("{name:?}: {}", switch.reason)).collect(),
        conflicts,
        quarantine,
    })
}

fn execution(row: ExecutionRow) -> ExecutionView {
    ExecutionView {
        ran_ms: row.ended_ms.unwrap_or(row.updated_ms) - row.started_ms,
        id: row.id,
        workflow: row.workflow,
        status: row.status,
        step: row.step,
        started: Timestamp(row.started_ms).to_rfc3339(),
        transitions: row.transitions,
        error: row.error,
    }
}

async fn cursors(store: &Store) -> anyhow::Result<Vec<CursorView>> {
    let rows = store.cursors().get_all(&STREAMS).await?;
    Ok(rows
        .into_iter()
        .map(|(stream, cursor)| CursorView {
            stream,
            cursor: cursor.text,
            version: cursor.ver,
            moved: Timestamp(cursor.at_ms).to_rfc3339(),
        })
        .collect())
}

/// Everything `explain` shows.
#[derive(Debug, Serialize)]
pub struct ExplainView {
    /// The ticket.
    pub ticket: u64,
    /// Its task.
    pub task: Option<String>,
    /// Where the link stands.
    pub state: String,
    /// What made the link.
    pub origin: String,
    /// Field by field.
    pub fields: Vec<FieldView>,
    /// Comments that were copied or left out.
    pub comments: u64,
    /// Files that were copied or left out.
    pub attachments: u64,
    /// Why the record is set aside, if it is.
    pub quarantine: Option<String>,
}

/// Why one field has its value.
#[derive(Debug, Serialize)]
pub struct FieldView {
    /// Which field.
    pub field: String,
    /// As Zendesk last returned it.
    pub zendesk: serde_json::Value,
    /// As ClickUp last returned it.
    pub clickup: serde_json::Value,
    /// What was last written, and why.
    pub writes: Vec<WriteView>,
    /// Values that did not win.
    pub conflicts: Vec<ConflictView>,
    /// One sentence.
    pub why: String,
}

/// A write of ours.
#[derive(Debug, Serialize)]
pub struct WriteView {
    /// When.
    pub at: String,
    /// To which side.
    pub to: Side,
    /// Which execution.
    pub cause: String,
    /// How it ended.
    pub state: String,
}

/// A value that did not win.
#[derive(Debug, Serialize)]
pub struct ConflictView {
    /// When it was kept.
    pub at: String,
    /// Why.
    pub cause: String,
    /// The rule that chose.
    pub rule: String,
    /// Whose value stands.
    pub winner: Option<Side>,
    /// Zendesk's value.
    pub zendesk: serde_json::Value,
    /// ClickUp's value.
    pub clickup: serde_json::Value,
}

/// Finds the ticket of a number or of a task's id.
pub async fn find(store: &Store, record: &str) -> anyhow::Result<TicketId> {
    if let Ok(ticket) = record.trim_start_matches('#').parse::<TicketId>()
        && store.links().get(ticket).await?.is_some()
    {
        return Ok(ticket);
    }
    let task = TaskId::new(record).map_err(|error| Failed::usage(error.to_string()))?;
    match store.links().pointer(&task).await? {
        Some(pointer) => Ok(pointer.ticket),
        None => Err(Failed::usage(format!(
            "nothing is linked under `{record}`: give a ticket's number or a task's id"
        ))),
    }
}

/// Explains a ticket.
pub async fn explain(store: &Store, ticket: TicketId, only: Option<&str>) -> anyhow::Result<ExplainView> {
    let Some(link) = store.links().get(ticket).await? else {
        return Err(Failed::usage(format!("ticket {ticket} is not linked")));
    };
    let mut fields = fields(store, &link).await?;
    if let Some(only) = only {
        fields.retain(|field| field.field == only);
        if fields.is_empty() {
            return Err(Failed::usage(format!("ticket {ticket} has no field `{only}` that is kept in step")));
        }
    }
    let quarantine = store.quarantine().get(&stores::WorkKey::Ticket(ticket)).await?;
    Ok(ExplainView {
        ticket: ticket.get(),
        task: link.task.as_ref().map(ToString::to_string),
        state: format!("{:?}", link.state).to_lowercase(),
        origin: link.origin.clone(),
        fields,
        comments: store.comments().list(ticket).await?.len() as u64,
        attachments: store.attachments().list(ticket).await?.len() as u64,
        quarantine: quarantine.map(|row| row.cause),
    })
}

async fn fields(store: &Store, link: &Link) -> anyhow::Result<Vec<FieldView>> {
    let effects = store.effects().list(link.ticket).await?;
    let conflicts = store.conflicts().list(link.ticket).await?;
    let mut views = Vec::new();
    for (field, base) in &link.fields {
        let writes: Vec<WriteView> = effects
            .iter()
            .filter(|effect| effect.fields.contains_key(field))
            .map(|effect| WriteView {
                at: Timestamp(effect.sent_ms).to_rfc3339(),
                to: effect.target,
                cause: effect.cause.clone(),
                state: format!("{:?}", effect.state).to_lowercase(),
            })
            .collect();
        let mut kept = Vec::new();
        for row in conflicts.iter().filter(|row| row.conflict.field == *field) {
            kept.push(ConflictView {
                at: Timestamp(row.at_ms).to_rfc3339(),
                cause: serde_json::to_value(row.conflict.cause)?.as_str().unwrap_or_default().to_owned(),
                rule: row.conflict.rule.clone(),
                winner: row.conflict.winner,
                zendesk: serde_json::to_value(&row.conflict.zendesk)?,
                clickup: serde_json::to_value(&row.conflict.clickup)?,
            });
        }
        views.push(FieldView {
            field: field.to_string(),
            zendesk: serde_json::to_value(&base.z)?,
            clickup: serde_json::to_value(&base.c)?,
            why: why(base.parted, &writes, &kept),
            writes,
            conflicts: kept,
        });
    }
    Ok(views)
}

fn why(parted: bool, writes: &[WriteView], conflicts: &[ConflictView]) -> String {
    match (parted, writes.last(), conflicts.last()) {
        (true, _, Some(conflict)) => {
            format!("both sides keep their own value: {} ({})", conflict.cause, conflict.rule)
        }
        (_, Some(write), Some(conflict)) if conflict.at >= write.at => {
            format!("{}: {} ({})", conflict.at, conflict.cause, conflict.rule)
        }
        (_, Some(write), _) => {
            format!("{1}: written to {0}, {2} had changed", write.to, write.at, write.to.other())
        }
        (_, None, Some(conflict)) => {
            format!("{}: {} ({})", conflict.at, conflict.cause, conflict.rule)
        }
        (_, None, None) => "as it was when the task was made".to_owned(),
    }
}
