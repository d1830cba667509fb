//! Ticket subject and task name. A task has to have a name, a ticket may have no subject.

use super::text::one_line;
use super::{Lens, Look, TaskWrites, Unmirrorable, text_of, text_value};
use crate::field::Value;
use crate::patch::TicketPatch;
use crate::records::{Task, Ticket};

#[derive(Debug)]
pub(crate) struct Title;

/// The name of a task whose ticket has no subject.
fn name_for(zendesk: &Value, ticket: &Ticket) -> String {
    text_of(zendesk).map_or_else(|| format!("Ticket #{}", ticket.id), str::to_owned)
}

impl Lens for Title {
    fn zendesk(&self, ticket: &Ticket) -> Value {
        text_value(&one_line(ticket.subject.as_deref().unwrap_or_default()))
    }

    fn clickup(&self, task: &Task) -> Value {
        text_value(&one_line(&task.name))
    }

    fn same(&self, zendesk: &Value, clickup: &Value, look: &Look<'_>) -> bool {
        text_of(clickup) == Some(name_for(zendesk, look.ticket).as_str())
    }

    fn to_clickup(&self, zendesk: &Value, _: &Value, look: &Look<'_>) -> Result<Value, Unmirrorable> {
        Ok(Value::Text(name_for(zendesk, look.ticket)))
    }

    fn to_zendesk(&self, clickup: &Value, _: &Value, _: &Look<'_>) -> Result<Value, Unmirrorable> {
        match clickup {
            Value::Text(_) => Ok(clickup.clone()),
            _ => Err("the task has no name".to_owned()),
        }
    }

    fn write_clickup(&self, value: &Value, look: &Look<'_>, writes: &mut TaskWrites) {
        writes.fields.name = Some(name_for(value, look.ticket));
    }

    fn write_zendesk(&self, value: &Value, _: &Look<'_>, patch: &mut TicketPatch) {
        patch.subject = Some(text_of(value).unwrap_or_default().to_owned());
    }
}
