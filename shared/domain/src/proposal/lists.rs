//! Which list takes which tickets: by the name of the group, and one list for all others.

use std::collections::BTreeMap;

use super::names::{plain, remark, words};
use super::statuses::{self, StatusPlan};
use super::{Choices, Open, Place, Snapshot};
use crate::directory::Directory;
use crate::ids::ListId;

/// Words by which the list for everything is known, and how much each says.
const GENERAL: &[(&str, u32)] = &[
    ("inbox", 5),
    ("tickets", 4),
    ("ticket", 4),
    ("zendesk", 4),
    ("support", 3),
    ("helpdesk", 3),
    ("service", 3),
    ("general", 3),
    ("requests", 2),
    ("incoming", 2),
    ("queue", 2),
    ("all", 2),
];

/// The lists a proposal is about, before anything but their names is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Groups whose name a list has, in the order of the groups.
    pub routes: Vec<(u64, ListId)>,
    /// The list for all other tickets.
    pub rest: ListId,
    /// Whether the list for all other tickets was named by a person or is the only one there.
    pub decided: bool,
}

impl Selection {
    /// Every list once, the one for all other tickets first.
    pub fn lists(&self) -> Vec<ListId> {
        let mut lists = vec![self.rest.clone()];
        for (_, list) in &self.routes {
            if !lists.contains(list) {
                lists.push(list.clone());
            }
        }
        lists
    }
}

/// Chooses lists by name. `None` when there is no list at all.
pub fn select(groups: &BTreeMap<u64, String>, places: &[Place], choices: &Choices) -> Option<Selection> {
    let allowed = |place: &&Place| choices.lists.is_empty() || choices.lists.contains(&place.list);
    let places: Vec<&Place> = places.iter().filter(allowed).collect();
    let named =
        |list: &ListId| places.iter().find(|place| place.list == *list).map(|place| place.list.clone());
    let chosen = choices.lists.first().and_then(named);
    let decided = chosen.is_some() || places.len() == 1;
    let rest = chosen.or_else(|| most_general(groups, &places))?;
    let mut routes = Vec::new();
    for (group, name) in groups {
        let wanted = plain(name);
        let mut same = places.iter().filter(|place| plain(&place.name) == wanted);
        // Two lists of that name: nobody can tell which is meant.
        if let (false, Some(place), None) = (wanted.is_empty(), same.next(), same.next())
            && place.list != rest
        {
            routes.push((*group, place.list.clone()));
        }
    }
    Some(Selection { routes, rest, decided })
}

fn most_general(groups: &BTreeMap<u64, String>, places: &[&Place]) -> Option<ListId> {
    let score = |place: &Place| {
        let words = words(&place.name);
        let said: u32 =
            GENERAL.iter().filter(|(word, _)| words.iter().any(|w| w == word)).map(|(_, score)| score).sum();
        // Rather not a list that is a group's own, and a long name speaks of something special.
        let own = groups.values().any(|group| plain(group) == plain(&place.name));
        let length = u32::try_from(words.len()).unwrap_or(u32::MAX);
        (said, u32::from(!own), u32::MAX - length)
    };
    // Of equals the first, as people see them.
    let best = places.iter().rev().max_by_key(|place| score(place));
    best.map(|place| place.list.clone())
}

/// Lists that can share one table of statuses, and that table.
pub(super) struct Routed {
    pub routes: Vec<(u64, ListId)>,
    pub rest: ListId,
    pub statuses: StatusPlan,
}

impl Routed {
    /// A status of this name, when every list has it, as the first one writes it.
    pub fn in_all(&self, directory: &Directory, name: &str) -> Option<String> {
        let lists = std::iter::once(&self.rest).chain(self.routes.iter().map(|(_, list)| list));
        let mut found = None;
        for list in lists {
            let statuses = &directory.lists.get(list)?.statuses;
            let (stored, _) = statuses.iter().find(|(stored, _)| statuses::same(stored, name))?;
            found.get_or_insert_with(|| stored.clone());
        }
        found
    }
}

