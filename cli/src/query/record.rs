//! Which pair a person means: a ticket's number, a task's id, or what the address bar of either service says.

use domain::{TaskId, TicketId};
use stores::{Store, WorkKey};

use crate::failure::Failed;

/// What was typed or pasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// A ticket.
    Ticket(TicketId),
    /// A task.
    Task(TaskId),
    /// A number that may be a ticket's, or a task's.
    Either(TicketId, TaskId),
    /// A custom id of ClickUp, such as `DEV-12`, which only ClickUp can resolve.
    Custom(String),
}

/// Reads what was typed or pasted.
pub fn read(text: &str) -> Result<Meant, String> {
    let text = text.trim();
    let nothing = || {
        format!(
            "`{}` is neither a ticket's number, a task's id, nor the address of one",
            crate::terminal::cut(&crate::terminal::plain(text), 60)
        )
    };
    if text.contains("://") || text.contains('/') {
        return address(text).ok_or_else(nothing);
    }
    let bare = text.strip_prefix("T#").or_else(|| text.strip_prefix('#')).unwrap_or(text);
    let task = text.strip_prefix("C#").unwrap_or(bare);
    match (bare.parse::<TicketId>(), TaskId::new(task)) {
        (Ok(ticket), Ok(_)) if bare != text => Ok(Meant::Ticket(ticket)),
        (Ok(ticket), Ok(task)) => Ok(Meant::Either(ticket, task)),
        (Ok(ticket), Err(_)) => Ok(Meant::Ticket(ticket)),
        (Err(_), Ok(_)) if is_custom(task) => Ok(Meant::Custom(task.to_owned())),
        (Err(_), Ok(task)) => Ok(Meant::Task(task)),
        (Err(_), Err(_)) => Err(nothing()),
    }
}

/// `https://acme.zendesk.com/agent/tickets/12`, `…/hc/requests/12`, `…/api/v2/tickets/12.json`,
/// `https://app.clickup.com/t/868f9p6ad`, `…/t/9001/DEV-12`, and what follows them.
fn address(text: &str) -> Option<Meant> {
    let path = text.split_once("://").map_or(text, |(_, rest)| rest);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let after = |word: &str| parts.iter().position(|part| *part == word).map(|at| &parts[at + 1..]);
    for word in ["tickets", "requests"] {
        if let Some(ticket) = after(word).and_then(|rest| rest.first()) {
            return ticket.trim_end_matches(".json").parse().ok().map(Meant::Ticket);
        }
    }
    let task = match after("t").or_else(|| after("task"))? {
        // The workspace comes first where the address names it.
        [workspace, id, ..] if workspace.bytes().all(|b| b.is_ascii_digit()) => id,
        [id, ..] => id,
        [] => return None,
    };
    if is_custom(task) {
        return Some(Meant::Custom((*task).to_owned()));
    }
    TaskId::new(*task).ok().map(Meant::Task)
}

/// Capital letters, a hyphen, a number: ClickUp's own ids are lower case and have none.
fn is_custom(id: &str) -> bool {
    id.rsplit_once('-').is_some_and(|(prefix, number)| {
        !prefix.is_empty()
            && prefix.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
    })
}

