//! The ClickUp half of a decision: one call for all standard fields, one per tag and custom field.
//! ClickUp has no compare-and-set, so each write waits for the webhook that confirms it.

use std::collections::BTreeMap;

use clients::{ApiResult, ClickUp, ErrorKind};
use domain::plan::Write;
use domain::{Decision, FieldKey, Side, Task, TaskPatch, TaskWrite, footer};
use orchestration::ExecutionContext;
use stores::effects::{Change, EffectKind};
use stores::leases::Lease;
use stores::links::Link;

use crate::sync::effect::{self, Cause};
use crate::sync::pair::{Pair, Written};
use crate::{Context, SyncError};

/// Sends every write of the decision, in order.
pub async fn write(
    cx: &Context,
    run: &ExecutionContext,
    lease: &Lease,
    link: &mut Link,
    decision: &Decision,
    pair: Pair,
) -> Result<Written, SyncError> {
    let clickup = cx.clickup(run);
    let Pair { ticket, mut task } = pair;
    let before = |field: &FieldKey| cx.mapping.values(field, &ticket, &task).map(|(_, clickup)| clickup);
    let changes = effect::changes(&decision.writes, Side::Clickup, before);
    let rule = decision.asked.as_deref().unwrap_or_default();
    let cause = Cause { rule, source_ms: ticket.updated.ms() };
    let mut calls = 0;
    for write in &decision.clickup {
        let fields = fields_of(cx, write, &changes);
        let kind = if matches!(write, TaskWrite::Move(_)) { EffectKind::Move } else { EffectKind::Fields };
        let pass = cx.permit(ticket.id, &Write::Task(write.clone()))?;
        let write = &marked(cx, link, &task, write);
        let row = effect::send(cx, run, lease, Side::Clickup, kind, (fields, cause)).await?;
        match call(&clickup, &task, write).await {
            Ok(after) => {
                pass.used();
                let confirmed = kind == EffectKind::Fields && cx.options.confirm_within_ms > 0;
                let confirm_by = confirmed.then(|| run.now_ms() + cx.options.confirm_within_ms);
                cx.store.effects().done(&row, 200, None, confirm_by).await?;
                if let TaskWrite::Move(list) = write {
                    link.list = Some(list.clone());
                    cx.mapping.routes_version().clone_into(&mut link.routes);
                }
                task = after;
                calls += 1;
            }
            Err(error) => {
                effect::failed(cx, lease, link, &row, &error).await?;
                if error.kind == ErrorKind::NotFound {
                    return Ok(Written::Again);
                }
                return Err(error.into());
            }
        }
    }
    Ok(Written::All(Box::new(Pair { ticket, task }), calls))
}

/// People may delete the footer. Where the description is ours to write it comes back: without it a copy cannot be
/// told from the task, nor the task be found again.
fn marked(cx: &Context, link: &Link, task: &Task, write: &TaskWrite) -> TaskWrite {
    let TaskWrite::Fields(patch) = write else { return write.clone() };
    let Some(text) = patch.description.as_deref().filter(|_| footer::footer_of(&task.description).is_none())
    else {
        return write.clone();
    };
    let footer = footer::footer(link.ticket, &cx.ticket_url(link.ticket), &link.nonce);
    let description = Some(footer::with_footer(text, &footer));
    TaskWrite::Fields(TaskPatch { description, ..patch.clone() })
}

/// One call; the task as it is afterwards. Where the service does not return it, our own normaliser of
/// that side says what it will show.
async fn call(clickup: &ClickUp, task: &Task, write: &TaskWrite) -> ApiResult<Task> {
    let mut after = task.clone();
    match write {
        TaskWrite::Fields(patch) => {
            let attachments = std::mem::take(&mut after.attachments);
            after = clickup.update_task(&task.id, patch).await?;
            after.attachments = attachments;
        }
        TaskWrite::AddTag(tag) => {
            clickup.add_tag(&task.id, tag).await?;
            after.tags.insert(tag.to_lowercase());
        }
        TaskWrite::RemoveTag(tag) => {
            clickup.remove_tag(&task.id, tag).await?;
            after.tags.retain(|present| present.to_lowercase() != tag.to_lowercase());
        }
        TaskWrite::SetField(id, value) => {
            clickup.set_field(&task.id, id, value).await?;
            after.custom_fields.insert(id.clone(), value.clone());
        }
        TaskWrite::ClearField(id) => {
            clickup.clear_field(&task.id, id).await?;
            after.custom_fields.remove(id);
        }
        TaskWrite::Move(list) => {
            clickup.move_task(&task.id, list).await?;
            after.list = list.clone();
        }
    }
    Ok(after)
}

fn fields_of(
    cx: &Context,
    write: &TaskWrite,
    changes: &BTreeMap<FieldKey, Change>,
) -> BTreeMap<FieldKey, Change> {
    let belongs = |field: &FieldKey| match (write, field) {
        (TaskWrite::AddTag(_) | TaskWrite::RemoveTag(_), FieldKey::Tags) => true,
        (TaskWrite::SetField(id, _) | TaskWrite::ClearField(id), field) => {
            custom_field(cx, id).as_ref() == Some(field)
        }
        (TaskWrite::Fields(_), FieldKey::Tags | FieldKey::Custom(_)) => false,
        (TaskWrite::Fields(_), _) => true,
        _ => false,
    };
    changes.iter().filter(|(field, _)| belongs(field)).map(|(f, c)| (f.clone(), c.clone())).collect()
}

/// The mapped field that a custom field of ClickUp belongs to.
fn custom_field(cx: &Context, id: &str) -> Option<FieldKey> {
    let mapped = cx.mapping.settings().custom.iter().find(|custom| custom.clickup.value == id)?;
    Some(FieldKey::Custom(mapped.name.value.clone()))
}
