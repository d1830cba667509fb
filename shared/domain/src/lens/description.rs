//! The ticket's first comment and the task's description. Zendesk's is read only, so this lens writes to
//! ClickUp only; edits there are told by a note or a conflict, see [`crate::decide`].

use super::text::{lines, one_line};
use super::{Lens, Look, TaskWrites, Unmirrorable, text_of, text_value};
use crate::conversation::{CLICKUP_DESCRIPTION_BYTES_MAX, shorten};
use crate::field::Value;
use crate::footer;
use crate::patch::TicketPatch;
use crate::records::{Task, Ticket};

#[derive(Debug)]
pub(crate) struct Description;

/// Room for the footer below a text of the greatest length.
const FOOTER_BYTES_MAX: usize = 1024;

/// The text that fits a task.
fn fitting(zendesk: &Value) -> Value {
    let text = text_of(zendesk).unwrap_or_default();
    // The footer has the link.
    text_value(&shorten(text, CLICKUP_DESCRIPTION_BYTES_MAX - FOOTER_BYTES_MAX, "see the ticket named below"))
}

impl Lens for Description {
    fn zendesk(&self, ticket: &Ticket) -> Value {
        text_value(&lines(&ticket.description))
    }

    fn clickup(&self, task: &Task) -> Value {
        text_value(&lines(&footer::strip(&task.description)))
    }

    fn whole_zendesk(&self, ticket: &Ticket) -> Value {
        text_value(ticket.description.trim())
    }

    fn whole_clickup(&self, task: &Task) -> Value {
        text_value(footer::strip(&task.description).trim())
    }

    fn normal(&self, kept: &Value) -> Value {
        text_of(kept).map_or(Value::Null, |text| text_value(&lines(text)))
    }

    /// White space is left to the services: none of them keeps all of it.
    fn same(&self, zendesk: &Value, clickup: &Value, _: &Look<'_>) -> bool {
        let squeezed = |value: &Value| text_of(value).map(one_line);
        fitting(zendesk) == *clickup || squeezed(&fitting(zendesk)) == squeezed(clickup)
    }

    fn to_clickup(&self, zendesk: &Value, _: &Value, _: &Look<'_>) -> Result<Value, Unmirrorable> {
        Ok(fitting(zendesk))
    }

    fn to_zendesk(&self, _: &Value, _: &Value, _: &Look<'_>) -> Result<Value, Unmirrorable> {
        Err("Zendesk's description is read only".to_owned())
    }

    fn write_clickup(&self, value: &Value, look: &Look<'_>, writes: &mut TaskWrites) {
        let text = text_of(value).unwrap_or_default();
        let text = match footer::footer_of(&look.task.description) {
            Some(footer) => footer::with_footer(text, footer),
            // ClickUp ignores an empty text; one blank clears.
            None if text.is_empty() => " ".to_owned(),
            None => text.to_owned(),
        };
        writes.fields.description = Some(text);
    }

    fn write_zendesk(&self, _: &Value, _: &Look<'_>, _: &mut TicketPatch) {}
}
