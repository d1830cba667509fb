//! Records with nothing in them, for reading single values with a lens: a task that does not exist yet, or
//! one value out of an audit or a webhook. They are never sent.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{ListId, TaskId, TicketId, Timestamp, UserId};
use crate::records::{Task, Ticket};

/// A task with nothing in it.
pub(crate) fn blank_task(list: ListId) -> Task {
    Task {
        id: TaskId::placeholder(),
        name: String::new(),
        description: String::new(),
        status: String::new(),
        status_type: String::new(),
        priority: None,
        assignees: BTreeSet::new(),
        tags: BTreeSet::new(),
        custom_fields: BTreeMap::new(),
        due_date: None,
        due_date_time: false,
        list,
        creator: UserId(0),
        created: Timestamp(0),
        updated: Timestamp(0),
        archived: false,
        public: false,
        attachments: Vec::new(),
        url: String::new(),
        parent: None,
    }
}

/// A ticket with nothing in it.
pub(crate) fn blank_ticket() -> Ticket {
    Ticket {
        id: TicketId::placeholder(),
        subject: None,
        description: String::new(),
        status: String::new(),
        custom_status_id: None,
        priority: None,
        ticket_type: None,
        assignee: None,
        group: None,
        requester: None,
        organization: None,
        form: None,
        brand: None,
        tags: BTreeSet::new(),
        custom_fields: BTreeMap::new(),
        due_at: None,
        external_id: None,
        is_public: false,
        created: Timestamp(0),
        updated: Timestamp(0),
        updated_stamp: String::new(),
    }
}