/// Finds the linked ticket that is meant.
pub async fn find(store: &Store, text: &str) -> anyhow::Result<TicketId> {
    let unknown = || {
        let shown = crate::terminal::plain(text);
        Failed::usage(format!(
            "nothing is linked under `{shown}`: give a ticket's number, a task's id, or the address of one"
        ))
    };
    let no_task = |ticket: TicketId| {
        Failed::usage(format!(
            "nothing is linked under `{ticket}`: if there is such a ticket, it has no task, and `deskup plan --ticket {ticket}` says why"
        ))
    };
    let by_ticket = async |ticket: TicketId| -> anyhow::Result<Option<TicketId>> {
        Ok(store.links().get(ticket).await?.map(|link| link.ticket))
    };
    let by_task = async |task: &TaskId| -> anyhow::Result<Option<TicketId>> {
        Ok(store.links().pointer(task).await?.map(|pointer| pointer.ticket))
    };
    let meant = read(text).map_err(Failed::usage)?;
    let ticket = match &meant {
        Meant::Ticket(ticket) | Meant::Either(ticket, _) => Some(*ticket),
        Meant::Task(_) | Meant::Custom(_) => None,
    };
    let found = match meant {
        Meant::Ticket(ticket) => by_ticket(ticket).await?,
        Meant::Task(task) => by_task(&task).await?,
        Meant::Either(ticket, task) => match by_ticket(ticket).await? {
            Some(ticket) => Some(ticket),
            None => by_task(&task).await?,
        },
        Meant::Custom(id) => {
            return Err(Failed::usage(format!(
                "`{id}` is a custom id of ClickUp, and deskup keeps the id that ClickUp itself gives: in the task's menu choose \"Copy ID\", or paste the address it copies"
            )));
        }
    };
    found.ok_or_else(|| ticket.map_or_else(unknown, no_task))
}

/// The record that is meant, linked or not: what is set aside may have no link.
pub fn keys(text: &str) -> anyhow::Result<Vec<WorkKey>> {
    Ok(match read(text).map_err(Failed::usage)? {
        Meant::Ticket(ticket) => vec![WorkKey::Ticket(ticket)],
        Meant::Task(task) => vec![WorkKey::Task(task)],
        Meant::Either(ticket, task) => vec![WorkKey::Ticket(ticket), WorkKey::Task(task)],
        Meant::Custom(id) => {
            return Err(Failed::usage(format!("`{id}` is a custom id of ClickUp; give the task's own id")));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_pastes_is_understood() {
        let ticket = |id: u64| Meant::Ticket(TicketId::new(id).expect("an id"));
        let task = |id: &str| Meant::Task(TaskId::new(id).expect("an id"));
        let custom = |id: &str| Meant::Custom(id.to_owned());
        for (text, meant) in [
            ("#12", ticket(12)),
            ("T#12", ticket(12)),
            (" 868f9p6ad ", task("868f9p6ad")),
            ("C#868f9p6ad", task("868f9p6ad")),
            ("#868f9p6ad", task("868f9p6ad")),
            ("DEV-12", custom("DEV-12")),
            ("https://acme.zendesk.com/agent/tickets/12", ticket(12)),
            ("https://acme.zendesk.com/agent/tickets/12?brand=1#events", ticket(12)),
            ("acme.zendesk.com/agent/tickets/12", ticket(12)),
            ("https://acme.zendesk.com/api/v2/tickets/12.json", ticket(12)),
            ("https://help.acme.com/hc/en-us/requests/12", ticket(12)),
            ("https://app.clickup.com/t/868f9p6ad", task("868f9p6ad")),
            ("https://app.clickup.com/t/868f9p6ad?comment=9007&threadedComment=1", task("868f9p6ad")),
            ("https://app.clickup.com/t/9001/868f9p6ad", task("868f9p6ad")),
            ("https://app.clickup.com/t/9001/DEV-12", custom("DEV-12")),
            ("https://app.clickup.com/t/DEV-12", custom("DEV-12")),
            ("http://127.0.0.1:8811/agent/tickets/3", ticket(3)),
        ] {
            assert_eq!(read(text), Ok(meant), "{text}");
        }
        let either = Meant::Either(TicketId::new(12).expect("an id"), TaskId::new("12").expect("an id"));
        assert_eq!(read("12"), Ok(either));
    }

    #[test]
    fn what_is_no_record_is_said_to_be_none_without_its_control_characters() {
        for text in ["", "two words", "https://example.com/", "https://app.clickup.com/t/", "a\u{1b}[2Jb"] {
            let refused = read(text).expect_err(text);
            assert!(refused.contains("neither") && !refused.contains('\u{1b}'), "{refused:?}");
        }
    }
}
