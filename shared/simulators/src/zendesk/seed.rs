//! Filling an account before anything happens: no webhooks, no limits, no entries in the change log.

use bytes::Bytes;
use serde_json::Value;

use super::diff::blank;
use super::rows::*;
use super::state::{DEFAULT_FORM, Op, State};
use super::{fields, text};

/// Takes in what the account starts with. References between records are not checked: the seeder knows its world.
pub struct Seeding<'a> {
    state: &'a mut State,
    ops: Vec<Op>,
    now_ms: i64,
}

/// A user to start with. Every user's API token is `token-{id}`.
#[derive(Clone, Debug)]
pub struct UserSeed {
    /// The name.
    pub name: String,
    /// The address; also the user part of the credentials.
    pub email: Option<String>,
    /// What the user may do.
    pub role: Role,
    /// The only organization of the user.
    pub organization: Option<u64>,
    /// A name in somebody else's system.
    pub external_id: Option<String>,
}

/// A custom field to start with.
#[derive(Clone, Debug)]
pub struct FieldSeed {
    /// The title.
    pub title: String,
    /// What it holds.
    pub kind: FieldKind,
    /// Tag and name of each option, for drop-downs.
    pub options: Vec<(String, String)>,
}

/// A file on a comment.
#[derive(Clone, Debug)]
pub struct FileSeed {
    /// The file's name.
    pub name: String,
    /// What the file claims to be.
    pub content_type: String,
    /// Its content.
    pub bytes: Bytes,
}

/// A comment to start with.
#[derive(Clone, Debug)]
pub struct CommentSeed {
    /// Who wrote it.
    pub author: i64,
    /// What it says.
    pub body: String,
    /// Whether the requester sees it.
    pub public: bool,
    /// When it was written.
    pub at_ms: i64,
    /// Its files.
    pub attachments: Vec<FileSeed>,
}

/// A ticket to start with. The first comment is the description.
#[derive(Clone, Debug)]
pub struct TicketSeed {
    /// The subject.
    pub subject: Option<String>,
    /// The status; the custom status is the default of this category.
    pub status: Status,
    /// A custom status, instead of the default.
    pub custom_status: Option<u64>,
    /// The priority.
    pub priority: Option<Priority>,
    /// The type.
    pub kind: Option<Kind>,
    /// When it is due; only for tasks.
    pub due_ms: Option<i64>,
    /// Tags; those of drop-down options are added.
    pub tags: Vec<String>,
    /// Values of custom fields.
    pub custom: Vec<(u64, Value)>,
    /// Who asks.
    pub requester: i64,
    /// Who entered it; the requester when not given.
    pub submitter: Option<i64>,
    /// Who answers.
    pub assignee: Option<i64>,
    /// Which group answers.
    pub group: Option<u64>,
    /// For which organization.
    pub organization: Option<u64>,
    /// The form; the default one when not given.
    pub form: Option<u64>,
    /// A name in somebody else's system.
    pub external_id: Option<String>,
    /// How it came in.
    pub via: Via,
    /// When it was created.
    pub created_ms: i64,
    /// When it was last changed; the last comment's time when that is later.
    pub updated_ms: i64,
    /// What was said, oldest first.
    pub comments: Vec<CommentSeed>,
}

impl TicketSeed {
    /// A new ticket by this user with this text, and nothing else.
    pub fn new(requester: i64, subject: &str, description: &str, created_ms: i64) -> Self {
        let first = CommentSeed {
            author: requester,
            body: description.to_owned(),
            public: true,
            at_ms: created_ms,
            attachments: Vec::new(),
        };
        Self {
            subject: Some(subject.to_owned()),
            status: Status::New,
            custom_status: None,
            priority: None,
            kind: None,
            due_ms: None,
            tags: Vec::new(),
            custom: Vec::new(),
            requester,
            submitter: None,
            assignee: None,
            group: None,
            organization: None,
            form: None,
            external_id: None,
            via: Via::Web,
            created_ms,
            updated_ms: created_ms,
            comments: vec![first],
        }
    }
}

impl<'a> Seeding<'a> {
    pub(super) fn new(state: &'a mut State, now_ms: i64) -> Self {
        Self { state, ops: Vec::new(), now_ms }
    }

    pub(super) fn into_ops(self) -> Vec<Op> {
        self.ops
    }

    /// Adds a user; its id.
    pub fn add_user(&mut self, seed: UserSeed) -> i64 {
        let id = i64::try_from(self.id()).unwrap_or(i64::MAX);
        self.push(Op::User(UserRow {
            id,
            name: seed.name.into(),
            email: seed.email.map(Into::into),
            role: seed.role,
            organization: seed.organization,
            external_id: seed.external_id.map(Into::into),
            active: true,
            created_ms: self.now_ms,
        }));
        id
    }

    /// Gives a user another role, or takes the account's door away, as an admin would.
    pub fn change_user(&mut self, id: i64, role: Role, active: bool) {
        if let Some(user) = self.state.users.get(&id).cloned() {
            self.push(Op::User(UserRow { role, active, ..user }));
        }
    }

    /// Ends every OAuth token of a user, as revoking them does.
    pub fn revoke_tokens(&mut self, user: i64) {
        let tokens: Vec<TokenRow> =
            self.state.tokens.values().filter(|row| row.user == user).cloned().collect();
        for row in tokens {
            self.push(Op::Token(TokenRow { until_ms: 0, ..row }));
        }
    }

    /// Adds a group; its id.
    pub fn add_group(&mut self, name: &str) -> u64 {
        let id = self.id();
        self.push(Op::Group(NamedRow { id, name: name.into(), created_ms: self.now_ms }));
        id
    }

