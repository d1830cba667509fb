//! Who is the same person on both sides: by mail address, which the sync does by itself. A name is no proof, so
//! pairs of equal names are only suggested.

use std::collections::BTreeSet;

use super::Snapshot;
use super::names::plain;
use crate::ids::{Side, UserId};
use crate::lens::assignee::People;
use crate::records::Person;

/// What was found about the people of both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PeoplePlan {
    /// Names of agents with the same address in ClickUp.
    pub matched: Vec<String>,
    /// Agents without a counterpart: name and address.
    pub alone: Vec<(String, Option<String>)>,
    /// Pairs of addresses of people who have only their name in common.
    pub suggested: Vec<(String, String)>,
}

pub(super) fn plan(snapshot: &Snapshot) -> PeoplePlan {
    let directory = &snapshot.directory;
    let people = People::build(&[], directory);
    let mut plan = PeoplePlan::default();
    let free: Vec<&Person> = directory
        .clickup_people
        .iter()
        .filter(|(id, _)| !people.to_zendesk.contains_key(id) && **id != directory.clickup_me)
        .map(|(_, person)| person)
        .collect();
    for (id, agent) in &directory.zendesk_people {
        if *id == directory.zendesk_me || !people.agents.contains_key(id) {
            continue;
        }
        if people.to_clickup.contains_key(id) {
            plan.matched.push(agent.name.clone());
            continue;
        }
        plan.alone.push((agent.name.clone(), agent.email.clone()));
        let namesakes = |all: &[&Person]| {
            let same = |other: &&&Person| plain(&other.name) == plain(&agent.name);
            let found: Vec<Option<String>> =
                all.iter().filter(same).map(|other| other.email.clone()).collect();
            found
        };
        let agents: Vec<&Person> = directory.zendesk_people.values().filter(|person| person.active).collect();
        if let ([Some(other)], 1, Some(mail), false) = (
            namesakes(&free).as_slice(),
            namesakes(&agents).len(),
            &agent.email,
            plain(&agent.name).is_empty(),
        ) {
            plan.suggested.push((mail.clone(), other.clone()));
        }
    }
    plan
}

/// Agents for whom no person of ClickUp is known, whatever the settings say about pairs: name and address.
pub fn without_counterpart(
    mapping: &crate::Mapping,
    side: Side,
    except: &BTreeSet<UserId>,
) -> Vec<(String, Option<String>)> {
    let directory = mapping.directory();
    let people = match side {
        Side::Zendesk => &directory.zendesk_people,
        Side::Clickup => &directory.clickup_people,
    };
    people
        .iter()
        .filter(|(id, person)| {
            let counts = side == Side::Clickup || matches!(person.role.as_str(), "agent" | "admin");
            counts && person.active && !except.contains(id) && mapping.counterpart(side, **id).is_none()
        })
        .map(|(_, person)| (person.name.clone(), person.email.clone()))
        .collect()
}
