//! The account's contents with their indexes, and the operations that change them.
//!
//! Every change is a list of operations: written to the journal first, applied afterwards, and applied the same way
//! when the journal is read again. There is no other way to change the contents.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rows::*;
use crate::changes::{Change, ChangeLog};

/// The first id of records that are not tickets: 13 digits, as today's accounts have.
const FIRST_ID: u64 = 6_130_900_000_000;
/// The form every ticket has unless told otherwise.
pub(super) const DEFAULT_FORM: u64 = 6_130_830_344_474;
/// The only brand.
pub(super) const BRAND: u64 = 6_130_830_354_842;
/// The statuses every account has, one for each category, by id.
const DEFAULT_STATUSES: [(u64, Status, &str); 5] = [
    (6_130_830_355_738, Status::New, "New"),
    (6_130_830_355_866, Status::Open, "Open"),
    (6_130_830_355_994, Status::Pending, "Pending"),
    (6_130_830_356_122, Status::Hold, "On-hold"),
    (6_130_830_356_250, Status::Solved, "Solved"),
];

/// One committed request.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    pub next_id: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ops: Vec<Op>,
}

/// One change of the contents.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Op {
    Ticket(Box<TicketRow>),
    Audit { ticket: u64, audit: AuditRow },
    User(UserRow),
    Group(NamedRow),
    Membership(MembershipRow),
    Organization(NamedRow),
    Field(FieldRow),
    CustomStatus(CustomStatusRow),
    Trigger(Value),
    Client(ClientRow),
    Token(TokenRow),
    Webhook(Box<WebhookRow>),
    DropWebhook(Box<str>),
    Upload(UploadRow),
    DropUpload(Box<str>),
    File(FileRow),
    Idempotent(IdempotentRow),
    Job(Box<JobRow>),
    JobResult { job: Box<str>, result: Value },
    JobDone { job: Box<str>, at_ms: i64 },
    Delivery(DeliveryRow),
    Delivered(u64),
}

/// A ticket with its history.
#[derive(Debug)]
pub(super) struct Entry {
    pub row: TicketRow,
    pub audits: Vec<AuditRow>,
    pub comments: u32,
}

/// Everything the account holds.
#[derive(Debug)]
pub(super) struct State {
    pub next_id: u64,
    pub tickets: BTreeMap<u64, Entry>,
    pub users: BTreeMap<i64, UserRow>,
    pub groups: BTreeMap<u64, NamedRow>,
    pub memberships: BTreeMap<u64, MembershipRow>,
    pub organizations: BTreeMap<u64, NamedRow>,
    pub fields: BTreeMap<u64, FieldRow>,
    pub statuses: BTreeMap<u64, CustomStatusRow>,
    pub triggers: Vec<Value>,
    pub clients: BTreeMap<Box<str>, ClientRow>,
    pub tokens: BTreeMap<Box<str>, TokenRow>,
    pub webhooks: BTreeMap<Box<str>, WebhookRow>,
    pub uploads: BTreeMap<Box<str>, UploadRow>,
    pub files: BTreeMap<u64, FileRow>,
    pub idempotent: BTreeMap<(i64, Box<str>), IdempotentRow>,
    pub jobs: BTreeMap<Box<str>, JobRow>,
    pub deliveries: BTreeMap<u64, DeliveryRow>,
    pub log: ChangeLog,
    /// (generated second, ticket): the order of the export.
    pub generated: BTreeSet<(i64, u64)>,
    /// (second, audit) to its ticket: the order of the event export.
    pub audit_times: BTreeMap<(i64, u64), u64>,
    pub by_external_id: BTreeSet<(Box<str>, u64)>,
    pub by_email: BTreeMap<Box<str>, i64>,
    pub file_secrets: BTreeMap<Box<str>, u64>,
    /// Which options of drop-down fields a tag stands for.
    pub option_tags: BTreeMap<Box<str>, u64>,
    pub deleted: usize,
}

