//! Priorities by a table; both sides may have none.

use super::{Lens, Look, NameTable, TaskWrites, Unmirrorable, text_of};
use crate::field::Value;
use crate::patch::TicketPatch;
use crate::records::{Task, Ticket};
use crate::settings::{Mistake, Settings};

const ZENDESK: [&str; 4] = ["urgent", "high", "normal", "low"];
/// ClickUp's names; its values are their numbers from 1.
const CLICKUP: [&str; 4] = ["urgent", "high", "normal", "low"];
const NONE: &str = "none";

#[derive(Debug)]
pub(crate) struct Priority {
    table: NameTable,
}

impl Priority {
    pub fn build(settings: &Settings, mistakes: &mut Vec<Mistake>) -> Self {
        let mut table = NameTable::default();
        let mut pair = |zendesk: Option<String>, clickup: Option<String>| {
            table.to_clickup.entry(zendesk.clone()).or_insert_with(|| clickup.clone());
            table.to_zendesk.entry(clickup).or_insert(zendesk);
        };
        for (zendesk, clickup) in &settings.priority {
            let z = zendesk.value.to_lowercase();
            let c = clickup.value.to_lowercase();
            let z_known = z == NONE || ZENDESK.contains(&z.as_str());
            let number = CLICKUP.iter().position(|name| *name == c).map(|index| index + 1);
            let number = number.or_else(|| c.parse().ok().filter(|n| (1..=CLICKUP.len()).contains(n)));
            let on_clickup = number.map(|n| Some(n.to_string())).or((c == NONE).then_some(None));
            if !z_known {
                mistakes.push(zendesk.mistake(format!(
                    "`{}` is not a Zendesk priority; use urgent, high, normal, low or none",
                    zendesk.value
                )));
            }
            match on_clickup {
                Some(number) if z_known => pair((z != NONE).then_some(z), number),
                Some(_) => {}
                None => mistakes.push(clickup.mistake(format!(
                    "`{}` is not a ClickUp priority; use urgent, high, normal, low, 1 to 4 or none",
                    clickup.value
                ))),
            }
        }
        // What the table leaves out goes by its name.
        for (name, number) in ZENDESK.into_iter().zip(1..) {
            pair(Some(name.to_owned()), Some(number.to_string()));
        }
        pair(None, None);
        Priority { table }
    }
}

fn name_of(value: &Value) -> Option<String> {
    text_of(value).map(str::to_owned)
}

fn value_of(name: Option<String>) -> Value {
    name.map_or(Value::Null, Value::Text)
}

impl Lens for Priority {
    fn zendesk(&self, ticket: &Ticket) -> Value {
        value_of(ticket.priority.as_deref().filter(|name| !name.is_empty()).map(str::to_lowercase))
    }

    fn clickup(&self, task: &Task) -> Value {
        value_of(task.priority.map(|number| number.to_string()))
    }

    fn same(&self, zendesk: &Value, clickup: &Value, _: &Look<'_>) -> bool {
        let (z, c) = (name_of(zendesk), name_of(clickup));
        self.table.to_clickup.get(&z) == Some(&c) || self.table.to_zendesk.get(&c) == Some(&z)
    }

    fn to_clickup(&self, zendesk: &Value, _: &Value, _: &Look<'_>) -> Result<Value, Unmirrorable> {
        let name = name_of(zendesk);
        let found = self.table.to_clickup.get(&name).cloned().map(value_of);
        found.ok_or_else(|| format!("[priority] has no entry for Zendesk's `{}`", name.unwrap_or_default()))
    }

    fn to_zendesk(&self, clickup: &Value, _: &Value, _: &Look<'_>) -> Result<Value, Unmirrorable> {
        let name = name_of(clickup);
        let found = self.table.to_zendesk.get(&name).cloned().map(value_of);
        found.ok_or_else(|| format!("[priority] has no entry for ClickUp's `{}`", name.unwrap_or_default()))
    }

    fn write_clickup(&self, value: &Value, _: &Look<'_>, writes: &mut TaskWrites) {
        writes.fields.priority = Some(text_of(value).and_then(|number| number.parse().ok()));
    }

    fn write_zendesk(&self, value: &Value, _: &Look<'_>, patch: &mut TicketPatch) {
        patch.priority = Some(name_of(value));
    }
}
