//! Due dates. Zendesk has an instant on tickets of type task, or a date field where one is configured;
//! ClickUp has an instant or a day, which it keeps as 4 a.m. of somebody's local time. Days are compared
//! as days.

use super::{Lens, Look, TaskWrites, Unmirrorable};
use crate::field::Value;
use crate::ids::Timestamp;
use crate::patch::TicketPatch;
use crate::records::{Task, Ticket};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// Days of one time zone, as far as a fixed offset knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Days {
    pub offset_minutes: i32,
}

impl Days {
    /// `2026-01-31` for an instant.
    pub fn day(self, ms: i64) -> String {
        let local = ms.saturating_add(i64::from(self.offset_minutes) * MINUTE_MS);
        Timestamp(local).to_rfc3339().chars().take(10).collect()
    }

    /// An instant on that day: noon, which lies on the same day for zones far around.
    pub fn noon(self, day: &str) -> Option<i64> {
        let midnight = Timestamp::parse_rfc3339(&format!("{day}T00:00:00Z"))?.ms();
        Some(midnight + DAY_MS / 2 - i64::from(self.offset_minutes) * MINUTE_MS)
    }
}

#[derive(Debug)]
pub(crate) struct DueDate {
    pub days: Days,
    /// The Zendesk date field that is used instead of `due_at`.
    pub field: Option<u64>,
}

impl DueDate {
    fn day_of(&self, value: &Value) -> Option<String> {
        match value {
            Value::Date(ms) => Some(self.days.day(*ms)),
            Value::Text(day) => Some(day.clone()),
            _ => None,
        }
    }
}

/// Zendesk keeps seconds.
fn whole_seconds(ms: i64) -> i64 {
    ms - ms.rem_euclid(1000)
}

impl Lens for DueDate {
    fn zendesk(&self, ticket: &Ticket) -> Value {
        match self.field {
            Some(id) => {
                ticket.custom_fields.get(&id).and_then(|value| value.as_str()).map_or(Value::Null, |day| {
                    let day: String = day.trim().chars().take(10).collect();
                    super::text_value(&day)
                })
            }
            None => ticket.due_at.map_or(Value::Null, |time| Value::Date(whole_seconds(time.ms()))),
        }
    }

    fn clickup(&self, task: &Task) -> Value {
        match task.due_date {
            None => Value::Null,
            Some(time) if task.due_date_time => Value::Date(time.ms()),
            Some(time) => Value::Text(self.days.day(time.ms())),
        }
    }

    fn same(&self, zendesk: &Value, clickup: &Value, _: &Look<'_>) -> bool {
        match (zendesk, clickup) {
            (Value::Date(z), Value::Date(c)) => whole_seconds(*z) == whole_seconds(*c),
            _ => self.day_of(zendesk) == self.day_of(clickup),
        }
    }

    fn to_clickup(&self, zendesk: &Value, _: &Value, _: &Look<'_>) -> Result<Value, Unmirrorable> {
        match zendesk {
            Value::Text(day) if self.days.noon(day).is_none() => Err(format!("`{day}` is not a date")),
            other => Ok(other.clone()),
        }
    }

    fn to_zendesk(&self, clickup: &Value, _: &Value, look: &Look<'_>) -> Result<Value, Unmirrorable> {
        if self.field.is_some() {
            return Ok(self.day_of(clickup).map_or(Value::Null, Value::Text));
        }
        let kind = look.ticket.ticket_type.as_deref();
        if *clickup != Value::Null && !matches!(kind, None | Some("task")) {
            return Err(format!(
                "a ticket of type {} has no due date (fields.due_date.zendesk_field would take it)",
                kind.unwrap_or_default()
            ));
        }
        Ok(match clickup {
            Value::Date(ms) => Value::Date(whole_seconds(*ms)),
            Value::Text(day) => match self.days.noon(day) {
                Some(ms) => Value::Date(ms),
                None => return Err(format!("`{day}` is not a date")),
            },
            _ => Value::Null,
        })
    }

    fn write_clickup(&self, value: &Value, _: &Look<'_>, writes: &mut TaskWrites) {
        writes.fields.due_date = Some(match value {
            Value::Date(ms) => Some((*ms, true)),
            Value::Text(day) => self.days.noon(day).map(|ms| (ms, false)),
            _ => None,
        });
    }

    fn write_zendesk(&self, value: &Value, look: &Look<'_>, patch: &mut TicketPatch) {
        if let Some(id) = self.field {
            let json = super::text_of(value).map_or(serde_json::Value::Null, serde_json::Value::from);
            patch.custom_fields.insert(id, json);
            return;
        }
        if let Value::Date(ms) = value {
            patch.due_at = Some(Some(Timestamp(*ms).to_rfc3339()));
            if look.ticket.ticket_type.is_none() {
                patch.ticket_type = Some("task".to_owned());
            }
        } else {
            patch.due_at = Some(None);
        }
    }
}
