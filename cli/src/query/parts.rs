//! Parts of the status that are rows of the state and nothing more.

use domain::Side;
use stores::Store;
use stores::executions::ExecutionRow;
use stores::pulse::Pulse;
use stores::switches::SwitchName;

use super::status::{BudgetView, CursorView, ExecutionView, HeardView, SwitchView};
use super::time;
use crate::installation::STREAMS;

/// The limits worth showing; those of single tickets come and go.
pub(super) const LIMITS: [(&str, &str); 4] =
    [("clickup", "token"), ("zendesk", "account"), ("zendesk", "tickets-update"), ("zendesk", "incremental")];

/// Switches that are on.
pub async fn switches(store: &Store) -> anyhow::Result<Vec<SwitchView>> {
    let on = store.switches().all().await?;
    Ok(on
        .into_iter()
        .map(|(name, switch)| SwitchView {
            name: match name {
                SwitchName::Brake => "brake".to_owned(),
                SwitchName::Pause(lane) => lane.name().to_owned(),
                SwitchName::Budget(side) => format!("nothing is asked of {side}"),
                SwitchName::Access(side) => format!("no access to {side}"),
            },
            reason: switch.reason,
            by: switch.by,
            since: time(switch.at_ms),
            until: switch.until_ms.map(time),
        })
        .collect())
}

/// What was heard of a side.
pub fn heard_view(side: Side, pulse: &Pulse, now: i64) -> HeardView {
    HeardView {
        service: side,
        last_event: pulse.heard_ms.map(time),
        age_ms: pulse.heard_ms.map(|at| now - at),
        found_since: pulse.found,
        unconfirmed_since: pulse.unconfirmed,
    }
}

/// How far each stream was read.
pub async fn cursors(store: &Store, now: i64) -> anyhow::Result<Vec<CursorView>> {
    let mut views = Vec::new();
    for (stream, cursor) in store.cursors().get_all(&STREAMS).await? {
        let looked = store.pulses().looked_ms(&stream).await?;
        views.push(CursorView {
            stream,
            cursor: cursor.text,
            version: cursor.ver,
            moved: time(cursor.at_ms),
            looked: looked.map(time),
            looked_age_ms: looked.map(|at| now - at),
        });
    }
    Ok(views)
}

/// The newest window of each limit.
pub async fn budgets(store: &Store) -> anyhow::Result<Vec<BudgetView>> {
    let mut views = Vec::new();
    for (api, limit) in LIMITS {
        if let Some(window) = store.budgets().newest(api, limit).await? {
            let until = time(window.reset_ms);
            views.push(BudgetView { api, limit, used: window.used, of: window.limit, until });
        }
    }
    Ok(views)
}

/// An execution's row as a view.
pub fn execution(row: ExecutionRow) -> ExecutionView {
    ExecutionView {
        ran_ms: row.ended_ms.unwrap_or(row.updated_ms) - row.started_ms,
        id: row.id,
        workflow: row.workflow,
        status: row.status,
        step: row.step,
        started: time(row.started_ms),
        transitions: row.transitions,
        error: row.error,
    }
}
