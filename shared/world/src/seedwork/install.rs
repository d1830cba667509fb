//! Puts a scenario into the simulators. Both give ids of their own, and the same ones for the same order
//! of seeding: a scenario learns its ids from a scratch account, so that it knows them without asking
//! when a world is opened again.

use std::collections::BTreeMap;

use bytes::Bytes;
use simulators::SimError;
use simulators::clickup::{self, ClickUpSim, ListSeed, Member};
use simulators::zendesk::{self, CommentSeed, FileSeed, Role, TicketSeed, UserSeed, Via, ZendeskSim};

use super::cast::{CLICKUP_SYNC_ID, COMPANY, Cast, Colleague, ZENDESK_SYNC_EMAIL};
use super::settings::{OAUTH_CLIENT, OAUTH_SECRET};
use super::tickets::{CommentPlan, TicketPlan};
use super::workspace::{CustomField, FieldKind, STATUSES, Workspace};

/// Fills an empty Zendesk account with everybody and with its fields; returns its ids by ours.
pub fn people_into(
    sim: &ZendeskSim,
    cast: &Cast,
    fields: &[CustomField],
) -> Result<BTreeMap<i64, i64>, SimError> {
    sim.seed(|seeding| {
        let mut ids = BTreeMap::new();
        let sync = seeding.add_user(UserSeed {
            name: "deskup".to_owned(),
            email: Some(ZENDESK_SYNC_EMAIL.to_owned()),
            role: Role::Admin,
            organization: None,
            external_id: None,
        });
        ids.insert(cast.zendesk_sync, sync);
        seeding.add_oauth_client(OAUTH_CLIENT, OAUTH_SECRET, sync);
        for (id, name) in &cast.groups {
            let group = seeding.add_group(name);
            ids.insert(*id, signed(group));
            seeding.add_member(group, sync);
        }
        for (id, name) in &cast.organizations {
            ids.insert(*id, signed(seeding.add_organization(name)));
        }
        for colleague in cast.agents() {
            let agent = seeding.add_user(UserSeed {
                name: colleague.name.clone(),
                email: Some(colleague.email.clone()),
                role: Role::Agent,
                organization: None,
                external_id: None,
            });
            ids.insert(colleague.zendesk.unwrap_or_default(), agent);
            if let Some(group) = colleague.group.and_then(|group| ids.get(&group)) {
                seeding.add_member(unsigned(*group), agent);
            }
        }
        for customer in &cast.customers {
            let organization = customer.organization.and_then(|id| ids.get(&id)).map(|id| unsigned(*id));
            let user = seeding.add_user(UserSeed {
                name: customer.name.clone(),
                email: Some(customer.email.clone()),
                role: Role::EndUser,
                organization,
                external_id: None,
            });
            ids.insert(customer.id, user);
        }
        for field in fields {
            let options = field.options.iter().map(|option| (option.tag.to_owned(), option.name.to_owned()));
            let id = seeding.add_field(zendesk::FieldSeed {
                title: field.title.to_owned(),
                kind: zendesk_kind(field.kind),
                options: options.collect(),
            });
            ids.insert(field.zendesk, signed(id));
        }
        ids
    })
}

/// Fills the account with tickets, after everybody is there.
pub fn tickets_into(sim: &ZendeskSim, tickets: &[TicketPlan]) -> Result<(), SimError> {
    sim.seed(|seeding| {
        for ticket in tickets {
            seeding.add_ticket(ticket_seed(ticket));
        }
    })
}

