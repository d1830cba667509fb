//! What a person asks of a running or resting deskup. None of it writes to a service: it changes rows that the
//! steps look at, and the steps do the work under their leases, budgets and brake.

use std::collections::BTreeMap;

use domain::{Side, TicketId, Value};
use stores::conflicts::{Ask, ConflictRow, ConflictState, Settled};
use stores::links::{Link, LinkState};
use stores::quarantine::Quarantined;
use stores::switches::{Switch, SwitchName};
use stores::tally::Tally;
use stores::work::Hint;
use stores::{Lane, Store, StoreError, WorkKey};

use crate::sync::wants;

/// Everything of a ticket.
const ALL: [&str; 5] = [
    wants::ZENDESK,
    wants::ZENDESK_COMMENTS,
    wants::CLICKUP,
    wants::CLICKUP_COMMENTS,
    // A value that somebody asked for before the record was set aside.
    wants::APPLY,
];

/// Everything of a task; where it has no ticket, whether it is a copy of ours.
const ALL_OF_TASK: [&str; 4] =
    [wants::CLICKUP, wants::CLICKUP_COMMENTS, wants::ZENDESK_COMMENTS, wants::TWIN];

/// Why a conflict cannot be applied at all, as far as the state alone tells; the step looks at the records.
pub fn cannot_apply(row: &ConflictRow, link: Option<&Link>, side: Side) -> Option<String> {
    let conflict = &row.conflict;
    let Some(link) = link else { return Some(format!("ticket {} is not linked", row.ticket)) };
    match link.state {
        LinkState::Linked => {}
        LinkState::Suspended => return Some("one side is not visible at present".to_owned()),
        LinkState::Closed if side == Side::Clickup => return Some("the ticket is closed".to_owned()),
        LinkState::Closed => {}
        LinkState::Intent | LinkState::Probe => return Some("the ticket has no task yet".to_owned()),
        LinkState::Unlinked => return Some("the ticket and its task were taken apart".to_owned()),
    }
    if !link.fields.contains_key(&conflict.field) {
        let field = conflict.field.to_string();
        return Some(if field.starts_with("custom.comment:") {
            "a comment is not applied again: copy it by hand, then dismiss the conflict".to_owned()
        } else {
            format!("the field `{field}` is not kept in step")
        });
    }
    let kept = if side == Side::Zendesk { &conflict.zendesk } else { &conflict.clickup };
    matches!(kept, Value::Hash(_)).then(|| format!("{side}'s value was kept as a fingerprint only"))
}

/// Asks for a kept value on both sides: the next execution that serves the ticket applies it, unless a side
/// changes before. What both sides hold now counts as seen.
pub async fn ask_to_apply(
    store: &Store,
    row: &ConflictRow,
    link: &Link,
    side: Side,
    by: &str,
) -> Result<(), StoreError> {
    let base = link.fields.get(&row.conflict.field).cloned().unwrap_or_default();
    let ask = Ask {
        side,
        by: by.to_owned(),
        at_ms: store.now_ms(),
        seen: (base.z.fingerprint(), base.c.fingerprint()),
    };
    // The wish first: whoever serves the row then must find it.
    store.conflicts().ask(row, &ask).await?;
    let hint = Hint {
        lane: Lane::Urgent,
        delay_ms: 0,
        wants: &[wants::APPLY],
        event_ms: store.now_ms(),
        queue: None,
    };
    store.work().hint(&WorkKey::Ticket(row.ticket), hint).await.map(drop)
}

/// Lets a conflict rest: both sides stay as they are.
pub async fn dismiss(store: &Store, row: &ConflictRow, by: &str) -> Result<(), StoreError> {
    let settled = Settled { by: by.to_owned(), at_ms: store.now_ms(), side: None };
    store.conflicts().settle_by(row.ticket, &row.id, ConflictState::Dismissed, &settled).await
}

/// Puts a record that was set aside back into the queue, to be looked at as a whole.
pub async fn retry(store: &Store, row: &Quarantined) -> Result<(), StoreError> {
    let asked: &[&str] = match row.record {
        WorkKey::Ticket(_) => &ALL,
        WorkKey::Task(_) => &ALL_OF_TASK,
    };
    let hint = Hint { lane: Lane::Reconcile, delay_ms: 0, wants: asked, event_ms: 0, queue: None };
    // The row first: a record must be in one of the two places at any time.
    store.work().hint(&row.record, hint).await?;
    store.quarantine().remove(&row.record, row.part.as_deref()).await
}

/// What a person may pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The work of a lane.
    Lane(Lane),
    /// All calls of one service.
    Service(Side),
}

impl Part {
    /// Its switch.
    pub fn switch(self) -> SwitchName {
        match self {
            Part::Lane(lane) => SwitchName::Pause(lane),
            Part::Service(side) => SwitchName::Budget(side),
        }
    }
}

impl From<Lane> for Part {
    fn from(lane: Lane) -> Self {
        Part::Lane(lane)
    }
}

/// Pauses a lane or a service. Gives the pause that stands: an earlier one keeps its reason.
pub async fn pause(
    store: &Store,
    part: impl Into<Part>,
    reason: &str,
    by: &str,
) -> Result<Switch, StoreError> {
    let name = part.into().switch();
    store.switches().set(name, reason, by).await?;
    let stands = store.switches().get(name).await?;
    Ok(stands.unwrap_or(Switch {
        reason: reason.to_owned(),
        by: by.to_owned(),
        at_ms: store.now_ms(),
        until_ms: None,
    }))
}

/// Ends a pause; false if there was none.
pub async fn resume(store: &Store, part: impl Into<Part>) -> Result<bool, StoreError> {
    let name = part.into().switch();
    let paused = store.switches().get(name).await?.is_some();
    store.switches().clear(name).await?;
    Ok(paused)
}

/// What was about to happen when the brake was pulled, and what waits behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Braked {
    /// The brake itself.
    pub brake: Option<Switch>,
    /// What was counted in its ten minutes.
    pub tally: Tally,
    /// Records that wait, by lane.
    pub waiting: BTreeMap<Lane, u64>,
    /// The first tickets that wait.
    pub first: Vec<TicketId>,
}

/// How many waiting tickets are named.
const FIRST_MAX: usize = 10;

/// Reads what is held back by the brake.
pub async fn braked(store: &Store) -> Result<Braked, StoreError> {
    let brake = store.switches().get(SwitchName::Brake).await?;
    let mut found = Braked { waiting: store.work().count().await?, ..Braked::default() };
    if let Some(brake) = &brake {
        found.tally = store.tally().at(brake.at_ms).await?;
    }
    found.brake = brake;
    for lane in Lane::ALL {
        for due in store.work().waiting(lane).await? {
            if let WorkKey::Ticket(ticket) = due.key
                && found.first.len() < FIRST_MAX
            {
                found.first.push(ticket);
            }
        }
    }
    Ok(found)
}
