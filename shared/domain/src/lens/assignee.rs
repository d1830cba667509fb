//! One assignee on the ticket, any number on the task. They agree when the one is among the many. From a
//! task only people whom deskup added are removed; a ticket's assignee must belong to its group.

use std::collections::{BTreeMap, BTreeSet};

use super::{Lens, Look, TaskWrites, Unmirrorable, text_of};
use crate::directory::Directory;
use crate::field::Value;
use crate::ids::UserId;
use crate::patch::TicketPatch;
use crate::records::{Task, Ticket};

/// Which people are the same on both sides, and what they may do.
#[derive(Clone, Debug, Default)]
pub(crate) struct People {
    pub to_clickup: BTreeMap<UserId, UserId>,
    pub to_zendesk: BTreeMap<UserId, UserId>,
    /// Groups of the agents who can be assigned.
    pub agents: BTreeMap<UserId, BTreeSet<u64>>,
    /// Members who can be assigned.
    pub members: BTreeSet<UserId>,
}

impl People {
    /// Equal mail addresses are one person, and so are the pairs of the settings, which come first.
    pub fn build(pairs: &[(UserId, UserId)], directory: &Directory) -> Self {
        let mut people = People::default();
        for (id, person) in &directory.zendesk_people {
            if person.active && matches!(person.role.as_str(), "agent" | "admin") {
                people.agents.insert(*id, person.groups.clone());
            }
        }
        people.members =
            directory.clickup_people.iter().filter(|(_, person)| person.active).map(|(id, _)| *id).collect();
        let mut pair = |zendesk: UserId, clickup: UserId| {
            people.to_clickup.entry(zendesk).or_insert(clickup);
            people.to_zendesk.entry(clickup).or_insert(zendesk);
        };
        for (zendesk, clickup) in pairs {
            pair(*zendesk, *clickup);
        }
        let mails: BTreeMap<String, UserId> = directory
            .clickup_people
            .iter()
            .filter_map(|(id, person)| Some((person.email.as_ref()?.to_lowercase(), *id)))
            .collect();
        // Agents first: a requester with the same address must not take an agent's place.
        let agents_first = [true, false];
        for wanted in agents_first {
            for (id, person) in &directory.zendesk_people {
                let agent = matches!(person.role.as_str(), "agent" | "admin");
                let mail = person.email.as_ref().map(|mail| mail.to_lowercase());
                if let Some(clickup) = mail.and_then(|mail| mails.get(&mail)).filter(|_| agent == wanted) {
                    pair(*id, *clickup);
                }
            }
        }
        people
    }
}

#[derive(Debug)]
pub(crate) struct Assignee {
    pub people: People,
}

pub(crate) fn person_of(value: &Value) -> Option<UserId> {
    text_of(value).and_then(|text| text.parse().ok()).map(UserId)
}

pub(crate) fn people_of(value: &Value) -> BTreeSet<UserId> {
    match value {
        Value::Set(set) => set.iter().filter_map(|id| id.parse().ok()).map(UserId).collect(),
        _ => BTreeSet::new(),
    }
}

fn people_value(people: &BTreeSet<UserId>) -> Value {
    crate::merge::set_value(people.iter().map(ToString::to_string).collect())
}

impl Assignee {
    fn on_clickup(&self, zendesk: UserId) -> Option<UserId> {
        self.people.to_clickup.get(&zendesk).copied().filter(|id| self.people.members.contains(id))
    }

    fn on_zendesk(&self, clickup: UserId) -> Option<UserId> {
        self.people.to_zendesk.get(&clickup).copied().filter(|id| self.people.agents.contains_key(id))
    }

    /// The group that a ticket needs for this assignee, where it has to change; `Err` when there is none.
    fn group_for(&self, agent: UserId, ticket: &Ticket) -> Result<Option<u64>, ()> {
        let groups = self.people.agents.get(&agent).ok_or(())?;
        match ticket.group {
            Some(group) if groups.contains(&group) => Ok(None),
            _ => groups.first().copied().map(Some).ok_or(()),
        }
    }
}

