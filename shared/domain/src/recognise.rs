//! Pairs that exist already: tasks that say which ticket they belong to, and tickets that say which task. People
//! link by hand, other tools leave marks, and deskup's own state may have been lost; none of these tickets may
//! get a second task without a word.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::footer;
use crate::ids::{ListId, TaskId, TicketId};
use crate::lens::tags::LINK_TAG;
use crate::mapping::Mapping;
use crate::records::{Task, Ticket};
use crate::settings::LinkBack;

/// By what a pair is recognised, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// The task carries deskup's marker, and deskup's user made it.
    Marker,
    /// The ticket's external id is the task's id.
    ExternalId,
    /// The ticket has a tag `clickup-{task}`.
    Tag,
    /// A custom field of the ticket holds the task's address.
    TicketField,
    /// A custom field of the task holds the ticket's address.
    TaskField,
    /// The task's description holds the ticket's address, and no other ticket's.
    Description,
}

impl Sign {
    /// In words, for people.
    pub fn words(self) -> &'static str {
        match self {
            Sign::Marker => "deskup made the task and its link is missing",
            Sign::ExternalId => "the ticket's external id names the task",
            Sign::Tag => "a tag of the ticket names the task",
            Sign::TicketField => "a field of the ticket holds the task's address",
            Sign::TaskField => "a field of the task holds the ticket's address",
            Sign::Description => "the task's description holds the ticket's address",
        }
    }
}

/// A ticket and a task that belong together, as one of them says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recognised {
    /// The ticket.
    pub ticket: TicketId,
    /// The task.
    pub task: TaskId,
    /// By what.
    pub signs: BTreeSet<Sign>,
    /// The task's list, where the task was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListId>,
    /// Whether the task is archived.
    #[serde(default)]
    pub archived: bool,
}

/// Which ticket a task says it belongs to.
pub fn in_task(task: &Task, mapping: &Mapping) -> Option<(TicketId, Sign)> {
    if task.creator == mapping.me(crate::Side::Clickup)
        && let Some(marker) = footer::parse(&task.description)
    {
        return Some((marker.ticket, Sign::Marker));
    }
    let host = host(&mapping.settings().zendesk_url);
    let in_fields = task.custom_fields.values().filter_map(serde_json::Value::as_str);
    let named: BTreeSet<TicketId> = in_fields.flat_map(|text| tickets_named(text, host)).collect();
    if let [ticket] = named.into_iter().collect::<Vec<_>>()[..] {
        return Some((ticket, Sign::TaskField));
    }
    // Who mentions several tickets speaks about them.
    match tickets_named(&task.description, host).into_iter().collect::<Vec<_>>()[..] {
        [ticket] => Some((ticket, Sign::Description)),
        _ => None,
    }
}

/// Which tasks a ticket says it belongs to. An external id may mean anything: it counts once a task of that id is
/// seen.
pub fn in_ticket(ticket: &Ticket, mapping: &Mapping) -> BTreeMap<TaskId, Sign> {
    let mut found = BTreeMap::new();
    let mut add = |text: &str, sign: Sign| {
        if let Ok(task) = TaskId::new(text) {
            found.entry(task).or_insert(sign);
        }
    };
    if let Some(id) = ticket.external_id.as_deref().filter(|id| looks_like_a_task(id)) {
        add(id, Sign::ExternalId);
    }
    for tag in ticket.tags.iter().filter_map(|tag| tag.strip_prefix(LINK_TAG)) {
        if looks_like_a_task(tag) {
            add(tag, Sign::Tag);
        }
    }
    let link_field = match mapping.settings().link_back {
        LinkBack::Field(id) => Some(id),
        _ => None,
    };
    for (id, value) in &ticket.custom_fields {
        let Some(text) = value.as_str() else { continue };
        let named = task_named(text).or_else(|| {
            let last = text.trim_end_matches('/').rsplit('/').next()?;
            (Some(*id) == link_field && looks_like_a_task(last)).then_some(last)
        });
        if let Some(task) = named {
            add(task, Sign::TicketField);
        }
    }
    found
}

/// The tickets whose address a text holds.
fn tickets_named(text: &str, host: &str) -> BTreeSet<TicketId> {
    let mut found = BTreeSet::new();
    if host.is_empty() {
        return found;
    }
    for (at, _) in text.match_indices(host) {
        let rest = &text[at + host.len()..];
        let path =
            rest.split(|c: char| c.is_whitespace() || "\"'<>()[]".contains(c)).next().unwrap_or_default();
        let number = ["/tickets/", "/requests/"].iter().find_map(|folder| {
            let rest = &path[path.find(folder)? + folder.len()..];
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            rest[..digits].parse::<TicketId>().ok()
        });
        found.extend(number);
    }
    found
}

/// The task whose address a text is.
fn task_named(text: &str) -> Option<&str> {
    const FOLDER: &str = "clickup.com/t/";
    let rest = &text[text.find(FOLDER)? + FOLDER.len()..];
    let path = rest.split(|c: char| c.is_whitespace() || "?#\"'<>()".contains(c)).next()?;
    path.trim_end_matches('/').rsplit('/').next().filter(|id| looks_like_a_task(id))
}

/// ClickUp's ids are short, and small letters and digits.
fn looks_like_a_task(id: &str) -> bool {
    (5..=16).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && id.bytes().any(|byte| byte.is_ascii_digit())
}

/// The host of an address, without a port's or a path's tail.
fn host(url: &str) -> &str {
    url.split("://").nth(1).unwrap_or(url).split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_tickets_are_found_in_every_form() {
        let found = |text: &str| {
            let found = tickets_named(text, "acme.zendesk.com").into_iter();
            found.map(|ticket| ticket.get()).collect::<Vec<_>>()
        };
        for text in [
            "see https://acme.zendesk.com/agent/tickets/42",
            "(https://acme.zendesk.com/tickets/42).",
            "https://acme.zendesk.com/hc/en-us/requests/42?x=1",
            "acme.zendesk.com/api/v2/tickets/42.json",
            "[t](https://acme.zendesk.com/agent/tickets/42/events)",
        ] {
            assert_eq!(found(text), [42], "{text}");
        }
        assert_eq!(
            found("https://acme.zendesk.com/agent/tickets/1 https://acme.zendesk.com/agent/tickets/2"),
            [1, 2]
        );
        for text in
            ["https://other.zendesk.com/agent/tickets/42", "https://acme.zendesk.com/agent/tickets/", "42"]
        {
            assert_eq!(found(text), [0_u64; 0], "{text}");
        }
    }

    #[test]
    fn addresses_of_tasks_are_found() {
        assert_eq!(task_named("https://app.clickup.com/t/868f9p6ad"), Some("868f9p6ad"));
        assert_eq!(task_named("https://app.clickup.com/t/9001/868f9p6ad/?x"), Some("868f9p6ad"));
        for text in ["https://app.clickup.com/t/", "https://app.clickup.com/9001/v/l/1", "868f9p6ad"] {
            assert_eq!(task_named(text), None, "{text}");
        }
        assert!(
            !looks_like_a_task("customer")
                && !looks_like_a_task("ORDER-17")
                && looks_like_a_task("868f9p6ad")
        );
    }
}
