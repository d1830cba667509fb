//! The Zendesk half of a decision: fields and a note share one call, guarded by `safe_update`. The audit
//! in the reply tells what was overwritten, which `safe_update` alone does not (it counts in seconds).

use clients::{Audit, ErrorKind};
use domain::history::zendesk_audit;
use domain::plan::Write;
use domain::{Decision, FieldKey, Side, lost_update};
use orchestration::ExecutionContext;
use planted::Bug;
use serde_json::Value as Json;
use stores::effects::EffectKind;
use stores::leases::Lease;
use stores::links::Link;

use crate::sync::effect::{self, Cause};
use crate::sync::pair::{Pair, Written};
use crate::sync::{masked, overwritten};
use crate::{Context, SyncError};

/// Sends the patch of the decision.
pub async fn write(
    cx: &Context,
    run: &ExecutionContext,
    lease: &Lease,
    link: &mut Link,
    decision: &Decision,
    pair: Pair,
) -> Result<Written, SyncError> {
    let patch = decision.ticket_patch().unwrap_or_default();
    let ticket = &pair.ticket;
    let before = |field: &FieldKey| cx.mapping.values(field, ticket, &pair.task).map(|(zendesk, _)| zendesk);
    let fields = effect::changes(&decision.writes, Side::Zendesk, before);
    let pass = cx.permit(ticket.id, &Write::Ticket(Box::new(patch.clone())))?;
    let rule = decision.asked.as_deref().unwrap_or_default();
    let cause = Cause { rule, source_ms: pair.task.updated.ms() };
    let row = effect::send(cx, run, lease, Side::Zendesk, EffectKind::Fields, (fields, cause)).await?;
    match cx.zendesk(run).update_ticket(ticket.id, &patch, &row.id, Some(&ticket.updated_stamp)).await {
        Ok(updated) => {
            pass.used();
            // The audit in the reply is the confirmation.
            cx.store.effects().done(&row, 200, None, None).await?;
            let previous: Vec<(String, Json)> =
                updated.audit.changes.iter().map(|c| (c.field.clone(), c.previous.clone())).collect();
            let lost = lost_update::zendesk_lost(&pair.ticket, decision, &previous, &cx.mapping);
            let audits = match is_repeated(cx, decision, &pair, &updated.audit) {
                true => cx.zendesk(run).audits(ticket.id).await?,
                false => Vec::new(),
            };
            let lost = lost.into_iter().chain(overwritten::on_ticket(cx, &[&row], &audits));
            for conflict in lost.filter(|_| !planted::is(Bug::AuditIgnored)) {
                cx.store.conflicts().record(link.ticket, &conflict).await?;
            }
            let mut ticket = updated.ticket;
            masked::as_linked(&link.fields, &mut ticket);
            Ok(Written::All(Box::new(Pair { ticket, task: pair.task }), 1))
        }
        Err(error) => {
            effect::failed(cx, lease, link, &row, &error).await?;
            match error.kind {
                ErrorKind::Conflict | ErrorKind::NotFound => Ok(Written::Again),
                _ => Err(error.into()),
            }
        }
    }
}

/// Whether the audit of the reply leaves out a field that we changed: then an earlier sending of the request did it, and
/// another audit tells what that one overwrote.
fn is_repeated(cx: &Context, decision: &Decision, read: &Pair, audit: &Audit) -> bool {
    let told = |key: &FieldKey| {
        let keys = audit.changes.iter().filter_map(|one| zendesk_audit(&one.field, &one.value, &cx.mapping));
        keys.into_iter().any(|(told, _)| told == *key)
    };
    decision.writes.iter().any(|((side, key), value)| {
        let was = cx.mapping.values(key, &read.ticket, &read.task).map(|(zendesk, _)| zendesk);
        *side == Side::Zendesk && was.as_ref() != Some(value) && !told(key)
    })
}