impl State {
    /// An account as it is on its first day.
    pub(super) fn new() -> Self {
        let statuses = DEFAULT_STATUSES.map(|(id, category, label)| {
            (id, CustomStatusRow { id, category, label: label.into(), default: true })
        });
        Self {
            next_id: FIRST_ID,
            tickets: BTreeMap::new(),
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            memberships: BTreeMap::new(),
            organizations: BTreeMap::new(),
            fields: BTreeMap::new(),
            statuses: statuses.into(),
            triggers: Vec::new(),
            clients: BTreeMap::new(),
            tokens: BTreeMap::new(),
            webhooks: BTreeMap::new(),
            uploads: BTreeMap::new(),
            files: BTreeMap::new(),
            idempotent: BTreeMap::new(),
            jobs: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            log: ChangeLog::default(),
            generated: BTreeSet::new(),
            audit_times: BTreeMap::new(),
            by_external_id: BTreeSet::new(),
            by_email: BTreeMap::new(),
            file_secrets: BTreeMap::new(),
            option_tags: BTreeMap::new(),
            deleted: 0,
        }
    }

    /// Applies a committed line whose changes have their numbers.
    pub(super) fn apply(&mut self, line: Line) {
        self.next_id = self.next_id.max(line.next_id);
        self.log.restore(line.changes);
        for op in line.ops {
            self.apply_op(op);
        }
    }

    /// Applies one operation.
    pub(super) fn apply_op(&mut self, op: Op) {
        match op {
            Op::Ticket(row) => self.put_ticket(*row),
            Op::Audit { ticket, audit } => self.put_audit(ticket, audit),
            Op::User(row) => self.put_user(row),
            Op::Group(row) => drop(self.groups.insert(row.id, row)),
            Op::Membership(row) => drop(self.memberships.insert(row.id, row)),
            Op::Organization(row) => drop(self.organizations.insert(row.id, row)),
            Op::Field(row) => self.put_field(row),
            Op::CustomStatus(row) => drop(self.statuses.insert(row.id, row)),
            Op::Trigger(trigger) => self.triggers.push(trigger),
            Op::Client(row) => drop(self.clients.insert(row.id.clone(), row)),
            Op::Token(row) => drop(self.tokens.insert(row.token.clone(), row)),
            Op::Webhook(row) => drop(self.webhooks.insert(row.id.clone(), *row)),
            Op::DropWebhook(id) => drop(self.webhooks.remove(&id)),
            Op::Upload(row) => drop(self.uploads.insert(row.token.clone(), row)),
            Op::DropUpload(token) => drop(self.uploads.remove(&token)),
            Op::File(row) => {
                self.file_secrets.insert(row.secret.clone(), row.id);
                self.files.insert(row.id, row);
            }
            Op::Idempotent(row) => drop(self.idempotent.insert((row.user, row.key.clone()), row)),
            Op::Job(row) => drop(self.jobs.insert(row.id.clone(), *row)),
            Op::JobResult { job, result } => {
                if let Some(job) = self.jobs.get_mut(&job) {
                    job.results.push(result);
                }
            }
            Op::JobDone { job, at_ms } => {
                if let Some(job) = self.jobs.get_mut(&job) {
                    job.completed_ms = Some(at_ms);
                }
            }
            Op::Delivery(row) => drop(self.deliveries.insert(row.id, row)),
            Op::Delivered(id) => drop(self.deliveries.remove(&id)),
        }
    }

    fn put_ticket(&mut self, row: TicketRow) {
        self.generated.insert((row.generated_s, row.id));
        if let Some(external) = &row.external_id {
            self.by_external_id.insert((external.clone(), row.id));
        }
        self.deleted += usize::from(row.deleted);
        let Some(entry) = self.tickets.get_mut(&row.id) else {
            self.tickets.insert(row.id, Entry { row, audits: Vec::new(), comments: 0 });
            return;
        };
        let old = std::mem::replace(&mut entry.row, row);
        self.deleted -= usize::from(old.deleted);
        if old.generated_s != entry.row.generated_s {
            self.generated.remove(&(old.generated_s, old.id));
        }
        if let Some(external) = old.external_id
            && entry.row.external_id.as_ref() != Some(&external)
        {
            self.by_external_id.remove(&(external, old.id));
        }
    }

