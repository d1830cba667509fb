//! The mapping of two accounts onto each other: settings checked against the directory, ready for use.

mod fields;
mod routes;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::decision::FieldBase;
use crate::directory::Directory;
use crate::field::{FieldKey, Value, sha256_hex};
use crate::ids::{ListId, Side, TaskId, UserId};
use crate::lens::assignee::{People, is_done};
use crate::lens::{Lens, Look};
use crate::merge::Rule;
use crate::patch::TicketPatch;
use crate::records::{Person, Task, Ticket};
use crate::settings::{At, Direction, LinkBack, Mistake, Settings, did_you_mean};

/// Where a ticket's task belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routing {
    /// In this list.
    List(ListId),
    /// Nowhere: the ticket is out of scope, for this reason.
    Filtered(String),
}

/// One field that is kept in step.
#[derive(Clone, Debug)]
pub(crate) struct Mapped {
    pub key: FieldKey,
    pub direction: Direction,
    pub rule: Rule,
    pub lens: Arc<dyn Lens>,
}

/// Settings that fit the two accounts.
#[derive(Clone, Debug)]
pub struct Mapping {
    settings: Settings,
    directory: Arc<Directory>,
    routing: routes::Routes,
    fields: Vec<Mapped>,
    /// Custom fields by the ids of both sides, for history.
    custom: BTreeMap<FieldKey, (u64, String)>,
    people: People,
    version: String,
    routes_version: String,
}

