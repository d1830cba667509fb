//! Which task belongs to which ticket, as the tasks themselves tell: made by deskup's user, with the
//! marker of the ticket in the description they were made with. deskup's links only say which of several
//! it holds on to.

use std::collections::{BTreeMap, BTreeSet};

use domain::Side;
use serde_json::Value as Json;

use super::history::first_description;
use super::records::{self, Record};
use super::testimony::Testimony;

/// Tickets and their tasks.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    /// All tickets.
    pub tickets: BTreeMap<String, Record>,
    /// All tasks, whoever made them.
    pub tasks: BTreeMap<String, Record>,
    /// The task of a ticket.
    pub task_of: BTreeMap<String, String>,
    /// The ticket of a task.
    pub ticket_of: BTreeMap<String, String>,
    /// How many tasks deskup's user ever made for a ticket, beyond the first.
    pub seconds_ever: u64,
    /// Tasks that are there twice for a ticket: live, and not the one that is linked.
    pub duplicates: Vec<(String, String)>,
    /// Links to tasks that deskup did not make.
    pub adopted: Vec<(String, String)>,
    /// Tickets that a person deleted.
    pub gone: BTreeSet<String>,
    /// Tickets whose task a person deleted.
    pub deleted: BTreeSet<String>,
}

impl Pairs {
    /// Pairs everything up.
    pub fn read(testimony: &Testimony) -> Self {
        let rules = &testimony.rules;
        let mut pairs = Pairs::default();
        for json in &testimony.tickets {
            let ticket = records::ticket(rules, json);
            if json["status"] == "deleted" {
                pairs.gone.insert(ticket.id.clone());
            }
            pairs.tickets.insert(ticket.id.clone(), ticket);
        }
        for json in &testimony.tasks {
            let task = records::task(rules, json);
            pairs.tasks.insert(task.id.clone(), task);
        }
        let made = made_for(testimony, &pairs.tasks);
        pairs.seconds_ever = made.values().map(|tasks| tasks.len() as u64 - 1).sum();
        pairs.choose(testimony, &made);
        pairs
    }

    /// Of several tasks the linked one counts; without a link the oldest live one.
    fn choose(&mut self, testimony: &Testimony, made: &BTreeMap<String, Vec<String>>) {
        for (ticket, tasks) in made {
            let link = ticket.parse().ok().and_then(|id| testimony.kept.links.get(&id));
            let linked = link.map(|link| link.task.as_str().to_owned());
            let live: Vec<&String> =
                tasks.iter().filter(|id| self.tasks.get(*id).is_some_and(|task| !task.archived)).collect();
            let chosen = match &linked {
                Some(task) if tasks.contains(task) => Some(task.clone()),
                _ => live.first().map(|id| (*id).clone()),
            };
            if let Some(chosen) = &chosen {
                if !self.tasks.contains_key(chosen) {
                    self.deleted.insert(ticket.clone());
                }
                self.task_of.insert(ticket.clone(), chosen.clone());
                self.ticket_of.insert(chosen.clone(), ticket.clone());
            }
            for task in live.into_iter().filter(|id| Some(*id) != chosen.as_ref()) {
                // A twin that people touched is theirs to keep; deskup says so and leaves it.
                if !touched_by_people(testimony, task) {
                    self.duplicates.push((ticket.clone(), task.clone()));
                }
            }
        }
        for (ticket, link) in &testimony.kept.links {
            let (ticket, task) = (ticket.to_string(), link.task.as_str().to_owned());
            if !made.get(&ticket).is_some_and(|tasks| tasks.contains(&task)) {
                self.adopted.push((ticket, task));
            }
        }
    }
}

/// The tasks that deskup's user made, by ticket, oldest first; deleted ones too.
fn made_for(testimony: &Testimony, tasks: &BTreeMap<String, Record>) -> BTreeMap<String, Vec<String>> {
    let sync = testimony.rules.clickup_sync;
    let mut firsts: Vec<(String, String)> = Vec::new();
    let mut logged = BTreeSet::new();
    for change in testimony.clickup_changes.iter().filter(|change| change.field == "created") {
        logged.insert(change.record.clone());
        // A copy of a task is made by a person; what the log calls its creator decides.
        if change.actor == sync && !is_copy(&change.after) {
            let text = change.after["description"].as_str().unwrap_or_default();
            firsts.push((change.record.clone(), text.to_owned()));
        }
    }
    for task in tasks.values().filter(|task| task.creator == sync && !logged.contains(&task.id)) {
        let text = first_description(&testimony.clickup_changes, &task.id);
        firsts.push((task.id.clone(), text.unwrap_or_else(|| task.description.clone())));
    }
    let mut made: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (task, text) in firsts {
        if let Some(marker) = domain::footer::parse(&text) {
            made.entry(marker.ticket.to_string()).or_default().push(task);
        }
    }
    made
}

/// ClickUp may name the original's creator as the creator of a copy.
pub fn is_copy(created: &Json) -> bool {
    created.get("copy_of").is_some()
}

fn touched_by_people(testimony: &Testimony, task: &str) -> bool {
    testimony
        .clickup_changes
        .iter()
        .any(|change| change.record == task && testimony.rules.is_person(Side::Clickup, change.actor))
}
