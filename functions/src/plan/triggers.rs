//! Zendesk's triggers that a change of a plan may meet: which of them fire is Zendesk's to say, and those that
//! certainly do not are left out.

use std::collections::BTreeSet;

use domain::triggers::{Reach, Update};
use domain::{RecordPlan, Side, Visibility};
use orchestration::ExecutionContext;

use super::{Plan, TriggerMet};
use crate::{Context, SyncError};

/// Asks for active triggers, where the plan writes to Zendesk; the farthest reach first.
pub(super) async fn met(
    cx: &Context,
    run: &ExecutionContext,
    plan: &Plan,
) -> Result<Vec<TriggerMet>, SyncError> {
    let updates = updates(plan);
    if updates.is_empty() {
        return Ok(Vec::new());
    }
    let mut met: Vec<(Reach, TriggerMet)> = Vec::new();
    for trigger in cx.zendesk(run).triggers().await? {
        if updates.iter().any(|update| trigger.may_meet(update)) {
            let reach = trigger.reach();
            let does = trigger.actions.iter().map(|action| action.field.clone()).collect();
            let seen = TriggerMet { id: trigger.id, title: trigger.title, reach: word(reach), does };
            met.push((reach, seen));
        }
    }
    met.sort_by_key(|(reach, seen)| (*reach, seen.id));
    Ok(met.into_iter().map(|(_, seen)| seen).collect())
}

fn word(reach: Reach) -> String {
    match reach {
        Reach::Customer => "customer",
        Reach::Machine => "machine",
        Reach::Staff => "staff",
        Reach::Ticket => "ticket",
    }
    .to_owned()
}

/// The kinds of updates that a plan makes to tickets: fields alone, internal notes, public comments.
fn updates(plan: &Plan) -> Vec<Update> {
    let on_zendesk = |record: &&RecordPlan| record.calls.iter().any(|call| call.to == Side::Zendesk);
    let mut comments: BTreeSet<Option<Visibility>> = BTreeSet::new();
    for record in plan.records.iter().filter(on_zendesk) {
        let copies = record.comments.iter().filter(|copy| copy.from == Side::Clickup);
        comments.extend(copies.map(|copy| Some(copy.visibility)));
        let files = record.files.iter().any(|file| file.from == Side::Clickup);
        if files || record.note.is_some() {
            comments.insert(Some(Visibility::Internal));
        }
        let fields = record.fields.iter().any(|field| field.writes.contains_key(&Side::Zendesk));
        if fields || record.link_back {
            comments.insert(None);
        }
    }
    comments.into_iter().map(|comment| Update { fields: Vec::new(), comment }).collect()
}
