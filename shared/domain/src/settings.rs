//! `deskup.toml`: what a person says about the two accounts and how they belong together. Parsing
//! collects every mistake with its line; what needs the accounts to be checked is checked in
//! [`crate::mapping`].

mod parse;
mod reader;
mod scope;
pub mod serve;

pub(crate) use reader::{did_you_mean, one_of};

use std::collections::BTreeMap;
use std::fmt;

use crate::comment::Visibility;
use crate::field::FieldKey;
use crate::ids::Side;
use crate::merge::Rule;

/// One mistake in `deskup.toml`, with its place and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Line from 1, where it is known.
    pub line: Option<usize>,
    /// The key, with its table.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("deskup.toml:")?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        if !self.field.is_empty() {
            write!(f, " {}:", self.field)?;
        }
        write!(f, " {}", self.message)
    }
}

impl std::error::Error for Mistake {}

/// A value with its place in the file, so that a later check can point at it.
#[derive(Clone, PartialEq, Eq)]
pub struct At<T> {
    /// Line from 1.
    pub line: Option<usize>,
    /// The key, with its table.
    pub field: String,
    /// What was written.
    pub value: T,
}

impl<T> At<T> {
    /// A mistake at this place.
    pub fn mistake(&self, message: impl Into<String>) -> Mistake {
        Mistake { line: self.line, field: self.field.clone(), message: message.into() }
    }
}

impl<T: fmt::Debug> fmt::Debug for At<T> {
    /// Without the line: fingerprints of settings are made of this, and a comment more changes nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {:?}", self.field, self.value)
    }
}

/// A name or a number, as people write references to groups, lists and fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A name, or an id in quotes.
    Text(String),
    /// An id.
    Number(u64),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Text(text) => f.write_str(text),
            Name::Number(number) => number.fmt(f),
        }
    }
}

/// How the ticket tells where its task is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkBack {
    /// Not at all: deskup's own table knows.
    #[default]
    None,
    /// In `external_id`.
    ExternalId,
    /// As a tag `clickup-{task}`.
    Tag,
    /// In a custom field.
    Field(u64),
}

/// What becomes of an edit of a task's description: Zendesk cannot take it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DescriptionEdits {
    /// An internal note on the ticket with the difference.
    #[default]
    Note,
    /// Only a conflict for people to see.
    Conflict,
}

/// Which way a field goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    #[default]
    Both,
    /// From Zendesk to ClickUp only.
    ToClickup,
    /// From ClickUp to Zendesk only.
    ToZendesk,
    /// Not mirrored.
    Off,
}

impl Direction {
    /// Whether edits go to this side.
    pub fn writes(self, side: Side) -> bool {
        match self {
            Direction::Both => true,
            Direction::ToClickup => side == Side::Clickup,
            Direction::ToZendesk => side == Side::Zendesk,
            Direction::Off => false,
        }
    }

    /// The word for it in `deskup.toml`.
    pub fn word(self) -> &'static str {
        match self {
            Direction::Both => "both",
            Direction::ToClickup => "to_clickup",
            Direction::ToZendesk => "to_zendesk",
            Direction::Off => "off",
        }
    }
}

/// How one field is kept in step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSetting {
    /// Which way it goes.
    pub direction: Direction,
    /// Who wins when both sides changed it.
    pub rule: Rule,
}

/// A custom field that exists on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomSetting {
    /// Its name in deskup.
    pub name: At<String>,
    /// Zendesk's field id.
    pub zendesk: At<u64>,
    /// ClickUp's field id.
    pub clickup: At<String>,
    /// Which way it goes.
    pub direction: Direction,
    /// Who wins; `None` takes what suits the type.
    pub rule: Option<At<Rule>>,
    /// Zendesk option (tag or name) to ClickUp option (id or name); where absent, equal names belong
    /// together.
    pub options: Vec<(At<String>, At<String>)>,
}

/// Where tickets of a kind go: all conditions given must hold, each by any of its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Groups by name or id.
    pub group: Vec<At<Name>>,
    /// Organizations by name or id.
    pub organization: Vec<At<Name>>,
    /// Ticket forms by id.
    pub form: Vec<At<Name>>,
    /// Tags.
    pub tag: Vec<At<Name>>,
}

impl Conditions {
    /// Whether everything fits.
    pub fn is_empty(&self) -> bool {
        self.group.is_empty() && self.organization.is_empty() && self.form.is_empty() && self.tag.is_empty()
    }
}

