//! What deskup knows about tickets, tasks and people, and how two sides become one: pure data and
//! pure functions. No IO, no async, no clock: everything a function needs comes in as an argument.

pub mod comment;
pub mod decision;
pub mod field;
pub mod ids;
pub mod patch;
pub mod records;

pub use comment::{Attachment, Author, Comment, Visibility};
pub use decision::{Conflict, ConflictCause, Decision, Evidence, FieldVerdict, LinkFields, FieldBase};
pub use field::{FieldKey, Value};
pub use ids::{IdError, ListId, Side, TaskId, TicketId, Timestamp, UserId};
pub use patch::{NewTask, TaskPatch, TaskWrite, TicketPatch};
pub use records::{ListInfo, Person, Task, Ticket};
