//! Statuses by a table. Several Zendesk statuses may be one in ClickUp; back, the first listed that a
//! person could set is meant unless the settings say otherwise. A list has its own status names.

use std::collections::BTreeMap;

use super::{Lens, Look, TaskWrites, Unmirrorable, text_of};
use crate::directory::Directory;
use crate::field::Value;
use crate::ids::ListId;
use crate::patch::TicketPatch;
use crate::records::{Task, Ticket};
use crate::settings::{At, Mistake, Settings, did_you_mean, one_of};

const CATEGORIES: [&str; 6] = ["new", "open", "pending", "hold", "solved", "closed"];

#[derive(Debug)]
pub(crate) struct Status {
    /// Zendesk key (`open`, or `open#id` for a custom status) to ClickUp name.
    to_clickup: BTreeMap<String, String>,
    /// ClickUp name in lower case to Zendesk key.
    to_zendesk: BTreeMap<String, String>,
    /// Custom statuses that the table names.
    custom: BTreeMap<u64, String>,
    /// The custom status that stands for a whole category, where the feature is on: without its id a
    /// ticket would keep another custom status of the same category.
    plain: BTreeMap<String, u64>,
    /// Stored names of each list's statuses by name in lower case.
    lists: BTreeMap<ListId, BTreeMap<String, String>>,
}

impl Status {
    pub fn build(
        settings: &Settings,
        directory: &Directory,
        routed: &[ListId],
        mistakes: &mut Vec<Mistake>,
    ) -> Self {
        let lists = directory.lists.iter().map(|(id, list)| {
            (id.clone(), list.statuses.iter().map(|(name, _)| (plain(name), name.clone())).collect())
        });
        let mut status = Status {
            to_clickup: BTreeMap::new(),
            to_zendesk: BTreeMap::new(),
            custom: BTreeMap::new(),
            plain: BTreeMap::new(),
            lists: lists.collect(),
        };
        let mut order = Vec::new();
        for (zendesk, clickup) in &settings.status {
            status.check_in_all(clickup, directory, routed, mistakes);
            let Some(key) = status.key(zendesk, directory, mistakes) else { continue };
            order.push((key.clone(), clickup.value.to_lowercase()));
            status.to_clickup.insert(key, clickup.value.clone());
        }
        for (clickup, zendesk) in &settings.status_to_zendesk {
            status.check_in_any(clickup, routed, mistakes);
            let Some(key) = status.key(zendesk, directory, mistakes) else { continue };
            if key == "closed" {
                mistakes.push(zendesk.mistake("`closed` is set by Zendesk only; use solved"));
            }
            status.to_zendesk.insert(clickup.value.to_lowercase(), key);
        }
        // Nobody can set a ticket back to new, and closing belongs to Zendesk.
        for (key, name) in order.iter().filter(|(key, _)| key != "new" && key != "closed") {
            status.to_zendesk.entry(name.clone()).or_insert_with(|| key.clone());
        }
        for (key, name) in order.iter().filter(|(key, _)| key == "new") {
            status.to_zendesk.entry(name.clone()).or_insert_with(|| key.clone());
        }
        for (id, (category, _)) in &directory.custom_statuses {
            if !status.custom.contains_key(id) {
                // The oldest one came with the account.
                status.plain.entry(category.clone()).or_insert(*id);
            }
        }
        for (missing, like) in [("new", "open"), ("closed", "solved"), ("hold", "pending")] {
            if let Some(name) = status.to_clickup.get(like).cloned() {
                status.to_clickup.entry(missing.to_owned()).or_insert(name);
            }
        }
        status
    }

    /// The key of a Zendesk status by category or by the label of a custom status.
    fn key(
        &mut self,
        name: &At<String>,
        directory: &Directory,
        mistakes: &mut Vec<Mistake>,
    ) -> Option<String> {
        let lower = name.value.to_lowercase();
        if CATEGORIES.contains(&lower.as_str()) {
            return Some(lower);
        }
        let custom = directory.custom_statuses.iter().find(|(_, (_, label))| label.to_lowercase() == lower);
        if let Some((id, (category, _))) = custom {
            let key = format!("{category}#{id}");
            self.custom.insert(*id, key.clone());
            return Some(key);
        }
        let labels = directory.custom_statuses.values().map(|(_, label)| label.as_str());
        let hint = did_you_mean(&name.value, CATEGORIES.into_iter().chain(labels));
        mistakes.push(name.mistake(format!("`{}` is not a status in Zendesk{hint}", name.value)));
        None
    }

