//! What deskup knows about tickets, tasks and people, and how two sides become one: pure data and
//! pure functions. No IO, no async, no clock: everything a function needs comes in as an argument.

pub mod comment;
pub mod conversation;
pub mod create;
pub mod decide;
pub mod decision;
pub mod directory;
pub mod field;
pub mod footer;
pub mod history;
pub mod ids;
pub mod lane;
mod lens;
pub mod lost_update;
pub mod mapping;
pub mod merge;
pub mod moved;
pub mod patch;
pub mod plan;
pub mod proposal;
pub mod recognise;
pub mod records;
pub mod settings;
pub mod settle;
pub mod triggers;

pub use comment::{Attachment, Author, Comment, Visibility};
pub use conversation::{CommentPlan, parse_origin, plan_comment};
pub use create::{
    NewTaskPlan, bases_after_adoption, bases_after_create, bases_as_sent, new_task, task_as_sent,
};
pub use decide::apply::{Chosen, apply};
pub use decide::decide;
pub use decision::{
    Conflict, ConflictCause, Decision, Evidence, FieldBase, FieldVerdict, Landed, LastWrite, LinkFields,
};
pub use directory::{ClickupField, Directory, ZendeskField};
pub use field::{FieldKey, Value};
pub use footer::Marker;
pub use history::{ClickupChange, clickup_history, zendesk_audit};
pub use ids::{IdError, ListId, Side, TaskId, TicketId, Timestamp, UserId};
pub use lane::Lane;
pub use mapping::{Mapping, Routing};
pub use merge::Rule;
pub use moved::{is_remapped, task_moved, ticket_moved};
pub use patch::{NewTask, NewTicketComment, TaskPatch, TaskWrite, TicketPatch};
pub use plan::RecordPlan;
pub use recognise::{Recognised, Sign};
pub use records::{ListInfo, Person, Task, Ticket};
pub use settings::{Adopt, DescriptionEdits, LinkBack, Mistake, Scope, Settings};