    fn put_audit(&mut self, ticket: u64, audit: AuditRow) {
        let Some(entry) = self.tickets.get_mut(&ticket) else { return };
        self.audit_times.insert((audit.at_ms.div_euclid(1000), audit.id), ticket);
        let comments = audit.events.iter().filter(|event| matches!(event.what, What::Comment(_))).count();
        entry.comments += u32::try_from(comments).unwrap_or(u32::MAX);
        entry.audits.push(audit);
    }

    fn put_user(&mut self, row: UserRow) {
        if let Some(email) = &row.email {
            self.by_email.insert(email.to_lowercase().into(), row.id);
        }
        self.users.insert(row.id, row);
    }

    fn put_field(&mut self, row: FieldRow) {
        for (tag, _) in &row.options {
            self.option_tags.insert(tag.clone(), row.id);
        }
        self.fields.insert(row.id, row);
    }

    /// The ticket with this id, unless it is deleted.
    pub(super) fn live(&self, id: u64) -> Option<&Entry> {
        self.tickets.get(&id).filter(|entry| !entry.row.deleted)
    }

    /// Whether the user may have tickets of the group.
    pub(super) fn is_member(&self, user: i64, group: u64) -> bool {
        self.memberships.values().any(|member| member.user == user && member.group == group)
    }

    /// The group a user's tickets go to when nothing says otherwise.
    pub(super) fn default_group(&self, user: i64) -> Option<u64> {
        let mut groups = self.memberships.values().filter(|member| member.user == user);
        let first = groups.next()?;
        let default = std::iter::once(first).chain(groups).find(|member| member.default);
        Some(default.unwrap_or(first).group)
    }

    /// The status a category has when only the category is given. Closed tickets keep the one they had.
    pub(super) fn default_status(&self, category: Status) -> Option<u64> {
        let mut of_category = self.statuses.values().filter(|status| status.category == category);
        of_category.find(|status| status.default).map(|status| status.id)
    }

    /// The user with this e-mail address.
    pub(super) fn user_by_email(&self, email: &str) -> Option<&UserRow> {
        self.users.get(self.by_email.get(email.to_lowercase().as_str())?)
    }

    /// How many operations rebuild this state: what tells whether the journal is worth compacting.
    pub(super) fn size(&self) -> usize {
        self.tickets.values().map(|entry| 1 + entry.audits.len()).sum::<usize>()
            + self.users.len()
            + self.files.len()
            + self.log.all().len()
    }

    /// Lines that rebuild this state.
    pub(super) fn snapshot(&self) -> impl Iterator<Item = Line> + '_ {
        let tickets = self.tickets.values().flat_map(|entry| {
            let audits = entry.audits.iter();
            let audits = audits.map(|audit| Op::Audit { ticket: entry.row.id, audit: audit.clone() });
            std::iter::once(Op::Ticket(Box::new(entry.row.clone()))).chain(audits)
        });
        let groups = self.groups.values().cloned().map(Op::Group);
        let ops = (self.users.values().cloned().map(Op::User))
            .chain(groups)
            .chain(self.memberships.values().cloned().map(Op::Membership))
            .chain(self.organizations.values().cloned().map(Op::Organization))
            .chain(self.fields.values().cloned().map(Op::Field))
            .chain(self.statuses.values().cloned().map(Op::CustomStatus))
            .chain(self.triggers.iter().cloned().map(Op::Trigger))
            .chain(self.clients.values().cloned().map(Op::Client))
            .chain(self.tokens.values().cloned().map(Op::Token))
            .chain(self.webhooks.values().map(|row| Op::Webhook(Box::new(row.clone()))))
            .chain(self.files.values().cloned().map(Op::File))
            .chain(self.uploads.values().cloned().map(Op::Upload))
            .chain(self.idempotent.values().cloned().map(Op::Idempotent))
            .chain(self.jobs.values().map(|row| Op::Job(Box::new(row.clone()))))
            .chain(self.deliveries.values().cloned().map(Op::Delivery))
            .chain(tickets);
        let next_id = self.next_id;
        let changes = self.log.all().chunks(64);
        let changes = changes.map(move |part| Line { next_id, changes: part.to_vec(), ops: Vec::new() });
        ops.map(move |op| Line { next_id, changes: Vec::new(), ops: vec![op] }).chain(changes)
    }
}