fn ticket_seed(plan: &TicketPlan) -> TicketSeed {
    TicketSeed {
        subject: plan.subject.clone(),
        status: zendesk::Status::parse(plan.status).unwrap_or(zendesk::Status::New),
        priority: plan.priority.and_then(zendesk::Priority::parse),
        kind: plan.kind.and_then(zendesk::Kind::parse),
        due_ms: plan.due_ms,
        tags: plan.tags.iter().cloned().collect(),
        custom: plan.custom.iter().map(|(id, value)| (unsigned(*id), value.clone())).collect(),
        assignee: plan.assignee,
        group: Some(unsigned(plan.group)),
        organization: plan.organization.map(unsigned),
        via: Via::Email,
        comments: plan.comments.iter().map(comment_seed).collect(),
        ..TicketSeed::new(plan.requester, "", "", plan.created_ms)
    }
}

fn comment_seed(plan: &CommentPlan) -> CommentSeed {
    let file = plan.file.iter().map(|file| FileSeed {
        name: file.name.clone(),
        content_type: file.content_type.to_owned(),
        bytes: Bytes::from(file.bytes.clone()),
    });
    CommentSeed {
        author: plan.author,
        body: plan.body.clone(),
        public: plan.public,
        at_ms: plan.created_ms,
        attachments: file.collect(),
    }
}

/// Fills an empty ClickUp workspace; returns the fields with the ids it gave.
pub fn workspace_into(
    sim: &ClickUpSim,
    cast: &Cast,
    workspace: &Workspace,
) -> Result<Vec<CustomField>, SimError> {
    sim.seed(|seed| {
        seed.add_member(Member {
            id: CLICKUP_SYNC_ID,
            username: "deskup".to_owned(),
            email: Some(format!("deskup-clickup@{COMPANY}")),
            role: clickup::Role::Admin,
            ..Member::default()
        });
        for colleague in cast.members() {
            seed.add_member(member(colleague));
        }
        for (id, name) in &workspace.spaces {
            seed.add_space(id, name);
        }
        for list in &workspace.lists {
            seed.add_list(ListSeed {
                id: list.id.clone(),
                name: list.name.to_owned(),
                space: list.space.to_owned(),
                statuses: STATUSES.map(|(name, kind)| (name.to_owned(), kind.to_owned())).to_vec(),
                ..ListSeed::default()
            });
        }
        let lists: Vec<String> = workspace.lists.iter().map(|list| list.id.clone()).collect();
        let fields = workspace.fields.iter().cloned().map(|mut field| {
            let seeded = seed.add_field(clickup::FieldSeed {
                name: field.title.to_owned(),
                kind: clickup_kind(field.kind).to_owned(),
                options: field.options.iter().map(|option| option.name.to_owned()).collect(),
                lists: lists.clone(),
                items: None,
            });
            for (option, seeded) in field.options.iter_mut().zip(seeded.options) {
                option.uuid = seeded.id;
            }
            field.clickup = seeded.id;
            field
        });
        fields.collect()
    })
}

fn member(colleague: &Colleague) -> Member {
    Member {
        id: colleague.clickup.unwrap_or_default(),
        username: colleague.name.clone(),
        email: Some(colleague.email.clone()),
        role: clickup::Role::Member,
        ..Member::default()
    }
}

fn zendesk_kind(kind: FieldKind) -> zendesk::FieldKind {
    match kind {
        FieldKind::DropDown => zendesk::FieldKind::Tagger,
        FieldKind::Text => zendesk::FieldKind::Text,
        FieldKind::Checkbox => zendesk::FieldKind::Checkbox,
        FieldKind::Number => zendesk::FieldKind::Integer,
        FieldKind::Date => zendesk::FieldKind::Date,
    }
}

fn clickup_kind(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::DropDown => "drop_down",
        FieldKind::Text => "short_text",
        FieldKind::Checkbox => "checkbox",
        FieldKind::Number => "number",
        FieldKind::Date => "date",
    }
}

/// Ids of records are unsigned in the simulated Zendesk, ids of people are not: they may be -1.
fn unsigned(id: i64) -> u64 {
    u64::try_from(id).unwrap_or_default()
}

fn signed(id: u64) -> i64 {
    i64::try_from(id).unwrap_or_default()
}
