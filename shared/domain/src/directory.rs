//! What is known about both accounts: people, groups, lists, fields and their options. The clients
//! fill it; the mapping is checked against it. No ticket content is in here.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::{ListId, UserId};
use crate::records::{ListInfo, Person};

/// Both accounts as far as a sync has to know them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// deskup's own user on Zendesk: what it wrote is never news.
    pub zendesk_me: UserId,
    /// deskup's own user on ClickUp.
    pub clickup_me: UserId,
    /// Agents, and requesters as far as they are known.
    pub zendesk_people: BTreeMap<UserId, Person>,
    /// Members and guests of the workspace.
    pub clickup_people: BTreeMap<UserId, Person>,
    /// Zendesk groups by id.
    pub groups: BTreeMap<u64, String>,
    /// Zendesk organizations by id.
    pub organizations: BTreeMap<u64, String>,
    /// Zendesk ticket fields by id.
    pub zendesk_fields: BTreeMap<u64, ZendeskField>,
    /// ClickUp lists by id.
    pub lists: BTreeMap<ListId, ListInfo>,
    /// ClickUp custom fields by id.
    pub clickup_fields: BTreeMap<String, ClickupField>,
    /// Whether a guest is among the people who see a list.
    pub guests_can_see: BTreeMap<ListId, bool>,
    /// Zendesk's custom statuses: category and label by id. Empty where the feature is off.
    pub custom_statuses: BTreeMap<u64, (String, String)>,
}

impl Default for Directory {
    fn default() -> Self {
        Directory {
            zendesk_me: UserId(0),
            clickup_me: UserId(0),
            zendesk_people: BTreeMap::new(),
            clickup_people: BTreeMap::new(),
            groups: BTreeMap::new(),
            organizations: BTreeMap::new(),
            zendesk_fields: BTreeMap::new(),
            lists: BTreeMap::new(),
            clickup_fields: BTreeMap::new(),
            guests_can_see: BTreeMap::new(),
            custom_statuses: BTreeMap::new(),
        }
    }
}

/// A ticket field of Zendesk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZendeskField {
    /// Its id.
    pub id: u64,
    /// Its name for agents.
    pub title: String,
    /// `text`, `textarea`, `integer`, `decimal`, `checkbox`, `date`, `tagger`, `multiselect`, …
    pub kind: String,
    /// Options of drop-downs: the tag that stands for the option, and its name.
    pub options: Vec<(String, String)>,
}

/// A custom field of ClickUp.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClickupField {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `short_text`, `text`, `number`, `checkbox`, `date`, `drop_down`, `labels`, …
    pub kind: String,
    /// Options of drop-downs and labels: UUID and name.
    pub options: Vec<(String, String)>,
    /// The lists that have the field; empty where that is not known.
    pub lists: BTreeSet<ListId>,
}
