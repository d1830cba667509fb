//! Every edit of a simulated person and what became of it: mirrored, superseded, kept in a conflict row,
//! or lost. Nothing is exempted for good will: whoever claims an exemption has a row to show.

use domain::Side;
use simulators::Change;

use super::canon::{Canon, Field};
use super::fate::Case;
use super::history::History;
use super::pairs::Pairs;
use super::records::{self, CommentSeen};
use super::testimony::Testimony;

/// One field, one tag or one comment, changed by a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// As the person named it.
    pub id: String,
    /// Where.
    pub side: Side,
    /// On which record.
    pub record: String,
    /// The ticket on either side of it.
    pub ticket: String,
    /// Which field.
    pub field: Field,
    /// When.
    pub at_ms: i64,
    /// Its number in that side's change log.
    pub seq: u64,
    /// What happened.
    pub what: What,
}

/// What an edit did.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A field got another value.
    Value {
        /// The value afterwards.
        after: Canon,
    },
    /// One tag was added or removed.
    Tag {
        /// Which.
        name: String,
        /// Whether it was added.
        added: bool,
    },
    /// A comment was written.
    Comment(CommentSeen),
}

/// What became of an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// The other side had it at some time afterwards.
    Mirrored,
    /// A person changed the same field again on the same side.
    Superseded,
    /// A conflict row holds the value, or a note tells of it.
    Kept,
    /// The mapping does not want it on the other side (internal notes).
    NotWanted,
    /// A person deleted the record on the other side, or this one before it was mirrored.
    NoCounterpart,
    /// Overwritten by a write whose own webhook never arrived: nobody could have known.
    Unprovable,
    /// Gone.
    Lost,
}

/// An edit with the verdict on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The edit.
    pub edit: Edit,
    /// What became of it.
    pub fate: Fate,
    /// Why the other side could not take it, where that is so.
    pub unmirrorable: Option<&'static str>,
    /// Whether another person's edit of the same thing was so near that the two coincide.
    pub coincides: bool,
    /// Whether the other side had to be written: it did not mean the same already.
    pub needs_write: bool,
    /// For an unprovable one: how often deskup was not there to take the webhook that tells.
    pub refused: u32,
}

/// Edits of the same thing within this time coincide.
const COINCIDE_MS: i64 = 120_000;

/// Reads every edit from the change logs and judges it.
pub fn judge(testimony: &Testimony, pairs: &Pairs, history: &History) -> Vec<Judged> {
    let edits = collect(testimony, pairs);
    let mut judged: Vec<Judged> = edits
        .iter()
        .filter_map(|edit| {
            let ticket = pairs.tickets.get(&edit.ticket)?;
            let task = pairs.task_of.get(&edit.ticket).and_then(|id| pairs.tasks.get(id));
            let case = Case { testimony, history, pairs, edit, ticket, task };
            let (fate, unmirrorable) = (case.fate(), case.unmirrorable());
            Some(Judged {
                fate,
                unmirrorable,
                coincides: edits.iter().any(|other| coincide(edit, other)),
                needs_write: unmirrorable.is_none() && case.needs_write(),
                refused: if fate == Fate::Unprovable { case.refused() } else { 0 },
                edit: edit.clone(),
            })
        })
        .collect();
    judged.sort_by(|a, b| (a.edit.at_ms, &a.edit.id).cmp(&(b.edit.at_ms, &b.edit.id)));
    judged
}

fn coincide(one: &Edit, other: &Edit) -> bool {
    let same_thing = match (&one.what, &other.what) {
        (What::Tag { name, .. }, What::Tag { name: other, .. }) => name == other,
        (What::Comment(_), _) | (_, What::Comment(_)) => false,
        _ => one.field == other.field,
    };
    same_thing
        && one.ticket == other.ticket
        && (one.side, one.seq) != (other.side, other.seq)
        && (one.at_ms - other.at_ms).abs() < COINCIDE_MS
}

fn collect(testimony: &Testimony, pairs: &Pairs) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (side, changes) in
        [(Side::Zendesk, &testimony.zendesk_changes), (Side::Clickup, &testimony.clickup_changes)]
    {
        for change in changes {
            let Some(id) = change.edit.clone() else { continue };
            let ticket = match side {
                Side::Zendesk => pairs.tickets.contains_key(&change.record).then(|| change.record.clone()),
                Side::Clickup => pairs.ticket_of.get(&change.record).cloned(),
            };
            // Copies of tasks are nobody's mirror.
            let Some(ticket) = ticket else { continue };
            let Some(field) = testimony.rules.field_of(side, &change.field) else { continue };
            for what in whats(testimony, side, &field, change) {
                edits.push(Edit {
                    id: id.clone(),
                    side,
                    record: change.record.clone(),
                    ticket: ticket.clone(),
                    field: field.clone(),
                    at_ms: change.at_ms,
                    seq: change.seq,
                    what,
                });
            }
        }
    }
    edits
}

fn whats(testimony: &Testimony, side: Side, field: &Field, change: &Change) -> Vec<What> {
    if *field == Field::Comment {
        let after = &change.after;
        return vec![What::Comment(CommentSeen {
            id: records::text(&after["id"]),
            author: change.actor,
            public: after["public"] == serde_json::Value::Bool(true),
            body: records::text(&after["body"]),
        })];
    }
    let rules = &testimony.rules;
    let (before, after) = (rules.canon(side, field, &change.before), rules.canon(side, field, &change.after));
    if before == after {
        return Vec::new();
    }
    if *field != Field::Tags {
        return vec![What::Value { after }];
    }
    let (before, after) = (before.members(), after.members());
    let added = after.difference(&before).map(|name| What::Tag { name: name.clone(), added: true });
    let removed = before.difference(&after).map(|name| What::Tag { name: name.clone(), added: false });
    added.chain(removed).collect()
}