impl Lens for Assignee {
    fn zendesk(&self, ticket: &Ticket) -> Value {
        ticket.assignee.map_or(Value::Null, |id| Value::Text(id.to_string()))
    }

    fn clickup(&self, task: &Task) -> Value {
        people_value(&task.assignees)
    }

    fn same(&self, zendesk: &Value, clickup: &Value, _: &Look<'_>) -> bool {
        let people = people_of(clickup);
        match person_of(zendesk) {
            None => people.is_empty(),
            Some(agent) => self.on_clickup(agent).is_some_and(|id| people.contains(&id)),
        }
    }

    fn to_clickup(&self, zendesk: &Value, clickup: &Value, look: &Look<'_>) -> Result<Value, Unmirrorable> {
        let mut people = people_of(clickup);
        let ours = &look.base.added;
        let Some(agent) = person_of(zendesk) else {
            people.retain(|id| !ours.contains(id));
            let target = people_value(&people);
            if target == *clickup && target != Value::Null {
                return Err("only people whom deskup added are removed from a task".to_owned());
            }
            return Ok(target);
        };
        let Some(id) = self.on_clickup(agent) else {
            return Err(format!("Zendesk's user {agent} is nobody in ClickUp ([people] can say who it is)"));
        };
        people.retain(|other| !ours.contains(other));
        people.insert(id);
        Ok(people_value(&people))
    }

    fn to_zendesk(&self, clickup: &Value, zendesk: &Value, look: &Look<'_>) -> Result<Value, Unmirrorable> {
        let people = people_of(clickup);
        if people.is_empty() {
            // Whoever has no counterpart was never on the task, so nobody took them off.
            return match person_of(zendesk) {
                Some(agent) if self.on_clickup(agent).is_none() => {
                    Err(format!("Zendesk's user {agent} is nobody in ClickUp"))
                }
                _ => Ok(Value::Null),
            };
        }
        let before = people_of(&look.base.c);
        let (new, old): (Vec<UserId>, Vec<UserId>) = people.iter().partition(|id| !before.contains(id));
        let known: Vec<UserId> = new.into_iter().chain(old).filter_map(|id| self.on_zendesk(id)).collect();
        if known.is_empty() {
            return Err(
                "none of the task's people is an agent in Zendesk ([people] can say who is)".to_owned()
            );
        }
        let able = known.into_iter().find(|agent| self.group_for(*agent, look.ticket).is_ok());
        match able {
            Some(agent) => Ok(Value::Text(agent.to_string())),
            None => Err("none of the task's people belongs to a group in Zendesk".to_owned()),
        }
    }

    fn write_clickup(&self, value: &Value, look: &Look<'_>, writes: &mut TaskWrites) {
        let target = people_of(value);
        writes.fields.assignees_add = target.difference(&look.task.assignees).copied().collect();
        writes.fields.assignees_rem = look.task.assignees.difference(&target).copied().collect();
    }

    fn write_zendesk(&self, value: &Value, look: &Look<'_>, patch: &mut TicketPatch) {
        let agent = person_of(value);
        patch.assignee = Some(agent);
        if let Some(agent) = agent {
            patch.group = self.group_for(agent, look.ticket).ok().flatten();
        }
    }

    /// People who joined the task meanwhile stay: only those whom deskup added are removed.
    fn again_on_clickup(&self, kept: &Value, present: &Value, look: &Look<'_>) -> Value {
        let mut people = people_of(present);
        people.retain(|id| !look.base.added.contains(id));
        people.extend(people_of(kept));
        people_value(&people)
    }

    /// A task that is done gets no assignee for an old ticket: nobody is told of old work. It gets one
    /// when it is opened again.
    fn excused(&self, _: &Value, clickup: &Value, look: &Look<'_>) -> bool {
        *clickup == Value::Null && look.done
    }
}

/// Whether the work is over on either side: by the ticket's status, or by the type of the task's.
pub(crate) fn is_done(ticket_status: &str, task_status_type: &str) -> bool {
    let category = ticket_status.split('#').next().unwrap_or_default();
    matches!(category, "solved" | "closed") || matches!(task_status_type, "closed" | "done")
}
