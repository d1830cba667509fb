//! Which list a ticket's task belongs to, and which tickets stay out.

use std::collections::{BTreeMap, BTreeSet};

use super::Routing;
use crate::directory::Directory;
use crate::ids::ListId;
use crate::lens::assignee::is_done;
use crate::lens::tags::zendesk_form;
use crate::records::Ticket;
use crate::settings::{At, Conditions, Mistake, Name, Scope, Settings, did_you_mean};

/// Conditions with names resolved: each that is given must hold, by any of its values.
#[derive(Clone, Debug, Default)]
struct When {
    groups: BTreeSet<u64>,
    organizations: BTreeSet<u64>,
    forms: BTreeSet<u64>,
    tags: BTreeSet<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Routes {
    routes: Vec<(When, ListId)>,
    /// The last route's list, for all other tickets.
    last: ListId,
    filter: When,
    without: BTreeSet<String>,
    created_after_ms: Option<i64>,
}

impl Routes {
    /// `None` where no route is usable, which is a mistake too.
    pub fn build(settings: &Settings, directory: &Directory, mistakes: &mut Vec<Mistake>) -> Option<Self> {
        let mut routes = Vec::new();
        for route in &settings.routes {
            let when = When::build(&route.when, directory, mistakes);
            match list(&route.list, directory) {
                Ok(list) => routes.push((when, list)),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        let filter = When::build(&settings.filter.when, directory, mistakes);
        let Some((_, last)) = routes.last() else {
            if mistakes.is_empty() {
                let message = "is missing; add [[route]] with list = \"name or id\"".to_owned();
                mistakes.push(Mistake { line: None, field: "route".to_owned(), message });
            }
            return None;
        };
        let without = tags(&settings.filter.without_tag);
        let created_after_ms = settings.filter.created_after_ms;
        Some(Routes { last: last.clone(), routes, filter, without, created_after_ms })
    }

    /// The list for all other tickets.
    pub fn last_list(&self) -> ListId {
        self.last.clone()
    }

    pub fn lists(&self) -> Vec<ListId> {
        let lists: BTreeSet<&ListId> = self.routes.iter().map(|(_, list)| list).collect();
        lists.into_iter().cloned().collect()
    }

    /// Why a ticket gets no task, if the scope says so.
    pub fn out_of_scope(&self, ticket: &Ticket, scope: &Scope) -> Option<&'static str> {
        if ticket.is_deleted() {
            return Some("the ticket is deleted");
        }
        if !scope.closed && is_done(&ticket.status, "") {
            return Some("the ticket is solved or closed (scope.closed = false)");
        }
        if scope.since_ms.is_some_and(|since| ticket.updated.ms() < since) {
            return Some("the ticket has not changed since scope.since");
        }
        None
    }

    pub fn place(&self, ticket: &Ticket) -> Routing {
        let out = |reason: &str| Routing::Filtered(reason.to_owned());
        if ticket.is_deleted() {
            return out("the ticket is deleted");
        }
        if self.created_after_ms.is_some_and(|limit| ticket.created.ms() < limit) {
            return out("the ticket is older than sync.filter.created_after");
        }
        if ticket.tags.iter().any(|tag| self.without.contains(tag)) {
            return out("the ticket has a tag of sync.filter.without_tag");
        }
        if !self.filter.fits(ticket) {
            return out("the ticket does not fit sync.filter");
        }
        let route = self.routes.iter().find(|(when, _)| when.fits(ticket));
        route.map_or_else(|| out("no route fits the ticket"), |(_, list)| Routing::List(list.clone()))
    }
}

impl When {
    fn build(conditions: &Conditions, directory: &Directory, mistakes: &mut Vec<Mistake>) -> Self {
        let mut ids = |names: &[At<Name>], known: Option<&BTreeMap<u64, String>>, what: &str| {
            let mut found = BTreeSet::new();
            for name in names {
                match id(name, known, what) {
                    Ok(id) => drop(found.insert(id)),
                    Err(mistake) => mistakes.push(mistake),
                }
            }
            found
        };
        When {
            groups: ids(&conditions.group, Some(&directory.groups), "group"),
            organizations: ids(&conditions.organization, Some(&directory.organizations), "organization"),
            forms: ids(&conditions.form, None, "ticket form"),
            tags: tags(&conditions.tag),
        }
    }

    fn fits(&self, ticket: &Ticket) -> bool {
        let any = |wanted: &BTreeSet<u64>, id: Option<u64>| {
            wanted.is_empty() || id.is_some_and(|id| wanted.contains(&id))
        };
        any(&self.groups, ticket.group)
            && any(&self.organizations, ticket.organization)
            && any(&self.forms, ticket.form)
            && (self.tags.is_empty() || ticket.tags.iter().any(|tag| self.tags.contains(tag)))
    }
}

fn tags(names: &[At<Name>]) -> BTreeSet<String> {
    names.iter().map(|name| zendesk_form(&name.value.to_string())).collect()
}

/// A group, organization or form by id or name; forms are known by id only.
fn id(name: &At<Name>, known: Option<&BTreeMap<u64, String>>, what: &str) -> Result<u64, Mistake> {
    let number = match &name.value {
        Name::Number(number) => Some(*number),
        Name::Text(text) => text.parse().ok(),
    };
    let Some(known) = known else {
        return number.ok_or_else(|| name.mistake(format!("write the number of the {what}, not its name")));
    };
    if let Some(id) = number.filter(|id| known.contains_key(id)) {
        return Ok(id);
    }
    let wanted = name.value.to_string().to_lowercase();
    let named: Vec<u64> =
        known.iter().filter(|(_, title)| title.to_lowercase() == wanted).map(|(id, _)| *id).collect();
    match named.as_slice() {
        [id] => Ok(*id),
        [] => {
            let hint = did_you_mean(&wanted, known.values().map(String::as_str));
            Err(name.mistake(format!("Zendesk has no {what} `{}`{hint}", name.value)))
        }
        several => {
            let message = format!("several {what}s are called `{}`; write the id: {several:?}", name.value);
            Err(name.mistake(message))
        }
    }
}

fn list(name: &At<Name>, directory: &Directory) -> Result<ListId, Mistake> {
    let wanted = name.value.to_string();
    if let Some(id) = directory.lists.keys().find(|id| id.as_str() == wanted) {
        return Ok(id.clone());
    }
    let lower = wanted.to_lowercase();
    let named: Vec<&ListId> = directory
        .lists
        .values()
        .filter(|list| list.name.to_lowercase() == lower)
        .map(|list| &list.id)
        .collect();
    match named.as_slice() {
        [id] => Ok((*id).clone()),
        [] => {
            let hint = did_you_mean(&wanted, directory.lists.values().map(|list| list.name.as_str()));
            Err(name.mistake(format!("ClickUp has no list `{wanted}` that deskup's user can see{hint}")))
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
            Err(name
                .mistake(format!("several lists are called `{wanted}`; write the id: {}", ids.join(", "))))
        }
    }
}
