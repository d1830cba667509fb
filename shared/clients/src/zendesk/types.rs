//! What the Zendesk client takes and returns beyond the domain's own types.

use domain::{Comment, Person, Ticket, TicketId, Timestamp, UserId};
use serde_json::Value as Json;

use crate::pace::Bucket;
use crate::transport::Secret;

/// Which account, and as whom.
#[derive(Clone, Debug)]
pub struct ZendeskConfig {
    /// `https://{subdomain}.zendesk.com`, without a path.
    pub base_url: String,
    /// Sent to that host only.
    pub credentials: ZendeskCredentials,
}

/// How deskup proves who it is.
#[derive(Clone, Debug)]
pub enum ZendeskCredentials {
    /// The old way; Zendesk ends it on 2027-04-30.
    ApiToken {
        /// The agent's address.
        email: String,
        /// The token.
        token: Secret,
    },
    /// OAuth client credentials: a short-lived token is fetched and renewed as needed.
    OAuthClient {
        /// Identifier of the OAuth client.
        client_id: String,
        /// Its secret.
        client_secret: Secret,
        /// Space-separated, such as `read write`.
        scope: String,
    },
    /// A token that somebody else manages.
    Bearer(Secret),
}

impl ZendeskCredentials {
    /// When Zendesk stops accepting credentials of this kind, in unix milliseconds: 2027-04-30 for API tokens.
    pub fn ends_ms(&self) -> Option<i64> {
        matches!(self, ZendeskCredentials::ApiToken { .. }).then_some(1_809_043_200_000)
    }
}

/// What to assume of the account's limits until its headers say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZendeskLimits {
    /// All calls, per minute.
    pub account_per_min: u32,
    /// Writes to tickets, per minute.
    pub ticket_updates_per_min: u32,
    /// All incremental exports together, per minute.
    pub incremental_per_min: u32,
}

impl Default for ZendeskLimits {
    /// The smallest paid plan.
    fn default() -> Self {
        Self { account_per_min: 200, ticket_updates_per_min: 100, incremental_per_min: 10 }
    }
}

impl ZendeskLimits {
    pub(crate) const MINUTE_MS: i64 = 60_000;
    /// Updates of one ticket by one user; the window is ten minutes.
    pub(crate) const PER_TICKET: u32 = 30;

    pub(crate) fn account(&self) -> Bucket {
        Bucket::new("account", self.account_per_min, Self::MINUTE_MS)
    }

    pub(crate) fn tickets_update(&self) -> Bucket {
        Bucket::new("tickets-update", self.ticket_updates_per_min, Self::MINUTE_MS)
    }

    pub(crate) fn incremental(&self) -> Bucket {
        Bucket::new("incremental", self.incremental_per_min, Self::MINUTE_MS)
    }

    pub(crate) fn ticket(id: TicketId) -> Bucket {
        Bucket::new(format!("ticket:{id}"), Self::PER_TICKET, 10 * Self::MINUTE_MS)
    }
}

/// The answer to a write of a ticket.
#[derive(Clone, Debug, PartialEq)]
pub struct Updated {
    /// The ticket afterwards.
    pub ticket: Ticket,
    /// What changed. Zendesk leaves it out when nothing did; then it has no changes and the id 0.
    pub audit: Audit,
}

/// One entry of a ticket's history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audit {
    /// Its id; 0 if the service made none.
    pub id: u64,
    /// Who did it.
    pub author_id: Option<UserId>,
    /// When.
    pub created: Timestamp,
    /// Fields that changed or, in the first entry, were set.
    pub changes: Vec<AuditChange>,
    /// Comments that came with it.
    pub comment_ids: Vec<u64>,
    /// `metadata.custom`: for our own writes the effect id.
    pub custom_metadata: Option<Json>,
}

impl Audit {
    /// The effect id that one of our own writes carried.
    pub fn effect_id(&self) -> Option<&str> {
        self.custom_metadata.as_ref()?.get("deskup_effect")?.as_str()
    }
}

/// One field in an audit, raw.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditChange {
    /// The field's name; the id in decimal for a custom field.
    pub field: String,
    /// Afterwards.
    pub value: Json,
    /// Before; null in the entry that made the ticket.
    pub previous: Json,
}

/// A ticket to create.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewTicket {
    /// The first comment, whose text becomes the description.
    pub comment: domain::patch::NewTicketComment,
    /// Who asks; the authenticated user if absent.
    pub requester: Option<UserId>,
    /// All other fields; a comment in it is ignored.
    pub fields: domain::TicketPatch,
}

/// Where an export starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportFrom {
    /// At a time in Unix seconds, at least one minute ago.
    Start(i64),
    /// After the page that gave this cursor.
    Cursor(String),
}