/// A route; the last one has no conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteSetting {
    /// When it applies.
    pub when: Conditions,
    /// List by name or id.
    pub list: At<Name>,
}

/// Which tickets are mirrored at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// What a ticket must have.
    pub when: Conditions,
    /// Tickets with one of these tags stay out.
    pub without_tag: Vec<At<Name>>,
    /// Only tickets made since then, in milliseconds.
    pub created_after_ms: Option<i64>,
}

/// `[scope]`: which tickets get a task. A ticket that has one keeps it, whatever becomes of the ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only tickets that were made or changed since then, in milliseconds.
    pub since_ms: Option<i64>,
    /// A pilot: at most this many tickets, the first in the order of Zendesk's export, which is that of their
    /// last change, the longest ago first.
    pub limit: Option<u32>,
    /// Solved and closed tickets too.
    pub closed: bool,
}

/// `[sync] adopt`: what becomes of a ticket for which people have made a task already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Adopt {
    /// Nothing, until a person says: it is left out and listed.
    #[default]
    Ask,
    /// The two are linked, and what differs goes by the rules.
    Link,
    /// It gets a task of its own all the same.
    Ignore,
}

/// `deskup.toml`, read and checked as far as that needs no account.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `[zendesk] url`.
    pub zendesk_url: String,
    /// `[clickup] url`.
    pub clickup_url: String,
    /// `[clickup] workspace`.
    pub workspace: String,
    /// `[clickup] utc_offset`: ClickUp keeps dates without a time as 4 a.m. local time.
    pub utc_offset_minutes: i32,
    /// `[sync] link_back`.
    pub link_back: LinkBack,
    /// `[sync] comments_to_zendesk`.
    pub comments_to_zendesk: Visibility,
    /// `[sync] internal_notes_to_clickup`.
    pub internal_notes_to_clickup: bool,
    /// `[sync] attachments`.
    pub attachments: bool,
    /// `[sync] description_edits`.
    pub description_edits: DescriptionEdits,
    /// `[sync] zendesk_update_share`: percent of the account's limit of ticket updates.
    pub zendesk_update_share: u8,
    /// `[sync] adopt`.
    pub adopt: Adopt,
    /// `[scope]`.
    pub scope: Scope,
    /// `[sync] filter`.
    pub filter: Filter,
    /// `[serve]`.
    pub serve: serve::ServeSetting,
    /// `[[route]]`, in order.
    pub routes: Vec<RouteSetting>,
    /// `[status]`: Zendesk status to ClickUp status, in order.
    pub status: Vec<(At<String>, At<String>)>,
    /// `[status.to_zendesk]`: ClickUp status to Zendesk status where the first listed is not meant.
    pub status_to_zendesk: Vec<(At<String>, At<String>)>,
    /// `[priority]`: Zendesk priority to ClickUp priority.
    pub priority: Vec<(At<String>, At<String>)>,
    /// `[people]`: Zendesk mail to ClickUp mail, beside equal ones.
    pub people: Vec<(At<String>, At<String>)>,
    /// `[fields]`: the standard fields.
    pub fields: BTreeMap<FieldKey, FieldSetting>,
    /// `[fields.due_date] zendesk_field`: a date field that takes the due date instead of `due_at`.
    pub due_date_field: Option<At<u64>>,
    /// `[[field]]`.
    pub custom: Vec<CustomSetting>,
}

impl Settings {
    /// Reads `deskup.toml`, or lists everything that is wrong with it.
    pub fn parse(toml: &str) -> Result<Settings, Vec<Mistake>> {
        parse::parse(toml)
    }

    /// A fingerprint of everything that decides about writes: comments and the order of lines do not change it,
    /// and neither does where deskup listens.
    pub fn digest(&self) -> String {
        let settings = Settings { serve: serve::ServeSetting::default(), ..self.clone() };
        crate::field::sha256_hex(format!("{settings:?}").as_bytes())[..16].to_owned()
    }

    /// The line of a key in a table, for what only the accounts can say about it.
    pub fn line_of(toml: &str, table: &str, key: &str) -> Option<usize> {
        let document = toml_edit::Document::parse(toml).ok()?;
        let (key, item) = document.get(table)?.as_table_like()?.get_key_value(key)?;
        reader::Reader::new(toml).line(key.span().or_else(|| item.span()))
    }
}