/// Takes in one list after the other as long as what all have in common still has a beginning and an end: the
/// table of statuses is one for all lists.
pub(super) fn agree(snapshot: &Snapshot, selection: &Selection, open: &mut Vec<Open>) -> Option<Routed> {
    let of = |list: &ListId| snapshot.directory.lists.get(list).map(|info| info.statuses.as_slice());
    let mut statuses = of(&selection.rest)?.to_vec();
    let alone = statuses::plan(&statuses)?;
    let mut routes = Vec::new();
    for (group, list) in &selection.routes {
        let Some(theirs) = of(list) else { continue };
        let both = statuses::common(&statuses, theirs);
        match statuses::plan(&both) {
            Some(plan) if plan.sound || !alone.sound && plan.table == alone.table => {
                statuses = both;
                routes.push((*group, list.clone()));
            }
            _ => {
                let missing = alone.table.iter().map(|(_, name)| name.as_str());
                let mut missing: Vec<String> = missing
                    .filter(|name| !theirs.iter().any(|(other, _)| statuses::same(other, name)))
                    .map(|name| format!("`{}`", remark(name)))
                    .collect();
                missing.dedup();
                open.push(Open::new(
                    "route",
                    format!(
                        "list `{}` has the name of a group but not the statuses {} of list `{}`: give it these, and \
                         run `deskup init --force` again",
                        remark(&snapshot.list_name(list)),
                        missing.join(", "),
                        remark(&snapshot.list_name(&selection.rest)),
                    ),
                ));
            }
        }
    }
    let mut plan = statuses::plan(&statuses)?;
    // What only some of the lists have leads back too.
    let all = std::iter::once(&selection.rest).chain(routes.iter().map(|(_, list)| list));
    for (name, kind) in all.filter_map(of).flatten() {
        if !name.trim().is_empty() {
            plan.add_back(name, statuses::meaning(name, kind));
        }
    }
    Some(Routed { routes, rest: selection.rest.clone(), statuses: plan })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(id: &str, name: &str) -> Place {
        Place {
            list: ListId::new(id).unwrap(),
            name: name.to_owned(),
            space: "Space".to_owned(),
            folder: None,
        }
    }

    fn check(groups: &[&str], lists: &[&str], chosen: &[&str], expected: &str) {
        let groups = (1..).zip(groups.iter().map(|name| (*name).to_owned())).collect();
        let places: Vec<Place> =
            lists.iter().enumerate().map(|(at, name)| place(&format!("l{at}"), name)).collect();
        let id = |name: &&str| places.iter().find(|place| place.name == **name).unwrap().list.clone();
        let choices = Choices { lists: chosen.iter().map(id).collect(), ..Choices::default() };
        let found = select(&groups, &places, &choices).map_or_else(
            || "nothing".to_owned(),
            |selection| {
                let name = |id: &ListId| places.iter().find(|place| place.list == *id).unwrap().name.clone();
                let routes: Vec<String> =
                    selection.routes.iter().map(|(group, list)| format!("{group}={}", name(list))).collect();
                let sure = if selection.decided { "" } else { "?" };
                format!("{} rest={}{sure}", routes.join(" "), name(&selection.rest)).trim().to_owned()
            },
        );
        assert_eq!(found, expected, "{groups:?} {lists:?}");
    }

    #[test]
    fn a_list_with_the_name_of_a_group_takes_its_tickets() {
        check(
            &["Support", "Billing", "Technical"],
            &["Support VIP", "billing", "Technical ", "Support inbox"],
            &[],
            "2=billing 3=Technical  rest=Support inbox?",
        );
        check(&["Billing"], &["Billing", "BILLING", "x"], &[], "rest=x?");
        check(&["—"], &["—", "Inbox"], &[], "rest=Inbox?");
    }

    #[test]
    fn a_person_says_which_lists_count_and_which_takes_the_rest() {
        check(
            &["Billing", "Sales"],
            &["Billing", "Sales", "Inbox"],
            &["Sales", "Billing"],
            "1=Billing rest=Sales",
        );
        check(&["Billing"], &["Billing"], &[], "rest=Billing");
        check(&["Billing"], &[], &[], "nothing");
    }
}