    /// Puts an agent into a group; the first group is the agent's default.
    pub fn add_member(&mut self, group: u64, user: i64) {
        let row = MembershipRow {
            id: self.id(),
            user,
            group,
            default: self.state.default_group(user).is_none(),
            created_ms: self.now_ms,
        };
        self.push(Op::Membership(row));
    }

    /// Adds an organization; its id.
    pub fn add_organization(&mut self, name: &str) -> u64 {
        let id = self.id();
        self.push(Op::Organization(NamedRow { id, name: name.trim().into(), created_ms: self.now_ms }));
        id
    }

    /// Adds a custom field; its id.
    pub fn add_field(&mut self, seed: FieldSeed) -> u64 {
        let id = self.id();
        let options = seed.options.into_iter().map(|(tag, name)| (tag.to_lowercase().into(), name.into()));
        let (title, kind) = (seed.title.into(), seed.kind);
        self.push(Op::Field(FieldRow {
            id,
            title,
            kind,
            options: options.collect(),
            created_ms: self.now_ms,
        }));
        id
    }

    /// Adds a custom status to a category; its id.
    pub fn add_custom_status(&mut self, category: Status, label: &str) -> u64 {
        let id = self.id();
        self.push(Op::CustomStatus(CustomStatusRow { id, category, label: label.into(), default: false }));
        id
    }

    /// Adds a trigger as REST shows it.
    pub fn add_trigger(&mut self, trigger: Value) {
        self.push(Op::Trigger(trigger));
    }

    /// Adds an OAuth client whose tokens act as this user.
    pub fn add_oauth_client(&mut self, id: &str, secret: &str, user: i64) {
        self.push(Op::Client(ClientRow { id: id.into(), secret: secret.into(), user }));
    }

    /// Adds a ticket with its history; its id.
    pub fn add_ticket(&mut self, seed: TicketSeed) -> u64 {
        let last_comment_ms = seed.comments.last().map_or(seed.created_ms, |comment| comment.at_ms);
        let updated_ms = seed.updated_ms.max(last_comment_ms);
        let default = self.state.default_status(seed.status);
        let mut row = TicketRow {
            id: self.state.tickets.last_key_value().map_or(1, |(id, _)| id + 1),
            subject: seed.subject.as_deref().and_then(text::subject),
            status: seed.status,
            // Closed tickets keep the status they were solved with.
            custom_status: seed
                .custom_status
                .or(default)
                .or(self.state.default_status(Status::Solved))
                .unwrap_or_default(),
            priority: seed.priority,
            kind: seed.kind,
            due_ms: seed.due_ms.filter(|_| seed.kind == Some(Kind::Task)),
            tags: text::tags(seed.tags.iter().map(String::as_str)),
            custom: Vec::new(),
            requester: seed.requester,
            submitter: seed.submitter.unwrap_or(seed.requester),
            assignee: seed.assignee,
            group: seed.group,
            organization: seed.organization,
            external_id: seed.external_id.map(Into::into),
            form: seed.form.unwrap_or(DEFAULT_FORM),
            via: seed.via,
            created_ms: seed.created_ms,
            updated_ms,
            generated_s: updated_ms.div_euclid(1000),
            deleted: false,
            public: seed.comments.first().is_none_or(|comment| comment.public),
            followup_of: None,
        };
        fields::couple_tags(self.state, &mut row);
        fields::seed(self.state, &mut row, seed.custom);
        let ticket = row.id;
        let first = self.first_audit(&row);
        self.push(Op::Ticket(Box::new(row)));
        let mut first = Some(first);
        for comment in seed.comments {
            self.add_comment(ticket, comment, first.take());
        }
        if let Some(audit) = first {
            self.push(Op::Audit { ticket, audit });
        }
        ticket
    }

    /// The audit of a seeded ticket's creation names what is set.
    fn first_audit(&mut self, row: &TicketRow) -> AuditRow {
        let (id, via) = (self.id(), row.via);
        let differences = super::diff::between(self.state, &blank(row), row);
        let mut events = Vec::with_capacity(differences.len() + 2);
        for difference in differences {
            let what = What::Create { field: difference.audit, value: difference.value };
            events.push(EventRow { id: self.id(), what });
        }
        let status = What::Create { field: "status".into(), value: Datum::of(Some(row.status.as_str())) };
        events.push(EventRow { id: self.id(), what: status });
        AuditRow { id, at_ms: row.created_ms, author: row.submitter, via, metadata: None, events }
    }

    fn add_comment(&mut self, ticket: u64, seed: CommentSeed, audit: Option<AuditRow>) {
        let mut files = Vec::new();
        for file in seed.attachments {
            let id = self.id();
            let mut random = fastrand::Rng::with_seed(id);
            let secret: String = std::iter::repeat_with(|| random.alphanumeric()).take(25).collect();
            let (name, content_type) = (file.name.into(), file.content_type.into());
            self.push(Op::File(FileRow { id, name, content_type, secret: secret.into(), bytes: file.bytes }));
            files.push(id);
        }
        let mut audit = match audit {
            Some(audit) => audit,
            None => AuditRow {
                id: self.id(),
                at_ms: seed.at_ms,
                author: seed.author,
                via: Via::Web,
                metadata: None,
                events: Vec::with_capacity(1),
            },
        };
        let body = text::unix_lines(&seed.body).into();
        let comment = CommentRow { author: seed.author, body, public: seed.public, files };
        audit.events.insert(0, EventRow { id: self.id(), what: What::Comment(comment) });
        self.push(Op::Audit { ticket, audit });
    }

    fn id(&mut self) -> u64 {
        self.state.next_id += 128;
        self.state.next_id
    }

    fn push(&mut self, op: Op) {
        // What is seeded later refers to it.
        self.ops.push(op.clone());
        self.state.apply_op(op);
    }
}
