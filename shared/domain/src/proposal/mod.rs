//! A first `deskup.toml` for two accounts: what can be told from names, types and addresses is proposed, what
//! cannot is left to a person and said. From what was read to a text; no IO. What it writes is always read by
//! [`crate::Settings::parse`] and accepted by [`crate::Mapping::new`] for the same accounts.

mod fields;
mod lists;
mod names;
mod people;
mod statuses;
mod write;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::directory::Directory;
use crate::ids::ListId;

pub use lists::{Selection, select};
pub use people::without_counterpart;

/// Where a ClickUp list is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Its id.
    pub list: ListId,
    /// Its name.
    pub name: String,
    /// Its space's name.
    pub space: String,
    /// Its folder's name, where it is in one.
    pub folder: Option<String>,
}

/// A custom status of Zendesk that people made, beside those every account has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnStatus {
    /// Its id.
    pub id: u64,
    /// `new`, `open`, `pending`, `hold`, `solved`.
    pub category: String,
    /// Its name for agents.
    pub label: String,
}

/// Everything a proposal is made from.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// `[zendesk] url`.
    pub zendesk_url: String,
    /// `[clickup] url`.
    pub clickup_url: String,
    /// The workspace's id.
    pub workspace: String,
    /// Its name.
    pub workspace_name: String,
    /// Both accounts; of the lists those of the selection.
    pub directory: Directory,
    /// All lists, in the order in which people see them.
    pub places: Vec<Place>,
    /// Ticket fields that are out of use.
    pub inactive_fields: BTreeSet<u64>,
    /// Custom statuses in use that are not the default of their category.
    pub own_statuses: Vec<OwnStatus>,
    /// Whether Zendesk shows the status `hold`; unknown counts as yes.
    pub hold_hidden: bool,
    /// The zone in which deskup's ClickUp user lives, such as `Europe/Berlin`.
    pub time_zone: Option<String>,
    /// Zendesk's ticket forms by id and name.
    pub forms: Vec<(u64, String)>,
    /// Zendesk's organizations by id and name, as far as they were read.
    pub organizations: Vec<(u64, String)>,
}

impl Snapshot {
    /// A list's name for people.
    pub(crate) fn list_name(&self, list: &ListId) -> String {
        let place = self.places.iter().find(|place| place.list == *list).map(|place| place.name.clone());
        let known = || self.directory.lists.get(list).map(|info| info.name.clone());
        place.or_else(known).unwrap_or_else(|| list.to_string())
    }
}

/// What a person said beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// The lists that count, the one for all other tickets first; empty leaves it to the names.
    pub lists: Vec<ListId>,
    /// `[clickup] utc_offset`.
    pub utc_offset: Option<String>,
}

/// Something that a person has to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Open {
    /// The table of the file it is about.
    pub table: &'static str,
    /// What could not be decided, and what to do.
    pub text: String,
}

impl Open {
    fn new(table: &'static str, text: impl Into<String>) -> Self {
        Self { table, text: text.into() }
    }
}

/// What was found, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Lists that get tasks.
    pub lists: usize,
    /// Groups with a list of their own.
    pub groups_routed: usize,
    /// Groups there are.
    pub groups: usize,
    /// Agents with a counterpart.
    pub people_matched: usize,
    /// Agents there are, deskup's own user apart.
    pub people: usize,
    /// Custom fields that are kept in step.
    pub fields: usize,
    /// Zendesk statuses with a ClickUp status of their own.
    pub statuses: usize,
}

/// A proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The text of `deskup.toml`.
    pub toml: String,
    /// What is left to a person.
    pub open: Vec<Open>,
    /// What was found.
    pub found: Found,
}

/// Why nothing can be proposed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoProposal {
    /// The list for all other tickets was not read, or has no statuses.
    #[error(
        "list `{0}` shows no statuses to deskup's user; give the user access to it, or name another list"
    )]
    NoStatuses(String),
}

/// Proposes settings for the lists of a selection.
pub fn propose(
    snapshot: &Snapshot,
    selection: &Selection,
    choices: &Choices,
) -> Result<Proposal, NoProposal> {
    let mut open = Vec::new();
    let routed = lists::agree(snapshot, selection, &mut open)
        .ok_or_else(|| NoProposal::NoStatuses(names::remark(&snapshot.list_name(&selection.rest))))?;
    let mut lists = vec![routed.rest.clone()];
    lists.extend(routed.routes.iter().map(|(_, list)| list.clone()));
    let parts = write::Parts {
        snapshot,
        selection,
        choices,
        people: people::plan(snapshot),
        fields: fields::plan(snapshot, &lists),
        routed,
    };
    let distinct: BTreeSet<&ListId> = lists.iter().collect();
    let found = Found {
        lists: distinct.len(),
        groups_routed: parts.routed.routes.len(),
        groups: snapshot.directory.groups.len(),
        people_matched: parts.people.matched.len(),
        people: parts.people.matched.len() + parts.people.alone.len(),
        fields: parts.fields.pairs.len(),
        statuses: parts.routed.statuses.table.len() - parts.routed.statuses.shared.len(),
    };
    let toml = write::text(&parts, &mut open);
    Ok(Proposal { toml, open, found })
}