    /// A status that tickets lead to must be in every list: a ticket may come to any of them.
    fn check_in_all(
        &self,
        name: &At<String>,
        directory: &Directory,
        routed: &[ListId],
        mistakes: &mut Vec<Mistake>,
    ) {
        for list in routed {
            let Some(known) = self.lists.get(list) else { continue };
            if !known.contains_key(&plain(&name.value)) {
                let names: Vec<&str> = known.values().map(String::as_str).collect();
                let title =
                    directory.lists.get(list).map_or_else(|| list.to_string(), |list| list.name.clone());
                mistakes.push(name.mistake(format!(
                    "list `{title}` has no status `{}`; it has {}{}",
                    name.value,
                    one_of(&names),
                    did_you_mean(&name.value, names.iter().copied())
                )));
            }
        }
    }

    /// A status that only leads back may be a special one of some list.
    fn check_in_any(&self, name: &At<String>, routed: &[ListId], mistakes: &mut Vec<Mistake>) {
        let lists: Vec<&BTreeMap<String, String>> = routed.iter().filter_map(|l| self.lists.get(l)).collect();
        if lists.is_empty() || lists.iter().any(|known| known.contains_key(&plain(&name.value))) {
            return;
        }
        let known: std::collections::BTreeSet<&str> =
            lists.iter().flat_map(|known| known.values().map(String::as_str)).collect();
        let known: Vec<&str> = known.into_iter().collect();
        mistakes.push(name.mistake(format!(
            "no list of a route has the status `{}`; they have {}{}",
            name.value,
            one_of(&known),
            did_you_mean(&name.value, known.iter().copied())
        )));
    }

    fn mapped(&self, key: &str) -> Option<&String> {
        let category = key.split('#').next().unwrap_or_default();
        self.to_clickup.get(key).or_else(|| self.to_clickup.get(category))
    }
}

/// The form in which names of statuses are compared.
fn plain(name: &str) -> String {
    name.trim().to_lowercase()
}

impl Lens for Status {
    fn zendesk(&self, ticket: &Ticket) -> Value {
        let custom = ticket.custom_status_id.and_then(|id| self.custom.get(&id));
        // A closed ticket keeps the id of its last custom status.
        let custom = custom.filter(|_| !ticket.is_closed());
        Value::Text(custom.cloned().unwrap_or_else(|| ticket.status.to_lowercase()))
    }

    fn clickup(&self, task: &Task) -> Value {
        Value::Text(plain(&task.status))
    }

    fn same(&self, zendesk: &Value, clickup: &Value, _: &Look<'_>) -> bool {
        let (Some(z), Some(c)) = (text_of(zendesk), text_of(clickup)) else { return false };
        self.mapped(z).is_some_and(|name| name.to_lowercase() == c)
            || self.to_zendesk.get(c).is_some_and(|key| key == z)
    }

    fn to_clickup(&self, zendesk: &Value, _: &Value, look: &Look<'_>) -> Result<Value, Unmirrorable> {
        let key = text_of(zendesk).unwrap_or_default();
        let Some(name) = self.mapped(key) else {
            return Err(format!("[status] has no entry for Zendesk's `{key}`"));
        };
        let lower = name.to_lowercase();
        match self.lists.get(look.list) {
            Some(names) if !names.contains_key(&lower) => {
                Err(format!("list {} has no status `{name}`", look.list))
            }
            _ => Ok(Value::Text(lower)),
        }
    }

    fn to_zendesk(&self, clickup: &Value, _: &Value, _: &Look<'_>) -> Result<Value, Unmirrorable> {
        let name = text_of(clickup).unwrap_or_default();
        let key = self.to_zendesk.get(name).cloned().map(Value::Text);
        key.ok_or_else(|| format!("no Zendesk status belongs to ClickUp's `{name}`"))
    }

    fn write_clickup(&self, value: &Value, look: &Look<'_>, writes: &mut TaskWrites) {
        let lower = text_of(value).unwrap_or_default();
        let stored = self.lists.get(look.list).and_then(|names| names.get(lower));
        writes.fields.status = Some(stored.cloned().unwrap_or_else(|| lower.to_owned()));
    }

    fn write_zendesk(&self, value: &Value, _: &Look<'_>, patch: &mut TicketPatch) {
        let key = text_of(value).unwrap_or_default();
        let (category, custom) = key.split_once('#').unwrap_or((key, ""));
        patch.status = Some(category.to_owned());
        patch.custom_status_id = custom.parse().ok().or_else(|| self.plain.get(category).copied());
    }
}
