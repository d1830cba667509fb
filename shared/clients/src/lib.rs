//! Clients for the Zendesk Support API and the ClickUp API, for what the sync needs of them: domain
//! types in and out, one transport seam, budgets asked before every call, repeats only where they are
//! safe, credentials only to the account's own host.

pub mod access;
mod auth;
mod call;
mod classify;
pub mod clickup;
pub mod contract;
mod core;
pub mod error;
pub mod events;
mod files;
pub mod hosts;
pub mod http;
pub mod lenient;
pub mod limits;
pub mod pace;
mod pages;
pub mod retry;
pub mod signatures;
pub mod transport;
mod warnings;
mod wire;
pub mod zendesk;

pub use access::NoAccess;
pub use clickup::{
    ClickUp, ClickUpConfig, ClickUpCredentials, ClickupFieldDef, ClickupWebhook, CreatedWebhook, Space,
    TaskPage, TaskQuery, Workspace,
};
/// Calls are paced by lane.
pub use domain::Lane;
pub use error::{ApiError, ApiResult, ErrorKind};
pub use events::{Changed, ClickupEvent, Kind, NotAnEvent, Record, ZendeskEvent};
pub use pace::{Api, Bucket, BudgetEmpty, LimitSeen, Need, NoPacer, Pacer, Scope};
pub use transport::{Clock, Secret, TokioClock, Transport, TransportError};
pub use zendesk::{
    AccountSettings, Audit, AuditChange, BatchEntry, CustomStatus, EventsPage, ExportFrom, ExportPage,
    Invocation, JobResult, JobStatus, NewTicket, TicketEvent, TicketField, Updated, Upload, Zendesk,
    ZendeskConfig, ZendeskCredentials, ZendeskLimits, ZendeskWebhook,
};
