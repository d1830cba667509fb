//! Whether one side moved since both agreed, told from that side's record alone: what a poll of many records
//! may ask before it reads the other side of any. And whether a decision is the mapping's, because neither side moved.

use crate::decision::{Decision, LinkFields};
use crate::field::{FieldKey, Value};
use crate::ids::ListId;
use crate::lens::Lens;
use crate::mapping::{Mapping, Routing};
use crate::records::{Task, Ticket};

/// Whether a ticket differs from the bases of its link, or belongs in another list than the one where its
/// task was put.
pub fn ticket_moved(
    fields: &LinkFields,
    placed: Option<&ListId>,
    ticket: &Ticket,
    mapping: &Mapping,
) -> bool {
    let elsewhere = match mapping.place(ticket) {
        Routing::List(list) => placed.is_some_and(|placed| *placed != list),
        Routing::Filtered(_) => false,
    };
    elsewhere || moved(fields, mapping, |lens| lens.zendesk(ticket), |base| &base.z)
}

/// Whether a decision writes a field that nobody has changed since both sides agreed on it, or one that was not kept in
/// step before: then the mapping is another one.
pub fn is_remapped(
    fields: &LinkFields,
    decision: &Decision,
    ticket: &Ticket,
    task: &Task,
    mapping: &Mapping,
) -> bool {
    // Without any base the link was made of two records that people had made, and a person's choice is nobody's else.
    if fields.is_empty() || decision.asked.is_some() {
        return false;
    }
    let is_still = |key: &FieldKey| {
        let values = mapping.values(key, ticket, task);
        values.is_some_and(|(z, c)| match fields.get(key) {
            Some(base) => base.held.is_none() && base.z == z.to_stored() && base.c == c.to_stored(),
            None => true,
        })
    };
    // Nobody is assigned to old work, so a task that is open again gets its people back.
    let reopened = !is_still(&FieldKey::Status);
    let mut written = decision.writes.keys().map(|(_, key)| key);
    written.any(|key| is_still(key) && !(reopened && *key == FieldKey::Assignee))
}

/// Whether a task differs from the bases of its link.
pub fn task_moved(fields: &LinkFields, task: &Task, mapping: &Mapping) -> bool {
    moved(fields, mapping, |lens| lens.clickup(task), |base| &base.c)
}

fn moved(
    fields: &LinkFields,
    mapping: &Mapping,
    now: impl Fn(&dyn Lens) -> Value,
    then: impl Fn(&crate::decision::FieldBase) -> &Value,
) -> bool {
    mapping.mapped().iter().any(|field| {
        let now = now(&*field.lens).to_stored();
        fields.get(&field.key).is_none_or(|base| *then(base) != now)
    })
}