impl Mapping {
    /// Checks settings against the accounts, or lists everything that does not fit.
    pub fn new(settings: &Settings, directory: &Directory) -> Result<Mapping, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let routing = routes::Routes::build(settings, directory, &mut mistakes);
        let lists = routing.as_ref().map(routes::Routes::lists).unwrap_or_default();
        let pairs = people_pairs(settings, directory, &mut mistakes);
        let people = People::build(&pairs, directory);
        let fields = fields::build(settings, directory, &lists, &people, &mut mistakes);
        if let LinkBack::Field(id) = settings.link_back
            && !directory.zendesk_fields.contains_key(&id)
        {
            let field = "sync.link_back".to_owned();
            mistakes.push(Mistake {
                line: None,
                field,
                message: format!("Zendesk has no ticket field {id}"),
            });
        }
        let Some(routing) = routing.filter(|_| mistakes.is_empty()) else {
            mistakes.sort_by_key(|mistake| mistake.line);
            return Err(mistakes);
        };
        let version = sha256_hex(format!("{fields:?}{routing:?}").as_bytes())[..12].to_owned();
        let routes_version = sha256_hex(format!("{routing:?}").as_bytes())[..12].to_owned();
        let custom = settings.custom.iter().map(|custom| {
            (
                FieldKey::Custom(custom.name.value.clone()),
                (custom.zendesk.value, custom.clickup.value.clone()),
            )
        });
        Ok(Mapping {
            custom: custom.collect(),
            settings: settings.clone(),
            directory: Arc::new(directory.clone()),
            routing,
            fields,
            people,
            version,
            routes_version,
        })
    }

    /// Where the task of a ticket that has none belongs, if the ticket is in the scope. How many tickets a
    /// pilot takes is not told by one of them: that is for whoever makes the task.
    pub fn route(&self, ticket: &Ticket) -> Routing {
        match self.routing.out_of_scope(ticket, &self.settings.scope) {
            Some(reason) => Routing::Filtered(reason.to_owned()),
            None => self.place(ticket),
        }
    }

    /// Where the task of a linked ticket belongs: whoever is linked stays so, in the scope or not.
    pub fn place(&self, ticket: &Ticket) -> Routing {
        self.routing.place(ticket)
    }

    /// The settings it was made from.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The accounts it was made for.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// A fingerprint of everything that decides how fields are mapped, for the record of an effect.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The same of what decides which list a task belongs to, for the link of a task that was put there.
    pub fn routes_version(&self) -> &str {
        &self.routes_version
    }

    /// Whether a status ends the work: of a ticket by its category, of a task by what its list counts it as.
    pub fn closes(&self, side: Side, list: &ListId, status: &str) -> bool {
        match side {
            Side::Zendesk => is_done(status, ""),
            Side::Clickup => is_done("", self.status_type(list, status)),
        }
    }

    /// The lists that tickets are routed to, each once.
    pub fn lists(&self) -> Vec<ListId> {
        self.routing.lists()
    }

    /// The fields that are kept in step.
    pub fn fields(&self) -> Vec<FieldKey> {
        self.fields.iter().map(|field| field.key.clone()).collect()
    }

    /// deskup's own user.
    pub fn me(&self, side: Side) -> UserId {
        match side {
            Side::Zendesk => self.directory.zendesk_me,
            Side::Clickup => self.directory.clickup_me,
        }
    }

    /// A person by id.
    pub fn person(&self, side: Side, id: UserId) -> Option<&Person> {
        match side {
            Side::Zendesk => self.directory.zendesk_people.get(&id),
            Side::Clickup => self.directory.clickup_people.get(&id),
        }
    }

    /// The same person on the other side, if the person is known there.
    pub fn counterpart(&self, side: Side, id: UserId) -> Option<UserId> {
        match side {
            Side::Zendesk => self.people.to_clickup.get(&id).copied(),
            Side::Clickup => self.people.to_zendesk.get(&id).copied(),
        }
    }

    /// A field's values as bases keep them before long texts become hashes, for `explain` and audits.
    pub fn values(&self, key: &FieldKey, ticket: &Ticket, task: &Task) -> Option<(Value, Value)> {
        let field = self.field(key)?;
        Some((field.lens.zendesk(ticket), field.lens.clickup(task)))
    }

    /// A field's value on the task alone.
    pub fn clickup_value(&self, key: &FieldKey, task: &Task) -> Option<Value> {
        Some(self.field(key)?.lens.clickup(task))
    }

    /// Whether a field needs no write for these records, whatever happened before.
    pub fn same(&self, key: &FieldKey, ticket: &Ticket, task: &Task) -> Option<bool> {
        let field = self.field(key)?;
        let base = FieldBase::default();
        let done = is_done(&ticket.status, &task.status_type);
        let look = Look { ticket, task, list: &task.list, base: &base, done };
        Some(field.lens.same(&field.lens.zendesk(ticket), &field.lens.clickup(task), &look))
    }

    /// The change that leads from a ticket to its task, where the settings want one and it is not there
    /// yet. Never for closed tickets, which take nothing.
    pub fn link_back(&self, ticket: &Ticket, task: &TaskId, task_url: &str) -> Option<TicketPatch> {
        if ticket.is_closed() || ticket.is_deleted() {
            return None;
        }
        let mut patch = TicketPatch::default();
        match self.settings.link_back {
            LinkBack::None => return None,
            LinkBack::ExternalId => {
                if ticket.external_id.as_deref() == Some(task.as_str()) {
                    return None;
                }
                patch.external_id = Some(task.to_string());
            }
            LinkBack::Tag => {
                let tag = format!("{}{task}", crate::lens::tags::LINK_TAG).to_lowercase();
                if ticket.tags.contains(&tag) {
                    return None;
                }
                patch.tags = Some(ticket.tags.iter().cloned().chain([tag]).collect());
            }
            LinkBack::Field(id) => {
                if ticket.custom_fields.get(&id).and_then(|value| value.as_str()) == Some(task_url) {
                    return None;
                }
                patch.custom_fields.insert(id, task_url.into());
            }
        }
        Some(patch)
    }

    /// The list of the route for all other tickets.
    pub(crate) fn last_list(&self) -> ListId {
        self.routing.last_list()
    }

    /// What a list counts a status as (`open`, `done`, …); empty where that is not known.
    pub(crate) fn status_type(&self, list: &ListId, status: &str) -> &str {
        let statuses =
            self.directory.lists.get(list).map(|list| list.statuses.as_slice()).unwrap_or_default();
        let lower = status.trim().to_lowercase();
        statuses.iter().find(|(name, _)| name.trim().to_lowercase() == lower).map_or("", |(_, kind)| kind)
    }

    pub(crate) fn mapped(&self) -> &[Mapped] {
        &self.fields
    }

    pub(crate) fn field(&self, key: &FieldKey) -> Option<&Mapped> {
        self.fields.iter().find(|field| field.key == *key)
    }

    /// The mapped field that has this id on a side.
    pub(crate) fn custom_field(&self, side: Side, id: &str) -> Option<&Mapped> {
        let found = self.custom.iter().find(|(_, (zendesk, clickup))| match side {
            Side::Zendesk => zendesk.to_string() == id,
            Side::Clickup => clickup == id,
        });
        self.field(found?.0)
    }
}

/// The pairs of `[people]` as ids.
fn people_pairs(
    settings: &Settings,
    directory: &Directory,
    mistakes: &mut Vec<Mistake>,
) -> Vec<(UserId, UserId)> {
    let mut find = |people: &BTreeMap<UserId, Person>, mail: &At<String>, side: Side| {
        let wanted = mail.value.to_lowercase();
        let address = |person: &Person| person.email.as_ref().map(|mail| mail.to_lowercase());
        let found = people.iter().find(|(_, person)| address(person).as_deref() == Some(wanted.as_str()));
        if found.is_none() {
            let known: Vec<String> = people.values().filter_map(address).collect();
            let hint = did_you_mean(&wanted, known.iter().map(String::as_str));
            mistakes.push(mail.mistake(format!("nobody in {side} has the address `{}`{hint}", mail.value)));
        }
        found.map(|(id, _)| *id)
    };
    let mut pairs = Vec::new();
    for (zendesk, clickup) in &settings.people {
        let on_zendesk = find(&directory.zendesk_people, zendesk, Side::Zendesk);
        let on_clickup = find(&directory.clickup_people, clickup, Side::Clickup);
        pairs.extend(on_zendesk.zip(on_clickup));
    }
    pairs
}
