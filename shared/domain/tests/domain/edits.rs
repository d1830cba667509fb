//! Edits of people, at random, on either side.

use domain::{Mapping, Side, Task, Ticket, Timestamp, UserId};
use proptest::prelude::*;

use crate::services::{fields_from_tags, set_custom, set_due, status_type};

/// What a person does, by a number for the choice among values.
#[derive(Clone, Copy, Debug)]
pub struct Edit {
    pub side: Side,
    what: u8,
    value: usize,
}

/// Rounds of edits.
pub fn edits() -> impl Strategy<Value = Vec<Vec<Edit>>> {
    let side = prop_oneof![Just(Side::Zendesk), Just(Side::Clickup)];
    let edit = (side, 0..13u8, 0..12usize).prop_map(|(side, what, value)| Edit { side, what, value });
    proptest::collection::vec(proptest::collection::vec(edit, 0..4), 1..7)
}

fn pick<T: Clone>(values: &[T], n: usize) -> T {
    values[n % values.len()].clone()
}

const TITLES: [&str; 4] = ["Printer on fire", "  Fire!  ", "Two\nlines", "Ticket #7"];
const DAY: i64 = 86_400_000;

/// A person edits the ticket; the service keeps its own form.
pub fn edit_ticket(ticket: &mut Ticket, edit: Edit, mapping: &Mapping) {
    let n = edit.value;
    if ticket.is_closed() {
        return;
    }
    match edit.what {
        0 => ticket.subject = pick(&[TITLES[0], "Fire!", "Two lines", ""], n).to_owned().into(),
        1 => {
            ticket.status = pick(&["open", "pending", "hold", "solved", "solved", "closed"], n).into();
        }
        2 => ticket.priority = pick(&[None, Some("low".into()), Some("urgent".into())], n),
        3 => {
            ticket.assignee = pick(&[None, Some(2), Some(3), Some(5), Some(4)], n).map(UserId);
            ticket.group = Some(if ticket.assignee == Some(UserId(4)) { 501 } else { 500 });
        }
        4 | 5 => {
            let tag = pick(&["printer", "needs_review", "vip", "sev_high"], n).to_owned();
            if !ticket.tags.remove(&tag) {
                ticket.tags.insert(tag);
            }
            fields_from_tags(ticket, mapping);
        }
        6 => {
            ticket.ticket_type = Some("task".into());
            ticket.due_at = pick(&[None, Some(20_000 * DAY), Some(20_001 * DAY + 5_000)], n).map(Timestamp);
        }
        7 => set_custom(
            ticket,
            11,
            &pick(&["sev_low".into(), "sev_high".into(), "sev_odd".into()], n),
            mapping,
        ),
        8 => set_custom(ticket, 12, &pick(&["1.50".into(), "2".into(), serde_json::Value::Null], n), mapping),
        9 => set_custom(ticket, 13, &serde_json::Value::Bool(n.is_multiple_of(2)), mapping),
        10 => {
            let areas = [vec![], vec!["area_web"], vec!["area_app", "area_ops"]];
            set_custom(ticket, 14, &pick(&areas, n).into_iter().collect(), mapping);
        }
        11 => set_custom(ticket, 15, &pick(&["2026-01-31".into(), serde_json::Value::Null], n), mapping),
        _ => ticket.description = pick(&["It ▇▇.\nPlease help.", "It burns.\nPlease help."], n).into(),
    }
}

/// A person edits the task; the service keeps its own form.
pub fn edit_task(task: &mut Task, edit: Edit, mapping: &Mapping) {
    let n = edit.value;
    let set = |task: &mut Task, field: &str, value: Option<serde_json::Value>| match value {
        Some(value) => drop(task.custom_fields.insert(field.into(), value)),
        None => drop(task.custom_fields.remove(field)),
    };
    match edit.what {
        0 => task.name = pick(&TITLES, n).trim().to_owned(),
        1 => {
            task.status = pick(&["to do", "Waiting", "complete", "Closed"], n).into();
            task.status_type = status_type(mapping, &task.list, &task.status);
        }
        2 => task.priority = pick(&[None, Some(1), Some(4)], n),
        3 => {
            let id = UserId(pick(&[102, 103, 104, 106], n));
            if !task.assignees.remove(&id) {
                task.assignees.insert(id);
            }
        }
        4 | 5 => {
            let tag = pick(&["printer", "needs review", "vip", "sev_high"], n).to_owned();
            if !task.tags.remove(&tag) {
                task.tags.insert(tag);
            }
        }
        6 => {
            let due = [
                None,
                Some((20_000 * DAY, true)),
                Some((20_001 * DAY, false)),
                Some((20_002 * DAY + 7, true)),
            ];
            set_due(task, pick(&due, n));
        }
        7 => set(task, "f-severity", pick(&[None, Some("u-low".into()), Some("u-max".into())], n)),
        8 => set(task, "f-hours", pick(&[None, Some(1.5.into()), Some("7".into())], n)),
        9 => set(task, "f-vip", pick(&[None, Some("true".into()), Some("false".into())], n)),
        10 => {
            let areas = [None, Some(vec!["u-app"]), Some(vec!["u-web", "u-law"])];
            set(task, "f-areas", pick(&areas, n).map(|ids| ids.into_iter().collect()));
        }
        11 => set(task, "f-visit", pick(&[None, Some((20_000 * DAY).to_string().into())], n)),
        _ => match n % 4 {
            0 => task.description = task.description.replace("Please", "Do"),
            1 => task.description = "nothing".into(),
            2 => task.archived = !task.archived,
            _ => task.description.push_str("\nmore below"),
        },
    }
}
