//! One call that changes something, as it is planned and as it is sent.

use crate::comment::Visibility;
use crate::field::sha256_hex;
use crate::footer;
use crate::ids::{ListId, Side};
use crate::patch::{NewTask, TaskWrite, TicketPatch};

/// Who may read a copy, where the side has such a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visible {
    /// ClickUp shows a task's comments to whoever sees the task.
    Whoever,
    /// Zendesk is told.
    Told(Visibility),
}

impl Visible {
    /// The visibility of a copy on a side.
    pub fn on(side: Side, visibility: Visibility) -> Self {
        match side {
            Side::Zendesk => Visible::Told(visibility),
            Side::Clickup => Visible::Whoever,
        }
    }
}

/// One call that changes something.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// A task is made; the marker in its footer is new each time and not part of this.
    Create {
        /// Where.
        list: ListId,
        /// With what.
        task: Box<NewTask>,
    },
    /// A task is changed.
    Task(TaskWrite),
    /// A ticket is changed, perhaps with a note.
    Ticket(Box<TicketPatch>),
    /// The ticket is told where its task is.
    LinkBack,
    /// A comment is copied to the other side.
    Comment {
        /// Where it is.
        from: Side,
        /// Its id there.
        id: String,
        /// Who may read the copy.
        visibility: Visible,
        /// What the copy says.
        text: String,
    },
    /// A file is copied to the other side.
    File {
        /// Where it is.
        from: Side,
        /// Its id there.
        id: String,
    },
    /// A second copy of ours is put away, or people are told that it is one. Never planned.
    Twin,
}

impl Write {
    /// The task that would be made, without its marker.
    pub fn create(list: &ListId, task: &NewTask) -> Self {
        let description = footer::strip(&task.description).into_owned();
        let task = NewTask { description, ..task.clone() };
        Write::Create { list: list.clone(), task: Box::new(task) }
    }

    /// The side that is written.
    pub fn target(&self) -> Side {
        match self {
            Write::Create { .. } | Write::Task(_) | Write::Twin => Side::Clickup,
            Write::Ticket(_) | Write::LinkBack => Side::Zendesk,
            Write::Comment { from, .. } | Write::File { from, .. } => from.other(),
        }
    }

    /// Method and path of the call.
    pub fn endpoint(&self) -> &'static str {
        match self {
            Write::Create { .. } => "POST /list/{id}/task",
            Write::Task(TaskWrite::Fields(_)) | Write::Twin => "PUT /task/{id}",
            Write::Task(TaskWrite::AddTag(_)) => "POST /task/{id}/tag/{name}",
            Write::Task(TaskWrite::RemoveTag(_)) => "DELETE /task/{id}/tag/{name}",
            Write::Task(TaskWrite::SetField(..)) => "POST /task/{id}/field/{id}",
            Write::Task(TaskWrite::ClearField(_)) => "DELETE /task/{id}/field/{id}",
            Write::Task(TaskWrite::Move(_)) => "PUT /v3/workspaces/{id}/tasks/{id}/home_list/{id}",
            Write::Comment { from: Side::Zendesk, .. } => "POST /task/{id}/comment",
            Write::File { from: Side::Zendesk, .. } => "POST /task/{id}/attachment",
            Write::Ticket(_)
            | Write::LinkBack
            | Write::Comment { from: Side::Clickup, .. }
            | Write::File { from: Side::Clickup, .. } => "PUT /tickets/{id}",
        }
    }

    /// The same for the same content, and only then. Plans of another version of deskup are not carried out, so
    /// the form may change from one to the next.
    pub fn fingerprint(&self) -> String {
        sha256_hex(format!("{self:?}").as_bytes())[..24].to_owned()
    }
}
