//! What Zendesk answers.

use serde_json::Value as Json;

use super::{Num, wire};

wire! {
    /// A ticket.
    Ticket {
        id: Num,
        subject: String,
        description: String,
        status: String,
        custom_status_id: Num,
        priority: String,
        #[serde(rename = "type")]
        kind: String,
        assignee_id: Num,
        group_id: Num,
        requester_id: Num,
        organization_id: Num,
        ticket_form_id: Num,
        brand_id: Num,
        tags: Vec<String>,
        custom_fields: Vec<CustomValue>,
        due_at: String,
        external_id: Num,
        is_public: bool,
        created_at: String,
        updated_at: String,
    }
    /// One custom field of a ticket.
    CustomValue { id: Num, value: Json }
    /// The answer to a read or a write of one ticket, with side-loads.
    OneTicket { ticket: Ticket, audit: Audit, users: Vec<User>, organizations: Vec<Named>, groups: Vec<Named> }
    /// A page of tickets: lists, show_many and both exports.
    Tickets {
        tickets: Vec<Ticket>,
        users: Vec<User>,
        groups: Vec<Named>,
        organizations: Vec<Named>,
        after_cursor: String,
        end_of_stream: bool,
        end_time: Num,
        meta: Meta,
        links: Links,
    }
    /// Cursor pagination.
    Meta { has_more: bool, after_cursor: String }
    /// Ready links; their host may be another name of the account.
    Links { next: String }
    /// One entry of a ticket's history.
    Audit {
        id: Num,
        ticket_id: Num,
        author_id: Num,
        created_at: String,
        events: Vec<AuditEvent>,
        metadata: Metadata,
    }
    /// What an entry did.
    AuditEvent {
        id: Num,
        #[serde(rename = "type")]
        kind: String,
        field_name: Num,
        value: Json,
        previous_value: Json,
    }
    /// What a client said with an update.
    Metadata { custom: Json }
    /// A page of a ticket's history.
    Audits { audits: Vec<Audit>, meta: Meta, links: Links }
    /// A single entry.
    OneAudit { audit: Audit }
    /// A comment; the event export uses the same members.
    Comment {
        id: Num,
        #[serde(rename = "type")]
        kind: String,
        author_id: Num,
        body: String,
        plain_body: String,
        public: bool,
        created_at: String,
        attachments: Vec<Attachment>,
        metadata: Metadata,
    }
    /// A page of a ticket's comments.
    Comments { comments: Vec<Comment>, users: Vec<User>, meta: Meta, links: Links }
    /// A file.
    Attachment {
        id: Num,
        file_name: String,
        content_type: String,
        size: Num,
        content_url: String,
        deleted: bool,
    }
    /// One file.
    OneAttachment { attachment: Attachment }
    /// A page of the event export. What an update did has members named after the field, so only the
    /// comments among them are read further.
    TicketEvents { ticket_events: Vec<TicketEvent>, end_time: Num, end_of_stream: bool }
    /// One update of a ticket.
    TicketEvent {
        id: Num,
        ticket_id: Num,
        timestamp: Num,
        created_at: String,
        updater_id: Num,
        child_events: Vec<Json>,
        metadata: Metadata,
    }
    /// A person. The anonymous user has no id.
    User { id: Num, name: String, email: String, role: String, active: bool, suspended: bool }
    /// One person.
    OneUser { user: User }
    /// People.
    Users { users: Vec<User>, meta: Meta, links: Links }
    /// A group or an organization.
    Named { id: Num, name: String }
    /// Groups.
    Groups { groups: Vec<Named>, meta: Meta, links: Links }
    /// One group.
    OneGroup { group: Named }
    /// Organizations.
    Organizations { organizations: Vec<Named>, meta: Meta, links: Links }
    /// One organization.
    OneOrganization { organization: Named }
    /// Who is in which group.
    GroupMembership { id: Num, user_id: Num, group_id: Num }
    /// A page of them.
    GroupMemberships { group_memberships: Vec<GroupMembership>, meta: Meta, links: Links }
    /// A job.
    JobStatus { id: String, status: String, total: Num, progress: Num, results: Json }
    /// One job.
    OneJob { job_status: JobStatus }
    /// Several jobs.
    Jobs { job_statuses: Vec<JobStatus> }
    /// The definition of a ticket field.
    TicketField {
        id: Num,
        title: String,
        #[serde(rename = "type")]
        kind: String,
        active: bool,
        custom_field_options: Vec<FieldOption>,
        system_field_options: Vec<FieldOption>,
    }
    /// A choice: its tag is the value.
    FieldOption { id: Num, name: String, value: String }
    /// All fields.
    TicketFields { ticket_fields: Vec<TicketField>, meta: Meta, links: Links }
    /// One field.
    OneTicketField { ticket_field: TicketField }
    /// A custom status.
    CustomStatus {
        id: Num,
        status_category: String,
        agent_label: String,
        active: bool,
        default: bool,
    }
    /// All custom statuses.
    CustomStatuses { custom_statuses: Vec<CustomStatus> }
    /// One custom status.
    OneCustomStatus { custom_status: CustomStatus }
    /// A file that waits for its comment.
    Upload { token: String, expires_at: String, attachment: Attachment, attachments: Vec<Attachment> }
    /// One upload.
    OneUpload { upload: Upload }
    /// A webhook.
    Webhook { id: String, name: String, endpoint: String, status: String, subscriptions: Vec<String> }
    /// One webhook.
    OneWebhook { webhook: Webhook }
    /// A page of webhooks.
    Webhooks { webhooks: Vec<Webhook>, meta: Meta, links: Links }
    /// A delivery of a webhook.
    Invocation { id: String, status: String, status_code: Num, latest_completed_at: String }
    /// The newest deliveries.
    Invocations { invocations: Vec<Invocation>, meta: Meta, links: Links }
    /// What signs deliveries.
    SigningSecret { secret: String, algorithm: String }
    /// The answer that holds it.
    OneSigningSecret { signing_secret: SigningSecret }
    /// A trigger. The legacy members `all` and `any` at its top are not read.
    Trigger { id: Num, title: String, active: bool, conditions: Conditions, actions: Vec<Action> }
    /// When a trigger fires.
    Conditions { all: Vec<Condition>, any: Vec<Condition> }
    /// One condition; its value may be a text, a number, null or a list.
    Condition { field: String, operator: String, value: Json }
    /// One action; its value may be anything too.
    Action { field: String, value: Json }
    /// A page of triggers.
    Triggers { triggers: Vec<Trigger>, meta: Meta, links: Links }
    /// One trigger.
    OneTrigger { trigger: Trigger }
    /// A ticket form.
    TicketForm { id: Num, name: String, active: bool, default: bool }
    /// All forms.
    TicketForms { ticket_forms: Vec<TicketForm>, meta: Meta, links: Links }
    /// One form.
    OneTicketForm { ticket_form: TicketForm }
    /// The account's settings.
    AccountSettings { settings: Settings }
    /// Settings by area, as far as a sync is touched by them.
    Settings { active_features: Features, tickets: TicketSettings }
    /// Features that are on.
    Features { sandbox: bool, on_hold_status: bool, custom_statuses_enabled: bool, ticket_forms: bool }
    /// Settings of tickets.
    TicketSettings { tagging: bool, status_hold: bool, comments_public_by_default: bool }
    /// An OAuth token without its secret part.
    OauthToken { id: Num, user_id: Num, scopes: Vec<String>, expires_at: String }
    /// The token that a request carried.
    OneOauthToken { token: OauthToken }
}