/// One page of the cursor export.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExportPage {
    /// Tickets by the time they last moved, deleted ones too.
    pub tickets: Vec<Ticket>,
    /// People the tickets name.
    pub people: Vec<Person>,
    /// Groups the tickets name.
    pub groups: Vec<(u64, String)>,
    /// Organizations the tickets name.
    pub organizations: Vec<(u64, String)>,
    /// Where the next page starts; to be kept even at the end of the stream.
    pub after_cursor: Option<String>,
    /// Nothing more for now.
    pub end_of_stream: bool,
    /// Ids of entries that could not be read: one bad ticket does not stop the rest, and is not hidden.
    pub unreadable: Vec<String>,
}

/// One page of the event export.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventsPage {
    /// Updates of tickets, oldest first.
    pub events: Vec<TicketEvent>,
    /// Where the next page starts.
    pub end_time_s: i64,
    /// Nothing more for now.
    pub end_of_stream: bool,
    /// Ids of entries that could not be read.
    pub unreadable: Vec<String>,
}

/// One update of a ticket, as the event export lists it.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketEvent {
    /// Which ticket.
    pub ticket: TicketId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub updater: Option<UserId>,
    /// The comments it brought.
    pub comments: Vec<Comment>,
    /// `metadata.custom`: for our own writes the effect id.
    pub custom_metadata: Option<Json>,
}

impl TicketEvent {
    /// Whether one of our own writes made it.
    pub fn is_ours(&self) -> bool {
        self.custom_metadata.as_ref().is_some_and(|custom| custom.get("deskup_effect").is_some())
    }
}

/// One ticket of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchEntry {
    /// Which ticket.
    pub ticket: TicketId,
    /// What to change; no comment.
    pub patch: domain::TicketPatch,
    /// The `updated_at` that was read: then this entry fails alone if the ticket moved since.
    pub updated_stamp: Option<String>,
}

/// A job that Zendesk works on by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobStatus {
    /// Its id.
    pub id: String,
    /// `queued`, `working`, `failed`, `completed`, `killed`, or what Zendesk adds.
    pub status: String,
    /// How many items it has.
    pub total: Option<u64>,
    /// How many are done.
    pub progress: Option<u64>,
    /// Per item, once done; a completed job may hold failed items.
    pub results: Vec<JobResult>,
}

impl JobStatus {
    /// Whether nothing will change any more.
    pub fn is_finished(&self) -> bool {
        matches!(self.status.as_str(), "completed" | "failed" | "killed")
    }
}

/// One item of a job. Items come in any order and are found by id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobResult {
    /// Position in the request, for creates only.
    pub index: Option<u64>,
    /// The record.
    pub id: Option<u64>,
    /// Whether it worked.
    pub success: bool,
    /// The service's code when it did not, such as `UpdateConflict`.
    pub error: Option<String>,
}

/// A file that waits to be put into a comment.
#[derive(Clone, Debug, PartialEq)]
pub struct Upload {
    /// Names the file in `comment.uploads`.
    pub token: String,
    /// When the token ends: 60 minutes or 3 days, so it must be read.
    pub expires: Option<Timestamp>,
}

/// The definition of a ticket field.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketField {
    /// Its id.
    pub id: u64,
    /// Its title for agents.
    pub title: String,
    /// `text`, `tagger`, `multiselect`, `checkbox`, `date`, `integer` …
    pub kind: String,
    /// Whether it is in use.
    pub active: bool,
    /// For choices: tag and name.
    pub options: Vec<(String, String)>,
}

/// A custom ticket status.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomStatus {
    /// Its id.
    pub id: u64,
    /// `new`, `open`, `pending`, `hold`, `solved`.
    pub category: String,
    /// Its name for agents.
    pub label: String,
    /// Whether it is in use.
    pub active: bool,
    /// Whether it is what the category alone means.
    pub default: bool,
}

/// A webhook as it is set up.
#[derive(Clone, Debug, PartialEq)]
pub struct ZendeskWebhook {
    /// A ULID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where deliveries go.
    pub endpoint: String,
    /// `active` or `inactive`.
    pub status: String,
    /// Event types, or `conditional_ticket_events`.
    pub subscriptions: Vec<String>,
}

/// One delivery of a webhook.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    /// `success`, `terminated`, `throttled`, `circuit broken`, or what Zendesk adds.
    pub status: String,
    /// What our end answered, where it was asked.
    pub status_code: Option<i64>,
    /// When its last attempt was over.
    pub completed: Option<Timestamp>,
}

/// What the account's settings say about a sync. What they leave out is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountSettings {
    /// A sandbox: a fifth of the ticket updates.
    pub sandbox: Option<bool>,
    /// Whether agents see the status `hold`.
    pub hold_shown: Option<bool>,
    /// Whether tickets have tags.
    pub tagging: Option<bool>,
    /// Whether custom statuses are on.
    pub custom_statuses: Option<bool>,
}
