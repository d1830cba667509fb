//! Whether one side moved since both agreed, told from that side's record alone: what a poll of many records
//! may ask before it reads the other side of any.

use crate::decision::LinkFields;
use crate::field::Value;
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
